//! Writing notices: `/driftstatus/ny`, `/driftstatus/{id}/andra` and `/driftstatus/{id}/klart`.

use std::fmt::Display;

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::Duty;
use domain::calendar::moment;
use domain::service_status::{NoticeKind, OURSELVES, TEXT_MAX, WrittenNotice};
use domain::{Event, PersonId, StreamId, System};
use infrastructure::committer::Expected;
use projections::service_status::Notice;

use super::notice::known;
use super::systems;
use crate::pages::components::Choice;
use crate::pages::form::not_sent;
use crate::pages::{Form, Frame, Visitor, cookies, render, render_with};
use crate::texts::Text;
use crate::{App, Failure};

const NEW: &str = "/driftstatus/ny";
/// What tells the fields of this form from others.
const FORM: &str = "notice";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/driftstatus/ny", get(show_new).post(publish))
        .route("/driftstatus/{id}/andra", get(show).post(change))
        .route("/driftstatus/{id}/klart", post(resolve))
}

#[derive(Template)]
#[template(path = "pages/service_status_edit.html")]
struct EditPage {
    frame: Frame,
    form: Form,
    /// Where the form is sent.
    address: String,
    /// Where one comes back to.
    back: String,
    kinds: Vec<Choice>,
    systems: Vec<Choice>,
    text_max: u64,
}

async fn show_new(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::ServiceStatus)?;
    let left = Form::left(&app, caller.actor.person, FORM, NEW).await?;
    let new = || {
        Form::new(FORM).with("kind", NoticeKind::Disruption.code()).with("starts", moment(app.clock.now()))
    };
    render(&page(&app, &visitor, None, left.unwrap_or_else(new)).await?)
}

async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::ServiceStatus)?;
    visitor.shown(&app).await?;
    let notice = known(&app, &id).await?;
    let left = Form::left(&app, caller.actor.person, FORM, &address(notice.id)).await?;
    let form = left.unwrap_or_else(|| written(&notice));
    let form = form.now_on(visitor.language, notice.version, "status-changed");
    render(&page(&app, &visitor, Some(&notice), form).await?)
}

async fn publish(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    send(&app, &visitor, None, request).await
}

async fn change(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    send(&app, &visitor, Some(&id), request).await
}

async fn resolve(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let form = Form::read(&app, &visitor, "resolve", request).await?;
    form.sender(&visitor)?;
    form.ready()?;
    let caller = visitor.caller_for(Duty::ServiceStatus)?;
    let notice = known(&app, &id).await?;
    let expected = Expected::Version(form.version.ok_or(Failure::Syntax)?);
    match app.append(caller.actor.person, notice.id, Event::NoticeResolved {}, expected).await {
        Ok(position) => Ok(cookies::done(&app, &visitor, position, &format!("/driftstatus/{}", notice.id))),
        // Changed meanwhile, or said twice: the page shows what stands there now.
        Err(error) => match Failure::from(error) {
            Failure::Stale { .. } => Ok(Redirect::to(&format!("/driftstatus/{}", notice.id)).into_response()),
            failure => Err(failure),
        },
    }
}

/// Publishes what was written, anew or in place of what a notice said.
async fn send(app: &App, visitor: &Visitor, id: Option<&str>, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(app, visitor, FORM, request).await?;
    let caller = match form.sender(visitor).and_then(|_| visitor.caller_for(Duty::ServiceStatus)) {
        Ok(caller) => caller,
        Err(failure) => {
            let back = id.map_or_else(|| NEW.to_owned(), address);
            return not_sent(app, visitor, &mut form, &back, failure).await;
        }
    };
    let person = caller.actor.person;
    let notice = match id {
        Some(id) => Some(known(app, id).await?),
        None => None,
    };
    let stream = notice.as_ref().map_or_else(|| stream_of(app, person, &form), |notice| notice.id);
    let failure = match put(app, person, stream, &form).await {
        Ok(position) => {
            form.forget(app, person).await;
            return Ok(cookies::done(app, visitor, position, &format!("/driftstatus/{stream}")));
        }
        Err(failure) => failure,
    };
    if matches!(failure, Failure::Stale { .. }) {
        app.shown(person, None).await?;
        let now = known(app, &stream.to_string()).await?;
        if read(&form).publish() == read(&written(&now)).publish() {
            // It was sent twice.
            return Ok(Redirect::to(&format!("/driftstatus/{stream}")).into_response());
        }
    }
    let status = form.refuse_changed(visitor.language, failure, "status-changed")?;
    render_with(status, &page(app, visitor, notice.as_ref(), form).await?)
}

async fn put(app: &App, person: PersonId, stream: StreamId, form: &Form) -> Result<u64, Failure> {
    let event = read(form).publish().map_err(Failure::Fields)?;
    form.ready()?;
    app.append(person, stream, event, Expected::Version(form.version.unwrap_or_default()))
        .await
        .map_err(Failure::from)
}

/// The stream of a new notice follows from its form, so that sending that twice makes one.
fn stream_of(app: &App, person: PersonId, form: &Form) -> StreamId {
    StreamId(app.keys.derived_id("notice", &[person.0.as_bytes(), form.key.as_bytes()]))
}

fn address(id: impl Display) -> String {
    format!("/driftstatus/{id}/andra")
}

fn read(form: &Form) -> WrittenNotice<'_> {
    WrittenNotice {
        kind: form.value("kind"),
        system: form.value("system"),
        title_sv: form.value("titleSv"),
        title_en: form.value("titleEn"),
        body_sv: form.value("bodySv"),
        body_en: form.value("bodyEn"),
        advice_sv: form.value("adviceSv"),
        advice_en: form.value("adviceEn"),
        starts: form.value("starts"),
        ends: form.value("ends"),
        next_update: form.value("nextUpdate"),
    }
}

/// A form with what a notice says.
fn written(notice: &Notice) -> Form {
    let optional = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(moment).unwrap_or_default();
    Form::new(FORM)
        .with("kind", notice.kind.code())
        .with("system", notice.system.map_or(OURSELVES, System::code))
        .with("titleSv", &notice.title_sv)
        .with("titleEn", &notice.title_en)
        .with("bodySv", &notice.body_sv)
        .with("bodyEn", &notice.body_en)
        .with("adviceSv", &notice.advice_sv)
        .with("adviceEn", &notice.advice_en)
        .with("starts", moment(notice.starts))
        .with("ends", optional(notice.ends))
        .with("nextUpdate", optional(notice.next_update))
        .on_version(notice.version)
}

async fn page(
    app: &App,
    visitor: &Visitor,
    notice: Option<&Notice>,
    form: Form,
) -> Result<EditPage, Failure> {
    let language = visitor.language;
    let kind = |kind: &NoticeKind| Choice::new(kind, Text::new(language, format!("notice-kind-{kind}")));
    let title = if notice.is_some() { "status-edit" } else { "status-new" };
    let frame = Frame::new(app, visitor, Text::new(language, title)).await?;
    Ok(EditPage {
        frame: frame.with_error(!form.errors.is_empty()),
        address: notice.map_or_else(|| NEW.to_owned(), |notice| address(notice.id)),
        back: notice
            .map_or_else(|| "/driftstatus".to_owned(), |notice| format!("/driftstatus/{}", notice.id)),
        kinds: NoticeKind::ALL.iter().map(kind).collect(),
        systems: systems().map(|(code, name)| Choice::new(code, name)).collect(),
        text_max: u64::try_from(TEXT_MAX).unwrap_or_default(),
        form,
    })
}
