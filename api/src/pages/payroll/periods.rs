//! `/redaktion/tidplan`: every period of the payroll schedule, for who publishes it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;

use super::{Done, PeriodInWords, told};
use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, payroll};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/redaktion/tidplan", get(show))
}

#[derive(Template)]
#[template(path = "pages/payroll_periods.html")]
struct PeriodsPage {
    frame: Frame,
    /// The last first, each with whether it was withdrawn.
    periods: Vec<(Done, (PeriodInWords, bool))>,
    /// The period that comes next.
    next: String,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let language = visitor.language;
    let periods = payroll::periods(&app).await?;
    let next = periods.last().and_then(|last| last.days.next()).unwrap_or_default();
    let in_words = periods
        .iter()
        .rev()
        .map(|period| (period.by, (PeriodInWords::of(language, &period.days), period.withdrawn)));
    let periods = told(&app, (caller, language), in_words.collect()).await?;
    let frame = Frame::new(&app, &visitor, Text::new(language, "services-calendar")).await?;
    render(&PeriodsPage { frame, periods, next })
}
