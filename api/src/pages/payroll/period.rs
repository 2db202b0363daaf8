//! `/redaktion/tidplan/{period}`: publishing the days of a period, anew or in place of others, and taking it out of the
//! schedule.

use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::Duty;
use domain::calendar::moment;
use domain::payroll_period::{Period, WrittenPeriod};
use domain::refusal::{Code, FieldError};
use domain::{Event, PersonId};
use infrastructure::committer::Expected;
use projections::payroll_periods::{self, PayrollPeriod};

use super::{Done, PeriodInWords, told};
use crate::pages::form::not_sent;
use crate::pages::{Form, Frame, Visitor, cookies, render_with};
use crate::texts::Text;
use crate::{App, Failure, payroll};

const LIST: &str = "/redaktion/tidplan";
const NEW: &str = "/redaktion/tidplan/ny";
/// What tells the fields of this form from others.
const FORM: &str = "payroll-period";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/redaktion/tidplan/ny", get(show_new).post(publish))
        .route("/redaktion/tidplan/{period}", get(show).post(change))
        .route("/redaktion/tidplan/{period}/dra-in", post(withdraw))
}

#[derive(Template)]
#[template(path = "pages/payroll_period.html")]
struct PeriodPage {
    frame: Frame,
    form: Form,
    /// Where the form is sent.
    address: String,
    /// The period that there is; none for a new one.
    shown: Option<(PeriodInWords, bool)>,
    /// What it was, newest first: when and by whom, the days, and whether it was withdrawn.
    history: Vec<(Done, (PeriodInWords, bool))>,
    /// The form by which it is taken out of the schedule, where it is in it.
    withdraw: Option<Form>,
}

fn address(period: &str) -> String {
    format!("/redaktion/tidplan/{period}")
}

/// The period of an address.
async fn known(app: &App, period: &str) -> Result<PayrollPeriod, Failure> {
    payroll::period(app, period).await?.ok_or(Failure::NotFound)
}

/// A form with the days of a period.
fn written(days: &Period) -> Form {
    Form::new(FORM)
        .with("period", &days.period)
        .with("documents", days.documents.to_string())
        .with("approval", moment(days.approval))
        .with("run", days.run.to_string())
        .with("payDay", days.pay_day.to_string())
}

async fn show_new(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let left = Form::left(&app, caller.actor.person, FORM, NEW).await?;
    let next = payroll::periods(&app).await?.last().and_then(|last| last.days.next());
    let usual = next.and_then(|next| Period::usual(&next));
    let form = left.unwrap_or_else(|| usual.as_ref().map_or_else(|| Form::new(FORM), written));
    page(&app, &visitor, None, form, StatusCode::OK).await
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(period): Path<String>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let now = known(&app, &period).await?;
    let left = Form::left(&app, caller.actor.person, FORM, &address(&period)).await?;
    let form = left.unwrap_or_else(|| written(&now.days));
    let form = form.now_on(visitor.language, now.version, "payroll-period-changed");
    page(&app, &visitor, Some(&now), form, StatusCode::OK).await
}

async fn publish(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Failure> {
    send(&app, &visitor, None, request).await
}

async fn change(
    State(app): State<App>,
    visitor: Visitor,
    Path(period): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    send(&app, &visitor, Some(&period), request).await
}

/// Publishes what was written.
async fn send(
    app: &App,
    visitor: &Visitor,
    period: Option<&str>,
    request: Request,
) -> Result<Response, Failure> {
    let mut form = Form::read(app, visitor, FORM, request).await?;
    let back = period.map_or_else(|| NEW.to_owned(), address);
    let person = match form.sender(visitor).and_then(|_| visitor.caller_for(Duty::Content)) {
        Ok(caller) => caller.actor.person,
        Err(failure) => return not_sent(app, visitor, &mut form, &back, failure).await,
    };
    if let Some(period) = period {
        known(app, period).await?;
        form.set("period", period);
    }
    let failure = match put(app, person, period.is_none(), &form).await {
        Ok(position) => {
            form.forget(app, person).await;
            let onward = period.map_or_else(|| LIST.to_owned(), address);
            return Ok(cookies::done(app, visitor, position, &onward));
        }
        Err(failure) => failure,
    };
    let status = form.refuse_changed(visitor.language, failure, "payroll-period-changed")?;
    let now = match period {
        Some(period) => Some(known(app, period).await?),
        None => None,
    };
    page(app, visitor, now.as_ref(), form, status).await
}

/// Publishes the days of a period unless they stand already, as when they were sent twice. The position comes back.
async fn put(app: &App, person: PersonId, is_new: bool, form: &Form) -> Result<u64, Failure> {
    let written = WrittenPeriod {
        period: form.value("period"),
        documents: form.value("documents"),
        approval: form.value("approval"),
        run: form.value("run"),
        pay_day: form.value("payDay"),
    };
    let days = written.read().map_err(Failure::Fields)?;
    form.ready()?;
    app.shown(person, None).await?;
    if let Some(now) = payroll::period(app, &days.period).await? {
        if !now.withdrawn && now.days == days {
            return Ok(app.read_models.position());
        }
        if is_new {
            let taken = FieldError::new("/period", Code::PeriodTaken).with("period", &days.period);
            return Err(Failure::Fields(vec![taken]));
        }
    }
    let expected = Expected::Version(form.version.filter(|_| !is_new).unwrap_or_default());
    let stream = payroll::period_stream(app, &days.period);
    Ok(app.append(person, stream, days.publish(), expected).await?)
}

async fn withdraw(
    State(app): State<App>,
    visitor: Visitor,
    Path(period): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let form = Form::read(&app, &visitor, "withdraw", request).await?;
    form.sender(&visitor)?;
    form.ready()?;
    let person = visitor.caller_for(Duty::Content)?.actor.person;
    let now = known(&app, &period).await?;
    match take_out(&app, person, now.days, form.version.ok_or(Failure::Syntax)?).await {
        Ok(position) => Ok(cookies::done(&app, &visitor, position, &address(&period))),
        // Changed meanwhile, or said twice: the page shows what stands there now.
        Err(Failure::Stale { .. }) => Ok(Redirect::to(&address(&period)).into_response()),
        Err(failure) => Err(failure),
    }
}

/// Takes a period out of the schedule. One that only ships with the program is published first, so that its days stay
/// known.
async fn take_out(app: &App, person: PersonId, days: Period, version: u64) -> Result<u64, Failure> {
    let stream = payroll::period_stream(app, &days.period);
    let mut version = version;
    if version == 0 {
        app.append(person, stream, days.publish(), Expected::Version(0)).await?;
        version = 1;
    }
    Ok(app.append(person, stream, Event::PayrollPeriodWithdrawn {}, Expected::Version(version)).await?)
}

async fn page(
    app: &App,
    visitor: &Visitor,
    now: Option<&PayrollPeriod>,
    form: Form,
    status: StatusCode,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let mut versions = Vec::new();
    if let Some(now) = now {
        let stream = payroll::period_stream(app, &now.days.period);
        versions = app.query(move |tables| payroll_periods::versions(tables, stream)).await?;
        versions.extend(payroll::shipped_period(&now.days.period));
    }
    let in_words = |period: &PayrollPeriod| (PeriodInWords::of(language, &period.days), period.withdrawn);
    let told_of = versions.iter().map(|period| (period.by, in_words(period))).collect();
    let history = told(app, (visitor.caller()?, language), told_of).await?;
    let title = match now {
        Some(now) => Text::new(language, "payroll-period-of").with("period", &now.days.period),
        None => Text::new(language, "payroll-period-new"),
    };
    let in_schedule = now.filter(|now| !now.withdrawn);
    let page = PeriodPage {
        frame: Frame::new(app, visitor, title).await?.with_error(!form.errors.is_empty()),
        form,
        address: now.map_or_else(|| NEW.to_owned(), |now| address(&now.days.period)),
        shown: now.map(in_words),
        history,
        withdraw: in_schedule.map(|now| Form::new("withdraw").on_version(now.version)),
    };
    render_with(status, &page)
}
