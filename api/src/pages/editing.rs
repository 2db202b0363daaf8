//! `/redaktion`: what the pages say and the service catalogue, for those who write them: who changed what last, and the way to
//! change it.

mod catalogue;
mod change;
mod history;
mod text;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::StreamId;
use domain::access::Duty;
use domain::content::ContentPage;
use projections::content::{self, CATALOGUE, Version};
use serde::Deserialize;

use crate::pages::officers::names::Names;
use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, format};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/redaktion", get(show)).merge(change::routes()).merge(history::routes())
}

/// What is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// What a page says.
    Page(ContentPage),
    /// The service catalogue.
    Catalogue,
}

impl What {
    const ALL: [Self; 4] = [
        Self::Page(ContentPage::Start),
        Self::Page(ContentPage::Support),
        Self::Page(ContentPage::Services),
        Self::Catalogue,
    ];

    /// What an address names.
    fn parse(name: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|what| what.name() == name).ok_or(Failure::NotFound)
    }

    /// Its name in addresses.
    const fn name(self) -> &'static str {
        match self {
            Self::Page(ContentPage::Start) => "start",
            Self::Page(ContentPage::Support) => "support",
            Self::Page(ContentPage::Services) => "tjanster",
            Self::Catalogue => "tjanstekatalog",
        }
    }

    /// Its code in the read models.
    const fn code(self) -> &'static str {
        match self {
            Self::Page(page) => page.code(),
            Self::Catalogue => CATALOGUE,
        }
    }

    fn stream(self) -> StreamId {
        match self {
            Self::Page(page) => StreamId::of_content(page),
            Self::Catalogue => StreamId::of_catalogue(),
        }
    }

    /// Where it is edited.
    fn address(self) -> String {
        format!("/redaktion/{}", self.name())
    }

    /// Where it is read.
    const fn read_at(self) -> &'static str {
        match self {
            Self::Page(ContentPage::Start) | Self::Catalogue => "/",
            Self::Page(ContentPage::Support) => "/support",
            Self::Page(ContentPage::Services) => "/tjanster",
        }
    }

    /// The key of what people call it.
    const fn key(self) -> &'static str {
        match self {
            Self::Page(ContentPage::Start) => "menu-start",
            Self::Page(ContentPage::Support) => "menu-support",
            Self::Page(ContentPage::Services) => "menu-services",
            Self::Catalogue => "editing-catalogue",
        }
    }
}

/// An earlier version that an address names.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wanted {
    /// The version whose words are shown, or to be used again.
    version: Option<u64>,
}

/// That something was published, in words.
struct Published {
    number: u64,
    at: String,
    by: String,
}

/// In words when these were published, and by whom.
async fn published(app: &App, visitor: &Visitor, versions: &[Version]) -> Result<Vec<Published>, Failure> {
    let persons: Vec<_> = versions.iter().map(|version| version.by).collect();
    let names = Names::load(app, visitor.language, &visitor.caller()?.actor, None, persons).await?;
    let in_words = |version: &Version| Published {
        number: version.number,
        at: format::moment_short(visitor.language, version.at),
        by: names.person(version.by),
    };
    Ok(versions.iter().map(in_words).collect())
}

#[derive(Template)]
#[template(path = "pages/editing.html")]
struct EditingPage {
    frame: Frame,
    /// What was published just now.
    done: Option<What>,
    rows: Vec<(What, Option<Published>)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "menu-editing")).await?;
    let mut rows = Vec::new();
    for what in What::ALL {
        let mut versions = app.query(move |tables| content::versions(tables, what.code())).await?;
        versions.truncate(1);
        rows.push((what, published(&app, &visitor, &versions).await?.pop()));
    }
    render(&EditingPage { frame, done: What::parse(&done.done).ok(), rows })
}
