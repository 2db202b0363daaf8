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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Uuid {
        text.parse().unwrap()
    }

    fn case_received() -> StoredEvent {
        let case = id("01931b2c-7a10-7c3e-9f00-0000000000c1");
        StoredEvent {
            position: 1,
            stream: StreamId(case),
            version: 1,
            type_name: "CaseReceived".to_owned(),
            schema_version: 1,
            recorded_at: 1_795_428_000_123_456,
            actor: PersonId(id("6f1d2c3b-4a59-8e70-8d11-000000000001")),
            employer: Some("4021000007".to_owned()),
            command_id: id("01931b2c-7a10-7c3e-9f00-0000000000d1"),
            correlation: id("01931b2c-7a10-7c3e-9f00-0000000000e1"),
            facts: r#"{"caseNumber":"2026-000001-1","text":"åäö"}"#.to_owned(),
            sealed: Some((0..40).collect()),
            key_id: Some(case),
            leaf_hash: [0; 32],
        }
    }

    fn bare() -> StoredEvent {
        StoredEvent {
            position: 1 << 40,
            version: 1 << 33,
            type_name: "NoticeResolved".to_owned(),
            schema_version: u16::MAX,
            recorded_at: -1,
            actor: PersonId(Uuid::nil()),
            employer: None,
            command_id: Uuid::max(),
            correlation: Uuid::nil(),
            facts: "{}".to_owned(),
            sealed: None,
            key_id: None,
            ..case_received()
        }
    }

    /// Computed by other means (Python's `hashlib` over the form that ARCHITECTURE.md describes). They are the same for
    /// every engine and for ever: proofs rest on them.
    #[test]
    fn leaf_hashes_have_fixed_vectors() {
        let empty = StoredEvent { employer: Some(String::new()), sealed: Some(Vec::new()), ..bare() };
        for (event, expected) in [
            (case_received(), "7aa10e52fc019fe9107351f0706d320bd7f0ff1e1452f2ebf846357d2d43be45"),
            (bare(), "f629a2242d6a219bf76bdef90bc99c59d8541bc672f1adfec7c56ed4f410d77b"),
            (empty, "3dcd36cfc4a229459926c39c38c94eada6ab1c69d193f09713e82b5b2e9973e2"),
        ] {
            assert_eq!(hex::encode(event.compute_leaf_hash()), expected);
        }
    }

    #[test]
    fn every_column_is_hashed_and_none_runs_into_the_next() {
        let other = id("01931b2c-7a10-7c3e-9f00-0000000000ff");
        let base = case_received();
        let changed = [
            StoredEvent { position: 2, ..base.clone() },
            StoredEvent { stream: StreamId(other), ..base.clone() },
            StoredEvent { version: 2, ..base.clone() },
            StoredEvent { type_name: "CaseReceivee".to_owned(), ..base.clone() },
            StoredEvent { schema_version: 2, ..base.clone() },
            StoredEvent { recorded_at: 0, ..base.clone() },
            StoredEvent { actor: PersonId(other), ..base.clone() },
            StoredEvent { employer: None, ..base.clone() },
            StoredEvent { command_id: other, ..base.clone() },
            StoredEvent { correlation: other, ..base.clone() },
            StoredEvent { facts: format!("{} ", base.facts), ..base.clone() },
            StoredEvent { sealed: Some((1..41).collect()), ..base.clone() },
            StoredEvent { key_id: Some(other), ..base.clone() },
            // The same bytes, divided between two columns in another way.
            StoredEvent {
                facts: base.facts[..9].to_owned(),
                sealed: Some(base.facts.as_bytes()[9..].into()),
                ..base.clone()
            },
        ];
        let mut hashes: Vec<_> = changed.iter().map(StoredEvent::compute_leaf_hash).collect();
        hashes.push(base.compute_leaf_hash());
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), changed.len() + 1);
        let unhashed = StoredEvent { leaf_hash: [9; 32], ..base.clone() };
        assert_eq!(unhashed.compute_leaf_hash(), base.compute_leaf_hash());
    }

    #[test]
    fn an_event_of_a_type_that_nobody_knows_is_named() {
        let unknown = StoredEvent { type_name: "CaseExploded".to_owned(), position: 7, ..case_received() };
        let error = unknown.facts_only().unwrap_err().to_string();
        assert!(error.contains("position 7") && error.contains("CaseExploded"), "{error}");
        assert!(unknown.open(None).is_err());
    }

    #[test]
    fn a_sealed_part_opens_with_its_key_only_and_is_gone_without() {
        let key = Key::random();
        let facts = r#"{"kind":"official"}"#.to_owned();
        let mut note = StoredEvent { type_name: "NoteAdded".to_owned(), facts, ..case_received() };
        let place = sealing::place(note.stream, note.version, &note.type_name);
        note.sealed = Some(key.seal(r#"{"text":"Ringde."}"#.as_bytes(), &place));
        assert!(note.open(Some(&key)).unwrap().event.personal_json().unwrap().contains("Ringde."));
        assert!(note.open(None).unwrap().event.is_gone());
        assert!(note.open(Some(&Key::random())).is_err());
        note.version = 2;
        assert!(note.open(Some(&key)).is_err(), "moved to another place");
    }
}
