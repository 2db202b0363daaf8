//! `/cases/{caseId}/start-processing`: an officer takes a case.

use axum::extract::State;
use axum::response::Response;
use domain::CaseCommand;
use domain::case::commands::StartProcessing;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag, settle};
use crate::v1::outcome::OutcomeBody;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(start_processing))
}

/// Nothing needs to be said; the body may be absent.
#[derive(Debug, ToSchema)]
pub struct StartProcessingRequest {}

/// Take a case.
///
/// The case is *Under bearbetning* by the calling officer. When it is that officer's already nothing happens; when it is
/// another's, assign it first.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/start-processing",
    tag = "commands",
    params(CasePath),
    request_body(content = Option<StartProcessingRequest>, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn start_processing(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    let (pending, fields) = incoming.with_body().begin(Tag::Version)?;
    let command = settle(fields, Ok(Vec::new()), |_| Ok(StartProcessing {}))?;
    pending.run(&app, CaseCommand::StartProcessing(command)).await
}
