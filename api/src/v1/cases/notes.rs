//! `/cases/{caseId}/notes`: the notes of officers.

use axum::extract::State;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::requests::AddNoteRequest;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag};
use crate::v1::outcome::OutcomeBody;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add_note))
}

/// Write a note.
///
/// A working note (*arbetsanteckning*) is never shown to the reporter; an official note (*tjänsteanteckning*) documents
/// oral facts and is part of the case. `If-Match: *` is allowed together with an `Idempotency-Key`.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/notes",
    tag = "commands",
    params(CasePath),
    request_body(content = AddNoteRequest, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn add_note(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    incoming.change::<AddNoteRequest>(&app, Tag::VersionOrAny).await
}
