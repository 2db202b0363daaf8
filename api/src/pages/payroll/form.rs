//! `/redaktion/blanketter/{code}`: publishing a payroll form, anew or in place of what it was, and taking it out of use.
//! Its former versions stay, with their files.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::Duty;
use domain::files::MEGABYTE;
use domain::payroll_form::WrittenForm;
use domain::refusal::{Code, FieldError};
use domain::{Event, PersonId};
use infrastructure::committer::Expected;
use projections::payroll_forms::{self, PayrollForm};

use super::{Done, FormInWords, file, told};
use crate::pages::form::{Action, not_sent};
use crate::pages::{Form, Frame, Visitor, cookies, render_with};
use crate::texts::Text;
use crate::{App, Failure, payroll};

const NEW: &str = "/redaktion/blanketter/ny";
/// What tells the fields of this form from others.
const FORM: &str = "payroll-form";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/redaktion/blanketter/ny", get(show_new).post(publish))
        .route("/redaktion/blanketter/{code}", get(show).post(change))
        .route("/redaktion/blanketter/{code}/dra-in", post(withdraw))
        .route("/redaktion/blanketter/{code}/versioner/{version}", get(fetch))
}

#[derive(Template)]
#[template(path = "pages/payroll_form.html")]
struct FormPage {
    frame: Frame,
    form: Form,
    /// Where the form is sent.
    address: String,
    /// The form that there is; none for a new one.
    shown: Option<FormInWords>,
    /// What it was, newest first: when and by whom, the version, and what it became.
    history: Vec<(Done, (u64, FormInWords))>,
    /// The form by which it is taken out of use, where it is in use.
    withdraw: Option<Form>,
    file_hint: String,
}

fn address(code: &str) -> String {
    format!("/redaktion/blanketter/{code}")
}

/// The form of an address.
async fn known(app: &App, code: &str) -> Result<PayrollForm, Failure> {
    payroll::form(app, code).await?.ok_or(Failure::NotFound)
}

async fn show_new(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Content)?;
    let left = Form::left(&app, caller.actor.person, FORM, NEW).await?;
    page(&app, &visitor, None, left.unwrap_or_else(|| Form::new(FORM)), StatusCode::OK).await
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let now = known(&app, &code).await?;
    let left = Form::left(&app, caller.actor.person, FORM, &address(&now.code)).await?;
    let filled = || Form::new(FORM).with("nameSv", &now.name_sv).with("nameEn", &now.name_en);
    let form = left.unwrap_or_else(filled).now_on(visitor.language, now.version, "payroll-form-changed");
    page(&app, &visitor, Some(&now), form, StatusCode::OK).await
}

async fn publish(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    send(&app, &visitor, None, request).await
}

async fn change(
    State(app): State<App>,
    visitor: Visitor,
    Path(code): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    send(&app, &visitor, Some(&code), request).await
}

/// Publishes what was written.
async fn send(
    app: &App,
    visitor: &Visitor,
    code: Option<&str>,
    request: Request,
) -> Result<Response, Failure> {
    let mut form = Form::read(app, visitor, FORM, request).await?;
    // The file that was chosen last is the one that is meant.
    form.files.drain(..form.files.len().saturating_sub(1));
    let back = code.map_or_else(|| NEW.to_owned(), address);
    let person = match form.sender(visitor).and_then(|_| visitor.caller_for(Duty::Content)) {
        Ok(caller) => caller.actor.person,
        Err(failure) => return not_sent(app, visitor, &mut form, &back, failure).await,
    };
    let now = match code {
        Some(code) => Some(known(app, code).await?),
        None => None,
    };
    if form.action() == Action::ShowAgain {
        return page(app, visitor, now.as_ref(), form, StatusCode::OK).await;
    }
    let failure = match put(app, person, now.as_ref(), &form).await {
        Ok((code, position)) => {
            form.forget(app, person).await;
            return Ok(cookies::done(app, visitor, position, &address(&code)));
        }
        Err(failure) => failure,
    };
    let status = form.refuse_changed(visitor.language, failure, "payroll-form-changed")?;
    let now = match code {
        Some(code) => Some(known(app, code).await?),
        None => None,
    };
    page(app, visitor, now.as_ref(), form, status).await
}

/// Publishes a form unless it says what stands already, as when it was sent twice. The code and the position come back.
async fn put(
    app: &App,
    person: PersonId,
    before: Option<&PayrollForm>,
    form: &Form,
) -> Result<(String, u64), Failure> {
    let written = WrittenForm {
        code: before.map_or_else(|| form.value("code"), |before| &before.code),
        name_sv: form.value("nameSv"),
        name_en: form.value("nameEn"),
        file: form.files.last().map(|file| &file.file),
    };
    let event = written.publish().map_err(Failure::Fields)?;
    form.ready()?;
    let Event::PayrollFormPublished { code, .. } = &event else { return Err(Failure::Internal) };
    let code = code.clone();
    app.shown(person, None).await?;
    let now = payroll::form(app, &code).await?;
    if let Some(now) = &now {
        if stands(now, &event) {
            app.unstage(&form.uploaded()).await;
            return Ok((code, app.read_models.position()));
        }
        if before.is_none() {
            let taken = FieldError::new("/code", Code::FormTaken).with("code", &code);
            return Err(Failure::Fields(vec![taken]));
        }
    }
    let expected = Expected::Version(form.version.filter(|_| before.is_some()).unwrap_or_default());
    let position = app.append(person, payroll::form_stream(app, &code), event, expected).await?;
    Ok((code, position))
}

/// Whether a form is already what an event would make of it.
fn stands(now: &PayrollForm, event: &Event) -> bool {
    let Event::PayrollFormPublished { name_sv, name_en, .. } = event else { return false };
    let own = now.file.as_ref().map(|file| &file.card.sha256);
    let same_file = event.files().first().is_none_or(|file| own == Some(&file.sha256));
    !now.withdrawn && (&now.name_sv, &now.name_en) == (name_sv, name_en) && same_file
}

async fn withdraw(
    State(app): State<App>,
    visitor: Visitor,
    Path(code): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let form = Form::read(&app, &visitor, "withdraw", request).await?;
    form.sender(&visitor)?;
    form.ready()?;
    let person = visitor.caller_for(Duty::Content)?.actor.person;
    let now = known(&app, &code).await?;
    match take_out(&app, person, &now, form.version.ok_or(Failure::Syntax)?).await {
        Ok(position) => Ok(cookies::done(&app, &visitor, position, &address(&now.code))),
        // Changed meanwhile, or said twice: the page shows what stands there now.
        Err(Failure::Stale { .. }) => Ok(Redirect::to(&address(&now.code)).into_response()),
        Err(failure) => Err(failure),
    }
}

/// Takes a form out of use. One that only ships with the program is published first, so that its names stay known.
async fn take_out(app: &App, person: PersonId, now: &PayrollForm, version: u64) -> Result<u64, Failure> {
    let stream = payroll::form_stream(app, &now.code);
    let PayrollForm { code, name_sv, name_en, .. } = now;
    let mut version = version;
    if version == 0 {
        let as_it_ships = WrittenForm { code, name_sv, name_en, file: None }.publish();
        let event = as_it_ships.map_err(Failure::Fields)?;
        app.append(person, stream, event, Expected::Version(0)).await?;
        version = 1;
    }
    Ok(app.append(person, stream, Event::PayrollFormWithdrawn {}, Expected::Version(version)).await?)
}

/// The file of a former version.
async fn fetch(
    State(app): State<App>,
    visitor: Visitor,
    Path((code, version)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let stream = payroll::form_stream(&app, &known(&app, &code).await?.code);
    let versions = app.query(move |tables| payroll_forms::versions(tables, stream)).await?;
    let form = versions.into_iter().find(|form| form.version.to_string() == version);
    file::send(&app, visitor.language, form.ok_or(Failure::NotFound)?, &headers).await
}

async fn page(
    app: &App,
    visitor: &Visitor,
    now: Option<&PayrollForm>,
    form: Form,
    status: StatusCode,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let mut versions = Vec::new();
    if let Some(now) = now {
        let stream = payroll::form_stream(app, &now.code);
        versions = app.query(move |tables| payroll_forms::versions(tables, stream)).await?;
        versions.extend(payroll::shipped_form(&now.code));
    }
    let versions = versions.iter().map(|form| (form.by, (form.version, FormInWords::of(language, form))));
    let history = told(app, (visitor.caller()?, language), versions.collect()).await?;
    let shown = now.map(|now| FormInWords::of(language, now));
    let title = match &shown {
        Some(shown) => format!("{} {}", shown.code, shown.name),
        None => Text::new(language, "payroll-form-new").to_string(),
    };
    let most = Text::new(language, "payroll-form-file-hint");
    let in_use = now.filter(|now| !now.withdrawn);
    let page = FormPage {
        frame: Frame::new(app, visitor, title).await?.with_error(!form.errors.is_empty()),
        form,
        address: now.map_or_else(|| NEW.to_owned(), |now| address(&now.code)),
        shown,
        history,
        withdraw: in_use.map(|now| Form::new("withdraw").on_version(now.version)),
        file_hint: most.with("max", app.config.limits().file_bytes / MEGABYTE).to_string(),
    };
    render_with(status, &page)
}
