//! Faults of the process while many write; the campaign with more rounds is `cargo run -p tests --release --bin faults`.

mod nodes;

use std::time::Duration;

use checker::Tally;
use tests::faults::kill::Rounds;
use tests::faults::{Report, abort, kill, pause};

#[track_caller]
fn is_clean(tally: &Tally) {
    assert_eq!(tally.violations, [] as [&str; 0], "{tally:?}");
    assert_eq!((tally.lost, tally.doubled), (0, 0), "{tally:?}");
}

#[track_caller]
fn nothing_lost(report: &Report) {
    is_clean(&report.tally);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_under_many_writers_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let seed = rand::random();
    let report = kill::kill(folder.path(), Rounds { kills: 5, judged_every: 2 }, seed, |_| {}).await;
    let report = report.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    nothing_lost(&report);
    assert!(report.tally.acknowledged > 100, "seed {seed}: {report:?}");
    assert!(report.mails > 0, "seed {seed}: {report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn held_for_ten_seconds_nothing_is_lost_or_doubled() {
    let folder = tempfile::tempdir().unwrap();
    let report = pause::pause(folder.path(), 1, Duration::from_secs(10)).await.unwrap();
    nothing_lost(&report);
    assert!(report.tally.acknowledged > 20, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_who_go_away_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let seed = rand::random();
    let report = abort::abort(folder.path(), 10_000, seed).await;
    let report = report.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
    nothing_lost(&report);
    assert!(report.tally.events > 1000, "many were done all the same: {report:?}");
}
