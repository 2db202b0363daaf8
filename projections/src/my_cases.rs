//! *Mina ärenden*: a person's cases, previous and current, from the web and by phone: a list over the rows of the queue.

use domain::access::Reach;
use rusqlite::Connection;

use crate::case_row::{self, Filter, List, Page, Sort};
use crate::{ReadError, Unread};

/// A page of the cases that have a reporter, within a reach.
///
/// # Errors
/// When the read models cannot be read.
pub fn find(
    tables: &Connection,
    reach: &Reach,
    filter: &Filter,
    order: (Sort, u64, u64),
) -> Result<Unread<Page>, ReadError> {
    case_row::find(tables, List::Mine, reach, filter, order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::vocabulary::Party;
    use domain::{Area, Event, NoteKind, PersonId, Status};

    use crate::testing::*;

    const AT: &str = "2026-11-23T10:00:00Z";

    fn mine(told: &Told, identities: &[PersonId]) -> Page {
        let reach = Reach { reporters: Some(identities.to_vec()), ..Reach::default() };
        told.read
            .read(|tables| find(tables, &reach, &Filter::default(), (Sort::Newest, 1, 20)))
            .unwrap()
            .content()
    }

    fn numbers(page: &Page) -> Vec<u64> {
        page.rows.iter().map(|row| row.number.running()).collect()
    }

    #[test]
    fn a_persons_cases_newest_first_also_those_by_phone() {
        let mut told = Told::nothing();
        told.tell("2026-11-20T10:00:00Z", case(1), received(1, 1, "Förra veckan"));
        told.tell("2026-11-21T10:00:00Z", case(2), received(2, 30, "Per telefon"));
        told.tell("2026-11-22T10:00:00Z", case(3), received(3, 2, "En annans"));
        told.tell("2026-11-23T10:00:00Z", case(4), received(4, 1, "I dag"));
        assert_eq!(numbers(&mine(&told, &[person(1)])), [4, 1]);
        assert_eq!(numbers(&mine(&told, &[person(1), person(30)])), [4, 2, 1]);
        assert_eq!(mine(&told, &[]).total, 0);
    }

    #[test]
    fn a_row_follows_its_case() {
        let mut told = Told::nothing();
        let row = |told: &Told| mine(told, &[person(1)]).rows.remove(0);
        told.tell(AT, case(1), received(1, 1, "Omföring"));
        let first = row(&told);
        assert_eq!(
            (first.status, first.subject.as_deref(), first.version),
            (Status::Received, Some("Omföring"), 1)
        );
        told.tell("2026-11-23T11:00:00Z", case(1), Event::ProcessingStarted { officer: person(4) });
        let started = row(&told);
        assert_eq!((started.status, started.officer), (Status::InProcess, Some(person(4))));
        assert_eq!(started.started_at, Some(time("2026-11-23T11:00:00Z")));
        let due_date = "2026-12-01".parse().unwrap();
        told.tell(AT, case(1), Event::InformationRequested { due_date, personal: letter("Vilken månad?") });
        assert_eq!(row(&told).due_date, Some(due_date));
        told.tell(AT, case(1), message(Party::Officer, "Vi väntar."));
        assert_eq!(row(&told).due_date, Some(due_date), "the centre does not answer itself");
        told.tell(AT, case(1), message(Party::Customer, "Mars."));
        assert_eq!(row(&told).due_date, None);
        told.tell(AT, case(1), moved(Area::Lon));
        assert_eq!(row(&told).area, Area::Lon);
        told.tell("2026-11-24T11:00:00Z", case(1), closed("Klart."));
        let done = row(&told);
        assert_eq!((done.status, done.version, done.position), (Status::Closed, 7, 7));
        assert_eq!((done.closed_at, done.received_at), (Some(time("2026-11-24T11:00:00Z")), time(AT)));
    }

    #[test]
    fn when_something_hidden_happened_is_hidden() {
        let mut told = Told::nothing();
        told.tell(AT, case(1), received(1, 1, "Omföring"));
        let note = |kind| Event::NoteAdded { kind, personal: letter("Ringde.") };
        told.tell("2026-11-23T11:00:00Z", case(1), note(NoteKind::Working));
        told.tell("2026-11-23T12:00:00Z", case(1), Event::CaseAssigned { officer: person(4) });
        let row = |told: &Told| mine(told, &[person(1)]).rows.remove(0);
        assert_eq!((row(&told).last_at, row(&told).version), (time(AT), 3));
        told.tell("2026-11-23T13:00:00Z", case(1), note(NoteKind::Official));
        assert_eq!(row(&told).last_at, time("2026-11-23T13:00:00Z"));
    }

    #[test]
    fn what_nobody_reports_is_nobodys() {
        let mut told = Told::nothing();
        let mut by_system = received(1, 1, "Från ett system");
        if let Event::CaseReceived { reporter, .. } = &mut by_system {
            *reporter = None;
        }
        told.tell(AT, case(1), by_system).tell(AT, case(1), Event::ProcessingStarted { officer: person(4) });
        let all = told
            .read
            .read(|tables| find(tables, &Reach::default(), &Filter::default(), (Sort::Newest, 1, 20)));
        assert_eq!(all.unwrap().content().total, 0);
    }
}
