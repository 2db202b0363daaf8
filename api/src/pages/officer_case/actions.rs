//! What officers do with a case: one address for each action, each answered by the page of the case.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use domain::access::{Duty, Verdict, may};
use domain::case::commands::{Assign, StartProcessing};
use domain::refusal::Code;
use domain::{Area, CaseCommand, CaseId, FieldError, Language, PersonId, Status};
use infrastructure::{Outcome, random};
use projections::{case_page, directory};
use serde::Deserialize;

use super::forms::{ASSIGN, CLOSE, MESSAGE, NOTE, RECLASSIFY, REQUEST, START};
use super::{newest, show_again};
use crate::app::Caller;
use crate::pages::case::{form_address, readable};
use crate::pages::form::{Action, not_sent};
use crate::pages::{Form, Visitor, change, cookies, create_case};
use crate::requests::{
    AddMessageRequest, AddNoteRequest, ChangeRequest, CloseRequest, ReclassifyRequest,
    RequestInformationRequest,
};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/arenden/{id}/starta", post(start))
        .route("/arenden/{id}/komplettering", post(request_information))
        .route("/arenden/{id}/anteckning", post(add_note))
        .route("/arenden/{id}/tilldela", post(assign))
        .route("/arenden/{id}/omrade", post(reclassify))
        .route("/arenden/{id}/svar", post(close))
        .route("/arenden/{id}/skydd", post(protect))
}

/// A message, which has its address in common with the customer's.
///
/// # Errors
/// When the case is not the visitor's to know.
pub async fn message(app: &App, visitor: &Visitor, id: &str, request: Request) -> Answer {
    act::<AddMessageRequest>(app, visitor, (id, MESSAGE), request).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Mark {
    protected: String,
}

/// A form that came in: to be done, or answered already.
enum Begun {
    Sent(CaseId, Form),
    Answered(Response),
}

type Answer = Result<Response, Failure>;

async fn request_information(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    act::<RequestInformationRequest>(&app, &visitor, (&id, REQUEST), request).await
}

async fn add_note(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    act::<AddNoteRequest>(&app, &visitor, (&id, NOTE), request).await
}

async fn reclassify(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    act::<ReclassifyRequest>(&app, &visitor, (&id, RECLASSIFY), request).await
}

async fn close(State(app): State<App>, visitor: Visitor, Path(id): Path<String>, request: Request) -> Answer {
    act::<CloseRequest>(&app, &visitor, (&id, CLOSE), request).await
}

async fn start(State(app): State<App>, visitor: Visitor, Path(id): Path<String>, request: Request) -> Answer {
    let (case, form) = match begin(&app, &visitor, (&id, START), request).await? {
        Begun::Sent(case, form) => (case, form),
        Begun::Answered(response) => return Ok(response),
    };
    let command = CaseCommand::StartProcessing(StartProcessing {});
    let mut done = change::submit(&app, &visitor, case, &form, command).await;
    if matches!(done, Err(Failure::Stale { .. })) && taken(&app, &visitor, case).await? {
        done = Err(Failure::TakenByAnother);
    }
    end(&app, &visitor, case, form, done).await
}

async fn assign(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let (case, form) = match begin(&app, &visitor, (&id, ASSIGN), request).await? {
        Begun::Sent(case, form) => (case, form),
        Begun::Answered(response) => return Ok(response),
    };
    let done = match officer(&app, visitor.caller()?, &form).await? {
        Some(officer) => {
            change::submit(&app, &visitor, case, &form, CaseCommand::Assign(Assign { officer })).await
        }
        None => Err(Failure::Fields(vec![FieldError::new("/officer", Code::OfficerMissing)])),
    };
    end(&app, &visitor, case, form, done).await
}

/// Marks whose case it is as having protected identity, or takes the mark away.
async fn protect(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    axum::Form(mark): axum::Form<Mark>,
) -> Answer {
    let actor = &visitor.caller_for(Duty::CaseWork)?.actor;
    visitor.may_send()?;
    let standing = readable(&app, &visitor, &id).await?.standing();
    if may(actor, domain::access::Action::Protect, &standing) != Verdict::Allowed {
        return Err(Failure::Forbidden);
    }
    let back = format!("/arenden/{id}");
    // Nobody's case is about nobody.
    let Some(reporter) = standing.reporter else { return Ok(Redirect::to(&back).into_response()) };
    let protected = match mark.protected.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Failure::Syntax),
    };
    let position = app.protect(actor.person, reporter, protected).await?;
    Ok(cookies::done(&app, &visitor, position, &back))
}

/// An action whose form is a request of the API.
async fn act<R: ChangeRequest>(
    app: &App,
    visitor: &Visitor,
    place: (&str, &'static str),
    request: Request,
) -> Answer {
    match begin(app, visitor, place, request).await? {
        Begun::Sent(case, form) => {
            let done = change::run::<R>(app, visitor, case, &form).await;
            end(app, visitor, case, form, done).await
        }
        Begun::Answered(response) => Ok(response),
    }
}

/// Reads the form. Whoever must log in first finds it again; whoever only adds a file sees it again.
async fn begin(
    app: &App,
    visitor: &Visitor,
    (id, name): (&str, &'static str),
    request: Request,
) -> Result<Begun, Failure> {
    let case = CaseId::parse(id).ok_or(Failure::NotFound)?;
    let mut form = Form::read(app, visitor, name, request).await?;
    let may = form.sender(visitor).and_then(|_| visitor.caller_for(Duty::CaseWork));
    // A form without a version is that of a customer.
    if let Err(failure) = may.and_then(|_| form.version.ok_or(Failure::Syntax)) {
        let back = form_address(case, name);
        return Ok(Begun::Answered(not_sent(app, visitor, &mut form, &back, failure).await?));
    }
    if name == RECLASSIFY {
        // What was chosen before the area was changed is left out.
        let left_out = if form.value("area") == Area::Lon.code() { "system" } else { "subArea" };
        form.set(left_out, "");
    }
    if form.action() != Action::Send {
        return Ok(Begun::Answered(show_again(app, visitor, case, form, StatusCode::OK).await?));
    }
    Ok(Begun::Sent(case, form))
}

/// Answers: back to the case when it was done, the form again with what stands against it when it was not.
async fn end(
    app: &App,
    visitor: &Visitor,
    case: CaseId,
    mut form: Form,
    done: Result<Outcome, Failure>,
) -> Answer {
    let failure = match done {
        Ok(outcome) => return Ok(back(app, visitor, case, &form, outcome.position).await),
        Err(failure @ Failure::Forbidden) => {
            let back = form_address(case, form.id);
            return not_sent(app, visitor, &mut form, &back, failure).await;
        }
        Err(failure) => failure,
    };
    let language = visitor.language;
    let since = since(language, &failure);
    let status = match failure {
        Failure::Fields(errors) => {
            form.refuse(language, Failure::Fields(create_case::named(app, visitor, errors).await?))?
        }
        Failure::IdempotencyKeyReused => {
            // Somebody went back to a form that was done, and wrote something else in it.
            form.key = random::id();
            form.add_error("", Text::new(language, "officer-sent-before"));
            failure.status()
        }
        // Moved out of reach meanwhile: the page says so, and what was typed.
        Failure::NotFound => failure.status(),
        failure => form.refuse(language, failure)?,
    };
    if let Some(since) = since {
        form.add_error("", since);
    }
    show_again(app, visitor, case, form, status).await
}

async fn back(app: &App, visitor: &Visitor, case: CaseId, form: &Form, position: u64) -> Response {
    let owner = visitor.caller().ok().map(|caller| &caller.actor);
    if let Some(owner) = owner {
        form.forget(app, owner.person).await;
    }
    let area = (form.id == RECLASSIFY).then(|| Area::parse(form.value("area"))).flatten();
    let areas = owner.and_then(|owner| owner.areas.as_ref());
    let moved = area.is_some_and(|area| areas.is_some_and(|areas| !areas.contains(&area)));
    let address = if moved {
        "/handlaggare?done=moved".to_owned()
    } else {
        format!("/arenden/{case}?done={}", form.id)
    };
    cookies::done(app, visitor, position, &address)
}

/// What has happened since the page was opened, in words.
fn since(language: Language, failure: &Failure) -> Option<String> {
    let Failure::Stale { since, .. } = failure else { return None };
    let words = since.iter().map(|kind| Text::new(language, format!("event-{kind}")).to_string());
    let events = words.collect::<Vec<_>>().join(", ");
    Some(Text::new(language, "officer-since").with("events", events).to_string())
}

/// Whether another officer works on the case now.
async fn taken(app: &App, visitor: &Visitor, case: CaseId) -> Result<bool, Failure> {
    let me = visitor.caller()?.actor.person;
    newest(app).await?;
    let found = app.query(move |tables| case_page::by_id(tables, case)).await?;
    let work = found.map(|found| found.work());
    Ok(work.is_some_and(|(status, officer)| status == Status::InProcess && officer != Some(me)))
}

/// The officer that was chosen, if it is one. Whoever may not assign is refused by the committer, and not told.
async fn officer(app: &App, caller: &Caller, form: &Form) -> Result<Option<PersonId>, Failure> {
    let Some(id) = PersonId::parse(form.value("officer")) else { return Ok(None) };
    if !caller.actor.role.assigns() {
        return Ok(Some(id));
    }
    let person = app.query(move |tables| directory::person(tables, id)).await?;
    Ok(person.filter(|person| person.is_officer).map(|person| person.id))
}
