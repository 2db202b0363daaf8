//! `/skapa-arende/filer`: the script uploads one file at a time and gets its row of the form back, or why not.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::pages::form::FormFile;
use crate::pages::{Form, Frame, Visitor, render_with};
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "pages/create_case_file.html")]
struct FileRow {
    frame: Frame,
    files: Vec<FormFile>,
    errors: Vec<String>,
}

pub(super) async fn upload(
    State(app): State<App>,
    visitor: Visitor,
    request: Request,
) -> Result<Response, Failure> {
    visitor.owner().ok_or(Failure::Unauthorized)?;
    visitor.may_send()?;
    let form = Form::read(&app, &visitor, "upload", request).await?;
    let status = if form.errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let frame = Frame::new(&app, &visitor, "").await?;
    let errors = form.errors.into_iter().map(|error| error.text).collect();
    render_with(status, &FileRow { frame, files: form.files, errors })
}
