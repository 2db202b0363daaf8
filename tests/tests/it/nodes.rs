//! Many nodes on one log in PostgreSQL: the real program, more than once, and a private cluster.

mod backup;
mod clocks;
mod growing;
mod joining;
mod newcomer;
mod tokens;
mod waking;

use std::path::Path;
use std::sync::Arc;

use cluster::Cluster;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;

use crate::program::{Acknowledged, PATIENCE, Program, Start};
use crate::support::new_key;

/// An empty database, and folders for nodes on it.
struct Town {
    cluster: Arc<Cluster>,
    database: String,
    url: String,
    folder: TempDir,
}

impl Town {
    async fn new() -> Self {
        let made = tokio::task::spawn_blocking(|| {
            let cluster = Cluster::shared().unwrap();
            let url = cluster.database().unwrap();
            let database = url.rsplit('/').next().unwrap().to_owned();
            Self { cluster, database, url, folder: tempfile::tempdir().unwrap() }
        });
        made.await.unwrap()
    }

    fn data(&self, node: usize) -> std::path::PathBuf {
        self.folder.path().join(node.to_string())
    }

    /// Starts so many nodes.
    async fn nodes<const N: usize>(&self) -> [Program; N] {
        let variables = [("KUNDWEBB_LOG", self.url.as_str())];
        let start = Start { variables: &variables, ..Start::default() };
        let mut nodes = vec![Program::start_with(&self.data(0), &start).await];
        for node in 1..N {
            nodes.push(nodes[0].beside(&self.data(node), &start).await);
        }
        nodes.try_into().unwrap_or_else(|_| unreachable!())
    }

    /// Runs SQL as the owner, in another database than that of the nodes.
    async fn sql(&self, statements: &[&str]) {
        for sql in statements {
            let (cluster, sql) = (Arc::clone(&self.cluster), sql.replace("{}", &self.database));
            tokio::task::spawn_blocking(move || cluster.sql("postgres", &sql).unwrap()).await.unwrap();
        }
    }
}

fn mails(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("mail")).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".eml"))
        .collect()
}

async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it does not come to hold");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_begun_at_one_node_goes_on_at_another() {
    let town = Town::new().await;
    let [one, two] = town.nodes().await;
    let mut known = Acknowledged::default();
    let case = known.note(one.anna().try_create("k", &[]).await).await.unwrap();
    // The same command again, at another node, is the same case.
    let again: Value = two.anna().try_create("k", &[]).await.unwrap().json().await.unwrap();
    assert_eq!(again, case);
    let shown = two.anna().request(reqwest::Method::GET, "/cases");
    let shown = shown.header("read-after", known.position).send().await.unwrap();
    assert_eq!(shown.json::<Value>().await.unwrap()["_meta"]["totalRecords"], 1);
    let case = known.note(two.olle().try_change(&case, "start-processing", &json!({})).await).await.unwrap();
    let stale = json!({"id": case["id"], "version": 1});
    let refused = one.olle().try_change(&stale, "close", &json!({"answer": "Klart."})).await.unwrap();
    assert_eq!(refused.status(), 412);
    known.note(one.olle().try_change(&case, "close", &json!({"answer": "Klart."})).await).await.unwrap();
    let page = two.anna().request(reqwest::Method::GET, &format!("/cases/{}", case["id"].as_str().unwrap()));
    let page: Value = page.header("read-after", known.position).send().await.unwrap().json().await.unwrap();
    assert_eq!((&page["answer"], &page["status"]), (&json!("Klart."), &json!("closed")));
    known.is_in(&one).await;
    known.is_in(&two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mails_leave_from_one_node_and_another_takes_over_within_ten_seconds() {
    let town = Town::new().await;
    let [one, two] = town.nodes().await;
    let (one_data, two_data) = (town.data(0), town.data(1));
    let sent = || mails(&one_data).len() + mails(&two_data).len();
    one.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    two.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    until(|| sent() == 2).await;
    let (holder, other, other_data) =
        if mails(&one_data).len() == 2 { (one, two, &two_data) } else { (two, one, &one_data) };
    assert!(mails(other_data).is_empty(), "one node sends all");
    holder.kill().await;
    let killed = Instant::now();
    other.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    until(|| sent() == 3).await;
    assert!(killed.elapsed().as_secs() < 10, "{:?}", killed.elapsed());
    let mut names: Vec<_> = [mails(&one_data), mails(&two_data)].concat();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3, "each once");
}

/// A server takes over that lacks the end of the log: here a copy of the database from before.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_log_went_back_begins_anew_on_what_it_holds() {
    let town = Town::new().await;
    let [one, two] = town.nodes().await;
    let mut known = Acknowledged::default();
    known.note(one.anna().try_create(&new_key(), &[]).await).await.unwrap();
    let away = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'";
    // Nobody may be connected while it is copied.
    let closed = ["ALTER DATABASE {} ALLOW_CONNECTIONS false", away];
    town.sql(&closed).await;
    town.sql(&["CREATE DATABASE {}_before TEMPLATE {}", "ALTER DATABASE {} ALLOW_CONNECTIONS true"]).await;
    one.until_ready(true).await;
    let lost = Acknowledged::default().note(one.anna().try_create(&new_key(), &[]).await).await.unwrap();
    let path = format!("/cases/{}", lost["id"].as_str().unwrap());
    two.until_ready(true).await;
    let shown = two
        .anna()
        .request(reqwest::Method::GET, &path)
        .header("read-after", lost["position"].as_u64().unwrap());
    assert_eq!(shown.send().await.unwrap().status(), 200, "both have shown what will be lost");
    town.sql(&closed).await;
    let swap = ["ALTER DATABASE {} RENAME TO {}_lost", "ALTER DATABASE {}_before RENAME TO {}"];
    town.sql(&swap).await;
    for node in [&one, &two] {
        until(|| node.said().contains("the log went back")).await;
        node.until_ready(true).await;
        known.note(node.anna().try_create(&new_key(), &[]).await).await.unwrap();
        known.is_in(node).await;
        let gone = node.anna().get(&format!("/cases/{}", lost["id"].as_str().unwrap())).await;
        assert_eq!(gone.status(), 404);
    }
    // Mails that leave meanwhile are added while one is read after the other.
    let (first, second) = (one.events().await, two.events().await);
    let common = first.len().min(second.len());
    assert!(common as u64 >= known.position);
    assert_eq!(first[..common], second[..common]);
}
