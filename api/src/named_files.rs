//! The files that the log names, in its order: what must lie in the file store, and as what.

use domain::files::StoredFile;
use domain::{AttachmentId, Event};
use infrastructure::Log;

/// Events read at a time.
const BATCH: usize = 1_000;

/// Walks through the events of a log.
pub struct NamedFiles<'a> {
    log: &'a dyn Log,
    position: u64,
}

impl<'a> NamedFiles<'a> {
    /// From the beginning.
    pub const fn of(log: &'a dyn Log) -> Self {
        Self { log, position: 0 }
    }

    /// The files of the next events, which may be none; `None` at the end of the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn next(&mut self) -> anyhow::Result<Option<Vec<(AttachmentId, StoredFile)>>> {
        let events = self.log.events_after(self.position, BATCH).await?;
        let Some(last) = events.last() else { return Ok(None) };
        self.position = last.position;
        let mut files = Vec::new();
        for stored in &events {
            let event: Event = stored.facts_only()?;
            files.extend(event.attachment_ids().iter().copied().zip(event.stored_files().iter().cloned()));
        }
        Ok(Some(files))
    }
}
