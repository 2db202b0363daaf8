//! What holds for every read model, one test for the whole list [`ALL`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::{Event, StreamId};
use infrastructure::stored::StoredEvent;
use infrastructure::{Feed, LeafHash, LogError, Recorded, random};
use proptest::prelude::*;
use rusqlite::Connection;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::projector::ProjectorError;
use crate::read_models::{beside, file_name};
use crate::testing::*;
use crate::{ALL, Projection, Projector, ReadError, ReadModels, verify};

/// Tells one event of every type, those of a case in one stream.
fn one_of_every_type(gone: bool) -> Told {
    let mut told = Told::nothing();
    for type_name in Event::TYPES {
        let event = if gone { sample(type_name).gone() } else { sample(type_name) };
        let stream = match type_name.split_at(4).0 {
            "Pers" => StreamId(person(1).0),
            "Noti" if type_name.starts_with("Notice") => StreamId(Uuid::from_u128(900)),
            "Noti" | "Empl" | "File" | "Cont" | "Cata" => StreamId(random::id()),
            _ => StreamId(case(1).0),
        };
        told.tell("2026-11-23T10:00:00Z", stream, event);
    }
    told
}

#[test]
fn one_of_every_event_applies() {
    let told = one_of_every_type(false);
    assert_eq!(told.read.position(), Event::TYPES.len() as u64);
}

#[test]
fn one_of_every_event_applies_with_its_content_gone_and_no_byte_of_it_is_left() {
    let told = one_of_every_type(true);
    assert_eq!(told.read.position(), Event::TYPES.len() as u64);
    let Told { read, folder, .. } = told;
    drop(read);
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("2026-000123-3"), "facts stay");
    for personal in [
        "tjänstledighet",
        "Här kommer beslutet",
        "lönebesked mars",
        "Anna Öberg",
        "Ringde och",
        "fråga två gånger",
    ] {
        assert!(!holds(personal), "{personal}");
    }
}

#[test]
fn the_same_events_twice_change_nothing() {
    let told = one_of_every_type(false);
    let before = told.read.digest().unwrap();
    told.read.apply(&told.events).unwrap();
    told.read.apply(&told.events[3..]).unwrap();
    assert_eq!(told.read.position(), Event::TYPES.len() as u64);
    assert_eq!(told.read.digest().unwrap(), before);
}

#[test]
fn an_event_that_is_missing_in_between_is_an_error_and_changes_nothing() {
    let told = one_of_every_type(false);
    let fresh = Told::nothing();
    let before = fresh.read.digest().unwrap();
    assert!(matches!(fresh.read.apply(&told.events[1..]), Err(ReadError::Order { position: 0, found: 2 })));
    let mut gap = told.events.clone();
    gap.remove(5);
    assert!(matches!(fresh.read.apply(&gap), Err(ReadError::Order { position: 5, found: 7 })));
    assert_eq!((fresh.read.position(), fresh.read.digest().unwrap()), (0, before));
}

#[test]
fn the_digest_sees_every_table() {
    let told = one_of_every_type(false);
    let digest = told.read.digest().unwrap();
    let names: Vec<String> = told
        .read
        .read(|tables| {
            // The full text is emptied in its own way, and its list of terms with it.
            let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'full_text_%' \
                       AND name NOT IN ('position', 'search_terms') ORDER BY name";
            let names = tables.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            Ok(names)
        })
        .unwrap();
    let path = told.folder.path().join(file_name(ALL));
    for table in names {
        let writer = Connection::open(&path).unwrap();
        let empty = if table == "full_text" {
            "INSERT INTO full_text (full_text) VALUES ('delete-all')".to_owned()
        } else {
            format!("DELETE FROM {table}")
        };
        assert!(writer.execute(&empty, []).unwrap() > 0, "{table} has no row of the samples");
        assert_ne!(told.read.digest().unwrap(), digest, "{table}");
        drop(writer);
        // Put back by living through it again.
        drop(ReadModels::open(told.folder.path()).unwrap());
        let again = one_of_every_type_like(&told.events);
        assert_eq!(again, digest);
    }
}

fn one_of_every_type_like(events: &[Recorded]) -> String {
    let fresh = Told::nothing();
    fresh.read.apply(events).unwrap();
    fresh.read.digest().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: (ProptestConfig::default().cases / 16).max(4), ..ProptestConfig::default() })]

    /// P5: living through it event by event, in batches, or replaying all at once gives the same rows.
    #[test]
    fn rebuilt_equals_lived(
        steps in prop::collection::vec(any::<[u8; 8]>(), 8..80), batches in prop::collection::vec(1_usize..9, 1..5),
    ) {
        let runtime = Runtime::new().unwrap();
        let (town, events) = runtime.block_on(Town::lived(&steps));
        let lived = ReadModels::open(town.folder.path()).unwrap();
        let (mut rest, mut sizes) = (events.as_slice(), batches.iter().cycle());
        while !rest.is_empty() {
            let (now, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            lived.apply(now).unwrap();
            rest = later;
        }
        prop_assert_eq!(one_of_every_type_like(&events), lived.digest().unwrap());
        let verdict = verify(town.folder.path(), &town.reader, runtime.handle()).unwrap();
        let verdict = verdict.unwrap();
        prop_assert!(verdict.is_same());
        prop_assert_eq!(verdict.position, events.len() as u64);
        // With all content gone, nothing fails and the lists are as long.
        let gone: Vec<Recorded> =
            events.iter().cloned().map(|event| Recorded { event: event.event.gone(), ..event }).collect();
        let emptied = Told::nothing();
        emptied.read.apply(&gone).unwrap();
        let count = |read: &ReadModels| read.read(|tables| {
            Ok(tables.query_row("SELECT count(*) FROM queue", [], |row| row.get::<_, u64>(0))?)
        }).unwrap();
        prop_assert_eq!(count(&emptied.read), count(&lived));
    }
}

#[test]
fn verify_tells_a_changed_row_and_leaves_nothing_behind() {
    let runtime = Runtime::new().unwrap();
    let (town, events) =
        runtime.block_on(Town::lived(&[[1, 0, 0, 2, 0, 0, 0, 0], [4, 11, 0, 0, 0, 0, 0, 0]]));
    let folder = town.folder.path();
    assert_eq!(verify(folder, &town.reader, runtime.handle()).unwrap(), None, "no read models yet");
    let read = ReadModels::open(folder).unwrap();
    // Behind the log: compared where it stands.
    read.apply(&events[..1]).unwrap();
    let verdict = verify(folder, &town.reader, runtime.handle()).unwrap().unwrap();
    assert!((verdict.position, verdict.is_same()) == (1, true));
    read.apply(&events).unwrap();
    let files = || std::fs::read_dir(folder).unwrap().count();
    let before = files();
    assert!(verify(folder, &town.reader, runtime.handle()).unwrap().unwrap().is_same());
    assert_eq!(files(), before);
    Connection::open(folder.join(file_name(ALL)))
        .unwrap()
        .execute_batch("UPDATE queue SET subject = 'ändrat'")
        .unwrap();
    let verdict = verify(folder, &town.reader, runtime.handle()).unwrap().unwrap();
    assert!(!verdict.is_same(), "{verdict:?}");
    assert_eq!(files(), before);
}

/// A projection that fails at its second event.
struct Failing;

impl crate::Projection for Failing {
    fn name(&self) -> &'static str {
        "failing"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE failing (position INTEGER PRIMARY KEY) STRICT;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        tables.execute("INSERT INTO failing VALUES (?1)", [event.position])?;
        if event.position == 2 { Err(ReadError::Row("no".to_owned())) } else { Ok(()) }
    }
}

static WITH_FAILING: &[&dyn Projection] = &[&crate::queue::Queue, &Failing];

#[test]
fn position_and_rows_move_together_or_not_at_all() {
    let told = one_of_every_type(false);
    let folder = tempfile::tempdir().unwrap();
    let read = ReadModels::open_with(folder.path(), WITH_FAILING).unwrap();
    let rows = |read: &ReadModels| {
        let sql = "SELECT (SELECT count(*) FROM queue), (SELECT count(*) FROM failing), \
                   (SELECT position FROM position)";
        read.read(|tables| {
            Ok(tables.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, u64>(2)?)))?)
        })
        .unwrap()
    };
    assert!(read.apply(&told.events[..3]).is_err());
    assert_eq!((rows(&read), read.position(), read.leaf_hash().unwrap()), ((0, 0, 0), 0, [0; 32]));
    read.apply(&told.events[..1]).unwrap();
    assert_eq!((rows(&read), read.position()), ((1, 1, 1), 1));
    assert_eq!(read.leaf_hash().unwrap(), told.events[0].leaf_hash);
    assert!(read.apply(&told.events).is_err());
    assert_eq!((rows(&read), read.position()), ((1, 1, 1), 1));
    drop(read);
    let read = ReadModels::open_with(folder.path(), WITH_FAILING).unwrap();
    assert_eq!(read.position(), 1, "and so it is after a restart");
}

/// A list as a feed.
struct List(Vec<Recorded>);

impl Feed for List {
    fn after(&mut self, position: u64, limit: usize) -> Result<Vec<Recorded>, LogError> {
        Ok(self.0.iter().filter(|event| event.position > position).take(limit).cloned().collect())
    }

    fn leaf_at(&mut self, position: u64) -> Result<Option<LeafHash>, LogError> {
        Ok(self.0.iter().find(|event| event.position == position).map(|event| event.leaf_hash))
    }
}

#[test]
fn a_log_that_went_back_is_noticed() {
    let told = one_of_every_type(false);
    let read = Arc::new(ReadModels::open(told.folder.path()).unwrap());
    let projector = Projector::new(Arc::clone(&read));
    let mut whole = told.events.clone();
    projector.check(&mut List(whole.clone())).unwrap();
    let went_back = |feed: Vec<Recorded>| {
        let error = projector.check(&mut List(feed)).unwrap_err();
        assert!(matches!(error, ProjectorError::WentBack { position } if position == told.read.position()));
        assert!(error.to_string().contains("read-model rebuild"));
    };
    went_back(told.events[..9].to_vec());
    went_back(Vec::new());
    whole.last_mut().unwrap().leaf_hash = [9; 32];
    went_back(whole);
    let fresh = Told::nothing();
    Projector::new(Arc::new(fresh.read)).check(&mut List(Vec::new())).unwrap();
}

/// Follows the log of a town through its reader, to its end.
struct Follow(infrastructure::Reader, tokio::runtime::Handle);

impl Feed for Follow {
    fn after(&mut self, position: u64, limit: usize) -> Result<Vec<Recorded>, LogError> {
        self.1.block_on(self.0.after(position, limit))
    }

    fn leaf_at(&mut self, _: u64) -> Result<Option<LeafHash>, LogError> {
        Ok(None)
    }
}

#[test]
fn an_event_of_an_unknown_type_stops_the_projector_and_is_never_skipped() {
    let runtime = Runtime::new().unwrap();
    let (town, events) = runtime.block_on(Town::lived(&[[1, 0, 0, 2, 0, 0, 0, 0]]));
    let head = runtime.block_on(town.reader.log.head()).unwrap();
    let mut later: StoredEvent =
        runtime.block_on(town.reader.log.events_after(head.position - 1, 1)).unwrap().remove(0);
    (later.position, later.version) = (head.position + 1, later.version + 1);
    (later.type_name, later.sealed, later.key_id) = ("CaseExploded".to_owned(), None, None);
    let batch = infrastructure::log::Batch { events: vec![later], ..Default::default() };
    runtime.block_on(async {
        let mut writer = town.reader.log.writer().await.unwrap();
        writer.begin().await.unwrap();
        writer.write(&batch).await.unwrap();
        writer.commit().await.unwrap();
    });
    let read = Arc::new(ReadModels::open(town.folder.path()).unwrap());
    read.apply(&events).unwrap();
    let projector = Projector::new(Arc::clone(&read));
    let stopped = projector.stopped();
    projector.run(Follow(town.reader.clone(), runtime.handle().clone()));
    let reason = stopped.lock().unwrap().clone().unwrap().reason;
    assert!(
        reason.contains("CaseExploded") && reason.contains(&format!("position {}", head.position + 1)),
        "{reason}"
    );
    assert_eq!(read.position(), head.position);
}

#[test]
fn a_projector_that_reaches_the_end_of_its_feed_has_not_stopped_for_a_reason() {
    let told = one_of_every_type(false);
    let fresh = Arc::new(Told::nothing().read);
    let projector = Projector::new(Arc::clone(&fresh));
    let stopped = projector.stopped();
    projector.run(List(told.events.clone()));
    assert_eq!((fresh.position(), stopped.lock().unwrap().clone()), (told.read.position(), None));
}

#[test]
fn a_changed_projection_gets_another_file() {
    struct Other(&'static str, u32, &'static str);
    impl crate::Projection for Other {
        fn name(&self) -> &'static str {
            self.0
        }
        fn version(&self) -> u32 {
            self.1
        }
        fn ddl(&self) -> &'static str {
            self.2
        }
        fn apply(&self, _: &Connection, _: &Recorded) -> Result<(), ReadError> {
            Ok(())
        }
    }
    let base = Other("a", 1, "CREATE TABLE a (x);");
    let mut names = vec![
        file_name(&[&base]),
        file_name(&[&Other("b", 1, "CREATE TABLE a (x);")]),
        file_name(&[&Other("a", 2, "CREATE TABLE a (x);")]),
        file_name(&[&Other("a", 1, "CREATE TABLE a (y);")]),
        file_name(&[&base, &Other("b", 1, "")]),
        file_name(&[]),
    ];
    assert_eq!(names[0], file_name(&[&Other("a", 1, "CREATE TABLE a (x);")]));
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 6);
    let mut projections: Vec<&str> = ALL.iter().map(|projection| projection.name()).collect();
    projections.dedup();
    assert_eq!(projections.len(), ALL.len(), "names are unique");
}

#[test]
fn files_of_earlier_versions_are_deleted_and_the_own_is_not() {
    let told = one_of_every_type(false);
    let folder = told.folder.path();
    let own = file_name(ALL);
    for name in ["read-0123.db", "read-0123.db-wal", "read-0123.db.damaged", "log.db", "readme.txt"] {
        std::fs::write(folder.join(name), "x").unwrap();
    }
    std::fs::create_dir(folder.join("verify-killed")).unwrap();
    std::fs::write(folder.join("verify-killed/read-0123.db"), "x").unwrap();
    told.read.delete_older().unwrap();
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with("-wal") && !name.ends_with("-shm"));
        names.sort();
        names
    };
    assert_eq!(names(), ["log.db".to_owned(), own, "readme.txt".to_owned()]);
    assert_eq!(ReadModels::open(folder).unwrap().position(), told.read.position());
    ReadModels::delete(folder).unwrap();
    assert_eq!(names(), ["log.db", "readme.txt"]);
}

/// Much that happens to few cases.
fn a_day() -> Vec<[u8; 8]> {
    (0..200).map(|n| [n % 7, n % 15, n % 6, n / 8, n / 3, n, 0, 0]).collect()
}

fn path_in(folder: &std::path::Path) -> std::path::PathBuf {
    folder.join(file_name(ALL))
}

/// What a killed program left of its write-ahead log holds only some of the pages; over another file's it is damage.
#[test]
fn what_is_left_beside_read_models_that_are_gone_is_no_part_of_new_ones() {
    let runtime = Runtime::new().unwrap();
    let (town, events) = runtime.block_on(Town::lived(&a_day()));
    let folder = town.folder.path();
    let until = events.len() / 2;
    ReadModels::open(folder).unwrap().apply(&events[..until]).unwrap();
    let read = ReadModels::open(folder).unwrap();
    read.apply(&events[until..=until]).unwrap();
    let path = folder.join(file_name(ALL));
    let left = beside(&path, "-wal");
    let killed = std::fs::read(&left).unwrap();
    drop(read);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&left, killed).unwrap();
    crate::build(folder, &town.reader, runtime.handle(), events.len() as u64).unwrap();
    let built = ReadModels::open(folder).unwrap();
    assert_eq!(built.position(), events.len() as u64);
    assert_eq!(built.digest().unwrap(), one_of_every_type_like(&events));
}

/// A write-ahead log over an earlier copy of its file is damage that the engine does not see.
#[test]
fn an_earlier_copy_under_a_write_ahead_log_that_was_left_is_found() {
    let runtime = Runtime::new().unwrap();
    let (town, events) = runtime.block_on(Town::lived(&a_day()));
    let folder = town.folder.path();
    let path = path_in(folder);
    let until = events.len() / 3;
    ReadModels::open(folder).unwrap().apply(&events[..until]).unwrap();
    let earlier = std::fs::read(&path).unwrap();
    ReadModels::open(folder).unwrap().apply(&events[until..2 * until]).unwrap();
    let read = ReadModels::open(folder).unwrap();
    read.apply(&events[2 * until..]).unwrap();
    let [whole, left] = [&path, &beside(&path, "-wal")].map(|file| std::fs::read(file).unwrap());
    drop(read);
    for (file, is_right) in [(whole, true), (earlier, false)] {
        std::fs::write(&path, file).unwrap();
        std::fs::write(beside(&path, "-wal"), &left).unwrap();
        let read = ReadModels::open(folder).unwrap();
        assert_eq!(read.position(), events.len() as u64);
        // Closed before it was proven, it is not forgotten.
        drop(read);
        let read = ReadModels::open(folder).unwrap();
        let proven = read.prove(&town.reader, runtime.handle());
        assert_eq!((proven.is_ok(), read.is_damaged()), (is_right, !is_right));
        assert_eq!(beside(&path, ".unproven").exists(), !is_right, "until it is proven");
    }
    let read = ReadModels::open(folder).unwrap();
    assert_eq!(read.position(), 0, "and thrown away");
    assert!(!beside(&path, ".unproven").exists());
}

/// After a stop in order neither is there. A WAL that was taken away leaves the other, and may have taken rows along.
#[test]
fn where_a_write_ahead_log_was_taken_away_they_are_compared_with_the_log() {
    let runtime = Runtime::new().unwrap();
    let (town, events) = runtime.block_on(Town::lived(&a_day()));
    let folder = town.folder.path();
    let path = path_in(folder);
    ReadModels::open(folder).unwrap().apply(&events).unwrap();
    drop(ReadModels::open(folder).unwrap());
    assert!(!beside(&path, ".unproven").exists());
    std::fs::write(beside(&path, "-shm"), []).unwrap();
    rusqlite::Connection::open(&path).unwrap().execute("DELETE FROM queue", []).unwrap();
    std::fs::write(beside(&path, "-shm"), []).unwrap();
    ReadModels::remember_left(folder).unwrap();
    ReadModels::stand_on(folder).unwrap();
    ReadModels::discard_broken(folder).unwrap();
    let read = ReadModels::open(folder).unwrap();
    assert!(read.prove(&town.reader, runtime.handle()).is_err() && read.is_damaged());
}

/// What is not theirs stays, and stops nobody; what they left unfinished goes.
#[test]
fn only_what_is_theirs_is_deleted() {
    let told = one_of_every_type(false);
    let folder = told.folder.path();
    let unfinished = beside(&path_in(folder), ".new");
    for file in [&unfinished, &folder.join("read-0123456789abcdef.db"), &folder.join("verify-notes.txt")] {
        std::fs::write(file, []).unwrap();
    }
    std::fs::create_dir(folder.join("read-fedcba9876543210.db")).unwrap();
    told.read.delete_older().unwrap();
    let left = |name: &str| folder.join(name).exists();
    assert!(!unfinished.exists() && !left("read-0123456789abcdef.db"));
    assert!(left("read-fedcba9876543210.db") && left("verify-notes.txt") && path_in(folder).exists());
}

#[test]
fn damaged_read_models_are_built_anew() {
    let told = one_of_every_type(false);
    let digest = told.read.digest().unwrap();
    let Told { read, events, folder } = told;
    drop(read);
    let path = folder.path().join(file_name(ALL));
    let rebuild = || {
        ReadModels::discard_broken(folder.path()).unwrap();
        let read = ReadModels::open(folder.path()).unwrap();
        assert_eq!(read.position(), 0);
        read.apply(&events).unwrap();
        assert_eq!(read.digest().unwrap(), digest);
        drop(read);
        assert_ne!(ReadModels::open(folder.path()).unwrap().position(), 0);
    };
    std::fs::write(&path, "this is no database, though it is long enough to look like one".repeat(200))
        .unwrap();
    rebuild();
    // The schema's page is gone.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100..4096].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    rebuild();
    // A page deep inside: a small file is proven at every start.
    let whole = std::fs::read(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let subject = "Beslut om tjänstledighet".as_bytes();
    for page in bytes.chunks_mut(4096).filter(|page| page.windows(subject.len()).any(|part| part == subject))
    {
        page.fill(0xff);
    }
    std::fs::write(&path, &bytes).unwrap();
    rebuild();
    // A place that none can be.
    for wrong in ["position = -1", "leaf_hash = x'00'"] {
        rusqlite::Connection::open(&path)
            .unwrap()
            .execute(&format!("UPDATE position SET {wrong}"), [])
            .unwrap();
        rebuild();
    }
    // A place before rows that are there: found when what follows comes a second time.
    rusqlite::Connection::open(&path).unwrap().execute("UPDATE position SET position = 0", []).unwrap();
    let read = ReadModels::open(folder.path()).unwrap();
    assert!(read.apply(&events).unwrap_err().is_damage() && read.is_damaged());
    drop(read);
    rebuild();
    // While they are in use: found when it is read, and thrown away at the next start.
    std::fs::write(&path, &whole).unwrap();
    let read = ReadModels::open(folder.path()).unwrap();
    assert_eq!(read.position(), events.len() as u64);
    std::fs::write(&path, &bytes).unwrap();
    assert!(!read.is_damaged() && read.digest().unwrap_err().is_damage() && read.is_damaged());
    drop(read);
    rebuild();
}

/// Both find tables, whoever makes them.
#[test]
fn two_open_new_read_models_at_once() {
    for _ in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    if let Err(error) = ReadModels::open(folder.path()) {
                        failed.store(true, Ordering::Release);
                        panic!("{error}");
                    }
                });
            }
        });
        assert!(!failed.load(Ordering::Acquire));
    }
}
