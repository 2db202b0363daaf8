//! `/cases/{caseId}/timeline`: everything that has happened in a case.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::reading::What;
use projections::{directory, timeline};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::protection::Hidden;
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
    let (id, whole, reporter) = (view.id, role.sees_all(), view.reporter.filter(|_| role.hides_protected()));
    let registrar = view.registered_by;
    let (entries, hidden, of_the_centre) = app
        .query(move |tables| {
            let hidden = reporter.map(|reporter| directory::is_protected(tables, reporter)).transpose()?;
            let of_the_centre = directory::person(tables, registrar)?.is_some_and(|person| person.is_officer);
            Ok((timeline::of_case(tables, id, whole)?, hidden == Some(true), of_the_centre))
        })
        .await?;
    let body = |entry: timeline::Entry| {
        let at_the_employer = entry.actor == registrar && Some(registrar) != reporter && !of_the_centre;
        let body = EventBody::of_entry(id, entry);
        match (hidden, at_the_employer) {
            (true, true) => body.without_employer(Hidden::AndActor),
            (true, false) => body.without_employer(Hidden::Employer),
            (false, _) => body,
        }
    };
    let events = entries.shown(&receipt)?.into_iter().map(body).collect();
    Ok((personal(), Json(Timeline { events })).into_response())
}
