//! The program itself before a scanner: killed between upload and scan, on many nodes, and what `kundwebb check` says.

use std::sync::Arc;

use cluster::Cluster;
use serde_json::Value;
use tests::clamd::GOOD;
use tokio::time::Instant;

use super::{clamd, infected_pdf, run, scans};
use crate::program::{PATIENCE, Program, Start, User, words};
use crate::support::{PDF, new_key};

/// A case with files, each as it was uploaded.
async fn create(user: &User<'_>, files: &[&[u8]]) -> String {
    let mut ids = Vec::new();
    for content in files {
        let upload: Value = user.try_upload(content).await.unwrap().json().await.unwrap();
        ids.push(upload["uploadId"].as_str().unwrap().to_owned());
    }
    let created = user.try_create(&new_key(), &ids).await.unwrap();
    assert_eq!(created.status(), 201);
    created.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn until_scanned(user: &User<'_>, case: &str, wanted: &[&str]) {
    let until = Instant::now() + PATIENCE;
    loop {
        let read: Value = user.get(&format!("/cases/{case}")).await.json().await.unwrap();
        if scans(&read) == wanted {
            return;
        }
        assert!(Instant::now() < until, "{read}");
    }
}

/// How many files the log says have been scanned.
async fn scanned(program: &Program) -> usize {
    program.events().await.iter().filter(|event| event["type"] == "FileScanned").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_upload_and_scan_nothing_is_lost_and_files_from_before_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path()).await;
    let old = create(&program.anna(), &[PDF]).await;
    program.stop().await;

    let daemon = clamd(None).await;
    let address = daemon.address();
    let variables = [("KUNDWEBB_SCAN__ADDRESS", address.as_str()), ("KUNDWEBB_SCAN__AGAIN_SECONDS", "1")];
    let start = Start { variables: &variables, ..Start::default() };
    let program = Program::start_with(folder.path(), &start).await;
    let case = create(&program.anna(), &[PDF, &infected_pdf()]).await;
    program.kill().await;
    let program = Program::start_with(folder.path(), &start).await;
    let anna = program.anna();
    until_scanned(&anna, &case, &["waiting", "waiting"]).await;
    let _daemon = run(daemon, &GOOD).await;
    until_scanned(&anna, &case, &["clean", "infected"]).await;
    until_scanned(&anna, &old, &["null"]).await;
    assert_eq!(scanned(&program).await, 2);
    let metrics = program.metrics().await;
    assert!(metrics.contains("kundwebb_scanned_total{outcome=\"infected\"} 1"), "{metrics}");
    program.stop().await;
}

/// Whichever node holds the lease scans, and what it leaves the other does; nothing is recorded twice.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_nodes_one_scans_and_another_goes_on() {
    let url = tokio::task::spawn_blocking(|| {
        let cluster: Arc<Cluster> = Cluster::shared().unwrap();
        let url = cluster.database().unwrap();
        (cluster, url)
    });
    let (_cluster, url) = url.await.unwrap();
    let daemon = clamd(None).await;
    let address = daemon.address();
    let folder = tempfile::tempdir().unwrap();
    let files = format!("local:{}", folder.path().join("files").display());
    let variables = [
        ("KUNDWEBB_LOG", url.as_str()),
        ("KUNDWEBB_FILES__STORE", files.as_str()),
        ("KUNDWEBB_SCAN__ADDRESS", address.as_str()),
        ("KUNDWEBB_SCAN__AGAIN_SECONDS", "1"),
    ];
    let start = Start { variables: &variables, ..Start::default() };
    let one = Program::start_with(&folder.path().join("1"), &start).await;
    let two = one.beside(&folder.path().join("2"), &start).await;
    let case = create(&one.anna(), &[PDF, &infected_pdf(), PDF]).await;
    let mut daemon = run(daemon, &GOOD).await;
    until_scanned(&two.anna(), &case, &["clean", "infected", "clean"]).await;
    assert_eq!(scanned(&two).await, 3);
    daemon.kill();
    let case = create(&two.anna(), &[infected_pdf().as_slice()]).await;
    one.kill().await;
    let _daemon = run(daemon, &GOOD).await;
    until_scanned(&two.anna(), &case, &["infected"]).await;
    assert_eq!(scanned(&two).await, 4);
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_what_the_scanner_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let check = |address: String| {
        let data = folder.path().to_path_buf();
        tokio::task::spawn_blocking(move || {
            let mut command = std::process::Command::new(crate::program::binary());
            command.args(["check", "--data"]).arg(data).env("KUNDWEBB_SCAN__ADDRESS", address);
            words(&command.output().unwrap())
        })
    };
    let said = check(String::new()).await.unwrap();
    assert!(said.contains("ok    scanner: there is none: attached files are not scanned"), "{said}");
    assert!(check("/run/clamd".to_owned()).await.unwrap().contains("FAIL  scanner: scan.address: "));
    let mut daemon = clamd(None).await;
    let address = daemon.address();
    assert!(check(address.clone()).await.unwrap().contains("does not answer; start clamav-daemon"));
    let small: &[&str] = &["StreamMaxLength 20M", "AlertEncrypted yes", "AlertExceedsMax yes"];
    for (settings, said) in [
        (&GOOD[..], "ok    scanner: unix:"),
        (small, "takes no file of 25 MB, as files.file_mb allows: set StreamMaxLength"),
        (&["AlertExceedsMax yes"], "says clean of an archive that is locked with a password"),
        (&["AlertEncrypted yes"], "says clean of an archive that is packed 200 times"),
    ] {
        daemon = run(daemon, settings).await;
        let found = check(address.clone()).await.unwrap();
        assert!(found.contains(said), "{settings:?}: {found}");
    }
}
