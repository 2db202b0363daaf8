//! `/personuppgifter`: what is kept of persons, why, for how long, and what rights one has (GDPR article 13; LAW-17).

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/personuppgifter", get(show))
}

#[derive(Template)]
#[template(path = "pages/personal_data.html")]
struct PersonalDataPage {
    frame: Frame,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "personal-data-title")).await?;
    render(&PersonalDataPage { frame })
}
