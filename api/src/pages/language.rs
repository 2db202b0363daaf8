//! `/sprak`: the reader chooses a language and comes back to the page.

use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::CookieJar;
use domain::vocabulary::Language;
use serde::Deserialize;

use crate::App;
use crate::pages::cookies::{self, LANGUAGE, LANGUAGE_DAYS};
use crate::pages::login::own_address;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/sprak", get(choose))
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    kod: String,
    #[serde(default)]
    till: String,
}

async fn choose(State(app): State<App>, jar: CookieJar, Query(choice): Query<Choice>) -> Response {
    let language = Language::parse(&choice.kod).unwrap_or(Language::Sv);
    let jar = jar.add(cookies::cookie(&app, cookies::name(&app, LANGUAGE), language, Some(LANGUAGE_DAYS)));
    (jar, Redirect::to(own_address(&choice.till))).into_response()
}
