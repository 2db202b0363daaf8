//! Black-box and whole-tree tests: one binary, one module per topic.

#[cfg(test)]
mod golden_events;
