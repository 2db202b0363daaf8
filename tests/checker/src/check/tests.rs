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
    events.push(event(9, "mail-1", 1, "NotificationSent", "-", sent("case-1-1", "case-1-1.r1@x")));
    events.push(event(10, "mail-2", 1, "NotificationFailed", "-", sent("case-1-4", "case-1-4.r1@x")));
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
fn what_nobody_sent_and_a_second_mail_are_seen() {
    let ghost = broken(|events, _| {
        let facts = json!({"caseNumber": "2026-000003-7"});
        events.push(event(11, "case-3", 1, "CaseReceived", "of-nobody", facts));
    });
    complains(&ghost, &["position 11: CaseReceived that nobody sent"]);
    let mail = broken(|events, _| {
        let facts = json!({"caseId": "case-1", "cause": "case-1-1", "messageId": "case-1-1.r2@x"});
        events.push(event(11, "mail-3", 1, "NotificationSent", "-", facts));
    });
    complains(&mail, &["position 11: a second mail about case-1-1"]);
}

#[test]
fn what_stands_elsewhere_than_acknowledged_is_lost() {
    let changes: [fn(&mut Acknowledged); 5] = [
        |told| told.version = 9,
        |told| told.id = "case-2".to_owned(),
        |told| told.position += 1,
        |told| told.case_number = "2026-000002-9".to_owned(),
        |told| told.status = "waiting".to_owned(),
    ];
    for (which, change) in changes.into_iter().enumerate() {
        // Of every command of the first case: each is told the number and the phase, not only the first.
        for answered in [1, 3, 5, 7] {
            let tally = broken(|_, records| change(records[answered].acknowledged.as_mut().unwrap()));
            assert_eq!(tally.lost, 1, "change {which} of record {answered}: {:?}", tally.violations);
        }
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
    for half in ["ProcessingStarted", "MessageAdded", "CaseClosed", "CaseAssigned", "AttachmentAdded"] {
        let begun = broken(|events, records| {
            events.push(event(11, "case-3", 1, half, "-", json!({})));
            records.clear();
        });
        complains(&begun, &[&format!("position 11: {half} in a case that was never received")]);
    }
    let other = broken(|events, _| events.push(event(11, "person-1", 1, "PersonSeen", "-", json!({}))));
    complains(&other, &[]);
}

#[test]
fn mails() {
    let twice = broken(|events, _| {
        let again = json!({"caseId": "case-1", "cause": "case-1-1", "messageId": "case-1-1.r1@x"});
        events[9].facts = again;
    });
    complains(&twice, &["position 10: a second outcome of mail case-1-1.r1@x"]);
    let about = |case: &'static str, cause: &'static str| {
        broken(move |events, _| {
            events[9].facts = json!({"caseId": case, "cause": cause, "messageId": format!("{cause}.r1@x")});
        })
    };
    complains(&about("case-1", "case-9-1"), &["position 10: a mail about case-9-1"]);
    complains(&about("case-9", "case-1-4"), &["position 10: a mail about case-1-4"]);
    // Both are there, but the cause is nothing that happened in the case.
    complains(&about("case-1", "case-2-4"), &["position 10: a mail about case-2-4"]);
    complains(&about("case-1", "mail-2-1"), &["position 10: a mail about mail-2-1"]);
    // An id of another making would let a second mail pass for a first.
    let renamed = broken(|events, _| events[9].facts["messageId"] = "anything@x".into());
    complains(&renamed, &["position 10: anything@x is not the id of a mail about case-1-4"]);
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

/// What a killed service leaves is evidence: looking at it moves nothing into the file and takes no WAL away.
#[test]
fn a_folder_is_left_as_it_was_found() {
    let folder = tempfile::tempdir().unwrap();
    let (running, killed) = (folder.path().join("running.db"), folder.path().join("log.db"));
    log_with_one_event(&running);
    let service = Connection::open(&running).unwrap();
    service
        .execute_batch("PRAGMA journal_mode=WAL; UPDATE event SET version = 2; UPDATE event SET version = 1;")
        .unwrap();
    let wal = |file: &Path| file.with_extension("db-wal");
    std::fs::copy(&running, &killed).unwrap();
    std::fs::copy(wal(&running), wal(&killed)).unwrap();
    let before = (std::fs::read(&killed).unwrap(), std::fs::read(wal(&killed)).unwrap());
    assert!(!before.1.is_empty());
    assert_eq!(log::read(&killed).unwrap().len(), 1);
    let after = (std::fs::read(&killed).unwrap(), std::fs::read(wal(&killed)).unwrap_or_default());
    assert!(before == after, "the checker wrote into the folder that it judges");
}

/// A database is read as it is, with the hash over the same bytes, and a changed byte is seen.
#[test]
fn rows_of_a_database_are_hashed_as_they_are_stored() {
    let cluster = cluster::Cluster::shared().unwrap();
    let address = cluster.database().unwrap();
    let sql = |sql: &str| cluster.sql(address.rsplit('/').next().unwrap(), sql).unwrap();
    let id = |digits: &str| digits.repeat(16);
    sql(&format!(
        "CREATE SCHEMA kundwebb; CREATE TABLE kundwebb.event (position bigint, stream_id uuid, version bigint, type text,
            schema_version smallint, recorded_at bigint, actor uuid, employer text, command_id uuid, correlation uuid,
            facts text, sealed bytea, key_id uuid, leaf_hash bytea);
         INSERT INTO kundwebb.event VALUES (1, '{STREAM}', 1, 'NoticeResolved', 1, 1795000000000000, '{}', '4021000007',
            '{}', '{}', '{{}}', NULL, NULL, '\\x{}')",
        id("09"),
        id("08"),
        id("07"),
        hex::encode(hash_of_one_event()),
    ));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let read = || runtime.block_on(log::postgres::read(&address)).unwrap();
    let events = read();
    assert_eq!((events[0].stream.as_str(), events[0].whole), ("01931b2c-7a10-7c3e-9f00-0000000000c1", true));
    assert_eq!((events[0].trace.as_str(), events[0].recorded_at), (id("07").as_str(), 1_795_000_000_000_000));
    sql("UPDATE kundwebb.event SET employer = '4021010006'");
    assert!(!read()[0].whole);
}

const STREAM: &str = "01931b2c7a107c3e9f000000000000c1";

/// The vector of the design's rule, computed by hand here: not by the code under test.
fn log_with_one_event(file: &Path) {
    let log = Connection::open(file).unwrap();
    log.execute_batch(
        "CREATE TABLE event (position INTEGER PRIMARY KEY, stream_id BLOB, version INTEGER, type TEXT,
            schema_version INTEGER, recorded_at INTEGER, actor BLOB, employer TEXT, command_id BLOB,
            correlation BLOB, facts TEXT, sealed BLOB, key_id BLOB, leaf_hash BLOB)",
    )
    .unwrap();
    log.execute(
        "INSERT INTO event VALUES (1, ?1, 1, 'NoticeResolved', 1, 1795000000000000, ?2, '4021000007', ?3, ?4, '{}', NULL, NULL, ?5)",
        params![hex::decode(STREAM).unwrap(), [9_u8; 16], [8_u8; 16], [7_u8; 16], hash_of_one_event()],
    )
    .unwrap();
}

fn hash_of_one_event() -> Vec<u8> {
    let mut bytes = vec![0];
    let mut add = |part: &[u8]| {
        bytes.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
        bytes.extend(part);
    };
    add(&1_i64.to_be_bytes());
    add(&hex::decode(STREAM).unwrap());
    add(&1_i64.to_be_bytes());
    add(b"NoticeResolved");
    add(&1_i64.to_be_bytes());
    add(&1_795_000_000_000_000_i64.to_be_bytes());
    add(&[9; 16]);
    add(b"4021000007");
    add(&[8; 16]);
    add(&[7; 16]);
    add(b"{}");
    bytes.extend([0xff; 8]);
    Sha256::digest(&bytes).to_vec()
}

#[test]
fn a_key_that_was_sent_under_two_traces_is_seen() {
    let tally = broken(|_, records| records[0].trace = "another".to_owned());
    complains(&tally, &["key key-1-1: sent under several traces"]);
}

#[test]
fn records_are_read_and_a_line_that_was_cut_off_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_, written) = whole();
    let lines: Vec<String> = written.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    std::fs::write(folder.path().join("1.jsonl"), lines.join("\n") + "\n{\"key\":\"ha").unwrap();
    assert_eq!(records::read(folder.path()).unwrap(), written);
}

/// What is not understood must not pass for nothing having been acknowledged.
#[test]
fn records_that_are_not_understood_are_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    assert!(records::read(folder.path()).is_err(), "no records at all");
    let (_, written) = whole();
    let line = serde_json::to_string(&written[1]).unwrap();
    for broken in [line.replace("position", "place"), "{\"key\":\"ha".to_owned()] {
        std::fs::write(folder.path().join("1.jsonl"), format!("{line}\n{broken}\n{line}\n")).unwrap();
        let error = records::read(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("1.jsonl, line 2"), "{error:#}");
    }
}
