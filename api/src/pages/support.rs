//! `/support`: how to report, what *Mina ärenden* is, the phone hours and the choices of its menu (K3, K4). The same for all.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::content::ContentPage;

use crate::content::{self, Told};
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
    told: Told,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let language = visitor.language;
    let told = content::told(&app, language, ContentPage::Support).await?;
    let frame = Frame::new(&app, &visitor, told.title_or(&Text::new(language, "menu-support"))).await?;
    render(&SupportPage { frame, told })
}
