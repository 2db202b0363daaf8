//! `/arenden/{id}/filer/{attachmentId}`: a file of a case, decrypted while it goes out, always as a download.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use domain::AttachmentId;
use domain::files::FileCard;

use super::readable;
use crate::app::reading::Purpose;
use crate::app::scanning::{OpenFile, may_open_of};
use crate::format::percent_encoded;
use crate::pages::Visitor;
use crate::{App, Failure};

pub(super) async fn fetch(
    State(app): State<App>,
    visitor: Visitor,
    Path((id, attachment)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let found = readable(&app, &visitor, &id).await?;
    let attachment = AttachmentId::parse(&attachment).ok_or(Failure::NotFound)?;
    may_open_of(&found, attachment)?;
    let view = app.shown_to(visitor.caller()?, Purpose::file(attachment), found).await?;
    let file = OpenFile::of(&view, attachment)?;
    Ok((headers(file.card()), Body::from_stream(app.content_of(file).await?)).into_response())
}

fn headers(card: &FileCard) -> [(header::HeaderName, HeaderValue); 4] {
    let disposition = format!("attachment; filename*=UTF-8''{}", percent_encoded(&card.file_name));
    let text =
        |text: &str, otherwise| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(otherwise));
    [
        (header::CONTENT_TYPE, text(&card.media_type, "application/octet-stream")),
        (header::CONTENT_DISPOSITION, text(&disposition, "attachment")),
        (header::CONTENT_LENGTH, HeaderValue::from(card.size)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ]
}
