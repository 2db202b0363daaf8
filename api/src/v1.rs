//! The JSON API under `/api/v1`, after the national REST API profile. The paths of the files mirror those of the URLs.

pub mod api_info;
pub mod bearer;
pub mod body;
pub mod case_body;
pub mod cases;
pub mod command;
pub mod document;
pub mod employers;
pub mod event_body;
pub mod events;
pub mod headers;
pub mod multipart;
pub mod outcome;
pub mod paging;
pub mod query;
pub mod scopes;
pub mod service_status;
pub mod services;
pub mod statistics;
pub mod uploads;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use domain::vocabulary::Language;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::{App, Failure, failure, limits};

/// What nobody on the way may keep.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A text in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InBoth {
    /// In Swedish.
    pub sv: String,
    /// In English.
    pub en: String,
}

/// The routes.
pub fn routes(app: &App) -> Router<App> {
    let (described, _) = operations().split_for_parts();
    described
        .merge(document::routes())
        .fallback(|| async { Failure::NotFound })
        .layer(middleware::from_fn_with_state(app.clone(), limits::api))
        .layer(middleware::from_fn_with_state(app.clone(), failure::guard))
        .layer(middleware::from_fn(failure::problems))
        .layer(middleware::from_fn(options))
}

/// The description of the API, as the golden file has it.
pub fn openapi() -> OpenApi {
    document::DESCRIBED.clone()
}

/// Every operation with its description, one line each.
fn operations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(cases::routes())
        .merge(uploads::routes())
        .merge(events::routes())
        .merge(statistics::routes())
        .merge(service_status::routes())
        .merge(services::routes())
        .merge(employers::routes())
        .merge(api_info::routes())
}

/// Answers OPTIONS; the router adds which methods the path has.
async fn options(request: Request, next: Next) -> Response {
    let asks = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    let there = asks && response.status() == StatusCode::METHOD_NOT_ALLOWED;
    if there { StatusCode::NO_CONTENT.into_response() } else { response }
}

/// The headers of what is for the caller alone.
fn personal() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, NO_STORE)])
}

/// The headers of what anybody may see, as it is now.
fn unkept() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))])
}

/// The headers of what holds words of a language.
fn words(language: Language) -> HeaderMap {
    HeaderMap::from_iter([
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(language.code())),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ])
}
