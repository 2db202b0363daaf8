//! The cookies of the pages. None holds anything personal: the session's is a random key to a row in the log's
//! database, that of a login on its way is sealed, the others hold a language, an organisation number and a position.

use std::fmt::Display;

use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use sha2::{Digest, Sha256};

use crate::App;
use crate::pages::Visitor;

/// The session.
pub const SESSION: &str = "kundwebb_session";
/// The chosen language.
pub const LANGUAGE: &str = "kundwebb_language";
/// The chosen employer (K1).
pub const EMPLOYER: &str = "kundwebb_employer";
/// The last position that the reader was told of.
pub const POSITION: &str = "kundwebb_position";

/// How the name of a login on its way begins.
const LOGIN: &str = "kundwebb_login_";

/// How long the choice of employer is remembered, days (K1).
pub const EMPLOYER_DAYS: i64 = 60;
/// How long the choice of language is remembered, days.
pub const LANGUAGE_DAYS: i64 = 365;
const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The name of a cookie: bound to the host where the web is reached by HTTPS.
pub fn name(app: &App, name: &str) -> String {
    if secure(app) { format!("__Host-{name}") } else { name.to_owned() }
}

/// The name of the session's cookie.
pub fn session_name(app: &App) -> String {
    name(app, SESSION)
}

/// The name of the cookie of a login on its way, by what its answer must repeat.
pub fn login_name(app: &App, state: &str) -> String {
    let start = login_start(app);
    format!("{start}{}", hex::encode(&Sha256::digest(state)[..8]))
}

/// The names of all logins on their way in a browser.
pub fn logins(app: &App, jar: &CookieJar) -> Vec<String> {
    let start = login_start(app);
    jar.iter().map(|cookie| cookie.name().to_owned()).filter(|name| name.starts_with(&start)).collect()
}

fn login_start(app: &App) -> String {
    name(app, LOGIN)
}

/// A cookie that lasts `days`; without, as long as the browser runs. Name and value need no quoting.
pub fn cookie(app: &App, name: impl Display, value: impl Display, days: Option<i64>) -> Cookie<'static> {
    lasting(app, name, value, days.map(|days| days * DAY_SECONDS))
}

/// A cookie that lasts some seconds; with 0 it takes one away.
pub fn lasting(app: &App, name: impl Display, value: impl Display, seconds: Option<i64>) -> Cookie<'static> {
    let secure = if secure(app) { "; Secure" } else { "" };
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    Cookie::parse(text).unwrap_or_else(|_| Cookie::new("", ""))
}

/// The jar with the position that the reader has been told of, so that the next page shows it.
pub fn told(app: &App, jar: CookieJar, position: u64) -> CookieJar {
    jar.add(cookie(app, name(app, POSITION), position, None))
}

/// Leads on from a form that was done at a position.
pub fn done(app: &App, visitor: &Visitor, position: u64, onward: &str) -> Response {
    (told(app, visitor.jar.clone(), position), Redirect::to(onward)).into_response()
}

fn secure(app: &App) -> bool {
    app.config.public_url().starts_with("https://")
}
