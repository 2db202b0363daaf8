//! The queue: every case, for officers, auditors and the systems that created them. *Mina ärenden* is a list over the
//! same rows.

use domain::access::{Reach, Standing};
use domain::vocabulary::Party;
use domain::{Area, CaseId, CaseNumber, Channel, Event, OrganisationNumber, PersonId, SubArea, System};
use infrastructure::Recorded;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use crate::case_row::{self, Filter, List, Page, Sort};
use crate::narrowing::{Conditions, blob, text};
use crate::{Projection, ReadError, Unread};

/// Most cases that are named as going on from one.
const FOLLOWING: u32 = 20;

/// The projection.
pub struct Queue;

impl Projection for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn version(&self) -> u32 {
        4
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE queue (
            -- The position of the event that received the case: the order of receipt and of the numbers.
            place INTEGER PRIMARY KEY,
            case_id BLOB NOT NULL UNIQUE, number TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
            status TEXT NOT NULL, channel TEXT NOT NULL, employer TEXT NOT NULL, area TEXT NOT NULL, sub_area TEXT,
            system TEXT, subject TEXT, received_at INTEGER NOT NULL, started_at INTEGER, closed_at INTEGER,
            -- The time of the last event, and of the last one that the reporter sees.
            last_at INTEGER NOT NULL, shown_at INTEGER NOT NULL,
            due_date TEXT, officer BLOB, reporter BLOB, registered_by BLOB NOT NULL, follows_up TEXT) STRICT;"
    }

    fn indices(&self) -> &'static str {
        "CREATE INDEX queue_by_status ON queue (status, place, area, employer);
         CREATE INDEX queue_open ON queue (place, area, employer) WHERE status <> 'closed';
         CREATE UNIQUE INDEX queue_by_number ON queue (number);
         CREATE INDEX queue_by_creator ON queue (registered_by);
         CREATE INDEX queue_by_employer ON queue (employer);
         CREATE INDEX queue_by_reporter ON queue (reporter) WHERE reporter IS NOT NULL;
         CREATE INDEX queue_by_officer ON queue (officer) WHERE officer IS NOT NULL;
         CREATE INDEX queue_by_change ON queue (last_at);
         CREATE INDEX queue_by_followed ON queue (follows_up) WHERE follows_up IS NOT NULL;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        if let Event::CaseReceived { .. } = &event.event {
            return insert(tables, event);
        }
        let (set, value): (&str, Option<Value>) = match &event.event {
            Event::ProcessingStarted { officer } => {
                ("status = 'in-process', started_at = ?3, officer = ?5", Some(blob(officer.0)))
            }
            Event::CaseAssigned { officer } => ("officer = ?5", Some(blob(officer.0))),
            Event::InformationRequested { due_date, .. } => ("due_date = ?5", Some(text(due_date))),
            Event::AttachmentAdded { from: Party::Customer, .. }
            | Event::MessageAdded { from: Party::Customer, .. } => ("due_date = NULL", None),
            Event::AttachmentAdded { .. } | Event::MessageAdded { .. } | Event::NoteAdded { .. } => {
                ("due_date = due_date", None)
            }
            Event::CaseReclassified { area, sub_area, system, .. } => {
                return reclassify(tables, event, (*area, *sub_area, *system));
            }
            Event::CaseClosed { .. } => ("status = 'closed', closed_at = ?3, due_date = NULL", None),
            _ => return Ok(()),
        };
        let sql = format!("UPDATE queue SET {set}, {} WHERE case_id = ?4", moved(&event.event));
        let at = event.recorded_at.timestamp_micros();
        let mut statement = tables.prepare_cached(&sql)?;
        match value {
            Some(value) => {
                statement.execute(params![event.version, event.position, at, event.stream.0, value])?
            }
            None => statement.execute(params![event.version, event.position, at, event.stream.0])?,
        };
        Ok(())
    }
}

/// What every event moves: version, position, and the times at which something happened and was shown.
fn moved(event: &Event) -> &'static str {
    if event.for_customer() == Some(false) {
        "version = ?1, position = ?2, last_at = ?3"
    } else {
        "version = ?1, position = ?2, last_at = ?3, shown_at = ?3"
    }
}

fn reclassify(
    tables: &Connection,
    event: &Recorded,
    (area, sub_area, system): (Area, Option<SubArea>, Option<System>),
) -> Result<(), ReadError> {
    let sql = format!(
        "UPDATE queue SET area = ?5, sub_area = ?6, system = ?7, {} WHERE case_id = ?4",
        moved(&event.event)
    );
    tables.prepare_cached(&sql)?.execute(params![
        event.version,
        event.position,
        event.recorded_at.timestamp_micros(),
        event.stream.0,
        area.code(),
        sub_area.map(SubArea::code),
        system.map(System::code),
    ])?;
    Ok(())
}

fn insert(tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
    let Event::CaseReceived {
        case_number,
        employer,
        area,
        sub_area,
        system,
        channel,
        follows_up,
        reporter,
        registered_by,
        personal,
        ..
    } = &event.event
    else {
        return Ok(());
    };
    let at = event.recorded_at.timestamp_micros();
    let sql = "INSERT INTO queue VALUES (?4, ?1, ?2, ?3, ?4, 'received', ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL, NULL, \
               ?11, ?11, NULL, NULL, ?12, ?13, ?14)";
    tables.prepare_cached(sql)?.execute(params![
        event.stream.0,
        case_number.to_string(),
        event.version,
        event.position,
        channel.code(),
        employer.as_str(),
        area.code(),
        sub_area.map(SubArea::code),
        system.map(System::code),
        personal.open().map(|question| question.subject.as_str()),
        at,
        reporter.map(|person| person.0),
        registered_by.0,
        follows_up.map(|number| number.to_string()),
    ])?;
    Ok(())
}

/// A page of all cases within a reach.
///
/// # Errors
/// When the read models cannot be read.
pub fn find(
    tables: &Connection,
    reach: &Reach,
    filter: &Filter,
    order: (Sort, u64, u64),
) -> Result<Unread<Page>, ReadError> {
    case_row::find(tables, List::Queue, reach, filter, order)
}

/// A page of all cases within a reach, for those who see of a case what its reporter sees.
///
/// # Errors
/// When the read models cannot be read.
pub fn find_shown(
    tables: &Connection,
    reach: &Reach,
    filter: &Filter,
    order: (Sort, u64, u64),
) -> Result<Unread<Page>, ReadError> {
    case_row::find(tables, List::Shown, reach, filter, order)
}

/// The cases within a reach that go on from the one of a number, oldest first; a few, if they are many.
///
/// # Errors
/// When the read models cannot be read.
pub fn following(
    tables: &Connection,
    reach: &Reach,
    number: CaseNumber,
) -> Result<Vec<(CaseId, CaseNumber)>, ReadError> {
    let mut conditions = Conditions::of(reach);
    conditions.equal("follows_up", text(&number));
    let wheres = conditions.sql();
    let sql = format!("SELECT case_id, number FROM queue WHERE {wheres} ORDER BY place LIMIT {FOLLOWING}");
    let mut statement = tables.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(conditions.values()))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (case, number): (_, String) = (row.get(0)?, row.get(1)?);
        found.extend(CaseNumber::parse(&number).ok().map(|number| (CaseId(case), number)));
    }
    Ok(found)
}

/// The number of a case; `None` when there is no such case.
///
/// # Errors
/// When the read models cannot be read.
pub fn number(tables: &Connection, case: CaseId) -> Result<Option<CaseNumber>, ReadError> {
    let sql = "SELECT number FROM queue WHERE case_id = ?1";
    let number: Option<String> =
        tables.prepare_cached(sql)?.query_row([case.0], |row| row.get(0)).optional()?;
    Ok(number.and_then(|number| CaseNumber::parse(&number).ok()))
}

/// The case of a number, with what rights to it depend on.
///
/// # Errors
/// When the read models cannot be read.
pub fn by_number(tables: &Connection, number: CaseNumber) -> Result<Option<(CaseId, Standing)>, ReadError> {
    let sql = "SELECT case_id FROM queue WHERE number = ?1";
    let case = tables.prepare_cached(sql)?.query_row([text(&number)], |row| row.get(0)).optional()?;
    let Some(case) = case.map(CaseId) else { return Ok(None) };
    Ok(standing(tables, case)?.map(|standing| (case, standing)))
}

/// What rights to a case depend on; `None` when there is no such case.
///
/// # Errors
/// When the read models cannot be read.
pub fn standing(tables: &Connection, case: CaseId) -> Result<Option<Standing>, ReadError> {
    let sql = "SELECT employer, area, channel, reporter, registered_by FROM queue WHERE case_id = ?1";
    let row: Option<(String, String, String, Option<_>, _)> = tables
        .prepare_cached(sql)?
        .query_row([case.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    let Some((employer, area, channel, reporter, registered_by)) = row else { return Ok(None) };
    let wrong = || ReadError::Row("a case row holds no employer, area or channel".to_owned());
    Ok(Some(Standing {
        employer: OrganisationNumber::parse(&employer).ok_or_else(wrong)?,
        area: Area::parse(&area).ok_or_else(wrong)?,
        reporter: reporter.map(PersonId),
        registered_by: PersonId(registered_by),
        channel: Channel::parse(&channel).ok_or_else(wrong)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Event, Status};

    use crate::testing::*;

    fn told() -> Told {
        let mut told = Told::nothing();
        for number in 1..=7 {
            let at = format!("2026-11-{:02}T10:00:00Z", 10 + number);
            told.tell(&at, case(u128::from(number)), received(number, 1, "Omföring"));
        }
        told.tell("2026-11-20T10:00:00Z", case(3), Event::ProcessingStarted { officer: person(4) });
        told
    }

    fn numbers(told: &Told, filter: &Filter, order: (Sort, u64, u64)) -> (Vec<u64>, u64) {
        let page = told.read.read(|tables| find(tables, &Reach::default(), filter, order)).unwrap().content();
        (page.rows.iter().map(|row| row.number.running()).collect(), page.total)
    }

    #[test]
    fn orders_and_pages() {
        let (told, all) = (told(), Filter::default());
        assert_eq!(numbers(&told, &all, (Sort::Newest, 1, 3)), (vec![7, 6, 5], 7));
        assert_eq!(numbers(&told, &all, (Sort::Newest, 3, 3)), (vec![1], 7));
        assert_eq!(numbers(&told, &all, (Sort::Newest, 4, 3)), (vec![], 7));
        assert_eq!(numbers(&told, &all, (Sort::Oldest, 1, 3)), (vec![1, 2, 3], 7));
        assert_eq!(numbers(&told, &all, (Sort::Number, 2, 3)), (vec![4, 5, 6], 7));
        assert_eq!(numbers(&told, &all, (Sort::LastChanged, 1, 2)), (vec![3, 7], 7));
    }

    #[test]
    fn filters() {
        let told = told();
        let order = (Sort::Newest, 1, 20);
        let filter = Filter { status: vec![Status::InProcess], ..Filter::default() };
        assert_eq!(numbers(&told, &filter, order), (vec![3], 1));
        let filter = Filter { status: vec![Status::Closed], ..Filter::default() };
        assert_eq!(numbers(&told, &filter, order), (vec![], 0));
        let filter = Filter { officer: Some(person(4)), ..Filter::default() };
        assert_eq!(numbers(&told, &filter, order), (vec![3], 1));
        let filter = Filter { employer: Some(employers()[1]), ..Filter::default() };
        assert_eq!(numbers(&told, &filter, order), (vec![], 0));
    }

    #[test]
    fn a_period_is_of_swedish_days_and_both_its_ends_are_in_it() {
        let mut told = told();
        // Past midnight in Sweden, not yet in UTC.
        told.tell("2026-11-17T23:30:00Z", case(8), received(8, 1, "Sent"));
        let day = |day: &str| Some(day.parse().unwrap());
        let order = (Sort::Newest, 1, 20);
        let period = |from, to| Filter { from, to, ..Filter::default() };
        assert_eq!(numbers(&told, &period(day("2026-11-12"), day("2026-11-13")), order), (vec![3, 2], 2));
        assert_eq!(numbers(&told, &period(day("2026-11-17"), None), order), (vec![8, 7], 2));
        assert_eq!(numbers(&told, &period(day("2026-11-18"), None), order), (vec![8], 1));
        assert_eq!(numbers(&told, &period(None, day("2026-11-11")), order), (vec![1], 1));
        assert_eq!(numbers(&told, &period(day("2026-11-13"), day("2026-11-12")), order), (vec![], 0));
    }

    #[test]
    fn only_cases_with_something_to_see() {
        let mut told = told();
        told.tell("2026-11-21T10:00:00Z", case(3), closed("Klart."));
        let filter = Filter { unseen: true, ..Filter::default() };
        assert_eq!(numbers(&told, &filter, (Sort::Newest, 1, 20)), (vec![3], 1));
    }

    #[test]
    fn what_goes_on_from_a_case_is_found_within_a_reach() {
        let mut told = told();
        let mut following = |number, reporter| {
            let mut event = received(number, reporter, "Igen");
            if let Event::CaseReceived { follows_up, .. } = &mut event {
                *follows_up = Some(CaseNumber::new(2026, 3));
            }
            told.tell("2026-11-21T10:00:00Z", case(u128::from(number)), event);
        };
        following(8, 1);
        following(9, 2);
        let found = |reach: Reach, number| {
            let found =
                told.read.read(|tables| super::following(tables, &reach, CaseNumber::new(2026, number)));
            found
                .unwrap()
                .into_iter()
                .map(|(case, number)| (case.0.as_u128(), number.running()))
                .collect::<Vec<_>>()
        };
        assert_eq!(found(Reach::default(), 3), [(8, 8), (9, 9)]);
        assert_eq!(found(Reach { reporters: Some(vec![person(1)]), ..Reach::default() }, 3), [(8, 8)]);
        assert_eq!(found(Reach::default(), 4), []);
        assert_eq!(found(Reach::nothing(), 3), []);
    }

    #[test]
    fn an_officer_without_areas_sees_nothing_in_every_order() {
        let told = told();
        let reach = Reach { areas: Some(Vec::new()), ..Reach::default() };
        let open = Filter { status: vec![Status::Received, Status::InProcess], ..Filter::default() };
        for filter in [Filter::default(), open] {
            for sort in [Sort::Newest, Sort::Oldest, Sort::LastChanged, Sort::Number] {
                let page =
                    told.read.read(|tables| find(tables, &reach, &filter, (sort, 1, 20))).unwrap().content();
                assert_eq!((page.rows.len(), page.total), (0, 0));
            }
        }
    }

    #[test]
    fn what_rights_depend_on() {
        let told = told();
        let known = told.read.read(|tables| standing(tables, CaseId(case(3).0))).unwrap().unwrap();
        assert_eq!((known.reporter, known.registered_by), (Some(person(1)), person(1)));
        assert_eq!((known.employer, known.area), (employers()[0], Area::Ekonomi));
        assert_eq!(told.read.read(|tables| standing(tables, case(99))).unwrap(), None);
    }
}
