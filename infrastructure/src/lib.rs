//! What the rules stand on: the log, its committer, keys, sealed content, files and tokens.

pub mod clock;
pub mod committer;
pub mod disk;
pub mod feed;
pub mod files;
pub mod keys;
pub mod log;
pub mod outcome;
pub mod random;
pub mod read_log;
pub mod reader;
pub mod recorded;
pub mod revocation;
pub mod scanner;
pub mod sealing;
pub mod startup;
pub mod stored;
pub mod tokens;
pub mod upkeep;

#[cfg(test)]
mod testing;

pub use clock::Clock;
pub use committer::{CaseRequest, CommandError, Committer};
pub use feed::{Feed, LogFeed, log_feed};
pub use files::FileStore;
pub use keys::Keys;
pub use log::{Log, LogError};
pub use outcome::Outcome;
pub use read_log::{Receipt, Recorder};
pub use reader::Reader;
pub use recorded::{LeafHash, Recorded};
pub use tokens::{Identity, Tokens};
