//! The real program: what was answered is on record whatever ends it, what stands in files, backups and `check`.

use std::path::Path;
use std::sync::Arc;

use cluster::Cluster;
use serde_json::{Value, json};

use crate::program::{Program, Start, run, words};
use crate::support::new_key;

fn count(data: &Path) -> u64 {
    let reads = rusqlite::Connection::open(data.join("reads.db")).unwrap();
    reads.query_row("SELECT count(*) FROM read_log", [], |row| row.get(0)).unwrap()
}

async fn case(program: &Program) -> Value {
    let created = program.anna().try_create(&new_key(), &[]).await.unwrap();
    let case: Value = created.error_for_status().unwrap().json().await.unwrap();
    let path = format!("/cases/{}", case["id"].as_str().unwrap());
    let read = program.anna().request(reqwest::Method::GET, &path);
    read.header("read-after", case["position"].to_string()).send().await.unwrap().error_for_status().unwrap();
    case
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_on_record_when_the_program_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    for round in 1..=3_u64 {
        let program = Program::start(&data).await;
        let case = case(&program).await;
        let answer = program.olle().get(&format!("/cases/{}", case["id"].as_str().unwrap())).await;
        // The answer has begun: it need not even have been read.
        assert_eq!(answer.status(), 200);
        program.kill().await;
        assert_eq!(count(&data), round);
    }
    let verified = run(&data, &["log", "verify"]);
    assert!(
        verified.status.success() && words(&verified).contains("3 readings without a gap"),
        "{}",
        words(&verified)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_on_record_when_a_node_on_a_database_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, url) = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::shared().unwrap();
        let url = cluster.database().unwrap();
        (cluster, url)
    })
    .await
    .unwrap();
    let variables = [("KUNDWEBB_LOG", url.as_str())];
    let program = Program::start_with(
        &folder.path().join("data"),
        &Start { variables: &variables, ..Start::default() },
    )
    .await;
    let case = case(&program).await;
    let answer = program.olle().get(&format!("/cases/{}", case["id"].as_str().unwrap())).await;
    assert_eq!(answer.status(), 200);
    program.kill().await;
    let database = url.rsplit('/').next().unwrap().to_owned();
    let asked = Arc::clone(&cluster);
    let rows = tokio::task::spawn_blocking(move || {
        asked.sql(&database, "SELECT count(*) FROM kundwebb_reads.read_log").unwrap()
    });
    assert_eq!(rows.await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_the_readings_without_keys_and_a_restore_has_both() {
    let folder = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| folder.path().join(name));
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let program = Program::start(&data).await;
    let case = case(&program).await;
    let path = format!("/cases/{}", case["id"].as_str().unwrap());
    program.olle().get(&path).await.error_for_status().unwrap();
    let said = run(&data, &["check"]);
    assert!(
        words(&said).contains("ok    read log: 1 readings, of which the log has bound 0; it can be written"),
        "{}",
        words(&said)
    );
    let taken = run(&data, &["backup", "--to", &text(&backup)]);
    assert!(taken.status.success(), "{}", words(&taken));
    let reads = rusqlite::Connection::open(data.join("reads.db")).unwrap();
    let key: Vec<u8> = reads.query_row("SELECT wrapped FROM read_key", [], |row| row.get(0)).unwrap();
    let holds = |path: &Path| std::fs::read(path).unwrap().windows(key.len()).any(|window| window == key);
    assert!(!holds(&backup.join("reads.db")) && holds(&backup.join("keys.db")));
    assert_eq!(count(&backup), 1);
    let put = run(&restored, &["restore", "--from", &text(&backup)]);
    assert!(put.status.success(), "{}", words(&put));
    assert!(holds(&restored.join("reads.db")));
    let verified = run(&restored, &["log", "verify"]);
    assert!(words(&verified).contains("1 open with the keys of their months"), "{}", words(&verified));
    // A backup starts as it is, too.
    let second = Program::start(&backup).await;
    second.olle().get(&path).await.error_for_status().unwrap();
    assert_eq!(count(&backup), 2);
    assert!(holds(&backup.join("reads.db")));
}

/// A program that is told of a read log that it cannot write serves all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_log_that_cannot_be_written_is_told_and_only_own_cases_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    let case = case(&program).await;
    std::fs::create_dir(data.join("reads.db")).unwrap();
    let path = format!("/cases/{}", case["id"].as_str().unwrap());
    let refused = program.olle().get(&path).await;
    assert_eq!(refused.status(), 503);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["type"], json!("/problems/read-log.unavailable"));
    program.anna().get(&path).await.error_for_status().unwrap();
    assert!(program.said().contains("the read log cannot be written"), "{}", program.said());
    let said = words(&run(&data, &["check"]));
    assert!(said.contains("FAIL  read log: it cannot be recorded who reads what"), "{said}");
    std::fs::remove_dir(data.join("reads.db")).unwrap();
    program.olle().get(&path).await.error_for_status().unwrap();
    assert_eq!(count(&data), 1);
}
