//! The pages: server-rendered, Swedish unless the reader chooses English, whole without JavaScript. One file a page,
//! its template beside it under `templates/pages/`; the path mirrors the address.

pub mod accessibility;
pub mod audit;
pub mod case;
pub mod change;
pub mod components;
pub mod confirmation;
pub mod cookies;
pub mod cookies_told;
pub mod create_case;
pub mod editing;
pub mod employer;
pub mod failures;
pub mod form;
pub mod frame;
pub mod language;
pub mod login;
pub mod my_cases;
pub mod officer_case;
pub mod officers;
pub mod payroll;
pub mod personal_data;
pub mod register;
pub mod service_status;
pub mod services;
pub mod session;
pub mod settings;
pub mod start;
pub mod statistics;
pub mod support;
pub mod visitor;

pub use form::Form;
pub use frame::Frame;
pub use visitor::Visitor;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, middleware};
use tower_http::csrf::CsrfLayer;

use crate::{App, Failure, failure};

/// How many seconds one is asked to wait before sending a form again.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Every page. What fails becomes a page too.
pub fn routes(app: &App) -> Router<App> {
    Router::new()
        .merge(start::routes())
        .merge(support::routes())
        .merge(services::routes())
        .merge(payroll::routes())
        .merge(service_status::routes())
        .merge(employer::routes())
        .merge(create_case::routes())
        .merge(confirmation::routes())
        .merge(my_cases::routes())
        .merge(case::routes())
        .merge(accessibility::routes())
        .merge(personal_data::routes())
        .merge(cookies_told::routes())
        .merge(login::routes())
        .merge(language::routes())
        .merge(settings::routes())
        .merge(officers::routes())
        .merge(officer_case::routes())
        .merge(register::routes())
        .merge(statistics::routes())
        .merge(editing::routes())
        .merge(audit::routes())
        .fallback(async || Failure::NotFound)
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(app.clone(), failure::guard))
        .layer(CsrfLayer::new().with_rejection_response(|_| Failure::Forbidden.into_response()))
        .layer(middleware::from_fn_with_state(app.clone(), failures::pages))
        .merge(session::routes(app))
}

/// Renders a page; personal pages are never kept by anybody on the way.
///
/// # Errors
/// [`Failure::Internal`] when the template fails, which is logged.
pub fn render(page: &impl Template) -> Result<Response, Failure> {
    render_with(StatusCode::OK, page)
}

/// Renders a page under a status.
///
/// # Errors
/// As [`render`].
pub fn render_with(status: StatusCode, page: &impl Template) -> Result<Response, Failure> {
    let html = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be rendered");
        Failure::Internal
    })?;
    let mut response = (status, Html(html)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    Ok(response)
}
