//! `/cases/{caseId}/reclassify`: moving a case to another area, sub-area or system.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::requests::ReclassifyRequest;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag};
use crate::v1::outcome::OutcomeBody;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reclassify))
}

/// Reclassify a case.
///
/// Moves it to another area, sub-area or system, with the reason.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/reclassify",
    tag = "commands",
    params(CasePath),
    request_body(content = ReclassifyRequest, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn reclassify(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    incoming.change::<ReclassifyRequest>(&app, Tag::Version).await
}
