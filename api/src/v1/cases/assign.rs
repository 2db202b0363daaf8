//! `/cases/{caseId}/assign`: a case is given to an officer.

use axum::extract::State;
use axum::response::Response;
use domain::case::commands::Assign;
use domain::refusal::{Code, FieldError};
use domain::{CaseCommand, PersonId};
use projections::directory;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Caller;
use crate::requests::AssignRequest;
use crate::v1::cases::case::CasePath;
use crate::v1::command::{Incoming, Stop, Tag, settle};
use crate::v1::outcome::OutcomeBody;
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(assign))
}

/// Assign a case.
///
/// Gives the case to an officer who has been seen here before, by login; also takes it over from another.
#[utoipa::path(
    post,
    path = "/cases/{caseId}/assign",
    tag = "commands",
    params(CasePath),
    request_body(content = AssignRequest, content_type = "application/json"),
    responses((status = 200, description = "It is done.", body = OutcomeBody, headers(("ETag", description = "The version of the case."))))
)]
async fn assign(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    let (pending, mut fields) = incoming.begin(Tag::Version)?;
    let login = AssignRequest::read(&mut fields).officer.unwrap_or_default();
    let officer = officer(&app, pending.caller(), login.trim()).await?;
    let officer = officer.ok_or_else(|| vec![FieldError::new("/officer", Code::OfficerMissing)]);
    let command = settle(fields, Ok(Vec::new()), |_| officer.map(|officer| Assign { officer }))?;
    pending.run(&app, CaseCommand::Assign(command)).await
}

/// An officer by login. Whoever may not assign is refused by the committer, and not told who is an officer.
async fn officer(app: &App, caller: &Caller, login: &str) -> Result<Option<PersonId>, Failure> {
    let id = app.keys.login(login);
    if !caller.actor.role.assigns() {
        return Ok((!login.is_empty()).then_some(id));
    }
    let person = app.query(move |tables| directory::person(tables, id)).await?;
    Ok(person.filter(|person| person.is_officer).map(|person| person.id))
}
