//! `/logga-ut`: out of this browser, or out of all of them; and out at the identity provider, where it offers that.

use askama::Template;
use axum::extract::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::onward;
use crate::pages::{Frame, Visitor, cookies, render};
use crate::texts::Text;
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "pages/logout.html")]
struct LogoutPage {
    frame: Frame,
}

/// That one is logged out here, and that it cannot be said at the identity provider now.
#[derive(Template)]
#[template(path = "pages/logout_away.html")]
struct AwayPage {
    frame: Frame,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wish {
    /// Whether it is all browsers that one logs out of.
    overallt: String,
}

/// The choice between this browser and all.
pub(super) async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    if visitor.caller().is_err() {
        return Ok(Redirect::to("/").into_response());
    }
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "logout-title")).await?;
    render(&LogoutPage { frame })
}

pub(super) async fn log_out(
    State(app): State<App>,
    visitor: Visitor,
    wish: Result<Form<Wish>, FormRejection>,
) -> Result<Response, Failure> {
    let start = Redirect::to("/?utloggad=ja").into_response();
    let Some(cookie) = visitor.jar.get(&cookies::session_name(&app)) else { return Ok(start) };
    let Some(session) = app.session(cookie.value()).await? else { return Ok(start) };
    let everywhere = wish.is_ok_and(|Form(wish)| !wish.overallt.is_empty());
    // A session that is over opens nothing, and so ends nothing but itself.
    if everywhere && !app.is_over(&session) {
        app.end_sessions(app.person_of(&session)).await?;
    }
    app.end_session(cookie.value()).await?;
    let Some(at) = &session.provider else { return Ok(start) };
    let Some(provider) = app.providers.named(&at.name) else { return Ok(start) };
    match provider.end_of_session(&at.id_token).await {
        Ok(Some(address)) => onward::page(&app, &visitor.logged_out(), "logout", &address).await,
        Ok(None) => Ok(start),
        Err(error) => {
            tracing::warn!(%error, "nobody can be logged out at the identity provider");
            let visitor = visitor.logged_out();
            let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "logout-title")).await?;
            render(&AwayPage { frame })
        }
    }
}
