//! The integration tests: one binary, so that they are built and linked once.

mod mail;
