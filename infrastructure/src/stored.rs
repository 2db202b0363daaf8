//! An event as its bytes stand in the log, and the hash over exactly those bytes.

use domain::{CaseNumber, Event, PersonId, StreamId};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::from_micros;
use crate::recorded::{LeafHash, Recorded};
use crate::sealing::{self, Key};

/// A row of the table `event`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns are described by the design of the log in ARCHITECTURE.md")]
pub struct StoredEvent {
    pub position: u64,
    pub stream: StreamId,
    pub version: u64,
    pub type_name: String,
    pub schema_version: u16,
    /// Microseconds since 1970 UTC.
    pub recorded_at: i64,
    pub actor: PersonId,
    pub employer: Option<String>,
    pub command_id: Uuid,
    pub correlation: Uuid,
    pub facts: String,
    pub sealed: Option<Vec<u8>>,
    pub key_id: Option<Uuid>,
    pub leaf_hash: LeafHash,
}

/// An event that cannot be understood; the reader stops and names it.
#[derive(Debug, thiserror::Error)]
#[error("event {stream}-{version} at position {position} cannot be read: {reason}")]
pub struct Unreadable {
    position: u64,
    stream: StreamId,
    version: u64,
    reason: String,
}

impl StoredEvent {
    /// SHA-256 over 0x00 and every column but the hash, in table order, each as u32 big-endian length and bytes;
    /// integers as i64 big-endian, NULL as the length 0xFFFFFFFF. The leaf of an RFC 6962 tree.
    pub fn compute_leaf_hash(&self) -> LeafHash {
        let mut hash = Sha256::new();
        hash.update([0]);
        let mut column = |bytes: Option<&[u8]>| match bytes {
            Some(bytes) => {
                hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1).to_be_bytes());
                hash.update(bytes);
            }
            None => hash.update(u32::MAX.to_be_bytes()),
        };
        column(Some(&integer(self.position)));
        column(Some(self.stream.0.as_bytes()));
        column(Some(&integer(self.version)));
        column(Some(self.type_name.as_bytes()));
        column(Some(&i64::from(self.schema_version).to_be_bytes()));
        column(Some(&self.recorded_at.to_be_bytes()));
        column(Some(self.actor.0.as_bytes()));
        column(self.employer.as_deref().map(str::as_bytes));
        column(Some(self.command_id.as_bytes()));
        column(Some(self.correlation.as_bytes()));
        column(Some(self.facts.as_bytes()));
        column(self.sealed.as_deref());
        column(self.key_id.as_ref().map(|id| id.as_bytes().as_slice()));
        hash.finalize().into()
    }

    /// The event without its personal part: all that decisions need.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn facts_only(&self) -> Result<Event, Unreadable> {
        Event::from_stored(&self.type_name, &self.facts, None)
            .map_err(|error| self.unreadable(error.to_string()))
    }

    /// The event with its personal part opened by the key of its stream, or gone where there is no key.
    ///
    /// # Errors
    /// [`Unreadable`], also when the sealed part does not open.
    pub fn open(&self, key: Option<&Key>) -> Result<Recorded, Unreadable> {
        let place = sealing::place(self.stream, self.version, &self.type_name);
        let personal = match (&self.sealed, key) {
            (Some(sealed), Some(key)) => {
                Some(key.open(sealed, &place).map_err(|error| self.unreadable(error.to_string()))?)
            }
            _ => None,
        };
        let event = Event::from_stored(&self.type_name, &self.facts, personal.as_deref())
            .map_err(|error| self.unreadable(error.to_string()))?;
        Ok(Recorded {
            position: self.position,
            stream: self.stream,
            version: self.version,
            recorded_at: from_micros(self.recorded_at),
            actor: self.actor,
            employer: self.employer.as_deref().and_then(domain::OrganisationNumber::parse),
            command_id: self.command_id,
            correlation: self.correlation,
            event,
            leaf_hash: self.leaf_hash,
        })
    }

    /// The number that this event gave its case, when it received one.
    pub fn case_number(&self) -> Option<CaseNumber> {
        match self.facts_only() {
            Ok(Event::CaseReceived { case_number, .. }) => Some(case_number),
            _ => None,
        }
    }

    fn unreadable(&self, reason: String) -> Unreadable {
        Unreadable { position: self.position, stream: self.stream, version: self.version, reason }
    }
}

fn integer(value: u64) -> [u8; 8] {
    i64::try_from(value).unwrap_or(i64::MAX).to_be_bytes()
}
