//! `/tjanster/tidplan.ics`: the payroll calendar for people's own calendars (iCalendar, RFC 5545). The entries keep their
//! ids, so that who subscribes gets changes and no doubles.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Duration, NaiveDate, Utc};
use domain::{Language, calendar};
use icalendar::{Calendar, Component, DatePerhapsTime, Event, EventLike, EventStatus};
use projections::payroll_periods::PayrollPeriod;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::texts::Text;
use crate::{App, Failure, download, payroll};

/// How often a calendar looks for changes, hours.
const LOOK_HOURS: u32 = 24;
/// When the periods that ship with the program came about, seconds since 1970 UTC: 1 November 2026.
const SHIPPED: i64 = 1_793_491_200;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/tjanster/tidplan.ics", get(show))
}

#[derive(Deserialize)]
struct Wanted {
    /// The code of a language; Swedish where there is none.
    #[serde(default)]
    kod: String,
}

/// The periods whose pay day has not been, also those that were withdrawn.
///
/// # Errors
/// When the read models cannot be read.
pub(super) async fn coming(app: &App) -> Result<Vec<PayrollPeriod>, Failure> {
    let today = calendar::day(app.clock.now());
    let mut periods = payroll::periods(app).await?;
    periods.retain(|period| period.days.pay_day >= today);
    Ok(periods)
}

async fn show(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    asked: HeaderMap,
) -> Result<Response, Failure> {
    let language = Language::parse(&wanted.kod).unwrap_or(Language::Sv);
    let mut schedule = Calendar::new();
    schedule.name(&Text::new(language, "services-calendar").to_string());
    schedule.append_property(("METHOD", "PUBLISH"));
    schedule.append_property(("REFRESH-INTERVAL;VALUE=DURATION", format!("PT{LOOK_HOURS}H").as_str()));
    schedule.append_property(("X-PUBLISHED-TTL", format!("PT{LOOK_HOURS}H").as_str()));
    for period in coming(&app).await? {
        for entry in entries(language, &period) {
            schedule.push(entry);
        }
    }
    let text = schedule.to_string();
    let tag = format!("\"{}\"", hex::encode(Sha256::digest(&text)));
    // Programs ask every day; what they keep is asked about each time.
    let kept = [(header::CACHE_CONTROL, "no-cache"), (header::ETAG, &tag)];
    if download::known(&asked, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, kept).into_response());
    }
    let headers = [
        (header::CONTENT_TYPE, "text/calendar; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"tidplan.ics\""),
    ];
    Ok((kept, headers, text).into_response())
}

/// The four days of a period. Each tells which version of the period it is of, so that programs know what is newer.
fn entries(language: Language, PayrollPeriod { days, version, withdrawn, by }: &PayrollPeriod) -> [Event; 4] {
    let changed = by.map_or_else(|| DateTime::from_timestamp(SHIPPED, 0).unwrap_or_default(), |(at, _)| at);
    let whole_day = |day: NaiveDate| (DatePerhapsTime::from(day), day.succ_opt().unwrap_or(day).into());
    let half_an_hour = |at: DateTime<Utc>| (DatePerhapsTime::from(at - Duration::minutes(30)), at.into());
    let entries: [(&str, (DatePerhapsTime, DatePerhapsTime)); 4] = [
        ("documents", whole_day(days.documents)),
        ("approval", half_an_hour(days.approval)),
        ("run", whole_day(days.run)),
        ("pay-day", whole_day(days.pay_day)),
    ];
    entries.map(|(what, (from, until))| {
        let words = Text::new(language, "calendar-entry")
            .with("period", &days.period)
            .with("what", Text::new(language, format!("calendar-{what}")));
        let mut event = Event::new();
        event.uid(&format!("{}-{what}@tidplan.kundwebb", days.period)).timestamp(changed);
        event.last_modified(changed).sequence(u32::try_from(*version).unwrap_or(u32::MAX));
        event.summary(&words.to_string()).starts(from).ends(until);
        // Nobody is busy for it.
        event.append_property(("TRANSP", "TRANSPARENT"));
        event.status(if *withdrawn { EventStatus::Cancelled } else { EventStatus::Confirmed });
        event
    })
}
