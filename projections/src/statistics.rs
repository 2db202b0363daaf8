//! The status dashboard: cases by status, area and employer, now or at the end of a past Swedish day, and what was
//! received and closed per day. Kept as counters per day, so that no question counts cases.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::access::Reach;
use domain::{Area, Event, OrganisationNumber, Status, StreamId, calendar};
use infrastructure::Recorded;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::narrowing::{Conditions, text};
use crate::{Projection, ReadError};

/// The projection.
pub struct Statistics;

/// How many cases stand in a status, in an area, at an employer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Standing {
    pub status: Status,
    pub area: Area,
    pub employer: OrganisationNumber,
    pub count: u64,
}

/// What happened on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Flow {
    pub day: NaiveDate,
    pub received: u64,
    pub closed: u64,
}

/// How long closed cases took, per area.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Time {
    pub area: Area,
    pub closed: u64,
    /// From received to closed, on average.
    pub mean_seconds: u64,
}

impl Projection for Statistics {
    fn name(&self) -> &'static str {
        "statistics"
    }

    fn version(&self) -> u32 {
        2
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE statistics_case (case_id BLOB PRIMARY KEY, employer TEXT NOT NULL, area TEXT NOT NULL,
            status TEXT NOT NULL, received_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE statistics_change (day TEXT NOT NULL, employer TEXT NOT NULL, area TEXT NOT NULL,
            status TEXT NOT NULL, change INTEGER NOT NULL, PRIMARY KEY (day, employer, area, status))
            STRICT, WITHOUT ROWID;
         CREATE TABLE statistics_now (employer TEXT NOT NULL, area TEXT NOT NULL, status TEXT NOT NULL,
            count INTEGER NOT NULL, PRIMARY KEY (employer, area, status)) STRICT, WITHOUT ROWID;
         CREATE TABLE statistics_flow (day TEXT NOT NULL, employer TEXT NOT NULL, area TEXT NOT NULL,
            received INTEGER NOT NULL, closed INTEGER NOT NULL, seconds INTEGER NOT NULL,
            PRIMARY KEY (day, employer, area)) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        self.apply_all(tables, std::slice::from_ref(event))
    }

    fn apply_all(&self, tables: &Connection, events: &[Recorded]) -> Result<(), ReadError> {
        let mut counted = Counted::default();
        events.iter().try_for_each(|event| counted.count(tables, event))?;
        counted.write(tables)
    }
}

/// A case as the counters know it.
#[derive(Clone, Copy)]
struct Case {
    employer: OrganisationNumber,
    area: Area,
    status: Status,
    received_at: i64,
}

/// What some events change: the cases that they touch, as they are then, and every counter by how much, so that a row
/// is written once however many of them move it.
#[derive(Default)]
struct Counted {
    cases: BTreeMap<StreamId, Case>,
    changes: BTreeMap<(NaiveDate, OrganisationNumber, Area, Status), i64>,
    /// Received, closed, and the seconds between the two.
    flows: BTreeMap<(NaiveDate, OrganisationNumber, Area), [i64; 3]>,
}

impl Counted {
    fn count(&mut self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let (day, at) = (calendar::day(event.recorded_at), event.recorded_at.timestamp_micros());
        let case = match &event.event {
            Event::CaseReceived { employer, area, .. } => {
                self.flow((day, *employer, *area), [1, 0, 0]);
                Case { employer: *employer, area: *area, status: Status::Received, received_at: at }
            }
            Event::ProcessingStarted { .. } | Event::CaseReclassified { .. } | Event::CaseClosed { .. } => {
                let Some(before) = self.case(tables, event.stream)? else { return Ok(()) };
                *self.changes.entry((day, before.employer, before.area, before.status)).or_default() -= 1;
                match &event.event {
                    Event::CaseReclassified { area, .. } => Case { area: *area, ..before },
                    Event::CaseClosed { .. } => {
                        let seconds = (at - before.received_at) / 1_000_000;
                        self.flow((day, before.employer, before.area), [0, 1, seconds]);
                        Case { status: Status::Closed, ..before }
                    }
                    _ => Case { status: Status::InProcess, ..before },
                }
            }
            _ => return Ok(()),
        };
        *self.changes.entry((day, case.employer, case.area, case.status)).or_default() += 1;
        self.cases.insert(event.stream, case);
        Ok(())
    }

    fn flow(&mut self, key: (NaiveDate, OrganisationNumber, Area), by: [i64; 3]) {
        let flow = self.flows.entry(key).or_default();
        flow.iter_mut().zip(by).for_each(|(count, by)| *count += by);
    }

    fn case(&self, tables: &Connection, stream: StreamId) -> Result<Option<Case>, ReadError> {
        if let Some(case) = self.cases.get(&stream) {
            return Ok(Some(*case));
        }
        let sql = "SELECT employer, area, status, received_at FROM statistics_case WHERE case_id = ?1";
        let mut statement = tables.prepare_cached(sql)?;
        let mut rows = statement.query_and_then([stream.0], |row| {
            let (employer, area, status) = counter(row)?;
            Ok(Case { employer, area, status, received_at: row.get(3)? })
        })?;
        rows.next().transpose()
    }

    fn write(self, tables: &Connection) -> Result<(), ReadError> {
        let sql = "INSERT INTO statistics_case VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO UPDATE SET area = excluded.area, status = excluded.status";
        let mut statement = tables.prepare_cached(sql)?;
        for (stream, case) in self.cases {
            let (employer, area, status) = (case.employer.as_str(), case.area.code(), case.status.code());
            statement.execute(params![stream.0, employer, area, status, case.received_at])?;
        }
        let sql = "INSERT INTO statistics_change VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO UPDATE SET change = change + excluded.change";
        let mut change = tables.prepare_cached(sql)?;
        let sql = "INSERT INTO statistics_now VALUES (?1, ?2, ?3, ?4) \
                   ON CONFLICT DO UPDATE SET count = count + excluded.count";
        let mut now = tables.prepare_cached(sql)?;
        for ((day, employer, area, status), by) in self.changes {
            let key = (employer.as_str(), area.code(), status.code());
            change.execute(params![day.to_string(), key.0, key.1, key.2, by])?;
            now.execute(params![key.0, key.1, key.2, by])?;
        }
        let sql = "INSERT INTO statistics_flow VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET \
                   received = received + excluded.received, closed = closed + excluded.closed, \
                   seconds = seconds + excluded.seconds";
        let mut flow = tables.prepare_cached(sql)?;
        for ((day, employer, area), [received, closed, seconds]) in self.flows {
            let day = day.to_string();
            flow.execute(params![day, employer.as_str(), area.code(), received, closed, seconds])?;
        }
        Ok(())
    }
}

/// How many cases stand as the conditions say now, which may ask for employer, area and status.
///
/// # Errors
/// When the read models cannot be read.
pub(crate) fn count(tables: &Connection, conditions: &Conditions) -> Result<u64, ReadError> {
    let sql = format!("SELECT coalesce(sum(count), 0) FROM statistics_now WHERE {}", conditions.sql());
    let values = params_from_iter(conditions.values());
    Ok(tables.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?)
}

/// What a row counts; the first three columns.
fn counter(row: &Row<'_>) -> Result<(OrganisationNumber, Area, Status), ReadError> {
    let wrong = || ReadError::Row("a counter has no employer, area or status".to_owned());
    let get = |column: usize| row.get::<_, String>(column);
    Ok((
        OrganisationNumber::parse(&get(0)?).ok_or_else(wrong)?,
        Area::parse(&get(1)?).ok_or_else(wrong)?,
        Status::parse(&get(2)?).ok_or_else(wrong)?,
    ))
}

/// Statistics know employers and areas, no persons: a reach narrowed by persons sees nothing here.
fn conditions(reach: &Reach) -> Conditions {
    if reach.reporters.is_some() || reach.sent_by.is_some() {
        let mut nothing = Conditions::default();
        nothing.any_of("employer", std::iter::empty());
        return nothing;
    }
    Conditions::of(reach)
}

/// Cases by status, area and employer at the end of a Swedish day.
///
/// # Errors
/// When the read models cannot be read.
pub fn standings(tables: &Connection, reach: &Reach, day: NaiveDate) -> Result<Vec<Standing>, ReadError> {
    let mut conditions = conditions(reach);
    conditions.with("day <= ?", text(&day));
    let sql = format!(
        "SELECT employer, area, status, sum(change) AS count FROM statistics_change WHERE {} \
         GROUP BY employer, area, status HAVING count > 0 ORDER BY employer, area, status",
        conditions.sql()
    );
    let read = |row: &Row<'_>| {
        let (employer, area, status) = counter(row)?;
        Ok(Standing { status, area, employer, count: row.get(3)? })
    };
    tables.prepare_cached(&sql)?.query_and_then(params_from_iter(conditions.values()), read)?.collect()
}

/// What was received and closed on each day from `from` to `to`; days without either are left out.
///
/// # Errors
/// When the read models cannot be read.
pub fn flows(
    tables: &Connection,
    reach: &Reach,
    (from, to): (NaiveDate, NaiveDate),
    area: Option<Area>,
    employer: Option<OrganisationNumber>,
) -> Result<Vec<Flow>, ReadError> {
    let conditions = period(reach, (from, to), area, employer);
    let sql = format!(
        "SELECT day, sum(received), sum(closed) FROM statistics_flow WHERE {} GROUP BY day ORDER BY day",
        conditions.sql()
    );
    let read = |row: &Row<'_>| {
        let day: String = row.get(0)?;
        let day = day.parse().map_err(|_| ReadError::Row(format!("{day} is no day")))?;
        Ok(Flow { day, received: row.get(1)?, closed: row.get(2)? })
    };
    tables.prepare_cached(&sql)?.query_and_then(params_from_iter(conditions.values()), read)?.collect()
}

/// How long the cases closed from `from` to `to` took.
///
/// # Errors
/// When the read models cannot be read.
pub fn times(
    tables: &Connection,
    reach: &Reach,
    days: (NaiveDate, NaiveDate),
) -> Result<Vec<Time>, ReadError> {
    let conditions = period(reach, days, None, None);
    let sql = format!(
        "SELECT area, sum(closed) AS closed_cases, sum(seconds) / max(sum(closed), 1) FROM statistics_flow WHERE {} \
         GROUP BY area HAVING closed_cases > 0 ORDER BY area",
        conditions.sql()
    );
    let read = |row: &Row<'_>| {
        let area: String = row.get(0)?;
        let area = Area::parse(&area).ok_or_else(|| ReadError::Row(format!("{area} is no area")))?;
        Ok(Time { area, closed: row.get(1)?, mean_seconds: row.get(2)? })
    };
    tables.prepare_cached(&sql)?.query_and_then(params_from_iter(conditions.values()), read)?.collect()
}

fn period(
    reach: &Reach,
    (from, to): (NaiveDate, NaiveDate),
    area: Option<Area>,
    employer: Option<OrganisationNumber>,
) -> Conditions {
    let mut conditions = conditions(reach);
    conditions.with("day >= ?", Value::Text(from.to_string()));
    conditions.with("day <= ?", Value::Text(to.to_string()));
    if let Some(area) = &area {
        conditions.equal("area", text(area));
    }
    if let Some(employer) = &employer {
        conditions.equal("employer", text(employer));
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Told, case, closed, employers, moved, person, received};

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn counts(told: &Told, reach: &Reach, day: &str) -> Vec<(Status, Area, u64)> {
        let found = told.read.read(|tables| standings(tables, reach, date(day))).unwrap();
        found.into_iter().map(|row| (row.status, row.area, row.count)).collect()
    }

    fn in_areas(areas: &[Area]) -> Reach {
        Reach { areas: Some(areas.to_vec()), ..Reach::default() }
    }

    /// A case that is received late on a Monday, moved on Tuesday, taken on Wednesday and closed on Thursday.
    fn week() -> Told {
        let mut told = Told::nothing();
        // 22.59.59 UTC in November is 23.59.59 in Stockholm.
        told.tell("2026-11-23T22:59:59Z", case(1), received(1, 1, "Omföring"));
        told.tell("2026-11-23T23:00:00Z", case(2), received(2, 1, "Faktura"));
        told.tell("2026-11-24T10:00:00Z", case(1), moved(Area::EHandel));
        told.tell("2026-11-25T10:00:00Z", case(1), Event::ProcessingStarted { officer: person(4) });
        told.tell("2026-11-26T22:59:59Z", case(1), closed("Klart."));
        told
    }

    #[test]
    fn as_of_past_days_by_the_swedish_midnight() {
        let (told, all) = (week(), Reach::default());
        use Area::{EHandel, Ekonomi};
        use Status::{Closed, InProcess, Received};
        assert_eq!(counts(&told, &all, "2026-11-22"), []);
        assert_eq!(counts(&told, &all, "2026-11-23"), [(Received, Ekonomi, 1)]);
        assert_eq!(counts(&told, &all, "2026-11-24"), [(Received, EHandel, 1), (Received, Ekonomi, 1)]);
        assert_eq!(counts(&told, &all, "2026-11-25"), [(InProcess, EHandel, 1), (Received, Ekonomi, 1)]);
        assert_eq!(counts(&told, &all, "2026-11-26"), [(Closed, EHandel, 1), (Received, Ekonomi, 1)]);
        assert_eq!(counts(&told, &all, "2030-01-01"), counts(&told, &all, "2026-11-26"));
    }

    #[test]
    fn a_reclassified_case_is_counted_once_where_it_stands() {
        let told = week();
        assert_eq!(counts(&told, &in_areas(&[Area::Ekonomi]), "2026-11-23").len(), 1);
        assert_eq!(counts(&told, &in_areas(&[Area::EHandel]), "2026-11-23"), []);
        assert_eq!(
            counts(&told, &in_areas(&[Area::Ekonomi]), "2026-11-26"),
            [(Status::Received, Area::Ekonomi, 1)]
        );
        assert_eq!(
            counts(&told, &in_areas(&[Area::EHandel]), "2026-11-26"),
            [(Status::Closed, Area::EHandel, 1)]
        );
        // There and back on one day leaves no trace in the counters.
        let mut back = week();
        back.tell("2026-11-27T10:00:00Z", case(2), moved(Area::Lon));
        back.tell("2026-11-27T11:00:00Z", case(2), moved(Area::Ekonomi));
        assert_eq!(
            counts(&back, &Reach::default(), "2026-11-27"),
            counts(&told, &Reach::default(), "2026-11-27")
        );
    }

    #[test]
    fn what_came_in_and_was_closed() {
        let told = week();
        let period = (date("2026-11-23"), date("2026-11-26"));
        let of = |reach: &Reach, area, employer| {
            let flows = told.read.read(|tables| flows(tables, reach, period, area, employer)).unwrap();
            flows.iter().map(|flow| (flow.day.to_string(), flow.received, flow.closed)).collect::<Vec<_>>()
        };
        let day = |day: &str, received, closed| (day.to_owned(), received, closed);
        let whole = vec![day("2026-11-23", 1, 0), day("2026-11-24", 1, 0), day("2026-11-26", 0, 1)];
        assert_eq!(of(&Reach::default(), None, None), whole);
        assert_eq!(of(&Reach::default(), None, Some(employers()[0])), whole);
        assert_eq!(of(&Reach::default(), None, Some(employers()[1])), []);
        assert_eq!(of(&Reach::default(), Some(Area::EHandel), None), [day("2026-11-26", 0, 1)]);
        assert_eq!(of(&in_areas(&[Area::EHandel]), None, None), [day("2026-11-26", 0, 1)]);
        let times = told.read.read(|tables| times(tables, &Reach::default(), period)).unwrap();
        assert_eq!(times, [Time { area: Area::EHandel, closed: 1, mean_seconds: 3 * 24 * 60 * 60 }]);
    }

    #[test]
    fn a_reach_of_persons_has_no_statistics() {
        let told = week();
        for reach in [
            Reach { reporters: Some(vec![person(1)]), ..Reach::default() },
            Reach { sent_by: Some(person(1)), ..Reach::default() },
        ] {
            assert_eq!(counts(&told, &reach, "2026-11-26"), []);
        }
    }
}
