//! The database's primary is lost with a standby beside it, under nodes of the real program that know the addresses of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cluster::{Cluster, several};
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::program::{Acknowledged, PATIENCE, Program, Start};
use crate::support::new_key;

/// How many write at each node at the same time.
const WRITERS: usize = 8;
/// How many commands are acknowledged at each node before the fault, and as many after it.
const COMMANDS: usize = 40;
/// How long a writer waits before it asks again.
const AGAIN: Duration = Duration::from_millis(20);
/// Longest time without an acknowledgement that is bearable, the promotion itself included.
const OUTAGE: Duration = Duration::from_secs(20);

/// A primary with a standby, and folders for nodes.
struct Pair {
    primary: Cluster,
    standby: Cluster,
    url: String,
    folder: TempDir,
}

impl Pair {
    async fn new(synchronous: bool) -> Arc<Self> {
        at_the_side(move || {
            let primary = Cluster::start(&[]).unwrap();
            let standby = primary.standby("second", &[]).unwrap();
            if synchronous {
                primary.wait_for("second").unwrap();
            }
            let database = primary.database().unwrap().rsplit('/').next().unwrap().to_owned();
            let url = several(&[&primary, &standby], &database);
            Arc::new(Self { primary, standby, url, folder: tempfile::tempdir().unwrap() })
        })
        .await
    }

    /// The name of the database.
    fn database(&self) -> &str {
        self.url.rsplit('/').next().and_then(|rest| rest.split('?').next()).unwrap()
    }

    /// Starts so many nodes.
    async fn nodes<const N: usize>(&self) -> [Program; N] {
        let variables = [("KUNDWEBB_LOG", self.url.as_str())];
        let start = Start { variables: &variables, ..Start::default() };
        let data = |node: usize| self.folder.path().join(node.to_string());
        let mut nodes = vec![Program::start_with(&data(0), &start).await];
        for node in 1..N {
            nodes.push(nodes[0].beside(&data(node), &start).await);
        }
        nodes.try_into().unwrap_or_else(|_| unreachable!())
    }
}

async fn at_the_side<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Files cases at a node until told to stop; each is sent until it is acknowledged. Gives when they were, and what was told.
async fn write(node: &Program, stop: &AtomicBool, count: &AtomicUsize) -> Vec<(Instant, Value)> {
    let (anna, mut told) = (node.anna(), Vec::new());
    while !stop.load(Ordering::Relaxed) {
        let key = new_key();
        let answer = loop {
            match anna.try_create(&key, &[]).await {
                Ok(answer) if answer.status().is_success() => break answer,
                Ok(answer) => assert_eq!(answer.status(), 503, "{}", answer.text().await.unwrap()),
                Err(error) => panic!("the node itself is there: {error}"),
            }
            tokio::time::sleep(AGAIN).await;
        };
        told.push((Instant::now(), answer.json().await.unwrap()));
        count.fetch_add(1, Ordering::Relaxed);
    }
    told
}

async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it does not come to hold");
}

/// The longest time between two acknowledgements.
fn outage(mut times: Vec<Instant>) -> Duration {
    times.sort();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_killed_under_load_loses_nothing_that_was_acknowledged() {
    let pair = Pair::new(true).await;
    let nodes: [Program; 2] = pair.nodes().await;
    let (stop, counts) = (AtomicBool::new(false), [AtomicUsize::new(0), AtomicUsize::new(0)]);
    let enough = |more: usize| counts.iter().all(|count| count.load(Ordering::Relaxed) >= more);
    let writing =
        nodes.iter().zip(&counts).flat_map(|(node, count)| (0..WRITERS).map(move |_| (node, count)));
    let writing = futures::future::join_all(writing.map(|(node, count)| write(node, &stop, count)));
    let disaster = async {
        until(async || enough(COMMANDS)).await;
        let lost = Arc::clone(&pair);
        at_the_side(move || lost.primary.kill().and_then(|()| lost.standby.promote()).unwrap()).await;
        let before = counts.iter().map(|count| count.load(Ordering::Relaxed)).max().unwrap();
        until(async || enough(before + COMMANDS)).await;
        stop.store(true, Ordering::Relaxed);
    };
    let (told, ()) = tokio::join!(writing, disaster);
    let told: Vec<_> = told.into_iter().flatten().collect();
    let outage = outage(told.iter().map(|(at, _)| *at).collect());
    println!(
        "primary killed under load, standby promoted: {} commands acknowledged, outage {outage:?}",
        told.len()
    );
    assert!(outage < OUTAGE, "{outage:?}");
    let mut known = Acknowledged::default();
    for (_, outcome) in &told {
        let (id, version) =
            (outcome["id"].as_str().unwrap().to_owned(), outcome["version"].as_u64().unwrap());
        assert_eq!(known.cases.insert(id, version), None, "a case for each command");
        known.position = known.position.max(outcome["position"].as_u64().unwrap());
    }
    for node in &nodes {
        node.until_ready(true).await;
        known.is_in(node).await;
        let received: Vec<_> =
            node.events().await.into_iter().filter(|event| event["type"] == "CaseReceived").collect();
        assert_eq!(received.len(), told.len(), "no case that nobody was told of: none was filed twice");
        assert!(
            !node.said().contains("the log went back"),
            "nothing was shown that is lost: {}",
            node.said()
        );
    }
}

/// Crashes the primary while a commit waits for the standby, and counts the cases that it has when it is back.
fn crash_while_a_commit_waits(pair: &Pair) -> String {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let until = std::time::Instant::now() + PATIENCE;
    while pair.primary.sql("postgres", waits).unwrap() == "0" {
        assert!(std::time::Instant::now() < until, "no commit waits for the standby");
    }
    pair.primary.kill().and_then(|()| pair.primary.run()).unwrap();
    let there = "SELECT count(*) FROM kundwebb.event WHERE type = 'CaseReceived'";
    pair.primary.sql(pair.database(), there).unwrap()
}

/// A primary that crashed after its own flush shows, when it is back, what its standby never got. Nobody is told that it is
/// done: neither who waited for it nor who asks again. The node that showed it begins anew when the standby takes over.
#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_crashed_primary_has_is_not_acknowledged() {
    let pair = Pair::new(true).await;
    let [node] = pair.nodes().await;
    let anna = node.anna();
    let first = anna.try_create(&new_key(), &[]).await.unwrap();
    assert_eq!(first.status(), 201);
    let ending = Arc::clone(&pair);
    at_the_side(move || ending.standby.end("INT").unwrap()).await;
    let key = new_key();
    // The commit that waits may be another than the case's.
    let mut there = String::new();
    while there != "2" {
        let crashing = Arc::clone(&pair);
        let crash = at_the_side(move || crash_while_a_commit_waits(&crashing));
        let (waited, found) = tokio::join!(anna.try_create(&key, &[]), crash);
        assert_eq!(waited.unwrap().status(), 503, "flushed, but not acknowledged");
        there = found;
    }
    assert_eq!(anna.try_create(&key, &[]).await.unwrap().status(), 503);
    let cases = async || anna.get("/cases").await.json::<Value>().await.unwrap()["cases"].clone();
    until(async || cases().await.as_array().is_some_and(|shown| shown.len() == 2)).await;
    // The standby takes over: what was asked for is done there, once.
    let lost = Arc::clone(&pair);
    at_the_side(move || {
        lost.primary.kill().unwrap();
        lost.standby.run().and_then(|()| lost.standby.promote()).unwrap();
    })
    .await;
    until(async || node.said().contains("the log went back")).await;
    node.until_ready(true).await;
    let mut known = Acknowledged::default();
    known.note(anna.try_create(&key, &[]).await).await.unwrap();
    known.is_in(&node).await;
    let received = node.events().await.into_iter().filter(|event| event["type"] == "CaseReceived").count();
    assert_eq!(received, 2);
}

/// What a standby that nobody waits for has not got is lost with the primary. The nodes say so and show what is left.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_showed_what_an_asynchronous_standby_never_got_begin_anew_and_say_so() {
    let pair = Pair::new(false).await;
    let nodes: [Program; 2] = pair.nodes().await;
    let mut known = Acknowledged::default();
    known.note(nodes[0].anna().try_create(&new_key(), &[]).await).await.unwrap();
    // Stopped in the ordinary way, the standby has first taken what the primary has; then it is behind.
    let behind = Arc::clone(&pair);
    at_the_side(move || {
        let written = behind.primary.sql("postgres", "SELECT pg_current_wal_flush_lsn()").unwrap();
        let reached = format!("SELECT pg_last_wal_replay_lsn() >= '{written}'");
        let until = std::time::Instant::now() + PATIENCE;
        while behind.standby.sql("postgres", &reached).unwrap() != "t" {
            assert!(std::time::Instant::now() < until, "the standby does not follow");
        }
        behind.standby.end("INT").unwrap();
    })
    .await;
    let lost = Acknowledged::default().note(nodes[1].anna().try_create(&new_key(), &[]).await).await.unwrap();
    let position = lost["position"].as_u64().unwrap();
    for node in &nodes {
        let path = format!("/cases/{}", lost["id"].as_str().unwrap());
        let shown = node.anna().request(reqwest::Method::GET, &path).header("read-after", position);
        assert_eq!(shown.send().await.unwrap().status(), 200);
    }
    let taken_over = Arc::clone(&pair);
    at_the_side(move || {
        taken_over.primary.kill().unwrap();
        taken_over.standby.run().and_then(|()| taken_over.standby.promote()).unwrap();
    })
    .await;
    for node in &nodes {
        until(async || node.said().contains("the log went back")).await;
        node.until_ready(true).await;
        known.note(node.anna().try_create(&new_key(), &[]).await).await.unwrap();
        known.is_in(node).await;
        let gone = node.anna().get(&format!("/cases/{}", lost["id"].as_str().unwrap())).await;
        assert_eq!(gone.status(), 404);
    }
}
