//! `/logga-in` and `/logga-ut`. One logs in at the identity provider of one's employer; in the demo one chooses who to be.

pub mod onward;
mod out;
mod provider;
mod role;

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::access::{Duty, Role};
use serde::Deserialize;

use crate::demo::persons::{self, Person};
use crate::format::percent_encoded;
use crate::pages::{Frame, Visitor, cookies, render, settings};
use crate::texts::Text;
use crate::{App, Failure};

/// Most bytes of the form in which one chooses who to be.
const CHOICE_BYTES: usize = 16 * 1024;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/logga-in", get(show).post(log_in))
        // An answer is taken once; a look at it must not be that.
        .route("/logga-in/svar", get(provider::answer).head(async || Failure::MethodNotAllowed))
        .route("/logga-in/fel", get(provider::failed))
        .route("/roll", get(role::show).post(role::change))
        .route("/logga-ut", get(out::show).post(out::log_out))
        .layer(DefaultBodyLimit::max(CHOICE_BYTES))
}

/// The address of the login, from which one comes back to `back`.
pub fn login_address(back: &str) -> String {
    format!("/logga-in?till={}", percent_encoded(back))
}

/// The address where one changes roles, from which one comes to `next`.
pub fn role_address(next: &str) -> String {
    format!("/roll?till={}", percent_encoded(next))
}

/// An address to come back to, if it is one of ours; else the start.
pub fn own_address(address: &str) -> &str {
    // Browsers leave out a tab, and take a backslash for a slash.
    let plain = !address.contains(|c: char| c == '\\' || c.is_control());
    let ours = plain && address.starts_with('/') && !address.starts_with("//");
    if ours { address } else { "/" }
}

#[derive(Template)]
#[template(path = "pages/login.html")]
struct LoginPage {
    frame: Frame,
    persons: Vec<&'static Person>,
    back: String,
    /// What is said of a login that is over.
    over: Option<Text>,
    /// Whether somebody is logged in, and is led here because a form is somebody else's.
    other: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// Where one goes on to.
    till: String,
    /// Whether one works at the centre, and so for no employer.
    centret: String,
    /// Whether one wants to be somebody else than who is logged in at the provider.
    igen: String,
    /// Whether one has been told that the time is over.
    vidare: String,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let language = visitor.language;
    if !app.config.demo.enabled {
        return provider::begin(&app, &visitor, &asked).await;
    }
    let frame = Frame::new(&app, &visitor, Text::new(language, "login-title")).await?;
    let persons = persons::offered(visitor.employer);
    let back = own_address(&asked.till).to_owned();
    let over = over(&visitor, &back);
    let other = visitor.caller().is_ok() && back != "/";
    render(&LoginPage { frame, persons, back, over, other })
}

/// What is said to whose login is over, and who comes back to `back`.
pub(super) fn over(visitor: &Visitor, back: &str) -> Option<Text> {
    let key = match (visitor.expired.is_some(), visitor.timed_out, back) {
        (false, ..) | (true, false, "/") => return None,
        (true, false, _) => "session-over",
        (true, true, "/") => "session-timed_out",
        (true, true, _) => "session-timed_out-kept",
    };
    Some(Text::new(visitor.language, key))
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    person: String,
    #[serde(default)]
    till: String,
}

async fn log_in(
    State(app): State<App>,
    visitor: Visitor,
    Form(choice): Form<Choice>,
) -> Result<Response, Failure> {
    if !app.config.demo.enabled {
        return Err(Failure::NotFound);
    }
    let person = persons::find(&choice.person).ok_or(Failure::NotFound)?;
    let name = cookies::session_name(&app);
    if let Some(before) = visitor.jar.get(&name) {
        app.end_session(before.value()).await?;
    }
    let session = app.begin_session_as(person.identity(), person.others(), None).await?;
    let mut jar = visitor.jar.add(cookies::cookie(&app, name, session, None));
    jar =
        settings::at_login(&app, jar, app.keys.pseudonym(person.identity().role, &person.identity().subject))
            .await;
    if let Some(employer) = person.employer() {
        jar = jar.add(cookies::cookie(
            &app,
            cookies::name(&app, cookies::EMPLOYER),
            employer,
            Some(cookies::EMPLOYER_DAYS),
        ));
    }
    let back = first_page(person.identity().role, &choice.till);
    Ok((jar, Redirect::to(back)).into_response())
}

/// Where one comes to after the login.
fn first_page(role: Role, back: &str) -> &str {
    match own_address(back) {
        "/" if role.may(Duty::CaseWork) => "/handlaggare",
        "/" if role.may(Duty::Replay) => "/revision",
        "/" if role == Role::Archivist => "/register",
        "/" if role.may(Duty::ServiceStatus) => "/driftstatus",
        back => back,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_host() {
        assert_eq!(own_address("/arenden/1?a=b"), "/arenden/1?a=b");
        for foreign in
            ["//evil.example", "/\t/evil.example", "/\\evil.example", "/\r/x", "https://evil.example", ""]
        {
            assert_eq!(own_address(foreign), "/", "{foreign:?}");
        }
    }
}
