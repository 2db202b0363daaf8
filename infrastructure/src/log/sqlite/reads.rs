//! The read log in a SQLite file of its own beside the log, so that it is synced without the log's lock.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};

use crate::log::LogError;
use crate::log::sqlite::{fault, reading, unavailable, writing};
use crate::read_log::{ReadBatch, ReadHead, ReadStore, ReadWriter, ReadsBegun, StoredRead, Token};
use crate::recorded::LeafHash;

/// The name of the file in the data folder.
pub const FILE: &str = "reads.db";
const MIGRATIONS: &[&str] = &[include_str!("../../../migrations/reads/0001_reads.sql")];
const COLUMNS: &str = "position, recorded_at, month, sealed, leaf_hash";

type Result<T> = std::result::Result<T, LogError>;

/// The read log of a folder.
#[derive(Clone)]
pub(super) struct Reads {
    path: PathBuf,
    /// Whether a commit has failed, or a process may have been killed, and the file has not been settled since.
    doubt: Arc<AtomicBool>,
}

impl Reads {
    pub(super) fn new(folder: &Path, doubt: bool) -> Self {
        Self { path: folder.join(FILE), doubt: Arc::new(AtomicBool::new(doubt)) }
    }

    /// Runs a query off the asynchronous threads; of a file that is not there yet nothing is read.
    async fn read<T: Default + Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> std::result::Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T> {
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            if !path.exists() {
                return Ok(T::default());
            }
            query(&reading(&path)?).map_err(|error| fault(&error))
        });
        task.await.map_err(|error| unavailable(&error))?
    }

    fn writer(&self) -> Result<SqliteReadWriter> {
        // While one makes a new file a file with a WAL, the engine turns away another without waiting.
        static OPENING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        let mut connection = writing(&self.path)?;
        if self.doubt.load(Ordering::Acquire) {
            checkpoint(&connection)?;
            self.doubt.store(false, Ordering::Release);
        }
        migrate(&mut connection).map_err(|error| fault(&error))?;
        Ok(SqliteReadWriter { connection, doubt: Arc::clone(&self.doubt), destroyed: false })
    }
}

/// A connection to the read log beside the log that a connection writes.
pub(super) fn beside(log: &Connection) -> Result<SqliteReadWriter> {
    let log = log.path().map(PathBuf::from).unwrap_or_default();
    Reads::new(log.parent().unwrap_or(Path::new(".")), false).writer()
}

/// Moves all that is visible from the WAL into the file, durably, and empties the WAL.
fn checkpoint(connection: &Connection) -> Result<()> {
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(|error| fault(&error))?;
    if busy == 0 {
        Ok(())
    } else {
        Err(LogError::Unavailable("readers keep the read log from being settled".to_owned()))
    }
}

fn migrate(connection: &mut Connection) -> std::result::Result<(), rusqlite::Error> {
    connection.execute_batch("PRAGMA wal_autocheckpoint=1000;")?;
    // Another process may come to a new file at once.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let applied: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(migration)?;
    }
    if applied < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    }
    transaction.commit()
}

fn stored(row: &Row<'_>) -> std::result::Result<StoredRead, rusqlite::Error> {
    Ok(StoredRead {
        position: row.get(0)?,
        recorded_at: row.get(1)?,
        month: row.get(2)?,
        sealed: row.get(3)?,
        leaf_hash: row.get::<_, LeafHash>(4)?,
    })
}

fn head(connection: &Connection) -> std::result::Result<ReadHead, rusqlite::Error> {
    let sql = "SELECT position, recorded_at, month FROM read_log ORDER BY position DESC LIMIT 1";
    let head = connection.prepare_cached(sql)?.query_row([], |row| {
        Ok(ReadHead { position: row.get(0)?, recorded_at: row.get(1)?, month: row.get(2)? })
    });
    Ok(head.optional()?.unwrap_or_default())
}

#[async_trait]
impl ReadStore for Reads {
    async fn read_writer(&self) -> Result<Box<dyn ReadWriter>> {
        Ok(Box::new(self.writer()?))
    }

    async fn reads_head(&self) -> Result<ReadHead> {
        self.read(head).await
    }

    async fn reads_after(&self, position: u64, limit: usize) -> Result<Vec<StoredRead>> {
        self.read(move |connection| {
            let sql =
                format!("SELECT {COLUMNS} FROM read_log WHERE position > ?1 ORDER BY position LIMIT ?2");
            connection.prepare_cached(&sql)?.query_map(params![position, limit], stored)?.collect()
        })
        .await
    }

    async fn reads_before(
        &self,
        before: u64,
        tokens: Option<&[Token]>,
        limit: usize,
    ) -> Result<Vec<StoredRead>> {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let narrowed = match tokens {
            Some(tokens) => {
                let list: Vec<String> =
                    tokens.iter().map(|token| format!("x'{}'", hex::encode(token))).collect();
                let list = list.join(", ");
                format!("AND position IN (SELECT position FROM read_case WHERE token IN ({list}))")
            }
            None => String::new(),
        };
        self.read(move |connection| {
            let sql = format!(
                "SELECT {COLUMNS} FROM read_log WHERE position < ?1 {narrowed} ORDER BY position DESC LIMIT ?2"
            );
            connection.prepare(&sql)?.query_map(params![before, limit], stored)?.collect()
        })
        .await
    }

    async fn read_tokens(&self, after: u64, to: u64) -> Result<Vec<(u64, Token)>> {
        let to = i64::try_from(to).unwrap_or(i64::MAX);
        self.read(move |connection| {
            let sql = "SELECT position, token FROM read_case WHERE position > ?1 AND position <= ?2 \
                       ORDER BY position, token";
            let token = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Token>(1)?));
            connection.prepare_cached(sql)?.query_map(params![after, to], token)?.collect()
        })
        .await
    }

    async fn read_keys(&self) -> Result<Vec<(String, Vec<u8>)>> {
        self.read(|connection| {
            let sql = "SELECT month, wrapped FROM read_key ORDER BY month";
            connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .await
    }
}

/// The connection on which is written.
pub(super) struct SqliteReadWriter {
    connection: Connection,
    doubt: Arc<AtomicBool>,
    /// Whether this transaction destroys a key.
    destroyed: bool,
}

#[async_trait]
impl ReadWriter for SqliteReadWriter {
    async fn begin(&mut self) -> Result<ReadsBegun> {
        self.destroyed = false;
        self.connection
            .execute_batch("BEGIN IMMEDIATE")
            .and_then(|()| head(&self.connection))
            .map(|head| ReadsBegun { head, now: None })
            .map_err(|error| fault(&error))
    }

    async fn key(&mut self, month: &str) -> Result<Option<Vec<u8>>> {
        let sql = "SELECT wrapped FROM read_key WHERE month = ?1";
        let key = self.connection.query_row(sql, [month], |row| row.get(0)).optional();
        key.map_err(|error| fault(&error))
    }

    async fn write(&mut self, batch: &ReadBatch) -> Result<()> {
        add(&self.connection, batch).map_err(|error| fault(&error))
    }

    async fn destroy(&mut self, month: &str) -> Result<()> {
        self.destroyed = true;
        let sql = "DELETE FROM read_key WHERE month = ?1";
        self.connection.execute(sql, [month]).map(drop).map_err(|error| fault(&error))
    }

    async fn commit(&mut self) -> Result<()> {
        self.connection.execute_batch("COMMIT").map_err(|error| {
            // After a failed sync nobody knows what is on the disk: it is settled before anything more is written.
            if error.sqlite_error_code() != Some(ErrorCode::DiskFull) {
                self.doubt.store(true, Ordering::Release);
            }
            fault(&error)
        })?;
        // What was destroyed must not stand in the WAL, nor in the page that it has not been moved over yet.
        if self.destroyed { checkpoint(&self.connection) } else { Ok(()) }
    }

    async fn rollback(&mut self) {
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "rollback failed; the connection to the read log will be replaced");
        }
    }
}

fn add(connection: &Connection, batch: &ReadBatch) -> std::result::Result<(), rusqlite::Error> {
    let mut statement = connection.prepare_cached("INSERT INTO read_key VALUES (?1, ?2)")?;
    for (month, wrapped) in &batch.keys {
        statement.execute(params![month, wrapped])?;
    }
    let mut statement = connection.prepare_cached("INSERT INTO read_log VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for row in &batch.rows {
        statement.execute(params![row.position, row.recorded_at, row.month, row.sealed, row.leaf_hash])?;
    }
    let mut statement = connection.prepare_cached("INSERT INTO read_case VALUES (?1, ?2)")?;
    for (position, token) in &batch.tokens {
        statement.execute(params![position, token])?;
    }
    Ok(())
}
