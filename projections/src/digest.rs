//! What read models show at one moment, as one digest: equal for equal content, however it came about.

use infrastructure::LeafHash;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use crate::ReadError;
use crate::read_models::place;

/// What read models show at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The position that the rows show.
    pub position: u64,
    /// The hash of the event at the position.
    pub leaf_hash: LeafHash,
    /// SHA-256 over every row of every projection.
    pub digest: String,
}

/// What the rows of one moment show.
pub(crate) fn shown(tables: &Connection) -> Result<Shown, ReadError> {
    let (position, leaf_hash) = place(tables)?;
    let mut hash = Sha256::new();
    for table in table_names(tables)? {
        digest_table(tables, &table, &mut hash)?;
    }
    Ok(Shown { position, leaf_hash, digest: hex::encode(hash.finalize()) })
}

/// The tables that hold rows of ours; the full text's inner tables follow from them.
fn table_names(tables: &Connection) -> Result<Vec<String>, ReadError> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
               AND name NOT LIKE 'full_text_%' AND name <> 'position' ORDER BY name";
    let names = tables.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

/// In the order of the primary key, so that nothing is sorted; of the row's number where there is no key.
fn digest_table(tables: &Connection, table: &str, hash: &mut Sha256) -> Result<(), ReadError> {
    let sql = "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk";
    let key: Vec<String> =
        tables.prepare_cached(sql)?.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let sql = if key.is_empty() {
        format!("SELECT rowid, * FROM {table} ORDER BY rowid")
    } else {
        format!("SELECT * FROM {table} ORDER BY {}", key.join(", "))
    };
    let mut statement = tables.prepare(&sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    hash.update((table.len() as u64).to_be_bytes());
    hash.update(table);
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            digest_value(row.get_ref(column)?, hash);
        }
    }
    Ok(())
}

fn digest_value(value: ValueRef<'_>, hash: &mut Sha256) {
    let mut part = |kind: u8, bytes: &[u8]| {
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    match value {
        ValueRef::Null => part(0, &[]),
        ValueRef::Integer(value) => part(1, &value.to_be_bytes()),
        ValueRef::Real(value) => part(2, &value.to_be_bytes()),
        ValueRef::Text(value) => part(3, value),
        ValueRef::Blob(value) => part(4, value),
    }
}
