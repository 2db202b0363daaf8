//! `/handlaggare/telefonarende`: an officer registers a call for the person who made it. The case is that person's.

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::access::Role;
use domain::{Area, CaseCommand, Channel, Language, SubArea, System};
use infrastructure::{Outcome, random};

use super::names::Names;
use super::{areas, files_hint};
use crate::app::{Caller, Command};
use crate::pages::components::Choice;
use crate::pages::form::{Action, log_in_again};
use crate::pages::{Form, Frame, Visitor, cookies, create_case, render, render_with};
use crate::requests::{CreateRequest, ReporterRequest};
use crate::texts::Text;
use crate::{App, Failure};

const ADDRESS: &str = "/handlaggare/telefonarende";
/// What tells the fields of this form from others.
const FORM: &str = "phone";

pub(super) fn routes() -> Router<App> {
    Router::new().route(ADDRESS, get(show).post(send))
}

#[derive(Template)]
#[template(path = "pages/officers_phone.html")]
struct PhonePage {
    frame: Frame,
    form: Form,
    employers: Vec<Choice>,
    areas: Vec<Choice>,
    sub_areas: Vec<Choice>,
    systems: Vec<Choice>,
    languages: Vec<Choice>,
    files_hint: String,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_as(&[Role::Officer])?;
    let left = Form::left(&app, caller.actor.person, FORM, ADDRESS).await?;
    let form = left.unwrap_or_else(|| Form::new(FORM).with("language", Language::Sv.code()));
    render(&page(&app, &visitor, form).await?)
}

async fn send(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    match visitor.caller_as(&[Role::Officer]) {
        Ok(_) | Err(Failure::Unauthorized) => {}
        Err(failure) => return Err(failure),
    }
    let mut form = Form::read(&app, &visitor, FORM, request).await?;
    let Ok(caller) = visitor.caller() else { return log_in_again(&app, &visitor, &mut form, ADDRESS).await };
    let mut status = StatusCode::OK;
    if form.action() == Action::Send {
        match register(&app, &visitor, caller, &mut form).await {
            Ok(outcome) => {
                form.forget(&app, caller.actor.person).await;
                let jar = cookies::told(&app, visitor.jar.clone(), outcome.position);
                let address = format!("/arenden/{}?done=phone", outcome.id);
                return Ok((jar, Redirect::to(&address)).into_response());
            }
            Err(failure) => status = form.refuse(visitor.language, failure)?,
        }
    }
    render_with(status, &page(&app, &visitor, form).await?)
}

/// Creates the case of the form; sending the form again is the same case.
async fn register(
    app: &App,
    visitor: &Visitor,
    caller: &Caller,
    form: &mut Form,
) -> Result<Outcome, Failure> {
    let parsed = request(form).parse(app, caller, form.uploaded(), Channel::Webb);
    let created = match parsed {
        Ok(created) if form.errors.is_empty() => created,
        // A file was refused while the form came in.
        Ok(_) => return Err(Failure::Fields(Vec::new())),
        Err(errors) => return Err(Failure::Fields(errors)),
    };
    let followed = match created.command.follows_up {
        Some(number) => app.case_of_number(number).await?,
        None => None,
    };
    let command = Command {
        key: Some(form.key.to_string()),
        request: form.fingerprint(ADDRESS),
        correlation: random::id(),
        case: None,
        expected_version: None,
        command: CaseCommand::Create(created.command),
        see: created.see.into_iter().collect(),
        followed,
    };
    match app.run(caller, command).await.map_err(Failure::from) {
        Err(Failure::Fields(errors)) => Err(Failure::Fields(create_case::named(app, visitor, errors).await?)),
        Err(Failure::IdempotencyKeyReused) => {
            Err(create_case::already_sent(app, visitor, caller, form).await?)
        }
        result => result,
    }
}

/// The same request as through the API. A sub-area or a system that was chosen before the area was changed is left
/// out.
fn request(form: &Form) -> CreateRequest {
    let is_payroll = form.value("area") == Area::Lon.code();
    CreateRequest {
        employer: form.filled("employer"),
        area: form.filled("area"),
        sub_area: form.filled("subArea").filter(|_| is_payroll),
        system: form.filled("system").filter(|_| !is_payroll),
        subject: form.filled("subject"),
        message: form.filled("message"),
        attachments: Vec::new(),
        language: form.filled("language"),
        follows_up: form.filled("followsUp"),
        channel: Some(Channel::Telefon.code().to_owned()),
        reporter: Some(ReporterRequest {
            subject: form.filled("reporter-subject"),
            name: form.filled("reporter-name"),
            email: form.filled("reporter-email"),
        }),
    }
}

async fn page(app: &App, visitor: &Visitor, form: Form) -> Result<PhonePage, Failure> {
    let language = visitor.language;
    let names = Names::load(app, language, []).await?;
    let word = |list: &str, code: &str| Text::new(language, format!("{list}-{code}"));
    let choice = |list: &str, code: &str| Choice::new(code, word(list, code));
    let frame = Frame::new(app, visitor, Text::new(language, "phone-title")).await?;
    Ok(PhonePage {
        frame: frame.with_error(!form.errors.is_empty()),
        employers: names.employers.iter().map(|(number, name)| Choice::new(number, name)).collect(),
        areas: areas(language, visitor.caller()?),
        sub_areas: SubArea::ALL.iter().map(|code| choice("sub-area", code.code())).collect(),
        systems: System::ALL.iter().map(|system| choice("system", system.code())).collect(),
        languages: Language::ALL.iter().map(|code| choice("language", code.code())).collect(),
        files_hint: files_hint(language, app),
        form,
    })
}
