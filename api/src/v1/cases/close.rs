//! `/cases/{caseId}/close`: the answer, which closes a case.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::requests::CloseRequest;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag};
use crate::v1::outcome::OutcomeBody;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(close))
}

/// Answer and close a case.
///
/// The case is *Avslutat* and its reporter reads the answer. Only a case that an officer works on can be closed; nothing
/// is changed in a closed case.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/close",
    tag = "commands",
    params(CasePath),
    request_body(content = CloseRequest, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn close(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    incoming.change::<CloseRequest>(&app, Tag::Version).await
}
