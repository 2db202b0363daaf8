//! The read log (LAW-20): who was shown content of cases that are not their own. A reading is recorded, durably, before
//! anything is shown. Its rows lie beside the log, in a file or a schema of their own, are never changed, and are sealed
//! under a key of their month, which is destroyed at the end of its retention. Once an hour an event binds them to the log.

pub mod binding;
pub mod merkle;
mod recorder;
pub mod stored;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::CaseId;

use crate::log::LogError;

pub use recorder::{Recorder, Settings, Unrecorded};
pub use stored::{StoredRead, month_of, open_month, token};

/// Proof that a reading is recorded, or needs no record: content is shown against it only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    cases: Vec<CaseId>,
}

impl Receipt {
    /// For cases whose reporter reads them: nothing is recorded of that.
    pub const fn of_own(cases: Vec<CaseId>) -> Self {
        Self { cases }
    }

    /// The same receipt, also for cases whose reporter reads them.
    #[must_use]
    pub fn and_own(mut self, cases: impl IntoIterator<Item = CaseId>) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Whether the content of a case may be shown.
    pub fn covers(&self, case: CaseId) -> bool {
        self.cases.contains(&case)
    }
}

/// The end of the read log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadHead {
    /// The position of the last row; 0 when there is none.
    pub position: u64,
    /// Its time, microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// Its month.
    pub month: String,
}

/// What a transaction begins on.
#[derive(Clone, Debug)]
pub struct ReadsBegun {
    /// The end of the read log.
    pub head: ReadHead,
    /// The time, where the engine tells it for all its nodes.
    pub now: Option<DateTime<Utc>>,
}

/// By what the rows of a case are found: a keyed digest of its id, which tells nothing without the key of the month.
pub type Token = [u8; 16];

/// All that one transaction adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadBatch {
    /// Wrapped keys of new months.
    pub keys: Vec<(String, Vec<u8>)>,
    /// Rows in order of position.
    pub rows: Vec<StoredRead>,
    /// By what they are found.
    pub tokens: Vec<(u64, Token)>,
}

/// Where the read log lies. Reading sees only what is committed.
#[async_trait]
pub trait ReadStore: Send + Sync {
    /// A connection of its own on which is written.
    async fn read_writer(&self) -> Result<Box<dyn ReadWriter>, LogError>;
    /// The end.
    async fn reads_head(&self) -> Result<ReadHead, LogError>;
    /// Rows after a position, in order, at most `limit`.
    async fn reads_after(&self, position: u64, limit: usize) -> Result<Vec<StoredRead>, LogError>;
    /// Rows before a position, newest first, at most `limit`; with tokens only those that any of them finds.
    async fn reads_before(
        &self,
        before: u64,
        tokens: Option<&[Token]>,
        limit: usize,
    ) -> Result<Vec<StoredRead>, LogError>;
    /// By what the rows after one position and up to another are found, in order.
    async fn read_tokens(&self, after: u64, to: u64) -> Result<Vec<(u64, Token)>, LogError>;
    /// The wrapped keys of months, in order.
    async fn read_keys(&self) -> Result<Vec<(String, Vec<u8>)>, LogError>;
}

/// A connection on which is written, one transaction at a time. It holds a lock of its own, not that of the log.
#[async_trait]
pub trait ReadWriter: Send {
    /// Begins a transaction and reads the end on the newest state.
    async fn begin(&mut self) -> Result<ReadsBegun, LogError>;
    /// The wrapped key of a month.
    async fn key(&mut self, month: &str) -> Result<Option<Vec<u8>>, LogError>;
    /// Adds rows.
    async fn write(&mut self, batch: &ReadBatch) -> Result<(), LogError>;
    /// Removes the key of a month.
    async fn destroy(&mut self, month: &str) -> Result<(), LogError>;
    /// Ends the transaction durably.
    async fn commit(&mut self) -> Result<(), LogError>;
    /// Ends the transaction without a trace.
    async fn rollback(&mut self);
}

/// Whether a row could be added: one is, and taken back.
///
/// # Errors
/// When it could not.
pub async fn probe(store: &dyn ReadStore) -> Result<ReadHead, LogError> {
    let mut writer = store.read_writer().await?;
    let begun = writer.begin().await?;
    let mut row = StoredRead {
        position: begun.head.position + 1,
        recorded_at: begun.head.recorded_at,
        month: begun.head.month.clone(),
        sealed: Vec::new(),
        leaf_hash: [0; 32],
    };
    row.leaf_hash = row.compute_leaf_hash();
    let written = writer.write(&ReadBatch { rows: vec![row], ..ReadBatch::default() }).await;
    writer.rollback().await;
    written.map(|()| begun.head)
}
