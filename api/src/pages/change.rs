//! A change of a case from a form: the same request, parsed by the same code, as through the API.

use domain::{CaseCommand, CaseId};
use infrastructure::Outcome;

use crate::app::Command;
use crate::fields::Fields;
use crate::pages::{Form, Visitor};
use crate::requests::ChangeRequest;
use crate::{App, Failure};

/// Does what a form asks of a case. The form's key makes sending it again the same change, and its version, where it
/// has one, makes sure that nobody else's work is overwritten. [`Form::refuse`] turns a failure into errors beside
/// the fields.
///
/// # Errors
/// [`Failure::Unauthorized`] when nobody is logged in; else what is wrong with the form or stands against the change.
pub async fn run<R: ChangeRequest>(
    app: &App,
    visitor: &Visitor,
    case: CaseId,
    form: &Form,
) -> Result<Outcome, Failure> {
    visitor.caller()?;
    let mut fields = Fields::new(form.as_json())?;
    let command = R::read(&mut fields).parse(form.uploaded())?;
    submit(app, visitor, case, form, command).await
}

/// What tells what a form asks of a case from what others do.
pub fn path(case: CaseId, form: &Form) -> String {
    format!("{case} {}", form.id)
}

/// As [`run`], for a command that is there already.
///
/// # Errors
/// As [`run`].
pub async fn submit(
    app: &App,
    visitor: &Visitor,
    case: CaseId,
    form: &Form,
    command: CaseCommand,
) -> Result<Outcome, Failure> {
    let caller = visitor.caller()?;
    form.ready()?;
    let path = path(case, form);
    let outcome = app
        .run(
            caller,
            Command {
                key: Some(form.key.to_string()),
                request: form.fingerprint(&path),
                correlation: visitor.trace.correlation(),
                case: Some(case),
                expected_version: form.version,
                command,
                see: Vec::new(),
                followed: None,
            },
        )
        .await?;
    Ok(outcome)
}
