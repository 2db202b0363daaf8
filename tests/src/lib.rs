//! What black-box tests, fault campaigns and the benchmark share: the real program in a process of its own, a client
//! light enough to load it, and writers who remember what they were told.

pub mod clamd;
pub mod crowd;
pub mod faults;
pub mod http;
pub mod nodes;
pub mod parsers;
pub mod service;
pub mod writers;
