//! The read models: derived from the log, in a local SQLite file per node, thrown away and rebuilt at will.

mod building;
pub mod case_page;
pub mod case_row;
pub mod content;
mod digest;
pub mod directory;
pub mod my_cases;
pub mod narrowing;
pub mod payroll_forms;
pub mod payroll_periods;
pub mod projector;
pub mod protection;
pub mod queue;
pub mod read_models;
pub mod satisfaction;
pub mod scans;
pub mod search;
pub mod seen;
pub mod service_status;
pub mod services;
pub mod settings;
pub mod snapshot;
pub mod statistics;
pub mod timeline;
mod unread;
pub mod verify;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod testing;

pub use building::build;
pub use case_page::CaseView;
pub use case_row::{CaseRow, Filter, Page, Sort};
pub use digest::Shown;
pub use projector::{Projector, ProjectorError, Stopped};
pub use read_models::ReadModels;
pub use unread::Unread;
pub use verify::verify;

use infrastructure::Recorded;
use rusqlite::Connection;

/// A read model: tables, and what each event does to them. Sees no clock, no randomness, no network.
pub trait Projection: Sync {
    /// Its name; never changes.
    fn name(&self) -> &'static str;
    /// Raised when `apply` changes what it writes.
    fn version(&self) -> u32;
    /// Its tables.
    fn ddl(&self) -> &'static str;
    /// The indices that only its readers need; made last when all is built anew.
    fn indices(&self) -> &'static str {
        ""
    }
    /// What an event does to the tables.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError>;
    /// What some events do to the tables, in order; for a projection that writes less when it knows them all.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn apply_all(&self, tables: &Connection, events: &[Recorded]) -> Result<(), ReadError> {
        events.iter().try_for_each(|event| self.apply(tables, event))
    }
}

/// Every projection. All advance together, in this order.
pub static ALL: &[&dyn Projection] = &[
    &content::Content,
    &directory::Directory,
    &payroll_forms::PayrollForms,
    &payroll_periods::PayrollPeriods,
    &queue::Queue,
    &satisfaction::Satisfaction,
    &scans::Scans,
    &search::Search,
    &seen::Seen,
    &service_status::ServiceStatus,
    &services::Services,
    &settings::PersonSettings,
    &statistics::Statistics,
    &timeline::Timeline,
];

/// A fault of the read models.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read or written.
    #[error("the read models cannot be used: {0}")]
    File(#[from] rusqlite::Error),
    /// The engine has proven the file and found a fault.
    #[error("the file of the read models is damaged: {0}")]
    Damaged(String),
    /// What stands beside the file cannot be used, or has no room.
    #[error("{0}")]
    Beside(String),
    /// A row does not hold what it must.
    #[error("the read models hold what they must not: {0}")]
    Row(String),
    /// An event came out of order.
    #[error("position {found} came after {position}")]
    Order {
        /// Where the read models stand.
        position: u64,
        /// What came.
        found: u64,
    },
}

impl ReadError {
    /// Whether the file may be usable again without anybody doing anything to it.
    pub fn may_pass(&self) -> bool {
        use rusqlite::ErrorCode::{CannotOpen, DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
        let code = match self {
            Self::File(error) => error.sqlite_error_code(),
            Self::Damaged(_) | Self::Beside(_) | Self::Row(_) | Self::Order { .. } => None,
        };
        matches!(code, Some(CannotOpen | DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure))
    }

    /// Whether what an event makes does not fit the rows that are there.
    fn is_contradiction(&self) -> bool {
        let Self::File(error) = self else { return false };
        error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
    }

    /// Whether the file itself is damaged: then it is thrown away and built anew.
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::File(error) => matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)),
            Self::Damaged(_) => true,
            Self::Beside(_) | Self::Row(_) | Self::Order { .. } => false,
        }
    }
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Row(error.to_string())
    }
}
