//! `/tillganglighet`: how accessible the web is, what is not, how it was tested, and whom to tell (A11Y-16).

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/tillganglighet", get(show))
}

#[derive(Template)]
#[template(path = "pages/accessibility.html")]
struct AccessibilityPage {
    frame: Frame,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "accessibility-title")).await?;
    render(&AccessibilityPage { frame })
}
