//! `kundwebb log verify`: every event of the log against what it must be. All that is wrong is told, not only the
//! first of it.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::process::ExitCode;

use domain::{CaseNumber, Event, StreamId};
use infrastructure::read_log::binding::{self, Bound, Proof};
use infrastructure::sealing::Key;
use infrastructure::stored::StoredEvent;
use infrastructure::{Keys, Log, LogError};

use super::BATCH;
use crate::Config;
use crate::cli::read_only;

/// Most findings that are written out; the rest are counted.
const WRITTEN: u64 = 50;
/// How many events lie between two words about how far the work is.
const TELL_EVERY: u64 = 100_000;

pub(super) async fn run(
    config: &Config,
    out: &mut dyn Write,
    tell: &dyn Fn(&str),
) -> anyhow::Result<ExitCode> {
    let log = read_only(config).await?;
    let keys = Keys::open(config.keys_folder(), false);
    if let Err(error) = &keys {
        tell(&format!("{error}; what is sealed is not opened, everything else is checked"));
    }
    let head = log.head().await?;
    let mut check = Check { keys: keys.ok(), ..Check::default() };
    loop {
        let events = match log.events_after(check.position, BATCH).await {
            Ok(events) if events.is_empty() => break,
            Ok(events) => events,
            // What follows cannot be read; the engine says below what is wrong.
            Err(LogError::Damaged(reason)) => {
                check.findings += 1;
                writeln!(
                    out,
                    "FAIL  position {}: it and what follows cannot be read: {reason}",
                    check.position + 1
                )?;
                break;
            }
            Err(error) => return Err(error.into()),
        };
        let before = check.position / TELL_EVERY;
        check.batch(log.as_ref(), &events, out).await?;
        if check.position / TELL_EVERY > before {
            tell(&format!("{} of {} events", check.position, head.position));
        }
    }
    for fault in log.engine_faults().await? {
        check.findings += 1;
        writeln!(out, "FAIL  log.db: {fault}")?;
    }
    let whole = check.finish(out)?;
    let reads = reads(log.as_ref(), &check, out).await?;
    Ok(if whole && !reads { ExitCode::from(ONLY_READS) } else { ExitCode::from(u8::from(!whole)) })
}

/// The code when the log is whole and the read log is not.
pub const ONLY_READS: u8 = 2;

/// Proves the read log against what the log tells of it.
async fn reads(log: &dyn Log, check: &Check, out: &mut dyn Write) -> anyhow::Result<bool> {
    let bound = &check.bound;
    let Proof { rows, opened, findings } = match binding::prove(log.reads(), check.keys.as_ref(), bound).await
    {
        Err(LogError::Damaged(reason)) => {
            Proof { findings: vec![format!("it cannot be read: {reason}")], ..Proof::default() }
        }
        proof => proof?,
    };
    for finding in findings.iter().take(usize::try_from(WRITTEN)?) {
        writeln!(out, "FAIL  read log: {finding}")?;
    }
    if !findings.is_empty() {
        writeln!(out, "The read log is damaged: {} faults in {rows} readings.", findings.len())?;
        return Ok(false);
    }
    if rows == 0 {
        writeln!(out, "Nobody has read a case that is not their own.")?;
        return Ok(true);
    }
    let opened = match &check.keys {
        Some(_) => format!("{opened} open with the keys of their months"),
        None => "what is sealed was not opened".to_owned(),
    };
    writeln!(
        out,
        "The read log is whole: {rows} readings without a gap, {} of them bound by {} events of the log whose roots they \
         give, {opened}, {} months disposed of.",
        bound.last().min(rows),
        bound.sealed.len(),
        bound.destroyed.len(),
    )?;
    Ok(true)
}

/// What has been seen so far.
#[derive(Default)]
struct Check {
    keys: Option<Keys>,
    position: u64,
    time: i64,
    versions: HashMap<StreamId, u64>,
    /// The last running number of each year.
    series: HashMap<u16, u64>,
    without_key: HashSet<StreamId>,
    /// What the log tells of the read log.
    bound: Bound,
    events: u64,
    opened: u64,
    findings: u64,
}

impl Check {
    async fn batch(
        &mut self,
        log: &dyn Log,
        events: &[StoredEvent],
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let opened = self.stream_keys(log, events).await?;
        for event in events {
            for wrong in self.event(event, &opened) {
                self.findings += 1;
                if self.findings <= WRITTEN {
                    writeln!(out, "FAIL  position {}: {wrong}", event.position)?;
                }
            }
        }
        Ok(())
    }

    /// The keys of the streams whose sealed events are in a batch; those that do not open are left out.
    async fn stream_keys(
        &self,
        log: &dyn Log,
        events: &[StoredEvent],
    ) -> anyhow::Result<HashMap<StreamId, Key>> {
        let Some(keys) = &self.keys else { return Ok(HashMap::new()) };
        let sealed = events.iter().filter(|event| event.sealed.is_some());
        let streams: HashSet<StreamId> = sealed.map(|event| event.stream).collect();
        let wrapped = log.keys(&streams.into_iter().collect::<Vec<_>>()).await?;
        Ok(wrapped
            .into_iter()
            .filter_map(|(stream, wrapped)| Some((stream, keys.unwrap(&wrapped, stream.0).ok()?)))
            .collect())
    }

    /// What is wrong with the next event.
    fn event(&mut self, event: &StoredEvent, keys: &HashMap<StreamId, Key>) -> Vec<String> {
        let mut wrong = Vec::new();
        if event.position != self.position + 1 {
            wrong.push(format!("the events after position {} are missing", self.position));
        }
        if event.leaf_hash != event.compute_leaf_hash() {
            wrong.push("the row does not hash to its leaf hash".to_owned());
        }
        if event.recorded_at < self.time {
            wrong.push("the time goes back".to_owned());
        }
        let version = self.versions.entry(event.stream).or_default();
        if event.version != *version + 1 {
            wrong.push(format!("version {} of its stream follows on version {version}", event.version));
        }
        *version = event.version;
        self.position = event.position;
        self.time = event.recorded_at;
        self.events += 1;
        wrong.extend(self.content(event, keys.get(&event.stream)));
        wrong
    }

    /// Whether the event can be understood, and its sealed part opened.
    fn content(&mut self, event: &StoredEvent, key: Option<&Key>) -> Option<String> {
        if self.keys.is_some() && event.sealed.is_some() && key.is_none() {
            let first = self.without_key.insert(event.stream);
            return first.then(|| format!("the key of stream {} is missing or foreign", event.stream));
        }
        match event.open(key) {
            Ok(recorded) => {
                self.opened += u64::from(event.sealed.is_some() && key.is_some());
                self.bound.see(&recorded.event);
                match recorded.event {
                    Event::CaseReceived { case_number, .. } => self.number(case_number),
                    _ => None,
                }
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// Case numbers of a year follow each other without holes (P9).
    fn number(&mut self, number: CaseNumber) -> Option<String> {
        let last = self.series.entry(number.year()).or_default();
        let wanted = *last + 1;
        *last = number.running();
        (number.running() != wanted).then(|| {
            format!("case number {number} stands where {} belongs", CaseNumber::new(number.year(), wanted))
        })
    }

    fn finish(&self, out: &mut dyn Write) -> anyhow::Result<bool> {
        if self.findings > 0 {
            writeln!(out, "The log is damaged: {} faults in {} events.", self.findings, self.events)?;
            return Ok(false);
        }
        let sealed = match &self.keys {
            Some(_) => format!("{} sealed parts open with their keys", self.opened),
            None => "what is sealed was not opened".to_owned(),
        };
        writeln!(
            out,
            "The log is whole: {} events in {} streams, positions and versions without a gap, every row hashes to \
             its leaf hash, time never goes back, case numbers without a hole, {sealed}.",
            self.events,
            self.versions.len(),
        )?;
        Ok(true)
    }
}
