//! A log in a database of PostgreSQL.

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::types::Uuid;
use sqlx::{Connection, Row, query};

use crate::log::{Column, Stored, hash};

/// All events of a log in a database, in order of position, as one moment saw them. Works beside services that write.
///
/// # Errors
/// When the database cannot be reached, or holds no log that this login may read.
pub async fn read(address: &str) -> anyhow::Result<Vec<Stored>> {
    let options: PgConnectOptions = address.parse().context("the address of the database")?;
    let options = options.application_name("checker").options([("default_transaction_read_only", "on")]);
    let mut connection =
        PgConnection::connect_with(&options).await.context("the database cannot be reached")?;
    let sql = "SELECT position, stream_id, version, type, schema_version, recorded_at, actor, employer, command_id, \
               correlation, facts, sealed, key_id, leaf_hash FROM kundwebb.event ORDER BY position";
    let rows = query(sql).fetch_all(&mut connection).await.context("the log cannot be read")?;
    let _ = connection.close().await;
    Ok(rows.iter().map(stored).collect::<Result<_, _>>()?)
}

fn stored(row: &PgRow) -> Result<Stored, sqlx::Error> {
    let facts: String = row.try_get("facts")?;
    let correlation: Uuid = row.try_get("correlation")?;
    let leaf_hash: Vec<u8> = row.try_get("leaf_hash")?;
    let (position, version): (i64, i64) = (row.try_get("position")?, row.try_get("version")?);
    Ok(Stored {
        position: position.unsigned_abs(),
        stream: row.try_get::<Uuid, _>("stream_id")?.hyphenated().to_string(),
        version: version.unsigned_abs(),
        type_name: row.try_get("type")?,
        recorded_at: row.try_get("recorded_at")?,
        trace: hex::encode(correlation.as_bytes()),
        facts: serde_json::from_str(&facts).unwrap_or_default(),
        whole: leaf_hash == hash(columns(row)?),
    })
}

/// The columns but the hash, in their order.
fn columns(row: &PgRow) -> Result<[Column; 13], sqlx::Error> {
    let integer = |name| row.try_get(name).map(|value: i64| Some(value.to_be_bytes().to_vec()));
    let short = |name| row.try_get(name).map(|value: i16| Some(i64::from(value).to_be_bytes().to_vec()));
    let id = |name| row.try_get(name).map(|id: Option<Uuid>| id.map(|id| id.as_bytes().to_vec()));
    let text = |name| row.try_get(name).map(|text: Option<String>| text.map(String::into_bytes));
    Ok([
        integer("position")?,
        id("stream_id")?,
        integer("version")?,
        text("type")?,
        short("schema_version")?,
        integer("recorded_at")?,
        id("actor")?,
        text("employer")?,
        id("command_id")?,
        id("correlation")?,
        text("facts")?,
        row.try_get("sealed")?,
        id("key_id")?,
    ])
}
