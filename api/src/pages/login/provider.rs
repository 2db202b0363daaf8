//! The login at an identity provider: there, back with an answer, and in. Whatever goes wrong ends at the page that tells
//! whom to call (K2), never at a fault of the server; why, the log says.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::OrganisationNumber;
use infrastructure::tokens::Identity;
use projections::services;

use super::{Asked, first_page, login_address, over, own_address};
use crate::app::sessions::AtProvider;
use crate::identity::claims::Refused;
use crate::identity::login::{Answer, LONGEST, Wish};
use crate::identity::{Finished, LoginError, Pending};
use crate::pages::employer::{choice_address, name_of};
use crate::pages::failures::is_of_the_centre;
use crate::pages::{Frame, Visitor, cookies, render_with, settings};
use crate::texts::Text;
use crate::{App, Failure};

/// Where one is told whom to call.
const FAILED: &str = "/logga-in/fel";
/// What a login on its way is sealed for.
const PURPOSE: &str = "login";
/// Most logins on their way in one browser; more takes the older away.
const AT_ONCE: usize = 4;
/// Longest address to come back to, bytes: a cookie has little room.
const BACK_BYTES: usize = 1024;

/// Whom to call when one cannot log in (K2).
#[derive(Template)]
#[template(path = "pages/login_failed.html")]
struct LoginFailedPage {
    frame: Frame,
}

/// That the login is for another employer than the chosen one.
#[derive(Template)]
#[template(path = "pages/login_mismatch.html")]
struct MismatchPage {
    frame: Frame,
    words: String,
    back: String,
}

/// That the time of a login is over.
#[derive(Template)]
#[template(path = "pages/login_over.html")]
struct OverPage {
    frame: Frame,
    words: Text,
    onward: String,
}

/// Leads to the provider of the chosen employer; who has not chosen chooses first (K1).
pub(super) async fn begin(app: &App, visitor: &Visitor, asked: &Asked) -> Result<Response, Failure> {
    let back = Some(own_address(&asked.till)).filter(|back| back.len() <= BACK_BYTES).unwrap_or("/");
    let of_the_centre = !asked.centret.is_empty() || is_of_the_centre(visitor, back);
    let centre = app.providers.of(None).filter(|_| of_the_centre).map(|provider| (provider, None));
    if centre.is_none() && visitor.employer.is_none() && !app.providers.is_empty() {
        return Ok(Redirect::to(&choice_address(back)).into_response());
    }
    let own = || app.providers.of(visitor.employer).map(|provider| (provider, visitor.employer));
    let Some((provider, employer)) = centre.or_else(own) else {
        tracing::warn!("no identity provider serves the chosen employer");
        return Ok(Redirect::to(FAILED).into_response());
    };
    let (language, again) = (visitor.language, !asked.igen.is_empty());
    // Whoever is known there would be let in at once, and the time would be no limit.
    if let Some(words) =
        over(visitor, back).filter(|_| visitor.timed_out && asked.vidare.is_empty() && !again)
    {
        return time_is_over(app, visitor, asked, words).await;
    }
    match provider.begin(&Wish { back, employer, language, again }).await {
        Ok((address, pending)) => {
            let jar = with_pending(app, visitor.jar.clone(), &pending);
            Ok((jar, Redirect::to(&address)).into_response())
        }
        Err(error) => Ok(refuse(visitor.jar.clone(), &error)),
    }
}

/// Tells that the time of the login is over; from there one goes on to the provider.
async fn time_is_over(app: &App, visitor: &Visitor, asked: &Asked, words: Text) -> Result<Response, Failure> {
    let frame = Frame::new(app, visitor, Text::new(visitor.language, "login-title")).await?;
    let centre = if asked.centret.is_empty() { "" } else { "&centret=ja" };
    let onward = format!("{}{centre}&vidare=ja", login_address(own_address(&asked.till)));
    render_with(StatusCode::OK, &OverPage { frame, words, onward })
}

/// The provider's answer.
pub(super) async fn answer(
    State(app): State<App>,
    visitor: Visitor,
    answer: Result<Query<Answer>, QueryRejection>,
) -> Result<Response, Failure> {
    let answer = answer.map(|Query(answer)| answer).unwrap_or_default();
    let state = answer.state.as_deref().unwrap_or_default();
    let name = cookies::login_name(&app, state);
    let Some(pending) = opened(&app, &visitor.jar, &name, state) else {
        let error = LoginError::Foreign("this browser has begun no such login");
        return Ok(refuse(visitor.jar, &error));
    };
    // Once only, whatever comes of it.
    let jar = visitor.jar.clone().add(cookies::lasting(&app, name, "", Some(0)));
    let Some(provider) = app.providers.named(&pending.provider) else {
        return Ok(refuse(jar, &LoginError::Foreign("its provider is not configured any more")));
    };
    match provider.finish(&pending, &answer).await {
        Ok(finished) => let_in(&app, &visitor, jar, &pending, finished).await,
        // Nobody is let in by what a provider says of an employer that is not its own; but so it can be explained.
        Err(LoginError::Refused(Refused::OtherEmployer(named))) if pending.employer.is_some() => {
            let page = mismatch(&app, &visitor, &pending, &named).await?;
            Ok((jar, page).into_response())
        }
        Err(error) => Ok(refuse(jar, &error)),
    }
}

/// The page that tells whom to call.
pub(super) async fn failed(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "login-failed-title")).await?;
    render_with(StatusCode::FORBIDDEN, &LoginFailedPage { frame: frame.with_error(true) })
}

/// In which of the roles one begins: one at the chosen employer, else one at the centre. None when another employer was
/// chosen than one's own.
fn first_role(identities: &[Identity], chosen: Option<OrganisationNumber>) -> Option<usize> {
    let Some(chosen) = chosen else { return Some(0) };
    let there = |identity: &Identity| identity.employers.as_ref().is_some_and(|own| own.contains(&chosen));
    let of_the_centre = |identity: &Identity| !identity.role.is_customer();
    identities.iter().position(there).or_else(|| identities.iter().position(of_the_centre))
}

/// Begins the session, in place of the one that this browser may have.
async fn let_in(
    app: &App,
    visitor: &Visitor,
    mut jar: CookieJar,
    pending: &Pending,
    finished: Finished,
) -> Result<Response, Failure> {
    let Finished { mut identities, protected, id_token } = finished;
    let Some(place) = first_role(&identities, pending.employer) else {
        let own = identities.iter().find_map(|identity| identity.employers.as_deref()).unwrap_or_default();
        let page = mismatch(app, visitor, pending, own).await?;
        return Ok((jar, page).into_response());
    };
    let identity = identities.remove(place);
    let (role, person) = (identity.role, app.keys.pseudonym(identity.role, &identity.subject));
    // Who has one employer need not be asked for it.
    if let (None, Some([own])) = (pending.employer, identity.employers.as_deref()) {
        let name = cookies::name(app, cookies::EMPLOYER);
        jar = jar.add(cookies::cookie(app, name, *own, Some(cookies::EMPLOYER_DAYS)));
    }
    let name = cookies::session_name(app);
    let provider = id_token.map(|id_token| AtProvider { name: pending.provider.clone(), id_token });
    let session = async {
        if let Some(before) = visitor.jar.get(&name) {
            app.end_session(before.value()).await?;
        }
        if protected {
            app.protect_login(&identity).await?;
        }
        Ok::<_, Failure>(app.begin_session_as(identity, identities, provider).await?)
    };
    match session.await {
        Ok(session) => {
            let jar = jar.add(cookies::cookie(app, name, session, None));
            let jar = settings::at_login(app, jar, person).await;
            Ok((jar, Redirect::to(first_page(role, &pending.back))).into_response())
        }
        Err(error) => {
            tracing::error!(?error, "a session could not be begun");
            Ok((jar, Redirect::to(FAILED)).into_response())
        }
    }
}

/// Explains that the login is for another employer than the chosen one (K1).
async fn mismatch(
    app: &App,
    visitor: &Visitor,
    pending: &Pending,
    own: &[OrganisationNumber],
) -> Result<Response, Failure> {
    let language = visitor.language;
    let known = app.query(services::employers).await?;
    let name = |number| {
        let known = known.iter().find(|employer| employer.number == number);
        known.map_or_else(|| number.display(), |employer| name_of(employer, language))
    };
    let own: Vec<String> = own.iter().map(|number| name(*number)).collect();
    let chosen = pending.employer.map(name).unwrap_or_default();
    let words = Text::new(language, "login-wrong_employer").with("employer", own.join(", "));
    let words = words.with("chosen", chosen).to_string();
    let title = Text::new(language, "login-wrong_employer-title");
    // The address of this page answers to one login, once.
    let mut away = visitor.clone();
    away.address = "/".to_owned();
    let frame = Frame::new(app, &away, title).await?.with_error(true);
    let back = own_address(&pending.back).to_owned();
    render_with(StatusCode::FORBIDDEN, &MismatchPage { frame, words, back })
}

/// Leads to the page that tells whom to call, and tells the log why.
fn refuse(jar: CookieJar, error: &LoginError) -> Response {
    tracing::warn!(%error, "a login did not succeed");
    metrics::counter!("kundwebb_login_failures_total").increment(1);
    (jar, Redirect::to(FAILED)).into_response()
}

/// The jar with a login on its way.
fn with_pending(app: &App, mut jar: CookieJar, pending: &Pending) -> CookieJar {
    let others = cookies::logins(app, &jar);
    if others.len() >= AT_ONCE {
        for name in others {
            jar = jar.add(cookies::lasting(app, name, "", Some(0)));
        }
    }
    let plain = serde_json::to_vec(pending).unwrap_or_default();
    let sealed = app.keys.purpose(PURPOSE).seal(&plain, pending.state.as_bytes());
    let name = cookies::login_name(app, &pending.state);
    jar.add(cookies::lasting(app, name, URL_SAFE_NO_PAD.encode(sealed), Some(LONGEST.num_seconds())))
}

fn opened(app: &App, jar: &CookieJar, name: &str, state: &str) -> Option<Pending> {
    let sealed = URL_SAFE_NO_PAD.decode(jar.get(name)?.value()).ok()?;
    let plain = app.keys.purpose(PURPOSE).open(&sealed, state.as_bytes()).ok()?;
    serde_json::from_slice(&plain).ok()
}
