//! `/valj-arbetsgivare`: one chooses the employer first (K1). The choice is remembered for sixty days and decides whose
//! login one meets, which areas there are and which cases are shown first.

use askama::Template;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::refusal::{Code, FieldError};
use domain::{Language, OrganisationNumber};
use projections::services::{self, Employer};
use serde::Deserialize;

use crate::pages::components::Choice;
use crate::pages::cookies::{self, EMPLOYER, EMPLOYER_DAYS};
use crate::pages::login::{self, login_address, onward, own_address};
use crate::pages::{Form, Frame, Visitor, render_with};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/valj-arbetsgivare", get(show).post(choose))
}

/// The address of the choice, from which one goes on to `back`.
pub fn choice_address(back: &str) -> String {
    login_address(back).replacen("/logga-in", "/valj-arbetsgivare", 1)
}

/// The name of an employer in a language.
pub fn name_of(employer: &Employer, language: Language) -> String {
    match language {
        Language::Sv => employer.name_sv.clone(),
        Language::En => employer.name_en.clone(),
    }
}

/// The employers of who is logged in, as far as we know them.
///
/// # Errors
/// When nobody is logged in, or the read models cannot be read.
pub async fn of_caller(app: &App, visitor: &Visitor) -> Result<Vec<Employer>, Failure> {
    let employers = app.query(services::employers).await?;
    let own = visitor.caller()?.actor.employers.as_ref();
    let is_own = |employer: &Employer| own.is_none_or(|own| own.contains(&employer.number));
    Ok(employers.into_iter().filter(is_own).collect())
}

/// That somebody chose another employer than the login is for, in words.
pub fn mismatch(visitor: &Visitor, chosen: Option<&str>, own: &[Employer]) -> Option<String> {
    let number = visitor.employer?;
    if own.is_empty() || own.iter().any(|employer| employer.number == number) {
        return None;
    }
    let language = visitor.language;
    let names: Vec<String> = own.iter().map(|employer| name_of(employer, language)).collect();
    let text = Text::new(language, "login-wrong_employer").with("employer", names.join(", "));
    Some(text.with("chosen", chosen.unwrap_or(number.as_str())).to_string())
}

#[derive(Template)]
#[template(path = "pages/employer.html")]
struct EmployerPage {
    frame: Frame,
    form: Form,
    employers: Vec<Choice>,
    back: String,
    /// What is said of a login that is over.
    over: Option<Text>,
}

#[derive(Deserialize)]
struct Back {
    #[serde(default)]
    till: String,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(back): Query<Back>,
) -> Result<Response, Failure> {
    let mut form = Form::new("employer").with("till", own_address(&back.till));
    if let Some(employer) = visitor.employer {
        form.set("employer", employer.as_str());
    }
    page(&app, &visitor, form, StatusCode::OK).await
}

async fn page(app: &App, visitor: &Visitor, form: Form, status: StatusCode) -> Result<Response, Failure> {
    let language = visitor.language;
    let frame = Frame::new(app, visitor, Text::new(language, "employer-title")).await?;
    let employers = app.query(services::employers).await?;
    let choice = |employer: &Employer| Choice::new(employer.number.as_str(), name_of(employer, language));
    let employers = employers.iter().map(choice).collect();
    let back = own_address(form.value("till")).to_owned();
    let frame = frame.with_error(!form.errors.is_empty());
    let over = login::over(visitor, &back);
    render_with(status, &EmployerPage { frame, form, employers, back, over })
}

async fn choose(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(&app, &visitor, "employer", request).await?;
    let known = match OrganisationNumber::parse(form.value("employer")) {
        Some(number) => app.query(move |tables| services::employer(tables, number)).await?,
        None => None,
    };
    let Some(employer) = known else {
        form.add_field_errors(visitor.language, &[FieldError::new("/employer", Code::EmployerMissing)]);
        return page(&app, &visitor, form, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let back = own_address(form.value("till"));
    let chosen = cookies::cookie(&app, cookies::name(&app, EMPLOYER), employer.number, Some(EMPLOYER_DAYS));
    let jar = visitor.jar.clone().add(chosen);
    // Who is logged in for other employers logs in anew, with the one that was chosen.
    let is_in = visitor.caller().is_ok_and(|caller| {
        let own = caller.actor.employers.as_ref().filter(|_| !app.providers.is_empty());
        own.is_none_or(|own| own.contains(&employer.number))
    });
    if is_in {
        return Ok((jar, Redirect::to(back)).into_response());
    }
    let page = onward::to_login(&app, &visitor, &login_address(back)).await?;
    Ok((jar, page).into_response())
}
