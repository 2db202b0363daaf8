//! `/revision/arenden/{id}`: a case event by event. Each step shows what happened and what the case was after it;
//! personal content only to an auditor who says why.

use std::fmt::Display;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::reading::What;
use domain::{CaseId, Language};
use infrastructure::Recorded;
use projections::CaseView;
use serde::Deserialize;
use serde_json::Value;

use super::{pretty, times, whole};
use crate::app::protection::{Hidden, Told};
use crate::app::reading::Purpose;
use crate::format::percent_encoded;
use crate::pages::officers::names::{Names, topic};
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::v1::headers::REASON_MAX;
use crate::{App, Failure, format};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/revision/arenden/{id}", get(show))
}

/// The address of a step.
pub(super) fn address(case: CaseId, version: u64) -> String {
    format!("/revision/arenden/{case}?version={version}")
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    version: String,
    /// Why personal content is to be read.
    reason: String,
}

#[derive(Template)]
#[template(path = "pages/audit_case.html")]
struct ReplayPage {
    frame: Frame,
    form: Form,
    id: CaseId,
    number: String,
    /// The version that is shown, and the last one.
    version: u64,
    last: u64,
    steps: Vec<Step>,
    previous: Option<String>,
    next: Option<String>,
    event: EventInWords,
    state: Vec<Fact>,
    command: String,
    /// Whether the next event has the same time, so that the command shows it too.
    same_time: bool,
    reason: String,
}

/// An event that one can go to.
struct Step {
    /// Whether it is the one that is shown.
    current: bool,
    address: String,
    kind: String,
    at: String,
}

/// What happened.
struct EventInWords {
    position: u64,
    kind: String,
    code: &'static str,
    at: (String, String),
    actor: String,
    leaf_hash: String,
    facts: String,
    personal: Personal,
}

/// The personal part of an event.
#[derive(Debug, PartialEq, Eq)]
enum Personal {
    /// The event has none.
    None,
    /// It was disposed of.
    Gone,
    /// The auditor has not said why it is to be read.
    Sealed,
    /// As JSON, without the keys of files.
    Open(String),
}

/// What the case was: a name, a value, and whether the event changed it.
struct Fact {
    name: String,
    value: String,
    changed: bool,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Replay)?;
    let id = CaseId::parse(&id).ok_or(Failure::NotFound)?;
    visitor.shown(&app).await?;
    let events = app.reader.stream(id.into()).await?;
    let reporter = CaseView::replay(&events).ok_or(Failure::NotFound)?.reporter;
    let last = events.len();
    let version = asked.version.parse().ok().filter(|version| (1..=last).contains(version)).unwrap_or(last);
    let reason: String = asked.reason.trim().chars().take(REASON_MAX).collect();
    if !reason.is_empty() {
        let purpose = Purpose::from(What::Replay).because(reason.as_str());
        app.recorded(caller, purpose, &[(id, reporter)]).await?;
    }
    render(&page(&app, &visitor, &events, (id, version), reason).await?)
}

async fn page(
    app: &App,
    visitor: &Visitor,
    events: &[Recorded],
    (id, version): (CaseId, usize),
    reason: String,
) -> Result<ReplayPage, Failure> {
    let language = visitor.language;
    let (known, later) = events.split_at(version);
    let (Some(event), Some(view)) = (known.last(), CaseView::replay(known)) else {
        return Err(Failure::NotFound);
    };
    let before = CaseView::replay(&known[..version - 1]);
    let names = Names::load(app, language, &visitor.caller()?.actor, None, view.reporter).await?;
    let open = !reason.is_empty();
    let facts = |view: &CaseView| state(language, view, &names, open);
    let link = |version: usize| {
        let reason = if open { format!("&reason={}", percent_encoded(&reason)) } else { String::new() };
        format!("{}{reason}", address(id, version as u64))
    };
    let title = Text::new(language, "replay-title").with("number", view.number).with("version", version);
    let told = Told {
        person: view.reporter,
        registered_by: Some(view.registered_by),
        actor: event.actor,
        follows_up: view.follows_up,
    };
    // Who says why is recorded, and sees what is hashed.
    let hidden =
        if open { Hidden::default() } else { app.query(move |tables| Hidden::of(tables, told)).await? };
    Ok(ReplayPage {
        frame: Frame::new(app, visitor, title).await?,
        form: Form::new("replay").with("reason", reason.clone()),
        id,
        number: view.number.to_string(),
        version: version as u64,
        last: events.len() as u64,
        steps: (1..)
            .zip(events)
            .map(|(place, event)| step(language, event, link(place), place == version))
            .collect(),
        previous: (version > 1).then(|| link(version - 1)),
        next: (version < events.len()).then(|| link(version + 1)),
        event: in_words(language, event, open, hidden),
        state: changed(facts(&view), before.as_ref().map(facts).as_deref()),
        command: format!("kundwebb log show {} --as-of {}", view.number, whole(event.recorded_at)),
        same_time: later.first().is_some_and(|next| next.recorded_at == event.recorded_at),
        reason,
    })
}

fn step(language: Language, event: &Recorded, address: String, current: bool) -> Step {
    Step {
        current,
        address,
        kind: Text::new(language, format!("event-{}", event.event.type_name())).to_string(),
        at: format::moment_short(language, event.recorded_at),
    }
}

fn in_words(language: Language, event: &Recorded, open: bool, hidden: Hidden) -> EventInWords {
    let code = event.event.type_name();
    EventInWords {
        position: event.position,
        kind: Text::new(language, format!("event-{code}")).to_string(),
        code,
        at: times(event.recorded_at.timestamp_micros()),
        actor: if hidden.actor { "–".to_owned() } else { event.actor.to_string() },
        // What it is the hash of is not shown.
        leaf_hash: if hidden.any() { "–".to_owned() } else { hex::encode(event.leaf_hash) },
        facts: pretty(&hidden.without(&event.event.facts_json())),
        personal: personal(event, open),
    }
}

/// The personal part, as far as it may be shown. A file's key is never shown.
fn personal(event: &Recorded, open: bool) -> Personal {
    if !event.event.has_personal() {
        return Personal::None;
    }
    let Some(json) = event.event.personal_json() else { return Personal::Gone };
    if !open {
        return Personal::Sealed;
    }
    let mut value: Value = serde_json::from_str(&json).unwrap_or_default();
    for file in value.get_mut("files").and_then(Value::as_array_mut).into_iter().flatten() {
        file.as_object_mut().map(|file| file.remove("key"));
    }
    Personal::Open(pretty(&value.to_string()))
}

/// What the case was after an event, in words.
fn state(language: Language, view: &CaseView, names: &Names, open: bool) -> Vec<(&'static str, String)> {
    let word = |list: &str, code: &dyn Display| Text::new(language, format!("{list}-{code}")).to_string();
    let moment = |at: Option<_>| at.map_or_else(String::new, |at| format::moment_short(language, at));
    let mut facts = vec![
        ("officer-case-status", word("status", &view.status)),
        ("officer-case-topic", topic(language, view.area, view.sub_area, view.system)),
        ("officer-case-employer", names.employer_of(view.employer, view.reporter)),
        ("officer-case-channel", word("channel", &view.channel)),
        ("officer-case-received", moment(Some(view.received_at))),
        ("replay-started", moment(view.started_at)),
        ("replay-closed", moment(view.closed_at)),
        ("officer-case-officer", view.officer.map_or_else(String::new, |officer| officer.to_string())),
        ("officer-case-reporter", view.reporter.map_or_else(String::new, |person| person.to_string())),
        (
            "replay-due",
            view.request.as_ref().map_or_else(String::new, |request| request.due_date.to_string()),
        ),
        ("replay-messages", view.messages.len().to_string()),
        ("replay-files", view.attachments.len().to_string()),
    ];
    if open {
        facts.extend([
            ("create-subject-label", view.subject.clone().unwrap_or_default()),
            ("officer-case-question", view.message.clone().unwrap_or_default()),
            ("officer-case-answer", view.answer.clone().unwrap_or_default()),
        ]);
    }
    facts
        .into_iter()
        .map(|(key, value)| (key, if value.is_empty() { "–".to_owned() } else { value }))
        .collect()
}

/// The facts, marked where they were others before.
fn changed(now: Vec<(&'static str, String)>, before: Option<&[(&'static str, String)]>) -> Vec<Fact> {
    let was = |key: &str| before.and_then(|facts| facts.iter().find(|(own, _)| *own == key));
    now.into_iter()
        .map(|(key, value)| {
            let changed = was(key).is_some_and(|(_, old)| *old != value);
            Fact { name: key.to_owned(), value, changed }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::event::Letter;
    use domain::files::FileCard;
    use domain::refusal::Code;
    use domain::text::Body;
    use domain::{AttachmentId, Event, PersonId, Sealed, StreamId};
    use uuid::Uuid;

    fn closed(personal: Sealed<Letter>) -> Recorded {
        Recorded {
            position: 1,
            stream: StreamId(Uuid::nil()),
            version: 1,
            recorded_at: "2026-11-23T07:36:00Z".parse().unwrap(),
            actor: PersonId(Uuid::nil()),
            employer: None,
            command_id: Uuid::nil(),
            correlation: Uuid::nil(),
            event: Event::CaseClosed { attachment_ids: Vec::new(), stored_files: Vec::new(), personal },
            leaf_hash: [0; 32],
        }
    }

    #[test]
    fn personal_content_needs_a_reason_and_a_file_s_key_is_never_shown() {
        let card = FileCard {
            attachment_id: AttachmentId(Uuid::nil()),
            file_name: "lön.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            size: 1,
            sha256: "abc".to_owned(),
            key: "topsecret".to_owned(),
        };
        let text = Body::parse("Svar", "", Code::AnswerMissing).unwrap();
        let event = closed(Sealed::Open(Letter { text, files: vec![card] }));
        assert_eq!(personal(&event, false), Personal::Sealed);
        let Personal::Open(shown) = personal(&event, true) else { panic!("it is open") };
        assert!(shown.contains("Svar") && shown.contains("lön.pdf"));
        assert!(!shown.contains("topsecret") && !shown.contains("\"key\""));
        assert_eq!(personal(&closed(Sealed::Gone), true), Personal::Gone);
    }

    #[test]
    fn what_an_event_changed_is_marked() {
        let facts = |status: &str| vec![("a", status.to_owned()), ("b", "same".to_owned())];
        let marked = |now, before: Option<Vec<_>>| {
            changed(now, before.as_deref()).iter().map(|fact| fact.changed).collect::<Vec<_>>()
        };
        assert_eq!(marked(facts("new"), Some(facts("old"))), [true, false]);
        assert_eq!(marked(facts("new"), None), [false, false]);
    }
}
