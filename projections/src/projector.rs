//! The projector: follows the log and applies every event, in order, to all read models.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use infrastructure::{Feed, LogError};

use crate::{ReadError, ReadModels};

/// How long it waits after a fault that may pass.
const PAUSE: Duration = Duration::from_secs(1);
/// Most events in one transaction.
const BATCH: usize = 1000;
/// The shortest time between two transactions while the log is not far ahead: what happens meanwhile is applied
/// together, which costs much less. After a rest nothing waits.
const PACE: Duration = Duration::from_millis(10);

/// Follows the log until the feed ends or something cannot be applied. Never skips.
pub struct Projector {
    read: Arc<ReadModels>,
    stopped: Arc<Mutex<Option<Stopped>>>,
}

/// Why the read models do not follow the log any more, or not now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// In words.
    pub reason: String,
    /// Whether the log no longer holds what they show.
    pub went_back: bool,
}

/// Why the read models do not follow the log any more.
#[derive(Debug, thiserror::Error)]
pub enum ProjectorError {
    /// The log does not hold what the read models have shown: it was put back, or its end is lost.
    #[error(
        "the log went back: the read models have seen an event at position {position} that the log does not hold. \
         log.db is older than they are, or has lost its end (copied without log.db-wal), or they are another log's. If \
         this log is all there is, `kundwebb read-model rebuild` takes it as it is"
    )]
    WentBack {
        /// Where they part.
        position: u64,
    },
    /// The log cannot be read, or holds what cannot be understood.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The read models cannot be written.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<&ProjectorError> for Stopped {
    fn from(error: &ProjectorError) -> Self {
        Self { reason: error.to_string(), went_back: error.went_back() }
    }
}

impl ProjectorError {
    /// Whether the log no longer holds what the read models have shown.
    pub const fn went_back(&self) -> bool {
        matches!(self, Self::WentBack { .. } | Self::Log(LogError::WentBack(_)))
    }

    /// Whether it may be gone by itself: a disk that is full, a file that does not answer.
    fn may_pass(&self) -> bool {
        match self {
            Self::WentBack { .. } => false,
            Self::Log(error) => matches!(error, LogError::Unavailable(_)),
            Self::Read(error) => error.may_pass(),
        }
    }
}

impl Projector {
    /// A projector of these read models.
    pub fn new(read: Arc<ReadModels>) -> Self {
        Self { read, stopped: Arc::default() }
    }

    /// Why it has stopped; `None` while it runs.
    pub fn stopped(&self) -> Arc<Mutex<Option<Stopped>>> {
        Arc::clone(&self.stopped)
    }

    /// Checks that the log still holds the event that the read models stand on.
    ///
    /// # Errors
    /// [`ProjectorError::WentBack`], or when either cannot be read.
    pub fn check(&self, feed: &mut impl Feed) -> Result<(), ProjectorError> {
        let position = self.read.position();
        if position == 0 || feed.leaf_at(position)? == Some(self.read.leaf_hash()?) {
            return Ok(());
        }
        Err(ProjectorError::WentBack { position })
    }

    /// Follows the feed; runs on a thread of its own.
    pub fn run(&self, mut feed: impl Feed) {
        if let Err(error) = self.follow(&mut feed) {
            // Whoever reads the line finds it so.
            *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some((&error).into());
            tracing::error!(%error, "the read models have stopped");
        }
    }

    /// A full disk and its like are waited out: what could not be applied is applied when it can be.
    fn follow(&self, feed: &mut impl Feed) -> Result<(), ProjectorError> {
        loop {
            match self.step(feed) {
                Ok(true) => self.tell(None),
                Ok(false) => return Ok(()),
                Err(error) if error.may_pass() => {
                    self.tell(Some((&error).into()));
                    std::thread::park_timeout(PAUSE);
                    if matches!(error, ProjectorError::Log(_)) {
                        self.look_again(feed)?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the log can be read again, found out by reading: it may be long until something new comes.
    fn look_again(&self, feed: &mut impl Feed) -> Result<(), ProjectorError> {
        match self.check(feed) {
            Ok(()) => self.tell(None),
            Err(error) if error.may_pass() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Applies what comes next; false when the feed has ended.
    fn step(&self, feed: &mut impl Feed) -> Result<bool, ProjectorError> {
        let events = feed.after(self.read.position(), BATCH)?;
        self.read.apply(&events)?;
        if !events.is_empty() && events.len() < BATCH {
            std::thread::park_timeout(PACE);
        }
        Ok(!events.is_empty())
    }

    fn tell(&self, trouble: Option<Stopped>) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*stopped, &trouble) {
            (None, Some(Stopped { reason, .. })) => {
                tracing::error!(reason, "the read models cannot follow the log");
            }
            (Some(_), None) => tracing::warn!("the read models follow the log again"),
            _ => {}
        }
        *stopped = trouble;
    }
}
