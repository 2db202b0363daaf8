//! `/statistik`: the status dashboard. Open cases by status, area and employer, today or on a past day; what was
//! received and closed per day; how long it took.

mod asked;
mod chart;
mod table;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use chrono::NaiveDate;
use domain::access::Duty;
use domain::{Language, Status, calendar};
use projections::statistics::{self, Flow, Standing, Time};

use crate::pages::components::Choice;
use crate::pages::officers::names::Names;
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};
use asked::{Asked, Period};
use chart::Chart;
use table::Table;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/statistik", get(show))
}

#[derive(Template)]
#[template(path = "pages/statistics.html")]
struct StatisticsPage {
    frame: Frame,
    form: Form,
    areas: Vec<Choice>,
    /// None for whoever could tell by the difference where a person with protected identity works.
    employers: Option<Vec<Choice>>,
    periods: Vec<Choice>,
    period: Period,
    /// How many cases stand in each status.
    statuses: Vec<(&'static str, u64)>,
    table: Table,
    chart: Chart,
    flows: Vec<Flow>,
    sum: (u64, u64),
    times: Vec<TimeRow>,
}

/// How long the cases of an area took, in words.
struct TimeRow {
    area: &'static str,
    closed: u64,
    mean: String,
}

/// What the read model answers.
struct Numbers {
    standings: Vec<Standing>,
    flows: Vec<Flow>,
    times: Vec<Time>,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(mut asked): Query<Asked>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Statistics)?;
    visitor.shown(&app).await?;
    let by_employer = !caller.actor.role.hides_protected();
    if !by_employer {
        asked.of_all_employers();
    }
    let language = visitor.language;
    let period = asked.period(calendar::day(app.clock.now()));
    let numbers = ask(&app, asked.narrowed(caller.actor.register()), period).await?;
    let names = Names::load(&app, language, &caller.actor, None, []).await?;
    let flows = period.every_day(&numbers.flows);
    let frame = Frame::new(&app, &visitor, Text::new(language, "statistics-title")).await?;
    let page = StatisticsPage {
        form: asked.form(period),
        areas: crate::pages::officers::areas(language, caller),
        employers: by_employer.then(|| names.choices(&caller.actor)),
        periods: Period::choices(language),
        statuses: statuses(&numbers.standings),
        table: Table::new(&numbers.standings, &asked.shown_areas(caller), by_employer.then_some(&names)),
        chart: Chart::new(&flows),
        sum: flows.iter().fold((0, 0), |sum, flow| (sum.0 + flow.received, sum.1 + flow.closed)),
        times: numbers.times.iter().map(|time| time_row(language, time)).collect(),
        flows,
        period,
        frame,
    };
    render(&page)
}

async fn ask(app: &App, reach: domain::access::Reach, period: Period) -> Result<Numbers, Failure> {
    let days = (period.from, period.to);
    let numbers = app.query(move |tables| {
        Ok(Numbers {
            standings: statistics::standings(tables, &reach, days.1)?,
            flows: statistics::flows(tables, &reach, days, None, None)?,
            times: statistics::times(tables, &reach, days)?,
        })
    });
    Ok(numbers.await?)
}

fn statuses(standings: &[Standing]) -> Vec<(&'static str, u64)> {
    let sum = |status: Status| {
        standings.iter().filter(|standing| standing.status == status).map(|standing| standing.count).sum()
    };
    Status::ALL.iter().map(|status| (status.code(), sum(*status))).collect()
}

fn time_row(language: Language, time: &Time) -> TimeRow {
    TimeRow { area: time.area.code(), closed: time.closed, mean: duration(language, time.mean_seconds) }
}

/// A duration in the two greatest units that it has.
fn duration(language: Language, seconds: u64) -> String {
    let minutes = seconds / 60;
    let (days, hours, minutes) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
    let part =
        |key: &'static str, n: u64| (n > 0).then(|| Text::new(language, key).number("n", n).to_string());
    let (days, hours, minutes) =
        (part("duration-days", days), part("duration-hours", hours), part("duration-minutes", minutes));
    let minutes = minutes.filter(|_| days.is_none());
    let parts: Vec<String> = [days, hours, minutes].into_iter().flatten().collect();
    if parts.is_empty() {
        return Text::new(language, "duration-less").to_string();
    }
    parts.join(" ")
}

impl StatisticsPage {
    /// What the table of open cases is called.
    fn caption(&self) -> &'static str {
        if self.employers.is_some() { "statistics-open-caption" } else { "statistics-open-caption-sums" }
    }

    /// A day in a table.
    fn day(&self, day: &NaiveDate) -> String {
        crate::format::date_short(*day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (seconds, words) in [
            (30, "mindre än en minut"),
            (60, "1 minut"),
            (3_600 + 120, "1 timme 2 minuter"),
            (2 * 86_400 + 4 * 3_600 + 60, "2 dygn 4 timmar"),
            (86_400 + 60, "1 dygn"),
        ] {
            assert_eq!(duration(Language::Sv, seconds), words);
        }
    }
}
