//! The payroll schedule (*tidplan*): for each month the last day for documents, the last moment for approval, the payroll
//! run and the pay day.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc, Weekday};

use crate::calendar;
use crate::event::Event;
use crate::refusal::{Code, FieldError, FieldErrors};

/// The days of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Year and month, `2027-01`.
    pub period: String,
    /// The last day for documents.
    pub documents: NaiveDate,
    /// The last moment for approval.
    pub approval: DateTime<Utc>,
    /// The day of the payroll run.
    pub run: NaiveDate,
    /// The day on which wages are paid.
    pub pay_day: NaiveDate,
}

/// What stands in the form of a period, as it was typed. The approval is a Swedish day and time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the period")]
pub struct WrittenPeriod<'a> {
    pub period: &'a str,
    pub documents: &'a str,
    pub approval: &'a str,
    pub run: &'a str,
    pub pay_day: &'a str,
}

/// The first day of a period; none for what is not a year and a month.
fn first_day(period: &str) -> Option<NaiveDate> {
    let (year, month) = period.split_once('-')?;
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let written = digits(year, 4) && digits(month, 2);
    NaiveDate::from_ymd_opt(year.parse().ok().filter(|_| written)?, month.parse().ok()?, 1)
}

impl Period {
    /// The days of a period as they usually are: paid on the 25th, or the day beside a weekend and before a holiday; run a
    /// week before that, with approval until noon; documents a week before the run.
    pub fn usual(period: &str) -> Option<Self> {
        let paid = first_day(period)?.with_day(25)?;
        let beside = if paid.weekday() == Weekday::Sun { paid.succ_opt()? } else { paid };
        let pay_day = working_day(beside);
        let weeks_before = |weeks: u64| pay_day.checked_sub_days(Days::new(7 * weeks)).map(working_day);
        let (documents, run) = (weeks_before(2)?, weeks_before(1)?);
        let approval = calendar::parse_moment(&format!("{run}T12:00"))?;
        Some(Self { period: period.to_owned(), documents, approval, run, pay_day })
    }

    /// The period after this one.
    pub fn next(&self) -> Option<String> {
        let next = first_day(&self.period)?.checked_add_months(Months::new(1))?;
        Some(next.format("%Y-%m").to_string())
    }

    /// The event that publishes it.
    pub fn publish(self) -> Event {
        let Self { period, documents, approval, run, pay_day } = self;
        Event::PayrollPeriodPublished {
            period,
            documents,
            approval: approval.timestamp_micros(),
            run,
            pay_day,
        }
    }
}

/// The day itself, or the last working day before it.
fn working_day(day: NaiveDate) -> NaiveDate {
    day.iter_days().rev().find(|day| !calendar::is_holiday(*day)).unwrap_or(day)
}

impl WrittenPeriod<'_> {
    /// The days that are written.
    ///
    /// # Errors
    /// Everything that is wrong with them, at once.
    pub fn read(&self) -> Result<Period, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let wrong = FieldError::new;
        let period = self.period.trim();
        errors.take(first_day(period).ok_or_else(|| wrong("/period", Code::PeriodForm)));
        let mut day = |text: &str, pointer| {
            errors.take(text.trim().parse::<NaiveDate>().map_err(|_| wrong(pointer, Code::Day)))
        };
        let (documents, run) = (day(self.documents, "/documents"), day(self.run, "/run"));
        let pay_day = day(self.pay_day, "/payDay");
        let approval = calendar::parse_moment(self.approval);
        let approval = errors.take(approval.ok_or_else(|| wrong("/approval", Code::Moment)));
        let approved = approval.map(calendar::day);
        let before = |one: Option<NaiveDate>, other| one.zip(other).is_some_and(|(one, other)| one < other);
        for (early, pointer, code) in [
            (before(approved, documents), "/approval", Code::ApprovalEarly),
            (before(run, approved), "/run", Code::RunEarly),
            (before(pay_day, run) || pay_day.is_some() && pay_day == run, "/payDay", Code::PayDayEarly),
            (pay_day.is_some_and(calendar::is_holiday), "/payDay", Code::PayDayHoliday),
        ] {
            if early {
                errors.push(wrong(pointer, code));
            }
        }
        match (documents, approval, run, pay_day) {
            (Some(documents), Some(approval), Some(run), Some(pay_day)) if errors.is_empty() => {
                Ok(Period { period: period.to_owned(), documents, approval, run, pay_day })
            }
            _ => Err(in_order(errors.into_inner())),
        }
    }
}

/// Errors in the order of the fields.
fn in_order(mut errors: Vec<FieldError>) -> Vec<FieldError> {
    let fields = ["/period", "/documents", "/approval", "/run", "/payDay"];
    errors.sort_by_key(|error| fields.iter().position(|field| *field == error.pointer));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: WrittenPeriod<'_> = WrittenPeriod {
        period: "2027-01",
        documents: "2027-01-11",
        approval: "2027-01-18 12.00",
        run: "2027-01-18",
        pay_day: "2027-01-25",
    };

    fn wrong(period: &WrittenPeriod<'_>) -> Vec<(String, &'static str)> {
        let errors = period.read().unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.code.code())).collect()
    }

    #[test]
    fn a_period_is_read_and_published() {
        let period = WRITTEN.read().unwrap();
        assert_eq!(period, Period::usual("2027-01").unwrap());
        let Event::PayrollPeriodPublished { approval, pay_day, .. } = period.clone().publish() else {
            panic!()
        };
        assert_eq!(approval, "2027-01-18T11:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp_micros());
        assert_eq!(pay_day, "2027-01-25".parse().unwrap());
        assert_eq!(period.next().as_deref(), Some("2027-02"));
        assert_eq!(Period::usual("2027-12").unwrap().next().as_deref(), Some("2028-01"));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let nothing = [
            ("/period", "period.form"),
            ("/documents", "day"),
            ("/approval", "moment"),
            ("/run", "day"),
            ("/payDay", "day"),
        ];
        assert_eq!(
            wrong(&WrittenPeriod::default()),
            nothing.map(|(pointer, code)| (pointer.to_owned(), code))
        );
        for (period, pointer, code) in [
            (WrittenPeriod { period: "2027-13", ..WRITTEN }, "/period", "period.form"),
            (WrittenPeriod { period: "27-1", ..WRITTEN }, "/period", "period.form"),
            (WrittenPeriod { period: "+027-01", ..WRITTEN }, "/period", "period.form"),
            (WrittenPeriod { documents: "2027-02-30", ..WRITTEN }, "/documents", "day"),
            (WrittenPeriod { documents: "2027-01-19", ..WRITTEN }, "/approval", "approval.early"),
            (WrittenPeriod { approval: "2027-01-19 00.00", ..WRITTEN }, "/run", "run.early"),
            (WrittenPeriod { pay_day: "2027-01-18", ..WRITTEN }, "/payDay", "pay_day.early"),
            // A Saturday, and the Epiphany.
            (WrittenPeriod { pay_day: "2027-01-23", ..WRITTEN }, "/payDay", "pay_day.holiday"),
            (WrittenPeriod { pay_day: "2028-01-06", ..WRITTEN }, "/payDay", "pay_day.holiday"),
        ] {
            assert_eq!(wrong(&period), [(pointer.to_owned(), code)], "{period:?}");
        }
        // Approval on the day of the documents, and the run on the day of the approval, are in order.
        let narrow = WrittenPeriod { documents: "2027-01-18", ..WRITTEN };
        assert!(narrow.read().is_ok());
    }

    #[test]
    fn the_usual_pay_day_is_a_working_day() {
        for (period, pay_day) in [
            ("2027-04", "2027-04-26"),
            ("2027-06", "2027-06-24"),
            ("2027-09", "2027-09-24"),
            ("2026-12", "2026-12-23"),
            ("2029-12", "2029-12-21"),
        ] {
            assert_eq!(Period::usual(period).unwrap().pay_day, pay_day.parse().unwrap(), "{period}");
        }
        assert_eq!(Period::usual("2027-00"), None);
    }
}
