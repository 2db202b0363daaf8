//! Reading the log in PostgreSQL.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::vocabulary::Template;
use domain::{AttachmentId, CaseId, CaseNumber, PersonId, StreamId};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Decode, Postgres, Row, Type, query};
use tokio::time::Instant;
use uuid::Uuid;

use crate::clock::from_micros;
use crate::log::beside::{self, Kind, Table, Value};
use crate::log::postgres::{ANEW, PostgresLog, PostgresWriter, fault};
use crate::log::{Delivery, DeliveryCounts, Head, Heard, Kept, Log, LogError, Search, Writer};
use crate::outcome::KeptOutcome;
use crate::read_log::ReadStore;
use crate::recorded::LeafHash;
use crate::stored::StoredEvent;

/// How long an answer may take for which somebody may wait: a database that says nothing, as behind a network that lets
/// nothing through, must not hold them.
const ANSWER: Duration = Duration::from_secs(10);
/// How long one may take for which much is read.
const SCAN: Duration = Duration::from_secs(600);

type Result<T> = std::result::Result<T, LogError>;

#[async_trait]
impl Log for PostgresLog {
    async fn writer(&self) -> Result<Box<dyn Writer>> {
        let writer = PostgresWriter::new(self.connection().await?, self.tells_time).await;
        Ok(Box::new(writer.map_err(|error| fault(&error))?))
    }

    fn reads(&self) -> &dyn ReadStore {
        self
    }

    async fn head(&self) -> Result<Head> {
        let sql = "SELECT position, recorded_at, leaf_hash FROM event ORDER BY position DESC LIMIT 1";
        let row = self.ask(query(sql)).await?.pop();
        row.map_or(Ok(Head::default()), |row| head(&row)).map_err(|error| fault(&error))
    }

    async fn events_after(&self, position: u64, limit: usize) -> Result<Vec<StoredEvent>> {
        let sql = "SELECT * FROM event WHERE position > $1 ORDER BY position LIMIT $2";
        self.events(query(sql).bind(position.cast_signed()).bind(most(limit))).await
    }

    async fn events_before(&self, search: &Search) -> Result<Vec<StoredEvent>> {
        let sql = "SELECT * FROM event WHERE position < $1 AND position > $2 AND ($3::text IS NULL OR type = $3) \
                   ORDER BY position DESC LIMIT $4";
        let before = i64::try_from(search.before).unwrap_or(i64::MAX);
        let found = query(sql).bind(before).bind(search.after.cast_signed());
        self.events(found.bind(&search.type_name).bind(most(search.limit))).await
    }

    async fn stream(&self, stream: StreamId) -> Result<Vec<StoredEvent>> {
        self.events(query("SELECT * FROM event WHERE stream_id = $1 ORDER BY version").bind(stream.0)).await
    }

    /// Binary search: times never go backwards along the positions.
    async fn position_at(&self, at: DateTime<Utc>) -> Result<u64> {
        let (mut low, mut high) = (0, self.head().await?.position);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let time = query("SELECT recorded_at FROM event WHERE position = $1").bind(middle.cast_signed());
            let time: i64 = self.one(time, ANSWER).await?;
            if time <= at.timestamp_micros() { low = middle } else { high = middle - 1 }
        }
        Ok(low)
    }

    async fn keys(&self, streams: &[StreamId]) -> Result<HashMap<StreamId, Vec<u8>>> {
        keys_of(&self.ask(find_keys(streams)).await?).map_err(|error| fault(&error))
    }

    async fn case_by_number(&self, number: CaseNumber) -> Result<Option<StreamId>> {
        let sql = "SELECT stream_id FROM case_number WHERE number = $1";
        let streams = self.each(query(sql).bind(number.to_string()), ANSWER).await?;
        Ok(streams.into_iter().next().map(StreamId))
    }

    async fn kept(&self, which: Kept) -> Result<Option<(Vec<u8>, DateTime<Utc>)>> {
        let kept = match which {
            Kept::Session(id) => {
                query("SELECT sealed, expires_at FROM session WHERE session_id = $1").bind(id.to_vec())
            }
            Kept::Upload(id) => {
                query("SELECT sealed, expires_at FROM upload WHERE upload_id = $1").bind(id.0)
            }
            Kept::Draft(owner, form) => {
                query("SELECT sealed, expires_at FROM draft WHERE owner = $1 AND form = $2")
                    .bind(owner.0)
                    .bind(form)
            }
        };
        let row = self.ask(kept).await?.pop();
        let read = |row: PgRow| Ok((row.try_get(0)?, from_micros(row.try_get(1)?)));
        row.map(read).transpose().map_err(|error| fault(&error))
    }

    async fn drafts(&self, owner: PersonId, now: DateTime<Utc>) -> Result<Vec<(Uuid, Vec<u8>)>> {
        let sql =
            "SELECT form, sealed FROM draft WHERE owner = $1 AND expires_at > $2 ORDER BY expires_at DESC";
        let rows = self.ask(query(sql).bind(owner.0).bind(now.timestamp_micros())).await?;
        let read = |row: &PgRow| Ok((row.try_get(0)?, row.try_get(1)?));
        rows.iter()
            .map(read)
            .collect::<std::result::Result<_, _>>()
            .map_err(|error: sqlx::Error| fault(&error))
    }

    async fn outcome(&self, command: Uuid) -> Result<Option<KeptOutcome>> {
        let sql =
            "SELECT command_id, request, outcome, expires_at FROM command_outcome WHERE command_id = $1";
        let row = self.ask(query(sql).bind(command)).await?.pop();
        let read = |row: PgRow| outcome(command, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        row.map(read).transpose().map_err(|error| fault(&error))
    }

    async fn is_attached(&self, attachment: AttachmentId) -> Result<bool> {
        let sql = "SELECT EXISTS (SELECT FROM attachment WHERE attachment_id = $1)";
        self.one(query(sql).bind(attachment.0), ANSWER).await
    }

    async fn attached(&self) -> Result<Vec<AttachmentId>> {
        let sql = "SELECT attachment_id FROM attachment ORDER BY attachment_id";
        Ok(self.each(query(sql), SCAN).await?.into_iter().map(AttachmentId).collect())
    }

    /// PostgreSQL proves its pages when it reads them, where the cluster was made with checksums.
    async fn engine_faults(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn expired_uploads(&self, now: DateTime<Utc>) -> Result<Vec<AttachmentId>> {
        let expired =
            query("SELECT upload_id FROM upload WHERE expires_at <= $1").bind(now.timestamp_micros());
        Ok(self.each(expired, SCAN).await?.into_iter().map(AttachmentId).collect())
    }

    async fn reaction_position(&self, name: &str) -> Result<Option<u64>> {
        let position = query("SELECT position FROM reaction WHERE name = $1").bind(name);
        Ok(self.each(position, ANSWER).await?.into_iter().next().map(i64::unsigned_abs))
    }

    async fn deliveries_due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Delivery>> {
        let sql = "SELECT delivery_id, cause, recipient, template, case_id, position, attempts, next_attempt_at, \
                   reply FROM delivery WHERE state = 'due' AND next_attempt_at <= $1 \
                   ORDER BY next_attempt_at, position LIMIT $2";
        let rows = self.ask(query(sql).bind(now.timestamp_micros()).bind(most(limit))).await?;
        rows.iter().map(delivery).collect::<std::result::Result<_, _>>().map_err(|error| fault(&error))
    }

    async fn delivery_counts(&self) -> Result<DeliveryCounts> {
        let sql = "SELECT count(*) FILTER (WHERE state = 'due'), \
                   count(*) FILTER (WHERE state = 'due' AND attempts > 0), \
                   count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'failed'), \
                   (SELECT reply FROM delivery WHERE (state = 'failed' OR (state = 'due' AND attempts > 0)) \
                    AND reply IS NOT NULL ORDER BY next_attempt_at DESC LIMIT 1), \
                   (SELECT recorded_at FROM event WHERE position = min(delivery.position) FILTER (WHERE state = 'due')) \
                   FROM delivery";
        let row = self.row(query(sql), SCAN).await?;
        let count = |place: usize| row.try_get::<i64, _>(place).map(i64::unsigned_abs);
        let counts = || {
            Ok(DeliveryCounts {
                due: count(0)?,
                retrying: count(1)?,
                sent: count(2)?,
                failed: count(3)?,
                last_trouble: row.try_get(4)?,
                oldest_due: row.try_get::<Option<i64>, _>(5)?.map(from_micros),
            })
        };
        counts().map_err(|error: sqlx::Error| fault(&error))
    }

    async fn missing_key(&self) -> Result<Option<StreamId>> {
        let stream: Option<Uuid> = self.one(query("SELECT kundwebb_keys.missing()"), SCAN).await?;
        Ok(stream.map(StreamId))
    }

    async fn rows(&self, table: &'static Table, offset: u64, limit: u32) -> Result<Vec<beside::Row>> {
        let columns = table.list(|_, name, kind| match kind {
            Kind::Id => format!("uuid_send({name})"),
            Kind::Integer => format!("{name}::bigint"),
            Kind::Bytes | Kind::Text => name.to_owned(),
        });
        // Text as SQLite orders it: by its bytes.
        let keys =
            table.list(
                |_, name, kind| {
                    if kind == Kind::Text { format!("{name} COLLATE \"C\"") } else { name.to_owned() }
                },
            );
        let keys = keys.split(", ").take(table.key).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT {columns} FROM {} ORDER BY {keys} LIMIT $1 OFFSET $2", table.name);
        let rows = query(AssertSqlSafe(sql)).bind(i64::from(limit)).bind(offset.cast_signed());
        let rows = self.answer(rows, SCAN).await?;
        let value = |row: &PgRow, place: usize, kind| {
            Ok(match kind {
                Kind::Id | Kind::Bytes => {
                    row.try_get::<Option<_>, _>(place)?.map_or(Value::Null, Value::Bytes)
                }
                Kind::Text => row.try_get::<Option<_>, _>(place)?.map_or(Value::Null, Value::Text),
                Kind::Integer => row.try_get::<Option<_>, _>(place)?.map_or(Value::Null, Value::Integer),
            })
        };
        let row = |row: &PgRow| {
            let kinds = table.columns.iter().enumerate();
            kinds
                .map(|(place, (_, kind))| value(row, place, *kind))
                .collect::<std::result::Result<beside::Row, _>>()
        };
        rows.iter()
            .map(row)
            .collect::<std::result::Result<_, _>>()
            .map_err(|error: sqlx::Error| fault(&error))
    }

    async fn meta(&self, name: &str) -> Result<Option<String>> {
        let value = query("SELECT value FROM meta WHERE name = $1").bind(name);
        Ok(self.each(value, ANSWER).await?.pop())
    }

    async fn now(&self) -> Result<Option<DateTime<Utc>>> {
        if !self.tells_time {
            return Ok(None);
        }
        let now = query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint");
        Ok(Some(from_micros(self.one(now, ANSWER).await?)))
    }

    async fn listen(&self, heard: Heard) {
        loop {
            if let Err(error) = self.hear(&heard).await {
                tracing::warn!(%error, "what other nodes add is not heard at once");
            }
            tokio::time::sleep(ANEW).await;
        }
    }
}

/// What a column can be read as.
trait Column: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send {}
impl<T: for<'r> Decode<'r, Postgres> + Type<Postgres> + Send> Column for T {}

pub(super) type Query<'q> = sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments>;

impl PostgresLog {
    /// The rows of an answer, within reason. A connection over which none came is thrown away: what stands on it would be
    /// answered to somebody else, or never.
    async fn answer(&self, query: Query<'_>, patience: Duration) -> Result<Vec<PgRow>> {
        let mut reader = self.reader().await?;
        let asked = Instant::now();
        let Ok(answer) = tokio::time::timeout(patience, query.fetch_all(&mut *reader)).await else {
            drop(reader.detach());
            return Err(LogError::Unavailable("the database does not answer".to_owned()));
        };
        let rows = answer.map_err(|error| fault(&error))?;
        self.hosts.learn(asked, Ok(()));
        Ok(rows)
    }

    pub(super) async fn ask(&self, query: Query<'_>) -> Result<Vec<PgRow>> {
        self.answer(query, ANSWER).await
    }

    async fn row(&self, query: Query<'_>, patience: Duration) -> Result<PgRow> {
        let row = self.answer(query, patience).await?.pop();
        row.ok_or_else(|| LogError::Damaged("the database answers nothing".to_owned()))
    }

    /// The first column of the one row.
    async fn one<T: Column>(&self, query: Query<'_>, patience: Duration) -> Result<T> {
        self.row(query, patience).await?.try_get(0).map_err(|error| fault(&error))
    }

    /// The first column of each row.
    async fn each<T: Column>(&self, query: Query<'_>, patience: Duration) -> Result<Vec<T>> {
        let rows = self.answer(query, patience).await?;
        rows.iter()
            .map(|row| row.try_get(0))
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| fault(&error))
    }

    async fn events(&self, query: Query<'_>) -> Result<Vec<StoredEvent>> {
        let rows = self.ask(query).await?;
        rows.iter().map(event).collect::<std::result::Result<_, _>>().map_err(|error| fault(&error))
    }
}

pub(super) fn most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn head(row: &PgRow) -> std::result::Result<Head, sqlx::Error> {
    let position: i64 = row.try_get("position")?;
    Ok(Head {
        position: position.unsigned_abs(),
        recorded_at: row.try_get("recorded_at")?,
        leaf_hash: hash(row, "leaf_hash")?,
    })
}

/// The head, where there is one.
pub(super) fn head_if_any(row: &PgRow) -> std::result::Result<Head, sqlx::Error> {
    if row.try_get::<Option<i64>, _>("position")?.is_some() { head(row) } else { Ok(Head::default()) }
}

pub(super) fn hash(row: &PgRow, column: &str) -> std::result::Result<LeafHash, sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(column)?;
    LeafHash::try_from(bytes.as_slice()).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn find_keys(streams: &[StreamId]) -> Query<'static> {
    let ids: Vec<Uuid> = streams.iter().map(|stream| stream.0).collect();
    query("SELECT key_id, wrapped FROM kundwebb_keys.find($1)").bind(ids)
}

fn keys_of(rows: &[PgRow]) -> std::result::Result<HashMap<StreamId, Vec<u8>>, sqlx::Error> {
    rows.iter().map(|row| Ok((StreamId(row.try_get(0)?), row.try_get(1)?))).collect()
}

/// An outcome from the columns of its row.
pub(super) fn outcome(
    command_id: Uuid,
    request: &[u8],
    outcome: &str,
    expires_at: i64,
) -> std::result::Result<KeptOutcome, sqlx::Error> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| sqlx::Error::Decode(error);
    Ok(KeptOutcome {
        command_id,
        request: request.try_into().map_err(|error: std::array::TryFromSliceError| broken(error.into()))?,
        outcome: serde_json::from_str(outcome).map_err(|error| broken(error.into()))?,
        expires_at: from_micros(expires_at),
    })
}

/// An event from its row.
pub(super) fn event(row: &PgRow) -> std::result::Result<StoredEvent, sqlx::Error> {
    Ok(StoredEvent {
        position: row.try_get::<i64, _>(0)?.unsigned_abs(),
        stream: StreamId(row.try_get(1)?),
        version: row.try_get::<i64, _>(2)?.unsigned_abs(),
        type_name: row.try_get(3)?,
        schema_version: row.try_get::<i16, _>(4)?.unsigned_abs(),
        recorded_at: row.try_get(5)?,
        actor: PersonId(row.try_get(6)?),
        employer: row.try_get(7)?,
        command_id: row.try_get(8)?,
        correlation: row.try_get(9)?,
        facts: row.try_get(10)?,
        sealed: row.try_get(11)?,
        key_id: row.try_get(12)?,
        leaf_hash: hash(row, "leaf_hash")?,
    })
}

fn delivery(row: &PgRow) -> std::result::Result<Delivery, sqlx::Error> {
    let template: String = row.try_get(3)?;
    Ok(Delivery {
        id: row.try_get(0)?,
        cause: row.try_get(1)?,
        recipient: PersonId(row.try_get(2)?),
        template: Template::parse(&template).unwrap_or(Template::NewMessage),
        case: CaseId(row.try_get(4)?),
        position: row.try_get::<i64, _>(5)?.unsigned_abs(),
        attempts: row.try_get::<i32, _>(6)?.unsigned_abs(),
        next_attempt_at: from_micros(row.try_get(7)?),
        reply: row.try_get(8)?,
    })
}
