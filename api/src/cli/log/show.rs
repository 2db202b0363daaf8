//! `kundwebb log show`: a case in words, as it is or as it was known at a time. Replays its events; no read model is
//! asked.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::case_number::CaseNumberError;
use domain::event::{Letter, Profile};
use domain::files::FileCard;
use domain::reading::{OPERATOR, What};
use domain::vocabulary::Language;
use domain::{CaseId, CaseNumber, Event, OrganisationNumber, PersonId, Reading, Sealed, StreamId};
use infrastructure::read_log::Settings;
use infrastructure::{Clock, Log, Reader, Recorded, Recorder};
use projections::CaseView;

use super::reader;
use crate::Config;
use crate::app::bound_reads;
use crate::texts::Text;

/// What stands where content has been disposed of.
const GONE: &str = "(disposed of)";

pub(super) async fn run(
    config: &Config,
    case: &str,
    as_of: Option<DateTime<Utc>>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let reader = reader(config).await?;
    let id = find(reader.log.as_ref(), case).await?;
    let all = reader.stream(id.into()).await?;
    let first = all.first().with_context(|| format!("there is no case {case}"))?;
    let known: Vec<Recorded> =
        all.iter().filter(|event| as_of.is_none_or(|at| event.recorded_at <= at)).cloned().collect();
    if let (true, Some(at)) = (known.is_empty(), as_of) {
        bail!("case {case} was not known at {}; it came in at {}", time(at), time(first.recorded_at));
    }
    let Some(view) = CaseView::replay(&known) else { bail!("{case} is not a case") };
    record(&reader, id, case, as_of).await?;
    let names = names(&reader, &view, &known, as_of).await?;
    let employer = employer(&reader, view.employer, as_of).await?;
    let told = Told { out, names };
    told.case(&view, &employer, as_of, &known)?;
    Ok(ExitCode::SUCCESS)
}

/// Records that somebody at the machine itself is shown a case.
async fn record(reader: &Reader, id: CaseId, case: &str, as_of: Option<DateTime<Utc>>) -> anyhow::Result<()> {
    let account = rustix::process::getuid().as_raw().to_string();
    let as_of = as_of.map(|at| format!(" --as-of {}", time(at))).unwrap_or_default();
    let reading = Reading {
        who: PersonId(reader.keys.derived_id(OPERATOR, &[account.as_bytes()])),
        role: OPERATOR.to_owned(),
        what: if as_of.is_empty() { What::Case } else { What::Replay },
        cases: vec![id],
        attachment: None,
        positions: None,
        reason: Some(format!("kundwebb log show {case}{as_of}, by the account {account} of the machine")),
    };
    let bound = bound_reads(reader.log.as_ref()).await?.last();
    let (log, keys) = (Arc::clone(&reader.log), Arc::clone(&reader.keys));
    let (recorder, recording) = Recorder::start(Settings { log, keys, clock: Clock::System, bound })?;
    let recorded = recorder.record(reading).await;
    drop(recorder);
    tokio::task::spawn_blocking(move || drop(recording.join())).await?;
    recorded.map(drop).context("a case is shown only when it is recorded who reads it; see `kundwebb check`")
}

/// The case of a number, with or without hyphens, or of an id.
async fn find(log: &dyn Log, case: &str) -> anyhow::Result<CaseId> {
    if let Some(id) = CaseId::parse(case.trim()) {
        return Ok(id);
    }
    let number = match CaseNumber::parse(case) {
        Ok(number) => number,
        Err(CaseNumberError::CheckDigit) => {
            bail!("check the case number {case}: the last digit does not match")
        }
        Err(CaseNumberError::Form) => {
            bail!("{case} is no case number; write year, number and check digit, for example 2026-000123-3")
        }
    };
    let stream = log.case_by_number(number).await?;
    Ok(CaseId(stream.with_context(|| format!("there is no case {number}"))?.0))
}

/// The names of everybody in the case, as they were known then.
async fn names(
    reader: &Reader,
    view: &CaseView,
    events: &[Recorded],
    as_of: Option<DateTime<Utc>>,
) -> anyhow::Result<HashMap<PersonId, String>> {
    let mut names = HashMap::new();
    let assigned = events.iter().filter_map(|event| match event.event {
        Event::CaseAssigned { officer } => Some(officer),
        _ => None,
    });
    let persons = events.iter().map(|event| event.actor).chain(assigned).chain(view.reporter);
    for person in persons {
        if let Entry::Vacant(place) = names.entry(person) {
            place.insert(name(reader, person, as_of).await?);
        }
    }
    Ok(names)
}

async fn name(reader: &Reader, person: PersonId, as_of: Option<DateTime<Utc>>) -> anyhow::Result<String> {
    let seen = reader.stream(StreamId(person.0)).await?;
    let known = seen.into_iter().filter(|event| as_of.is_none_or(|at| event.recorded_at <= at));
    let mut profiles = known.filter_map(|event| match event.event {
        Event::PersonSeen { role, personal, .. } => Some((role, personal)),
        _ => None,
    });
    let Some((role, personal)) = profiles.next_back() else { return Ok(person.to_string()) };
    let role = word("role", role);
    Ok(match personal {
        Sealed::Open(Profile { name: Some(name), email, .. }) => {
            let email = email.map(|email| format!(", {}", email.as_str())).unwrap_or_default();
            format!("{} ({role}{email})", name.as_str())
        }
        Sealed::Open(Profile { subject: Some(subject), .. }) => format!("{subject} ({role})"),
        Sealed::Open(_) => format!("{person} ({role})"),
        Sealed::Gone => format!("{person} ({role}) {GONE}"),
    })
}

/// The name of an employer, as it was registered then, and its number.
async fn employer(
    reader: &Reader,
    number: OrganisationNumber,
    as_of: Option<DateTime<Utc>>,
) -> anyhow::Result<String> {
    let registered = reader.stream(StreamId::of_employer(number)).await?;
    let known = registered.into_iter().filter(|event| as_of.is_none_or(|at| event.recorded_at <= at));
    let mut names = known.filter_map(|event| match event.event {
        Event::EmployerRegistered { name_en, .. } => Some(name_en),
        _ => None,
    });
    Ok(names
        .next_back()
        .map_or_else(|| number.to_string(), |name| format!("{} ({number})", printable(&name))))
}

/// Where the case is told, and by which names.
struct Told<'a> {
    out: &'a mut dyn Write,
    names: HashMap<PersonId, String>,
}

impl Told<'_> {
    fn case(
        mut self,
        view: &CaseView,
        employer: &str,
        as_of: Option<DateTime<Utc>>,
        events: &[Recorded],
    ) -> anyhow::Result<()> {
        match as_of {
            Some(at) => self.line("Case", &format!("{}, as it was known at {}", view.number, time(at)))?,
            None => self.line("Case", &view.number)?,
        }
        self.line("Id", &view.id)?;
        self.line("Version", &view.version)?;
        self.line("Status", &word("status", view.status))?;
        self.line("Area", &topic(view))?;
        self.line("Employer", &employer)?;
        self.line("Channel", &word("channel", view.channel))?;
        self.line("Received", &time(view.received_at))?;
        if let Some(at) = view.started_at {
            self.line("Started", &time(at))?;
        }
        if let Some(at) = view.closed_at {
            self.line("Closed", &time(at))?;
        }
        if let Some(reporter) = view.reporter {
            self.line("Reporter", &self.who(reporter))?;
        }
        if let Some(officer) = view.officer {
            self.line("Officer", &self.who(officer))?;
        }
        if let Some(request) = &view.request {
            self.line("Waits for", &format!("the reporter, until {}", request.due_date))?;
        }
        writeln!(self.out, "\nEvents")?;
        events.iter().try_for_each(|event| self.event(event))
    }

    fn line(&mut self, name: &str, value: &dyn std::fmt::Display) -> anyhow::Result<()> {
        Ok(writeln!(self.out, "{name:<10}{value}")?)
    }

    fn event(&mut self, event: &Recorded) -> anyhow::Result<()> {
        let what = word("event", event.event.type_name());
        let who = self.who(event.actor);
        writeln!(self.out, "\n{:>3}  {}  {what}: {who}", event.version, time(event.recorded_at))?;
        match &event.event {
            Event::CaseReceived { personal, .. } => {
                let question = personal.open();
                self.text(question.map(|question| question.subject.as_str()))?;
                self.text(question.map(|question| question.message.as_str()))?;
            }
            Event::CaseAssigned { officer } => {
                let to = self.who(*officer);
                self.text(Some(&to))?;
            }
            Event::InformationRequested { due_date, personal } => {
                self.text(Some(&format!("Answer by {due_date}")))?;
                self.letter(personal)?;
            }
            Event::NoteAdded { kind, personal } => {
                self.text(Some(&word("note-kind", kind)))?;
                self.letter(personal)?;
            }
            Event::CaseReclassified { area, personal, .. } => {
                self.text(Some(&word("area", area)))?;
                self.letter(personal)?;
            }
            Event::MessageAdded { personal, .. } | Event::CaseClosed { personal, .. } => {
                self.letter(personal)?;
            }
            _ => {}
        }
        event.event.files().iter().try_for_each(|file| self.file(file))
    }

    fn letter(&mut self, personal: &Sealed<Letter>) -> anyhow::Result<()> {
        self.text(personal.open().map(|letter| letter.text.as_str()))
    }

    fn text(&mut self, text: Option<&str>) -> anyhow::Result<()> {
        text.unwrap_or(GONE).lines().try_for_each(|line| Ok(writeln!(self.out, "     {}", printable(line))?))
    }

    /// Everything of a file but its key.
    fn file(&mut self, file: &FileCard) -> anyhow::Result<()> {
        let (name, sha256) = (printable(&file.file_name), &file.sha256);
        Ok(writeln!(self.out, "     File: {name}, {} bytes, SHA-256 {sha256}", file.size)?)
    }

    fn who(&self, person: PersonId) -> String {
        self.names.get(&person).map_or_else(|| person.to_string(), |name| printable(name))
    }
}

fn topic(view: &CaseView) -> String {
    let mut topic = word("area", view.area);
    if let Some(sub_area) = view.sub_area {
        topic.push_str(&format!(", {}", word("sub-area", sub_area)));
    }
    if let Some(system) = view.system {
        topic.push_str(&format!(", {}", word("system", system)));
    }
    topic
}

fn word(list: &str, code: impl std::fmt::Display) -> String {
    Text::new(Language::En, format!("{list}-{code}")).to_string()
}

/// The whole time, so that it can be given back with `--as-of`.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A text of somebody else's without what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r"), "a [2Jb ");
    }

    #[test]
    fn the_time_can_be_given_back() {
        let at: DateTime<Utc> = "2026-11-23T08:36:08.000123Z".parse().unwrap();
        assert_eq!(time(at).parse::<DateTime<Utc>>().unwrap(), at);
    }
}
