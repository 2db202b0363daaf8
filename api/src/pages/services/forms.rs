//! The payroll forms of `/tjanster`, and `/tjanster/blanketter/{code}`: the newest file of one, as a download.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::Area;
use domain::access::Duty;
use projections::services;

use crate::pages::Visitor;
use crate::pages::payroll::file;
use crate::{App, Failure, payroll};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/tjanster/blanketter/{code}", get(fetch))
}

/// They are for those to whom `/tjanster` shows them, and for who publishes them.
async fn fetch(
    State(app): State<App>,
    visitor: Visitor,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    if !visitor.may(Duty::Content) {
        let Some(number) = visitor.employer else {
            return Ok(Redirect::to("/valj-arbetsgivare?till=/tjanster").into_response());
        };
        let employer = app.query(move |tables| services::employer(tables, number)).await?;
        employer.filter(|employer| employer.areas.contains(&Area::Lon)).ok_or(Failure::NotFound)?;
    }
    let form = payroll::form(&app, &code).await?.filter(|form| !form.withdrawn);
    file::send(&app, visitor.language, form.ok_or(Failure::NotFound)?, &headers).await
}
