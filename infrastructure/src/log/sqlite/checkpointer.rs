//! Moves what was committed from the WAL into the log's file beside the committer, so that nobody's commit has to wait
//! for it. What it cannot keep up with, the committer's own connection moves when the WAL has grown large.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;

use crate::log::LogError;
use crate::log::sqlite::{unavailable, writing};

/// The shortest time between two moves: each costs a sync of the file.
const PACE: Duration = Duration::from_millis(200);

/// The thread that moves; ends when this is dropped.
pub(super) struct Checkpointer {
    bell: Bell,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Tells the checkpointer that something was committed.
#[derive(Clone)]
pub(super) struct Bell(SyncSender<()>);

impl Bell {
    pub(super) fn ring(&self) {
        // One that has not been heard yet is enough.
        let _ = self.0.try_send(());
    }
}

impl Checkpointer {
    /// Begins to move for the log in a file.
    ///
    /// # Errors
    /// When the file cannot be opened or the thread not started.
    pub(super) fn start(path: &Path) -> Result<Self, LogError> {
        let connection = writing(path)?;
        let (ring, rings) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(move || follow(&connection, &rings, &stopped))
            .map_err(|error| unavailable(&error))?;
        Ok(Self { bell: Bell(ring), stop, thread: Some(thread) })
    }

    pub(super) fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn follow(connection: &Connection, rings: &Receiver<()>, stop: &AtomicBool) {
    while rings.recv().is_ok() && !stop.load(Ordering::Acquire) {
        // Waits for nobody and blocks nobody; what is not moved now is moved the next time.
        if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
            tracing::warn!(%error, "what was committed could not be moved into log.db yet; it stands in the WAL");
        }
        std::thread::park_timeout(PACE);
    }
}
