//! A log in a file of SQLite.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};

use crate::log::{Column, Stored, hash, uuid};

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
    let columns = (0..13).map(|place| column(row, place)).collect::<Result<Vec<_>, _>>()?;
    Ok(Stored {
        position: row.get("position")?,
        stream: uuid(&stream),
        version: row.get("version")?,
        type_name: row.get("type")?,
        recorded_at: row.get("recorded_at")?,
        trace: hex::encode(correlation),
        facts: serde_json::from_str(&facts).unwrap_or_default(),
        whole: leaf_hash == hash(columns),
    })
}

fn column(row: &Row<'_>, place: usize) -> Result<Column, rusqlite::Error> {
    Ok(match row.get_ref(place)? {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_be_bytes().to_vec()),
        ValueRef::Real(value) => Some(value.to_be_bytes().to_vec()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes.to_vec()),
    })
}
