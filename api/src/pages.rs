//! The pages: server-rendered, Swedish unless the reader chooses English, whole without JavaScript. One file a page,
//! its template beside it under `templates/pages/`; the path mirrors the address.

pub mod cookies;
pub mod failures;
pub mod frame;
pub mod language;
pub mod login;
pub mod start;
pub mod visitor;

pub use frame::Frame;
pub use visitor::Visitor;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, middleware};

use crate::{App, Failure};

/// Every page. What fails becomes a page too.
pub fn routes(app: &App) -> Router<App> {
    Router::new()
        .merge(start::routes())
        .merge(login::routes())
        .merge(language::routes())
        .layer(middleware::from_fn_with_state(app.clone(), failures::pages))
}

/// Renders a page; personal pages are never kept by anybody on the way.
///
/// # Errors
/// [`Failure::Internal`] when the template fails, which is logged.
pub fn render(page: &impl Template) -> Result<Response, Failure> {
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Failure::Internal
    })?;
    let mut response = Html(html).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
