//! `/redaktion/{page}`: the form of what a page says, or of the catalogue.

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::{Event, PersonId};
use infrastructure::committer::Expected;

use super::{Wanted, What, catalogue, text};
use crate::content;
use crate::pages::form::{Action, not_sent};
use crate::pages::{Form, Visitor, cookies};
use crate::{App, Failure};

/// What tells the fields of this form from others.
const FORM: &str = "content";

pub(super) fn routes() -> Router<App> {
    Router::new().route("/redaktion/{page}", get(show).post(send))
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let person = visitor.caller_for(Duty::Content)?.actor.person;
    let what = What::parse(&name)?;
    visitor.shown(&app).await?;
    let (current, _) = now(&app, what).await?;
    let form = match Form::left(&app, person, FORM, &what.address()).await? {
        Some(left) if wanted.version.is_none() => left,
        _ => written(&app, what, wanted.version).await?,
    };
    let form = form.now_on(visitor.language, current, "editing-changed");
    page(&app, &visitor, what, form, wanted.version.is_some(), StatusCode::OK).await
}

async fn send(
    State(app): State<App>,
    visitor: Visitor,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let mut form = Form::read(&app, &visitor, FORM, request).await?;
    let sender = form.sender(&visitor).and_then(|_| visitor.caller_for(Duty::Content));
    let (person, what) = match (sender, What::parse(&name)) {
        (Ok(caller), what) => (caller.actor.person, what?),
        (Err(failure), Ok(what)) => {
            return not_sent(&app, &visitor, &mut form, &what.address(), failure).await;
        }
        (Err(failure), Err(_)) => return Err(failure),
    };
    if form.action() == Action::ShowAgain {
        return page(&app, &visitor, what, form, false, StatusCode::OK).await;
    }
    let failure = match put(&app, &visitor, person, what, &form).await {
        Ok(position) => {
            form.forget(&app, person).await;
            let onward = format!("/redaktion?done={}", what.name());
            return Ok(cookies::done(&app, &visitor, position, &onward));
        }
        Err(failure) => failure,
    };
    let status = form.refuse_changed(visitor.language, failure, "editing-changed")?;
    page(&app, &visitor, what, form, false, status).await
}

/// Publishes what was written, at the position that comes back. Sent twice, it is published once.
async fn put(
    app: &App,
    visitor: &Visitor,
    person: PersonId,
    what: What,
    form: &Form,
) -> Result<u64, Failure> {
    let event = match what {
        What::Page(page) => text::read(form).publish(page).map_err(Failure::Fields)?,
        What::Catalogue => catalogue::read(app, visitor.language, form).await?,
    };
    form.ready()?;
    let expected = Expected::Version(form.version.unwrap_or_default());
    match app.append(person, what.stream(), event.clone(), expected).await.map_err(Failure::from) {
        Err(failure @ Failure::Stale { .. }) => {
            app.shown(person, None).await?;
            if now(app, what).await?.1 == event { Ok(app.read_models.position()) } else { Err(failure) }
        }
        appended => appended,
    }
}

/// The version that people read now, and what would publish it.
async fn now(app: &App, what: What) -> Result<(u64, Event), Failure> {
    match what {
        What::Page(page) => {
            let (version, words) = content::words(app, page, None).await?;
            Ok((version, Event::ContentPublished { page, sv: words.sv, en: words.en }))
        }
        What::Catalogue => {
            let (version, services) = content::catalogue(app, None).await?;
            Ok((version, Event::CataloguePublished { services }))
        }
    }
}

/// A form with what a version says, or the newest.
async fn written(app: &App, what: What, version: Option<u64>) -> Result<Form, Failure> {
    match what {
        What::Page(page) => Ok(text::written(FORM, content::words(app, page, version).await?.1)),
        What::Catalogue => Ok(catalogue::written(FORM, &content::catalogue(app, version).await?.1)),
    }
}

async fn page(
    app: &App,
    visitor: &Visitor,
    what: What,
    form: Form,
    taken: bool,
    status: StatusCode,
) -> Result<Response, Failure> {
    match what {
        What::Page(page) => text::page(app, visitor, page, form, taken, status).await,
        What::Catalogue => catalogue::page(app, visitor, form, taken, status).await,
    }
}
