//! Black-box and whole-tree tests: one binary, one module a topic.

mod api;
mod support;
mod tidy;
