//! `/cases/{caseId}/timeline`: everything that has happened in a case.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::PersonId;
use domain::reading::What;
use infrastructure::Receipt;
use projections::{CaseView, ReadError, timeline};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Caller;
use crate::app::protection::{Hidden, Told};
use crate::v1::bearer::Reader;
use crate::v1::cases::case::{CaseInPath, CasePath, readable};
use crate::v1::event_body::EventBody;
use crate::v1::personal;
use crate::v1::query::Parameters;
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// The events of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct Timeline {
    /// Oldest first.
    pub events: Vec<EventBody>,
}

/// Read the timeline of a case.
///
/// Every event of the case with its personal part, oldest first. Working notes, assignments and reclassifications are
/// for officers and auditors only.
#[utoipa::path(
    get,
    path = "/cases/{caseId}/timeline",
    tag = "cases",
    params(CasePath),
    responses((status = 200, description = "The events.", body = Timeline))
)]
async fn read(
    State(app): State<App>,
    reader: Reader,
    CaseInPath(case): CaseInPath,
    query: Parameters,
) -> Result<Response, Failure> {
    query.finish()?;
    let found = readable(&app, &reader.caller, case).await?;
    let receipt = app.recorded(&reader.caller, What::Timeline, found.cases()).await?;
    let events = events(&app, &reader.caller, &found.shown(&receipt)?, &receipt).await?;
    Ok((personal(), Json(Timeline { events })).into_response())
}

/// The events of a case as its reader is shown them, once that is recorded.
///
/// # Errors
/// When the read models cannot be read.
pub async fn events(
    app: &App,
    caller: &Caller,
    view: &CaseView,
    receipt: &Receipt,
) -> Result<Vec<EventBody>, Failure> {
    let role = caller.actor.role;
    let (id, whole, hides) = (view.id, role.sees_all(), role.hides_protected());
    let (person, registered_by, follows_up) = (view.reporter, Some(view.registered_by), view.follows_up);
    let about = move |actor| Told { person, registered_by, actor, follows_up };
    let entries = app.query(move |tables| timeline::of_case(tables, id, whole)).await?.shown(receipt)?;
    let actors: HashSet<PersonId> = entries.iter().filter(|_| hides).map(|entry| entry.actor).collect();
    let hidden = app.query(move |tables| {
        let of = |actor| Ok((actor, Hidden::of(tables, about(actor))?));
        actors.into_iter().map(of).collect::<Result<HashMap<_, _>, ReadError>>()
    });
    let hidden = hidden.await?;
    let body = |entry: timeline::Entry| {
        let hidden = hidden.get(&entry.actor).copied().unwrap_or_default();
        EventBody::of_entry(id, entry).without(hidden)
    };
    Ok(entries.into_iter().map(body).collect())
}
