//! The events of a log in SQLite, each with the hash that its bytes have.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use sha2::{Digest, Sha256};

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

/// All events of a log file, in order of position. Works beside a service that writes, and changes nothing: what a killed
/// service left in the WAL stays there.
///
/// # Errors
/// When the file cannot be read.
pub fn read(file: &Path) -> anyhow::Result<Vec<Stored>> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch("PRAGMA busy_timeout=5000")?;
    let mut statement = connection.prepare("SELECT * FROM event ORDER BY position")?;
    let rows = statement.query_map([], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stored(row: &Row<'_>) -> Result<Stored, rusqlite::Error> {
    let facts: String = row.get("facts")?;
    let stream: Vec<u8> = row.get("stream_id")?;
    let correlation: Vec<u8> = row.get("correlation")?;
    let leaf_hash: Vec<u8> = row.get("leaf_hash")?;
    Ok(Stored {
        position: row.get("position")?,
        stream: uuid(&stream),
        version: row.get("version")?,
        type_name: row.get("type")?,
        recorded_at: row.get("recorded_at")?,
        trace: hex::encode(correlation),
        facts: serde_json::from_str(&facts).unwrap_or_default(),
        whole: leaf_hash == hash(row)?,
    })
}

/// SHA-256 over 0x00 and every column but the last, which is the hash: each as its length in four bytes, big-endian, and
/// its bytes; integers as eight bytes, big-endian; NULL as the length 0xFFFFFFFF.
fn hash(row: &Row<'_>) -> Result<Vec<u8>, rusqlite::Error> {
    let mut hash = Sha256::new_with_prefix([0]);
    for column in 0..13 {
        let bytes = match row.get_ref(column)? {
            ValueRef::Null => {
                hash.update([0xff; 4]);
                continue;
            }
            ValueRef::Integer(value) => value.to_be_bytes().to_vec(),
            ValueRef::Real(value) => value.to_be_bytes().to_vec(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
        };
        hash.update(u32::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
        hash.update(bytes);
    }
    Ok(hash.finalize().to_vec())
}

fn uuid(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}
