//! `/redaktion/{page}/historik`: every version of what a page says, or of the catalogue: when, by whom, and its words.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::content::Service;
use domain::{Area, Language};
use projections::content as versions;

use super::{Published, Wanted, What, published, text};
use crate::content::{self, Told};
use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/redaktion/{page}/historik", get(show))
}

#[derive(Template)]
#[template(path = "pages/editing_history.html")]
struct HistoryPage {
    frame: Frame,
    what: What,
    /// The version that is shown.
    shown: Option<Shown>,
    /// All that were published, newest first.
    versions: Vec<Published>,
}

/// A version with its words.
struct Shown {
    number: u64,
    /// Of a page.
    words: Vec<(Language, Told)>,
    /// Of the catalogue.
    services: Vec<(Area, Vec<Service>)>,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    visitor.caller_for(Duty::Content)?;
    let what = What::parse(&name)?;
    visitor.shown(&app).await?;
    let language = visitor.language;
    let title = Text::new(language, "editing-history-title").with("page", Text::new(language, what.key()));
    let frame = Frame::new(&app, &visitor, title).await?;
    let found = app.query(move |tables| versions::versions(tables, what.code())).await?;
    let versions = published(&app, &visitor, &found).await?;
    let shown = match wanted.version {
        Some(number) => Some(version(&app, what, number).await?),
        None => None,
    };
    render(&HistoryPage { frame, what, shown, versions })
}

async fn version(app: &App, what: What, number: u64) -> Result<Shown, Failure> {
    let (mut words, mut services) = (Vec::new(), Vec::new());
    match what {
        What::Page(page) => words = text::in_both(&content::words(app, page, Some(number)).await?.1),
        What::Catalogue => {
            let (_, all) = content::catalogue(app, Some(number)).await?;
            let of = |area: &Area| all.iter().filter(|service| service.area == *area).cloned().collect();
            services = Area::ALL.iter().map(|area| (*area, of(area))).collect();
        }
    }
    Ok(Shown { number, words, services })
}
