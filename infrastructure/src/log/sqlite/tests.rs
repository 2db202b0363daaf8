//! The log on SQLite: the contract, and what is SQLite's own.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{AttachmentId, CaseNumber, StreamId};
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use uuid::Uuid;

use super::*;
use crate::log::contract::{Engine, contract};
use crate::log::{Batch, Kept, Log, Wanted, Writer as _};
use crate::testing::*;
use crate::upkeep::Upkeep;

/// A log in a folder of its own.
struct Sqlite {
    folder: tempfile::TempDir,
    log: Arc<SqliteLog>,
}

#[async_trait]
impl Engine for Sqlite {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(SqliteLog::open(folder.path()).unwrap());
        Self { folder, log }
    }

    fn log(&self) -> Arc<dyn Log> {
        Arc::<SqliteLog>::clone(&self.log)
    }

    async fn intrude(&self, sql: &str) -> Result<(), String> {
        let connection = Connection::open(self.folder.path().join(FILE)).unwrap();
        connection.execute_batch("PRAGMA busy_timeout=5000").unwrap();
        connection.execute_batch(sql).map_err(|error| error.to_string())
    }

    async fn intrude_reads(&self, sql: &str) -> Result<(), String> {
        let connection = Connection::open(self.folder.path().join(READS_FILE)).unwrap();
        connection.execute_batch("PRAGMA busy_timeout=5000").unwrap();
        connection.execute_batch(sql).map_err(|error| error.to_string())
    }

    async fn past_triggers(&self, sql: &str) {
        let names = ["read_log_is_never_changed", "read_log_is_never_deleted", "read_case_is_never_deleted"];
        for name in names {
            self.intrude_reads(&format!("DROP TRIGGER IF EXISTS {name}")).await.unwrap();
        }
        self.intrude_reads(sql).await.unwrap();
    }

    fn bytes(sql: &str, bytes: &[u8]) -> String {
        sql.replace("{}", &format!("x'{}'", hex::encode(bytes)))
    }
}

contract!(Sqlite);

fn refusal(folder: &Path) -> String {
    SqliteLog::open(folder).err().expect("a second owner").to_string()
}

#[tokio::test]
async fn a_folder_has_one_owner_in_this_process() {
    let engine = Sqlite::new().await;
    let error = refusal(engine.folder.path());
    assert!(error.contains("another kundwebb process uses the data folder"), "{error}");
    let reading = SqliteLog::open_read_only(engine.folder.path()).unwrap();
    assert_eq!(reading.head().await.unwrap().position, 0, "reading beside the owner is fine");
    drop(reading);
    let Sqlite { folder, log } = engine;
    drop(log);
    SqliteLog::open(folder.path()).unwrap();
}

const FOLDER: &str = "KUNDWEBB_TEST_FOLDER";

/// Runs this test binary once more, with the folder that this process owns.
#[test]
fn a_folder_has_one_owner_among_processes() {
    if let Ok(folder) = std::env::var(FOLDER) {
        let refused = SqliteLog::open(Path::new(&folder)).err().map(|error| error.to_string());
        print!("refused: {refused:?}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let second = || {
        let this = "log::sqlite::tests::a_folder_has_one_owner_among_processes";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", this, "--nocapture"])
            .env(FOLDER, folder.path())
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let owner = SqliteLog::open(folder.path()).unwrap();
    let said = second();
    assert!(said.contains("another kundwebb process uses the data folder"), "{said}");
    drop(owner);
    let said = second();
    assert!(said.contains("refused: None"), "{said}");
}

#[tokio::test]
async fn no_log_is_read_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert!(SqliteLog::open_read_only(folder.path()).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "and none is made");
}

#[tokio::test]
async fn a_file_that_is_no_log_or_a_later_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), "x".repeat(8192)).unwrap();
    assert!(matches!(SqliteLog::open(folder.path()), Err(LogError::Damaged(_))));
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    drop(SqliteLog::open(folder.path()).unwrap());
    let later = Connection::open(folder.path().join(FILE)).unwrap();
    later.pragma_update(None, "user_version", 99).unwrap();
    drop(later);
    let error = SqliteLog::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("newer version of kundwebb"), "{error}");
}

/// Rows of the event table made from its first row.
fn copied(position: &str, version: &str) -> String {
    format!(
        "INSERT OR REPLACE INTO event SELECT {position}, stream_id, {version}, type, schema_version, recorded_at, actor, \
         employer, command_id, correlation, 'changed', sealed, key_id, leaf_hash FROM event WHERE position = 1"
    )
}

#[tokio::test]
async fn a_stored_event_is_not_replaced_and_nothing_stands_but_at_the_end() {
    let engine = Sqlite::new().await;
    let node = Node::start(&engine.log());
    node.filed().await;
    node.filed().await;
    let before = engine.log.events_after(0, 10).await.unwrap();
    for (position, version) in
        [("1", "1"), ("2", "2"), ("3", "1"), ("3", "3"), ("4", "2"), ("NULL", "1"), ("-1", "2")]
    {
        let error = engine.intrude(&copied(position, version)).await.unwrap_err();
        assert!(error.contains("only at the end"), "{position} {version}: {error}");
    }
    assert_eq!(engine.log.events_after(0, 10).await.unwrap(), before);
    engine.intrude(&copied("3", "2")).await.unwrap();
}

/// A file of every earlier version is brought to the newest with what it holds.
#[tokio::test]
async fn migrations_keep_what_is_there() {
    for version in 1..MIGRATIONS.len() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join(FILE)).unwrap();
        for migration in &MIGRATIONS[..version] {
            connection.execute_batch(migration).unwrap();
        }
        connection.pragma_update(None, "user_version", version).unwrap();
        connection
            .execute(
                "INSERT INTO event VALUES (1, zeroblob(16), 1, 'NoticeResolved', 1, 7, zeroblob(16), NULL, \
                 zeroblob(16), zeroblob(16), '{}', NULL, NULL, zeroblob(32))",
                [],
            )
            .unwrap();
        drop(connection);
        let log = SqliteLog::open(folder.path()).unwrap();
        assert_eq!(log.head().await.unwrap().position, 1);
        let log: Arc<dyn Log> = Arc::new(log);
        assert_eq!(Node::start(&log).filed().await.position, 2);
    }
}

/// Whatever a disk or a hand does to the file is said at the start, not found later.
#[tokio::test]
async fn a_log_that_was_cut_short_or_overwritten_stops_the_start() {
    let engine = Sqlite::new().await;
    let node = Node::start(&engine.log());
    crate::startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    futures::future::join_all((0..200).map(|_| node.filed())).await;
    let keys = Arc::clone(&node.keys);
    let path = engine.folder.path().join(FILE);
    node.stop();
    let Sqlite { folder, log } = engine;
    drop(log);
    let whole = std::fs::read(&path).unwrap();
    let started = async || {
        let log = SqliteLog::open(folder.path())?;
        crate::startup::check(&log, &keys).await
    };
    assert_eq!(started().await.unwrap().position, 200);
    for kept in [whole.len() / 2, whole.len() - 4096, 5000, 50] {
        std::fs::write(&path, &whole[..kept]).unwrap();
        let error = started().await.unwrap_err();
        assert!(matches!(error, LogError::Damaged(_) | LogError::Unavailable(_)), "{kept}: {error}");
    }
    // One byte of one of the last events, where the engine itself does not look.
    let mut changed = whole.clone();
    let subject = b"\"caseNumber\":\"2026-000199-";
    let place = changed.windows(subject.len()).position(|part| part == subject).unwrap();
    changed[place + 20] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    let error = started().await.unwrap_err().to_string();
    assert!(error.contains("position 199") && error.contains("does not hash"), "{error}");
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(started().await.unwrap().position, 200);
}

/// A log with an event, and a folder for files of it that are copied at other times.
struct Times {
    engine: Sqlite,
    copy: tempfile::TempDir,
}

impl Times {
    async fn new() -> Self {
        let engine = Sqlite::new().await;
        Node::start(&engine.log()).filed().await;
        Self { engine, copy: tempfile::tempdir().unwrap() }
    }

    /// A commit without an event, as of a token that is revoked.
    async fn said(&self, value: &str) {
        let mut writer = self.engine.log.writer().await.unwrap();
        writer.begin().await.unwrap();
        writer.set_meta("x", value).await.unwrap();
        writer.commit().await.unwrap();
    }

    /// Everything is moved into the file.
    fn moved(&self) {
        self.engine.log.doubt.store(true, Ordering::Release);
        // The log's own mover may be at it.
        assert!((0..1000).any(|_| self.engine.log.settled().is_ok()));
    }

    fn copied(&self, name: &str) {
        std::fs::copy(self.engine.folder.path().join(name), self.copy.path().join(name)).unwrap();
    }

    fn are_refused(&self, said: &str) {
        let copy = self.copy.path();
        for refused in [SqliteLog::open(copy).err(), SqliteLog::open_read_only(copy).err()] {
            let refused = refused.unwrap().to_string();
            assert!(refused.contains(said), "{refused}");
        }
    }
}

/// A WAL of an earlier time that lacks no event would still take back what is none: the end of a session, a token's revocation.
#[tokio::test]
async fn a_wal_of_before_a_commit_without_events_is_refused() {
    let times = Times::new().await;
    times.said("before").await;
    times.copied("log.db-wal");
    times.said("after").await;
    times.moved();
    times.copied(FILE);
    times.are_refused("older than log.db");
    std::fs::remove_file(times.copy.path().join("log.db-wal")).unwrap();
    let log = SqliteLog::open(times.copy.path()).unwrap();
    assert_eq!(log.meta("x").await.unwrap().as_deref(), Some("after"));
    assert_eq!(log.head().await.unwrap().position, 1);
}

#[tokio::test]
async fn a_wal_that_does_not_reach_back_to_the_file_is_refused() {
    let times = Times::new().await;
    times.moved();
    times.copied(FILE);
    times.said("missing").await;
    times.moved();
    times.said("after").await;
    times.copied("log.db-wal");
    times.are_refused("commits between them are missing: 1");
}

/// A copy onto a full disk: what is left of the log is not thrown away by a look at it.
#[tokio::test]
async fn a_file_without_a_byte_beside_a_wal_is_refused_and_both_stay() {
    let times = Times::new().await;
    times.said("x").await;
    times.copied("log.db-wal");
    std::fs::write(times.copy.path().join(FILE), []).unwrap();
    let wal = std::fs::read(times.copy.path().join("log.db-wal")).unwrap();
    times.are_refused("cut short");
    assert_eq!(std::fs::read(times.copy.path().join("log.db-wal")).unwrap(), wal);
}

/// The program counted nothing when the WAL was written.
#[tokio::test]
async fn a_wal_of_before_commits_were_counted_is_refused() {
    let times = Times::new().await;
    times.moved();
    times.engine.intrude("INSERT INTO meta VALUES ('x', 'before')").await.unwrap();
    times.copied("log.db-wal");
    times.said("after").await;
    times.moved();
    times.copied(FILE);
    times.are_refused("older than log.db");
}

/// Of a log with events that does not say whose keys it is sealed with, no node makes itself the owner.
#[tokio::test]
async fn a_log_with_events_is_nobodys_until_it_says_whose_it_is() {
    let engine = Sqlite::new().await;
    let node = Node::start(&engine.log());
    node.filed().await;
    let said = crate::startup::check(node.log.as_ref(), &node.keys).await.unwrap_err().to_string();
    assert!(said.contains("does not say which master key"), "{said}");
    assert_eq!(node.log.meta("master_fingerprint").await.unwrap(), None);
}

/// What the write connection stands on, whatever the defaults of the library are.
#[tokio::test]
async fn the_settings_of_a_write_connection() {
    let engine = Sqlite::new().await;
    let connection = writing(&engine.log.path).unwrap();
    for (pragma, expected) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("busy_timeout", "5000"),
        ("foreign_keys", "1"),
        ("trusted_schema", "0"),
        ("secure_delete", "1"),
        ("journal_size_limit", "67108864"),
    ] {
        let sql = format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}");
        let value: String = match connection.query_row(&sql, [], |row| row.get(0)) {
            Ok(value) => value,
            Err(_) => connection
                .query_row(&format!("PRAGMA {pragma}"), [], |row| {
                    row.get::<_, rusqlite::types::Value>(0).map(|value| match value {
                        rusqlite::types::Value::Integer(value) => value.to_string(),
                        rusqlite::types::Value::Text(value) => value,
                        other => format!("{other:?}"),
                    })
                })
                .unwrap(),
        };
        assert_eq!(value, expected, "{pragma}");
    }
    let reader = reading(&engine.log.path).unwrap();
    assert!(reader.execute_batch("DELETE FROM meta").is_err(), "readers cannot write");
}

/// A commit that fails in the engine: nothing is acknowledged, nothing comes back, and the next one is whole.
#[tokio::test]
async fn after_a_failed_commit_the_file_is_settled_on_a_new_connection() {
    let engine = Sqlite::new().await;
    let connection = engine.log.settled().unwrap();
    connection.commit_hook(Some(|| true)).unwrap();
    let mut writer = SqliteWriter::new(connection, Arc::clone(&engine.log.doubt), None);
    writer.begin().await.unwrap();
    writer.set_meta("x", "never").await.unwrap();
    assert!(matches!(writer.commit().await, Err(LogError::Unknown(_))));
    assert!(engine.log.doubt.load(Ordering::Acquire));
    drop(writer);
    let node = Node::start(&engine.log());
    assert_eq!(node.filed().await.position, 1);
    assert!(!engine.log.doubt.load(Ordering::Acquire), "settled before anything was written");
    assert_eq!(engine.log.meta("x").await.unwrap(), None);
}

/// Statements heard on a connection, with their values.
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn heard(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(statement, _) = event {
        HEARD.lock().unwrap().extend(statement.expanded_sql());
    }
}

/// The committer's statements, and those of whoever looks something up, find their rows by an index: on an empty log and
/// on a full one, where SQLite knows how much there is. The head is the last row of the table itself.
#[tokio::test]
async fn statements_find_their_rows_by_indices_on_an_empty_and_on_a_full_log() {
    let engine = Sqlite::new().await;
    for full in [false, true] {
        if full {
            let node = Node::start(&engine.log());
            for _ in 0..200 {
                node.filed().await;
            }
            node.stop();
        }
        let connection = engine.log.settled().unwrap();
        if full {
            connection.execute_batch("ANALYZE").unwrap();
        }
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(heard));
        let mut writer = SqliteWriter::new(connection, Arc::clone(&engine.log.doubt), None);
        work(&mut writer, &engine.log).await;
        let heard = std::mem::take(&mut *HEARD.lock().unwrap());
        assert!(heard.len() > 15, "{heard:?}");
        let plans = reading(&engine.log.path).unwrap();
        for sql in heard.iter().filter(|sql| !sql.starts_with("BEGIN") && !sql.starts_with("ROLLBACK")) {
            let mut plan = plans.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = plan.query_map([], |row| row.get::<_, String>(3)).unwrap().map(Result::unwrap);
            let is_head = sql.contains("FROM event ORDER BY position DESC LIMIT 1");
            for step in steps.filter(|_| !is_head) {
                assert!(!step.starts_with("SCAN "), "full {full}: {step}: {sql}");
            }
        }
    }
}

/// One batch with everything that a batch may hold, undone again; and what readers ask.
async fn work(writer: &mut SqliteWriter, log: &SqliteLog) {
    let (stream, file) = (StreamId(Uuid::from_u128(1)), AttachmentId(Uuid::from_u128(2)));
    let head = writer.begin().await.unwrap().head;
    let wanted = Wanted {
        streams: vec![(stream, 0)],
        keys: vec![stream],
        commands: vec![Uuid::from_u128(3)],
        attachments: vec![file],
        year: 2026,
    };
    writer.load(&wanted).await.unwrap();
    let until = time("2027-01-01T00:00:00Z");
    for which in [Kept::Session([1; 32]), Kept::Upload(file), Kept::Draft(person(1), Uuid::nil())] {
        let keep = Upkeep::Keep { which, owner: person(1), sealed: Vec::new(), expires_at: until };
        writer.upkeep(&keep).await.unwrap();
    }
    let batch = Batch {
        keys: vec![(stream, vec![1])],
        numbers: vec![(CaseNumber::new(2026, 1000), stream)],
        attachments: vec![(file, stream)],
        ..Batch::default()
    };
    writer.write(&batch).await.unwrap();
    let (name, delivery, reaction) = ("mail".to_owned(), Uuid::from_u128(4), "mail".to_owned());
    let lease = Upkeep::TakeLease { name, holder: Uuid::nil(), now: until, until };
    writer.upkeep(&lease).await.unwrap();
    for upkeep in [
        Upkeep::BeginAttempt { delivery, reaction, epoch: 1, next_attempt_at: until },
        Upkeep::Postpone { delivery, next_attempt_at: until, reply: String::new() },
        Upkeep::EndDelivery { delivery, sent: true, reply: String::new() },
        Upkeep::Forget(Kept::Upload(file)),
    ] {
        writer.upkeep(&upkeep).await.unwrap();
    }
    writer.rollback().await;
    assert_eq!(log.head().await.unwrap().position, head.position);
}
