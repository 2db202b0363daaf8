//! The verdict: everything that is not as it must be, each in a line that names where.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Datelike};
use chrono_tz::Europe::Stockholm;
use serde_json::Value;

use crate::log::Stored;
use crate::records::Record;

/// What only happens in a case that was received.
const OF_A_CASE: [&str; 8] = [
    "AttachmentAdded",
    "CaseAssigned",
    "CaseClosed",
    "CaseReclassified",
    "InformationRequested",
    "MessageAdded",
    "NoteAdded",
    "ProcessingStarted",
];

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
    let phases = lives(events, &mut tally.violations);
    notifications(events, &mut tally.violations);
    acknowledgements(events, &phases, records, &mut tally);
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

/// Every case goes from *Inkommit* over *Under bearbetning* to *Avslutat*, and nothing follows. Gives the phase that its
/// case was in after each event; nothing for those of other streams.
fn lives<'a>(events: &'a [Stored], wrong: &mut Vec<String>) -> Vec<&'static str> {
    let mut phases: HashMap<&'a str, &'static str> = HashMap::new();
    let step = |event: &'a Stored| {
        let before = phases.get(event.stream.as_str()).copied();
        let after = match (before, event.type_name.as_str()) {
            (None, "CaseReceived") => "received",
            (None, name) if OF_A_CASE.contains(&name) => {
                wrong.push(format!("position {}: {name} in a case that was never received", event.position));
                return "";
            }
            (None, _) => return "",
            (Some("received"), "ProcessingStarted") => "in-process",
            (Some("in-process"), "CaseClosed") => "closed",
            (Some(phase @ "closed"), _)
            | (Some(phase), "CaseReceived" | "ProcessingStarted" | "CaseClosed") => {
                wrong.push(format!("position {}: {} after {before:?}", event.position, event.type_name));
                phase
            }
            (Some(phase), _) => phase,
        };
        phases.insert(&event.stream, after);
        after
    };
    events.iter().map(step).collect()
}

/// Each mail has one outcome, no event has two mails, and each is about something that happened in its case before. Its id tells what it is about and
/// to whom it goes, so that a second mail has no other id.
fn notifications(events: &[Stored], wrong: &mut Vec<String>) {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut causes: HashSet<&str> = HashSet::new();
    let mut happened: HashSet<String> = HashSet::new();
    let mut cases: HashSet<&str> = HashSet::new();
    for event in events {
        if event.type_name == "CaseReceived" {
            cases.insert(&event.stream);
        }
        if matches!(event.type_name.as_str(), "NotificationSent" | "NotificationFailed") {
            let fact = |name: &str| event.facts[name].as_str().unwrap_or_default();
            let (position, case, cause, id) =
                (event.position, fact("caseId"), fact("cause"), fact("messageId"));
            if !seen.insert(id) {
                wrong.push(format!("position {position}: a second outcome of mail {id}"));
            } else if !causes.insert(cause) {
                wrong.push(format!("position {position}: a second mail about {cause}"));
            }
            if !id.strip_prefix(cause).is_some_and(|rest| rest.starts_with('.')) {
                wrong.push(format!("position {position}: {id} is not the id of a mail about {cause}"));
            }
            let of_the_case = cause.strip_prefix(case).is_some_and(|rest| rest.starts_with('-'));
            if !of_the_case || !cases.contains(case) || !happened.contains(cause) {
                wrong.push(format!(
                    "position {position}: a mail about {cause}, which is not there in case {case}"
                ));
            }
        }
        happened.insert(format!("{}-{}", event.stream, event.version));
    }
}

/// What was acknowledged is there as it was acknowledged, and nothing is there twice.
fn acknowledgements(events: &[Stored], phases: &[&str], records: &[Record], tally: &mut Tally) {
    let mut by_trace: HashMap<&str, Vec<&Stored>> = HashMap::new();
    for event in events.iter().filter(|event| command(&event.type_name).is_some()) {
        by_trace.entry(&event.trace).or_default().push(event);
    }
    let received = events.iter().filter(|event| event.type_name == "CaseReceived");
    let numbers: HashMap<&str, &Value> =
        received.map(|event| (event.stream.as_str(), &event.facts["caseNumber"])).collect();
    let sent: HashSet<&str> = records.iter().map(|record| record.trace.as_str()).collect();
    for event in by_trace.values().flatten().filter(|_| !records.is_empty()) {
        if !sent.contains(event.trace.as_str()) {
            tally
                .violations
                .push(format!("position {}: {} that nobody sent", event.position, event.type_name));
        }
    }
    let mut by_key: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        by_key.entry(&record.key).or_default().push(record);
    }
    for (key, sent) in by_key {
        let traces: BTreeSet<&str> = sent.iter().map(|record| record.trace.as_str()).collect();
        if traces.len() > 1 {
            tally.violations.push(format!("key {key}: sent under several traces"));
        }
        let found: Vec<_> = traces.iter().filter_map(|trace| by_trace.get(trace)).flatten().collect();
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
        let place = usize::try_from(first.position).ok().and_then(|position| position.checked_sub(1));
        let kept =
            place.and_then(|place| events.get(place).zip(phases.get(place))).is_some_and(|(event, phase)| {
                event.stream == first.id
                    && event.version == first.version
                    && traces.contains(event.trace.as_str())
                    && command(&event.type_name) == Some(&sent[0].command)
                    && *phase == first.status
                    && numbers.get(first.id.as_str()).is_some_and(|number| **number == *first.case_number)
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
