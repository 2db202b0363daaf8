//! `/`: the start: what one can do here, how the systems are, what the centre does.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::Area;

use crate::catalogue::services;
use crate::pages::service_status::Status;
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
    status: Status,
    catalogue: Vec<(Area, &'static [&'static str])>,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "start-title")).await?;
    let status = Status::read(&app, visitor.language).await?;
    let catalogue = Area::ALL.iter().map(|area| (*area, services(*area))).collect();
    render(&StartPage { frame, status, catalogue })
}
