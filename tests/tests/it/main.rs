//! Black-box and whole-tree tests: one binary, one module per topic.

mod golden_events;
