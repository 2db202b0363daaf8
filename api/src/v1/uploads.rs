//! `/uploads`: a file is staged before the case that it belongs to exists.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::files::UploadedFile;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::v1::bearer::Bearer;
use crate::v1::multipart::stage;
use crate::v1::personal;
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(upload))
}

/// A form with a file.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "the description of what `stage` reads")]
pub struct UploadForm {
    /// The file, with its name: PDF, Word, Excel, PNG or JPG.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// A staged file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Its id, for `attachments` or `uploadId` of a command by the same caller within a day.
    pub upload_id: Uuid,
    /// Its name, made safe.
    pub file_name: String,
    /// Its type, as found in its content.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// What the virus scanner says of it: `clean`, or `waiting` where it is away or slow; null where there is none.
    pub scan: Option<String>,
}

/// Stage a file.
///
/// One file in a part named `file`. It can be attached once, by the caller who staged it, within a day; then it is
/// deleted. Name and content must agree on the type. One in which the virus scanner finds something is refused.
#[utoipa::path(
    post,
    path = "/uploads",
    tag = "files",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file is staged.", body = Upload))
)]
async fn upload(
    State(app): State<App>,
    Bearer(caller): Bearer,
    request: Request,
) -> Result<Response, Failure> {
    let files = stage(&app, &caller, request, 1).await?;
    let UploadedFile { stored, card } = files.first().ok_or(Failure::Internal)?;
    let upload = Upload {
        upload_id: card.attachment_id.0,
        file_name: card.file_name.clone(),
        media_type: card.media_type.clone(),
        size: card.size,
        sha256: card.sha256.clone(),
        scan: stored.scan.map(|scan| scan.to_string()),
    };
    Ok((StatusCode::CREATED, personal(), Json(upload)).into_response())
}
