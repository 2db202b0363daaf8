//! `/arenden/{id}/omdome`: whether a closed case was of help. Its reporter is asked once; the answer stands on the page
//! from then on.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::event::Opinion;
use domain::refusal::Code;
use domain::satisfaction::{Helped, is_asked};
use domain::text::Body;
use domain::{CaseId, Event, Sealed, StreamId};
use infrastructure::committer::{Append, Expected};
use projections::satisfaction::Given;

use super::{address, form_address, own, page};
use crate::app::Caller;
use crate::pages::components::Choice;
use crate::pages::form::{Action, not_sent};
use crate::pages::{Form, Frame, Visitor, cookies};
use crate::texts::Text;
use crate::{App, Failure};

/// The form.
pub(super) const FORM: &str = "opinion";

/// What was said of a case, in words.
pub struct Said {
    /// When, and whether it was of help.
    pub words: String,
    /// What was written; may be empty.
    pub text: String,
}

impl Said {
    /// What was given, in the reader's words.
    pub fn new(frame: &Frame, given: &Given) -> Self {
        let helped = frame.word("helped", given.helped);
        let words = frame.t("opinion-given").with("date", frame.moment(&given.at)).with("helped", helped);
        Self { words: words.to_string(), text: given.text.clone().unwrap_or_default() }
    }
}

/// The answers to choose among.
pub(super) fn choices(frame: &Frame) -> Vec<Choice> {
    Helped::ALL.iter().map(|helped| Choice::new(helped, frame.word("helped", helped))).collect()
}

pub(super) async fn give(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let case = CaseId::parse(&id).ok_or(Failure::NotFound)?;
    let mut form = Form::read(&app, &visitor, FORM, request).await?;
    let address_of_form = form_address(case, FORM);
    let caller = match form.sender(&visitor) {
        Ok(caller) => caller,
        Err(failure) => return not_sent(&app, &visitor, &mut form, &address_of_form, failure).await,
    };
    let (view, receipt) = match own(&app, &visitor, &id).await {
        Ok(own) => own,
        Err(failure) => return not_sent(&app, &visitor, &mut form, &address_of_form, failure).await,
    };
    let back = format!("{}#opinion", address(case));
    if !is_asked(view.closed_at, app.clock.now()) || form.action() == Action::Discard {
        form.forget(&app, caller.actor.person).await;
        return Ok(Redirect::to(&back).into_response());
    }
    let failure = match (said(&visitor, &mut form), form.ready()) {
        (Some(_), Err(limited)) => limited,
        (Some((helped, opinion)), Ok(())) => match tell(&app, caller, case, (helped, opinion)).await {
            Ok(position) => {
                form.forget(&app, caller.actor.person).await;
                return Ok(cookies::done(&app, &visitor, position, &back));
            }
            Err(failure) => failure,
        },
        (None, _) => Failure::Fields(Vec::new()),
    };
    let status = form.refuse(visitor.language, failure)?;
    page(&app, &visitor, (view, &receipt), form, status).await
}

/// What the form says; none where something is wrong, which then stands in it.
fn said(visitor: &Visitor, form: &mut Form) -> Option<(Helped, Opinion)> {
    let helped = Helped::parse(form.value("helped"));
    if helped.is_none() {
        form.add_error("helped", Text::new(visitor.language, "opinion-missing"));
    }
    let text = form.filled("text").map(|text| Body::parse(&text, "/text", Code::MessageMissing)).transpose();
    match text {
        Ok(text) => Some((helped?, Opinion { text })),
        Err(error) => {
            form.add_field_errors(visitor.language, &[error]);
            None
        }
    }
}

/// Tells what the reporter says of a case; what was said first holds. The stream follows from the case, and its key goes
/// when the case's does.
async fn tell(
    app: &App,
    caller: &Caller,
    case: CaseId,
    (helped, opinion): (Helped, Opinion),
) -> Result<u64, Failure> {
    let person = caller.actor.person;
    let append = Append {
        stream: StreamId(app.keys.derived_id("satisfaction", &[case.0.as_bytes()])),
        actor: person,
        employer: None,
        event: Event::SatisfactionGiven { case_id: case, helped, personal: Sealed::Open(opinion) },
        expected: Expected::New,
        upkeep: None,
    };
    let position = app.committer.append(append).await?;
    app.acknowledged(person, position);
    Ok(position)
}
