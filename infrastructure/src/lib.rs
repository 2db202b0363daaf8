//! What the rules stand on: the log, its committer, keys, sealed content, files and tokens.

pub mod recorded;

pub use recorded::{LeafHash, Recorded};
