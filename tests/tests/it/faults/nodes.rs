//! Faults of three nodes on one database, a round or two of each; the campaign with more is
//! `cargo run -p tests --release --bin faults -- nodes`.

use std::time::Duration;

use tests::faults::WRITERS;
use tests::nodes::{self, Fault, Report, Rounds};

use super::is_clean;

/// Does a fault so often, each time for so many seconds.
async fn after(fault: Fault, count: usize, seconds: u64) -> Report {
    let folder = tempfile::tempdir().unwrap();
    // An upgrade takes many times longer than another fault, and every mail of what is written meanwhile is waited for.
    let writers = if fault == Fault::Upgrade { 4 } else { WRITERS };
    let rounds = Rounds { count, writers, time: Duration::from_secs(seconds), seed: rand::random() };
    let report = nodes::run(fault, folder.path(), rounds, |_| {}).await;
    let report = report.unwrap_or_else(|error| panic!("{fault:?}, seed {}: {error:#}", rounds.seed));
    is_clean(&report.tally);
    assert!(report.tally.acknowledged > 100 && report.mails > 0, "{report:?}");
    report
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_killed() {
    after(Fault::Kill, 2, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_ends_at_once_and_one_that_is_killed() {
    after(Fault::Restart, 2, 0).await;
}

/// Each way of cutting a commit, and all connections of a node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_in_the_middle_of_a_commit() {
    after(Fault::Cut, 4, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_parted_from_the_database() {
    after(Fault::Partition, 1, 3).await;
}

/// While it holds the lock, and when it has committed and not heard so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_paused_while_it_holds_the_lock() {
    after(Fault::Pause, 2, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_whose_disk_is_full() {
    if nodes::full::is_possible() {
        after(Fault::Full, 1, 1).await;
    } else {
        println!("not run: it needs a file system that can be filled, and so the right to mount one");
    }
}

/// Ahead and behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_clock_is_wrong_by_an_hour() {
    after(Fault::Clock, 2, 1).await;
}

/// Every node gets the next version, which has a field more in an event and other rows, and then this one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_are_upgraded_one_after_the_other_and_back_refuse_nothing() {
    let report = after(Fault::Upgrade, 1, 0).await;
    let requests = report.requests.unwrap();
    println!("{requests:?}, longest pause {:?}", report.longest_outage);
    assert!(requests.done > 500 && requests.refused == 0 && requests.lost == 0, "{requests:?}");
    assert_eq!(report.tally.unknown, 0, "everybody was answered the first time");
}
