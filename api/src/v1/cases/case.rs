//! `/cases/{caseId}`: one case, as it is now or as it was.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::access::{Action, may};
use domain::case::allow;
use domain::reading::What;
use domain::{CaseId, Language, StreamId};
use projections::{CaseView, Unread, case_page};
use std::convert::Infallible;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Caller;
use crate::v1::bearer::Reader;
use crate::v1::case_body::{CaseBody, Mentioned, People, Readership};
use crate::v1::command::case_in_path;
use crate::v1::headers::tag;
use crate::v1::query::Parameters;
use crate::v1::{personal, words};
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// The case that the path names; `None` when it names none.
pub struct CaseInPath(pub Option<CaseId>);

impl FromRequestParts<App> for CaseInPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self(case_in_path(parts, app).await))
    }
}

/// The path of a case.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "the description of what `CaseInPath` reads")]
pub struct CasePath {
    /// The id of the case.
    #[param(rename = "caseId", format = Uuid)]
    case_id: String,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of what `read` reads")]
struct CaseQuery {
    /// A moment (RFC 3339): the case as it was then.
    #[param(required = false, rename = "asOf", format = DateTime)]
    as_of: String,
}

/// A case that the caller may read, once that is recorded.
///
/// # Errors
/// [`Failure::NotFound`] when it is not there or not the caller's to know.
pub async fn readable(app: &App, caller: &Caller, case: Option<CaseId>) -> Result<Unread<CaseView>, Failure> {
    let id = case.ok_or(Failure::NotFound)?;
    let view = app.query(move |tables| case_page::by_id(tables, id)).await?.ok_or(Failure::NotFound)?;
    allow(may(&caller.actor, Action::Read, &view.standing()))?;
    Ok(view)
}

/// Read a case.
///
/// As it is now, with its version in `ETag`; or with `asOf` as it was at that moment, without `ETag`. Rights are asked
/// on the case as it is now. A case that the caller may not know of is not found.
#[utoipa::path(
    get,
    path = "/cases/{caseId}",
    tag = "cases",
    params(CasePath, CaseQuery),
    responses((status = 200, description = "The case.", body = CaseBody, headers(("ETag", description = "Its version, for `If-Match`."))))
)]
async fn read(
    State(app): State<App>,
    reader: Reader,
    CaseInPath(case): CaseInPath,
    mut query: Parameters,
) -> Result<Response, Failure> {
    let as_of = query.one("asOf", moment);
    query.finish()?;
    let mut found = readable(&app, &reader.caller, case).await?;
    if let (Some(at), Some(id)) = (as_of, case) {
        found = past(&app, id, at).await?.ok_or(Failure::NotFound)?;
    }
    let view = app.shown_to(&reader.caller, What::Case, found).await?;
    let mut headers = HeaderMap::new();
    if as_of.is_none() {
        headers.insert(header::ETAG, tag(view.version));
    }
    let body = body(&app, &reader.caller, reader.language, &view).await?;
    Ok((personal(), words(reader.language), headers, Json(body)).into_response())
}

/// A case as its reader is shown it.
///
/// # Errors
/// When the read models cannot be read.
pub async fn body(
    app: &App,
    caller: &Caller,
    language: Language,
    view: &CaseView,
) -> Result<CaseBody, Failure> {
    let (role, actor, cases) = (caller.actor.role, caller.actor.clone(), [Mentioned::from(view)]);
    let people = app.query(move |tables| People::load(tables, &actor, &cases)).await?;
    Ok(Readership { role, language }.case(view, &people))
}

/// The case as it was at a moment, replayed from its events; `None` when it was not there yet.
async fn past(app: &App, case: CaseId, at: DateTime<Utc>) -> Result<Option<Unread<CaseView>>, Failure> {
    let end = app.log.position_at(at).await?;
    let events = app.reader.stream(StreamId::from(case)).await?;
    let view = CaseView::replay(events.iter().take_while(|event| event.position <= end));
    Ok(view.map(CaseView::unread))
}

/// A moment with its offset; years that no clock here can show are none.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    // In a query a plus sign is a blank; people forget to escape it.
    let at = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).ok()?;
    Some(at.with_timezone(&Utc))
}
