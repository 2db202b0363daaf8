//! `/session`: for the script of the pages, how long the login lasts (GET, which is no use of it), and going on (POST).

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router, middleware};
use axum_extra::extract::CookieJar;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tower_http::csrf::CsrfLayer;

use crate::app::sessions::Session;
use crate::app::sessions::ends::Ends;
use crate::pages::cookies;
use crate::{App, Failure, failure};

/// The route, which stands outside of the pages: a visit of a page is a use of the login.
pub(super) fn routes(app: &App) -> Router<App> {
    Router::new()
        .route("/session", get(left).post(go_on))
        .layer(middleware::from_fn_with_state(app.clone(), failure::guard))
        .layer(CsrfLayer::new().with_rejection_response(|_| Failure::Forbidden.into_response()))
}

/// How long a login lasts.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Left {
    /// If nothing is done, seconds; 0 where nobody is logged in.
    pub unused: i64,
    /// However much is done, seconds.
    pub anyway: i64,
    /// When that is, whichever comes first.
    #[serde(skip)]
    pub until: Option<DateTime<Utc>>,
}

impl Left {
    /// What is left at a moment.
    pub fn of(ends: Ends, now: DateTime<Utc>) -> Self {
        let left = |end: i64| end.saturating_sub(now.timestamp()).max(0);
        let until = DateTime::from_timestamp(ends.first(), 0);
        Self { unused: left(ends.unused), anyway: left(ends.anyway), until }
    }
}

/// The cookie of the session, and the session, where nobody has ended it.
struct Own(Option<(String, Session)>);

impl FromRequestParts<App> for Own {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Some(cookie) = jar.get(&cookies::session_name(app)) else { return Ok(Self(None)) };
        let cookie = cookie.value().to_owned();
        let session = app.session(&cookie).await?;
        Ok(Self(session.filter(|session| !app.is_over(session)).map(|session| (cookie, session))))
    }
}

async fn left(State(app): State<App>, Own(own): Own) -> Json<Left> {
    told(&app, own.map(|(_, session)| session).as_ref())
}

async fn go_on(State(app): State<App>, Own(own): Own, _: Request) -> Json<Left> {
    let Some((cookie, mut session)) = own else { return told(&app, None) };
    app.renew_session(&cookie, &mut session).await;
    told(&app, Some(&session))
}

fn told(app: &App, session: Option<&Session>) -> Json<Left> {
    let none = Left { unused: 0, anyway: 0, until: None };
    Json(session.map_or(none, |session| Left::of(app.ends(session), app.clock.now())))
}
