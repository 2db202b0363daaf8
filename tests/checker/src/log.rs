//! The events of a log, each with the hash that its bytes have: in SQLite or in PostgreSQL.

pub mod postgres;
mod sqlite;

use serde_json::Value;
use sha2::{Digest, Sha256};

pub use sqlite::read;

/// A row of the table `event`.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its place in the log.
    pub position: u64,
    /// Its stream, as a UUID in its usual form.
    pub stream: String,
    /// Its place in the stream.
    pub version: u64,
    /// Its type.
    pub type_name: String,
    /// Microseconds since 1970 UTC.
    pub recorded_at: i64,
    /// The trace id, 32 hexadecimal digits.
    pub trace: String,
    /// What may be kept for ever.
    pub facts: Value,
    /// Whether the stored hash is that of the stored bytes.
    pub whole: bool,
}

/// The bytes of a column; nothing for NULL.
type Column = Option<Vec<u8>>;

/// SHA-256 over 0x00 and every column but the last, which is the hash: each as its length in four bytes, big-endian, and
/// its bytes; integers as eight bytes, big-endian; NULL as the length 0xFFFFFFFF.
fn hash(columns: impl IntoIterator<Item = Column>) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix([0]);
    for column in columns {
        match column {
            None => hash.update([0xff; 4]),
            Some(bytes) => {
                hash.update(u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
                hash.update(bytes);
            }
        }
    }
    hash.finalize().to_vec()
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
