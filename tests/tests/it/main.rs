//! Black-box and whole-tree tests: one binary, one module a topic. (The attribute tells the lints that helpers are tests too.)

#[cfg(test)]
mod demo;
#[cfg(test)]
mod golden_events;
#[cfg(test)]
mod mail;
#[cfg(test)]
mod tidy;
