//! `/cases/{caseId}/request-information`: asking the reporter for more.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::requests::RequestInformationRequest;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag};
use crate::v1::outcome::OutcomeBody;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(request_information))
}

/// Ask the reporter for more.
///
/// The reporter is asked by mail to log in and answer by a day that has not passed. Only in a case that an officer works
/// on.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/request-information",
    tag = "commands",
    params(CasePath),
    request_body(content = RequestInformationRequest, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn request_information(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    incoming.change::<RequestInformationRequest>(&app, Tag::Version).await
}
