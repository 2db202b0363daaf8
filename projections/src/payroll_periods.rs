//! The periods of the payroll schedule (*tidplan*) that were published, every version of each.

use chrono::{DateTime, Utc};
use domain::payroll_period::Period;
use domain::{Event, PersonId, StreamId};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Projection, ReadError};

/// The projection.
pub struct PayrollPeriods;

/// A period after one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayrollPeriod {
    /// Its days.
    pub days: Period,
    /// The version of its stream; 0 where nothing was published.
    pub version: u64,
    /// Whether it was taken out of the schedule.
    pub withdrawn: bool,
    /// When this came about, and by whom; none where nothing was published.
    pub by: Option<(DateTime<Utc>, PersonId)>,
}

impl Projection for PayrollPeriods {
    fn name(&self) -> &'static str {
        "payroll_periods"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE payroll_period (period_id BLOB NOT NULL, version INTEGER NOT NULL, period TEXT NOT NULL,
            documents TEXT NOT NULL, approval INTEGER NOT NULL, run TEXT NOT NULL, pay_day TEXT NOT NULL,
            withdrawn INTEGER NOT NULL, at INTEGER NOT NULL, actor BLOB NOT NULL,
            PRIMARY KEY (period_id, version)) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let id = event.stream;
        let (days, withdrawn) = match event.event.clone() {
            Event::PayrollPeriodPublished { period, documents, approval, run, pay_day } => {
                (Period { period, documents, approval: from_micros(approval), run, pay_day }, false)
            }
            Event::PayrollPeriodWithdrawn {} => match period(tables, id)? {
                Some(before) => (before.days, true),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let sql = "INSERT INTO payroll_period VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        tables.prepare_cached(sql)?.execute(params![
            id.0,
            event.version,
            days.period,
            days.documents.to_string(),
            days.approval.timestamp_micros(),
            days.run.to_string(),
            days.pay_day.to_string(),
            withdrawn,
            event.recorded_at.timestamp_micros(),
            event.actor.0,
        ])?;
        Ok(())
    }
}

const SELECT: &str = "SELECT version, period, documents, approval, run, pay_day, withdrawn, at, actor \
                      FROM payroll_period AS period";

/// Every period that was published, as it is now, in order.
///
/// # Errors
/// When the read models cannot be read.
pub fn periods(tables: &Connection) -> Result<Vec<PayrollPeriod>, ReadError> {
    let sql = format!(
        "{SELECT} WHERE version = (SELECT max(version) FROM payroll_period AS own \
         WHERE own.period_id = period.period_id) ORDER BY period"
    );
    let periods = tables.prepare_cached(&sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(periods)
}

/// A period as it is now.
///
/// # Errors
/// When the read models cannot be read.
pub fn period(tables: &Connection, id: StreamId) -> Result<Option<PayrollPeriod>, ReadError> {
    let sql = format!("{SELECT} WHERE period_id = ?1 ORDER BY version DESC LIMIT 1");
    Ok(tables.prepare_cached(&sql)?.query_row([id.0], read).optional()?)
}

/// Every version of a period, newest first.
///
/// # Errors
/// When the read models cannot be read.
pub fn versions(tables: &Connection, id: StreamId) -> Result<Vec<PayrollPeriod>, ReadError> {
    let sql = format!("{SELECT} WHERE period_id = ?1 ORDER BY version DESC");
    let versions = tables.prepare_cached(&sql)?.query_map([id.0], read)?.collect::<Result<_, _>>()?;
    Ok(versions)
}

fn read(row: &Row<'_>) -> Result<PayrollPeriod, rusqlite::Error> {
    let day = |column| row.get::<_, String>(column).map(|day| day.parse().unwrap_or_default());
    Ok(PayrollPeriod {
        version: row.get(0)?,
        days: Period {
            period: row.get(1)?,
            documents: day(2)?,
            approval: from_micros(row.get(3)?),
            run: day(4)?,
            pay_day: day(5)?,
        },
        withdrawn: row.get(6)?,
        by: Some((from_micros(row.get(7)?), PersonId(row.get(8)?))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    use crate::testing::*;

    #[test]
    fn a_period_is_what_it_was_last_and_every_version_is_kept() {
        let mut told = Told::nothing();
        let id = |number: u128| StreamId(Uuid::from_u128(number));
        let usual = |period: &str| Period::usual(period).unwrap();
        let late = Period { pay_day: "2027-01-26".parse().unwrap(), ..usual("2027-01") };
        let at = "2026-11-23T10:00:00Z";
        told.tell(at, id(2), usual("2027-02").publish()).tell(at, id(1), usual("2027-01").publish());
        told.tell("2026-11-24T10:00:00Z", id(1), late.clone().publish());
        told.tell("2026-11-25T10:00:00Z", id(2), Event::PayrollPeriodWithdrawn {});
        told.tell("2026-11-25T10:00:00Z", id(3), Event::PayrollPeriodWithdrawn {});
        let row = |days: &Period, version, withdrawn, at| PayrollPeriod {
            days: days.clone(),
            version,
            withdrawn,
            by: Some((time(at), person(9))),
        };
        let now = told.read.read(periods).unwrap();
        let expected = [
            row(&late, 2, false, "2026-11-24T10:00:00Z"),
            row(&usual("2027-02"), 2, true, "2026-11-25T10:00:00Z"),
        ];
        assert_eq!(now, expected);
        let history = told.read.read(|tables| versions(tables, id(1))).unwrap();
        assert_eq!(history, [expected[0].clone(), row(&usual("2027-01"), 1, false, at)]);
        assert_eq!(told.read.read(|tables| period(tables, id(2))).unwrap(), Some(expected[1].clone()));
        assert_eq!(told.read.read(|tables| period(tables, id(3))).unwrap(), None);
    }
}
