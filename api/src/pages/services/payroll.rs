//! The payroll forms (*löneblanketter*) and the payroll calendar (*tidplan*).

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::Deserialize;

/// How many coming periods are shown.
const PERIODS: usize = 12;

/// A payroll form; its name is Swedish, for it is a Swedish document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PayrollForm {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
}

const fn form(code: &'static str, name: &'static str) -> PayrollForm {
    PayrollForm { code, name }
}

pub(super) const FORMS: &[PayrollForm] = &[
    form("L-101", "Anställningsunderlag"),
    form("L-102", "Ändring av anställning"),
    form("L-110", "Timlön"),
    form("L-120", "Arvode"),
    form("L-130", "Ledighet"),
    form("L-131", "Föräldraledighet"),
    form("L-140", "Avslut av anställning"),
    form("L-150", "Förmån"),
    form("L-160", "Ersättning för läkemedel och sjukvård"),
    form("L-170", "Begäran om intyg"),
    form("L-180", "Skatteuppgift"),
];

/// A period of the payroll calendar.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Period {
    pub(super) period: String,
    pub(super) last_day_underlag: NaiveDate,
    /// Day and time of day, Swedish time.
    last_day_attest: String,
    pub(super) payroll_run: NaiveDate,
    pub(super) pay_day: NaiveDate,
}

impl Period {
    /// Until when reports are approved, as tables write it.
    pub(super) fn last_attest(&self) -> String {
        self.last_day_attest.replace('T', " ").replace(':', ".")
    }
}

#[derive(Deserialize)]
struct Reference {
    pay_calendar: Vec<Period>,
}

static CALENDAR: LazyLock<Vec<Period>> = LazyLock::new(|| {
    let text = include_str!("../../../reference/agencies-and-calendar.json");
    serde_json::from_str::<Reference>(text).map(|reference| reference.pay_calendar).unwrap_or_default()
});

/// The periods whose pay day has not been.
pub(super) fn coming(today: NaiveDate) -> Vec<Period> {
    CALENDAR.iter().filter(|period| period.pay_day >= today).take(PERIODS).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_goes_on_from_today() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let periods = coming(day("2026-12-23"));
        assert_eq!((periods[0].period.as_str(), periods.len()), ("2026-12", 12));
        assert_eq!(periods[0].last_attest(), "2026-12-16 12.00");
        assert_eq!(coming(day("2026-12-24"))[0].period, "2027-01");
    }
}
