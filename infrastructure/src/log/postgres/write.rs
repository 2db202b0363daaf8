//! Writing the log in PostgreSQL: the committer's connection.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{AttachmentId, StreamId};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Executor, Row, query, query_scalar, raw_sql};
use uuid::Uuid;

use crate::clock::from_micros;
use crate::log::beside::{self, Kind, Table, Value};
use crate::log::postgres::hosts::ONLY_READ;
use crate::log::postgres::{CHANNEL, fault, read, reads};
use crate::log::{Batch, Begun, Delivery, Kept, Loaded, LogError, Wanted, Writer};
use crate::read_log::ReadBatch;
use crate::revocation::{self, REVOKED};
use crate::upkeep::{HELD, Upkeep, UpkeepReply};

/// How long any answer may take; the log's lock is waited for no longer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Begins a transaction, takes the log's lock, and reads the head. Three statements, sent at once: under READ COMMITTED
/// each sees what was committed when it began, and so the third, unlike the second, what the last holder added.
const BEGIN: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7726582210894); EXECUTE head";
/// What a batch needs to know, in rows of the shape of an event, each with what it is.
pub(super) const LOAD: &str = "SELECT event.*, 'event' AS what FROM unnest($1::uuid[], $2::bigint[]) AS known (stream, version) \
      JOIN event ON event.stream_id = known.stream AND event.version > known.version \
    UNION ALL SELECT NULL, key_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, wrapped, NULL, NULL, 'key' \
      FROM kundwebb_keys.find($3) \
    UNION ALL SELECT expires_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, command_id, NULL, outcome, request, NULL, NULL, \
      'outcome' FROM command_outcome WHERE command_id = ANY ($4) \
    UNION ALL SELECT NULL, upload_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'free' \
      FROM upload WHERE upload_id = ANY ($5) AND expires_at > 0 \
      AND NOT EXISTS (SELECT FROM attachment WHERE attachment_id = upload_id) \
    UNION ALL SELECT last, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'number' \
      FROM series WHERE year = $6";
/// What a session that writes is beside one that reads. A plan is made once, when the tables may be empty, and kept while
/// they grow: so rows are found by indices from the first.
pub(super) const WRITING: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
    SET plan_cache_mode = force_generic_plan; \
    PREPARE head AS SELECT position, recorded_at, leaf_hash, \
      (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now, \
      current_setting('transaction_read_only') = 'on' AS only_read FROM (SELECT) one \
      LEFT JOIN LATERAL (SELECT position, recorded_at, leaf_hash FROM event ORDER BY position DESC LIMIT 1) head ON true";
const WRITE: &str = "WITH event AS (INSERT INTO event SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], \
      $4::text[], $5::smallint[], $6::bigint[], $7::uuid[], $8::text[], $9::uuid[], $10::uuid[], $11::text[], \
      $12::bytea[], $13::uuid[], $14::bytea[])), \
    outcome AS (INSERT INTO command_outcome SELECT * FROM unnest($15::uuid[], $16::bytea[], $17::text[], $18::bigint[])), \
    number AS (INSERT INTO case_number SELECT * FROM unnest($19::text[], $20::uuid[])), \
    attached AS (INSERT INTO attachment SELECT * FROM unnest($21::uuid[], $22::uuid[])), \
    unstaged AS (DELETE FROM upload WHERE upload_id = ANY ($21)), \
    series AS (INSERT INTO series SELECT $23, $24 WHERE $23 IS NOT NULL \
      ON CONFLICT (year) DO UPDATE SET last = excluded.last) \
    SELECT kundwebb_keys.add($25, $26), pg_notify($27, $28)";

const SET_META: &str =
    "INSERT INTO meta VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Nothing but a place in what a standby gets. A server that crashed after it had flushed a commit shows it when it is back,
/// though its standby may lack it. Committing this waits until the standby has everything before it.
const NOTHING: &str = "SELECT pg_logical_emit_message(true, 'kundwebb', '')";

/// The one write connection.
pub struct PostgresWriter {
    connection: PgConnection,
    tells_time: bool,
}

type Result<T> = std::result::Result<T, sqlx::Error>;

impl PostgresWriter {
    /// Takes a connection to write on.
    pub(super) async fn new(mut connection: PgConnection, tells_time: bool) -> Result<Self> {
        connection.execute(raw_sql(WRITING)).await?;
        Ok(Self { connection, tells_time })
    }
}

/// The answer to a statement, within reason.
pub(super) async fn patiently<T>(
    answer: impl Future<Output = Result<T>>,
) -> std::result::Result<T, LogError> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|error| fault(&error)),
        Err(_) => Err(LogError::Unavailable("the database does not answer".to_owned())),
    }
}

#[async_trait]
impl Writer for PostgresWriter {
    async fn begin(&mut self) -> std::result::Result<Begun, LogError> {
        let rows = patiently(self.connection.fetch_all(raw_sql(BEGIN))).await?;
        let row = rows.last().ok_or_else(|| LogError::Damaged("the database told no head".to_owned()))?;
        let (begun, only_read) = begun(row, self.tells_time).map_err(|error| fault(&error))?;
        // It has become a standby, or was told to take no writes: another server is the one by now.
        if only_read {
            return Err(LogError::Unavailable(ONLY_READ.to_owned()));
        }
        Ok(begun)
    }

    async fn load(&mut self, wanted: &Wanted) -> std::result::Result<Loaded, LogError> {
        patiently(load(&mut self.connection, wanted)).await
    }

    async fn write(&mut self, batch: &Batch) -> std::result::Result<(), LogError> {
        patiently(write(&mut self.connection, batch)).await
    }

    async fn upkeep(&mut self, upkeep: &Upkeep) -> std::result::Result<UpkeepReply, LogError> {
        patiently(apply(&mut self.connection, upkeep, self.tells_time)).await
    }

    async fn clear(&mut self, table: &'static Table) -> std::result::Result<(), LogError> {
        if table.grows {
            return Ok(());
        }
        let sql = AssertSqlSafe(format!("DELETE FROM {}", table.name));
        patiently(self.connection.execute(raw_sql(sql))).await.map(drop)
    }

    async fn put(
        &mut self,
        table: &'static Table,
        rows: &[beside::Row],
    ) -> std::result::Result<(), LogError> {
        for row in rows {
            patiently(put(&mut self.connection, table, row)).await?;
        }
        Ok(())
    }

    async fn add_reads(&mut self, batch: &ReadBatch) -> std::result::Result<(), LogError> {
        patiently(reads::add(&mut self.connection, batch)).await
    }

    async fn set_meta(&mut self, name: &str, value: &str) -> std::result::Result<(), LogError> {
        patiently(query(SET_META).bind(name).bind(value).execute(&mut self.connection)).await.map(drop)
    }

    async fn commit(&mut self) -> std::result::Result<(), LogError> {
        match tokio::time::timeout(PATIENCE, self.connection.execute(raw_sql("COMMIT"))).await {
            Ok(Ok(_)) => Ok(()),
            // Whatever went wrong, it may have been done.
            Ok(Err(error)) => Err(LogError::Unknown(error.to_string())),
            Err(_) => Err(LogError::Unknown("the database does not answer".to_owned())),
        }
    }

    async fn rollback(&mut self) {
        if let Err(error) = patiently(self.connection.execute(raw_sql("ROLLBACK"))).await {
            tracing::warn!(%error, "rollback failed; the connection will be replaced");
        }
    }
}

/// What a transaction begins on, and whether it can only read.
fn begun(row: &PgRow, tells_time: bool) -> Result<(Begun, bool)> {
    let head = read::head_if_any(row)?;
    let now = from_micros(row.try_get("now")?);
    Ok((Begun { head, now: tells_time.then_some(now) }, row.try_get("only_read")?))
}

/// All that a batch needs to know, by one statement: a round trip under the log's lock keeps every node waiting.
async fn load(connection: &mut PgConnection, wanted: &Wanted) -> Result<Loaded> {
    let (streams, versions): (Vec<Uuid>, Vec<i64>) =
        wanted.streams.iter().map(|(stream, version)| (stream.0, version.cast_signed())).unzip();
    let rows = query(LOAD)
        .bind(streams)
        .bind(versions)
        .bind(column(&wanted.keys, |stream| stream.0))
        .bind(&wanted.commands)
        .bind(column(&wanted.attachments, |file| file.0))
        .bind(i32::from(wanted.year))
        .fetch_all(connection)
        .await?;
    let mut loaded = Loaded::default();
    for row in &rows {
        match row.try_get("what")? {
            "event" => loaded.events.push(read::event(row)?),
            "key" => drop(loaded.keys.insert(StreamId(row.try_get("stream_id")?), row.try_get("sealed")?)),
            "outcome" => {
                let (request, outcome) = (row.try_get("sealed")?, row.try_get("facts")?);
                let kept =
                    read::outcome(row.try_get("command_id")?, request, outcome, row.try_get("position")?)?;
                loaded.outcomes.insert(kept.command_id, kept);
            }
            "free" => drop(loaded.free.insert(AttachmentId(row.try_get("stream_id")?))),
            _ => loaded.last_number = row.try_get::<i64, _>("position")?.unsigned_abs(),
        }
    }
    loaded.events.sort_unstable_by_key(|event| event.position);
    Ok(loaded)
}

/// Also a batch that adds nothing answers somebody, from what is found; that shall outlive this server, too.
async fn write(connection: &mut PgConnection, batch: &Batch) -> Result<()> {
    if batch.is_empty() {
        return connection.execute(raw_sql(NOTHING)).await.map(drop);
    }
    let (events, outcomes) = (&batch.events, &batch.outcomes);
    // A batch has one time, so all its numbers are of one year, in order.
    let last = batch.numbers.last().map(|(number, _)| number);
    query(WRITE)
        .bind(column(events, |event| event.position.cast_signed()))
        .bind(column(events, |event| event.stream.0))
        .bind(column(events, |event| event.version.cast_signed()))
        .bind(column(events, |event| event.type_name.as_str()))
        .bind(column(events, |event| event.schema_version.cast_signed()))
        .bind(column(events, |event| event.recorded_at))
        .bind(column(events, |event| event.actor.0))
        .bind(column(events, |event| event.employer.as_deref()))
        .bind(column(events, |event| event.command_id))
        .bind(column(events, |event| event.correlation))
        .bind(column(events, |event| event.facts.as_str()))
        .bind(column(events, |event| event.sealed.as_deref()))
        .bind(column(events, |event| event.key_id))
        .bind(column(events, |event| event.leaf_hash.as_slice()))
        .bind(column(outcomes, |kept| kept.command_id))
        .bind(column(outcomes, |kept| kept.request.as_slice()))
        .bind(column(outcomes, |kept| serde_json::to_string(&kept.outcome).unwrap_or_default()))
        .bind(column(outcomes, |kept| kept.expires_at.timestamp_micros()))
        .bind(column(&batch.numbers, |(number, _)| number.to_string()))
        .bind(column(&batch.numbers, |(_, stream)| stream.0))
        .bind(column(&batch.attachments, |(file, _)| file.0))
        .bind(column(&batch.attachments, |(_, stream)| stream.0))
        .bind(last.map(|number| i32::from(number.year())))
        .bind(last.map(|number| number.running().cast_signed()))
        .bind(column(&batch.keys, |(StreamId(stream), _)| *stream))
        .bind(column(&batch.keys, |(_, wrapped)| wrapped.as_slice()))
        .bind(CHANNEL)
        .bind(events.last().map_or_else(String::new, |event| event.position.to_string()))
        .execute(connection)
        .await
        .map(drop)
}

async fn put(connection: &mut PgConnection, table: &Table, row: &[Value]) -> Result<()> {
    let places = table.list(|place, _, kind| match kind {
        Kind::Id => format!("encode(${place}, 'hex')::uuid"),
        Kind::Bytes => format!("${place}::bytea"),
        Kind::Text => format!("${place}::text"),
        Kind::Integer => format!("${place}::bigint"),
    });
    let anew = table.list(|_, name, _| format!("{name} = excluded.{name}"));
    let (name, keys) = (table.name, table.keys());
    let sql = format!("INSERT INTO {name} VALUES ({places}) ON CONFLICT ({keys}) DO UPDATE SET {anew}");
    // Of what may not be changed only what is missing is added.
    let sql = if name == "attachment" { sql.replace(&format!("UPDATE SET {anew}"), "NOTHING") } else { sql };
    let mut put = query(AssertSqlSafe(sql));
    for (value, (_, kind)) in row.iter().zip(table.columns) {
        put = match (value, kind) {
            (Value::Bytes(bytes), _) => put.bind(bytes),
            (Value::Text(text), _) => put.bind(text),
            (Value::Integer(integer), _) => put.bind(integer),
            (Value::Null, Kind::Id | Kind::Bytes) => put.bind(None::<Vec<u8>>),
            (Value::Null, Kind::Text) => put.bind(None::<String>),
            (Value::Null, Kind::Integer) => put.bind(None::<i64>),
        };
    }
    put.execute(connection).await.map(drop)
}

/// One column of many rows.
fn column<'a, R, T>(rows: &'a [R], of: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

async fn revoke(
    connection: &mut PgConnection,
    id: &str,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let sql = "SELECT value FROM meta WHERE name = $1";
    let kept: Option<String> = query_scalar(sql).bind(REVOKED).fetch_optional(&mut *connection).await?;
    let tokens = revocation::with(kept.as_deref(), id, expires_at, now);
    let tokens = tokens.map_err(|error| sqlx::Error::Decode(error.into()))?;
    query(SET_META).bind(REVOKED).bind(tokens).execute(connection).await.map(drop)
}

async fn apply(connection: &mut PgConnection, upkeep: &Upkeep, tells_time: bool) -> Result<UpkeepReply> {
    match upkeep {
        Upkeep::Keep { which, owner, sealed, expires_at } => {
            keep(connection, *which, owner.0, sealed, expires_at.timestamp_micros()).await?;
        }
        Upkeep::Forget(which) => forget(connection, *which).await?,
        Upkeep::Doom { now } => {
            let sql = "UPDATE upload SET expires_at = 0 WHERE expires_at <= $1";
            query(sql).bind(now.timestamp_micros()).execute(connection).await?;
        }
        Upkeep::Purge { now, uploads } => purge(connection, now.timestamp_micros(), uploads).await?,
        Upkeep::TakeLease { name, holder, now, until } => {
            // A node's clock says how long, the database's from when.
            let sql = "INSERT INTO lease SELECT $1, $2, 1, now.at + $4 FROM (SELECT CASE WHEN $5 \
                       THEN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint ELSE $3 END AS at) now \
                       ON CONFLICT (name) DO UPDATE SET \
                       epoch = lease.epoch + (lease.holder <> excluded.holder)::int, holder = excluded.holder, \
                       expires_at = excluded.expires_at \
                       WHERE lease.holder = excluded.holder OR lease.expires_at <= excluded.expires_at - $4 RETURNING epoch";
            let taken = query_scalar(sql).bind(name).bind(holder).bind(now.timestamp_micros());
            let taken = taken.bind((*until - *now).num_microseconds()).bind(tells_time);
            let epoch: Option<i64> = taken.fetch_optional(connection).await?;
            return Ok(epoch.map_or(UpkeepReply::Refused, |epoch| UpkeepReply::Epoch(epoch.unsigned_abs())));
        }
        Upkeep::PlanDeliveries { reaction, epoch, position, deliveries } => {
            if !holds(connection, reaction, *epoch).await? {
                return Ok(UpkeepReply::Refused);
            }
            plan(connection, reaction, *position, deliveries).await?;
        }
        Upkeep::BeginAttempt { delivery, reaction, epoch, next_attempt_at } => {
            let sql = "UPDATE delivery SET attempts = attempts + 1, next_attempt_at = $2 \
                       WHERE delivery_id = $1 AND state = 'due' \
                       AND EXISTS (SELECT FROM lease WHERE name = $3 AND epoch = $4)";
            let begun = query(sql).bind(delivery).bind(next_attempt_at.timestamp_micros());
            let begun = begun.bind(reaction).bind(epoch.cast_signed()).execute(connection).await?;
            return Ok(one(begun.rows_affected()));
        }
        Upkeep::Postpone { delivery, next_attempt_at, reply } => {
            let sql = "UPDATE delivery SET next_attempt_at = $2, reply = $3 WHERE delivery_id = $1 AND state = 'due'";
            let until = next_attempt_at.timestamp_micros();
            query(sql).bind(delivery).bind(until).bind(reply).execute(connection).await?;
        }
        Upkeep::ReleaseDeliveries => {
            query("DELETE FROM meta WHERE name = $1").bind(HELD).execute(connection).await?;
        }
        Upkeep::RevokeToken { id, expires_at, now } => revoke(connection, id, *expires_at, *now).await?,
        Upkeep::EndDelivery { delivery, sent, reply } => {
            let sql = "UPDATE delivery SET state = $2, reply = $3 WHERE delivery_id = $1 AND state = 'due'";
            let state = if *sent { "sent" } else { "failed" };
            let ended = query(sql).bind(delivery).bind(state).bind(reply).execute(connection).await?;
            return Ok(one(ended.rows_affected()));
        }
    }
    Ok(UpkeepReply::Done)
}

const fn one(changed: u64) -> UpkeepReply {
    if changed == 1 { UpkeepReply::Done } else { UpkeepReply::Refused }
}

async fn keep(
    connection: &mut PgConnection,
    which: Kept,
    owner: Uuid,
    sealed: &[u8],
    expires: i64,
) -> Result<()> {
    let kept = match which {
        Kept::Session(id) => {
            let sql = "INSERT INTO session VALUES ($1, $2, $3) ON CONFLICT (session_id) DO UPDATE SET \
                       sealed = excluded.sealed, expires_at = excluded.expires_at";
            query(sql).bind(id.to_vec()).bind(sealed).bind(expires).execute(connection).await
        }
        Kept::Upload(id) => {
            let sql = "INSERT INTO upload VALUES ($1, $2, $3, $4) ON CONFLICT (upload_id) DO UPDATE SET \
                       owner = excluded.owner, sealed = excluded.sealed, expires_at = excluded.expires_at";
            query(sql).bind(id.0).bind(owner).bind(sealed).bind(expires).execute(connection).await
        }
        Kept::Draft(owner, form) => {
            let sql = "INSERT INTO draft VALUES ($1, $2, $3, $4) ON CONFLICT (owner, form) DO UPDATE SET \
                       sealed = excluded.sealed, expires_at = excluded.expires_at";
            query(sql).bind(owner.0).bind(form).bind(sealed).bind(expires).execute(connection).await
        }
    };
    kept.map(drop)
}

async fn forget(connection: &mut PgConnection, which: Kept) -> Result<()> {
    let forgotten = match which {
        Kept::Session(id) => query("DELETE FROM session WHERE session_id = $1").bind(id.to_vec()),
        Kept::Upload(id) => query("DELETE FROM upload WHERE upload_id = $1").bind(id.0),
        Kept::Draft(owner, form) => {
            query("DELETE FROM draft WHERE owner = $1 AND form = $2").bind(owner.0).bind(form)
        }
    };
    forgotten.execute(connection).await.map(drop)
}

async fn purge(connection: &mut PgConnection, now: i64, uploads: &[AttachmentId]) -> Result<()> {
    for sql in [
        "DELETE FROM session WHERE expires_at <= $1",
        "DELETE FROM draft WHERE expires_at <= $1",
        "DELETE FROM command_outcome WHERE expires_at <= $1",
    ] {
        query(sql).bind(now).execute(&mut *connection).await?;
    }
    let uploads: Vec<Uuid> = uploads.iter().map(|upload| upload.0).collect();
    query("DELETE FROM upload WHERE upload_id = ANY ($1)").bind(uploads).execute(connection).await.map(drop)
}

async fn holds(connection: &mut PgConnection, lease: &str, epoch: u64) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT FROM lease WHERE name = $1 AND epoch = $2)";
    query_scalar(sql).bind(lease).bind(epoch.cast_signed()).fetch_one(connection).await
}

async fn plan(
    connection: &mut PgConnection,
    reaction: &str,
    position: u64,
    deliveries: &[Delivery],
) -> Result<()> {
    let sql = "INSERT INTO delivery (delivery_id, reaction, cause, recipient, template, case_id, position, state, \
               next_attempt_at) SELECT id, $1, cause, recipient, template, case_id, position, 'due', next \
               FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::bigint[]) \
               AS due (id, cause, recipient, template, case_id, position, next) \
               ON CONFLICT (cause, recipient, template) DO NOTHING";
    query(sql)
        .bind(reaction)
        .bind(column(deliveries, |delivery| delivery.id))
        .bind(column(deliveries, |delivery| delivery.cause.as_str()))
        .bind(column(deliveries, |delivery| delivery.recipient.0))
        .bind(column(deliveries, |delivery| delivery.template.code()))
        .bind(column(deliveries, |delivery| delivery.case.0))
        .bind(column(deliveries, |delivery| delivery.position.cast_signed()))
        .bind(column(deliveries, |delivery| delivery.next_attempt_at.timestamp_micros()))
        .execute(&mut *connection)
        .await?;
    let sql = "INSERT INTO reaction VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET position = excluded.position \
               WHERE reaction.position < excluded.position";
    query(sql).bind(reaction).bind(position.cast_signed()).execute(connection).await.map(drop)
}
