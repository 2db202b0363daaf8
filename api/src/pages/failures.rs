//! Failures of the pages as pages: whoever must log in is led to the login and back; everything else is told in words,
//! without codes.

use askama::Template;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use crate::identity::provider::CALLBACK;
use crate::limits::Who;
use crate::pages::employer::choice_address;
use crate::pages::login::{login_address, onward};
use crate::pages::{Frame, Visitor, render, render_with};
use crate::texts::Text;
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "pages/failure.html")]
struct FailurePage {
    frame: Frame,
    heading: String,
    body: String,
    /// What was typed in a form that is not there any more.
    typed: Option<String>,
}

/// The page of what was there when a form was opened and cannot be shown to this visitor any more, with what was typed.
///
/// # Errors
/// When the page cannot be made.
pub async fn with_typed(
    app: &App,
    visitor: &Visitor,
    failure: Failure,
    typed: Option<String>,
) -> Result<Response, Failure> {
    let (heading, body) = in_words(visitor, &failure);
    let frame = Frame::new(app, visitor, &heading).await?.with_error(true);
    render_with(failure.status(), &FailurePage { frame, heading, body, typed })
}

/// The layer that turns failures into pages.
pub async fn pages(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    // Told before the request is handed on: what logs out must still be answered in the reader's language.
    let Ok(mut visitor) = Visitor::from_request_parts(&mut parts, &app).await;
    let method = parts.method.clone();
    if let Err(failure) = counted(&app, &mut visitor, &parts) {
        return page(&app, &visitor, &method, &failure, failure.clone().into_response()).await;
    }
    parts.extensions.insert(visitor.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let failure = response.extensions_mut().remove::<Failure>();
    match failure.or_else(|| of_the_framework(&response)) {
        Some(failure) => page(&app, &visitor, &method, &failure, response).await,
        None => {
            // A form that shows again why it was not taken.
            if let (StatusCode::TOO_MANY_REQUESTS, Some(limited)) = (response.status(), &visitor.limited) {
                response.headers_mut().extend(limited.headers());
            }
            response
        }
    }
}

/// Counts a login, a page that somebody who is logged in reads, or a form that is sent. That form is told later, so that it can show again what was typed.
fn counted(app: &App, visitor: &mut Visitor, parts: &Parts) -> Result<(), Failure> {
    let network = app.network(&parts.headers, &parts.extensions);
    if matches!(parts.uri.path(), "/logga-in" | CALLBACK) {
        return app.limits.login(network);
    }
    if parts.method.is_safe() {
        visitor.caller().map_or(Ok(()), |caller| app.limits.page(Who::Person(caller.actor.person)))?;
    } else {
        let who = visitor.owner().map_or(Who::Network(network), Who::Person);
        visitor.limited = app.limits.form(who).err();
    }
    Ok(())
}

/// The failure of an answer that is no page of ours.
fn of_the_framework(response: &Response) -> Option<Failure> {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let page = media_type.is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/html"));
    if page { None } else { Failure::of_status(response.status()) }
}

/// Where one logs in to come to a page: the employer is chosen first (K1), except by those who work at the centre.
pub(super) fn way_in(visitor: &Visitor, back: &str) -> String {
    // From these pages one comes to the start.
    let back = if ["/logga-in", "/logga-ut", "/valj-arbetsgivare"].iter().any(|own| back.starts_with(own)) {
        "/"
    } else {
        back
    };
    if visitor.employer.is_none() && !is_of_the_centre(visitor, back) {
        choice_address(back)
    } else {
        login_address(back)
    }
}

/// Whether one comes to a page by the login of the centre. Some pages are for people there and at employers: then it counts
/// who was logged in before, and else whether an employer is chosen in this browser.
pub(super) fn is_of_the_centre(visitor: &Visitor, address: &str) -> bool {
    let is = |paths: &[&str]| paths.iter().any(|path| address.starts_with(path));
    let was = visitor.was.map(|role| !role.is_customer());
    match () {
        () if is(&["/handlaggare", "/revision", "/redaktion", "/driftstatus/"]) => true,
        () if is(&["/statistik", "/register"]) => was.unwrap_or(visitor.employer.is_none()),
        () if is(&["/arenden/"]) => was == Some(true),
        () => false,
    }
}

/// Heading and body of a failure.
fn in_words(visitor: &Visitor, failure: &Failure) -> (String, String) {
    let language = visitor.language;
    match failure {
        // No employer's administrator decides on what the centre's own people may do.
        Failure::Forbidden if visitor.role().is_some_and(|role| !role.is_customer()) => {
            (failure.problem(language, "").title, Text::new(language, "permission-centre").to_string())
        }
        Failure::NotFound => (Text::new(language, "page404-title").to_string(), failure.detail(language)),
        Failure::Internal => (
            Text::new(language, "page500-title").to_string(),
            Text::new(language, "page500-short").to_string(),
        ),
        _ => (failure.problem(language, "").title, failure.detail(language)),
    }
}

async fn page(app: &App, visitor: &Visitor, method: &Method, failure: &Failure, bare: Response) -> Response {
    if *failure == Failure::Unauthorized {
        let back = if method.is_safe() { visitor.address.as_str() } else { "/" };
        let next = way_in(visitor, back);
        // A query may be that of a form.
        let of_a_form = !method.is_safe() || back.contains('?');
        let page = if of_a_form { onward::to_login(app, visitor, &next).await.ok() } else { None };
        return page.unwrap_or_else(|| Redirect::to(&next).into_response());
    }
    let (heading, words) = in_words(visitor, failure);
    let rendered = match Frame::new(app, visitor, &heading).await {
        Ok(frame) => {
            let frame = frame.with_error(true);
            render(&FailurePage { frame, heading, body: words.clone(), typed: None })
        }
        Err(failure) => Err(failure),
    };
    let mut response = bare;
    match rendered {
        Ok(page) => {
            let status = response.status();
            let retry = response.headers().get(header::RETRY_AFTER).cloned();
            response = page;
            *response.status_mut() = status;
            if let Some(retry) = retry {
                response.headers_mut().insert(header::RETRY_AFTER, retry);
            }
        }
        // Nothing can be read: the plain words must do.
        Err(_) => {
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, plain);
            *response.body_mut() = Body::from(words);
        }
    }
    response
}
