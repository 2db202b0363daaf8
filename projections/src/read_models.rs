//! The file in which the read models of a node live: rows and position move in one transaction.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use infrastructure::{LeafHash, Reader, Recorded};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::building::UNFINISHED;
use crate::digest::{Shown, shown};
use crate::projector::ProjectorError;
use crate::{ALL, Projection, ReadError, verify};

/// Most read connections kept open.
const READERS: usize = 16;

/// How often turning on the write-ahead log is tried while another does the same.
const WAL_TRIES: usize = 100;
/// A file up to this size is proven at every start, bytes; a larger one by [`ReadModels::prove`] beside the work.
const PROVEN_AT_ONCE: u64 = 32 << 20;
/// Ends the name of the file that remembers damage.
const DAMAGED: &str = ".damaged";
/// Ends the name of the file that remembers that whoever wrote them was killed, until they have been proven.
const UNPROVEN: &str = ".unproven";

/// What a look at the read models of a folder finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There are none.
    Nothing,
    /// Only those of another version of the program.
    OtherVersion,
    /// They cannot be used, for this reason.
    Damaged(String),
    /// They stand on this event.
    At {
        /// Its position; 0 when they are empty.
        position: u64,
        /// Its hash.
        leaf_hash: LeafHash,
        /// Whether they are still to be compared with the log.
        unproven: bool,
    },
}

/// The read models of a node.
pub struct ReadModels {
    path: PathBuf,
    projections: &'static [&'static dyn Projection],
    readers: Mutex<Vec<Connection>>,
    /// Closed last, so that what was written is moved into the file.
    writer: Mutex<Connection>,
    position: watch::Sender<u64>,
    /// Whether damage was seen since they were opened.
    damaged: AtomicBool,
}

impl ReadModels {
    /// Opens the read models of a folder. A change of any projection leads to another file, which starts empty.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(folder: &Path) -> Result<Self, ReadError> {
        Self::open_with(folder, ALL)
    }

    /// As [`ReadModels::open`] with other projections; for tests of what holds for every list.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open_with(
        folder: &Path,
        projections: &'static [&'static dyn Projection],
    ) -> Result<Self, ReadError> {
        let path = folder.join(file_name(projections));
        if beside(&path, DAMAGED).exists() {
            tracing::warn!(file = %path.display(), "the read models were found damaged; they are built anew from the log");
            remove(&path)?;
        }
        if is_left(&path) {
            leave_unproven(&path)?;
        }
        let (writer, position) = match start(&path, projections) {
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, file = %path.display(), "the read models are damaged; they are built anew from the log");
                remove(&path)?;
                start(&path, projections)?
            }
            started => started?,
        };
        Ok(Self {
            path,
            projections,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            position: watch::Sender::new(position),
            damaged: AtomicBool::new(false),
        })
    }

    /// The position that the rows show.
    pub fn position(&self) -> u64 {
        *self.position.borrow()
    }

    /// What the read models of a folder show, read at one moment beside whoever writes them; `None` when there are none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn shown(folder: &Path) -> Result<Option<Shown>, ReadError> {
        let path = folder.join(file_name(ALL));
        if !path.exists() {
            return Ok(None);
        }
        let connection = look(&path)?;
        let moment = connection.unchecked_transaction()?;
        shown(&moment).map(Some)
    }

    /// The position that the read models of a folder show, and the hash of its event; `None` when there are none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stand_on(folder: &Path) -> Result<Option<(u64, LeafHash)>, ReadError> {
        let path = folder.join(file_name(ALL));
        if !path.exists() {
            return Ok(None);
        }
        place(&look(&path)?).map(Some)
    }

    /// Remembers what is to be seen only before anything looks at the read models of a folder, for that makes a WAL anew: that
    /// theirs was taken away.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn remember_left(folder: &Path) -> Result<(), ReadError> {
        let path = folder.join(file_name(ALL));
        if path.exists() && is_left(&path) { leave_unproven(&path) } else { Ok(()) }
    }

    /// Whether a folder has read models of this version.
    pub fn is_there(folder: &Path) -> bool {
        folder.join(file_name(ALL)).exists()
    }

    /// Removes the read models of a folder where damage was remembered or, in a small file, is found, so that they are
    /// built anew; says so, and also when those that are there are of another version. For the owner of the folder.
    ///
    /// # Errors
    /// When the file cannot be read or removed.
    pub fn discard_broken(folder: &Path) -> Result<(), ReadError> {
        let path = folder.join(file_name(ALL));
        let small = std::fs::metadata(&path).is_ok_and(|file| file.is_dir() || file.len() <= PROVEN_AT_ONCE);
        let remembered = beside(&path, DAMAGED).exists();
        if !path.exists() && others(folder) {
            tracing::warn!(
                "the read models are those of another version of kundwebb; they are built anew from the log"
            );
        }
        if !remembered && !small {
            return Ok(());
        }
        let found = Self::examine(folder);
        if let Ok(Found::Damaged(reason)) = found {
            tracing::warn!(reason, file = %path.display(), "the read models are damaged; they are built anew from the log");
            return remove(&path);
        }
        found.map(drop)
    }

    /// Looks at the read models of a folder, beside whoever writes them, and proves their file. Changes nothing.
    ///
    /// # Errors
    /// When the folder or the file cannot be read.
    pub fn examine(folder: &Path) -> Result<Found, ReadError> {
        let path = folder.join(file_name(ALL));
        if !path.exists() {
            return Ok(if others(folder) { Found::OtherVersion } else { Found::Nothing });
        }
        if path.is_dir() {
            return Err(ReadError::Beside(format!(
                "{} is a folder, where the file of the read models belongs: move it away",
                path.display()
            )));
        }
        if beside(&path, DAMAGED).exists() {
            return Ok(Found::Damaged("this was seen when they were read".to_owned()));
        }
        match proven(&path) {
            Err(error) if error.is_damage() => Ok(Found::Damaged(error.to_string())),
            found => found,
        }
    }

    /// Proves them beside the work: has the engine prove a large file, and, where whoever wrote them before was killed,
    /// compares them with what the log gives, for no engine tells whether a file and the write-ahead log beside it belong
    /// together. Damage is remembered as when a query meets it. Takes long, so it is for a thread that may.
    ///
    /// # Errors
    /// When they are damaged or cannot be read; what is not proven is tried again after the next start.
    pub fn prove(&self, reader: &Reader, runtime: &Handle) -> Result<(), ProjectorError> {
        let size = std::fs::metadata(&self.path).map_or(0, |file| file.len());
        let unproven = beside(&self.path, UNPROVEN);
        if !unproven.exists() {
            return Ok(if size > PROVEN_AT_ONCE {
                self.read(|tables| check(tables, "quick_check"))
            } else {
                Ok(())
            }?);
        }
        tracing::info!(
            "the read models were taken over, or left by a program that was killed; they are compared with the log"
        );
        self.read(|tables| check(tables, "integrity_check"))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if !verify::has_room(folder, size) {
            let reason =
                format!("the disk has no room to compare them: they are built a second time, {size} bytes");
            return Err(ReadError::Beside(reason).into());
        }
        let verdict = verify::verify(folder, reader, runtime)?;
        if verdict.is_some_and(|verdict| !verdict.is_same()) {
            self.noticed(Err(ReadError::Damaged("they do not show what the log holds".to_owned())))?;
        }
        Ok(std::fs::remove_file(&unproven).map_err(|error| unwritable(&unproven, &error))?)
    }

    /// Whether damage was seen. The next start builds them anew.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// Tells when the position moves.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.position.subscribe()
    }

    /// The hash of the event at the position.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn leaf_hash(&self) -> Result<LeafHash, ReadError> {
        self.read(|tables| Ok(tables.query_row("SELECT leaf_hash FROM position", [], |row| row.get(0))?))
    }

    /// Applies events to all projections; those that were applied already are passed over.
    ///
    /// # Errors
    /// When an event is missing in between or the file cannot be written; then nothing has changed.
    pub fn apply(&self, events: &[Recorded]) -> Result<(), ReadError> {
        let applied = self.apply_all(events).map_err(|error| {
            // What follows does not fit rows that are not proven, or contradicts any: it is they that are wrong.
            let wrong =
                error.is_contradiction() || !error.may_pass() && beside(&self.path, UNPROVEN).exists();
            if wrong { ReadError::Damaged(error.to_string()) } else { error }
        });
        self.noticed(applied)
    }

    fn apply_all(&self, events: &[Recorded]) -> Result<(), ReadError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.position();
        let transaction = writer.transaction()?;
        let Some(position) = apply(&transaction, self.projections, before, events)? else { return Ok(()) };
        transaction.commit()?;
        self.position.send_replace(position);
        Ok(())
    }

    /// Passes an answer on; damage is remembered beside the file, so that the next start builds it anew.
    fn noticed<T>(&self, answer: Result<T, ReadError>) -> Result<T, ReadError> {
        if answer.as_ref().is_err_and(ReadError::is_damage) && !self.damaged.swap(true, Ordering::AcqRel) {
            tracing::error!("the read models are damaged; they are built anew when the program starts again");
            if let Err(error) = std::fs::write(beside(&self.path, DAMAGED), []) {
                tracing::error!(%error, "the damage of the read models cannot be remembered");
            }
        }
        answer
    }

    /// Runs a query on the rows of one moment.
    ///
    /// # Errors
    /// Those of the query.
    pub fn read<T>(&self, query: impl FnOnce(&Connection) -> Result<T, ReadError>) -> Result<T, ReadError> {
        self.noticed(self.read_at_one_moment(query))
    }

    fn read_at_one_moment<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => look(&self.path)?,
        };
        let moment = connection.unchecked_transaction()?;
        let answer = query(&moment);
        drop(moment);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS {
            readers.push(connection);
        }
        answer
    }

    /// SHA-256 over every row of every projection: equal for equal content, however it came about.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn digest(&self) -> Result<String, ReadError> {
        self.read(|tables| Ok(shown(tables)?.digest))
    }

    /// Deletes the files of earlier versions of the projections, and what a proof that was killed has left.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn delete_older(&self) -> std::io::Result<()> {
        let own = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for entry in std::fs::read_dir(self.path.parent().unwrap_or(Path::new(".")))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type()?.is_dir();
            let unfinished = name.strip_prefix(&own).is_some_and(|ending| ending.starts_with(UNFINISHED));
            let older = name.starts_with("read-") && name.contains(".db") && !name.starts_with(&own);
            if (unfinished || older) && !is_folder {
                std::fs::remove_file(entry.path())?;
            } else if name.starts_with(verify::SCRATCH) && is_folder {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Deletes the read models of a folder, so that they are built anew from the log.
    ///
    /// # Errors
    /// When a file cannot be deleted.
    pub fn delete(folder: &Path) -> std::io::Result<()> {
        let entries = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
        let mut names: Vec<_> =
            entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.retain(|name| name.starts_with("read-") && name.contains(".db"));
        // What tells of a file goes after it.
        names.sort();
        names.iter().try_for_each(|name| std::fs::remove_file(folder.join(name)))
    }
}

/// Applies the events after a position and moves the position; gives the new one when there were any.
pub(crate) fn apply(
    tables: &Connection,
    projections: &[&dyn Projection],
    before: u64,
    events: &[Recorded],
) -> Result<Option<u64>, ReadError> {
    let seen = events.iter().take_while(|event| event.position <= before).count();
    let events = &events[seen..];
    for (position, event) in (before..).zip(events) {
        if event.position != position + 1 {
            return Err(ReadError::Order { position, found: event.position });
        }
    }
    let Some(last) = events.last() else { return Ok(None) };
    projections.iter().try_for_each(|projection| projection.apply_all(tables, events))?;
    tables
        .prepare_cached("UPDATE position SET position = ?1, leaf_hash = ?2")?
        .execute(params![last.position, last.leaf_hash])?;
    Ok(Some(last.position))
}

/// The name carries a fingerprint of all names, versions and tables.
pub fn file_name(projections: &[&dyn Projection]) -> String {
    let mut hash = Sha256::new();
    for projection in projections {
        for part in
            [projection.name(), &projection.version().to_string(), projection.ddl(), projection.indices()]
        {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    format!("read-{}.db", &hex::encode(hash.finalize())[..16])
}

/// Opens a file for writing, and makes it where there is none.
pub(crate) fn connect(path: &Path) -> Result<Connection, ReadError> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
}

/// Opens a file for reading. What whoever wrote it has left beside it stays there.
pub(crate) fn look(path: &Path) -> Result<Connection, ReadError> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch("PRAGMA query_only=ON;")?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection, ReadError> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection.execute_batch(
        "PRAGMA busy_timeout=5000; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;
         PRAGMA journal_size_limit=67108864; PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-32768; PRAGMA temp_store=MEMORY;",
    )?;
    Ok(connection)
}

/// Opens a file for writing, and makes its tables where there are none.
fn start(path: &Path, projections: &[&dyn Projection]) -> Result<(Connection, u64), ReadError> {
    let mut writer = connect(path)?;
    write_ahead(&writer)?;
    writer.execute_batch("PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON;")?;
    create(&mut writer, projections)?;
    whole(&writer, projections)?;
    let (position, _) = place(&writer)?;
    Ok((writer, position))
}

/// Turns on the write-ahead log. Where two do so at once, SQLite tells one of them at once that the file is busy,
/// whatever the time-out; the one waits for the other's lock and tries again.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    let turn_on = || connection.execute_batch("PRAGMA journal_mode=WAL;");
    for _ in 0..WAL_TRIES {
        match turn_on() {
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; COMMIT;")?;
            }
            done => return done,
        }
    }
    turn_on()
}

/// Whether a folder has read models of any version.
fn others(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.any(|name| name.starts_with("read-") && name.ends_with(".db"))
}

/// The engine's own proof of the file: `quick_check`, or `integrity_check`, which also compares indices with tables.
fn check(tables: &Connection, proof: &str) -> Result<(), ReadError> {
    let said: String = tables.query_row(&format!("PRAGMA {proof}(1)"), [], |row| row.get(0))?;
    if said == "ok" { Ok(()) } else { Err(ReadError::Damaged(said.replace('\n', " "))) }
}

/// Whether the file has the tables of these projections, all and as they must be, and one position.
fn whole(tables: &Connection, projections: &[&dyn Projection]) -> Result<(), ReadError> {
    let schema = |tables: &Connection| -> Result<Vec<(String, Option<String>)>, rusqlite::Error> {
        let sql = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name";
        tables.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let made = Connection::open_in_memory()?;
    create_tables(&made, projections)?;
    create_indices(&made, projections)?;
    if schema(tables)? != schema(&made)? {
        return Err(ReadError::Damaged("it does not hold the tables of this version".to_owned()));
    }
    let positions: u32 = tables.query_row("SELECT count(*) FROM position", [], |row| row.get(0))?;
    if positions == 1 { Ok(()) } else { Err(ReadError::Damaged("it holds no position".to_owned())) }
}

/// What the file holds, after the engine's own proof of it.
pub(crate) fn proven(path: &Path) -> Result<Found, ReadError> {
    let connection = look(path)?;
    let moment = connection.unchecked_transaction()?;
    check(&moment, "quick_check")?;
    whole(&moment, ALL)?;
    let (position, leaf_hash) = place(&moment)?;
    Ok(Found::At { position, leaf_hash, unproven: beside(path, UNPROVEN).exists() })
}

/// The event that the rows stand on.
pub(crate) fn place(tables: &Connection) -> Result<(u64, LeafHash), ReadError> {
    let sql = "SELECT position, leaf_hash FROM position";
    match tables.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))) {
        // A value that none can be, in a row that the engine can read.
        Err(error) if error.sqlite_error_code().is_none() => Err(ReadError::Damaged(error.to_string())),
        place => Ok(place?),
    }
}

/// Whoever comes second, in this process or another, finds the tables made.
fn create(connection: &mut Connection, projections: &[&dyn Projection]) -> Result<(), ReadError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let exists: bool = transaction.query_row(
        "SELECT count(*) > 0 FROM sqlite_master WHERE name = 'position'",
        [],
        |row| row.get(0),
    )?;
    if !exists {
        create_tables(&transaction, projections)?;
        create_indices(&transaction, projections)?;
    }
    Ok(transaction.commit()?)
}

/// Makes all tables, empty, at position 0.
pub(crate) fn create_tables(
    connection: &Connection,
    projections: &[&dyn Projection],
) -> Result<(), rusqlite::Error> {
    connection.execute_batch(
        "CREATE TABLE position (
            one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, leaf_hash BLOB NOT NULL) STRICT;
         INSERT INTO position VALUES (1, 0, zeroblob(32));",
    )?;
    projections.iter().try_for_each(|projection| connection.execute_batch(projection.ddl()))
}

/// Makes the indices that only readers need.
pub(crate) fn create_indices(
    connection: &Connection,
    projections: &[&dyn Projection],
) -> Result<(), rusqlite::Error> {
    projections.iter().try_for_each(|projection| connection.execute_batch(projection.indices()))
}

/// A file of ours beside `path`, by its ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    path.with_file_name(name)
}

/// Remembers that they are to be compared with the log.
pub(crate) fn leave_unproven(path: &Path) -> Result<(), ReadError> {
    std::fs::write(beside(path, UNPROVEN), []).map_err(|error| unwritable(path, &error))
}

/// Whether whoever wrote them was killed. What stands beside the file is gone after a stop in order; a WAL that was taken
/// away alone has left the other, and may have taken rows along.
fn is_left(path: &Path) -> bool {
    let wal = std::fs::metadata(beside(path, "-wal"));
    wal.as_ref().is_ok_and(|wal| wal.len() > 0) || wal.is_err() && beside(path, "-shm").exists()
}

fn unwritable(path: &Path, error: &std::io::Error) -> ReadError {
    ReadError::Beside(format!("what stands beside {} cannot be written: {error}", path.display()))
}

/// Removes the file and what stands beside it.
pub(crate) fn remove(path: &Path) -> Result<(), ReadError> {
    for ending in ["", "-wal", "-shm", "-journal", DAMAGED, UNPROVEN] {
        match std::fs::remove_file(beside(path, ending)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                let file = beside(path, ending);
                return Err(ReadError::Beside(format!("{} cannot be removed: {error}", file.display())));
            }
            _ => {}
        }
    }
    Ok(())
}
