//! `/handlaggare/telefonarende`: an officer registers a call for the person who made it. The case is that person's.

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::{Channel, Language, SubArea, System};

use super::areas;
use super::names::Names;
use crate::pages::components::Choice;
use crate::pages::form::{Action, files_hint, not_sent};
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
    /// Whether an officer can know what somebody logs in by: what an identity provider says, nobody can.
    logins_are_known: bool,
    form: Form,
    employers: Vec<Choice>,
    areas: Vec<Choice>,
    sub_areas: Vec<Choice>,
    systems: Vec<Choice>,
    languages: Vec<Choice>,
    files_hint: String,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::PhoneCases)?;
    let left = Form::left(&app, caller.actor.person, FORM, ADDRESS).await?;
    let form = left.unwrap_or_else(|| Form::new(FORM).with("language", Language::Sv.code()));
    render(&page(&app, &visitor, form).await?)
}

async fn send(State(app): State<App>, visitor: Visitor, body: Request) -> Result<Response, Failure> {
    let mut form = Form::read(&app, &visitor, FORM, body).await?;
    let caller = match form.sender(&visitor).and_then(|_| visitor.caller_for(Duty::PhoneCases)) {
        Ok(caller) => caller,
        Err(failure) => return not_sent(&app, &visitor, &mut form, ADDRESS, failure).await,
    };
    let mut status = StatusCode::OK;
    if form.action() == Action::Send {
        let asked = (ADDRESS, request(&form));
        match create_case::create(&app, &visitor, caller, &mut form, asked).await {
            Ok(outcome) => {
                form.forget(&app, caller.actor.person).await;
                let onward = format!("/arenden/{}?done=phone", outcome.id);
                return Ok(cookies::done(&app, &visitor, outcome.position, &onward));
            }
            Err(failure) => {
                status = form.refuse(visitor.language, failure)?;
                // In the order of the page: who called stands first.
                form.errors.sort_by_key(|error| !error.field.starts_with("reporter"));
            }
        }
    }
    render_with(status, &page(&app, &visitor, form).await?)
}

/// The same request as through the API.
fn request(form: &Form) -> CreateRequest {
    let reporter = ReporterRequest {
        subject: form.filled("reporter-subject"),
        name: form.filled("reporter-name"),
        email: form.filled("reporter-email"),
    };
    let channel = Some(Channel::Telefon.code().to_owned());
    CreateRequest { channel, reporter: Some(reporter), ..create_case::filled(form) }
}

async fn page(app: &App, visitor: &Visitor, form: Form) -> Result<PhonePage, Failure> {
    let language = visitor.language;
    let names = Names::load(app, language, &visitor.caller()?.actor, None, []).await?;
    let word = |list: &str, code: &str| Text::new(language, format!("{list}-{code}"));
    let choice = |list: &str, code: &str| Choice::new(code, word(list, code));
    let frame = Frame::new(app, visitor, Text::new(language, "phone-title")).await?;
    Ok(PhonePage {
        frame: frame.with_error(!form.errors.is_empty()),
        logins_are_known: app.providers.is_empty(),
        employers: names.employers.iter().map(|(number, name)| Choice::new(number, name)).collect(),
        areas: areas(language, visitor.caller()?),
        sub_areas: SubArea::ALL.iter().map(|code| choice("sub-area", code.code())).collect(),
        systems: System::ALL.iter().map(|system| choice("system", system.code())).collect(),
        languages: Language::ALL.iter().map(|code| choice("language", code.code())).collect(),
        files_hint: files_hint(language, app),
        form,
    })
}
