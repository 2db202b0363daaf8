//! What the centre has answered and the reporter has not opened yet: the last such event of each case.

use std::collections::HashSet;

use domain::access::Reach;
use domain::vocabulary::Party;
use domain::{CaseId, Event};
use infrastructure::Recorded;
use rusqlite::{Connection, params, params_from_iter};

use crate::narrowing::{Conditions, blob};
use crate::{Projection, ReadError};

/// The projection.
pub struct Seen;

/// Of the rows of the queue, those with something that is not seen yet.
pub(crate) const UNSEEN: &str = "case_id IN (SELECT case_id FROM unseen)";

impl Projection for Seen {
    fn name(&self) -> &'static str {
        "seen"
    }

    fn version(&self) -> u32 {
        1
    }

    // A row is there only as long as there is something to see.
    fn ddl(&self) -> &'static str {
        "CREATE TABLE unseen (case_id BLOB PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        match &event.event {
            Event::InformationRequested { .. }
            | Event::MessageAdded { from: Party::Officer, .. }
            | Event::AttachmentAdded { from: Party::Officer, .. }
            | Event::CaseClosed { .. } => {
                tables
                    .prepare_cached("INSERT OR REPLACE INTO unseen VALUES (?1, ?2)")?
                    .execute(params![event.stream.0, event.version])?;
            }
            Event::CaseSeen { case_id, case_version } => {
                tables
                    .prepare_cached("DELETE FROM unseen WHERE case_id = ?1 AND version <= ?2")?
                    .execute(params![case_id.0, case_version])?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Which of some cases hold something that their reporters have not opened.
///
/// # Errors
/// When the read models cannot be read.
pub fn unseen(
    tables: &Connection,
    cases: impl IntoIterator<Item = CaseId>,
) -> Result<HashSet<CaseId>, ReadError> {
    let mut conditions = Conditions::default();
    conditions.any_of("case_id", cases.into_iter().map(|case| blob(case.0)));
    let sql = format!("SELECT case_id FROM unseen WHERE {}", conditions.sql());
    let mut statement = tables.prepare_cached(&sql)?;
    let found = statement.query_map(params_from_iter(conditions.values()), |row| row.get(0).map(CaseId))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// How many cases within a reach hold something that their reporters have not opened.
///
/// # Errors
/// When the read models cannot be read.
pub fn count(tables: &Connection, reach: &Reach) -> Result<u64, ReadError> {
    let conditions = Conditions::of(reach);
    let sql = format!("SELECT count(*) FROM queue WHERE {} AND {UNSEEN}", conditions.sql());
    let mut statement = tables.prepare_cached(&sql)?;
    Ok(statement.query_row(params_from_iter(conditions.values()), |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const AT: &str = "2026-11-23T10:00:00Z";

    fn is_unseen(told: &Told) -> bool {
        let found = told.read.read(|tables| unseen(tables, [case(1), case(2)])).unwrap();
        assert!(!found.contains(&case(2)), "nothing happened there");
        found.contains(&case(1))
    }

    fn see(told: &mut Told, version: u64) {
        told.tell(AT, case(77), Event::CaseSeen { case_id: case(1), case_version: version });
    }

    #[test]
    fn what_the_centre_says_is_unseen_until_the_case_is_opened_as_it_was_then() {
        let due_date = "2026-12-01".parse().unwrap();
        let said = [
            Event::InformationRequested { due_date, personal: letter("Vilken månad?") },
            message(Party::Officer, "Vi väntar."),
            closed("Klart."),
        ];
        for event in said {
            let mut told = Told::nothing();
            told.tell(AT, case(2), received(2, 1, "Ett annat"));
            told.tell(AT, case(1), received(1, 1, "Omföring"));
            told.tell(AT, case(1), message(Party::Customer, "En sak till."));
            assert!(!is_unseen(&told), "one's own is no answer");
            told.tell(AT, case(1), event.clone());
            assert!(is_unseen(&told), "{event:?}");
            see(&mut told, 2);
            assert!(is_unseen(&told), "what was opened before it came: {event:?}");
            see(&mut told, 3);
            assert!(!is_unseen(&told), "{event:?}");
        }
    }

    #[test]
    fn what_only_the_centre_sees_is_no_answer() {
        let mut told = Told::nothing();
        told.tell(AT, case(1), received(1, 1, "Omföring"));
        told.tell(AT, case(1), Event::ProcessingStarted { officer: person(4) });
        told.tell(AT, case(1), Event::CaseAssigned { officer: person(5) });
        let working = domain::NoteKind::Working;
        told.tell(AT, case(1), Event::NoteAdded { kind: working, personal: letter("Ringde.") });
        told.tell(AT, case(1), moved(domain::Area::EHandel));
        assert!(!is_unseen(&told));
    }

    #[test]
    fn they_are_counted_within_a_reach() {
        let mut told = Told::nothing();
        for (number, reporter) in [(1, 1), (2, 1), (3, 2)] {
            told.tell(AT, case(u128::from(number)), received(number, reporter, "Omföring"));
            told.tell(AT, case(u128::from(number)), closed("Klart."));
        }
        let counted = |told: &Told, reach: Reach| told.read.read(|tables| count(tables, &reach)).unwrap();
        let own = || Reach { reporters: Some(vec![person(1)]), ..Reach::default() };
        assert_eq!(counted(&told, own()), 2);
        assert_eq!(counted(&told, Reach { employers: Some(vec![employers()[1]]), ..own() }), 0);
        assert_eq!(counted(&told, Reach::nothing()), 0);
        see(&mut told, 2);
        assert_eq!(counted(&told, own()), 1);
    }
}
