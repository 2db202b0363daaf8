//! The committer on PostgreSQL, and the ceiling that it is held against: the very same rows inserted into the same tables,
//! in the same batches, by one prepared statement a batch on one connection. That statement is a transaction of its own:
//! one message there, one commit, one answer.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use cluster::Cluster;
use infrastructure::log::postgres::PostgresLog;
use sqlx::postgres::{PgArguments, PgConnection, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Connection, Row, query, query_scalar};
use tokio::time::Instant;
use uuid::Uuid;

use crate::committing::{Pair, commit};

/// A table that commands add to: its name, which of its rows a batch has added (`$1` and `$2` are the positions before and
/// of its last event), and its columns with their types.
type Table = (&'static str, &'static str, &'static [(&'static str, Kind)]);

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Small,
    Big,
    Text,
    Id,
    Bytes,
}
use Kind::{Big, Bytes, Id, Small, Text};

const TABLES: [Table; 4] = [
    (
        "kundwebb.event",
        "position > $1 AND position <= $2",
        &[
            ("position", Big),
            ("stream_id", Id),
            ("version", Big),
            ("type", Text),
            ("schema_version", Small),
            ("recorded_at", Big),
            ("actor", Id),
            ("employer", Text),
            ("command_id", Id),
            ("correlation", Id),
            ("facts", Text),
            ("sealed", Bytes),
            ("key_id", Id),
            ("leaf_hash", Bytes),
        ],
    ),
    (
        "kundwebb_keys.case_key",
        "key_id IN (SELECT key_id FROM kundwebb.event WHERE position > $1 AND position <= $2 AND version = 1)",
        &[("key_id", Id), ("wrapped", Bytes)],
    ),
    (
        "kundwebb.case_number",
        "stream_id IN (SELECT stream_id FROM kundwebb.event WHERE position > $1 AND position <= $2 AND version = 1)",
        &[("number", Text), ("stream_id", Id)],
    ),
    (
        "kundwebb.command_outcome",
        "command_id IN (SELECT command_id FROM kundwebb.event WHERE position > $1 AND position <= $2)",
        &[("command_id", Id), ("request", Bytes), ("outcome", Text), ("expires_at", Big)],
    ),
];

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Small => "smallint",
            Big => "bigint",
            Text => "text",
            Id => "uuid",
            Bytes => "bytea",
        }
    }
}

/// One column of the rows that a batch adds.
enum Column {
    Small(Vec<Option<i16>>),
    Big(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Id(Vec<Option<Uuid>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn read(row: &PgRow, place: usize, kind: Kind) -> Result<Self, sqlx::Error> {
        Ok(match kind {
            Small => Self::Small(row.try_get(place)?),
            Big => Self::Big(row.try_get(place)?),
            Text => Self::Text(row.try_get(place)?),
            Id => Self::Id(row.try_get(place)?),
            Bytes => Self::Bytes(row.try_get(place)?),
        })
    }

    fn bind<'q>(&'q self, to: Query<'q, Postgres, PgArguments>) -> Query<'q, Postgres, PgArguments> {
        match self {
            Self::Small(values) => to.bind(values),
            Self::Big(values) => to.bind(values),
            Self::Text(values) => to.bind(values),
            Self::Id(values) => to.bind(values),
            Self::Bytes(values) => to.bind(values),
        }
    }
}

/// Creates `count` cases with `in_flight` commands on their way, then inserts the same rows in a bare loop into another
/// database of the same cluster.
pub(crate) async fn pair(
    cluster: &Cluster,
    folder: &Path,
    in_flight: usize,
    count: usize,
) -> anyhow::Result<Pair> {
    let (own, bare) = (cluster.database()?, cluster.database()?);
    std::fs::create_dir_all(folder)?;
    let keys = tempfile::tempdir_in(folder)?;
    let log = Arc::new(PostgresLog::open(&own, true).await?);
    cluster.sql("postgres", "CHECKPOINT")?;
    let committed = commit(log, keys.path(), in_flight, count).await?;
    let mut source = PgConnection::connect(&own).await?;
    let batches = prepare(&mut source, &committed.ends).await?;
    drop(PostgresLog::open(&bare, true).await?);
    cluster.sql("postgres", "CHECKPOINT")?;
    let (target, inserted) = (bare.clone(), batches);
    // On a thread of its own, as the committer is.
    let took = tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(insert(&target, &inserted))
    });
    let took = took.await??;
    let mut target = PgConnection::connect(&bare).await?;
    for (table, ..) in TABLES {
        let count = format!("SELECT count(*) FROM {table}");
        let one: i64 = query_scalar(AssertSqlSafe(count.clone())).fetch_one(&mut source).await?;
        let other: i64 = query_scalar(AssertSqlSafe(count)).fetch_one(&mut target).await?;
        ensure!(one == other, "{table} has {one} rows by the committer, {other} by the bare loop");
    }
    Ok(committed.beside(in_flight, count, took))
}

/// Reads what each batch has added, column by column.
async fn prepare(source: &mut PgConnection, ends: &[u64]) -> anyhow::Result<Vec<Vec<Column>>> {
    query("ANALYZE").execute(&mut *source).await?;
    let (mut batches, mut before) = (Vec::with_capacity(ends.len()), 0_i64);
    for end in ends {
        let (end, mut batch) = (i64::try_from(*end)?, Vec::new());
        for (table, added, columns) in TABLES {
            let first = columns[0].0;
            let all = columns.iter().map(|(name, kind)| {
                format!("coalesce(array_agg({name} ORDER BY {first}), ARRAY[]::{}[])", kind.name())
            });
            let all = all.collect::<Vec<_>>().join(", ");
            let sql = format!("SELECT {all} FROM {table} WHERE {added}");
            let row = query(AssertSqlSafe(sql)).bind(before).bind(end).fetch_one(&mut *source).await?;
            for (place, (_, kind)) in columns.iter().enumerate() {
                batch.push(Column::read(&row, place, *kind)?);
            }
        }
        batches.push(batch);
        before = end;
    }
    Ok(batches)
}

/// The statement that adds a batch.
fn statement() -> String {
    let mut place = 0;
    let inserts = TABLES.map(|(table, _, columns)| {
        let all = columns.iter().map(|(_, kind)| {
            place += 1;
            format!("${place}::{}[]", kind.name())
        });
        let all = all.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {table} SELECT * FROM unnest({all})")
    });
    let [event, key, number, outcome] = inserts;
    format!("WITH key AS ({key}), number AS ({number}), outcome AS ({outcome}) {event}")
}

/// Inserts the batches, each with one commit.
async fn insert(url: &str, batches: &[Vec<Column>]) -> anyhow::Result<Duration> {
    let mut target = PgConnection::connect(url).await?;
    let statement: Arc<str> = statement().into();
    let began = Instant::now();
    for batch in batches {
        let insert = query(AssertSqlSafe(Arc::clone(&statement)));
        let insert = batch.iter().fold(insert, |insert, column| column.bind(insert));
        insert.execute(&mut target).await?;
    }
    Ok(began.elapsed())
}
