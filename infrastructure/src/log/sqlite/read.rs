//! Reading the log in SQLite.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::vocabulary::Template;
use domain::{AttachmentId, CaseId, CaseNumber, PersonId, StreamId};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::clock::from_micros;
use crate::log::beside::{self, Table};
use crate::log::sqlite::checkpointer::Checkpointer;
use crate::log::sqlite::{SqliteLog, SqliteWriter};
use crate::log::{Delivery, DeliveryCounts, Head, Kept, Log, LogError, Search, Writer};
use crate::outcome::KeptOutcome;
use crate::read_log::ReadStore;
use crate::stored::StoredEvent;

/// The columns of `event` in table order.
pub(super) const COLUMNS: &str = "position, stream_id, version, type, schema_version, recorded_at, actor, employer, \
                                  command_id, correlation, facts, sealed, key_id, leaf_hash";

type Result<T> = std::result::Result<T, rusqlite::Error>;

#[async_trait]
impl Log for SqliteLog {
    async fn writer(&self) -> std::result::Result<Box<dyn Writer>, LogError> {
        let bell = self.checkpointer.as_ref().map(Checkpointer::bell);
        Ok(Box::new(SqliteWriter::new(self.settled()?, Arc::clone(&self.doubt), bell)))
    }

    fn reads(&self) -> &dyn ReadStore {
        &self.reads
    }

    async fn head(&self) -> std::result::Result<Head, LogError> {
        self.read(head).await
    }

    async fn events_after(
        &self,
        position: u64,
        limit: usize,
    ) -> std::result::Result<Vec<StoredEvent>, LogError> {
        self.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM event WHERE position > ?1 ORDER BY position LIMIT ?2");
            connection.prepare_cached(&sql)?.query_map(params![position, limit], event)?.collect()
        })
        .await
    }

    async fn events_before(&self, search: &Search) -> std::result::Result<Vec<StoredEvent>, LogError> {
        let search = search.clone();
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM event WHERE position < ?1 AND position > ?2 AND (?3 IS NULL OR type = ?3) \
                 ORDER BY position DESC LIMIT ?4"
            );
            let values = params![search.before, search.after, search.type_name, search.limit];
            connection.prepare_cached(&sql)?.query_map(values, event)?.collect()
        })
        .await
    }

    async fn stream(&self, stream: StreamId) -> std::result::Result<Vec<StoredEvent>, LogError> {
        self.read(move |connection| stream_after(connection, stream, 0)).await
    }

    async fn position_at(&self, at: DateTime<Utc>) -> std::result::Result<u64, LogError> {
        self.read(move |connection| position_at(connection, at.timestamp_micros())).await
    }

    async fn keys(&self, streams: &[StreamId]) -> std::result::Result<HashMap<StreamId, Vec<u8>>, LogError> {
        let streams = streams.to_vec();
        self.read(move |connection| keys(connection, &streams)).await
    }

    async fn case_by_number(&self, number: CaseNumber) -> std::result::Result<Option<StreamId>, LogError> {
        self.read(move |connection| {
            let sql = "SELECT stream_id FROM case_number WHERE number = ?1";
            connection
                .prepare_cached(sql)?
                .query_row([number.to_string()], |row| row.get(0).map(StreamId))
                .optional()
        })
        .await
    }

    async fn kept(&self, which: Kept) -> std::result::Result<Option<(Vec<u8>, DateTime<Utc>)>, LogError> {
        self.read(move |connection| {
            let row = |row: &Row<'_>| Ok((row.get(0)?, from_micros(row.get(1)?)));
            match which {
                Kept::Session(id) => connection
                    .prepare_cached("SELECT sealed, expires_at FROM session WHERE session_id = ?1")?
                    .query_row([id], row),
                Kept::Upload(id) => connection
                    .prepare_cached("SELECT sealed, expires_at FROM upload WHERE upload_id = ?1")?
                    .query_row([id.0], row),
                Kept::Draft(owner, form) => connection
                    .prepare_cached("SELECT sealed, expires_at FROM draft WHERE owner = ?1 AND form = ?2")?
                    .query_row([owner.0, form], row),
            }
            .optional()
        })
        .await
    }

    async fn drafts(
        &self,
        owner: PersonId,
        now: DateTime<Utc>,
    ) -> std::result::Result<Vec<(Uuid, Vec<u8>)>, LogError> {
        self.read(move |connection| {
            let sql = "SELECT form, sealed FROM draft WHERE owner = ?1 AND expires_at > ?2 ORDER BY expires_at DESC";
            connection
                .prepare_cached(sql)?
                .query_map(params![owner.0, now.timestamp_micros()], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
        .await
    }

    async fn outcome(&self, command: Uuid) -> std::result::Result<Option<KeptOutcome>, LogError> {
        self.read(move |connection| outcome(connection, command)).await
    }

    async fn is_attached(&self, attachment: AttachmentId) -> std::result::Result<bool, LogError> {
        self.read(move |connection| is_attached(connection, attachment)).await
    }

    async fn attached(&self) -> std::result::Result<Vec<AttachmentId>, LogError> {
        self.read(|connection| {
            let sql = "SELECT attachment_id FROM attachment ORDER BY attachment_id";
            connection.prepare_cached(sql)?.query_map([], |row| row.get(0).map(AttachmentId))?.collect()
        })
        .await
    }

    async fn engine_faults(&self) -> std::result::Result<Vec<String>, LogError> {
        self.read(|connection| {
            let mut proof = connection.prepare("PRAGMA integrity_check(20)")?;
            // A fault may also end the proof.
            let said = proof.query_map([], |row| row.get(0))?;
            let said = said.map(|line| line.unwrap_or_else(|error| error.to_string()));
            Ok(said.filter(|line| line != "ok").collect())
        })
        .await
    }

    async fn expired_uploads(&self, now: DateTime<Utc>) -> std::result::Result<Vec<AttachmentId>, LogError> {
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT upload_id FROM upload WHERE expires_at <= ?1")?
                .query_map([now.timestamp_micros()], |row| row.get(0).map(AttachmentId))?
                .collect()
        })
        .await
    }

    async fn reaction_position(&self, name: &str) -> std::result::Result<Option<u64>, LogError> {
        let name = name.to_owned();
        self.read(move |connection| {
            let sql = "SELECT position FROM reaction WHERE name = ?1";
            connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
        })
        .await
    }

    async fn deliveries_due(
        &self,
        now: DateTime<Utc>,
        limit: usize,
    ) -> std::result::Result<Vec<Delivery>, LogError> {
        self.read(move |connection| {
            let sql = "SELECT delivery_id, cause, recipient, template, case_id, position, attempts, next_attempt_at, \
                       reply FROM delivery WHERE state = 'due' AND next_attempt_at <= ?1 \
                       ORDER BY next_attempt_at, position LIMIT ?2";
            connection.prepare_cached(sql)?.query_map(params![now.timestamp_micros(), limit], delivery)?.collect()
        })
        .await
    }

    async fn delivery_counts(&self) -> std::result::Result<DeliveryCounts, LogError> {
        self.read(delivery_counts).await
    }

    async fn missing_key(&self) -> std::result::Result<Option<StreamId>, LogError> {
        self.read(|connection| {
            let sql = "SELECT stream_id FROM event WHERE version = 1 AND key_id IS NOT NULL \
                       AND key_id NOT IN (SELECT key_id FROM case_key) LIMIT 1";
            connection.prepare_cached(sql)?.query_row([], |row| row.get(0).map(StreamId)).optional()
        })
        .await
    }

    async fn rows(
        &self,
        table: &'static Table,
        offset: u64,
        limit: u32,
    ) -> std::result::Result<Vec<beside::Row>, LogError> {
        self.read(move |connection| rows(connection, table, offset, limit)).await
    }

    async fn meta(&self, name: &str) -> std::result::Result<Option<String>, LogError> {
        let name = name.to_owned();
        self.read(move |connection| {
            let sql = "SELECT value FROM meta WHERE name = ?1";
            connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
        })
        .await
    }
}

fn rows(connection: &Connection, table: &Table, offset: u64, limit: u32) -> Result<Vec<beside::Row>> {
    let (columns, keys) = (table.list(|_, name, _| name.to_owned()), table.keys());
    let sql = format!("SELECT {columns} FROM {} ORDER BY {keys} LIMIT ?1 OFFSET ?2", table.name);
    let value = |value: ValueRef<'_>| {
        Ok(match value {
            ValueRef::Null => beside::Value::Null,
            ValueRef::Integer(integer) => beside::Value::Integer(integer),
            ValueRef::Text(_) => beside::Value::Text(value.as_str()?.to_owned()),
            ValueRef::Blob(bytes) => beside::Value::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(rusqlite::Error::InvalidQuery),
        })
    };
    let row = |row: &Row<'_>| (0..table.columns.len()).map(|place| value(row.get_ref(place)?)).collect();
    connection.prepare_cached(&sql)?.query_map(params![limit, offset], row)?.collect()
}

pub(super) fn head(connection: &Connection) -> Result<Head> {
    let sql = "SELECT position, recorded_at, leaf_hash FROM event ORDER BY position DESC LIMIT 1";
    let head = connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(Head { position: row.get(0)?, recorded_at: row.get(1)?, leaf_hash: row.get(2)? })
    });
    Ok(head.optional()?.unwrap_or_default())
}

pub(super) fn stream_after(
    connection: &Connection,
    stream: StreamId,
    version: u64,
) -> Result<Vec<StoredEvent>> {
    let sql = format!("SELECT {COLUMNS} FROM event WHERE stream_id = ?1 AND version > ?2 ORDER BY version");
    connection.prepare_cached(&sql)?.query_map(params![stream.0, version], event)?.collect()
}

pub(super) fn keys(connection: &Connection, streams: &[StreamId]) -> Result<HashMap<StreamId, Vec<u8>>> {
    let mut statement = connection.prepare_cached("SELECT wrapped FROM case_key WHERE key_id = ?1")?;
    let mut keys = HashMap::new();
    for stream in streams {
        if let Some(wrapped) = statement.query_row([stream.0], |row| row.get(0)).optional()? {
            keys.insert(*stream, wrapped);
        }
    }
    Ok(keys)
}

pub(super) fn outcome(connection: &Connection, command: Uuid) -> Result<Option<KeptOutcome>> {
    let sql = "SELECT request, outcome, expires_at FROM command_outcome WHERE command_id = ?1";
    connection
        .prepare_cached(sql)?
        .query_row([command], |row| {
            let outcome = serde_json::from_str(row.get_ref(1)?.as_str()?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, error.into())
            })?;
            Ok(KeptOutcome {
                command_id: command,
                request: row.get(0)?,
                outcome,
                expires_at: from_micros(row.get(2)?),
            })
        })
        .optional()
}

/// Whether a file is staged, attached to nothing and not about to be deleted.
pub(super) fn is_free(connection: &Connection, attachment: AttachmentId) -> Result<bool> {
    let staged = connection
        .prepare_cached("SELECT 1 FROM upload WHERE upload_id = ?1 AND expires_at > 0")?
        .exists([attachment.0])?;
    Ok(staged && !is_attached(connection, attachment)?)
}

pub(super) fn is_attached(connection: &Connection, attachment: AttachmentId) -> Result<bool> {
    connection.prepare_cached("SELECT 1 FROM attachment WHERE attachment_id = ?1")?.exists([attachment.0])
}

fn event(row: &Row<'_>) -> Result<StoredEvent> {
    Ok(StoredEvent {
        position: row.get(0)?,
        stream: StreamId(row.get(1)?),
        version: row.get(2)?,
        type_name: row.get(3)?,
        schema_version: row.get(4)?,
        recorded_at: row.get(5)?,
        actor: PersonId(row.get(6)?),
        employer: row.get(7)?,
        command_id: row.get(8)?,
        correlation: row.get(9)?,
        facts: row.get(10)?,
        sealed: row.get(11)?,
        key_id: row.get(12)?,
        leaf_hash: row.get(13)?,
    })
}

fn delivery(row: &Row<'_>) -> Result<Delivery> {
    let template: String = row.get(3)?;
    Ok(Delivery {
        id: row.get(0)?,
        cause: row.get(1)?,
        recipient: PersonId(row.get(2)?),
        template: Template::parse(&template).unwrap_or(Template::NewMessage),
        case: CaseId(row.get(4)?),
        position: row.get(5)?,
        attempts: row.get(6)?,
        next_attempt_at: from_micros(row.get(7)?),
        reply: row.get(8)?,
    })
}

fn delivery_counts(connection: &Connection) -> Result<DeliveryCounts> {
    let sql = "SELECT count(*) FILTER (WHERE state = 'due'), count(*) FILTER (WHERE state = 'due' AND attempts > 0), \
               count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'failed') FROM delivery";
    let mut counts = connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(DeliveryCounts {
            due: row.get(0)?,
            retrying: row.get(1)?,
            sent: row.get(2)?,
            failed: row.get(3)?,
            last_trouble: None,
            oldest_due: None,
        })
    })?;
    let sql = "SELECT reply FROM delivery WHERE (state = 'failed' OR (state = 'due' AND attempts > 0)) \
               AND reply IS NOT NULL ORDER BY next_attempt_at DESC LIMIT 1";
    counts.last_trouble = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    let sql = "SELECT recorded_at FROM event WHERE position = (SELECT min(position) FROM delivery WHERE state = 'due')";
    let oldest = connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
    counts.oldest_due = oldest.map(from_micros);
    Ok(counts)
}

/// Binary search: times never go backwards along the positions.
fn position_at(connection: &Connection, at: i64) -> Result<u64> {
    let mut statement = connection.prepare_cached("SELECT recorded_at FROM event WHERE position = ?1")?;
    let (mut low, mut high) = (0, head(connection)?.position);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let time: i64 = statement.query_row([middle], |row| row.get(0))?;
        if time <= at { low = middle } else { high = middle - 1 }
    }
    Ok(low)
}
