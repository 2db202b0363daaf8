//! Backups of a log in a database: taken while nodes write, put back into another database or into a folder, and the other
//! way round. Nothing half is left, and nothing is overwritten.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use api::backup::Manifest;
use futures::future::join_all;
use infrastructure::keys::KEY_FILES;
use infrastructure::log::place::Place;
use objects::Objects;
use reqwest::StatusCode;
use tests::nodes::line::{Line, Moment, Way};

use super::*;
use crate::program::{binary, live, words};
use crate::support::PDF;

/// How many write at each node while the backup is taken.
const WRITERS: usize = 4;

/// Where an installation has its log and its files.
struct Installation<'a> {
    log: &'a str,
    files: &'a str,
    objects: Option<&'a Objects>,
}

impl Installation<'_> {
    fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.objects.map(|objects| objects.variables().to_vec()).unwrap_or_default();
        variables.push(("KUNDWEBB_LOG", self.log.to_owned()));
        variables.push(("KUNDWEBB_FILES__STORE", self.files.to_owned()));
        variables
    }

    async fn start(&self, data: &Path) -> Program {
        let variables = self.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Program::start_with(data, &Start { variables: &variables, ..Start::default() }).await
    }

    async fn beside(&self, first: &Program, data: &Path) -> Program {
        let variables = self.variables();
        let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        first.beside(data, &Start { variables: &variables, ..Start::default() }).await
    }

    /// Runs a subcommand beside whatever runs.
    async fn run(&self, data: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data").arg(data).envs(self.variables());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Runs a subcommand, which must do what it shall.
    async fn does(&self, data: &Path, arguments: &[&str]) -> String {
        let output = self.run(data, arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", words(&output));
        words(&output)
    }

    /// Runs a subcommand, which must be refused in these words.
    async fn is_refused(&self, data: &Path, arguments: &[&str], why: &str) {
        let output = self.run(data, arguments).await;
        assert!(
            !output.status.success() && words(&output).contains(why),
            "{arguments:?}: {}",
            words(&output)
        );
    }
}

async fn write(program: &Program, stop: &AtomicBool) {
    let mut known = Acknowledged::default();
    while !stop.load(Ordering::Acquire) {
        live(program, &mut known).await;
    }
}

/// The file of a case that was filed with one opens.
async fn downloads(program: &Program, known: &Acknowledged) {
    let anna = program.anna();
    let closed = known.cases.iter().find(|(_, version)| **version == 3).unwrap().0;
    let case: Value = anna.get(&format!("/cases/{closed}")).await.json().await.unwrap();
    let file = case["attachments"][0]["attachmentId"].as_str().unwrap();
    let answer = anna.get(&format!("/cases/{closed}/attachments/{file}")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.bytes().await.unwrap(), PDF);
}

/// All that is left in a folder but its lock.
fn left(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| !path.ends_with("lock")).collect()
}

async fn database(town: &Town) -> String {
    let cluster = Arc::clone(&town.cluster);
    tokio::task::spawn_blocking(move || cluster.database().unwrap()).await.unwrap()
}

/// The backup holds the log up to its last event, without its keys, and nothing else but what it names.
#[track_caller]
fn holds_one_moment(backup: &Path, manifest: &Manifest, events: &[Value]) {
    let last = &events[usize::try_from(manifest.position).unwrap() - 1];
    assert_eq!(manifest.leaf_hash, last["leafHash"], "one moment of the same log");
    let log = rusqlite::Connection::open(backup.join("log.db")).unwrap();
    let inside: i64 = log.query_row("SELECT count(*) FROM case_key", [], |row| row.get(0)).unwrap();
    drop(log);
    let mut names: Vec<_> = left(backup).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    names.sort();
    assert!(inside == 0 && names == ["backup.json", "files", "log.db"], "{inside} keys, {names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_nodes_write_is_put_back_into_another_database_and_into_a_folder() {
    let town = Town::new().await;
    let objects = Objects::process(Path::new(binary())).unwrap();
    let path = |name: &str| town.folder.path().join(name);
    let first = Installation { log: &town.url, files: "s3://kundwebb/one", objects: Some(&objects) };
    let one = first.start(&town.data(0)).await;
    let two = first.beside(&one, &town.data(1)).await;
    let mut before = Acknowledged::default();
    live(&one, &mut before).await;
    live(&two, &mut before).await;
    let (backup, keys) = (path("backup"), path("keys"));
    let (to, keys) = (backup.to_str().unwrap(), keys.to_str().unwrap());
    let stop = AtomicBool::new(false);
    let data = town.data(0);
    let take = async {
        let taken = first.does(&data, &["backup", "--to", to, "--keys", keys]).await;
        stop.store(true, Ordering::Release);
        taken
    };
    let writers = (0..2 * WRITERS).map(|writer| write(if writer % 2 == 0 { &one } else { &two }, &stop));
    let (taken, _) = tokio::join!(take, join_all(writers));
    let manifest = Manifest::read(&backup).unwrap();
    let events = one.events().await;
    assert!(manifest.position >= before.position && taken.contains(&manifest.leaf_hash));
    assert!(manifest.position < events.len() as u64, "nodes went on writing");
    holds_one_moment(&backup, &manifest, &events);
    one.stop().await;
    two.stop().await;

    let url = database(&town).await;
    let second = Installation { log: &url, files: "s3://kundwebb/two", objects: Some(&objects) };
    let from = ["restore", "--from", to, "--keys", keys];
    let said = second.does(&path("restored"), &from).await;
    assert!(said.contains(&manifest.leaf_hash) && said.contains("kundwebb deliveries release"), "{said}");
    second.is_refused(&path("again"), &from, "holds a log already").await;
    assert!(!path("again").exists());
    let verified = second.does(&path("restored"), &["log", "verify"]).await;
    assert!(verified.contains("sealed parts open with their keys"), "{verified}");
    let one = second.start(&path("restored")).await;
    let two = second.beside(&one, &path("beside")).await;
    for node in [&one, &two] {
        before.is_in(node).await;
        downloads(node, &before).await;
    }
    until(|| [&one, &two].iter().any(|node| node.said().contains("mails are held"))).await;
    live(&two, &mut before).await;
    assert!(mails(&one.data).is_empty() && mails(&two.data).is_empty());
    // Asked for anywhere: neither node's folder.
    second.does(&path("elsewhere"), &["deliveries", "release"]).await;
    until(|| !mails(&one.data).is_empty() || !mails(&two.data).is_empty()).await;
    let status = second.does(&path("elsewhere"), &["deliveries", "status"]).await;
    assert!(status.contains("none held"), "{status}");
    before.is_in(&one).await;
    one.stop().await;
    two.stop().await;
    second.does(&path("restored"), &["read-model", "verify"]).await;

    let alone = Installation { log: "sqlite", files: "local", objects: None };
    let folder = path("folder");
    alone.does(&folder, &from).await;
    let program = alone.start(&folder).await;
    let position = usize::try_from(manifest.position).unwrap();
    assert!(program.events().await[..position] == events[..position], "the same events");
    downloads(&program, &before).await;
    live(&program, &mut before).await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_installation_s_backup_is_put_into_a_database_and_that_one_s_backup_starts_as_a_folder() {
    let town = Town::new().await;
    let path = |name: &str| town.folder.path().join(name);
    let alone = Installation { log: "sqlite", files: "local", objects: None };
    let program = alone.start(&path("small")).await;
    let mut known = Acknowledged::default();
    live(&program, &mut known).await;
    program.stop().await;
    let [small, large] = ["small.backup", "large.backup"].map(|name| path(name).to_str().unwrap().to_owned());
    alone.does(&path("small"), &["backup", "--to", &small]).await;
    let many = Installation { log: &town.url, files: "local", objects: None };
    many.does(&path("large"), &["restore", "--from", &small]).await;
    let node = many.start(&path("large")).await;
    known.is_in(&node).await;
    downloads(&node, &known).await;
    live(&node, &mut known).await;
    many.does(&path("large"), &["backup", "--to", &large]).await;
    let events = node.events().await;
    node.stop().await;
    let program = alone.start(Path::new(&large)).await;
    assert!(program.events().await == events, "the same events");
    downloads(&program, &known).await;
    live(&program, &mut known).await;
    known.is_in(&program).await;
    program.stop().await;
}

/// The backup of a small installation, and what it has acknowledged.
async fn small_backup(town: &Town) -> (String, Acknowledged) {
    let path = |name: &str| town.folder.path().join(name);
    let alone = Installation { log: "sqlite", files: "local", objects: None };
    let program = alone.start(&path("small")).await;
    let mut known = Acknowledged::default();
    live(&program, &mut known).await;
    program.stop().await;
    let backup = path("backup").to_str().unwrap().to_owned();
    alone.does(&path("small"), &["backup", "--to", &backup]).await;
    (backup, known)
}

/// A line to the database of the town, and the address of the log through it. The log's tables are made.
async fn line(town: &Town) -> (Line, String) {
    drop(Place::Postgres(town.url.clone()).open_without_node().await.unwrap());
    let line = Line::to(SocketAddr::from(([127, 0, 0, 1], town.cluster.port()))).await.unwrap();
    let through = format!("postgres://{}@127.0.0.1:{}/{}", cluster::OWNER, line.port(), town.database);
    (line, through)
}

async fn written(town: &Town) -> bool {
    let log = Place::Postgres(town.url.clone()).open_read_only().await.unwrap();
    log.head().await.unwrap().position > 0
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = left(folder).into_iter().map(name).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_into_a_database_leaves_all_or_nothing() {
    let town = Town::new().await;
    let path = |name: &str| town.folder.path().join(name);
    let (backup, known) = small_backup(&town).await;
    let from = ["restore", "--from", backup.as_str()];

    // The line breaks when everything is written and is to be committed.
    let (line, through) = line(&town).await;
    let through = Installation { log: &through, files: "local", objects: None };
    let restored = path("restored");
    let (sprung, ()) = tokio::join!(
        line.at(Moment::Commit, Way::CutBefore),
        through.is_refused(&restored, &from, "could not be written into")
    );
    sprung.unwrap();
    assert!(!written(&town).await);
    assert_eq!(left(&restored), Vec::<PathBuf>::new());

    // Where another installation's keys lie, nothing is put either.
    fs::create_dir(path("keys")).unwrap();
    for name in KEY_FILES {
        fs::write(path("keys").join(name), "5a".repeat(32)).unwrap();
    }
    let mut foreign = Command::new(binary());
    foreign.args(from).arg("--data").arg(&restored).env("KUNDWEBB_KEYS", path("keys"));
    let refused = foreign.env("KUNDWEBB_LOG", &town.url).output().unwrap();
    assert!(words(&refused).contains("is another key than the backup's"), "{}", words(&refused));
    assert_eq!(left(&restored), Vec::<PathBuf>::new());

    let many = Installation { log: &town.url, files: "local", objects: None };
    many.does(&restored, &from).await;
    let node = many.start(&restored).await;
    known.is_in(&node).await;
    downloads(&node, &known).await;
    node.stop().await;
}

/// The answer to the commit is lost, or the line breaks when what was written is proven: the restore goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_whose_line_breaks_after_its_commit_is_done() {
    let town = Town::new().await;
    let path = |name: &str| town.folder.path().join(name);
    let (backup, known) = small_backup(&town).await;
    let from = ["restore", "--from", backup.as_str()];
    for (moment, way) in [(Moment::Commit, Way::CutAfter), (Moment::Read, Way::CutBefore)] {
        let town = Town::new().await;
        let (line, through) = line(&town).await;
        let through = Installation { log: &through, files: "local", objects: None };
        let restored = path(&format!("{moment:?}"));
        let (sprung, said) = tokio::join!(line.at(moment, way), through.does(&restored, &from));
        sprung.unwrap();
        assert_eq!(said.contains("the answer to the commit was lost"), moment == Moment::Commit, "{said}");
        assert_eq!(names(&restored), ["files", "master.key", "token.key"]);
        let node = through.start(&restored).await;
        known.is_in(&node).await;
        downloads(&node, &known).await;
        live(&node, &mut known.clone()).await;
        node.stop().await;
    }
}

/// The database is gone with the answer to the commit. Nobody knows, so everything stays, and the next start finds it out.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_cannot_find_out_whether_it_was_done_takes_nothing_away() {
    let town = Town::new().await;
    let restored = town.folder.path().join("restored");
    let (backup, known) = small_backup(&town).await;
    let (line, through) = line(&town).await;
    let through = Installation { log: &through, files: "local", objects: None };
    let breaks = async move {
        let withheld = line.at(Moment::Commit, Way::Withhold).await.unwrap();
        drop(line);
        withheld
    };
    let from = ["restore", "--from", backup.as_str()];
    let refused = through.is_refused(&restored, &from, "it is not known whether the log was written");
    drop(tokio::join!(breaks, refused));
    assert_eq!(names(&restored), ["files", "master.key", "restored", "token.key"]);
    let many = Installation { log: &town.url, files: "local", objects: None };
    many.is_refused(&restored, &from, "holds a log already").await;
    let node = many.start(&restored).await;
    assert!(!restored.join("restored").exists());
    known.is_in(&node).await;
    downloads(&node, &known).await;
    node.stop().await;
}

/// A restore as a process of its own, killed at this moment of its transaction, when the database has answered.
async fn killed(town: &Town, moment: Moment, data: &Path, backup: &str) {
    let (line, through) = line(town).await;
    let mut restore = Command::new(binary());
    restore.args(["restore", "--from", backup]).arg("--data").arg(data).env("KUNDWEBB_LOG", through);
    let mut restore = restore.stderr(Stdio::null()).spawn().unwrap();
    let answered = line.at(moment, Way::Withhold).await.unwrap();
    restore.kill().unwrap();
    restore.wait().unwrap();
    drop(answered);
    assert_eq!(names(data), ["files", "master.key", "restored", "token.key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_killed_is_done_again_or_was_done() {
    let town = Town::new().await;
    let restored = town.folder.path().join("restored");
    let (backup, mut known) = small_backup(&town).await;
    let from = ["restore", "--from", backup.as_str()];
    let many = Installation { log: &town.url, files: "local", objects: None };

    // Before its commit: no server starts on half of it.
    killed(&town, Moment::Lock, &restored, &backup).await;
    assert!(!written(&town).await);
    let start = Start { variables: &[("KUNDWEBB_LOG", &town.url)], ..Start::default() };
    let said = Program::try_start(&restored, &start).await.err().unwrap();
    assert!(
        said.contains("a restore was not finished") && said.contains("`kundwebb restore` again"),
        "{said}"
    );
    assert_eq!(names(&restored), ["files", "master.key", "restored", "token.key"]);

    // After it, and killed again while it cleans up: the server starts, and what people file since is no leftover of a
    // restore.
    killed(&town, Moment::Commit, &restored, &backup).await;
    assert!(written(&town).await);
    many.is_refused(&restored, &from, "that was done: start the server").await;
    fs::remove_file(restored.join("restored/token.key")).unwrap();
    many.start(&restored).await.stop().await;
    assert!(!restored.join("restored").exists());
    fs::create_dir(restored.join("restored")).unwrap();
    let node = many.start(&restored).await;
    assert!(!restored.join("restored").exists());
    known.is_in(&node).await;
    live(&node, &mut known).await;
    node.stop().await;
    let url = database(&town).await;
    let other = Installation { log: &url, files: "local", objects: None };
    let before = names(&restored);
    other.is_refused(&restored, &from, "is not empty").await;
    // Even where the folder looks like one of a restore that was cut off.
    fs::create_dir(restored.join("restoring")).unwrap();
    fs::write(restored.join("restoring/log.db"), "half").unwrap();
    other.is_refused(&restored, &from, "is not empty").await;
    fs::remove_dir_all(restored.join("restoring")).unwrap();
    assert_eq!(names(&restored), before);
    let node = many.start(&restored).await;
    known.is_in(&node).await;
    downloads(&node, &known).await;
    node.stop().await;
}

/// Somebody else has begun a log there meanwhile: that is not taken for the one that was being restored.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_was_cut_off_is_not_settled_on_another_log() {
    let town = Town::new().await;
    let restored = town.folder.path().join("restored");
    let (backup, _) = small_backup(&town).await;
    killed(&town, Moment::Lock, &restored, &backup).await;
    let many = Installation { log: &town.url, files: "local", objects: None };
    many.start(&town.folder.path().join("another")).await.stop().await;
    let start = Start { variables: &[("KUNDWEBB_LOG", &town.url)], ..Start::default() };
    let said = Program::try_start(&restored, &start).await.err().unwrap();
    assert!(said.contains("the log is another than that of"), "{said}");
    assert!(restored.join("restored/log.db").exists());
    // Nor on its own, when another restore has brought it there: here the files are not in their place yet.
    let url = database(&town).await;
    let other = Installation { log: &url, files: "local", objects: None };
    let from = ["restore", "--from", backup.as_str()];
    other.does(&town.folder.path().join("elsewhere"), &from).await;
    fs::rename(restored.join("restored"), restored.join("restoring")).unwrap();
    fs::rename(restored.join("files"), restored.join("restoring/files")).unwrap();
    let start = Start { variables: &[("KUNDWEBB_LOG", &url)], ..Start::default() };
    let said = Program::try_start(&restored, &start).await.err().unwrap();
    assert!(said.contains("files or keys may be missing here"), "{said}");
    assert!(restored.join("restoring/files").exists());
}
