//! `/installningar`: language, mails, address, and the systems whose notices come by mail.

use askama::Template;
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::CookieJar;
use domain::settings::{OPTIONAL_MAILS, WrittenSettings};
use domain::vocabulary::Template as Mail;
use domain::{Language, PersonId, StreamId, vocabulary};
use infrastructure::committer::Expected;
use projections::settings::{self, Settings};
use serde::Deserialize;

use crate::app::Caller;
use crate::pages::components::Choice;
use crate::pages::cookies::{LANGUAGE, LANGUAGE_DAYS};
use crate::pages::form::log_in_again;
use crate::pages::service_status::systems;
use crate::pages::{Form, Frame, Visitor, cookies, render_with};
use crate::texts::Text;
use crate::{App, Failure};

const ADDRESS: &str = "/installningar";
/// What tells the fields of this form from others.
const FORM: &str = "settings";

pub(super) fn routes() -> Router<App> {
    Router::new().route(ADDRESS, get(show).post(choose))
}

#[derive(Template)]
#[template(path = "pages/settings.html")]
struct SettingsPage {
    frame: Frame,
    form: Form,
    /// Whether they were kept just now.
    kept: bool,
    /// The address that the login says.
    own_email: Option<String>,
    languages: Vec<Choice>,
    mails: Vec<Choice>,
    systems: Vec<Choice>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Done {
    done: String,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(done): Query<Done>,
) -> Result<Response, Failure> {
    let person = visitor.caller()?.actor.person;
    visitor.shown(&app).await?;
    let form = match Form::left(&app, person, FORM, ADDRESS).await? {
        Some(left) => left,
        None => filled(&app.query(move |tables| settings::of(tables, person)).await?),
    };
    page(&app, &visitor, form, !done.done.is_empty(), StatusCode::OK).await
}

async fn choose(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    let mut form = Form::read(&app, &visitor, FORM, request).await?;
    let person = match form.sender(&visitor) {
        Ok(caller) => caller.actor.person,
        Err(Failure::Unauthorized) => return log_in_again(&app, &visitor, &mut form, ADDRESS).await,
        Err(failure) => return Err(failure),
    };
    match keep(&app, person, &form).await {
        Ok(position) => {
            form.forget(&app, person).await;
            let jar = cookies::told(&app, visitor.jar.clone(), position);
            let jar = in_language(&app, jar, Language::parse(form.value("language")));
            Ok((jar, Redirect::to("/installningar?done=yes")).into_response())
        }
        Err(failure) => {
            let status = form.refuse(visitor.language, failure)?;
            page(&app, &visitor, form, false, status).await
        }
    }
}

async fn keep(app: &App, person: PersonId, form: &Form) -> Result<u64, Failure> {
    let chosen = |name: &str| form.chosen(name, "yes");
    let mails = OPTIONAL_MAILS.into_iter().filter(|mail| chosen(&format!("mail-{mail}")));
    let followed = systems().map(|(code, _)| code).filter(|code| chosen(&format!("notice-{code}")));
    let written = WrittenSettings {
        language: form.value("language"),
        mails: mails.collect(),
        notices: followed.collect(),
        email: form.value("email"),
    };
    let event = written.choose().map_err(Failure::Fields)?;
    form.ready()?;
    app.append(person, StreamId::from(person), event, Expected::Any).await.map_err(Failure::from)
}

/// The form with what has been chosen.
fn filled(chosen: &Settings) -> Form {
    let language = chosen.language.map_or("", Language::code);
    let mut form =
        Form::new(FORM).with("language", language).with("email", chosen.email.clone().unwrap_or_default());
    for mail in OPTIONAL_MAILS.iter().filter(|mail| !chosen.without_mails.contains(mail)) {
        form.set(&format!("mail-{mail}"), "yes");
    }
    for system in &chosen.notices {
        form.set(&format!("notice-{system}"), "yes");
    }
    form
}

/// The cookies of a browser whose reader has chosen a language.
fn in_language(app: &App, jar: CookieJar, language: Option<Language>) -> CookieJar {
    match language {
        Some(language) => {
            jar.add(cookies::cookie(app, cookies::name(app, LANGUAGE), language, Some(LANGUAGE_DAYS)))
        }
        None => jar,
    }
}

/// The cookies of a browser in which a person logs in: in the language that the person has chosen.
pub(super) async fn at_login(app: &App, jar: CookieJar, person: PersonId) -> CookieJar {
    let chosen = app.query(move |tables| settings::of(tables, person)).await;
    in_language(app, jar, chosen.ok().and_then(|chosen| chosen.language))
}

async fn page(
    app: &App,
    visitor: &Visitor,
    form: Form,
    kept: bool,
    status: StatusCode,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let own = |code: &Language| Choice::new(code, Text::new(*code, format!("language-{code}")));
    let none = Choice::new("", Text::new(language, "settings-language-none"))
        .with_hint(Text::new(language, "settings-language-none-hint"));
    let mail =
        |mail: vocabulary::Template| Choice::new(mail, Text::new(language, format!("settings-mail-{mail}")));
    let frame = Frame::new(app, visitor, Text::new(language, "settings-title")).await?;
    let page = SettingsPage {
        frame: frame.with_error(!form.errors.is_empty()),
        kept,
        own_email: visitor.caller()?.identity.email.clone(),
        languages: Language::ALL.iter().map(own).chain([none]).collect(),
        mails: OPTIONAL_MAILS.into_iter().map(mail).collect(),
        systems: systems().map(|(code, name)| Choice::new(code, name)).collect(),
        form,
    };
    render_with(status, &page)
}

impl SettingsPage {
    /// The name of the field of a choice.
    fn named(&self, list: &str, choice: &Choice) -> String {
        format!("{list}-{}", choice.value)
    }
}

/// Where a caller's mails go, and which of them are not wanted.
pub(super) async fn mails(app: &App, caller: &Caller) -> Result<(Option<String>, Vec<Mail>), Failure> {
    let person = caller.actor.person;
    let chosen = app.query(move |tables| settings::of(tables, person)).await?;
    Ok((chosen.email.or_else(|| caller.identity.email.clone()), chosen.without_mails))
}
