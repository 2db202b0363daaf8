//! The read log: what is recorded stands, in order, sealed, and proven against what the log tells of it.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::reading::What;
use domain::{CaseId, Event, Reading};
use futures::future::join_all;
use uuid::Uuid;

use crate::log::Log;
use crate::log::contract::Engine;
use crate::read_log::binding::{self, Bound};
use crate::read_log::{ReadBatch, Settings, StoredRead, open_month, probe, token};
use crate::testing::{person, time};
use crate::{Clock, Keys, Recorder};

const ALL: usize = 10_000;

/// Two nodes that record on one read log.
struct Town {
    log: Arc<dyn Log>,
    keys: Arc<Keys>,
    clock: Clock,
    nodes: [Recorder; 2],
    _folder: tempfile::TempDir,
}

impl Town {
    fn new<E: Engine>(engine: &E) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::open(folder.path(), true).unwrap());
        let clock = Clock::fixed(time("2026-11-23T10:00:00Z"));
        let node = || {
            let (log, keys, clock) = (engine.log(), Arc::clone(&keys), clock.clone());
            Recorder::start(Settings { log, keys, clock, bound: 0 }).unwrap().0
        };
        Self { log: engine.log(), nodes: [node(), node()], keys, clock, _folder: folder }
    }

    async fn record(&self, node: usize, cases: &[u128]) {
        let receipt = self.nodes[node].record(reading(cases)).await.unwrap();
        assert!(cases.iter().all(|case| receipt.covers(self::case(*case))) && !receipt.covers(case(0)));
    }

    async fn bind(&self, bound: &mut Bound) {
        let (from, to) = (bound.last() + 1, self.log.reads().reads_head().await.unwrap().position);
        let root = hex::encode(binding::root(self.log.reads(), from, to).await.unwrap());
        bound.see(&Event::ReadLogSealed { from, to, root });
    }

    /// What is wrong, in words.
    async fn wrong(&self, bound: &Bound) -> Vec<String> {
        binding::prove(self.log.reads(), Some(&self.keys), bound).await.unwrap().findings
    }
}

fn case(number: u128) -> CaseId {
    CaseId(Uuid::from_u128(number))
}

fn reading(cases: &[u128]) -> Reading {
    Reading {
        who: person(2),
        role: "officer".to_owned(),
        what: What::Case,
        cases: cases.iter().copied().map(case).collect(),
        attachment: None,
        positions: None,
        reason: Some("tillsyn".to_owned()),
    }
}

pub(crate) async fn readings_of_many_nodes_are_dense_and_open<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    let many = (0..60).map(|number: u128| {
        let town = &town;
        async move { town.record(usize::from(number.is_multiple_of(2)), &[number + 1, 500]).await }
    });
    join_all(many).await;
    let rows = town.log.reads().reads_after(0, ALL).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.position).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    let [(month, wrapped)] = &town.log.reads().read_keys().await.unwrap()[..] else { panic!("one month") };
    let key = open_month(&town.keys, month, wrapped).unwrap();
    let mut seen = HashSet::new();
    for row in &rows {
        let opened = row.open(&key).unwrap();
        assert_eq!(opened, Reading { cases: opened.cases.clone(), ..reading(&[]) });
        assert_eq!((opened.cases[1], row.at()), (case(500), town.clock.now()));
        assert!(seen.insert(opened.cases[0]));
        assert!(!row.sealed.windows(7).any(|window| window == b"tillsyn"), "it is sealed");
    }
    // A case's own are found, newest first, a page at a time.
    let of = |number, before, limit| {
        let (reads, tokens) = (town.log.reads(), [token(&key, case(number))]);
        async move {
            let rows = reads.reads_before(before, Some(&tokens), limit).await.unwrap();
            rows.iter().map(|row| row.position).collect::<Vec<_>>()
        }
    };
    assert_eq!(of(500, u64::MAX, 3).await, [60, 59, 58]);
    assert_eq!(of(500, 58, 2).await, [57, 56]);
    assert_eq!((of(7, u64::MAX, ALL).await.len(), of(777, u64::MAX, ALL).await.len()), (1, 0));
    assert_eq!(town.wrong(&Bound::default()).await, Vec::<String>::new());
}

/// A new month has a new key; time never goes back.
pub(crate) async fn each_month_has_its_key<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    let at = |town: &Town, moment: &str| town.clock.set(time(moment));
    town.record(0, &[1]).await;
    at(&town, "2026-12-01T10:00:00Z");
    town.record(1, &[1]).await;
    at(&town, "2026-11-30T10:00:00Z");
    town.record(0, &[1]).await;
    let rows = town.log.reads().reads_after(0, ALL).await.unwrap();
    let months: Vec<&str> = rows.iter().map(|row| row.month.as_str()).collect();
    assert_eq!(months, ["2026-11", "2026-12", "2026-12"]);
    assert_eq!(rows[2].at(), time("2026-12-01T10:00:00Z"));
    let keys = town.log.reads().read_keys().await.unwrap();
    assert_eq!(keys.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(), ["2026-11", "2026-12"]);
    assert_eq!(town.wrong(&Bound::default()).await, Vec::<String>::new());
}

pub(crate) async fn stored_readings_are_never_changed_or_deleted<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    town.record(0, &[1]).await;
    for sql in [
        "UPDATE read_log SET recorded_at = 1",
        "DELETE FROM read_log",
        "UPDATE read_case SET position = 2",
        "DELETE FROM read_case",
    ] {
        let error = engine.intrude_reads(sql).await.unwrap_err();
        assert!(error.contains("is never changed") || error.contains("is never deleted"), "{sql}: {error}");
    }
    let rows = town.log.reads().reads_after(0, ALL).await.unwrap();
    let mut writer = town.log.reads().read_writer().await.unwrap();
    writer.begin().await.unwrap();
    let error = writer.write(&ReadBatch { rows, ..ReadBatch::default() }).await.unwrap_err().to_string();
    writer.rollback().await;
    assert!(error.contains("only at the end"), "{error}");
}

pub(crate) async fn a_reading_that_was_changed_or_removed_is_named<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    let mut bound = Bound::default();
    for number in 1..=10 {
        town.record(0, &[number]).await;
        if number % 4 == 0 {
            town.bind(&mut bound).await;
        }
    }
    assert_eq!((bound.sealed.len(), bound.last()), (2, 8));
    assert_eq!(town.wrong(&bound).await, Vec::<String>::new());
    let rows = town.log.reads().reads_after(0, ALL).await.unwrap();
    let change = |sql: String| async move { engine.past_triggers(&sql).await };
    let id = |bytes: &[u8]| hex::encode(bytes);

    change(E::bytes("UPDATE read_log SET leaf_hash = {} WHERE position = 3", &[0; 32])).await;
    assert_eq!(town.wrong(&bound).await, ["row 3 does not hash to its leaf hash"]);
    // Even with its hash made right, and by somebody who cannot seal.
    let mut forged = rows[2].clone();
    forged.recorded_at += 1;
    let set = format!(
        "UPDATE read_log SET recorded_at = {}, leaf_hash = {{}} WHERE position = 3",
        forged.recorded_at
    );
    change(E::bytes(&set, &forged.compute_leaf_hash())).await;
    let wrong = town.wrong(&bound).await.join("; ");
    assert!(wrong.contains("row 3 does not open"), "{wrong}");
    assert!(wrong.contains("the rows from 1 to 4 are not those that the log has bound"), "{wrong}");
    assert!(!wrong.contains("5 to 8") && !id(&rows[2].leaf_hash).is_empty(), "{wrong}");
    let set = format!(
        "UPDATE read_log SET recorded_at = {}, leaf_hash = {{}} WHERE position = 3",
        rows[2].recorded_at
    );
    change(E::bytes(&set, &rows[2].leaf_hash)).await;
    assert_eq!(town.wrong(&bound).await, Vec::<String>::new(), "it is as it was");

    change("DELETE FROM read_case WHERE position = 6".to_owned()).await;
    assert_eq!(town.wrong(&bound).await, ["row 6 is not found by the cases that it tells of"]);
    change("DELETE FROM read_log WHERE position = 6".to_owned()).await;
    let wrong = town.wrong(&bound).await;
    assert_eq!(wrong[0], "the rows from 6 to 6 are missing");
    assert_eq!(wrong[1], "the rows from 5 to 8 are not those that the log has bound");
    change("DELETE FROM read_log WHERE position > 7".to_owned()).await;
    let wrong = town.wrong(&bound).await.join("; ");
    assert!(wrong.contains("the rows from 8 to 8, which the log has bound, are missing"), "{wrong}");
}

/// Where rows are lost that the log has bound, none is added in their place.
pub(crate) async fn what_is_lost_stays_lost<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    let mut bound = Bound::default();
    for number in 1..=4 {
        town.record(0, &[number]).await;
    }
    town.bind(&mut bound).await;
    engine.past_triggers("DELETE FROM read_log WHERE position > 2").await;
    let (log, keys, clock) = (engine.log(), Arc::clone(&town.keys), town.clock.clone());
    let (later, _) = Recorder::start(Settings { log, keys, clock, bound: bound.last() }).unwrap();
    later.record(reading(&[9])).await.unwrap();
    assert_eq!(town.log.reads().reads_head().await.unwrap().position, 5);
    let wrong = town.wrong(&bound).await.join("; ");
    assert!(wrong.contains("the rows from 3 to 4 are missing"), "{wrong}");
}

pub(crate) async fn a_month_whose_key_is_destroyed_cannot_be_read_but_still_proves<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    let mut bound = Bound::default();
    town.record(0, &[1]).await;
    town.clock.set(time("2026-12-01T10:00:00Z"));
    town.record(0, &[1]).await;
    town.bind(&mut bound).await;
    town.nodes[1].destroy("2026-11".to_owned()).await.unwrap();
    let wrong = town.wrong(&bound).await;
    assert!(wrong.len() == 1 && wrong[0].contains("the key of 2026-11 is missing"), "{wrong:?}");
    bound.see(&Event::ReadLogKeyDestroyed { month: "2026-11".to_owned() });
    let proof = binding::prove(town.log.reads(), Some(&town.keys), &bound).await.unwrap();
    assert_eq!((proof.rows, proof.opened, proof.findings), (2, 1, Vec::new()));
    let keys = town.log.reads().read_keys().await.unwrap();
    assert_eq!(keys.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(), ["2026-12"]);
    town.record(0, &[1]).await;
}

/// A key that is gone without a word is not made anew: what is recorded under it could not be told from what was.
pub(crate) async fn a_month_whose_key_is_lost_records_nothing<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    town.record(0, &[1]).await;
    engine.past_triggers("DELETE FROM read_key").await;
    let error = town.nodes[1].record(reading(&[1])).await.unwrap_err().to_string();
    assert!(error.contains("the key of the read log for 2026-11 is missing"), "{error}");
    assert!(town.nodes[1].trouble().is_some());
}

pub(crate) async fn what_cannot_be_recorded_is_said<E: Engine>(engine: &E) {
    let town = Town::new(engine);
    assert_eq!(probe(town.log.reads()).await.unwrap().position, 0);
    town.record(0, &[1]).await;
    assert_eq!(probe(town.log.reads()).await.unwrap().position, 1, "a probe leaves nothing");
    engine.past_triggers("ALTER TABLE read_log RENAME TO away").await;
    assert!(probe(town.log.reads()).await.is_err());
    assert!(town.nodes[0].record(reading(&[1])).await.is_err());
    assert!(town.nodes[0].trouble().is_some());
    engine.past_triggers("ALTER TABLE away RENAME TO read_log").await;
    town.record(0, &[1]).await;
    assert_eq!(town.nodes[0].trouble(), None);
    let at: Vec<DateTime<Utc>> =
        town.log.reads().reads_after(0, ALL).await.unwrap().iter().map(StoredRead::at).collect();
    assert_eq!(at.len(), 2);
}
