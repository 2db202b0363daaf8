//! The committer in process, and the ceiling that it is held against: a bare loop that inserts the very same rows into
//! the same tables, in the same batches, with one sync a batch.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::files::FileLimits;
use infrastructure::committer::Settings;
use infrastructure::log::sqlite::SqliteLog;
use infrastructure::{CaseRequest, Clock, Committer, Keys, Log};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tokio::time::Instant;

use crate::cases;
use crate::times::{Times, a_second};

/// What both did, at one number of commands in flight.
pub(crate) struct Pair {
    /// How many commands were in flight.
    pub(crate) in_flight: usize,
    /// Commands a second, by the committer.
    pub(crate) committer: f64,
    /// Commands a second, by the bare loop.
    pub(crate) ceiling: f64,
    /// Commands in a batch, on average.
    pub(crate) batch: usize,
    /// Time from asking to answer of the committer.
    pub(crate) times: Times,
}

/// Creates `count` cases with `in_flight` commands on their way, then inserts the same rows in a bare loop.
pub(crate) async fn pair(folder: &Path, in_flight: usize, count: usize) -> anyhow::Result<Pair> {
    let (own, bare) = (folder.join("committer"), folder.join("ceiling"));
    let committed = commit(Arc::new(SqliteLog::open(&own)?), &own, in_flight, count).await?;
    let (from, to, ends) = (own.join("log.db"), bare.clone(), committed.ends.clone());
    let bare_took = tokio::task::spawn_blocking(move || insert(&from, &to, &ends)).await??;
    std::fs::remove_dir_all(&own)?;
    std::fs::remove_dir_all(&bare)?;
    Ok(committed.beside(in_flight, count, bare_took))
}

/// What the committer did.
pub(crate) struct Committed {
    took: Duration,
    times: Times,
    /// The last position of each batch.
    pub(crate) ends: Vec<u64>,
}

impl Committed {
    /// Beside what the bare loop took for the same.
    pub(crate) fn beside(self, in_flight: usize, count: usize, bare: Duration) -> Pair {
        let (committer, ceiling) = (a_second(count, self.took), a_second(count, bare));
        let batch = count.div_ceil(self.ends.len().max(1));
        Pair { in_flight, committer, ceiling, batch, times: self.times }
    }
}

/// Creates `count` cases in an empty log with `in_flight` commands on their way; the keys lie in the folder.
pub(crate) async fn commit(
    log: Arc<dyn Log>,
    folder: &Path,
    in_flight: usize,
    count: usize,
) -> anyhow::Result<Committed> {
    let keys = Arc::new(Keys::open(folder, true)?);
    let batches: Arc<Mutex<Vec<u64>>> = Arc::default();
    let ends = Arc::clone(&batches);
    let settings = Settings {
        clock: Clock::System,
        keys: Arc::clone(&keys),
        limits: FileLimits::default(),
        publish: Box::new(move |batch| {
            ends.lock().expect("no one panics").extend(batch.last().map(|event| event.position));
        }),
    };
    let (committer, thread) = Committer::start(log, settings)?;
    let requests: Vec<CaseRequest> = (0..count as u64).map(|number| cases::create(&keys, number)).collect();
    let requests = Arc::new(Mutex::new(requests.into_iter()));
    let began = Instant::now();
    let all = Arc::new(Mutex::new(Times::default()));
    let failed = Arc::new(AtomicU64::new(0));
    let tasks = (0..in_flight).map(|_| {
        let (committer, requests, all, failed) =
            (committer.clone(), Arc::clone(&requests), Arc::clone(&all), Arc::clone(&failed));
        tokio::spawn(async move {
            let mut times = Times::default();
            loop {
                let Some(request) = requests.lock().expect("no one panics").next() else { break };
                let asked = Instant::now();
                if committer.run(request).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                times.add(asked.elapsed());
            }
            all.lock().expect("no one panics").merge(times);
        })
    });
    futures::future::try_join_all(tasks.collect::<Vec<_>>()).await?;
    let took = began.elapsed();
    drop(committer);
    tokio::task::spawn_blocking(move || thread.join())
        .await?
        .map_err(|_| anyhow::anyhow!("the committer panicked"))?;
    anyhow::ensure!(failed.load(Ordering::Relaxed) == 0, "commands were refused");
    let times = std::mem::take(&mut *all.lock().expect("no one panics"));
    let ends = std::mem::take(&mut *batches.lock().expect("no one panics"));
    Ok(Committed { took, times, ends })
}

/// A row of a table.
type Row = Vec<Value>;

/// The rows of a log, by batch and table.
struct Prepared {
    batches: Vec<[Vec<Row>; 4]>,
    /// How many columns each table has.
    widths: [usize; 4],
}

/// The tables that commands add to.
const TABLES: [&str; 4] = ["event", "case_key", "case_number", "command_outcome"];

/// Inserts the rows of a log into an empty one, batch by batch, each with one sync.
fn insert(from: &Path, folder: &Path, ends: &[u64]) -> anyhow::Result<Duration> {
    let prepared = prepare(from, ends)?;
    drop(SqliteLog::open(folder)?);
    let target = Connection::open(folder.join("log.db"))?;
    target.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;")?;
    let prepare = |(table, width): (&str, usize)| {
        target.prepare(&format!("INSERT INTO {table} VALUES ({})", vec!["?"; width].join(", ")))
    };
    let statements = TABLES.into_iter().zip(prepared.widths).map(prepare);
    let mut statements = statements.collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    for batch in &prepared.batches {
        target.execute_batch("BEGIN IMMEDIATE")?;
        for (statement, rows) in statements.iter_mut().zip(batch) {
            for row in rows {
                statement.execute(params_from_iter(row))?;
            }
        }
        target.execute_batch("COMMIT")?;
    }
    Ok(began.elapsed())
}

/// Reads the rows that each batch has added: keys, numbers and outcomes beside the events that they belong to.
fn prepare(from: &Path, ends: &[u64]) -> anyhow::Result<Prepared> {
    let source = Connection::open(from)?;
    let (events, event) = rows(&source, "event", "position")?;
    let (keys, key) = rows(&source, "case_key", "key_id")?;
    let (numbers, number) = rows(&source, "case_number", "stream_id")?;
    let (outcomes, outcome) = rows(&source, "command_outcome", "command_id")?;
    let mut beside = [(keys, 1), (numbers, 1), (outcomes, 8)].map(|(rows, column)| (by_first(rows), column));
    let mut events = events.into_iter().peekable();
    let mut batches = Vec::with_capacity(ends.len());
    for end in ends {
        let end = i64::try_from(*end)?;
        let mut batch: [Vec<Row>; 4] = Default::default();
        while let Some(row) =
            events.next_if(|row| matches!(row[1], Value::Integer(position) if position <= end))
        {
            let row = &row[1..];
            for ((rows, column), added) in beside.iter_mut().zip(&mut batch[1..]) {
                let Value::Blob(id) = &row[*column] else { continue };
                added.extend(rows.remove(id));
            }
            batch[0].push(row.to_vec());
        }
        batches.push(batch);
    }
    Ok(Prepared { batches, widths: [event, key, number, outcome] })
}

/// All rows of a table, each with the value that it is found by before its columns; and how many columns it has.
fn rows(source: &Connection, table: &str, found_by: &str) -> Result<(Vec<Row>, usize), rusqlite::Error> {
    let mut statement = source.prepare(&format!("SELECT {found_by}, * FROM {table} ORDER BY 1"))?;
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
    Ok((statement.query_map([], read)?.collect::<Result<_, _>>()?, columns - 1))
}

fn by_first(rows: Vec<Row>) -> HashMap<Vec<u8>, Row> {
    let first = |mut row: Row| match row.remove(0) {
        Value::Blob(id) => Some((id, row)),
        _ => None,
    };
    rows.into_iter().filter_map(first).collect()
}
