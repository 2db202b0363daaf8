//! Whether `log.db-wal` follows on what is in `log.db`. After a crash it holds all that the file holds, and perhaps more. One
//! of an earlier time, beside a file that was copied after it, would be moved into the file and take away what came since.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::log::LogError;
use crate::log::sqlite::shape::{Wal, looked, older, read_models, wal, wal_round, wal_size};
use crate::log::sqlite::{fault, reading};

/// A file up to this size is proven whole before a WAL is moved into it, bytes.
const PROVEN_AT_ONCE: u64 = 1 << 30;

/// Checks that the log has neither fewer events nor fewer commits with the WAL than without it, and that the WAL reaches back
/// to the file. To be called where `shape::check` is.
///
/// # Errors
/// [`LogError::Damaged`] when it does not; when it cannot be read.
pub(super) fn check(path: &Path) -> Result<(), LogError> {
    looked(path, || look(path))
}

fn look(path: &Path) -> Result<(), LogError> {
    if wal_size(path) == 0 {
        return Ok(());
    }
    let round = wal_round(path);
    // In the middle of a checkpoint the file alone may not hang together; what can be read of it was written, though.
    let alone = alone(path).and_then(|file| end(&file)).ok();
    let with_it = end(&reading(path)?).map_err(|error| fault(&error))?;
    let Some(alone) = alone else { return Ok(()) };
    if with_it.position < alone.position || with_it.commits < alone.commits {
        return Err(older());
    }
    let wal = wal(path)?;
    // Begun anew meanwhile, beside a process that has proven it when it started.
    if round != wal_round(path) {
        return Ok(());
    }
    follows(&alone, &with_it, &wal)
}

/// Every commit holds the page that counts them, and no WAL makes more commits of what a file holds than it has.
fn follows(alone: &End, with_it: &End, wal: &Wal) -> Result<(), LogError> {
    if alone.page.is_some_and(|page| wal.commits > 0 && !wal.pages.contains(&page)) {
        return Err(older());
    }
    let came = with_it.commits.unwrap_or_default().abs_diff(alone.commits.unwrap_or_default());
    if came > wal.commits {
        return Err(apart(&format!("commits between them are missing: {}", came - wal.commits)));
    }
    Ok(())
}

fn apart(how: &str) -> LogError {
    LogError::Damaged(format!(
        "log.db and log.db-wal do not belong together ({how}): one of them was copied at another time"
    ))
}

/// As [`check`], for whoever is about to move the WAL into the file: proves that the two are one log. Of a large file whose
/// read models are there these tell.
///
/// # Errors
/// [`LogError::Damaged`] when they are not; when they cannot be read.
pub(super) fn prove(path: &Path) -> Result<(), LogError> {
    check(path)?;
    let is_large = std::fs::metadata(path).is_ok_and(|file| file.len() > PROVEN_AT_ONCE);
    if wal_size(path) == 0 || is_large && path.parent().is_some_and(|folder| read_models(folder).is_some()) {
        return Ok(());
    }
    let log = reading(path)?;
    match faults(&log).map_err(|error| fault(&error))? {
        None => Ok(()),
        Some(said) => Err(apart(&said)),
    }
}

/// What the engine finds wrong, or that an event is missing.
fn faults(log: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let said: String = log.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if said != "ok" {
        return Ok(Some(said.replace('\n', " ")));
    }
    let is_made: bool =
        log.query_row("SELECT count(*) > 0 FROM sqlite_master WHERE name = 'event'", [], |row| row.get(0))?;
    let is_dense =
        || log.query_row("SELECT count(*) = coalesce(max(position), 0) FROM event", [], |row| row.get(0));
    let is_whole = !is_made || is_dense()?;
    Ok((!is_whole).then(|| "an event is missing".to_owned()))
}

/// The file as it is, whatever stands beside it.
fn alone(path: &Path) -> Result<Connection, rusqlite::Error> {
    let name: String = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
}

/// How far a log has come.
#[derive(Default)]
struct End {
    /// The position of the last event; none where there is no event.
    position: Option<i64>,
    /// How many commits there were; none in a log of before they were counted.
    commits: Option<u64>,
    /// The page of the file that counts them.
    page: Option<u64>,
}

fn end(log: &Connection) -> Result<End, rusqlite::Error> {
    let page = |table: &str| {
        let sql = "SELECT rootpage FROM sqlite_master WHERE name = ?1";
        log.query_row(sql, [table], |row| row.get(0)).optional()
    };
    let counting: Option<u64> = page("commit_count")?;
    let mut end = End { page: counting, ..End::default() };
    if page("event")?.is_some() {
        end.position = log.query_row("SELECT max(position) FROM event", [], |row| row.get(0))?;
    }
    if counting.is_some() {
        end.commits = log.query_row("SELECT max(commits) FROM commit_count", [], |row| row.get(0))?;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::sqlite::FILE;

    /// A log of a table alone, whose end is in the WAL.
    fn running(folder: &Path) -> Connection {
        let connection = Connection::open(folder.join(FILE)).unwrap();
        let make =
            "PRAGMA journal_mode=WAL; CREATE TABLE event (position INTEGER PRIMARY KEY, content BLOB);";
        connection.execute_batch(make).unwrap();
        connection
    }

    fn add(connection: &Connection, events: u32) {
        for _ in 0..events {
            connection.execute("INSERT INTO event (content) VALUES (randomblob(300))", []).unwrap();
        }
    }

    fn copied(from: &Path, to: &Path, name: &str) {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }

    /// A WAL that holds some events, and the file as it was when others had come since and all was moved into it.
    fn of_two_times(prepare: impl Fn(&Connection), (events, since): (u32, u32)) -> tempfile::TempDir {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let connection = running(folder.path());
        let moved = || connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        prepare(&connection);
        add(&connection, events);
        copied(folder.path(), copy.path(), "log.db-wal");
        moved();
        add(&connection, since);
        moved();
        copied(folder.path(), copy.path(), FILE);
        copy
    }

    #[test]
    fn a_wal_that_was_copied_before_the_file_is_refused_before_it_is_moved() {
        // With and without pages that came since.
        for since in [1, 500] {
            let copy = of_two_times(|_| {}, (40, since));
            let path = copy.path().join(FILE);
            let before = std::fs::read(&path).unwrap();
            let error = check(&path).unwrap_err().to_string();
            assert!(error.contains("older than log.db"), "{since}: {error}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }

    /// Where the file has free pages it does not grow, and of a WAL that holds only some of the older pages the last position
    /// does not tell.
    #[test]
    fn a_wal_of_an_earlier_time_is_found_by_what_the_pages_hold() {
        let with_free_pages = |connection: &Connection| {
            let index = "CREATE INDEX event_content ON event (content); CREATE TABLE other (content BLOB);";
            connection.execute_batch(index).unwrap();
            add(connection, 400);
            let free = "INSERT INTO other SELECT content || content FROM event; DELETE FROM other; \
                        PRAGMA wal_checkpoint(TRUNCATE);";
            connection.execute_batch(free).unwrap();
        };
        for since in [1, 2, 5, 12, 40] {
            let copy = of_two_times(with_free_pages, (4, since));
            let path = copy.path().join(FILE);
            let before = std::fs::read(&path).unwrap();
            assert!(prove(&path).is_err(), "{since}");
            assert_eq!(std::fs::read(&path).unwrap(), before);
        }
    }

    /// What a crash leaves: all of a WAL beside a file into which nothing, some or all of it has been moved.
    #[test]
    fn what_a_crash_leaves_is_in_order_however_far_a_checkpoint_had_come() {
        let (folder, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let connection = running(folder.path());
        add(&connection, 30);
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let before = std::fs::read(folder.path().join(FILE)).unwrap();
        add(&connection, 60);
        copied(folder.path(), copy.path(), "log.db-wal");
        connection.execute_batch("PRAGMA wal_checkpoint").unwrap();
        let after = std::fs::read(folder.path().join(FILE)).unwrap();
        let path = copy.path().join(FILE);
        for moved in 0..=after.len() / 4096 {
            let mut file = before.clone();
            file.resize(file.len().max(moved * 4096), 0);
            file[..moved * 4096].copy_from_slice(&after[..moved * 4096]);
            std::fs::write(&path, &file).unwrap();
            prove(&path).unwrap_or_else(|error| panic!("{moved}: {error}"));
            let _ = std::fs::remove_file(copy.path().join("log.db-shm"));
        }
    }
}
