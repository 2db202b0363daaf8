//! `/arenden/{id}/mottaget`: the receipt of a new case. It can be kept as a bookmark and always shows the same.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use domain::calendar::{self, Opening};
use domain::reading::What;
use domain::vocabulary::Template as Mail;
use projections::CaseView;

use crate::pages::case::reply_target;
use crate::pages::{Frame, Visitor, case, render, settings};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/arenden/{id}/mottaget", get(show))
}

#[derive(Template)]
#[template(path = "pages/confirmation.html")]
struct ConfirmationPage {
    frame: Frame,
    view: CaseView,
    /// Where the receipt goes, to whose case it is, and whether a mail tells of the answer.
    email: Option<(String, bool)>,
    /// Whether the case came in today, while the centre was closed.
    closed_hours: bool,
    /// Until when an answer is aimed at, where that is said.
    target: Option<Text>,
}

async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let found = case::readable(&app, &visitor, &id).await?;
    let view = app.shown_to(visitor.caller()?, What::Case, found).await?;
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "confirm-title")).await?;
    let caller = visitor.caller()?;
    let own = view.standing().reporter.is_some_and(|reporter| caller.actor.identities.contains(&reporter));
    let (email, unwanted) = settings::mails(&app, caller).await?;
    let email = email.filter(|_| own).map(|email| (email, !unwanted.contains(&Mail::Closed)));
    let is_of_today = calendar::day(view.received_at) == calendar::day(app.clock.now());
    let closed_hours = is_of_today && calendar::opening(view.received_at) != Opening::Open;
    let target = reply_target::words(&app, visitor.language, (view.area, view.received_at));
    render(&ConfirmationPage { frame, view, email, closed_hours, target })
}
