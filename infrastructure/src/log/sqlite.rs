//! The log in a SQLite file: nothing to install, one machine, one process.

mod backup;
mod checkpointer;
mod read;
mod reads;
mod shape;
mod succession;
#[cfg(test)]
mod tests;
mod write;

use std::fs::{DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::log::LogError;
use checkpointer::Checkpointer;

pub use backup::{Copied, KEYS_FILE, Snapshot, copy, copy_reads, put_back_keys};
pub use reads::FILE as READS_FILE;
pub use shape::may_be_made;
pub use write::SqliteWriter;

/// The name of the file in the data folder.
pub const FILE: &str = "log.db";
/// The name of the file by whose lock a process owns a folder.
pub const LOCK: &str = "lock";
/// Most read connections kept open.
const READERS: usize = 8;
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_log.sql"),
    include_str!("../../migrations/sqlite/0002_added_at_the_end.sql"),
    include_str!("../../migrations/sqlite/0003_commit_count.sql"),
];

/// The migration from which on commits are counted.
const COUNTED_FROM: usize = 3;

/// The log in `log.db` of a folder.
pub struct SqliteLog {
    path: PathBuf,
    readers: Arc<Mutex<Vec<Connection>>>,
    /// Whether a commit has failed and the file has not been settled since.
    doubt: Arc<AtomicBool>,
    /// The read log beside it.
    reads: reads::Reads,
    /// Works for the owner of the folder.
    checkpointer: Option<Checkpointer>,
    /// Held for as long as this process owns the folder; `None` for those who only read.
    _lock: Option<Owned>,
}

impl SqliteLog {
    /// Opens the log of a folder for writing, makes it where there is none, and takes ownership of the folder.
    ///
    /// # Errors
    /// When another process owns the folder, or the file cannot be used.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        let lock = own(folder)?;
        let path = folder.join(FILE);
        // Before the engine opens it: opening moves the WAL into a torn file and fills its holes.
        shape::check(&path)?;
        may_be_made(folder)?;
        succession::prove(&path)?;
        backup::take_in_keys(folder)?;
        let mut connection = writing(&path)?;
        migrate(&mut connection)?;
        // What a killed process has left in the WAL may not be on the disk yet.
        let doubt = Arc::new(AtomicBool::new(true));
        let reads = reads::Reads::new(folder, true);
        let mut log =
            Self { path, readers: Arc::default(), doubt, reads, checkpointer: None, _lock: Some(lock) };
        if let Err(error) = log.settled() {
            // Until it is moved nothing is written: over a commit that was torn, another must not begin.
            tracing::warn!(%error, "what was written last could not be moved into log.db yet");
        }
        log.checkpointer = Some(Checkpointer::start(&log.path)?);
        Ok(log)
    }

    /// Opens the log of a folder for reading, beside a process that may own it.
    ///
    /// # Errors
    /// When there is no log or it cannot be read.
    pub fn open_read_only(folder: &Path) -> Result<Self, LogError> {
        let path = folder.join(FILE);
        if !path.exists() {
            return Err(LogError::Damaged(format!("log.db is missing in {}", folder.display())));
        }
        shape::check(&path)?;
        succession::check(&path)?;
        reading(&path)?;
        let reads = reads::Reads::new(folder, false);
        let (readers, doubt) = (Arc::default(), Arc::default());
        Ok(Self { path, readers, doubt, reads, checkpointer: None, _lock: None })
    }

    /// A new write connection. After a commit that failed, it first moves all that is visible from the WAL into the
    /// file, durably, and empties the WAL: pages whose sync failed may look written without being on the disk, and a
    /// transaction that was never acknowledged could otherwise come back after a crash.
    fn settled(&self) -> Result<Connection, LogError> {
        let connection = writing(&self.path)?;
        if self.doubt.load(Ordering::Acquire) {
            let busy: i64 = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(|error| fault(&error))?;
            if busy != 0 {
                return Err(LogError::Unavailable("readers keep the log from being settled".to_owned()));
            }
            self.doubt.store(false, Ordering::Release);
        }
        Ok(connection)
    }

    /// Runs a query on a read connection, off the asynchronous threads.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, LogError> {
        let (path, readers) = (self.path.clone(), Arc::clone(&self.readers));
        let task = tokio::task::spawn_blocking(move || {
            let idle = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = idle.map_or_else(|| reading(&path), Ok)?;
            let answer = query(&connection).map_err(|error| fault(&error));
            let mut idle = readers.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < READERS {
                idle.push(connection);
            }
            answer
        });
        task.await.map_err(|error| unavailable(&error))?
    }
}

/// A data folder that belongs to this process until this is dropped.
#[derive(Debug)]
pub struct Owned(File);

impl Drop for Owned {
    /// Told, not only closed: a process that another thread is just starting holds the file open, too.
    fn drop(&mut self) {
        let _ = fs4::fs_std::FileExt::unlock(&self.0);
    }
}

/// Takes ownership of a data folder until what it gives is dropped; makes it, for its owner alone, where it is missing.
///
/// # Errors
/// When another process has it, or the folder cannot be written.
pub fn own(folder: &Path) -> Result<Owned, LogError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| unavailable(&error))?;
    let path = folder.join(LOCK);
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| LogError::Unavailable(format!("{}: {error}", path.display())))?;
    match fs4::fs_std::FileExt::try_lock_exclusive(&lock) {
        Ok(true) => Ok(Owned(lock)),
        Ok(false) => Err(LogError::Unavailable(format!(
            "another kundwebb process uses the data folder {}; stop it first or choose another with --data",
            folder.display()
        ))),
        Err(error) => Err(unavailable(&error)),
    }
}

fn writing(path: &Path) -> Result<Connection, LogError> {
    let connection = Connection::open(path).map_err(|error| fault(&error))?;
    pragmas(&connection)
        .and_then(|()| {
            connection
                .execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")
        })
        .map_err(|error| fault(&error))?;
    Ok(connection)
}

fn reading(path: &Path) -> Result<Connection, LogError> {
    // Not SQLITE_OPEN_READ_ONLY: a reader of a WAL file must be able to make its shared memory.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| fault(&error))?;
    // Whoever only reads leaves the WAL as it is: closed as the last, a connection would move it and remove it.
    pragmas(&connection)
        .and_then(|()| connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true))
        .and_then(|_| connection.execute_batch("PRAGMA query_only=ON;"))
        .map_err(|error| fault(&error))?;
    Ok(connection)
}

fn pragmas(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;
         PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=16000; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;",
    )
}

/// Brings the file to the newest schema; `user_version` counts the migrations applied.
fn migrate(connection: &mut Connection) -> Result<(), LogError> {
    let applied: usize = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| fault(&error))?;
    if applied > MIGRATIONS.len() {
        return Err(LogError::Damaged("log.db was written by a newer version of kundwebb".to_owned()));
    }
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(applied) {
        let transaction = connection.transaction().map_err(|error| fault(&error))?;
        transaction
            .execute_batch(migration)
            .and_then(|()| if number + 1 < COUNTED_FROM { Ok(()) } else { write::count(&transaction) })
            .and_then(|()| transaction.pragma_update(None, "user_version", number + 1))
            .and_then(|()| transaction.commit())
            .map_err(|error| fault(&error))?;
    }
    Ok(())
}

fn unavailable(error: &dyn std::fmt::Display) -> LogError {
    LogError::Unavailable(error.to_string())
}

/// Sorts the engine's errors into ours.
fn fault(error: &rusqlite::Error) -> LogError {
    use rusqlite::ErrorCode::{ConstraintViolation, DatabaseCorrupt, NotADatabase, TooBig, TypeMismatch};
    match error.sqlite_error_code() {
        Some(ConstraintViolation | TooBig | TypeMismatch) => LogError::Data(error.to_string()),
        Some(DatabaseCorrupt | NotADatabase) | None => LogError::Damaged(error.to_string()),
        Some(_) => LogError::Unavailable(error.to_string()),
    }
}
