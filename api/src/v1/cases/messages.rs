//! `/cases/{caseId}/messages`: messages in a case.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::requests::AddMessageRequest;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag};
use crate::v1::outcome::OutcomeBody;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add_message))
}

/// Write a message.
///
/// From the reporter or an officer, also with files. A message of the reporter answers an open request for information.
/// `If-Match: *` is allowed together with an `Idempotency-Key`.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/messages",
    tag = "commands",
    params(CasePath),
    request_body(content = AddMessageRequest, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn add_message(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    incoming.change::<AddMessageRequest>(&app, Tag::VersionOrAny).await
}
