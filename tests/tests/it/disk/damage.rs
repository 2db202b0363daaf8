//! Point 1 c and d: read models that are lost, broken or of another version are built anew by themselves; a log that is
//! torn, cut short or older than its read models is refused in words. Each on the real program.

use std::fs;
use std::path::Path;

use rusqlite::config::DbConfig;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::program::{Acknowledged, Program, Start, copy_folder, live, read_models, run, words};

/// A folder that was left in the middle of work, with a WAL, and what was acknowledged in it.
struct Left {
    folder: TempDir,
    known: Acknowledged,
}

static LEFT: OnceCell<Left> = OnceCell::const_new();

/// A copy of a folder that was left as a loss of power leaves it.
async fn left() -> (TempDir, &'static Acknowledged) {
    let left = LEFT
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let program = Program::start(folder.path()).await;
            let mut known = Acknowledged::default();
            live(&program, &mut known).await;
            live(&program, &mut known).await;
            // As long as somebody reads what is there now, what comes is not moved out of the WAL.
            let reader = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
            reader.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
            reader.execute_batch("BEGIN; SELECT count(*) FROM event;").unwrap();
            live(&program, &mut known).await;
            let case = known.cases.keys().next_back().unwrap();
            let shown = program.olle().request(reqwest::Method::GET, &format!("/cases/{case}"));
            let shown = shown.header("read-after", known.position).send().await.unwrap();
            assert!(shown.status().is_success());
            program.kill().await;
            assert!(fs::metadata(folder.path().join("log.db-wal")).unwrap().len() > 0);
            Left { folder, known }
        })
        .await;
    let copy = tempfile::tempdir().unwrap();
    copy_folder(left.folder.path(), copy.path());
    (copy, &left.known)
}

/// The same, with everything moved into log.db, as a stop leaves it.
async fn stopped() -> (TempDir, &'static Acknowledged) {
    let (folder, known) = left().await;
    Program::start(folder.path()).await.stop().await;
    let log = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    let busy: i64 = log.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    drop(log);
    assert!(busy == 0 && !folder.path().join("log.db-wal").exists());
    (folder, known)
}

/// It starts, says this, and shows everything.
async fn starts_and_says(data: &Path, known: &Acknowledged, said: &str) {
    let program = Program::start(data).await;
    known.is_in(&program).await;
    let list: Value = program.olle().get("/cases?scope=queue").await.json().await.unwrap();
    assert_eq!(list["_meta"]["totalRecords"].as_u64(), Some(known.cases.len() as u64), "{list}");
    let words = program.stop().await;
    assert!(words.contains(said), "`{said}` is not in: {words}");
    let proof = run(data, &["read-model", "verify"]);
    assert!(proof.status.success(), "{}", self::words(&proof));
}

/// It refuses to start, says this, and says what to do.
async fn is_refused(data: &Path, said: &str, advice: &str) {
    is_refused_for_one_of(data, &[said], advice).await;
}

/// As [`is_refused`], where one of several things is seen first.
async fn is_refused_for_one_of(data: &Path, said: &[&str], advice: &str) {
    let words = match Program::try_start(data, &Start::default()).await {
        Ok(program) => panic!("it started, where it should say one of {said:?}: {}", program.said()),
        Err(words) => words,
    };
    assert!(
        said.iter().any(|said| words.contains(said)) && words.contains(advice),
        "none of {said:?}, or not `{advice}`, is in: {words}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_leaves_is_whole() {
    let (folder, known) = left().await;
    starts_and_says(folder.path(), known, "Kundwebb is ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_that_are_lost_or_of_another_version_are_built_anew() {
    let (folder, known) = stopped().await;
    let file = read_models(folder.path());
    fs::remove_file(&file).unwrap();
    starts_and_says(folder.path(), known, "building the read models from the log").await;
    fs::rename(&file, folder.path().join("read-0123456789abcdef.db")).unwrap();
    let check = run(folder.path(), &["check"]);
    assert!(
        words(&check).contains("FAIL  read models: they are those of another version"),
        "{}",
        words(&check)
    );
    starts_and_says(folder.path(), known, "the read models are those of another version").await;
    assert!(!folder.path().join("read-0123456789abcdef.db").exists(), "and the old ones are gone");
}

/// The file after a statement that nobody of ours makes.
fn changed(file: &Path, sql: &str) -> Vec<u8> {
    let copy = tempfile::NamedTempFile::new().unwrap();
    fs::copy(file, copy.path()).unwrap();
    let connection = rusqlite::Connection::open(copy.path()).unwrap();
    connection.execute_batch(&format!("PRAGMA journal_mode=DELETE; {sql}")).unwrap();
    drop(connection);
    fs::read(copy.path()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_read_models_are_built_anew() {
    let (folder, known) = stopped().await;
    let file = read_models(folder.path());
    let whole = fs::read(&file).unwrap();
    let noise = |place: usize, length: usize| {
        let mut bytes = whole.clone();
        let place = place.min(bytes.len() - length);
        bytes[place..place + length]
            .iter_mut()
            .enumerate()
            .for_each(|(at, byte)| *byte = (at * 97 % 251) as u8 | 1);
        bytes
    };
    let kinds = [
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("cut within a page", whole[..whole.len() - 1000].to_vec()),
        ("cut to its header", whole[..100].to_vec()),
        ("its header overwritten", noise(0, 100)),
        ("its table of tables overwritten", noise(100, 3000)),
        ("a page in the middle overwritten", noise(whole.len() / 2 / 4096 * 4096, 200)),
        ("the end overwritten", noise(whole.len() / 4096 * 4096 - 4096, 4096)),
        ("text", b"this is no database".to_vec()),
        ("empty", Vec::new()),
        ("another database", changed(&file, "DROP TABLE queue")),
        ("without its place", changed(&file, "DELETE FROM position")),
        ("without an index", changed(&file, "DROP INDEX queue_open")),
    ];
    for (kind, bytes) in kinds {
        fs::write(&file, bytes).unwrap();
        let check = run(folder.path(), &["check"]);
        assert!(words(&check).contains("FAIL  read models: "), "{kind}: {}", words(&check));
        assert_eq!(check.status.code(), Some(1), "{kind}");
        starts_and_says(folder.path(), known, "they are built anew from the log").await;
    }
}

/// Whoever looks at them beside a server changes nothing: it is the server's to build them anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_damaged_read_models_leaves_them_to_the_server() {
    let (folder, known) = stopped().await;
    let file = read_models(folder.path());
    let remembered = file.with_extension("db.damaged");
    let program = Program::start(folder.path()).await;
    fs::write(&remembered, b"").unwrap();
    for command in [["read-model", "status"].as_slice(), &["check"]] {
        let looked = run(folder.path(), command);
        assert!(words(&looked).contains("damaged"), "{}", words(&looked));
        assert_eq!(looked.status.code(), Some(1));
    }
    assert!(file.exists() && remembered.exists());
    known.is_in(&program).await;
    program.stop().await;
    starts_and_says(folder.path(), known, "they are built anew from the log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_copy_is_refused() {
    // Copied without its WAL. Seen by the file itself, if some of the end had been moved into it when the process was killed,
    // else by the read models.
    let cut_short = "cut short, or copied while it was written";
    let (folder, _) = left().await;
    fs::remove_file(folder.path().join("log.db-wal")).unwrap();
    is_refused_for_one_of(folder.path(), &["the log went back", cut_short], "kundwebb restore").await;
    let check = words(&run(folder.path(), &["check"]));
    let found = ["FAIL  read models: they have seen an event at position", cut_short];
    assert!(found.iter().any(|found| check.contains(found)), "{check}");
    // Its WAL without its end.
    let (folder, _) = left().await;
    let wal = folder.path().join("log.db-wal");
    let bytes = fs::read(&wal).unwrap();
    let cut = &bytes[..bytes.len() * 3 / 4];
    fs::write(&wal, cut).unwrap();
    let seen = ["the log went back", "log.db-wal is older than log.db", "do not belong together", cut_short];
    is_refused_for_one_of(folder.path(), &seen, "kundwebb restore").await;
    assert_eq!(fs::read(&wal).unwrap(), cut, "nothing is changed before that");
    // Copied in part, with a WAL that would hide it.
    let (folder, _) = stopped().await;
    let half = |folder: &Path| {
        let log = folder.join("log.db");
        let bytes = fs::read(&log).unwrap();
        fs::write(&log, &bytes[..bytes.len() / 8192 * 4096]).unwrap();
    };
    let program = Program::start(folder.path()).await;
    live(&program, &mut Acknowledged::default()).await;
    program.kill().await;
    half(folder.path());
    is_refused(folder.path(), cut_short, "kundwebb restore").await;
    let check = words(&run(folder.path(), &["check"]));
    assert!(check.contains(cut_short), "{check}");
}

/// Copied by hand while the server ran, the WAL first and the read models not at all: moved into the log, it would take away
/// what came between.
#[tokio::test(flavor = "multi_thread")]
async fn a_wal_of_an_earlier_time_is_refused_and_never_moved() {
    let (folder, known) = left().await;
    let [log, wal] = ["log.db", "log.db-wal"].map(|name| folder.path().join(name));
    let earlier = fs::read(&wal).unwrap();
    let program = Program::start(folder.path()).await;
    let mut more = Acknowledged::default();
    live(&program, &mut more).await;
    program.stop().await;
    for file in fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap().to_string_lossy().starts_with("read-") {
            fs::remove_file(file).unwrap();
        }
    }
    let whole = fs::read(&log).unwrap();
    fs::write(&wal, &earlier).unwrap();
    for command in [&["check"] as &[&str], &["log", "verify"], &["read-model", "rebuild"]] {
        let told = run(folder.path(), command);
        assert!(words(&told).contains("log.db-wal is older than log.db"), "{command:?}: {}", words(&told));
    }
    is_refused(folder.path(), "log.db-wal is older than log.db", "kundwebb restore").await;
    assert!(fs::read(&log).unwrap() == whole && fs::read(&wal).unwrap() == earlier);
    fs::remove_file(&wal).unwrap();
    let program = Program::start(folder.path()).await;
    known.is_in(&program).await;
    more.is_in(&program).await;
    program.stop().await;
}

/// How many commits a WAL holds: frames of its round, told by the salts of its head, that name a size of the file.
fn commits(wal: &[u8]) -> usize {
    let frames = wal[32..].chunks_exact(24 + 4096);
    frames.filter(|frame| frame[8..16] == wal[16..24] && frame[4..8] != [0; 4]).count()
}

/// What waits in the WAL was acknowledged. Damaged, it is refused by everything that opens the log, and stays as it is:
/// whoever can mend it loses nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_wal_is_refused_and_left_as_it_is() {
    // The checkpointer begins the WAL anew now and then; what is behind that is of no account.
    let (folder, known, whole) = loop {
        let (folder, known) = left().await;
        let whole = fs::read(folder.path().join("log.db-wal")).unwrap();
        if commits(&whole) > 3 {
            break (folder, known, whole);
        }
    };
    let wal = folder.path().join("log.db-wal");
    // Its head, and its first page.
    for at in [0, 32 + 24 + 100] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xff;
        fs::write(&wal, &damaged).unwrap();
        let copy = folder.path().join("copy");
        let backup = ["backup", "--to", copy.to_str().unwrap()];
        for command in [&["check"] as &[&str], &["log", "verify"], &backup] {
            let told = run(folder.path(), command);
            assert!(words(&told).contains("log.db-wal is damaged"), "{command:?}: {}", words(&told));
            assert_eq!(told.status.code(), Some(1), "{command:?}");
        }
        is_refused(folder.path(), "log.db-wal is damaged", "kundwebb restore").await;
        assert_eq!(fs::read(&wal).unwrap(), damaged);
    }
    fs::write(&wal, &whole).unwrap();
    assert_eq!(run(folder.path(), &["log", "verify"]).status.code(), Some(0));
    assert_eq!(fs::read(&wal).unwrap(), whole, "whoever only reads leaves it");
    let program = Program::start(folder.path()).await;
    known.is_in(&program).await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_cut_short_missing_or_foreign_is_refused() {
    let (folder, known) = stopped().await;
    let log = folder.path().join("log.db");
    let whole = fs::read(&log).unwrap();
    for kept in [whole.len() / 2, whole.len() - 4096, whole.len() - 1, 5000, 50] {
        fs::write(&log, &whole[..kept]).unwrap();
        is_refused(folder.path(), "cut short", "kundwebb restore").await;
        let check = run(folder.path(), &["check"]);
        assert!(words(&check).contains("FAIL  log: the log is damaged"), "{kept}: {}", words(&check));
        assert!(words(&check).contains("kundwebb restore") && check.status.code() == Some(1));
    }
    fs::write(
        &log,
        "this is no log, whatever its name is; it has more bytes than the header of a file of the engine, \
                     so that nobody can say that it was only too short to be looked at",
    )
    .unwrap();
    is_refused(folder.path(), "is no log of kundwebb", "kundwebb restore").await;
    for empty in [true, false] {
        if empty { fs::write(&log, b"") } else { fs::remove_file(&log) }.unwrap();
        is_refused(folder.path(), "log.db is missing", "kundwebb restore").await;
        assert_eq!(log.exists(), empty, "none is made");
        let check = words(&run(folder.path(), &["check"]));
        assert!(check.contains("FAIL  log: "), "{check}");
    }
    fs::write(&log, &whole).unwrap();
    starts_and_says(folder.path(), known, "Kundwebb is ready").await;
}

/// Nobody can tell a good old log from a new one but by what else has seen it.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_older_than_its_read_models_is_refused_until_it_is_taken_as_it_is() {
    let (folder, _) = stopped().await;
    let old = fs::read(folder.path().join("log.db")).unwrap();
    let program = Program::start(folder.path()).await;
    let known = {
        let mut known = Acknowledged::default();
        live(&program, &mut known).await;
        known
    };
    program.stop().await;
    fs::write(folder.path().join("log.db"), old).unwrap();
    is_refused(folder.path(), "the log went back", "kundwebb read-model rebuild").await;
    let rebuilt = run(folder.path(), &["read-model", "rebuild"]);
    assert!(rebuilt.status.success(), "{}", words(&rebuilt));
    let program = Program::start(folder.path()).await;
    assert!((program.events().await.len() as u64) < known.position);
    program.stop().await;
}

/// What no start can see is found by the whole proof.
#[tokio::test(flavor = "multi_thread")]
async fn damage_far_from_the_end_is_found_by_log_verify() {
    let (folder, _) = stopped().await;
    let log = folder.path().join("log.db");
    let mut bytes = fs::read(&log).unwrap();
    let index = rusqlite::Connection::open(&log).unwrap();
    let page: usize = index
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_event_1'", [], |row| {
            row.get(0)
        })
        .unwrap();
    drop(index);
    // An entry of an index that no reading of all events looks at.
    let end = page * 4096;
    bytes[end - 40..end - 20].fill(0x5a);
    fs::write(&log, bytes).unwrap();
    let verified = run(folder.path(), &["log", "verify"]);
    assert!(words(&verified).contains("FAIL  log.db: "), "{}", words(&verified));
    assert_eq!(verified.status.code(), Some(1));
}
