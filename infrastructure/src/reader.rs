//! Reading the log opened: every event with its personal part, where its key exists.

use std::collections::HashMap;
use std::sync::Arc;

use domain::StreamId;

use crate::keys::Keys;
use crate::log::{Log, LogError};
use crate::recorded::Recorded;
use crate::sealing::Key;
use crate::stored::StoredEvent;

/// Opens what the log holds.
#[derive(Clone)]
pub struct Reader {
    /// The log.
    pub log: Arc<dyn Log>,
    /// The keys.
    pub keys: Arc<Keys>,
}

impl Reader {
    /// Opened events after a position, in order, at most `limit`.
    ///
    /// # Errors
    /// When the log cannot be read, or an event cannot be understood or opened.
    pub async fn after(&self, position: u64, limit: usize) -> Result<Vec<Recorded>, LogError> {
        let stored = self.log.events_after(position, limit).await?;
        self.open(&stored).await
    }

    /// All events of a stream, opened.
    ///
    /// # Errors
    /// As [`Reader::after`].
    pub async fn stream(&self, stream: StreamId) -> Result<Vec<Recorded>, LogError> {
        let stored = self.log.stream(stream).await?;
        self.open(&stored).await
    }

    /// Opens stored events.
    ///
    /// # Errors
    /// As [`Reader::after`].
    pub async fn open(&self, stored: &[StoredEvent]) -> Result<Vec<Recorded>, LogError> {
        let mut streams: Vec<StreamId> =
            stored.iter().filter(|event| event.sealed.is_some()).map(|event| event.stream).collect();
        streams.sort_unstable();
        streams.dedup();
        let mut keys: HashMap<StreamId, Key> = HashMap::new();
        for (stream, wrapped) in self.log.keys(&streams).await? {
            let key = self.keys.unwrap(&wrapped, stream.0).map_err(|_| missing(stream))?;
            keys.insert(stream, key);
        }
        let open = |event: &StoredEvent| {
            let key = keys.get(&event.stream);
            // No disposal stands in the log yet, so a key that is not there has been lost.
            if event.sealed.is_some() && key.is_none() {
                return Err(missing(event.stream));
            }
            event.open(key).map_err(|error| LogError::Damaged(error.to_string()))
        };
        stored.iter().map(open).collect()
    }
}

/// The error that names a stream whose key is missing or foreign.
pub fn missing(stream: StreamId) -> LogError {
    LogError::Damaged(format!(
        "the key of stream {stream} is missing or was made with another master key, and no disposal stands in the log"
    ))
}
