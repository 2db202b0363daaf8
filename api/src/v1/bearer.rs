//! Who calls the API: the bearer of a token.

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::scope::Scope;
use domain::vocabulary::Language;
use infrastructure::tokens::Identity;

use crate::app::Caller;
use crate::identity::machines::NotTaken;
use crate::texts::accepted_language;
use crate::v1::headers::read_after;
use crate::v1::scopes::needed;
use crate::{App, Failure};

/// The caller of a request, by the token in `Authorization`.
pub struct Bearer(pub Caller);

/// The caller of a query, once the read models show what the caller was told of or asks for with `Read-After`.
pub struct Reader {
    /// Who.
    pub caller: Caller,
    /// The language that the caller reads.
    pub language: Language,
}

impl FromRequestParts<App> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let identity = identity(parts, app).await?;
        // Who only reads need not be recorded, so that reading goes on while the log cannot be written.
        let caller =
            if parts.method.is_safe() { app.reader(identity).await? } else { app.writer(identity).await? };
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let identity = identity(parts, app).await?;
        let after = read_after(&parts.headers)?;
        // Before it is asked who calls: a call that another node has registered may have been theirs.
        app.shown_position(after.unwrap_or_default()).await?;
        let caller = app.reader(identity).await?;
        app.shown(caller.actor.person, after).await?;
        Ok(Self { caller, language: accepted_language(&parts.headers) })
    }
}

/// Who a token says is calling, and what it lets use; all where there is nothing.
#[derive(Clone, Debug)]
pub struct Known {
    /// Who.
    pub identity: Identity,
    /// What the token lets use.
    pub scopes: Option<Vec<Scope>>,
}

/// Whom a request comes from, told once for all who ask.
#[derive(Clone, Debug)]
pub struct Told(pub Result<Known, Failure>);

/// Whom a token names, if it lets use what is asked for.
async fn identity(parts: &Parts, app: &App) -> Result<Identity, Failure> {
    let told = match parts.extensions.get::<Told>() {
        Some(told) => told.0.clone(),
        None => known(&parts.headers, app).await,
    };
    let Known { identity, scopes } = told?;
    if let Some(scopes) = scopes {
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let needed = needed(parts.method.as_str(), path).ok_or(Failure::Forbidden)?;
        if !scopes.contains(&needed) {
            return Err(Failure::ScopeMissing(needed));
        }
    }
    Ok(identity)
}

/// Whom the token of a request names.
///
/// # Errors
/// [`Failure::Unauthorized`] without a token, [`Failure::TokenRefused`] with one that is not taken, and
/// [`Failure::IssuerAway`] where that cannot be told now.
pub async fn known(headers: &HeaderMap, app: &App) -> Result<Known, Failure> {
    let token = token(headers).ok_or(Failure::Unauthorized)?;
    let now = app.clock.now();
    if let Some(server) = app.machines.of(token) {
        let issuer = &server.settings.issuer;
        return match server.check(token, now).await {
            Ok(machine) => Ok(Known { identity: machine.identity, scopes: Some(machine.scopes) }),
            Err(NotTaken::Refused(reason)) => {
                tracing::info!(issuer, reason, "a token of an authorization server was not accepted");
                Err(Failure::TokenRefused)
            }
            Err(NotTaken::Away(reason)) => {
                tracing::warn!(issuer, reason, "whether a token is good cannot be told");
                Err(Failure::IssuerAway)
            }
        };
    }
    let verified = app.tokens.check(token, now).map_err(|error| {
        tracing::debug!(%error, "a token was not accepted");
        Failure::TokenRefused
    })?;
    if app.revoked.holds(&verified.id) {
        tracing::info!("a token that is revoked was not accepted");
        return Err(Failure::TokenRefused);
    }
    Ok(Known { identity: verified.identity, scopes: verified.scopes })
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let only = values.next().is_none();
    (only && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}
