//! The queue: every case, for officers, auditors and the systems that created them.

use domain::CaseId;
use domain::access::{Reach, Standing};
use domain::{Area, OrganisationNumber, PersonId};
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension};

use crate::case_row::{self, Filter, Page, Readers, Sort, case_row_table};
use crate::{Projection, ReadError};

/// The projection.
pub struct Queue;

impl Projection for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        concat!(
            case_row_table!("queue"),
            "CREATE INDEX queue_by_received ON queue (received_at);
             CREATE INDEX queue_by_status ON queue (status, received_at);
             CREATE INDEX queue_by_creator ON queue (registered_by, received_at);
             CREATE INDEX queue_by_employer ON queue (employer, received_at);"
        )
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        case_row::apply(tables, ("queue", Readers::Centre), event)
    }
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
) -> Result<Page, ReadError> {
    case_row::find(tables, "queue", reach, filter, order)
}

/// What rights to a case depend on; `None` when there is no such case.
///
/// # Errors
/// When the read models cannot be read.
pub fn standing(tables: &Connection, case: CaseId) -> Result<Option<Standing>, ReadError> {
    let sql = "SELECT employer, area, reporter, registered_by FROM queue WHERE case_id = ?1";
    let row: Option<(String, String, Option<_>, _)> = tables
        .prepare_cached(sql)?
        .query_row([case.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((employer, area, reporter, registered_by)) = row else { return Ok(None) };
    let wrong = || ReadError::Row("a case row holds no employer or area".to_owned());
    Ok(Some(Standing {
        employer: OrganisationNumber::parse(&employer).ok_or_else(wrong)?,
        area: Area::parse(&area).ok_or_else(wrong)?,
        reporter: reporter.map(PersonId),
        registered_by: PersonId(registered_by),
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
        let page = told.read.read(|tables| find(tables, &Reach::default(), filter, order)).unwrap();
        (page.rows.iter().map(|row| row.number.running()).collect(), page.total)
    }

    #[test]
    fn orders_and_pages() {
        let (told, all) = (told(), Filter::default());
        assert_eq!(numbers(&told, &all, (Sort::Newest, 1, 3)), (vec![7, 6, 5], 7));
        assert_eq!(numbers(&told, &all, (Sort::Newest, 3, 3)), (vec![1], 7));
        assert_eq!(numbers(&told, &all, (Sort::Newest, 4, 3)), (vec![], 7));
        assert_eq!(numbers(&told, &all, (Sort::Oldest, 1, 3)), (vec![1, 2, 3], 7));
        assert_eq!(numbers(&told, &all, (Sort::LastChanged, 1, 2)), (vec![3, 7], 7));
    }

    #[test]
    fn numbers_are_in_order_also_when_they_grow_longer() {
        let mut told = Told::nothing();
        let by_number = [(2026, 999_999), (2026, 1_000_000), (2027, 1)];
        for (id, (year, running)) in by_number.into_iter().rev().enumerate() {
            let mut event = received(1, 1, "Omföring");
            if let Event::CaseReceived { case_number, .. } = &mut event {
                *case_number = domain::CaseNumber::new(year, running);
            }
            told.tell("2026-11-23T10:00:00Z", case(id as u128 + 1), event);
        }
        let order = numbers(&told, &Filter::default(), (Sort::Number, 1, 20)).0;
        assert_eq!(order, [999_999, 1_000_000, 1]);
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
    fn what_rights_depend_on() {
        let told = told();
        let known = told.read.read(|tables| standing(tables, CaseId(case(3).0))).unwrap().unwrap();
        assert_eq!((known.reporter, known.registered_by), (Some(person(1)), person(1)));
        assert_eq!((known.employer, known.area), (employers()[0], Area::Ekonomi));
        assert_eq!(told.read.read(|tables| standing(tables, case(99))).unwrap(), None);
    }
}
