//! `/`: the start: what one can do here, how the systems are, what the centre does.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::Area;
use domain::content::ContentPage;

use crate::content::{self, Told};
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
    /// Whether one has just logged out.
    logged_out: bool,
    status: Status,
    told: Told,
    catalogue: Vec<(Area, Vec<String>)>,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let language = visitor.language;
    let told = content::told(&app, language, ContentPage::Start).await?;
    let frame = Frame::new(&app, &visitor, told.title_or(&Text::new(language, "start-title"))).await?;
    let status = Status::read(&app, language).await?;
    let (_, services) = content::catalogue(&app, None).await?;
    let of = |area: &Area| (*area, content::names(&services, language, *area, |_| true));
    let catalogue = Area::ALL.iter().map(of).collect();
    let logged_out = visitor.caller().is_err() && visitor.address.ends_with("?utloggad=ja");
    render(&StartPage { frame, logged_out, status, told, catalogue })
}
