//! The payroll forms and the payroll schedule as they are now: what was published, and what ships with the program where
//! nothing was.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::StreamId;
use domain::payroll_form;
use domain::payroll_period::{Period, WrittenPeriod};
use projections::ReadError;
use projections::payroll_forms::{self, PayrollForm};
use projections::payroll_periods::{self, PayrollPeriod};
use serde::Deserialize;

use crate::App;

#[derive(Deserialize)]
struct ShippedForm {
    code: String,
    name_sv: String,
    name_en: String,
}

#[derive(Deserialize)]
struct ShippedSchedule {
    pay_calendar: Vec<ShippedPeriod>,
}

#[derive(Deserialize)]
struct ShippedPeriod {
    period: String,
    last_day_underlag: String,
    last_day_attest: String,
    payroll_run: String,
    pay_day: String,
}

static FORMS: LazyLock<Vec<PayrollForm>> = LazyLock::new(|| {
    let text = include_str!("../reference/payroll-forms.json");
    let forms: Vec<ShippedForm> = serde_json::from_str(text).unwrap_or_default();
    let shipped = |ShippedForm { code, name_sv, name_en }| PayrollForm {
        code,
        name_sv,
        name_en,
        version: 0,
        withdrawn: false,
        by: None,
        file: None,
    };
    forms.into_iter().map(shipped).collect()
});

static PERIODS: LazyLock<Vec<PayrollPeriod>> = LazyLock::new(|| {
    let text = include_str!("../reference/agencies-and-calendar.json");
    let schedule = serde_json::from_str::<ShippedSchedule>(text).map(|schedule| schedule.pay_calendar);
    let shipped = |days: Period| PayrollPeriod { days, version: 0, withdrawn: false, by: None };
    schedule.unwrap_or_default().iter().filter_map(|period| period.days().map(shipped)).collect()
});

impl ShippedPeriod {
    fn days(&self) -> Option<Period> {
        let written = WrittenPeriod {
            period: &self.period,
            documents: &self.last_day_underlag,
            approval: &self.last_day_attest,
            run: &self.payroll_run,
            pay_day: &self.pay_day,
        };
        written.read().ok()
    }
}

/// The stream of a form.
pub fn form_stream(app: &App, code: &str) -> StreamId {
    StreamId(app.keys.derived_id("payroll-form", &[code.as_bytes()]))
}

/// The stream of a period.
pub fn period_stream(app: &App, period: &str) -> StreamId {
    StreamId(app.keys.derived_id("payroll-period", &[period.as_bytes()]))
}

/// Every form by code, also those that were withdrawn.
///
/// # Errors
/// When the read models cannot be read.
pub async fn forms(app: &App) -> Result<Vec<PayrollForm>, ReadError> {
    let published = app.query(payroll_forms::forms).await?;
    let all = FORMS.iter().cloned().chain(published).map(|form| (form.code.clone(), form));
    Ok(all.collect::<BTreeMap<_, _>>().into_values().collect())
}

/// The form of a code, also one that was withdrawn.
///
/// # Errors
/// When the read models cannot be read.
pub async fn form(app: &App, code: &str) -> Result<Option<PayrollForm>, ReadError> {
    let Some(code) = payroll_form::code(code) else { return Ok(None) };
    let stream = form_stream(app, &code);
    let published = app.query(move |tables| payroll_forms::form(tables, stream)).await?;
    Ok(published.or_else(|| FORMS.iter().find(|form| form.code == code).cloned()))
}

/// Every period in order, also those that were withdrawn.
///
/// # Errors
/// When the read models cannot be read.
pub async fn periods(app: &App) -> Result<Vec<PayrollPeriod>, ReadError> {
    let published = app.query(payroll_periods::periods).await?;
    let all = PERIODS.iter().cloned().chain(published).map(|period| (period.days.period.clone(), period));
    Ok(all.collect::<BTreeMap<_, _>>().into_values().collect())
}

/// A period, also one that was withdrawn.
///
/// # Errors
/// When the read models cannot be read.
pub async fn period(app: &App, period: &str) -> Result<Option<PayrollPeriod>, ReadError> {
    let stream = period_stream(app, period);
    let published = app.query(move |tables| payroll_periods::period(tables, stream)).await?;
    Ok(published.or_else(|| shipped_period(period)))
}

/// What ships of a period.
pub fn shipped_period(period: &str) -> Option<PayrollPeriod> {
    PERIODS.iter().find(|shipped| shipped.days.period == period).cloned()
}

/// What ships of a form.
pub fn shipped_form(code: &str) -> Option<PayrollForm> {
    FORMS.iter().find(|form| form.code == code).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::payroll_form::WrittenForm;

    #[test]
    fn what_ships_keeps_the_rules() {
        assert_eq!(FORMS.len(), 11);
        for PayrollForm { code, name_sv, name_en, .. } in FORMS.iter() {
            WrittenForm { code, name_sv, name_en, file: None }.publish().unwrap();
        }
        let text = include_str!("../reference/agencies-and-calendar.json");
        let written = serde_json::from_str::<ShippedSchedule>(text).unwrap().pay_calendar;
        let read: Vec<_> = PERIODS.iter().map(|period| period.days.period.as_str()).collect();
        assert_eq!(read, written.iter().map(|period| period.period.as_str()).collect::<Vec<_>>());
        assert!(read.is_sorted() && read.contains(&"2027-12"));
    }
}
