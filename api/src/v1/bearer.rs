//! Who calls the API: the bearer of a token.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::vocabulary::Language;
use infrastructure::tokens::Identity;

use crate::app::Caller;
use crate::texts::accepted_language;
use crate::v1::headers::read_after;
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
        let identity = identity(parts, app)?;
        // Who only reads need not be recorded, so that reading goes on while the log cannot be written.
        let caller =
            if parts.method.is_safe() { app.reader(identity).await? } else { app.writer(identity).await? };
        Ok(Self(caller))
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let identity = identity(parts, app)?;
        let after = read_after(&parts.headers)?;
        // Before it is asked who calls: a call that another node has registered may have been theirs.
        app.shown_position(after.unwrap_or_default()).await?;
        let caller = app.reader(identity).await?;
        app.shown(caller.actor.person, after).await?;
        Ok(Self { caller, language: accepted_language(&parts.headers) })
    }
}

/// Whom a token names.
fn identity(parts: &Parts, app: &App) -> Result<Identity, Failure> {
    let token = token(&parts.headers).ok_or(Failure::Unauthorized)?;
    app.tokens.check(token, app.clock.now()).map_err(|error| {
        tracing::debug!(%error, "a token was not accepted");
        Failure::Unauthorized
    })
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let only = values.next().is_none();
    (only && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}
