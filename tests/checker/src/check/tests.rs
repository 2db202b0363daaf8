//! Broken histories: each kind of fault is seen, and a whole history is not complained of.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;
use crate::records::Acknowledged;
use crate::{log, records};

/// A case of which everything is known: its events and what a client was told.
fn whole() -> (Vec<Stored>, Vec<Record>) {
    let life = [
        ("create", "CaseReceived"),
        ("start-processing", "ProcessingStarted"),
        ("messages", "MessageAdded"),
        ("close", "CaseClosed"),
    ];
    let phases = ["received", "in-process", "in-process", "closed"];
    let (mut events, mut records) = (Vec::new(), Vec::new());
    for case in 1..=2_u64 {
        for (version, (command, type_name)) in (1..).zip(life) {
            let position = events.len() as u64 + 1;
            let number = if case == 1 { "2026-000001-1" } else { "2026-000002-9" };
            let facts = if version == 1 { json!({"caseNumber": number}) } else { json!({}) };
            let (stream, trace) = (format!("case-{case}"), format!("trace-{case}-{version}"));
            events.push(event(position, &stream, version, type_name, &trace, facts));
            let acknowledged = Acknowledged {
                id: stream,
                case_number: number.to_owned(),
                version,
                status: phases[usize::try_from(version).unwrap() - 1].to_owned(),
                position,
            };
            let record = Record {
                key: format!("key-{case}-{version}"),
                trace,
                command: command.to_owned(),
                acknowledged: None,
            };
            // The first answer was lost; the repetition was answered.
            records.push(record.clone());
            records.push(Record { acknowledged: Some(acknowledged), ..record });
        }
    }
    let sent = |cause: &str, id: &str| json!({"caseId": "case-1", "cause": cause, "messageId": id});
    events.push(event(9, "mail-1", 1, "NotificationSent", "-", sent("case-1-1", "m1")));
    events.push(event(10, "mail-2", 1, "NotificationFailed", "-", sent("case-1-4", "m2")));
    records.push(Record {
        key: "never".to_owned(),
        trace: "none".to_owned(),
        command: "create".to_owned(),
        acknowledged: None,
    });
    (events, records)
}

fn event(position: u64, stream: &str, version: u64, type_name: &str, trace: &str, facts: Value) -> Stored {
    Stored {
        position,
        stream: stream.to_owned(),
        version,
        type_name: type_name.to_owned(),
        recorded_at: 1_795_000_000_000_000 + i64::try_from(position).unwrap(),
        trace: trace.to_owned(),
        facts,
        whole: true,
    }
}

/// Breaks a whole history in one way and gives what is complained of.
fn broken(change: impl FnOnce(&mut Vec<Stored>, &mut Vec<Record>)) -> Tally {
    let (mut events, mut records) = whole();
    change(&mut events, &mut records);
    check(&events, &records)
}

#[track_caller]
fn complains(tally: &Tally, of: &[&str]) {
    assert_eq!(tally.violations.len(), of.len(), "{:?}", tally.violations);
    for words in of {
        assert!(
            tally.violations.iter().any(|violation| violation.contains(words)),
            "{words}: {:?}",
            tally.violations
        );
    }
}

#[test]
fn a_whole_history_is_not_complained_of() {
    let tally = broken(|_, _| {});
    complains(&tally, &[]);
    assert_eq!(
        (tally.events, tally.acknowledged, tally.unknown, tally.lost, tally.doubled),
        (10, 8, 1, 0, 0)
    );
}

#[test]
fn what_was_acknowledged_and_is_gone_is_lost() {
    let tally = broken(|events, _| events.truncate(6));
    assert_eq!((tally.acknowledged, tally.lost), (8, 2));
    complains(&tally, &["key key-2-3: acknowledged at position 7, not there", "key key-2-4"]);
}

#[test]
fn what_stands_elsewhere_than_acknowledged_is_lost() {
    let changes: [fn(&mut Acknowledged); 4] = [
        |told| told.version = 2,
        |told| told.id = "case-2".to_owned(),
        |told| told.position = 3,
        |told| told.case_number = "2026-000002-9".to_owned(),
    ];
    for change in changes {
        let tally = broken(|_, records| {
            records.remove(0);
            change(records[0].acknowledged.as_mut().unwrap());
        });
        assert_eq!(tally.lost, 1, "{:?}", tally.violations);
    }
}

#[test]
fn what_was_done_twice_under_one_key_is_doubled_also_when_it_was_never_answered() {
    let tally = broken(|events, _| {
        events.push(event(
            11,
            "case-3",
            1,
            "CaseReceived",
            "trace-1-1",
            json!({"caseNumber": "2026-000003-7"}),
        ));
    });
    assert_eq!((tally.doubled, tally.lost), (1, 0));
    complains(&tally, &["key key-1-1: done more than once, at positions [1, 11]"]);
    let tally = broken(|events, records| {
        for position in [11, 12] {
            let number = ["2026-000003-7", "2026-000004-5"][usize::try_from(position).unwrap() - 11];
            events.push(event(
                position,
                &format!("case-{position}"),
                1,
                "CaseReceived",
                "none",
                json!({"caseNumber": number}),
            ));
        }
        records.retain(|record| record.key == "never");
    });
    assert_eq!((tally.doubled, tally.unknown), (1, 1));
}

#[test]
fn two_different_answers_to_one_key_are_seen() {
    let tally = broken(|_, records| {
        records[0].acknowledged =
            Some(Acknowledged { version: 7, ..records[1].acknowledged.clone().unwrap() });
    });
    assert!(tally.violations.iter().any(|words| words.contains("told different outcomes")), "{tally:?}");
}

#[test]
fn order_time_and_hashes() {
    complains(&broken(|events, _| events[3].whole = false), &["position 4: the row does not hash"]);
    complains(&broken(|events, _| events[3].recorded_at = 0), &["position 4: the time goes back"]);
    complains(&broken(|events, _| events[9].version = 2), &["position 10: version 2 where 1 must be"]);
    let missing = broken(|events, _| drop(events.remove(8)));
    complains(&missing, &["position 9: position 10 stands there"]);
}

#[test]
fn numbers() {
    let renamed = |number: &'static str| {
        broken(move |events, records| {
            events[4].facts = json!({ "caseNumber": number });
            records.clear();
        })
    };
    complains(&renamed("2026-000003-7"), &["2026-000003-7 follows on number 1"]);
    complains(&renamed("2026-000001-1"), &["2026-000001-1 follows on number 1"]);
    complains(&renamed("2026-000002-8"), &["2026-000002-8 is no case number"]);
    complains(&renamed("2026-2-0"), &["is no case number"]);
    complains(&renamed("2025-000001-3"), &["was given in another year"]);
}

#[test]
fn lives() {
    let skipped = broken(|events, records| {
        events[1].type_name = "CaseClosed".to_owned();
        records.clear();
    });
    complains(&skipped, &["position 2: CaseClosed", "position 4: CaseClosed"]);
    let after = broken(|events, _| events.push(event(11, "case-1", 5, "NoteAdded", "-", json!({}))));
    complains(&after, &["position 11: NoteAdded after Some(\"closed\")"]);
}

#[test]
fn mails() {
    let twice = broken(|events, _| events[9].facts["messageId"] = "m1".into());
    complains(&twice, &["position 10: a second outcome of mail m1"]);
    let about_nothing = broken(|events, _| events[9].facts["cause"] = "case-9-1".into());
    complains(&about_nothing, &["position 10: a mail about case-9-1"]);
    let no_case = broken(|events, _| events[9].facts["caseId"] = "case-9".into());
    complains(&no_case, &["position 10: a mail about case-1-4"]);
}

/// A log file is read as it lies there, and a changed byte is seen.
#[test]
fn rows_are_hashed_as_they_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.db");
    log_with_one_event(&file);
    let events = log::read(&file).unwrap();
    assert_eq!((events[0].stream.as_str(), events[0].whole), ("01931b2c-7a10-7c3e-9f00-0000000000c1", true));
    assert_eq!(events[0].trace, "07".repeat(16));
    Connection::open(&file).unwrap().execute("UPDATE event SET employer = '4021010006'", []).unwrap();
    assert!(!log::read(&file).unwrap()[0].whole);
}

/// The vector of the design's rule, computed by hand here: not by the code under test.
fn log_with_one_event(file: &Path) {
    let log = Connection::open(file).unwrap();
    log.execute_batch(
        "CREATE TABLE event (position INTEGER PRIMARY KEY, stream_id BLOB, version INTEGER, type TEXT,
            schema_version INTEGER, recorded_at INTEGER, actor BLOB, employer TEXT, command_id BLOB,
            correlation BLOB, facts TEXT, sealed BLOB, key_id BLOB, leaf_hash BLOB)",
    )
    .unwrap();
    let stream = hex::decode("01931b2c7a107c3e9f000000000000c1").unwrap();
    let (actor, command, trace) = ([9_u8; 16], [8_u8; 16], [7_u8; 16]);
    let mut bytes = vec![0];
    let mut add = |part: &[u8]| {
        bytes.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend(part);
    };
    add(&1_i64.to_be_bytes());
    add(&stream);
    add(&1_i64.to_be_bytes());
    add(b"NoticeResolved");
    add(&1_i64.to_be_bytes());
    add(&1_795_000_000_000_000_i64.to_be_bytes());
    add(&actor);
    add(b"4021000007");
    add(&command);
    add(&trace);
    add(b"{}");
    bytes.extend([0xff; 8]);
    let hash = Sha256::digest(&bytes).to_vec();
    log.execute(
        "INSERT INTO event VALUES (1, ?1, 1, 'NoticeResolved', 1, 1795000000000000, ?2, '4021000007', ?3, ?4, '{}', NULL, NULL, ?5)",
        params![stream, actor, command, trace, hash],
    )
    .unwrap();
}

#[test]
fn records_are_read_and_a_line_that_was_cut_off_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_, written) = whole();
    let lines: Vec<String> = written.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    std::fs::write(folder.path().join("1.jsonl"), lines.join("\n") + "\n{\"key\":\"ha").unwrap();
    assert_eq!(records::read(folder.path()).unwrap(), written);
}
