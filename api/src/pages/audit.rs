//! `/revision`: the log for auditors, newest first, by case, time and kind of event.

mod asked;
mod readings;
mod replay;

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::{CaseId, CaseNumber, Language};
use infrastructure::clock::from_micros;
use infrastructure::log::Search;
use infrastructure::stored::StoredEvent;
use projections::queue;

use crate::app::protection::{Hidden, case_of};
use crate::pages::components::Choice;
use crate::pages::officers::names::short;
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, format};
use asked::Asked;

/// How many events are looked at to fill a page; a rarer kind is searched for page by page.
const LOOKED_AT: u64 = 500_000;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/revision", get(show)).merge(replay::routes()).merge(readings::routes())
}

#[derive(Template)]
#[template(path = "pages/audit.html")]
struct AuditPage {
    frame: Frame,
    form: Form,
    kinds: Vec<Choice>,
    limits: Vec<Choice>,
    rows: Vec<Row>,
    count: String,
    head: u64,
    /// The address of the events before these.
    older: Option<String>,
    /// The address of the newest, where these are not.
    newest: Option<String>,
    /// Whether the search stopped before the page was full.
    stopped: bool,
}

/// An event, in words.
struct Row {
    position: u64,
    /// In tables, and whole.
    at: (String, String),
    kind: String,
    code: String,
    /// The number of the case that it is about, and the address of its replay.
    case: Option<(String, String)>,
    stream: String,
    version: u64,
    actor: String,
    employer: Option<String>,
    leaf_hash: String,
    facts: String,
    /// Whether it has a sealed part: the key of the word.
    sealed: &'static str,
}

/// The events of a page, newest first.
struct Found {
    events: Vec<StoredEvent>,
    /// Where the events before these begin.
    older: Option<u64>,
    stopped: bool,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    visitor.caller_for(Duty::Replay)?;
    visitor.shown(&app).await?;
    let language = visitor.language;
    let mut form = asked.form();
    // What must not be told is looked up in the read models, so the page must not run ahead of them.
    let head = app.log.head().await?.position.min(app.read_models.position());
    let found = find(&app, language, &asked, head, &mut form).await?;
    let numbers = numbers(&app, &found.events).await?;
    let hidden = app.protected(&found.events).await?;
    let frame = Frame::new(&app, &visitor, Text::new(language, "audit-title")).await?;
    let page = AuditPage {
        frame: frame.with_error(!form.errors.is_empty()),
        kinds: asked::kinds(language),
        limits: asked::limits(language),
        rows: found.events.iter().map(|event| row(language, event, &numbers, hidden.of(event))).collect(),
        count: Text::new(language, "audit-count").number("n", found.events.len() as u64).to_string(),
        head,
        older: found.older.map(|before| asked.address(Some(before))),
        newest: asked.is_older().then(|| asked.address(None)),
        stopped: found.stopped,
        form,
    };
    render(&page)
}

/// The events that were asked for; what is wrong with the question is put into the form.
async fn find(
    app: &App,
    language: Language,
    asked: &Asked,
    head: u64,
    form: &mut Form,
) -> Result<Found, Failure> {
    let case = match asked.case(app).await? {
        Ok(case) => case,
        Err(error) => {
            form.add_field_errors(language, &[error]);
            return Ok(Found { events: Vec::new(), older: None, stopped: false });
        }
    };
    let (after, before) = asked.positions(app, head).await?;
    let before = before.min(head + 1);
    let limit = asked.limit();
    let (events, floor) = match case {
        Some(case) => {
            let mut events = app.log.stream(case.into()).await?;
            let wanted = |event: &StoredEvent| {
                event.position > after
                    && event.position < before
                    && asked.kind().is_none_or(|kind| kind == event.type_name)
            };
            events.retain(wanted);
            events.reverse();
            events.truncate(limit + 1);
            (events, after)
        }
        None => {
            let floor = after.max(before.saturating_sub(LOOKED_AT + 1));
            let type_name = asked.kind().map(str::to_owned);
            let search = Search { before, after: floor, type_name, limit: limit + 1 };
            (app.log.events_before(&search).await?, floor)
        }
    };
    Ok(page(events, limit, floor, after))
}

/// A page out of what was found with one event more than it has room for.
fn page(mut events: Vec<StoredEvent>, limit: usize, floor: u64, after: u64) -> Found {
    let more = events.len() > limit;
    events.truncate(limit);
    let stopped = !more && floor > after;
    let older = if more { events.last().map(|event| event.position) } else { stopped.then_some(floor + 1) };
    Found { events, older, stopped }
}

/// The numbers of the cases that events are about.
async fn numbers(app: &App, events: &[StoredEvent]) -> Result<HashMap<CaseId, CaseNumber>, Failure> {
    let mut cases: Vec<CaseId> = events.iter().filter_map(case_of).collect();
    cases.sort_unstable();
    cases.dedup();
    let numbers = app.query(move |tables| {
        let mut numbers = HashMap::new();
        for case in cases {
            numbers.extend(queue::number(tables, case)?.map(|number| (case, number)));
        }
        Ok(numbers)
    });
    Ok(numbers.await?)
}

fn row(
    language: Language,
    event: &StoredEvent,
    numbers: &HashMap<CaseId, CaseNumber>,
    hidden: Hidden,
) -> Row {
    let case = case_of(event);
    let number = case.and_then(|case| numbers.get(&case));
    let link = |case: CaseId| {
        let own = case.0 == event.stream.0;
        if own { replay::address(case, event.version) } else { replay::address(case, 1) }
    };
    Row {
        position: event.position,
        at: times(event.recorded_at),
        kind: Text::new(language, format!("event-{}", event.type_name)).to_string(),
        code: event.type_name.clone(),
        case: case.zip(number).map(|(case, number)| (number.to_string(), link(case))),
        stream: event.stream.to_string(),
        version: event.version,
        actor: if hidden.actor { "–".to_owned() } else { event.actor.to_string() },
        employer: event.employer.clone().filter(|_| !hidden.employer),
        // What it is the hash of is not shown.
        leaf_hash: if hidden.any() { "–".to_owned() } else { hex::encode(event.leaf_hash) },
        facts: pretty(&hidden.without(&event.facts)),
        sealed: if event.sealed.is_some() { "audit-yes" } else { "audit-no" },
    }
}

/// A moment to the second in Swedish time, and whole.
fn times(micros: i64) -> (String, String) {
    let at = from_micros(micros);
    let local = at.with_timezone(&chrono_tz::Europe::Stockholm);
    (local.format("%Y-%m-%d %H.%M.%S").to_string(), whole(at))
}

/// A moment so that it can be given to `--as-of`.
fn whole(at: chrono::DateTime<chrono::Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// JSON on lines of its own; as it stands where it is none.
fn pretty(json: &str) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_str(json);
    value.ok().and_then(|value| serde_json::to_string_pretty(&value).ok()).unwrap_or_else(|| json.to_owned())
}

impl AuditPage {
    /// A position with its thousands apart.
    fn position(&self, position: &u64) -> String {
        format::number(*position)
    }

    fn short(&self, id: &str) -> String {
        short(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{PersonId, StreamId};
    use uuid::Uuid;

    fn event(position: u64) -> StoredEvent {
        StoredEvent {
            position,
            stream: StreamId(Uuid::nil()),
            version: position,
            type_name: "NoticeResolved".to_owned(),
            schema_version: 1,
            recorded_at: 0,
            actor: PersonId(Uuid::nil()),
            employer: None,
            command_id: Uuid::nil(),
            correlation: Uuid::nil(),
            facts: "{}".to_owned(),
            sealed: None,
            key_id: None,
            leaf_hash: [0; 32],
        }
    }

    #[test]
    fn older_events_follow_on_the_last_one_shown() {
        let found = page((7..10).rev().map(event).collect(), 2, 0, 0);
        assert_eq!((found.events.len(), found.older, found.stopped), (2, Some(8), false));
        let found = page((7..9).rev().map(event).collect(), 2, 0, 0);
        assert_eq!((found.older, found.stopped), (None, false));
    }

    #[test]
    fn a_search_that_stopped_goes_on_where_it_stopped() {
        let found = page(vec![event(900)], 20, 400, 0);
        assert_eq!((found.older, found.stopped), (Some(401), true));
    }
}
