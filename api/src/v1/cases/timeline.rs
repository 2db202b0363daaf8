//! `/cases/{caseId}/timeline`: everything that has happened in a case.

use std::collections::{HashMap, HashSet};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::PersonId;
use domain::reading::What;
use projections::{ReadError, timeline};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    let view = found.shown(&receipt)?;
    let role = reader.caller.actor.role;
    let (id, whole, hides) = (view.id, role.sees_all(), role.hides_protected());
    let about = move |actor| Told {
        person: view.reporter,
        registered_by: Some(view.registered_by),
        actor,
        follows_up: view.follows_up,
    };
    let entries = app.query(move |tables| timeline::of_case(tables, id, whole)).await?.shown(&receipt)?;
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
    let events = entries.into_iter().map(body).collect();
    Ok((personal(), Json(Timeline { events })).into_response())
}
