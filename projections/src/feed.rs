//! Where the projector gets its events from.

use infrastructure::Recorded;

/// Events in order. Implemented over the log and, for tests, over a list.
pub trait Feed: Send {
    /// The events after `position`, oldest first, at most `limit`. Waits until there are some; an empty answer means
    /// that the feed has ended.
    ///
    /// # Errors
    /// When the log cannot be read or holds an event that cannot be understood: the projector stops and says so.
    fn after(&mut self, position: u64, limit: usize) -> Result<Vec<Recorded>, FeedError>;

    /// The leaf hash of the event at `position`, to notice a log that went back; `None` when there is none.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn leaf_at(&mut self, position: u64) -> Result<Option<infrastructure::LeafHash>, FeedError>;
}

/// Why no more events come.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FeedError(pub String);
