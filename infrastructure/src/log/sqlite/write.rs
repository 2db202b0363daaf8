//! Writing the log in SQLite: the committer's connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::StreamId;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params, params_from_iter};

use crate::log::beside::{Row, Table, Value};
use crate::log::sqlite::checkpointer::Bell;
use crate::log::sqlite::{fault, read, reads};
use crate::log::{Batch, Begun, Delivery, Kept, Loaded, LogError, Wanted, Writer};
use crate::read_log::{ReadBatch, ReadWriter};
use crate::revocation::{self, REVOKED};
use crate::stored::StoredEvent;
use crate::upkeep::{HELD, Upkeep, UpkeepReply};

/// The one write connection.
pub struct SqliteWriter {
    connection: Connection,
    /// Set when a commit failed: the file must be settled before it is read or written again.
    doubt: Arc<AtomicBool>,
    /// Told of every commit.
    bell: Option<Bell>,
}

impl SqliteWriter {
    pub(super) const fn new(connection: Connection, doubt: Arc<AtomicBool>, bell: Option<Bell>) -> Self {
        Self { connection, doubt, bell }
    }
}

type Result<T> = std::result::Result<T, rusqlite::Error>;

#[async_trait]
impl Writer for SqliteWriter {
    async fn begin(&mut self) -> std::result::Result<Begun, LogError> {
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| read::head(&self.connection))
            .map(|head| Begun { head, now: None })
            .map_err(|error| fault(&error))
    }

    async fn load(&mut self, wanted: &Wanted) -> std::result::Result<Loaded, LogError> {
        load(&self.connection, wanted).map_err(|error| fault(&error))
    }

    async fn write(&mut self, batch: &Batch) -> std::result::Result<(), LogError> {
        write(&self.connection, batch).map_err(|error| fault(&error))
    }

    async fn upkeep(&mut self, upkeep: &Upkeep) -> std::result::Result<UpkeepReply, LogError> {
        apply(&self.connection, upkeep).map_err(|error| fault(&error))
    }

    async fn clear(&mut self, table: &'static Table) -> std::result::Result<(), LogError> {
        if table.grows {
            return Ok(());
        }
        let sql = format!("DELETE FROM {}", table.name);
        self.connection.execute(&sql, []).map(|_| ()).map_err(|error| fault(&error))
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> std::result::Result<(), LogError> {
        put(&self.connection, table, rows).map_err(|error| fault(&error))
    }

    /// Into its own file, at once: it is there before the log tells of it.
    async fn add_reads(&mut self, batch: &ReadBatch) -> std::result::Result<(), LogError> {
        let mut writer = reads::beside(&self.connection)?;
        writer.begin().await?;
        writer.write(batch).await?;
        writer.commit().await
    }

    async fn set_meta(&mut self, name: &str, value: &str) -> std::result::Result<(), LogError> {
        let sql = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.connection.execute(sql, [name, value]).map(|_| ()).map_err(|error| fault(&error))
    }

    async fn commit(&mut self) -> std::result::Result<(), LogError> {
        count(&self.connection).map_err(|error| fault(&error))?;
        self.connection.execute_batch("COMMIT").map_err(|error| {
            // A full disk refuses a page of the transaction: it was not done, and cannot come back.
            if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
                return LogError::Unavailable(error.to_string());
            }
            // After a failed sync nobody knows what is on the disk: neither success nor failure may be reported.
            self.doubt.store(true, Ordering::Release);
            tracing::error!(%error, "log.db could not be written durably and is not trusted until it has been settled");
            LogError::Unknown(error.to_string())
        })?;
        if let Some(bell) = &self.bell {
            bell.ring();
        }
        Ok(())
    }

    async fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "rollback failed; the connection will be replaced");
        }
    }
}

/// Counts a commit, that of the transaction that is open.
pub(super) fn count(connection: &Connection) -> Result<()> {
    let sql = "UPDATE commit_count SET commits = commits + 1 WHERE one = 1";
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn load(connection: &Connection, wanted: &Wanted) -> Result<Loaded> {
    let mut loaded = Loaded { keys: read::keys(connection, &wanted.keys)?, ..Loaded::default() };
    for (stream, version) in &wanted.streams {
        loaded.events.extend(read::stream_after(connection, *stream, *version)?);
    }
    for command in &wanted.commands {
        if let Some(outcome) = read::outcome(connection, *command)? {
            loaded.outcomes.insert(*command, outcome);
        }
    }
    for attachment in &wanted.attachments {
        if read::is_free(connection, *attachment)? {
            loaded.free.insert(*attachment);
        }
    }
    let last = connection
        .prepare_cached("SELECT last FROM series WHERE year = ?1")?
        .query_row([wanted.year], |row| row.get(0))
        .optional()?;
    loaded.last_number = last.unwrap_or_default();
    Ok(loaded)
}

fn write(connection: &Connection, batch: &Batch) -> Result<()> {
    for event in &batch.events {
        insert_event(connection, event)?;
    }
    let mut statement = connection.prepare_cached("INSERT INTO case_key VALUES (?1, ?2)")?;
    for (stream, wrapped) in &batch.keys {
        statement.execute(params![stream.0, wrapped])?;
    }
    let mut issue = connection.prepare_cached("INSERT INTO case_number VALUES (?1, ?2)")?;
    for (number, StreamId(stream)) in &batch.numbers {
        issue.execute(params![number.to_string(), stream])?;
    }
    // A batch has one time, so all its numbers are of one year, in order.
    if let Some((last, _)) = batch.numbers.last() {
        let sql = "INSERT INTO series VALUES (?1, ?2) ON CONFLICT (year) DO UPDATE SET last = excluded.last";
        connection.prepare_cached(sql)?.execute(params![last.year(), last.running()])?;
    }
    let mut attach = connection.prepare_cached("INSERT INTO attachment VALUES (?1, ?2)")?;
    let mut unstage = connection.prepare_cached("DELETE FROM upload WHERE upload_id = ?1")?;
    for (attachment, stream) in &batch.attachments {
        attach.execute([attachment.0, stream.0])?;
        unstage.execute([attachment.0])?;
    }
    let mut keep = connection.prepare_cached("INSERT INTO command_outcome VALUES (?1, ?2, ?3, ?4)")?;
    for kept in &batch.outcomes {
        let outcome = serde_json::to_string(&kept.outcome).unwrap_or_default();
        keep.execute(params![kept.command_id, kept.request, outcome, kept.expires_at.timestamp_micros()])?;
    }
    Ok(())
}

fn put(connection: &Connection, table: &Table, rows: &[Row]) -> Result<()> {
    let places = table.list(|place, _, _| format!("?{place}"));
    let sql = format!("INSERT OR REPLACE INTO {} VALUES ({places})", table.name);
    let mut statement = connection.prepare_cached(&sql)?;
    for row in rows {
        let values = row.iter().map(|value| match value {
            Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
            Value::Integer(integer) => ToSqlOutput::Borrowed(ValueRef::Integer(*integer)),
            Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Value::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        });
        statement.execute(params_from_iter(values))?;
    }
    Ok(())
}

fn insert_event(connection: &Connection, event: &StoredEvent) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        )?
        .execute(params![
            event.position,
            event.stream.0,
            event.version,
            event.type_name,
            event.schema_version,
            event.recorded_at,
            event.actor.0,
            event.employer,
            event.command_id,
            event.correlation,
            event.facts,
            event.sealed,
            event.key_id,
            event.leaf_hash,
        ])
        .map(|_| ())
}

fn apply(connection: &Connection, upkeep: &Upkeep) -> Result<UpkeepReply> {
    match upkeep {
        Upkeep::Keep { which, owner, sealed, expires_at } => {
            keep(connection, *which, owner.0, sealed, expires_at.timestamp_micros())?;
        }
        Upkeep::Forget(which) => forget(connection, *which)?,
        Upkeep::Doom { now } => {
            let sql = "UPDATE upload SET expires_at = 0 WHERE expires_at <= ?1";
            connection.execute(sql, [now.timestamp_micros()])?;
        }
        Upkeep::Purge { now, uploads } => purge(connection, now.timestamp_micros(), uploads)?,
        Upkeep::TakeLease { name, holder, now, until } => {
            let sql = "INSERT INTO lease VALUES (?1, ?2, 1, ?4) ON CONFLICT (name) DO UPDATE SET \
                       epoch = epoch + (holder <> excluded.holder), holder = excluded.holder, \
                       expires_at = excluded.expires_at WHERE holder = excluded.holder OR expires_at <= ?3 \
                       RETURNING epoch";
            let epoch = connection
                .prepare_cached(sql)?
                .query_row(params![name, holder, now.timestamp_micros(), until.timestamp_micros()], |row| {
                    row.get(0)
                })
                .optional()?;
            return Ok(epoch.map_or(UpkeepReply::Refused, UpkeepReply::Epoch));
        }
        Upkeep::PlanDeliveries { reaction, epoch, position, deliveries } => {
            if !holds(connection, reaction, *epoch)? {
                return Ok(UpkeepReply::Refused);
            }
            plan(connection, reaction, *position, deliveries)?;
        }
        Upkeep::BeginAttempt { delivery, reaction, epoch, next_attempt_at } => {
            if !holds(connection, reaction, *epoch)? {
                return Ok(UpkeepReply::Refused);
            }
            let sql = "UPDATE delivery SET attempts = attempts + 1, next_attempt_at = ?2 \
                       WHERE delivery_id = ?1 AND state = 'due'";
            let changed = connection
                .prepare_cached(sql)?
                .execute(params![delivery, next_attempt_at.timestamp_micros()])?;
            return Ok(if changed == 1 { UpkeepReply::Done } else { UpkeepReply::Refused });
        }
        Upkeep::Postpone { delivery, next_attempt_at, reply } => {
            let sql = "UPDATE delivery SET next_attempt_at = ?2, reply = ?3 WHERE delivery_id = ?1 AND state = 'due'";
            connection.prepare_cached(sql)?.execute(params![
                delivery,
                next_attempt_at.timestamp_micros(),
                reply
            ])?;
        }
        Upkeep::ReleaseDeliveries => {
            connection.execute("DELETE FROM meta WHERE name = ?1", [HELD])?;
        }
        Upkeep::RevokeToken { id, expires_at, now } => revoke(connection, id, *expires_at, *now)?,
        Upkeep::EndDelivery { delivery, sent, reply } => {
            let sql = "UPDATE delivery SET state = ?2, reply = ?3 WHERE delivery_id = ?1 AND state = 'due'";
            let state = if *sent { "sent" } else { "failed" };
            let changed = connection.prepare_cached(sql)?.execute(params![delivery, state, reply])?;
            return Ok(if changed == 1 { UpkeepReply::Done } else { UpkeepReply::Refused });
        }
    }
    Ok(UpkeepReply::Done)
}

fn revoke(connection: &Connection, id: &str, expires_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    let sql = "SELECT value FROM meta WHERE name = ?1";
    let kept: Option<String> = connection.query_row(sql, [REVOKED], |row| row.get(0)).optional()?;
    let tokens = revocation::with(kept.as_deref(), id, expires_at, now)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let sql = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    connection.execute(sql, [REVOKED, &tokens]).map(drop)
}

fn keep(
    connection: &Connection,
    which: Kept,
    owner: uuid::Uuid,
    sealed: &[u8],
    expires: i64,
) -> Result<usize> {
    match which {
        Kept::Session(id) => connection
            .prepare_cached("INSERT OR REPLACE INTO session VALUES (?1, ?2, ?3)")?
            .execute(params![id, sealed, expires]),
        Kept::Upload(id) => connection
            .prepare_cached("INSERT OR REPLACE INTO upload VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![id.0, owner, sealed, expires]),
        Kept::Draft(owner, form) => connection
            .prepare_cached("INSERT OR REPLACE INTO draft VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![owner.0, form, sealed, expires]),
    }
}

fn forget(connection: &Connection, which: Kept) -> Result<()> {
    match which {
        Kept::Session(id) => connection.execute("DELETE FROM session WHERE session_id = ?1", [id])?,
        Kept::Upload(id) => connection.execute("DELETE FROM upload WHERE upload_id = ?1", [id.0])?,
        Kept::Draft(owner, form) => {
            connection.execute("DELETE FROM draft WHERE owner = ?1 AND form = ?2", [owner.0, form])?
        }
    };
    Ok(())
}

fn purge(connection: &Connection, now: i64, uploads: &[domain::AttachmentId]) -> Result<()> {
    for table in ["session", "draft", "command_outcome"] {
        connection.execute(&format!("DELETE FROM {table} WHERE expires_at <= ?1"), [now])?;
    }
    for upload in uploads {
        forget(connection, Kept::Upload(*upload))?;
    }
    Ok(())
}

fn holds(connection: &Connection, lease: &str, epoch: u64) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM lease WHERE name = ?1 AND epoch = ?2")?
        .exists(params![lease, epoch])
}

fn plan(connection: &Connection, reaction: &str, position: u64, deliveries: &[Delivery]) -> Result<()> {
    let sql = "INSERT INTO delivery (delivery_id, reaction, cause, recipient, template, case_id, position, state, \
               next_attempt_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'due', ?8) \
               ON CONFLICT (cause, recipient, template) DO NOTHING";
    let mut statement = connection.prepare_cached(sql)?;
    for delivery in deliveries {
        statement.execute(params![
            delivery.id,
            reaction,
            delivery.cause,
            delivery.recipient.0,
            delivery.template.code(),
            delivery.case.0,
            delivery.position,
            delivery.next_attempt_at.timestamp_micros(),
        ])?;
    }
    let sql = "INSERT INTO reaction VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET position = excluded.position \
               WHERE position < excluded.position";
    connection.prepare_cached(sql)?.execute(params![reaction, position]).map(|_| ())
}
