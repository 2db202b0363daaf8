//! The log on PostgreSQL: the contract, and what is PostgreSQL's own.

use std::sync::Arc;

use async_trait::async_trait;
use cluster::Cluster;
use domain::AttachmentId;
use futures::FutureExt;
use sqlx::{AssertSqlSafe, Row};

use super::*;
use crate::log::contract::{Engine, contract};
use crate::log::copying::copy;
use crate::log::sqlite::{self, SqliteLog};
use crate::log::{Batch, Kept, Log};
use crate::startup;
use crate::testing::*;

/// A log in a database of its own.
struct Postgres {
    log: Arc<PostgresLog>,
    url: String,
    _cluster: Arc<Cluster>,
}

async fn new_database() -> (Arc<Cluster>, String) {
    let made = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::shared().unwrap();
        let url = cluster.database().unwrap();
        (cluster, url)
    });
    made.await.unwrap()
}

#[async_trait]
impl Engine for Postgres {
    async fn new() -> Self {
        let (cluster, url) = new_database().await;
        let log = PostgresLog::open(&url, false).await.unwrap();
        Self { log: Arc::new(log), url, _cluster: cluster }
    }

    fn log(&self) -> Arc<dyn Log> {
        Arc::<PostgresLog>::clone(&self.log)
    }

    async fn intrude(&self, sql: &str) -> Result<(), String> {
        let mut owner = PgConnection::connect(&self.url).await.unwrap();
        owner.execute(raw_sql("SET search_path = kundwebb, kundwebb_keys")).await.unwrap();
        owner.execute(raw_sql(AssertSqlSafe(sql))).await.map(drop).map_err(|error| error.to_string())
    }

    async fn intrude_reads(&self, sql: &str) -> Result<(), String> {
        self.intrude(&format!("SET search_path = kundwebb_reads, kundwebb_keys; {sql}")).await
    }

    async fn past_triggers(&self, sql: &str) {
        let sql = format!("SET session_replication_role = replica; {sql}");
        self.intrude_reads(&sql).await.unwrap();
    }

    fn bytes(sql: &str, bytes: &[u8]) -> String {
        sql.replace("{}", &format!("'\\x{}'", hex::encode(bytes)))
    }
}

contract!(Postgres);

/// A second connection of the program itself, with the rights that it has.
async fn as_the_program(engine: &Postgres, sql: &str) -> Result<(), String> {
    let mut connection = engine.log.connection().await.unwrap();
    connection.execute(raw_sql(AssertSqlSafe(sql))).await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_may_only_read_and_append_and_meets_keys_by_functions_alone() {
    let engine = Postgres::new().await;
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    for refused in [
        "UPDATE event SET facts = '{}'",
        "DELETE FROM event",
        "TRUNCATE event",
        "DELETE FROM case_number",
        "UPDATE attachment SET stream_id = attachment_id",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "DROP TRIGGER event_is_never_changed ON event",
        "SELECT * FROM kundwebb_keys.case_key",
        "DELETE FROM kundwebb_keys.case_key",
        "UPDATE kundwebb_reads.read_log SET month = ''",
        "DELETE FROM kundwebb_reads.read_log",
        "TRUNCATE kundwebb_reads.read_case",
        "ALTER TABLE kundwebb_reads.read_log DISABLE TRIGGER ALL",
        "SELECT * FROM kundwebb_keys.read_key",
        "DELETE FROM kundwebb_keys.read_key",
        "CREATE TABLE more (id int)",
    ] {
        let error = as_the_program(&engine, refused).await.unwrap_err();
        assert!(error.contains("permission denied") || error.contains("must be owner"), "{refused}: {error}");
    }
    assert_eq!(node.log.keys(&[case.id.into()]).await.unwrap().len(), 1);
    assert!(as_the_program(&engine, "SELECT count(*) FROM event").await.is_ok());
}

/// Nodes may have a login of their own, which owns nothing: not even when it forgets the role that it works as.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_owns_nothing_is_enough_for_a_node() {
    let engine = Postgres::new().await;
    let login = format!("node_{}", crate::random::id().simple());
    engine.intrude(&format!("CREATE ROLE {login} LOGIN; GRANT kundwebb_log TO {login}")).await.unwrap();
    let url = engine.url.replace("postgres://owner@", &format!("postgres://{login}@"));
    let log: Arc<dyn Log> = Arc::new(PostgresLog::open(&url, false).await.unwrap());
    let node = Node::start(&log);
    node.filed().await;
    let mut bare = PgConnection::connect(&url).await.unwrap();
    for refused in [
        "UPDATE kundwebb.event SET facts = '{}'",
        "DELETE FROM kundwebb.event",
        "ALTER TABLE kundwebb.event DISABLE TRIGGER ALL",
        "SELECT * FROM kundwebb_keys.case_key",
        "SET ROLE kundwebb_keys",
    ] {
        let error = bare.execute(raw_sql(refused)).await.unwrap_err().to_string();
        assert!(error.contains("permission denied") || error.contains("must be owner"), "{refused}: {error}");
    }
    // It cannot make the log; the words say who can.
    let empty = Postgres::new().await;
    empty.intrude("DROP SCHEMA kundwebb CASCADE; DROP SCHEMA kundwebb_keys CASCADE").await.unwrap();
    let url = empty.url.replace("postgres://owner@", &format!("postgres://{login}@"));
    let error = PostgresLog::open(&url, false).await.err().unwrap().to_string();
    assert!(error.contains("kundwebb log create"), "{error}");
}

/// Also for the owner: whatever adds to the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_added_at_the_end_only() {
    let engine = Postgres::new().await;
    let node = Node::start(&engine.log());
    node.filed().await;
    node.filed().await;
    let copied = |position: &str, stream: &str, version: u32| {
        format!(
            "INSERT INTO event SELECT {position}, {stream}, {version}, type, schema_version, recorded_at, actor, employer, \
             command_id, correlation, facts, sealed, key_id, leaf_hash FROM event WHERE position = 1"
        )
    };
    for (position, stream, version) in
        [("4", "stream_id", 2), ("0", "stream_id", 2), ("3", "stream_id", 3), ("3", "gen_random_uuid()", 2)]
    {
        let error = engine.intrude(&copied(position, stream, version)).await.unwrap_err();
        assert!(error.contains("only at the end"), "{position} {version}: {error}");
    }
    engine.intrude(&copied("3", "stream_id", 2)).await.unwrap();
    engine.intrude(&copied("4", "gen_random_uuid()", 1)).await.unwrap();
}

/// Under READ COMMITTED a statement sees what was committed when it began. The statement that waits for the lock began
/// before the last holder committed; if it told the head, the next event would get a position that is taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_is_read_by_a_statement_after_the_one_that_waits_for_the_lock() {
    let engine = Postgres::new().await;
    let node = Node::start(&engine.log());
    node.filed().await;
    let mut holder = node.log.writer().await.unwrap();
    holder.begin().await.unwrap();
    let mut waiting = node.log.writer().await.unwrap();
    let mut begins = Box::pin(waiting.begin());
    assert!(futures::poll!(&mut begins).is_pending());
    let waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let mut other = engine.log.connection().await.unwrap();
    let reached = async {
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut other).await.unwrap() == 0 {
            assert!(futures::poll!(&mut begins).is_pending());
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("it waits for the lock");
    let mut event = node.log.events_after(0, 1).await.unwrap().remove(0);
    (event.position, event.version) = (2, 2);
    holder.write(&Batch { events: vec![event], ..Batch::default() }).await.unwrap();
    holder.commit().await.unwrap();
    assert_eq!(begins.await.unwrap().head.position, 2);
}

/// A plan that was made on empty tables is kept while they grow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_needs_is_found_by_indices_on_empty_tables_too() {
    let engine = Postgres::new().await;
    let mut writer = engine.log.connection().await.unwrap();
    let (load, writing) = (write::LOAD, write::WRITING);
    let prepare =
        format!("{writing}; PREPARE load (uuid[], bigint[], uuid[], uuid[], uuid[], integer) AS {load}");
    writer.execute(raw_sql(AssertSqlSafe(prepare))).await.unwrap();
    let explain = raw_sql("EXPLAIN EXECUTE load ('{}', '{}', '{}', '{}', '{}', 2026)");
    let plan = writer.fetch_all(explain).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.try_get(0).unwrap()).collect();
    let plan = plan.join("\n");
    assert!(plan.contains("Index") && !plan.contains("Seq Scan"), "{plan}");
}

/// A node that is paused or cut off while it holds the lock loses it, and what it had not committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_does_nothing_loses_the_lock() {
    let engine = Postgres::new().await;
    let node = Node::start(&engine.log());
    let mut holder = node.log.writer().await.unwrap();
    holder.begin().await.unwrap();
    let case = node.filed().await;
    assert_eq!(case.position, 1);
    let error = holder.set_meta("late", "x").await.unwrap_err();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    assert!(matches!(holder.commit().await, Err(LogError::Unknown(_))));
    assert_eq!(node.log.meta("late").await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_is_the_database_s() {
    let engine = Postgres::new().await;
    let log: Arc<dyn Log> = Arc::new(PostgresLog::open(&engine.url, true).await.unwrap());
    let node = Node::start(&log);
    node.clock.set(time("2031-01-01T00:00:00Z"));
    let told = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let mut asking = engine.log.connection().await.unwrap();
    let before: i64 = sqlx::query_scalar(told).fetch_one(&mut asking).await.unwrap();
    node.filed().await;
    let after: i64 = sqlx::query_scalar(told).fetch_one(&mut asking).await.unwrap();
    let recorded = node.log.head().await.unwrap().recorded_at;
    assert!((before..=after).contains(&recorded), "{before} {recorded} {after}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_is_said_in_words() {
    let error = PostgresLog::open("postgres://nobody@127.0.0.1:9/none", true).await.err().unwrap();
    assert!(matches!(error, LogError::Unavailable(_)), "{error}");
    let error = PostgresLog::open("sqlite:log.db", true).await.err().unwrap().to_string();
    assert!(error.contains("address of the database"), "{error}");
}

/// Several nodes come to a new database at once: one makes the schema, the others wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_together_share_a_new_database() {
    let (_cluster, url) = new_database().await;
    let [mut first, mut watching] =
        [PgConnection::connect(&url).await.unwrap(), PgConnection::connect(&url).await.unwrap()];
    let making = "BEGIN; SELECT pg_advisory_xact_lock(7726582210894); CREATE SCHEMA kundwebb";
    first.execute(raw_sql(making)).await.unwrap();
    let second = tokio::spawn(async move { PostgresLog::open(&url, true).await.map(drop) });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let waiting =
        async { while query_scalar::<_, i64>(waits).fetch_one(&mut watching).await.unwrap() == 0 {} };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the second waits");
    first.execute(raw_sql("COMMIT")).await.unwrap();
    second.await.unwrap().unwrap();
}

/// A small installation grows, and could go back: bytes, hashes and everything beside the events stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_moves_to_another_engine_and_back() {
    let [first, last] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let sqlite: Arc<dyn Log> = Arc::new(SqliteLog::open(first.path()).unwrap());
    let node = Node::start(&sqlite);
    startup::check(sqlite.as_ref(), &node.keys).await.unwrap();
    for year in ["2026-12-30T10:00:00Z", "2027-01-02T10:00:00Z"] {
        node.clock.set(time(year));
        let upload = AttachmentId(crate::random::id());
        node.stage(upload).await;
        let case = node.run(request(&reporter(), new_case(), create(vec![file(upload)]))).await.unwrap();
        node.run(request(&reporter(), case.id, message("Hej"))).await.unwrap();
        node.filed().await;
        node.stage(AttachmentId(crate::random::id())).await;
    }
    let read = |log: Arc<dyn Log>| {
        let (keys, clock) = (Arc::clone(&node.keys), node.clock.clone());
        let recorder =
            crate::Recorder::start(crate::read_log::Settings { log, keys, clock, bound: 0 }).unwrap().0;
        let reading = domain::Reading {
            who: person(2),
            role: "officer".to_owned(),
            what: domain::reading::What::Case,
            cases: vec![domain::CaseId(uuid::Uuid::nil())],
            attachment: None,
            positions: None,
            reason: None,
        };
        async move { recorder.record(reading).await.map(drop) }
    };
    read(sqlite.clone()).await.unwrap();
    let engine = Postgres::new().await;
    let moved = copy(sqlite.as_ref(), engine.log.as_ref(), &|_, _| {}).await.unwrap();
    let reads = |log: Arc<dyn Log>| async move {
        let reads = log.reads();
        let rows = reads.reads_after(0, 100).await.unwrap();
        (rows, reads.read_tokens(0, u64::MAX).await.unwrap(), reads.read_keys().await.unwrap())
    };
    assert_eq!(reads(engine.log()).await, reads(sqlite.clone()).await);
    read(sqlite.clone()).await.unwrap();
    assert_eq!((moved.head, moved.before), (sqlite.head().await.unwrap(), 0));
    startup::check(engine.log.as_ref(), &node.keys).await.unwrap();
    // Once more is nothing more; and it goes on where the other stopped.
    assert_eq!(
        copy(sqlite.as_ref(), engine.log.as_ref(), &|_, _| {}).await.unwrap().before,
        moved.head.position
    );
    node.filed().await;
    let moved = copy(sqlite.as_ref(), engine.log.as_ref(), &|_, _| {}).await.unwrap();
    assert_eq!(moved.before + 1, moved.head.position);
    let back = SqliteLog::open(last.path()).unwrap();
    assert_eq!(copy(engine.log.as_ref(), &back, &|_, _| {}).await.unwrap().head, moved.head);
    let back: Arc<dyn Log> = Arc::new(back);
    assert_eq!(reads(Arc::clone(&back)).await, reads(sqlite.clone()).await);
    assert_eq!(reads(Arc::clone(&back)).await.0.len(), 2);
    read(engine.log()).await.unwrap();
    assert_eq!(reads(engine.log()).await.0.len(), 3, "readings go on");
    // Numbers go on, and what was done before is known.
    let mut grown = Node::start(&engine.log());
    grown.keys = Arc::clone(&node.keys);
    grown.clock.set(time("2027-01-03T10:00:00Z"));
    assert_eq!(grown.filed().await.case_number.to_string(), "2027-000004-3");
    // Another log is not written over.
    let error = copy(back.as_ref(), engine.log.as_ref(), &|_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("another log"), "{error}");
}

/// Cut off when it goes on, a copy is nobody's until it is whole; and none is made of a log onto itself, whatever it is
/// called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_cut_off_is_nobodys() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite: Arc<dyn Log> = Arc::new(SqliteLog::open(folder.path()).unwrap());
    let node = Node::start(&sqlite);
    startup::check(sqlite.as_ref(), &node.keys).await.unwrap();
    node.filed().await;
    let engine = Postgres::new().await;
    copy(sqlite.as_ref(), engine.log.as_ref(), &|_, _| {}).await.unwrap();
    startup::check(engine.log.as_ref(), &node.keys).await.unwrap();
    node.filed().await;
    let cut = copy(sqlite.as_ref(), engine.log.as_ref(), &|_, _| panic!("cut off"));
    assert!(std::panic::AssertUnwindSafe(cut).catch_unwind().await.is_err());
    assert_eq!(engine.log.head().await.unwrap(), sqlite.head().await.unwrap());
    let said = startup::check(engine.log.as_ref(), &node.keys).await.unwrap_err().to_string();
    assert!(said.contains("run `kundwebb log copy` again"), "{said}");
    copy(sqlite.as_ref(), engine.log.as_ref(), &|_, _| {}).await.unwrap();
    startup::check(engine.log.as_ref(), &node.keys).await.unwrap();
    let again = PostgresLog::open(&engine.url, false).await.unwrap();
    let error = copy(&again, engine.log.as_ref(), &|_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("the same log"), "{error}");
    startup::check(engine.log.as_ref(), &node.keys).await.unwrap();
}

/// A copy that is made again has no row more than its source; what cannot be put right is found by the proof.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_again_holds_what_the_source_holds_by_then() {
    let (engine, folder) = (Postgres::new().await, tempfile::tempdir().unwrap());
    let node = Node::start(&engine.log());
    let upload = AttachmentId(crate::random::id());
    node.stage(upload).await;
    let target = SqliteLog::open(folder.path()).unwrap();
    copy(engine.log.as_ref(), &target, &|_, _| {}).await.unwrap();
    assert!(target.kept(Kept::Upload(upload)).await.unwrap().is_some());
    node.run(request(&reporter(), new_case(), create(vec![file(upload)]))).await.unwrap();
    copy(engine.log.as_ref(), &target, &|_, _| {}).await.unwrap();
    assert!(target.kept(Kept::Upload(upload)).await.unwrap().is_none());
    rusqlite::Connection::open(folder.path().join(sqlite::FILE))
        .unwrap()
        .execute_batch("UPDATE case_key SET wrapped = x'00'")
        .unwrap();
    let error = copy(engine.log.as_ref(), &target, &|_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("not the same: the keys"), "{error}");
}

/// A backup reads for a long time; what nodes add meanwhile is not in it, and when its moment is lost it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_moment_is_seen_to_its_end_or_not_at_all() {
    let engine = Postgres::new().await;
    let node = Node::start(&engine.log());
    let before = node.filed().await;
    let moment = PostgresLog::open_at_this_moment(&engine.url).await.unwrap();
    let after = node.filed().await;
    assert_eq!(moment.head().await.unwrap().position, before.position);
    assert_eq!(moment.events_after(0, 10).await.unwrap().len(), 1);
    assert!(moment.keys(&[after.id.into()]).await.unwrap().is_empty());
    assert_eq!(moment.keys(&[before.id.into()]).await.unwrap().len(), 1);
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
               AND state = 'idle in transaction'";
    engine.intrude(end).await.unwrap();
    assert!(matches!(moment.head().await, Err(LogError::Unavailable(_))));
    assert!(matches!(moment.head().await, Err(LogError::Unavailable(_))), "no other moment");
}

/// A server and its standby, and a log that knows both.
struct Pair {
    first: Cluster,
    second: Cluster,
    url: String,
    log: Arc<dyn Log>,
}

impl Pair {
    async fn new() -> Self {
        let made = tokio::task::spawn_blocking(|| {
            let quick = ["fsync=off", "full_page_writes=off"];
            let first = Cluster::start(&quick).unwrap();
            let second = first.standby("second", &quick).unwrap();
            first.wait_for("second").unwrap();
            let url = first.database().unwrap();
            let database = url.rsplit('/').next().unwrap().to_owned();
            // The standby is named first: it must be passed over.
            (cluster::several(&[&second, &first], &database), first, second)
        });
        let (url, first, second) = made.await.unwrap();
        let log = Arc::new(PostgresLog::open(&url, true).await.unwrap());
        Self { first, second, url, log }
    }

    async fn port(&self, sql: &str) -> i32 {
        let log = PostgresLog::open_read_only(&self.url).await.unwrap();
        query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *log.reader().await.unwrap()).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_that_can_be_written_is_used_and_found_again() {
    let mut pair = Pair::new().await;
    let node = Node::start(&pair.log);
    let (told, mut positions) = tokio::sync::mpsc::unbounded_channel();
    let heard: Heard = Arc::new(move |position| {
        let _ = told.send(position);
    });
    let listening = tokio::spawn({
        let log = Arc::clone(&pair.log);
        async move { log.listen(heard).await }
    });
    node.filed().await;
    assert_eq!(pair.port("SELECT inet_server_port()").await, i32::from(pair.first.port()));
    // Every reader's connection is at the first server, and stays open; so does the committer's.
    let readers = futures::future::join_all((0..5).map(|_| pair.log.head())).await;
    assert!(readers.into_iter().all(|head| head.unwrap().position > 0));
    let pair = {
        let taken_over = tokio::task::spawn_blocking(move || {
            pair.first.set("default_transaction_read_only", "on").unwrap();
            pair.second.promote().unwrap();
            pair
        });
        pair = taken_over.await.unwrap();
        pair
    };
    // No command is lost to the server that takes no writes any more.
    let case = node.filed().await;
    for _ in 0..5 {
        assert_eq!(pair.log.head().await.unwrap().position, case.position);
    }
    assert_eq!(pair.port("SELECT inet_server_port()").await, i32::from(pair.second.port()));
    let hear = async {
        loop {
            // It is heard of at the second server as soon as that is listened to.
            let filed = node.filed().await.position;
            let told = tokio::time::timeout(ANEW, async { while positions.recv().await.unwrap() < filed {} });
            if told.await.is_ok() {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), hear).await.expect("it is listened to the second server");
    listening.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_no_server_can_be_written_that_is_said_at_once() {
    let pair = Pair::new().await;
    let node = Node::start(&pair.log);
    node.filed().await;
    let pair = tokio::task::spawn_blocking(move || pair.first.kill().map(|()| pair).unwrap()).await.unwrap();
    let error = pair.log.writer().await.err().unwrap().to_string();
    assert!(error.contains("no server of the database can be written"), "{error}");
    assert!(error.contains("can only be read there"), "{error}");
    let asked = std::time::Instant::now();
    for _ in 0..100 {
        assert!(matches!(pair.log.head().await, Err(LogError::Unavailable(_))));
    }
    assert!(asked.elapsed() < Duration::from_secs(20), "who reads does not wait each: {:?}", asked.elapsed());
    let case = {
        let pair = tokio::task::spawn_blocking(move || pair.second.promote().map(|()| pair).unwrap());
        let pair = pair.await.unwrap();
        let case = node.filed().await;
        assert_eq!(pair.log.head().await.unwrap().position, case.position);
        case
    };
    assert!(case.position > 1, "what was there is there");
}
