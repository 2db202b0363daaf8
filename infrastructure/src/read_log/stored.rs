//! A row of the read log as its bytes stand, its hash, and the key of its month.

use chrono::{DateTime, Utc};
use domain::{CaseId, Reading, calendar};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::clock::from_micros;
use crate::keys::{Keys, derive};
use crate::read_log::Token;
use crate::recorded::LeafHash;
use crate::sealing::{Key, SealError};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRead {
    /// Dense from 1.
    pub position: u64,
    /// Microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// The month by whose key it is sealed, `2026-11`.
    pub month: String,
    /// What was read, sealed.
    pub sealed: Vec<u8>,
    /// The hash of all before it.
    pub leaf_hash: LeafHash,
}

impl StoredRead {
    /// Seals a reading for its place, and hashes it.
    pub(super) fn seal(reading: &Reading, position: u64, at: DateTime<Utc>, key: &Key) -> Self {
        let month = month_of(at);
        let plain = serde_json::to_vec(reading).unwrap_or_default();
        let recorded_at = at.timestamp_micros();
        let sealed = key.seal(&plain, &place(position, recorded_at, &month));
        let mut row = Self { position, recorded_at, month, sealed, leaf_hash: [0; 32] };
        row.leaf_hash = row.compute_leaf_hash();
        row
    }

    /// SHA-256 over 0x00 and every column but the hash, as events are hashed: each as u32 big-endian length and bytes,
    /// integers as i64 big-endian. The leaf of an RFC 6962 tree.
    pub fn compute_leaf_hash(&self) -> LeafHash {
        let mut hash = Sha256::new();
        hash.update([0]);
        let position = i64::try_from(self.position).unwrap_or(i64::MAX).to_be_bytes();
        let columns: [&[u8]; 4] =
            [&position, &self.recorded_at.to_be_bytes(), self.month.as_bytes(), &self.sealed];
        for column in columns {
            hash.update(u32::try_from(column.len()).unwrap_or(u32::MAX - 1).to_be_bytes());
            hash.update(column);
        }
        hash.finalize().into()
    }

    /// What was read.
    ///
    /// # Errors
    /// When it does not open with the key of its month, or is none.
    pub fn open(&self, key: &Key) -> Result<Reading, SealError> {
        let plain = key.open(&self.sealed, &place(self.position, self.recorded_at, &self.month))?;
        serde_json::from_slice(&plain).map_err(|_| SealError)
    }

    /// When.
    pub fn at(&self) -> DateTime<Utc> {
        from_micros(self.recorded_at)
    }
}

/// What a sealed row is bound to: all else that stands in it.
fn place(position: u64, recorded_at: i64, month: &str) -> Vec<u8> {
    [b"read log ".as_slice(), &position.to_be_bytes(), &recorded_at.to_be_bytes(), month.as_bytes()].concat()
}

/// The Swedish month of a moment.
pub fn month_of(at: DateTime<Utc>) -> String {
    calendar::day(at).format("%Y-%m").to_string()
}

/// By what the rows of a case are found in a month.
pub fn token(key: &Key, case: CaseId) -> Token {
    let mut token = Token::default();
    token.copy_from_slice(&derive(key, "read-case", &[case.0.as_bytes()])[..16]);
    token
}

/// The id under which the key of a month is wrapped.
fn wrapped_as(keys: &Keys, month: &str) -> Uuid {
    keys.derived_id("read-month", &[month.as_bytes()])
}

/// A new key of a month, and as it is kept.
pub(super) fn new_month(keys: &Keys, month: &str) -> (Key, Vec<u8>) {
    let key = Key::random();
    let wrapped = keys.wrap(&key, wrapped_as(keys, month));
    (key, wrapped)
}

/// The key of a month from as it is kept.
///
/// # Errors
/// When it was wrapped by another master key, for another month, or was damaged.
pub fn open_month(keys: &Keys, month: &str, wrapped: &[u8]) -> Result<Key, SealError> {
    keys.unwrap(wrapped, wrapped_as(keys, month))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same on both engines, for ever.
    #[test]
    fn a_row_hashes_to_its_vector() {
        let row = StoredRead {
            position: 7,
            recorded_at: 1_795_423_768_000_123,
            month: "2026-11".to_owned(),
            sealed: b"sealed".to_vec(),
            leaf_hash: [0; 32],
        };
        let mut bytes = vec![0];
        for column in [
            7_i64.to_be_bytes().as_slice(),
            1_795_423_768_000_123_i64.to_be_bytes().as_slice(),
            b"2026-11",
            b"sealed",
        ] {
            bytes.extend((column.len() as u32).to_be_bytes());
            bytes.extend(column);
        }
        assert_eq!(row.compute_leaf_hash().as_slice(), Sha256::digest(&bytes).as_slice());
    }

    #[test]
    fn months_are_swedish() {
        let month = |at: &str| month_of(at.parse().unwrap());
        assert_eq!(month("2026-11-30T22:59:59Z"), "2026-11");
        assert_eq!(month("2026-11-30T23:00:00Z"), "2026-12");
    }
}
