//! `/kakor`: the cookies, each with what it is for (lag 2022:482 om elektronisk kommunikation 9 kap. 28 §).

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::pages::{Frame, Visitor, cookies, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/kakor", get(show))
}

#[derive(Template)]
#[template(path = "pages/cookies_told.html")]
struct CookiesPage {
    frame: Frame,
    employer_days: i64,
    language_days: i64,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "cookies-title")).await?;
    render(&CookiesPage {
        frame,
        employer_days: cookies::EMPLOYER_DAYS,
        language_days: cookies::LANGUAGE_DAYS,
    })
}
