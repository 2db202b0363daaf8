//! `/events`: what has happened, in order, from a position on; for other systems and for those who replay it.

use std::collections::HashMap;
use std::io;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use domain::access::{Reach, Role};
use domain::reading::What;
use domain::{CaseId, Event, PersonId, StreamId};
use futures::Stream;
use infrastructure::stored::StoredEvent;
use projections::queue;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Caller;
use crate::app::reading::Purpose;
use crate::v1::bearer::Reader;
use crate::v1::event_body::EventBody;
use crate::v1::headers::{accepts, reason};
use crate::v1::personal;
use crate::v1::query::Parameters;
use crate::{App, Failure};

/// The media type of a feed of lines.
const NDJSON: &str = "application/x-ndjson";
/// How many events an answer has when nothing is said.
const LIMIT: u64 = 100;
/// Most events in an answer.
const LIMIT_MAX: u64 = 1000;
/// How many events are looked at in one step.
const STEP: usize = 1000;
/// Most events looked at for one answer: whoever may see few of many gets a shorter answer and goes on.
const LOOKED_AT: u64 = 20_000;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Part of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventList {
    /// In order of position.
    pub events: Vec<EventBody>,
    /// Where in the feed it is.
    #[serde(rename = "_meta")]
    pub meta: FeedMeta,
}

/// Where in the feed an answer is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedMeta {
    /// The position that was asked for.
    pub offset: u64,
    /// The limit that was asked for.
    pub limit: u64,
    /// How many events there are.
    pub count: u64,
    /// Where to go on; the same as `offset` at the end of the feed.
    pub next_offset: u64,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of what `read` reads")]
struct FeedQuery {
    /// The position after which to begin.
    #[param(required = false, minimum = 0, default = 0)]
    offset: u64,
    /// How many events at most. Lines have no limit when nothing is said.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: u64,
}

/// The part of the feed that a caller may see (P8).
struct Feed {
    app: App,
    /// None for auditors, who see every stream.
    reach: Option<Reach>,
    /// With what only the centre sees of a case.
    whole: bool,
    /// With personal content, for whom and why.
    personal: Option<(Caller, String)>,
    /// Without the employers of persons with protected identity.
    hides_employer: bool,
    /// The last position of the feed when it was asked for.
    end: u64,
    /// What is known of streams: whether they lie within reach.
    within: HashMap<StreamId, bool>,
}

/// The events of one step, and the position to which it came.
struct Step {
    events: Vec<StoredEvent>,
    position: u64,
}

impl Feed {
    async fn open(app: App, caller: &Caller, headers: &HeaderMap) -> Result<Self, Failure> {
        let role = caller.actor.role;
        let head = app.log.head().await?.position;
        let sees_all = role == Role::Auditor && reason(headers).is_some();
        // Rights, and what must not be told, are looked up in the read models, so the feed must not run ahead of them.
        let end = head.min(app.read_models.position());
        Ok(Self {
            reach: (role != Role::Auditor).then(|| caller.actor.reach()),
            whole: role.sees_all(),
            personal: reason(headers)
                .filter(|_| role == Role::Auditor)
                .map(|reason| (caller.clone(), reason)),
            // Who gives a reason is recorded; to everybody else of the centre it is not told here.
            hides_employer: role.sees_all() && !sees_all,
            end,
            within: HashMap::new(),
            app,
        })
    }

    /// The next events after a position, at most `most`.
    async fn step(&mut self, after: u64, most: usize) -> Result<Step, Failure> {
        let mut stored = self.app.log.events_after(after, STEP).await?;
        stored.retain(|event| event.position <= self.end);
        let last = stored.last().map_or(self.end.max(after), |event| event.position);
        let mut shown = self.visible(stored).await?;
        let cut = shown.len() > most;
        shown.truncate(most);
        let position = if cut { shown.last().map_or(after, |event| event.position) } else { last };
        Ok(Step { events: shown, position })
    }

    async fn visible(&mut self, mut events: Vec<StoredEvent>) -> Result<Vec<StoredEvent>, Failure> {
        let Some(reach) = self.reach.clone() else { return Ok(events) };
        events.retain(|event| self.is_shown_of_a_case(event));
        let unknown: Vec<StreamId> = events
            .iter()
            .map(|event| event.stream)
            .filter(|stream| !self.within.contains_key(stream))
            .collect();
        let looked_up = self.app.query(move |tables| {
            let covered = |stream: StreamId| {
                let standing = queue::standing(tables, CaseId(stream.0))?;
                Ok((stream, standing.is_some_and(|standing| reach.covers(&standing))))
            };
            unknown.into_iter().map(covered).collect::<Result<Vec<_>, _>>()
        });
        self.within.extend(looked_up.await?);
        events.retain(|event| self.within.get(&event.stream).copied().unwrap_or_default());
        Ok(events)
    }

    fn is_shown_of_a_case(&self, event: &StoredEvent) -> bool {
        let rule = event.facts_only().ok().and_then(|event| event.for_customer());
        rule.is_some_and(|for_customer| for_customer || self.whole)
    }

    /// What is told of events; with personal content once it is recorded who is shown it.
    async fn bodies(&self, events: &[StoredEvent]) -> Result<Vec<EventBody>, Failure> {
        let protected = self.app.protected(events).await?;
        let mut opened = self.opened(events).await?.into_iter();
        let body = |event: &StoredEvent| {
            let hidden = protected.of(event);
            // Who somebody is, and where they get mail, few may read (LAW-12).
            let personal = opened.next().flatten();
            let personal = personal.filter(|_| !hidden.employer || case_of(event).is_some());
            let body = EventBody::of_stored(event, personal.as_deref());
            if self.hides_employer { body.without(hidden) } else { body }
        };
        Ok(events.iter().map(body).collect())
    }

    /// The personal part of each event, for whom it is shown to; recorded before.
    async fn opened(&self, events: &[StoredEvent]) -> Result<Vec<Option<String>>, Failure> {
        let mut sealed = events.iter().filter(|event| event.sealed.is_some()).map(|event| event.position);
        let (Some((caller, reason)), Some(first)) = (&self.personal, sealed.next()) else {
            return Ok(Vec::new());
        };
        let purpose =
            Purpose::from(What::Feed).because(reason).at(first, sealed.next_back().unwrap_or(first));
        self.app.recorded(caller, purpose, &self.cases(events).await?).await?;
        let opened = self.app.reader.open(events).await?;
        Ok(opened.iter().map(|event| event.event.personal_json()).collect())
    }

    /// The cases that events tell of with a personal part, each with its reporter.
    async fn cases(&self, events: &[StoredEvent]) -> Result<Vec<(CaseId, Option<PersonId>)>, Failure> {
        let sealed = events.iter().filter(|event| event.sealed.is_some());
        let mut cases: Vec<CaseId> = sealed.filter_map(case_of).collect();
        cases.sort_unstable();
        cases.dedup();
        let with_reporter = self.app.query(move |tables| {
            let of = |case: CaseId| {
                Ok((case, queue::standing(tables, case)?.and_then(|standing| standing.reporter)))
            };
            cases.into_iter().map(of).collect()
        });
        Ok(with_reporter.await?)
    }

    /// Lines up to the end of the feed, or so many.
    fn lines(self, offset: u64, most: Option<usize>) -> impl Stream<Item = io::Result<Bytes>> + Send {
        let state = (self, offset, most.unwrap_or(usize::MAX));
        futures::stream::try_unfold(state, |(mut feed, mut position, mut left)| async move {
            while position < feed.end && left > 0 {
                // Half a feed is told from a whole one by the connection that breaks off.
                let step =
                    feed.step(position, left).await.map_err(|failure| io::Error::other(failure.code()))?;
                position = step.position;
                left -= step.events.len();
                if !step.events.is_empty() {
                    let events = feed.bodies(&step.events).await;
                    let events = events.map_err(|failure| io::Error::other(failure.code()))?;
                    return Ok(Some((lines(&events)?, (feed, position, left))));
                }
            }
            Ok(None)
        })
    }
}

/// The case of which an event holds content.
fn case_of(event: &StoredEvent) -> Option<CaseId> {
    match event.facts_only().ok()? {
        Event::SatisfactionGiven { case_id, .. } => Some(case_id),
        told => told.for_customer().map(|_| CaseId(event.stream.0)),
    }
}

fn lines(events: &[EventBody]) -> io::Result<Bytes> {
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, event)?;
        text.push(b'\n');
    }
    Ok(text.into())
}

/// Read the feed.
///
/// Events after a position, in order; an event never changes and none comes before one that was seen. Auditors see every
/// stream, others the events of the cases within their rights. `personal` is null; an auditor who says why in `Reason`
/// gets it. As JSON a bounded part with `nextOffset` to go on from; as lines (`application/x-ndjson`) everything up to
/// the head of the moment. What one may not see is passed over, so that an answer may hold less than `limit` events and
/// still not be the end: that is where `nextOffset` equals `offset`.
#[utoipa::path(
    get,
    path = "/events",
    tag = "events",
    params(FeedQuery, ("Reason" = inline(Option<String>), Header, description = "Why an auditor reads personal content.")),
    responses((status = 200, description = "Events.", content(
        (EventList = "application/json"),
        (String = "application/x-ndjson"),
    )))
)]
async fn read(
    State(app): State<App>,
    reader: Reader,
    mut query: Parameters,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let lines = accepts(&headers, NDJSON);
    let offset = query.number("offset", (0, i64::MAX.unsigned_abs()), 0);
    let limit = query.number("limit", (1, LIMIT_MAX), if lines { 0 } else { LIMIT });
    query.finish()?;
    let mut feed = Feed::open(app, &reader.caller, &headers).await?;
    let most = usize::try_from(limit).ok().filter(|most| *most > 0);
    if lines {
        let content = Body::from_stream(feed.lines(offset, most));
        return Ok((personal(), [(header::CONTENT_TYPE, NDJSON)], content).into_response());
    }
    let mut events = Vec::new();
    let mut position = offset;
    while position < feed.end && (events.len() as u64) < limit && position - offset < LOOKED_AT {
        let step = feed.step(position, most.unwrap_or_default() - events.len()).await?;
        position = step.position;
        events.extend(step.events);
    }
    let events = feed.bodies(&events).await?;
    let meta = FeedMeta { offset, limit, count: events.len() as u64, next_offset: position };
    Ok((personal(), Json(EventList { events, meta })).into_response())
}
