//! An event as it stands in the log, with its personal part opened where the key still exists.

use chrono::{DateTime, Utc};
use domain::{Event, OrganisationNumber, PersonId, StreamId};
use uuid::Uuid;

/// The SHA-256 of an event's row; what every proof rests on.
pub type LeafHash = [u8; 32];

/// An event with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the whole log, dense from 1.
    pub position: u64,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// Its place in the stream, dense from 1.
    pub version: u64,
    /// The time of its batch.
    pub recorded_at: DateTime<Utc>,
    /// Who caused it, by pseudonym.
    pub actor: PersonId,
    /// The employer that it concerns, where there is one.
    pub employer: Option<OrganisationNumber>,
    /// The command that it came from.
    pub command_id: Uuid,
    /// The request that it came from, across systems.
    pub correlation: Uuid,
    /// What happened.
    pub event: Event,
    /// The hash of its row.
    pub leaf_hash: LeafHash,
}

impl Recorded {
    /// The event's id, `<stream>-<version>`.
    pub fn event_id(&self) -> String {
        format!("{}-{}", self.stream, self.version)
    }
}
