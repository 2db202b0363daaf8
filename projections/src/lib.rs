//! The read models: derived from the log, in a local SQLite file, thrown away and rebuilt at will.

pub mod feed;

pub use feed::{Feed, FeedError};
