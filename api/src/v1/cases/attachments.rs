//! `/cases/{caseId}/attachments`: the files of a case, and more of them.

pub mod download;

use axum::Json;
use axum::extract::{FromRequest, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use domain::CaseCommand;
use domain::case::commands::Attach;
use domain::files::UploadedFile;
use domain::reading::What;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::requests::AttachRequest;
use crate::v1::bearer::Reader;
use crate::v1::body::drain;
use crate::v1::case_body::AttachmentBody;
use crate::v1::cases::case::{CaseInPath, CasePath, readable};
use crate::v1::command::{Head, Incoming, Stop, Tag};
use crate::v1::headers::media_type;
use crate::v1::multipart::{MULTIPART, stage};
use crate::v1::outcome::OutcomeBody;
use crate::v1::personal;
use crate::v1::query::Parameters;
use crate::v1::uploads::UploadForm;
use crate::{App, Failure};

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, attach)).merge(download::routes())
}

/// The files of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentList {
    /// In the order in which they came.
    pub attachments: Vec<AttachmentBody>,
}

/// List the files of a case.
///
/// Those of the question, of messages and of the answer, in the order in which they came.
#[utoipa::path(
    get,
    path = "/cases/{caseId}/attachments",
    tag = "files",
    params(CasePath),
    responses((status = 200, description = "The files.", body = AttachmentList))
)]
async fn list(
    State(app): State<App>,
    reader: Reader,
    CaseInPath(case): CaseInPath,
    query: Parameters,
) -> Result<Response, Failure> {
    query.finish()?;
    let found = readable(&app, &reader.caller, case).await?;
    if !found.has_files() {
        return Ok((personal(), Json(AttachmentList { attachments: Vec::new() })).into_response());
    }
    let view = app.shown_to(&reader.caller, What::Attachments, found).await?;
    let attachments =
        view.attachments.iter().map(|attached| AttachmentBody::new(&view, &attached.card)).collect();
    Ok((personal(), Json(AttachmentList { attachments })).into_response())
}

/// Attach files to a case.
///
/// Either a form with the files in parts named `file`, or the id of one that was staged. `If-Match: *` is allowed
/// together with an `Idempotency-Key`.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/attachments",
    tag = "commands",
    params(CasePath),
    request_body(content((AttachRequest = "application/json"), (UploadForm = "multipart/form-data"))),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn attach(State(app): State<App>, request: Request) -> Result<Response, Stop> {
    if media_type(request.headers()).as_deref() != Some(MULTIPART) {
        let incoming = Incoming::from_request(request, &app).await?;
        return incoming.change::<AttachRequest>(&app, Tag::VersionOrAny).await;
    }
    let (mut parts, body) = request.into_parts();
    let (head, malformed) = Head::read(&mut parts, &app).await?;
    if let Err(failure) = malformed.and_then(|()| head.expected_version(Tag::VersionOrAny)) {
        if !parts.headers.contains_key(header::EXPECT) {
            drain(&mut body.into_data_stream()).await;
        }
        return Err(failure.into());
    }
    let most = app.config.limits().files_at_once;
    let files = stage(&app, &head.caller, Request::from_parts(parts, body), most).await?;
    let done = attach_staged(&app, head, &files).await;
    if taken_back(&done) {
        app.unstage(&files).await;
    }
    done
}

async fn attach_staged(app: &App, head: Head, files: &[UploadedFile]) -> Result<Response, Stop> {
    let digests = files.iter().map(|file| (&file.card.file_name, &file.card.sha256)).collect::<Vec<_>>();
    let body = serde_json::to_string(&digests).map_err(|_| Failure::Internal)?;
    let pending = head.changes(&body, Tag::VersionOrAny)?;
    pending.unless_done(app).await?;
    pending.run(app, CaseCommand::Attach(Attach { files: files.to_vec() })).await
}

/// Whether the files belong to nothing: the command was refused, or done before. One whose outcome is unknown may yet
/// have them.
fn taken_back(done: &Result<Response, Stop>) -> bool {
    match done {
        Ok(_) | Err(Stop::Failed(Failure::OutcomeUnknown)) => false,
        Err(Stop::Failed(_) | Stop::Done(_)) => true,
    }
}
