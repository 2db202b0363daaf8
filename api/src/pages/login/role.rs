//! `/roll`: whoever has several roles chooses the one to work in.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::Role;
use serde::Deserialize;

use super::{first_page, own_address};
use crate::pages::{Frame, Visitor, cookies, render};
use crate::texts::Text;
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "pages/role.html")]
struct RolePage {
    frame: Frame,
    now: Text,
    roles: Vec<(&'static str, Text)>,
    /// Where one goes on to.
    next: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    roll: String,
    /// Where one goes on to.
    till: String,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Chosen>,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let word = |role: Role| Text::new(language, format!("role-{role}"));
    let role = visitor.caller()?.actor.role;
    let choice = |role: &Role| (role.code(), Text::new(language, "role-choose").with("role", word(*role)));
    render(&RolePage {
        frame: Frame::new(&app, &visitor, Text::new(language, "role-title")).await?,
        now: Text::new(language, "role-now").with("role", word(role)),
        roles: visitor.other_roles.iter().map(choice).collect(),
        next: own_address(&asked.till).to_owned(),
    })
}

pub(super) async fn change(
    State(app): State<App>,
    visitor: Visitor,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Failure> {
    visitor.caller()?;
    let role = Role::parse(&chosen.roll).ok_or(Failure::NotFound)?;
    let name = cookies::session_name(&app);
    let cookie = visitor.jar.get(&name).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
    let next = app.change_role(&cookie, role).await?.ok_or(Failure::Forbidden)?;
    let jar = visitor.jar.add(cookies::cookie(&app, name, next, None));
    Ok((jar, Redirect::to(first_page(role, &chosen.till))).into_response())
}
