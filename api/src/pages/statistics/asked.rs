//! What the dashboard is asked for: a day, the period that ends with it, an area, an employer.

use chrono::{Days, NaiveDate};
use domain::access::Reach;
use domain::{Area, Language, OrganisationNumber};
use projections::statistics::Flow;
use serde::Deserialize;

use crate::app::Caller;
use crate::pages::Form;
use crate::pages::components::Choice;
use crate::texts::Text;

/// The periods that can be chosen, days.
const PERIODS: [u64; 4] = [7, 30, 90, 365];
/// The period when nothing else is asked for, days.
const PERIOD: u64 = 30;

/// The query of the address; what it does not understand narrows nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    dag: String,
    dagar: String,
    area: String,
    employer: String,
}

/// A period of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// The first day.
    pub(super) from: NaiveDate,
    /// The last day, at whose end the cases are counted.
    pub(super) to: NaiveDate,
    /// How many days it has.
    pub(super) days: u64,
    /// Whether it ends today.
    pub(super) current: bool,
}

impl Asked {
    /// The period; it ends today unless a past day is asked for.
    pub(super) fn period(&self, today: NaiveDate) -> Period {
        let day = self.dag.trim().parse().ok().filter(|day: &NaiveDate| *day <= today);
        let days = self.dagar.parse().ok().filter(|days| PERIODS.contains(days)).unwrap_or(PERIOD);
        let to = day.unwrap_or(today);
        let from = to.checked_sub_days(Days::new(days - 1)).unwrap_or(to);
        Period { from, to, days, current: to == today }
    }

    /// Asks for no employer, whatever the address says.
    pub(super) fn of_all_employers(&mut self) {
        self.employer.clear();
    }

    /// A reach narrowed to the area and the employer that are asked for.
    pub(super) fn narrowed(&self, mut reach: Reach) -> Reach {
        if let Some(area) = Area::parse(&self.area) {
            let own = reach.areas.as_ref().is_none_or(|areas| areas.contains(&area));
            reach.areas = Some(if own { vec![area] } else { Vec::new() });
        }
        if let Some(employer) = OrganisationNumber::parse(&self.employer) {
            let own = reach.employers.as_ref().is_none_or(|employers| employers.contains(&employer));
            reach.employers = Some(if own { vec![employer] } else { Vec::new() });
        }
        reach
    }

    /// The areas that the table has columns for.
    pub(super) fn shown_areas(&self, caller: &Caller) -> Vec<Area> {
        let reach = self.narrowed(caller.actor.register());
        let shown = |area: &&Area| reach.areas.as_ref().is_none_or(|areas| areas.contains(area));
        Area::ALL.iter().filter(shown).copied().collect()
    }

    /// The form as it was filled in.
    pub(super) fn form(&self, period: Period) -> Form {
        Form::new("statistics")
            .with("dag", period.to.to_string())
            .with("dagar", period.days.to_string())
            .with("area", self.area.as_str())
            .with("employer", self.employer.as_str())
    }
}

impl Period {
    /// The periods that can be chosen.
    pub(super) fn choices(language: Language) -> Vec<Choice> {
        let words = |days: u64| Text::new(language, "statistics-period-days").number("n", days);
        PERIODS.into_iter().map(|days| Choice::new(days, words(days))).collect()
    }

    /// What happened on every day of the period, also where nothing did.
    pub(super) fn every_day(&self, flows: &[Flow]) -> Vec<Flow> {
        let nothing = |day| Flow { day, received: 0, closed: 0 };
        let on = |day: NaiveDate| flows.iter().find(|flow| flow.day == day).cloned();
        let days = self.from.iter_days().take_while(|day| *day <= self.to);
        days.map(|day| on(day).unwrap_or_else(|| nothing(day))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn asked(dag: &str, dagar: &str) -> Asked {
        Asked { dag: dag.to_owned(), dagar: dagar.to_owned(), ..Asked::default() }
    }

    #[test]
    fn a_period_ends_today_or_on_a_past_day() {
        let today = day("2026-11-25");
        let month = asked("", "").period(today);
        assert_eq!((month.from, month.to, month.current), (day("2026-10-27"), today, true));
        let week = asked("2026-03-01", "7").period(today);
        assert_eq!((week.from, week.to, week.current), (day("2026-02-23"), day("2026-03-01"), false));
        assert_eq!(asked("2026-11-26", "8").period(today), month);
    }

    #[test]
    fn days_without_cases_are_days_too() {
        let flow = Flow { day: day("2026-02-28"), received: 3, closed: 1 };
        let days = asked("2026-03-01", "7").period(day("2026-11-25")).every_day(std::slice::from_ref(&flow));
        assert_eq!(days.len(), 7);
        assert_eq!(days[5], flow);
        assert_eq!(days.iter().map(|day| day.received).sum::<u64>(), 3);
    }

    #[test]
    fn an_area_out_of_reach_shows_nothing() {
        let reach = Reach { areas: Some(vec![Area::Lon]), ..Reach::default() };
        let narrowed =
            |area: &str| Asked { area: area.to_owned(), ..Asked::default() }.narrowed(reach.clone());
        assert_eq!(narrowed("lon").areas, Some(vec![Area::Lon]));
        assert_eq!(narrowed("ekonomi").areas, Some(vec![]));
        assert_eq!(narrowed("").areas, reach.areas);
    }
}
