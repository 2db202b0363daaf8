//! The events in order for those who follow the log: from memory with the node's own commits, from the log for
//! everything else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::committer::Publish;
use crate::log::{Heard, LogError};
use crate::reader::Reader;
use crate::recorded::{LeafHash, Recorded};

/// Most batches that wait in memory; a slow follower reads the rest from the log.
const WAITING_BATCHES: usize = 256;
/// How often the log is asked for what nobody told of.
const POLL: Duration = Duration::from_secs(1);

/// Events in order. Implemented over the log and, for tests, over a list.
pub trait Feed: Send {
    /// The events after `position`, oldest first, at most `limit`. Waits until there are some; an empty answer means
    /// that the feed has ended.
    ///
    /// # Errors
    /// When the log cannot be read or holds an event that cannot be understood.
    fn after(&mut self, position: u64, limit: usize) -> Result<Vec<Recorded>, LogError>;

    /// The leaf hash of the event at `position`, to notice a log that went back; `None` when there is none.
    ///
    /// # Errors
    /// When the log cannot be read.
    fn leaf_at(&mut self, position: u64) -> Result<Option<LeafHash>, LogError>;
}

/// The feed of a node.
pub struct LogFeed {
    reader: Reader,
    runtime: Handle,
    committed: Arc<AtomicU64>,
    batches: Receiver<Vec<Recorded>>,
    waiting: VecDeque<Recorded>,
    /// The event that was handed out last, and whether the log may not hold it any more.
    last: Option<(u64, LeafHash)>,
    doubt: bool,
}

/// Makes the feed of a node, the function by which the committer tells it what was added (nothing: that it has a new
/// connection), and the one by which it hears
/// of what other nodes added.
pub fn log_feed(reader: Reader, runtime: Handle) -> (LogFeed, Publish, Heard) {
    let (sender, batches): (SyncSender<Vec<Recorded>>, _) = sync_channel(WAITING_BATCHES);
    let committed = Arc::new(AtomicU64::new(0));
    let (told, bell, others) = (Arc::clone(&committed), sender.clone(), Arc::clone(&committed));
    let publish = Box::new(move |batch: Vec<Recorded>| {
        told.fetch_max(batch.last().map_or(0, |event| event.position), Ordering::AcqRel);
        // A full channel is no loss: the follower sees the gap and reads the log.
        drop(sender.try_send(batch));
    });
    let heard = Arc::new(move |position| {
        if others.fetch_max(position, Ordering::AcqRel) < position {
            // An empty batch wakes who waits.
            drop(bell.try_send(Vec::new()));
        }
    });
    (
        LogFeed { reader, runtime, committed, batches, waiting: VecDeque::new(), last: None, doubt: false },
        publish,
        heard,
    )
}

impl Feed for LogFeed {
    fn after(&mut self, position: u64, limit: usize) -> Result<Vec<Recorded>, LogError> {
        loop {
            // No more than is asked for: what a slow follower leaves in the channel keeps it full, and is read from
            // the log later instead of growing in memory.
            while self.waiting.len() < limit
                && let Ok(batch) = self.batches.try_recv()
            {
                self.take(batch);
            }
            if std::mem::take(&mut self.doubt) {
                self.prove()?;
            }
            while self.waiting.front().is_some_and(|event| event.position <= position) {
                self.waiting.pop_front();
            }
            let next = self.waiting.front().map(|event| event.position);
            if next == Some(position + 1) {
                let events = self.in_order(position, limit);
                return Ok(self.handed_out(events));
            }
            if next.is_some() || self.committed.load(Ordering::Acquire) > position {
                self.prove()?;
                let events = self.runtime.block_on(self.reader.after(position, limit))?;
                if events.is_empty() {
                    return Err(LogError::WentBack(position + 1));
                }
                return Ok(self.handed_out(events));
            }
            match self.batches.recv_timeout(POLL) {
                Ok(batch) => self.take(batch),
                Err(RecvTimeoutError::Timeout) => {
                    let head = self.runtime.block_on(self.reader.log.head())?;
                    if head.position < position {
                        return Err(LogError::WentBack(position));
                    }
                    self.committed.fetch_max(head.position, Ordering::AcqRel);
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return self.runtime.block_on(self.reader.after(position, limit));
                }
            }
        }
    }

    fn leaf_at(&mut self, position: u64) -> Result<Option<LeafHash>, LogError> {
        let Some(before) = position.checked_sub(1) else { return Ok(None) };
        let found = self.runtime.block_on(self.reader.log.events_after(before, 1))?;
        let found = found.first().filter(|event| event.position == position).map(|event| event.leaf_hash);
        self.last = found.map(|hash| (position, hash));
        Ok(found)
    }
}

impl LogFeed {
    fn take(&mut self, batch: Vec<Recorded>) {
        self.doubt |= batch.is_empty();
        self.waiting.extend(batch);
    }

    /// Whether the log still holds what was handed out last: it may be another server's by now, which took over without
    /// it.
    fn prove(&mut self) -> Result<(), LogError> {
        let Some((position, hash)) = self.last else { return Ok(()) };
        if self.leaf_at(position)? == Some(hash) { Ok(()) } else { Err(LogError::WentBack(position)) }
    }

    fn handed_out(&mut self, events: Vec<Recorded>) -> Vec<Recorded> {
        self.last = events.last().map(|event| (event.position, event.leaf_hash)).or(self.last);
        events
    }

    /// What waits in memory, as far as it is without a gap.
    fn in_order(&mut self, position: u64, limit: usize) -> Vec<Recorded> {
        let mut events = Vec::new();
        while events.len() < limit
            && self.waiting.front().is_some_and(|event| event.position == position + 1 + events.len() as u64)
        {
            events.extend(self.waiting.pop_front());
        }
        events
    }
}
