//! `/support`: how to report, what *Mina ärenden* is, and the choices of the phone menu (K3, K4). The same for all.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/support", get(show))
}

#[derive(Template)]
#[template(path = "pages/support.html")]
struct SupportPage {
    frame: Frame,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "menu-support")).await?;
    render(&SupportPage { frame })
}
