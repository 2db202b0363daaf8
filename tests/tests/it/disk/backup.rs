//! Point 6: a backup that is taken while people work gives a folder that starts and verifies: the same log, cases that
//! open, files that download. Its keys lie apart, and nothing half is ever left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use api::backup::Manifest;
use futures::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Acknowledged, Program, Start, live, run, words};
use crate::support::{PDF, new_key};

/// How many write while the backup is taken.
const WRITERS: usize = 8;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Writes until it is told to stop. What was acknowledged before the backup began comes back too.
async fn write(program: &Program, stop: &AtomicBool) -> Acknowledged {
    let mut known = Acknowledged::default();
    while !stop.load(Ordering::Acquire) {
        live(program, &mut known).await;
    }
    known
}

/// A file and a case with it, as they are read.
async fn downloads(program: &Program, case: &str) {
    let anna = program.anna();
    let case: Value = anna.get(&format!("/cases/{case}")).await.json().await.unwrap();
    assert_eq!((&case["subject"], &case["answer"]), (&json!("En faktura"), &json!("Ni gör det.")), "{case}");
    let file = &case["attachments"][0];
    let path = format!(
        "/cases/{}/attachments/{}",
        case["id"].as_str().unwrap(),
        file["attachmentId"].as_str().unwrap()
    );
    let answer = anna.get(&path).await;
    assert!(answer.status().is_success());
    assert_eq!(answer.bytes().await.unwrap(), PDF);
}

/// Whether the bytes stand anywhere in a file.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
}

/// A key of a stream, wrapped, as the log keeps it.
fn wrapped_key(data: &Path) -> Vec<u8> {
    let log = rusqlite::Connection::open(data.join("log.db")).unwrap();
    log.query_row("SELECT wrapped FROM case_key LIMIT 1", [], |row| row.get(0)).unwrap()
}

/// The hash of the event at a position, as the log says.
async fn leaf_hash(program: &Program, position: u64) -> String {
    let events = program.events().await;
    events[usize::try_from(position).unwrap() - 1]["leafHash"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_under_load_is_restored_and_starts() {
    let place = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| place.path().join(name));
    let program = Program::start(&data).await;
    let mut before = Acknowledged::default();
    live(&program, &mut before).await;
    let closed = before.cases.iter().find(|(_, version)| **version == 3).unwrap().0.clone();
    let key = wrapped_key(&data);
    let stop = AtomicBool::new(false);
    let take = async {
        let (from, to) = (data.clone(), backup.clone());
        let taken =
            tokio::task::spawn_blocking(move || run(&from, &["backup", "--to", text(&to)])).await.unwrap();
        stop.store(true, Ordering::Release);
        taken
    };
    let (taken, _) = tokio::join!(take, join_all((0..WRITERS).map(|_| write(&program, &stop))));
    assert!(taken.status.success(), "{}", words(&taken));
    let manifest = Manifest::read(&backup).unwrap();
    assert!(manifest.position >= before.position && words(&taken).contains(&manifest.leaf_hash));
    assert_eq!(
        manifest.leaf_hash,
        leaf_hash(&program, manifest.position).await,
        "one moment of the same log"
    );
    assert!(manifest.position < program.events().await.len() as u64, "people went on working");

    // The log without keys, and they cannot be found in what was deleted; the keys for their owner alone.
    assert!(holds(&data.join("log.db"), &key) || holds(&data.join("log.db-wal"), &key));
    assert!(!holds(&backup.join("log.db"), &key) && holds(&backup.join("keys.db"), &key));
    assert!(!backup.join("master.key").exists() && !backup.join("lock").exists());
    let verified = run(&backup, &["log", "verify"]);
    assert!(verified.status.success(), "{}", words(&verified));

    let back = run(&restored, &["restore", "--from", text(&backup)]);
    assert!(back.status.success(), "{}", words(&back));
    assert!(
        words(&back).contains(&manifest.leaf_hash) && words(&back).contains("kundwebb deliveries release")
    );
    let verified = run(&restored, &["log", "verify"]);
    assert!(words(&verified).contains("sealed parts open with their keys"), "{}", words(&verified));
    let again = Program::start(&restored).await;
    before.is_in(&again).await;
    assert_eq!(manifest.leaf_hash, leaf_hash(&again, manifest.position).await);
    downloads(&again, &closed).await;
    live(&again, &mut before).await;
    before.is_in(&again).await;
    again.stop().await;
    let proof = run(&restored, &["read-model", "verify"]);
    assert!(proof.status.success(), "{}", words(&proof));
    program.stop().await;
    for folder in [&data, &backup, &restored] {
        are_their_owner_s_alone(folder);
    }
}

/// A folder and everything in it.
fn are_their_owner_s_alone(path: &Path) {
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{}", path.display());
    for entry in fs::read_dir(path).into_iter().flatten() {
        are_their_owner_s_alone(&entry.unwrap().path());
    }
}

/// A folder with something in it, at rest.
async fn at_rest() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data")).await;
    live(&program, &mut Acknowledged::default()).await;
    program.stop().await;
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_itself_a_folder_that_starts_with_its_mails_held() {
    let place = at_rest().await;
    let [data, backup] = ["data", "backup"].map(|name| place.path().join(name));
    assert!(run(&data, &["backup", "--to", text(&backup)]).status.success());
    let program = Program::start(&backup).await;
    live(&program, &mut Acknowledged::default()).await;
    let said = program.stop().await;
    assert!(said.contains("this folder is a backup") && said.contains("mails are held"), "{said}");
    assert!(!backup.join("keys.db").exists() && backup.join("master.key").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_kept_apart_and_without_them_nothing_comes_back() {
    let place = at_rest().await;
    let [data, backup, keys, restored, other] =
        ["data", "backup", "keys", "restored", "other"].map(|name| place.path().join(name));
    assert!(run(&data, &["backup", "--to", text(&backup), "--keys", text(&keys)]).status.success());
    assert!(keys.exists() && !backup.join("keys.db").exists());
    let without = run(&restored, &["restore", "--from", text(&backup)]);
    assert!(
        !without.status.success() && words(&without).contains("Name them with --keys"),
        "{}",
        words(&without)
    );
    // The keys of another installation.
    let foreign = at_rest().await;
    let taken = run(&foreign.path().join("data"), &["backup", "--to", text(&other)]);
    assert!(taken.status.success());
    let wrong = run(&restored, &["restore", "--from", text(&backup), "--keys", text(&other.join("keys.db"))]);
    assert!(!wrong.status.success() && words(&wrong).contains("is missing or foreign"), "{}", words(&wrong));
    assert!(!restored.join("log.db").exists() && !restored.join("restoring").exists());
    let right = run(&restored, &["restore", "--from", text(&backup), "--keys", text(&keys)]);
    assert!(right.status.success(), "{}", words(&right));
    // Neither over what is there, nor under a server.
    let twice = run(&restored, &["restore", "--from", text(&backup), "--keys", text(&keys)]);
    assert!(!twice.status.success() && words(&twice).contains("is not empty"), "{}", words(&twice));
    let program = Program::start(&restored).await;
    let under = run(&restored, &["restore", "--from", text(&backup), "--keys", text(&keys)]);
    assert!(words(&under).contains("another kundwebb process uses the data folder"), "{}", words(&under));
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_half_is_left_and_nothing_is_overwritten() {
    let place = at_rest().await;
    let [data, full, backup, restored] =
        ["data", "full", "backup", "restored"].map(|name| place.path().join(name));
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "x").unwrap();
    let refused = run(&data, &["backup", "--to", text(&full)]);
    assert!(!refused.status.success() && words(&refused).contains("is not empty"), "{}", words(&refused));
    // What a killed one has left is taken away by the next.
    fs::create_dir_all(place.path().join("backup.part/files")).unwrap();
    fs::write(place.path().join("backup.part/log.db"), "half").unwrap();
    assert!(run(&data, &["backup", "--to", text(&backup)]).status.success());
    assert!(!place.path().join("backup.part").exists());
    // A file that a case names is missing: the backup is taken, and it says so.
    let file = fs::read_dir(data.join("files")).unwrap().next().unwrap().unwrap().path();
    let id = file.file_name().unwrap().to_str().unwrap().to_owned();
    fs::remove_file(&file).unwrap();
    let holey = run(&data, &["backup", "--to", text(&place.path().join("holey"))]);
    assert!(holey.status.code() == Some(1) && words(&holey).contains(&id), "{}", words(&holey));
    // Changed after it was taken: refused, and nothing is left.
    let log = backup.join("log.db");
    let whole = fs::read(&log).unwrap();
    for damage in
        [whole[..whole.len() / 2].to_vec(), [&whole[..20_000], &[0x5a; 8192][..], &whole[28_192..]].concat()]
    {
        fs::write(&log, damage).unwrap();
        let refused = run(&restored, &["restore", "--from", text(&backup)]);
        assert!(!refused.status.success(), "{}", words(&refused));
        assert!(
            !restored.join("log.db").exists() && !restored.join("restoring").exists(),
            "{}",
            words(&refused)
        );
    }
    fs::write(&log, &whole).unwrap();
    // A restore that was killed: the folder does not start, and the next restore takes what is left away.
    fs::create_dir_all(restored.join("restoring")).unwrap();
    fs::create_dir_all(restored.join("files")).unwrap();
    fs::write(restored.join("files/x"), "half").unwrap();
    let said = Program::try_start(&restored, &Start::default()).await.err().unwrap();
    assert!(said.contains("log.db is missing") && said.contains("kundwebb restore"), "{said}");
    let back = run(&restored, &["restore", "--from", text(&backup)]);
    assert!(back.status.success(), "{}", words(&back));
    let program = Program::start(&restored).await;
    assert!(program.anna().try_create(&new_key(), &[]).await.unwrap().status().is_success());
    program.stop().await;
}
