//! Positions, order and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::TimeDelta;
use domain::CaseId;

use crate::committer::Publish;
use crate::feed::{Feed, log_feed};
use crate::log::contract::Engine;
use crate::log::{Batch, Log, Search};
use crate::reader::Reader;
use crate::stored::StoredEvent;
use crate::testing::*;
use crate::{Keys, startup};

const WRITERS: u64 = 16;
const COMMANDS: u64 = 20;

/// P1: what a reader has seen at position p is everything up to p.
pub(crate) async fn positions_are_dense_under_many_writers_and_readers_miss_nothing<E: Engine>(engine: &E) {
    let log = engine.log();
    let node = Arc::new(Node::start(&log));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let node = Arc::clone(&node);
            tokio::spawn(async move {
                let case = node.filed().await;
                for number in 1..COMMANDS {
                    let written = node.run(request(&reporter(), case.id, message("Hej"))).await.unwrap();
                    assert_eq!(written.version, number + 1);
                }
            })
        })
        .collect();
    let total = WRITERS * COMMANDS;
    let mut readers = Vec::new();
    for limit in [1, 7, 1000] {
        let log = Arc::clone(&log);
        readers.push(tokio::spawn(async move {
            let mut seen = 0;
            while seen < total {
                for event in log.events_after(seen, limit).await.unwrap() {
                    assert_eq!(event.position, seen + 1, "a reader missed an event");
                    seen = event.position;
                }
            }
        }));
    }
    for task in writers.into_iter().chain(readers) {
        task.await.unwrap();
    }
    let events = log.events_after(0, usize::MAX >> 1).await.unwrap();
    assert_eq!(events.len() as u64, total);
    startup::verify(&events, 0).unwrap();
    let mut numbers: Vec<u64> = Vec::new();
    for event in &events {
        numbers.extend(event.case_number().map(domain::CaseNumber::running));
    }
    assert_eq!(numbers, (1..=WRITERS).collect::<Vec<_>>(), "P9");
}

/// The feed is fed from memory, and reads from the log what its follower was too slow for.
pub(crate) async fn a_feed_misses_nothing_however_slow_its_follower<E: Engine>(engine: &E) {
    let mut feed = None;
    let node = Node::start_with(&engine.log(), |log: &Arc<dyn Log>, keys: &Arc<Keys>| -> Publish {
        let reader = Reader { log: Arc::clone(log), keys: Arc::clone(keys) };
        let (follower, publish, _) = log_feed(reader, tokio::runtime::Handle::current());
        feed = Some(follower);
        publish
    });
    let mut feed = feed.unwrap();
    // More batches than wait in memory: each command is a batch of its own.
    let case = node.filed().await;
    for _ in 1..300 {
        node.run(request(&reporter(), case.id, message("Hej"))).await.unwrap();
    }
    let seen = Arc::new(AtomicU64::new(0));
    let follower = std::thread::spawn({
        let seen = Arc::clone(&seen);
        move || {
            loop {
                let position = seen.load(Ordering::Acquire);
                let events = feed.after(position, 7).unwrap();
                assert!(events.len() <= 7);
                for (event, expected) in events.iter().zip(position + 1..) {
                    assert_eq!(event.position, expected, "the feed missed an event");
                }
                let Some(last) = events.last() else { return feed };
                seen.store(last.position, Ordering::Release);
            }
        }
    });
    for _ in 0..50 {
        node.run(request(&reporter(), case.id, message("Hallå"))).await.unwrap();
    }
    let before = node.head().await;
    let node = node.restart();
    // The feed ends with its committer, after everything.
    let mut feed = follower.join().unwrap();
    assert_eq!((before, seen.load(Ordering::Acquire)), (350, 350));
    let last = node.log.head().await.unwrap();
    let leaf = std::thread::spawn(move || (feed.leaf_at(350).unwrap(), feed.leaf_at(351).unwrap()));
    assert_eq!(leaf.join().unwrap(), (Some(last.leaf_hash), None));
}

pub(crate) async fn a_reader_sees_nothing_uncommitted<E: Engine>(engine: &E) {
    let log = engine.log();
    let node = Node::start(&log);
    let case = node.filed().await;
    let mut next = log.events_after(0, 1).await.unwrap().remove(0);
    (next.position, next.version) = (2, 2);
    let batch = Batch { events: vec![next.clone()], ..Batch::default() };
    let mut writer = log.writer().await.unwrap();
    assert_eq!(writer.begin().await.unwrap().head.position, 1);
    writer.write(&batch).await.unwrap();
    assert_eq!(log.head().await.unwrap().position, 1);
    assert_eq!(log.events_after(0, 10).await.unwrap().len(), 1);
    assert_eq!(log.stream(case.id.into()).await.unwrap().len(), 1);
    writer.rollback().await;
    assert_eq!(log.head().await.unwrap().position, 1);
    writer.begin().await.unwrap();
    writer.write(&batch).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(log.events_after(1, 10).await.unwrap(), [next]);
}

pub(crate) async fn a_search_goes_backwards_between_its_bounds<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    node.committer.append(notice()).await.unwrap();
    for _ in 0..3 {
        node.run(request(&reporter(), case.id, message("Hej"))).await.unwrap();
    }
    let found = async |after, before, type_name: Option<&str>, limit| {
        let search = Search { before, after, type_name: type_name.map(str::to_owned), limit };
        let events = node.log.events_before(&search).await.unwrap();
        events.iter().map(|event| event.position).collect::<Vec<_>>()
    };
    assert_eq!(found(0, 6, None, 10).await, [5, 4, 3, 2, 1]);
    assert_eq!(found(1, 5, None, 10).await, [4, 3, 2]);
    assert_eq!(found(0, 6, Some("MessageAdded"), 2).await, [5, 4]);
    assert_eq!(found(0, 6, Some("CaseReceived"), 2).await, [1]);
    assert_eq!(found(0, 1, None, 10).await, [] as [u64; 0]);
}

/// P2.
pub(crate) async fn stored_events_are_never_changed_or_deleted<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    node.filed().await;
    let before = node.log.events_after(0, 10).await.unwrap();
    for sql in [
        "UPDATE event SET facts = '{}'",
        "UPDATE event SET position = 7",
        "DELETE FROM event",
        "DELETE FROM event WHERE position = 1",
    ] {
        let error = engine.intrude(sql).await.unwrap_err();
        assert!(error.contains("a stored event is never"), "{sql}: {error}");
    }
    assert_eq!(node.log.events_after(0, 10).await.unwrap(), before);
}

pub(crate) async fn leaves_hash_what_is_stored<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    node.filed().await;
    node.committer.append(notice()).await.unwrap();
    let events = node.log.events_after(0, 10).await.unwrap();
    for event in &events {
        assert_eq!(event.leaf_hash, event.compute_leaf_hash());
    }
    let head = node.log.head().await.unwrap();
    assert_eq!((head.position, head.leaf_hash, head.recorded_at), {
        let StoredEvent { position, leaf_hash, recorded_at, .. } = &events[1];
        (*position, *leaf_hash, *recorded_at)
    });
}

pub(crate) async fn time_never_goes_back<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let noon = time("2026-11-23T12:00:00Z");
    for (clock, recorded) in [
        (noon, noon),
        (noon - TimeDelta::hours(3), noon),
        (noon + TimeDelta::microseconds(1), noon + TimeDelta::microseconds(1)),
        (noon - TimeDelta::days(400), noon + TimeDelta::microseconds(1)),
    ] {
        node.clock.set(clock);
        node.filed().await;
        assert_eq!(node.log.head().await.unwrap().recorded_at, recorded.timestamp_micros());
    }
    let node = node.restart();
    node.filed().await;
    let events = node.log.events_after(0, 10).await.unwrap();
    assert!(events.is_sorted_by_key(|event| event.recorded_at));
    assert!(events.iter().all(|event| event.case_number().unwrap().year() == 2026));
}

/// P9 and LAW-01: the year is that of the Swedish day.
pub(crate) async fn numbers_have_no_holes_over_new_year<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    node.clock.set(time("2026-12-31T22:59:59.999999Z"));
    let refused = request(&actor(domain::access::Role::Auditor, 4), new_case(), create(vec![]));
    let mut numbers = Vec::new();
    let mut file = async |at: Option<&str>| {
        if let Some(at) = at {
            node.clock.set(time(at));
        }
        node.run(refused.clone()).await.unwrap_err();
        numbers.push(node.filed().await.case_number.to_string());
    };
    file(None).await;
    file(None).await;
    file(Some("2026-12-31T23:00:00Z")).await;
    file(Some("2026-12-31T22:00:00Z")).await;
    file(Some("2027-06-01T00:00:00Z")).await;
    assert_eq!(
        numbers,
        ["2026-000001-1", "2026-000002-9", "2027-000001-9", "2027-000002-7", "2027-000003-5"]
    );
    let first = domain::CaseNumber::new(2027, 1);
    let found = node.log.case_by_number(first).await.unwrap().unwrap();
    assert_eq!(node.log.stream(found).await.unwrap()[0].case_number(), Some(first));
    assert_eq!(node.log.case_by_number(domain::CaseNumber::new(2026, 3)).await.unwrap(), None);
}

pub(crate) async fn the_position_of_a_moment<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let first = time("2026-11-23T12:00:00Z");
    assert_eq!(node.log.position_at(first).await.unwrap(), 0);
    for hour in 0..5 {
        node.clock.set(first + TimeDelta::hours(hour));
        node.filed().await;
        node.committer.append(notice()).await.unwrap();
    }
    for (at, position) in [
        (first - TimeDelta::microseconds(1), 0),
        (first, 2),
        (first + TimeDelta::minutes(90), 4),
        (first + TimeDelta::hours(4), 10),
        (first + TimeDelta::days(9), 10),
    ] {
        assert_eq!(node.log.position_at(at).await.unwrap(), position, "{at}");
    }
    let nobody = node.log.stream(CaseId(uuid::Uuid::nil()).into()).await.unwrap();
    assert_eq!(nobody, []);
}
