//! `/tjanster/tidplan.ics`: the payroll calendar for people's own calendars (iCalendar, RFC 5545). The entries keep their
//! ids, so that who subscribes gets changes and no doubles.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use domain::{Language, calendar};
use icalendar::{Calendar, Component, DatePerhapsTime, Event, EventLike};
use serde::Deserialize;

use super::payroll::{self, Period};
use crate::App;
use crate::texts::Text;

/// How often a calendar looks for changes, hours.
const LOOK_HOURS: u32 = 24;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/tjanster/tidplan.ics", get(show))
}

#[derive(Deserialize)]
struct Wanted {
    /// The code of a language; Swedish where there is none.
    #[serde(default)]
    kod: String,
}

async fn show(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    let language = Language::parse(&wanted.kod).unwrap_or(Language::Sv);
    let now = app.clock.now();
    let mut schedule = Calendar::new();
    schedule.name(&Text::new(language, "services-calendar").to_string());
    schedule.append_property(("REFRESH-INTERVAL;VALUE=DURATION", format!("PT{LOOK_HOURS}H").as_str()));
    schedule.append_property(("X-PUBLISHED-TTL", format!("PT{LOOK_HOURS}H").as_str()));
    for period in payroll::coming(calendar::day(now)) {
        for entry in entries(language, &period, now) {
            schedule.push(entry);
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tidplan.ics\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, schedule.to_string()).into_response()
}

/// The four days of a period.
fn entries(language: Language, period: &Period, now: DateTime<Utc>) -> Vec<Event> {
    let whole_day = |day: NaiveDate| (DatePerhapsTime::from(day), day.succ_opt().unwrap_or(day).into());
    let approval = calendar::parse_moment(&period.last_attest())
        .map(|at| (DatePerhapsTime::from(at - Duration::minutes(30)), DatePerhapsTime::from(at)));
    let days = [
        ("documents", Some(whole_day(period.last_day_underlag))),
        ("approval", approval),
        ("run", Some(whole_day(period.payroll_run))),
        ("pay-day", Some(whole_day(period.pay_day))),
    ];
    let entry = |(what, times): (&str, Option<(DatePerhapsTime, DatePerhapsTime)>)| {
        let (from, until) = times?;
        let words = Text::new(language, "calendar-entry")
            .with("period", &period.period)
            .with("what", Text::new(language, format!("calendar-{what}")));
        let mut event = Event::new();
        event.uid(&format!("{}-{what}@tidplan.kundwebb", period.period)).timestamp(now);
        event.summary(&words.to_string()).starts(from).ends(until);
        // Nobody is busy for it.
        event.append_property(("TRANSP", "TRANSPARENT"));
        Some(event)
    };
    days.into_iter().filter_map(entry).collect()
}
