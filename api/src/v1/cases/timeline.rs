//! `/cases/{caseId}/timeline`: everything that has happened in a case.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::reading::What;
use projections::timeline;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
    let id = found.shown(&receipt)?.id;
    let whole = reader.caller.actor.role.sees_all();
    let entries = app.query(move |tables| timeline::of_case(tables, id, whole)).await?;
    let entries = entries.shown(&receipt)?;
    let events = entries.into_iter().map(|entry| EventBody::of_entry(id, entry)).collect();
    Ok((personal(), Json(Timeline { events })).into_response())
}
