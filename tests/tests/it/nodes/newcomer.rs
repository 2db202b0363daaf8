//! A new node begins with a copy of another's read models, made while everybody goes on writing; what is no such copy, or
//! not of this log, is never shown.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use futures::{StreamExt as _, stream};
use infrastructure::keys::KEY_FILES;
use serde_json::Value;
use tokio::sync::watch;

use super::Town;
use crate::program::{Acknowledged, Program, Start, binary, read_models, words};
use crate::support::new_key;

/// How many cases there are before the copy.
const CASES: usize = 300;
/// What a node says that builds its read models itself.
const BUILDS: &str = "building the read models from the log";

impl Town {
    /// Runs a subcommand on the data of a node, which has the keys.
    async fn run(&self, data: PathBuf, arguments: &[&str]) -> Output {
        fs::create_dir_all(&data).unwrap();
        for key in KEY_FILES.iter().filter(|key| !data.join(key).exists()) {
            fs::copy(self.data(0).join(key), data.join(key)).unwrap();
        }
        let mut command = Command::new(binary());
        command.args(arguments).arg("--data").arg(data).env("KUNDWEBB_LOG", &self.url);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Copies the read models of a node; gives the copy.
    async fn snapshot(&self, node: usize) -> PathBuf {
        let to = self.folder.path().join("copies");
        let made = self.run(self.data(node), &["read-model", "snapshot", "--to", to.to_str().unwrap()]).await;
        assert!(made.status.success(), "{}", words(&made));
        PathBuf::from(String::from_utf8(made.stdout).unwrap().trim())
    }

    async fn take(&self, file: &Path, node: usize) -> Output {
        self.run(self.data(node), &["read-model", "take", "--from", file.to_str().unwrap()]).await
    }

    /// A copy is not taken, for this reason, and nothing is left of it.
    async fn refuses(&self, file: &Path, node: usize, why: &str) {
        let refused = self.take(file, node).await;
        assert!(!refused.status.success() && words(&refused).contains(why), "{}", words(&refused));
        let names = fs::read_dir(self.data(node)).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("read-")).collect();
        assert_eq!(left, [] as [std::ffi::OsString; 0]);
    }

    async fn start(&self, beside: &Program, node: usize) -> Program {
        let variables = [("KUNDWEBB_LOG", self.url.as_str())];
        beside.beside(&self.data(node), &Start { variables: &variables, ..Start::default() }).await
    }
}

/// Files so many cases; gives the position of the last.
async fn fill(node: &Program, cases: usize) -> u64 {
    let anna = node.anna();
    let filed = stream::iter(0..cases).map(|_| async {
        let mut known = Acknowledged::default();
        known.note(anna.try_create(&new_key(), &[]).await).await.unwrap();
        known.position
    });
    filed.buffer_unordered(16).fold(0, |last, position| async move { last.max(position) }).await
}

/// How many cases a node shows, once it shows a position.
async fn shown(node: &Program, position: u64) -> Value {
    let asked = node.anna().request(reqwest::Method::GET, "/cases").header("read-after", position);
    let list: Value = asked.send().await.unwrap().json().await.unwrap();
    list["_meta"]["totalRecords"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_node_begins_with_a_copy_made_while_everybody_writes() {
    let town = Town::new().await;
    let [one] = town.nodes().await;
    let filled = fill(&one, CASES).await;
    assert_eq!(shown(&one, filled).await, CASES);
    let stop = watch::Sender::new(false);
    let writing = async {
        let mut more = (0, 0);
        while !*stop.borrow() {
            more = (more.0 + 16, fill(&one, 16).await);
        }
        more
    };
    let copying = async {
        let copy = town.snapshot(0).await;
        let taken = town.take(&copy, 1).await;
        assert!(taken.status.success() && words(&taken).contains("taken at position"), "{}", words(&taken));
        let two = town.start(&one, 1).await;
        stop.send_replace(true);
        two
    };
    let ((more, last), two) = tokio::join!(writing, copying);
    assert!(more > 0);
    assert_eq!(shown(&two, last).await, CASES + more);
    assert!(!two.said().contains(BUILDS), "{}", two.said());
    // One that builds its own says so.
    let three = town.start(&one, 2).await;
    assert!(three.said().contains(BUILDS), "{}", three.said());
    for node in 0..3 {
        let proof = town.run(town.data(node), &["read-model", "verify"]).await;
        assert!(proof.status.success() && words(&proof).contains("the same"), "{}", words(&proof));
    }
    // Who has read models already keeps them.
    two.stop().await;
    let again = town.take(&town.snapshot(0).await, 1).await;
    assert!(!again.status.success() && words(&again).contains("nothing is changed"), "{}", words(&again));
    // A copy of what is wrong, but whole, is found by the comparison with the log.
    let changed = rusqlite::Connection::open(read_models(&town.data(1))).unwrap();
    changed.execute_batch("UPDATE queue SET subject = 'ändrat'").unwrap();
    drop(changed);
    let taken = town.take(&town.snapshot(1).await, 3).await;
    assert!(taken.status.success(), "{}", words(&taken));
    let four = town.start(&one, 3).await;
    assert!(four.until_ready(false).await.contains("the read models are damaged"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_damaged_of_another_version_or_of_another_log_is_not_taken() {
    let (town, other) = (Town::new().await, Town::new().await);
    let ([one], [strange]) = (town.nodes().await, other.nodes().await);
    let own = fill(&one, 3).await;
    fill(&strange, 5).await;
    let copy = town.snapshot(0).await;
    let whole = fs::read(&copy).unwrap();
    let mut changed = whole.clone();
    let letter = whole.windows(10).rposition(|word| word == b"En faktura").unwrap();
    changed[letter] = b'X';
    for damaged in [&changed[..], &whole[..whole.len() - 1], b""] {
        fs::write(&copy, damaged).unwrap();
        town.refuses(&copy, 1, "is damaged").await;
    }
    fs::write(&copy, &whole).unwrap();
    let taken = town.take(&copy, 2).await;
    assert!(taken.status.success(), "{}", words(&taken));
    let name = copy.file_name().unwrap().to_str().unwrap();
    let version = name.split('-').nth(1).unwrap();
    let older = copy.with_file_name(name.replacen(version, "0123456789abcdef", 1));
    fs::copy(&copy, &older).unwrap();
    town.refuses(&older, 1, "another version of kundwebb").await;
    let renamed = copy.with_file_name("read.db");
    fs::copy(&copy, &renamed).unwrap();
    town.refuses(&renamed, 1, "not called as snapshots are").await;
    let foreign = other.snapshot(0).await;
    town.refuses(&foreign, 1, "is of another log").await;

    // Put there by hand, without being asked: it is seen at the start, and built anew.
    fs::copy(&foreign, read_models(&town.data(1))).unwrap();
    let two = town.start(&one, 1).await;
    assert!(two.said().contains("they are built anew"), "{}", two.said());
    assert_eq!(shown(&two, own).await, 3);
    let proof = town.run(town.data(1), &["read-model", "verify"]).await;
    assert!(proof.status.success(), "{}", words(&proof));
}
