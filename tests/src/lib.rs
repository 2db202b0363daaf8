//! What black-box tests, fault campaigns and the benchmark share: the real program in a process of its own, and a
//! client light enough to load it.

pub mod http;
pub mod service;
