//! The verdict: everything that is not as it must be, each in a line that names where.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Datelike};
use chrono_tz::Europe::Stockholm;

use crate::log::Stored;
use crate::records::Record;

/// What was counted, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events in the log.
    pub events: usize,
    /// Commands of the records that were acknowledged.
    pub acknowledged: usize,
    /// Commands that were never answered.
    pub unknown: usize,
    /// Of the acknowledged: those that are not in the log as they were acknowledged.
    pub lost: usize,
    /// Commands that are in the log more than once.
    pub doubled: usize,
    /// Everything that is wrong, in words.
    pub violations: Vec<String>,
}

/// Looks at a log and at what clients wrote down.
pub fn check(events: &[Stored], records: &[Record]) -> Tally {
    let mut tally = Tally { events: events.len(), ..Tally::default() };
    order(events, &mut tally.violations);
    numbers(events, &mut tally.violations);
    lives(events, &mut tally.violations);
    notifications(events, &mut tally.violations);
    acknowledgements(events, records, &mut tally);
    tally
}

/// Positions and versions are dense, time does not go back, every row hashes to what it says.
fn order(events: &[Stored], wrong: &mut Vec<String>) {
    let mut versions: HashMap<&str, u64> = HashMap::new();
    let mut time = i64::MIN;
    for (event, position) in events.iter().zip(1..) {
        if event.position != position {
            wrong.push(format!("position {position}: position {} stands there", event.position));
            return;
        }
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        if event.version != *version {
            wrong.push(format!("position {position}: version {} where {version} must be", event.version));
        }
        if event.recorded_at < time {
            wrong.push(format!("position {position}: the time goes back"));
        }
        time = event.recorded_at;
        if !event.whole {
            wrong.push(format!("position {position}: the row does not hash to its leaf_hash"));
        }
    }
}

/// Case numbers are unique, have their check digit, and are a series per Swedish year without holes.
fn numbers(events: &[Stored], wrong: &mut Vec<String>) {
    let mut last: BTreeMap<i32, u64> = BTreeMap::new();
    for event in events.iter().filter(|event| event.type_name == "CaseReceived") {
        let text = event.facts["caseNumber"].as_str().unwrap_or_default();
        let Some((year, running)) = number(text) else {
            wrong.push(format!("position {}: {text} is no case number", event.position));
            continue;
        };
        let received = DateTime::from_timestamp_micros(event.recorded_at).unwrap_or_default();
        if received.with_timezone(&Stockholm).year() != year {
            wrong.push(format!("position {}: {text} was given in another year", event.position));
        }
        let before = last.entry(year).or_default();
        if running != *before + 1 {
            wrong.push(format!("position {}: {text} follows on number {before} of its year", event.position));
        }
        *before = running;
    }
}

/// Year and running number of `YYYY-NNNNNN-C`, if C is the Luhn digit of the others.
fn number(text: &str) -> Option<(i32, u64)> {
    let [year, running, digit] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
    let digits: Vec<u32> =
        format!("{year}{running}").chars().map(|c| c.to_digit(10)).collect::<Option<_>>()?;
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    let fits = year.len() == 4 && running.len() >= 6 && digit.parse() == Ok((10 - sum % 10) % 10);
    fits.then(|| Some((year.parse().ok()?, running.parse().ok()?)))?
}

/// Every case goes from *Inkommit* over *Under bearbetning* to *Avslutat*, and nothing follows.
fn lives(events: &[Stored], wrong: &mut Vec<String>) {
    let mut phases: HashMap<&str, &str> = HashMap::new();
    for event in events {
        let before = phases.get(event.stream.as_str()).copied();
        let after = match (before, event.type_name.as_str()) {
            (None, "CaseReceived") => "received",
            (None, _) => continue,
            (Some("received"), "ProcessingStarted") => "in-process",
            (Some("in-process"), "CaseClosed") => "closed",
            (Some("closed"), _) | (Some(_), "CaseReceived" | "ProcessingStarted" | "CaseClosed") => {
                wrong.push(format!("position {}: {} after {before:?}", event.position, event.type_name));
                continue;
            }
            (Some(phase), _) => phase,
        };
        phases.insert(&event.stream, after);
    }
}

/// Each mail has one outcome, and is about something that happened in a case before.
fn notifications(events: &[Stored], wrong: &mut Vec<String>) {
    let mut seen: HashSet<String> = HashSet::new();
    let mut happened: HashSet<String> = HashSet::new();
    let mut cases: HashSet<&str> = HashSet::new();
    for event in events {
        if event.type_name == "CaseReceived" {
            cases.insert(&event.stream);
        }
        happened.insert(format!("{}-{}", event.stream, event.version));
        if !matches!(event.type_name.as_str(), "NotificationSent" | "NotificationFailed") {
            continue;
        }
        let fact = |name: &str| event.facts[name].as_str().unwrap_or_default();
        if !seen.insert(fact("messageId").to_owned()) {
            wrong.push(format!(
                "position {}: a second outcome of mail {}",
                event.position,
                fact("messageId")
            ));
        }
        if !cases.contains(fact("caseId")) || !happened.contains(fact("cause")) {
            wrong.push(format!(
                "position {}: a mail about {}, which is not there",
                event.position,
                fact("cause")
            ));
        }
    }
}

/// What was acknowledged is there as it was acknowledged, and nothing is there twice.
fn acknowledgements(events: &[Stored], records: &[Record], tally: &mut Tally) {
    let mut by_trace: HashMap<&str, Vec<&Stored>> = HashMap::new();
    for event in events.iter().filter(|event| command(&event.type_name).is_some()) {
        by_trace.entry(&event.trace).or_default().push(event);
    }
    let mut by_key: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        by_key.entry(&record.key).or_default().push(record);
    }
    for (key, sent) in by_key {
        let found = by_trace.get(sent[0].trace.as_str()).map(Vec::as_slice).unwrap_or_default();
        if found.len() > 1 {
            tally.doubled += 1;
            let places: Vec<u64> = found.iter().map(|event| event.position).collect();
            tally.violations.push(format!("key {key}: done more than once, at positions {places:?}"));
        }
        let answers: Vec<_> = sent.iter().filter_map(|record| record.acknowledged.as_ref()).collect();
        let Some(first) = answers.first() else {
            tally.unknown += 1;
            continue;
        };
        tally.acknowledged += 1;
        if answers.iter().any(|answer| answer != first) {
            tally.violations.push(format!("key {key}: told different outcomes"));
        }
        let event =
            usize::try_from(first.position).ok().and_then(|position| events.get(position.checked_sub(1)?));
        let kept = event.is_some_and(|event| {
            event.stream == first.id
                && event.version == first.version
                && event.trace == sent[0].trace
                && command(&event.type_name) == Some(&sent[0].command)
                && (event.type_name != "CaseReceived"
                    || event.facts["caseNumber"] == first.case_number.as_str())
        });
        if !kept {
            tally.lost += 1;
            tally
                .violations
                .push(format!("key {key}: acknowledged at position {}, not there", first.position));
        }
    }
}

/// The command that an event of a case comes from, as in the path of the API.
fn command(type_name: &str) -> Option<&'static str> {
    match type_name {
        "CaseReceived" => Some("create"),
        "ProcessingStarted" => Some("start-processing"),
        "MessageAdded" => Some("messages"),
        "CaseClosed" => Some("close"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
