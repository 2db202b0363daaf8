//! `/arenden/{id}/meddelande`: the customer writes more or attaches more files, while the case is open.

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::{Action as Deed, Duty, Verdict, may};
use domain::case::commands::Attach;
use domain::{CaseCommand, CaseId};
use infrastructure::{Outcome, Receipt};
use projections::CaseView;

use super::{address, form_address, page, shown};
use crate::pages::form::{Action, not_sent};
use crate::pages::{Form, Visitor, change, cookies, officer_case};
use crate::requests::AddMessageRequest;
use crate::texts::Text;
use crate::{App, Failure};

pub(super) async fn send(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    if visitor.may(Duty::CaseWork) {
        return officer_case::message(&app, &visitor, &id, request).await;
    }
    let case = CaseId::parse(&id).ok_or(Failure::NotFound)?;
    let mut form = Form::read(&app, &visitor, "message", request).await?;
    let back = form_address(case, "message");
    let caller = match form.sender(&visitor) {
        Ok(caller) => caller,
        Err(failure) => return not_sent(&app, &visitor, &mut form, &back, failure).await,
    };
    let failure = match form.action() {
        Action::Send if is_empty(&form) => {
            // A file that was refused says so itself.
            if form.errors.is_empty() {
                form.add_error("text", Text::new(visitor.language, "case-add-missing"));
            }
            Failure::Fields(Vec::new())
        }
        Action::Send => match add(&app, &visitor, case, &form).await {
            Ok(outcome) => {
                form.forget(&app, caller.actor.person).await;
                let done = if has_files_alone(&form) { "files" } else { "message" };
                let onward = format!("{}?done={done}", address(case));
                return Ok(cookies::done(&app, &visitor, outcome.position, &onward));
            }
            Err(failure @ (Failure::Forbidden | Failure::NotFound)) => {
                return not_sent(&app, &visitor, &mut form, &back, failure).await;
            }
            Err(failure) => failure,
        },
        Action::Discard => {
            form.forget(&app, caller.actor.person).await;
            return Ok(Redirect::to(&format!("{}?done=discarded", address(case))).into_response());
        }
        _ if !form.errors.is_empty() => Failure::Fields(Vec::new()),
        action => {
            let (view, receipt) = match writable(&app, &visitor, &id).await {
                Ok(found) => found,
                Err(failure) => return not_sent(&app, &visitor, &mut form, &back, failure).await,
            };
            let mut status = StatusCode::OK;
            if action == Action::SaveDraft
                && let Err(failure) = form.keep(&app, caller, (&back, &change::path(case, &form))).await
            {
                status = form.refuse(visitor.language, failure)?;
            }
            return page(&app, &visitor, (view, &receipt), form, status).await;
        }
    };
    let status = if failure == Failure::IdempotencyKeyReused {
        // Another window has sent something else of the same draft.
        form.begin_anew(&app, caller.actor.person, (visitor.language, &back)).await?;
        form.add_error("", Text::new(visitor.language, "officer-sent-before"));
        failure.status()
    } else {
        if matches!(failure, Failure::WrongPhase(_)) {
            // It waits for a case of its own; the page says so only where it is so.
            let _ = form.keep(&app, caller, (&back, &change::path(case, &form))).await;
        }
        form.refuse_files(&app, visitor.language, failure).await?
    };
    let (view, receipt) = shown(&app, &visitor, &id).await?;
    page(&app, &visitor, (view, &receipt), form, status).await
}

/// Adds what was written, with its files, or files alone.
async fn add(app: &App, visitor: &Visitor, case: CaseId, form: &Form) -> Result<Outcome, Failure> {
    if has_files_alone(form) {
        let files = CaseCommand::Attach(Attach { files: form.uploaded() });
        return change::submit(app, visitor, case, form, files).await;
    }
    change::run::<AddMessageRequest>(app, visitor, case, form).await
}

fn is_empty(form: &Form) -> bool {
    form.value("text").trim().is_empty() && form.files.is_empty()
}

fn has_files_alone(form: &Form) -> bool {
    form.value("text").trim().is_empty() && !form.files.is_empty()
}

/// A case in which the visitor may write.
async fn writable(app: &App, visitor: &Visitor, id: &str) -> Result<(CaseView, Receipt), Failure> {
    let (view, receipt) = shown(app, visitor, id).await?;
    match may(&visitor.caller()?.actor, Deed::AddMessage, &view.standing()) {
        Verdict::Allowed => Ok((view, receipt)),
        Verdict::Forbidden | Verdict::Unknown => Err(Failure::Forbidden),
    }
}
