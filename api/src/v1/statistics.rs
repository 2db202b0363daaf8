//! `/statistics`: how many cases stand where, what came in and was closed, and how long it took.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Days, NaiveDate};
use domain::access::Role;
use domain::calendar;
use projections::statistics;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::v1::bearer::Reader;
use crate::v1::cases::case::moment;
use crate::v1::personal;
use crate::v1::query::Parameters;
use crate::{App, Failure};

/// The period that is looked at when nothing is said, days.
const PERIOD_DAYS: u64 = 30;

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// The status dashboard.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// The end of the Swedish day for which `standing` is counted.
    pub as_of_date: NaiveDate,
    /// The first day of the period.
    pub from_date: NaiveDate,
    /// The last day of the period.
    pub to_date: NaiveDate,
    /// How many cases stand where.
    pub standing: Vec<StandingBody>,
    /// What came in and was closed on each day of the period on which something did; only `by` day.
    pub per_day: Vec<DayBody>,
    /// How long the cases took that were closed in the period.
    pub times: Vec<TimeBody>,
}

/// How many cases stand in a status, in an area, at an employer; what the counts are not grouped by is absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatisticsStanding)]
pub struct StandingBody {
    /// The status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub status: Option<String>,
    /// The area.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub area: Option<String>,
    /// Organisation number of the employer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub employer: Option<String>,
    /// How many.
    pub count: u64,
}

/// What happened on a Swedish day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatisticsDay)]
pub struct DayBody {
    /// The day.
    pub day: NaiveDate,
    /// Cases that came in.
    pub received: u64,
    /// Cases that were closed.
    pub closed: u64,
}

/// How long closed cases took in an area.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = StatisticsTime)]
pub struct TimeBody {
    /// The area.
    pub area: String,
    /// Cases that were closed.
    pub closed: u64,
    /// From received to closed, on average.
    pub mean_seconds: u64,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of what `Asked::read` reads")]
struct StatisticsQuery {
    /// A day, or a moment (RFC 3339) of it: the standing at the end of that Swedish day. When absent: now.
    #[param(required = false, rename = "asOf")]
    as_of: String,
    /// First day of the period; when absent the thirtieth before the last.
    #[param(required = false, format = Date)]
    from: String,
    /// Last day of the period; when absent that of `asOf`.
    #[param(required = false, format = Date)]
    to: String,
    /// What is grouped by: `status`, `area`, `employer` and `day`, with commas between; when absent, all that the caller may
    /// group by.
    #[param(required = false)]
    by: String,
}

/// What the counts can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Status,
    Area,
    Employer,
    Day,
}

/// Statistics as they are asked for.
struct Asked {
    as_of: NaiveDate,
    from: NaiveDate,
    to: NaiveDate,
    by: Vec<By>,
}

impl Asked {
    /// Where someone with protected identity works can be told by a difference: whoever must not know that groups by no
    /// employer.
    fn read(today: NaiveDate, role: Role, mut query: Parameters) -> Result<Self, Failure> {
        let as_of = query
            .one("asOf", |text| day(text).or_else(|| moment(text).map(calendar::day).filter(is_written)));
        let as_of = as_of.unwrap_or(today);
        let to = query.one("to", day).unwrap_or(as_of);
        let usual = to.checked_sub_days(Days::new(PERIOD_DAYS - 1)).unwrap_or(to);
        let from = query.one("from", day).unwrap_or(usual);
        if from > to {
            query.wrong("from");
        }
        let mut by = query.many("by", |code| match code {
            "status" => Some(By::Status),
            "area" => Some(By::Area),
            "employer" => Some(By::Employer),
            "day" => Some(By::Day),
            _ => None,
        });
        let no_employer = role.hides_protected();
        if no_employer && by.contains(&By::Employer) {
            return Err(Failure::Forbidden);
        }
        query.finish()?;
        if by.is_empty() {
            by = vec![By::Status, By::Area, By::Employer, By::Day];
            by.retain(|by| !(no_employer && *by == By::Employer));
        }
        Ok(Self { as_of, from, to, by })
    }

    fn groups(&self, by: By, value: &impl ToString) -> Option<String> {
        self.by.contains(&by).then(|| value.to_string())
    }

    /// The counters, added up over what is not grouped by.
    fn grouped(&self, standings: Vec<statistics::Standing>) -> Vec<StandingBody> {
        let mut groups: BTreeMap<_, u64> = BTreeMap::new();
        for standing in standings {
            let employer = self.groups(By::Employer, &standing.employer);
            let area = self.groups(By::Area, &standing.area);
            let status = self.groups(By::Status, &standing.status);
            *groups.entry((employer, area, status)).or_default() += standing.count;
        }
        let body = |((employer, area, status), count)| StandingBody { status, area, employer, count };
        groups.into_iter().map(body).collect()
    }
}

/// A day of four-digit years.
fn day(text: &str) -> Option<NaiveDate> {
    text.parse().ok().filter(|day| text.len() == 10 && is_written(day))
}

/// Whether a day is one of a year with four digits.
fn is_written(day: &NaiveDate) -> bool {
    (1..=9999).contains(&day.year())
}

/// Read the statistics.
///
/// Counts over the cases that the caller may know of, by Swedish days, also as they stood at the end of a past day. They
/// know no persons, so that those whose rights follow from a person see none. Whoever sees the cases of all employers, and must
/// not know where a person with protected identity works, cannot group by `employer` (403 `permission`).
#[utoipa::path(
    get,
    path = "/statistics",
    tag = "statistics",
    params(StatisticsQuery),
    responses((status = 200, description = "The statistics.", body = Statistics))
)]
async fn read(State(app): State<App>, reader: Reader, query: Parameters) -> Result<Response, Failure> {
    let asked = Asked::read(calendar::day(app.clock.now()), reader.caller.actor.role, query)?;
    let reach = reader.caller.actor.register();
    let (as_of, period) = (asked.as_of, (asked.from, asked.to));
    let (standings, flows, times) = app
        .query(move |tables| {
            Ok((
                statistics::standings(tables, &reach, as_of)?,
                statistics::flows(tables, &reach, period, None, None)?,
                statistics::times(tables, &reach, period)?,
            ))
        })
        .await?;
    let days = flows.into_iter().filter(|_| asked.by.contains(&By::Day));
    let day =
        |flow: statistics::Flow| DayBody { day: flow.day, received: flow.received, closed: flow.closed };
    let time = |time: statistics::Time| TimeBody {
        area: time.area.to_string(),
        closed: time.closed,
        mean_seconds: time.mean_seconds,
    };
    let body = Statistics {
        as_of_date: asked.as_of,
        from_date: asked.from,
        to_date: asked.to,
        standing: asked.grouped(standings),
        per_day: days.map(day).collect(),
        times: times.into_iter().map(time).collect(),
    };
    Ok((personal(), Json(body)).into_response())
}
