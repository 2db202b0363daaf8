//! Who visits a page: language, chosen employer, session, and what the visitor has been told of.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use domain::access::{Duty, Role};
use domain::vocabulary::Language;
use domain::{OrganisationNumber, PersonId};

use crate::app::Caller;
use crate::app::sessions::Session;
use crate::app::sessions::ends::Ends;
use crate::pages::cookies;
use crate::trace::Trace;
use crate::{App, Failure};

/// A visitor. Whoever is logged in has a caller; an expired session still tells whose form it was.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The language of the pages.
    pub language: Language,
    /// The employer chosen in this browser (K1).
    pub employer: Option<OrganisationNumber>,
    /// Who is logged in, or why that cannot be told.
    caller: Result<Caller, Failure>,
    /// Why a form that is sent is not taken, where it comes too soon after others.
    pub limited: Option<Failure>,
    /// Whose session it was, where it is over.
    pub expired: Option<PersonId>,
    /// The other roles that the visitor may change to.
    pub other_roles: Vec<Role>,
    /// The role that it was in.
    pub was: Option<Role>,
    /// Whether it is over because its time has passed.
    pub timed_out: bool,
    /// When the session ends.
    pub ends: Option<Ends>,
    /// The position that this browser was told of.
    told: Option<u64>,
    /// The cookies.
    pub jar: CookieJar,
    /// Path and query of the request, to come back to.
    pub address: String,
    /// The trace of the request.
    pub trace: Trace,
}

impl Visitor {
    /// Who is logged in.
    ///
    /// # Errors
    /// [`Failure::Unauthorized`], on which the pages lead to the login; or why it cannot be told.
    pub fn caller(&self) -> Result<&Caller, Failure> {
        self.caller.as_ref().map_err(Clone::clone)
    }

    /// Who is logged in in a role that does this.
    ///
    /// # Errors
    /// As [`Visitor::caller`]; [`Failure::Forbidden`] in another role.
    pub fn caller_for(&self, duty: Duty) -> Result<&Caller, Failure> {
        let caller = self.caller()?;
        if caller.actor.role.may(duty) { Ok(caller) } else { Err(Failure::Forbidden) }
    }

    /// The same visitor, who has logged out.
    #[must_use]
    pub fn logged_out(self) -> Self {
        Self { caller: Err(Failure::Unauthorized), ends: None, ..self }
    }

    /// Who fills in a form: who is logged in, or was until the session ended.
    pub fn owner(&self) -> Option<PersonId> {
        self.caller.as_ref().map(|caller| caller.actor.person).ok().or(self.expired)
    }

    /// That a form may be sent.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub fn may_send(&self) -> Result<(), Failure> {
        self.limited.clone().map_or(Ok(()), Err)
    }

    /// The role of who is logged in.
    pub fn role(&self) -> Option<Role> {
        self.caller.as_ref().ok().map(|caller| caller.actor.role)
    }

    /// Whether somebody is logged in in a role that does this.
    pub fn may(&self, duty: Duty) -> bool {
        self.role().is_some_and(|role| role.may(duty))
    }

    /// Waits until the read models show what this visitor was told of, here or by another node.
    ///
    /// # Errors
    /// [`Failure::NotShown`] when that takes too long.
    pub async fn shown(&self, app: &App) -> Result<(), Failure> {
        // A position beyond the log is a cookie from another installation.
        if let Some(told) = self.told.filter(|told| *told > app.read_models.position())
            && told <= app.log.head().await?.position
        {
            app.shown_position(told).await?;
        }
        if let Ok(caller) = &self.caller {
            app.shown(caller.actor.person, None).await?;
        }
        Ok(())
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let jar = CookieJar::from_headers(&parts.headers);
        let value = |name| jar.get(&cookies::name(app, name)).map(|cookie| cookie.value().to_owned());
        let session = session(app, value(cookies::SESSION)).await;
        let ended = session.as_ref().ok().and_then(Option::as_ref).filter(|session| app.is_over(session));
        let was = ended.map(|session| session.identity.role);
        let timed_out = ended.is_some_and(|session| session.expires > 0);
        let ends = session.as_ref().ok().and_then(Option::as_ref).map(|session| app.ends(session));
        let other_roles = match &session {
            Ok(Some(session)) => session.others.iter().map(|other| other.role).collect(),
            _ => Vec::new(),
        };
        let (caller, expired) = match session {
            Ok(Some(session)) if app.is_over(&session) => {
                (Err(Failure::Unauthorized), Some(app.person_of(&session)))
            }
            Ok(Some(session)) if parts.method.is_safe() => {
                (app.reader(session.identity).await.map_err(Failure::from), None)
            }
            Ok(Some(session)) => (app.caller(session.identity).await.map_err(Failure::from), None),
            Ok(None) => (Err(Failure::Unauthorized), None),
            Err(failure) => (Err(failure), None),
        };
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Ok(Self {
            language: value(cookies::LANGUAGE)
                .and_then(|code| Language::parse(&code))
                .unwrap_or(Language::Sv),
            employer: value(cookies::EMPLOYER).and_then(|number| OrganisationNumber::parse(&number)),
            told: value(cookies::POSITION).and_then(|position| position.parse().ok()),
            address: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
            limited: None,
            trace: parts.extensions.get::<Trace>().copied().unwrap_or_else(Trace::begin),
            ends: ends.filter(|_| caller.is_ok()),
            caller,
            expired,
            other_roles,
            was,
            timed_out,
            jar,
        })
    }
}

/// The session of a cookie, which is used by this.
async fn session(app: &App, cookie: Option<String>) -> Result<Option<Session>, Failure> {
    let Some(cookie) = cookie else { return Ok(None) };
    let mut session = app.session(&cookie).await?;
    if let Some(session) = &mut session {
        app.use_session(&cookie, session);
    }
    Ok(session)
}
