//! `/cases/{caseId}/attachments/{attachmentId}`: the content of a file.

use axum::extract::{RawPathParams, State};
use axum::http::HeaderMap;
use axum::response::Response;
use domain::AttachmentId;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::reading::Purpose;
use crate::app::scanning::{OpenFile, may_open_of};
use crate::download::download;
use crate::v1::bearer::Reader;
use crate::v1::cases::case::{CaseInPath, CasePath, readable};
use crate::v1::query::Parameters;
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "the description of what `read` reads")]
struct AttachmentPath {
    /// The id of the file.
    #[param(rename = "attachmentId", format = Uuid)]
    attachment_id: String,
}

/// Download a file.
///
/// Always as an attachment, never shown in the browser. `Repr-Digest` (RFC 9530) and `ETag` tell its SHA-256; one
/// `Range` of bytes can be asked for. A file that the virus scanner has not looked at yet, or has found fault with, is not
/// handed out (409).
#[utoipa::path(
    get,
    path = "/cases/{caseId}/attachments/{attachmentId}",
    tag = "files",
    params(CasePath, AttachmentPath),
    responses(
        (status = 200, description = "The file.", content_type = "*/*", body = Vec<u8>, headers(
            ("ETag", description = "The SHA-256 of the file."),
            ("Content-Disposition", description = "`attachment` with the file's name."),
            ("Content-Digest", description = "SHA-256 of what is sent."),
            ("Repr-Digest", description = "SHA-256 of the whole file."),
        )),
        (status = 206, description = "The range that was asked for.", content_type = "*/*", body = Vec<u8>),
        (status = 304, description = "The file that the caller has, by `If-None-Match`."),
        (status = 416, description = "The file has no such range."),
    )
)]
async fn read(
    State(app): State<App>,
    reader: Reader,
    CaseInPath(case): CaseInPath,
    names: RawPathParams,
    query: Parameters,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    query.finish()?;
    let found = readable(&app, &reader.caller, case).await?;
    let wanted = names.iter().find(|(name, _)| *name == "attachmentId");
    let wanted = wanted.and_then(|(_, id)| AttachmentId::parse(id)).ok_or(Failure::NotFound)?;
    may_open_of(&found, wanted)?;
    let view = app.shown_to(&reader.caller, Purpose::file(wanted), found).await?;
    download(&app, OpenFile::of(&view, wanted)?, &headers).await
}
