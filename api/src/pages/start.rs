//! `/`: the start.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/", get(show))
}

#[derive(Template)]
#[template(path = "pages/start.html")]
struct StartPage {
    frame: Frame,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "start-title")).await?;
    render(&StartPage { frame })
}
