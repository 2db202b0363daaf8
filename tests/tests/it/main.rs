//! Black-box and whole-tree tests: one binary, one module a topic.

mod demo;
mod golden_events;
mod mail;
mod tidy;
