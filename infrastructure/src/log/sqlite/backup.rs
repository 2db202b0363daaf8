//! A copy of the log at one moment, beside the process that writes it: the log without its keys in one file, the keys
//! in another that has its own, shorter life.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use domain::AttachmentId;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, params};

use crate::keys::{ALL_KEY_FILES, KEY_FILES};
use crate::log::sqlite::{FILE, READS_FILE, fault, read, reading, shape, unavailable};
use crate::log::{Head, LogError};
use crate::upkeep::HELD;

/// The name of the keys of a backup, beside its log.
pub const KEYS_FILE: &str = "keys.db";
/// Pages copied at a time.
const PAGES: i32 = 4096;

/// The log as it is at one moment, for as long as this lives.
pub struct Snapshot(Connection);

impl Snapshot {
    /// Of the log in a folder.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn of(folder: &Path) -> Result<Self, LogError> {
        shape::check(&folder.join(FILE))?;
        let connection = reading(&folder.join(FILE))?;
        connection.execute_batch("BEGIN").map_err(|error| fault(&error))?;
        // The first read chooses the moment.
        read::head(&connection).map_err(|error| fault(&error))?;
        Ok(Self(connection))
    }
}

/// What a copy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The end of the log.
    pub head: Head,
    /// Wrapped keys of streams.
    pub keys: u64,
    /// Files that are attached.
    pub attached: Vec<AttachmentId>,
    /// Files that are staged; they may be gone when they are copied.
    pub staged: Vec<AttachmentId>,
}

/// Copies the snapshot of the log in `folder` to the new files `log` and `keys`, durably. The mails of the copy are
/// held for the reason `held` until they are released. Tells how many pages of how many are copied.
///
/// # Errors
/// When the log cannot be read or a file not written.
pub fn copy(
    snapshot: &Snapshot,
    folder: &Path,
    (log, keys): (&Path, &Path),
    held: &str,
    tell: &dyn Fn(i32, i32),
) -> Result<Copied, LogError> {
    let Snapshot(source) = snapshot;
    let copied = copy_keys(source, folder, keys)?;
    copy_log(source, log, held, tell).map_err(|error| fault(&error))?;
    for path in [log, keys] {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| unavailable(&error))?;
    }
    let ids = |sql: &str| {
        source
            .prepare(sql)?
            .query_map([], |row| row.get(0).map(AttachmentId))?
            .collect::<Result<Vec<_>, rusqlite::Error>>()
    };
    let all = || {
        Ok(Copied {
            head: read::head(source)?,
            keys: copied,
            attached: ids("SELECT attachment_id FROM attachment ORDER BY 1")?,
            staged: ids("SELECT upload_id FROM upload WHERE expires_at > 0 ORDER BY 1")?,
        })
    };
    all().map_err(|error: rusqlite::Error| fault(&error))
}

fn copy_log(
    source: &Connection,
    log: &Path,
    held: &str,
    tell: &dyn Fn(i32, i32),
) -> Result<(), rusqlite::Error> {
    let mut target = Connection::open(log)?;
    {
        let backup = Backup::new(source, &mut target)?;
        while backup.step(PAGES)? != StepResult::Done {
            let progress = backup.progress();
            tell(progress.pagecount - progress.remaining, progress.pagecount);
        }
    }
    // No journal and no WAL: neither may hold what is deleted, and the copy is to be read without writing.
    target.execute_batch(
        "PRAGMA journal_mode=DELETE; PRAGMA journal_mode=MEMORY; PRAGMA secure_delete=ON; PRAGMA synchronous=FULL;
         DELETE FROM case_key;",
    )?;
    let sql = "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    target.execute(sql, [HELD, held])?;
    target.close().map_err(|(_, error)| error)
}

/// Copies the read log of a folder as it is now, which is never less than a snapshot of its log tells of, to the new file
/// `reads`, durably; the keys of its months go into `keys`, beside those of the streams. Nothing where there is none.
///
/// # Errors
/// When it cannot be read or a file not written.
pub fn copy_reads(folder: &Path, reads: &Path, keys: &Path) -> Result<(), LogError> {
    let path = folder.join(READS_FILE);
    if !path.exists() {
        return Ok(());
    }
    let source = reading(&path)?;
    let all = || {
        // As it is at one moment, whoever reads cases meanwhile.
        source.execute_batch("BEGIN")?;
        source.query_row("SELECT count(*) FROM read_key", [], |row| row.get::<_, i64>(0))?;
        let mut target = Connection::open(reads)?;
        {
            let backup = Backup::new(&source, &mut target)?;
            while backup.step(PAGES)? != StepResult::Done {}
        }
        let mut keys = Connection::open(keys)?;
        let transaction = keys.transaction()?;
        transaction.execute_batch(READ_KEYS)?;
        // Of the very rows that are copied: a month may begin meanwhile.
        copy_read_keys(&target, &transaction)?;
        transaction.commit()?;
        target.execute_batch(
            "PRAGMA journal_mode=DELETE; PRAGMA journal_mode=MEMORY; PRAGMA secure_delete=ON; PRAGMA synchronous=FULL;
             DELETE FROM read_key;",
        )?;
        target.close().map_err(|(_, error)| error)
    };
    all().map_err(|error: rusqlite::Error| fault(&error))?;
    for path in [reads, keys] {
        File::open(path).and_then(|file| file.sync_all()).map_err(|error| unavailable(&error))?;
    }
    Ok(())
}

/// Where the keys of months lie in the file of keys.
const READ_KEYS: &str = "CREATE TABLE IF NOT EXISTS read_key (month TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;";

fn copy_read_keys(source: &Connection, target: &Connection) -> Result<(), rusqlite::Error> {
    let mut insert = target.prepare("INSERT OR IGNORE INTO read_key VALUES (?1, ?2)")?;
    let mut read = source.prepare("SELECT month, wrapped FROM read_key ORDER BY month")?;
    let mut rows = read.query([])?;
    while let Some(row) = rows.next()? {
        insert.execute(params![row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?])?;
    }
    Ok(())
}

/// The keys of the streams, wrapped, and the key files of the installation, which unwrap them.
fn copy_keys(source: &Connection, folder: &Path, keys: &Path) -> Result<u64, LogError> {
    private(keys, true).map_err(|error| unavailable(&error))?;
    let mut target = Connection::open(keys).map_err(|error| fault(&error))?;
    let mut files = Vec::new();
    // In this order: a key that is replaced meanwhile is among the former ones, which are read last.
    for name in ALL_KEY_FILES {
        if !KEY_FILES.contains(&name) && !folder.join(name).exists() {
            continue;
        }
        let content = std::fs::read(folder.join(name))
            .map_err(|error| LogError::Unavailable(format!("the key file {name} cannot be read: {error}")))?;
        files.push((name, content));
    }
    let mut all = || {
        let transaction = target.transaction()?;
        transaction.execute_batch(
            "CREATE TABLE case_key (key_id BLOB PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE key_file (name TEXT PRIMARY KEY, content BLOB NOT NULL) STRICT, WITHOUT ROWID;",
        )?;
        for file in &files {
            transaction.execute("INSERT INTO key_file VALUES (?1, ?2)", params![file.0, file.1])?;
        }
        let count = copy_case_keys(source, &transaction)?;
        transaction.commit()?;
        Ok(count)
    };
    all().map_err(|error: rusqlite::Error| fault(&error))
}

/// Copies the keys of the streams, and counts them.
fn copy_case_keys(source: &Connection, target: &Connection) -> Result<u64, rusqlite::Error> {
    let mut insert = target.prepare("INSERT OR IGNORE INTO case_key VALUES (?1, ?2)")?;
    let mut read = source.prepare("SELECT key_id, wrapped FROM case_key ORDER BY key_id")?;
    let mut rows = read.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        insert.execute(params![row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?])?;
        count += 1;
    }
    Ok(count)
}

/// Makes a file that only its owner reads.
fn private(path: &Path, new: bool) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).create_new(new).truncate(true).mode(0o600).open(path)
}

/// Takes the keys of a backup into the log and the folder that they belong to, where they lie beside it: so a backup
/// is a data folder that starts. Afterwards they lie where they always do, and nowhere else.
///
/// # Errors
/// When they are others than those that are there, or a file cannot be written.
pub(super) fn take_in_keys(folder: &Path) -> Result<(), LogError> {
    let keys = folder.join(KEYS_FILE);
    if !keys.exists() || !folder.join(FILE).exists() {
        return Ok(());
    }
    put_back_keys(folder, &keys)?;
    tracing::warn!(
        "this folder is a backup: its keys have been taken in, its mails are held until they are released"
    );
    std::fs::remove_file(&keys).map_err(|error| unavailable(&error))
}

/// Puts the keys of a backup into a folder with its log.
///
/// # Errors
/// When they are others than those that are there, or a file cannot be written.
pub fn put_back_keys(folder: &Path, keys: &Path) -> Result<(), LogError> {
    let source = reading(keys)?;
    let files = || {
        source
            .prepare("SELECT name, content FROM key_file")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(String, Vec<u8>)>, rusqlite::Error>>()
    };
    for (name, content) in files().map_err(|error| fault(&error))? {
        if !ALL_KEY_FILES.contains(&name.as_str()) {
            return Err(LogError::Damaged(format!("{} holds a key file {name}", keys.display())));
        }
        put_back_file(&folder.join(&name), &content)?;
    }
    let mut log = Connection::open(folder.join(FILE)).map_err(|error| fault(&error))?;
    let mut all = || {
        log.execute_batch("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")?;
        let transaction = log.transaction()?;
        copy_case_keys(&source, &transaction)?;
        transaction.commit()
    };
    all().and_then(|()| put_back_read_keys(folder, &source)).map_err(|error: rusqlite::Error| fault(&error))
}

/// Puts the keys of the months back into the read log, where there is one.
fn put_back_read_keys(folder: &Path, keys: &Connection) -> Result<(), rusqlite::Error> {
    let path = folder.join(READS_FILE);
    if !path.exists() || !keys.table_exists(None, "read_key")? {
        return Ok(());
    }
    let mut reads = Connection::open(path)?;
    reads.execute_batch("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")?;
    let transaction = reads.transaction()?;
    copy_read_keys(keys, &transaction)?;
    transaction.commit()
}

fn put_back_file(path: &Path, content: &[u8]) -> Result<(), LogError> {
    let there = std::fs::read(path).ok();
    if there.as_deref() == Some(content) {
        return Ok(());
    }
    if there.is_some() {
        return Err(LogError::Damaged(format!("{} is another key than the backup's", path.display())));
    }
    let part = path.with_extension("part");
    private(&part, false)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&part, path))
        .map_err(|error| unavailable(&error))
}
