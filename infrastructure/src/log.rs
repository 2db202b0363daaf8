//! The log: the one source of truth. A trait over the engines that hold it, at the level of one locked transaction,
//! so that one committer serves every engine.

pub mod beside;
#[cfg(test)]
mod contract;
pub mod copying;
pub mod place;
pub mod postgres;
pub mod sqlite;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::vocabulary::Template;
use domain::{AttachmentId, CaseId, CaseNumber, PersonId, StreamId};
use uuid::Uuid;

use crate::log::beside::{Row, Table};
use crate::outcome::KeptOutcome;
use crate::read_log::{ReadBatch, ReadStore};
use crate::recorded::LeafHash;
use crate::stored::StoredEvent;
use crate::upkeep::{Upkeep, UpkeepReply};

/// A fault of the engine; never the caller's.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It cannot be reached or is out of order; what was asked was not done.
    #[error("the log cannot be used: {0}")]
    Unavailable(String),
    /// It refuses what was written because of the data.
    #[error("the log refuses the data: {0}")]
    Data(String),
    /// Its content is not what it must be.
    #[error("the log is damaged: {0}")]
    Damaged(String),
    /// It no longer holds what was read at this position: its end is lost, or it was put back.
    #[error("the log went back: it no longer holds what stood at position {0}")]
    WentBack(u64),
    /// The answer to a commit was lost: it may have been done.
    #[error("the outcome of the commit is unknown: {0}")]
    Unknown(String),
}

/// The end of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The position of the last event; 0 when there is none.
    pub position: u64,
    /// Its time, microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// Its hash.
    pub leaf_hash: LeafHash,
}

/// What a transaction begins on.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// The end of the log.
    pub head: Head,
    /// The time, where the engine tells it for all its nodes; else the node's own clock counts.
    pub now: Option<DateTime<Utc>>,
}

/// What the committer needs to know before it decides on a batch.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Streams, each with the version that is known already: only newer events come.
    pub streams: Vec<(StreamId, u64)>,
    /// Streams whose wrapped keys are not known yet.
    pub keys: Vec<StreamId>,
    /// Ids of commands that may have been done already.
    pub commands: Vec<Uuid>,
    /// Files that are to be attached.
    pub attachments: Vec<AttachmentId>,
    /// The year whose last case number is wanted.
    pub year: u16,
}

/// The answer to [`Wanted`].
#[derive(Debug, Default)]
pub struct Loaded {
    /// The events of the wanted streams, in order of position.
    pub events: Vec<StoredEvent>,
    /// The wrapped keys that exist.
    pub keys: HashMap<StreamId, Vec<u8>>,
    /// The outcomes of those commands that were done.
    pub outcomes: HashMap<Uuid, KeptOutcome>,
    /// Those of the files that are staged and attached to nothing.
    pub free: HashSet<AttachmentId>,
    /// The last running number of the year; 0 when there is none.
    pub last_number: u64,
}

/// What is looked for among the events, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Only events before this position.
    pub before: u64,
    /// Only events after this position.
    pub after: u64,
    /// Only events of this type.
    pub type_name: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// All that one batch adds to the log.
#[derive(Debug, Default)]
pub struct Batch {
    /// Events in order of position.
    pub events: Vec<StoredEvent>,
    /// Wrapped keys of new streams.
    pub keys: Vec<(StreamId, Vec<u8>)>,
    /// Numbers issued.
    pub numbers: Vec<(CaseNumber, StreamId)>,
    /// Files attached; their uploads end.
    pub attachments: Vec<(AttachmentId, StreamId)>,
    /// Outcomes to be kept.
    pub outcomes: Vec<KeptOutcome>,
}

impl Batch {
    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        let Self { events, keys, numbers, attachments, outcomes } = self;
        events.is_empty()
            && keys.is_empty()
            && numbers.is_empty()
            && attachments.is_empty()
            && outcomes.is_empty()
    }
}

/// A mail that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the table say what they hold")]
pub struct Delivery {
    pub id: Uuid,
    /// The event that caused it, `<stream>-<version>`.
    pub cause: String,
    pub recipient: PersonId,
    pub template: Template,
    pub case: CaseId,
    /// The position of the cause.
    pub position: u64,
    /// How often sending was begun.
    pub attempts: u32,
    pub next_attempt_at: DateTime<Utc>,
    /// What the server said last.
    pub reply: Option<String>,
}

/// How many deliveries stand in each state, and the last trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Waiting to be sent for the first time or again.
    pub due: u64,
    /// Of these, tried without success.
    pub retrying: u64,
    /// Accepted by the mail server.
    pub sent: u64,
    /// Given up.
    pub failed: u64,
    /// What the server said about the latest one in trouble.
    pub last_trouble: Option<String>,
    /// When that happened of which the one that has waited longest tells.
    pub oldest_due: Option<DateTime<Utc>>,
}

/// Sealed rows that live beside the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A session, by the hash of its cookie.
    Session([u8; 32]),
    /// A staged file.
    Upload(AttachmentId),
    /// What a person has typed in a form but not sent.
    Draft(PersonId, Uuid),
}

/// A log. Reading sees only what is committed.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// The connection on which the committer writes; there is one a node.
    async fn writer(&self) -> Result<Box<dyn Writer>, LogError>;
    /// The read log beside it.
    fn reads(&self) -> &dyn ReadStore;
    /// The end of the log.
    async fn head(&self) -> Result<Head, LogError>;
    /// Events after a position, in order, at most `limit`.
    async fn events_after(&self, position: u64, limit: usize) -> Result<Vec<StoredEvent>, LogError>;
    /// Events that a search finds, newest first.
    async fn events_before(&self, search: &Search) -> Result<Vec<StoredEvent>, LogError>;
    /// All events of a stream, in order.
    async fn stream(&self, stream: StreamId) -> Result<Vec<StoredEvent>, LogError>;
    /// The last position whose event is not later than `at`; 0 when there is none.
    async fn position_at(&self, at: DateTime<Utc>) -> Result<u64, LogError>;
    /// Wrapped keys of streams, those that exist.
    async fn keys(&self, streams: &[StreamId]) -> Result<HashMap<StreamId, Vec<u8>>, LogError>;
    /// The stream of a case number.
    async fn case_by_number(&self, number: CaseNumber) -> Result<Option<StreamId>, LogError>;
    /// A sealed row and the time at which it expires.
    async fn kept(&self, which: Kept) -> Result<Option<(Vec<u8>, DateTime<Utc>)>, LogError>;
    /// The drafts of a person that have not expired, newest first, each with the form that it belongs to.
    async fn drafts(&self, owner: PersonId, now: DateTime<Utc>) -> Result<Vec<(Uuid, Vec<u8>)>, LogError>;
    /// The outcome of a command that was accepted.
    async fn outcome(&self, command: Uuid) -> Result<Option<KeptOutcome>, LogError>;
    /// Whether a file is attached to a case.
    async fn is_attached(&self, attachment: AttachmentId) -> Result<bool, LogError>;
    /// Every file that is attached to a case.
    async fn attached(&self) -> Result<Vec<AttachmentId>, LogError>;
    /// The engine's own proof of its file, whole: what is wrong with it, in its words. Takes long on a large log.
    async fn engine_faults(&self) -> Result<Vec<String>, LogError>;
    /// Uploads that have expired.
    async fn expired_uploads(&self, now: DateTime<Utc>) -> Result<Vec<AttachmentId>, LogError>;
    /// The position of a reaction; `None` before it has started for the first time.
    async fn reaction_position(&self, name: &str) -> Result<Option<u64>, LogError>;
    /// Deliveries that may be tried now, oldest first.
    async fn deliveries_due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Delivery>, LogError>;
    /// How the deliveries stand.
    async fn delivery_counts(&self) -> Result<DeliveryCounts, LogError>;
    /// A stream whose sealed events have no key though no disposal stands in the log.
    async fn missing_key(&self) -> Result<Option<StreamId>, LogError>;
    /// A value kept about the installation.
    async fn meta(&self, name: &str) -> Result<Option<String>, LogError>;
    /// Rows of a table beside the events, in the order of their keys.
    async fn rows(&self, table: &'static Table, offset: u64, limit: u32) -> Result<Vec<Row>, LogError>;
    /// The time, where the engine tells it for all its nodes.
    async fn now(&self) -> Result<Option<DateTime<Utc>>, LogError> {
        Ok(None)
    }
    /// Tells the position of what other nodes add, soon after they do, until it is dropped.
    async fn listen(&self, heard: Heard) {
        let _ = heard;
        std::future::pending::<()>().await;
    }
}

/// Told of the position of what was added.
pub type Heard = Arc<dyn Fn(u64) + Send + Sync>;

/// The write connection. One transaction at a time: [`Writer::begin`] takes the log's lock.
#[async_trait]
pub trait Writer: Send {
    /// Begins a transaction under the log's lock and reads the head on the newest state.
    async fn begin(&mut self) -> Result<Begun, LogError>;
    /// Reads what the batch needs, on the newest state.
    async fn load(&mut self, wanted: &Wanted) -> Result<Loaded, LogError>;
    /// Adds a batch.
    async fn write(&mut self, batch: &Batch) -> Result<(), LogError>;
    /// Changes a row that lives beside the events.
    async fn upkeep(&mut self, upkeep: &Upkeep) -> Result<UpkeepReply, LogError>;
    /// Removes the rows of a table beside the events; those of one that only grows stay.
    async fn clear(&mut self, table: &'static Table) -> Result<(), LogError>;
    /// Adds rows to a table beside the events, in place of those with the same key.
    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), LogError>;
    /// Adds to the read log what another place holds of it; where that lies beside the log, in this transaction.
    async fn add_reads(&mut self, reads: &ReadBatch) -> Result<(), LogError>;
    /// Keeps a value about the installation.
    async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), LogError>;
    /// Ends the transaction durably.
    async fn commit(&mut self) -> Result<(), LogError>;
    /// Ends the transaction without a trace.
    async fn rollback(&mut self);
}
