//! Whether closed cases were of help, as their reporters have said.

use chrono::{DateTime, Utc};
use domain::satisfaction::Helped;
use domain::{CaseId, Event};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{Projection, ReadError, Unread};

/// The projection.
pub struct Satisfaction;

/// What a reporter has said of a closed case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it was of help.
    pub helped: Helped,
    /// What the reporter wrote; none when nothing was, or it is gone.
    pub text: Option<String>,
}

impl Projection for Satisfaction {
    fn name(&self) -> &'static str {
        "satisfaction"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE satisfaction (
            case_id BLOB PRIMARY KEY, at INTEGER NOT NULL, helped TEXT NOT NULL, text TEXT) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let Event::SatisfactionGiven { case_id, helped, personal } = &event.event else { return Ok(()) };
        let text = personal.open().and_then(|opinion| opinion.text.as_ref());
        // What was said first holds.
        tables.prepare_cached("INSERT OR IGNORE INTO satisfaction VALUES (?1, ?2, ?3, ?4)")?.execute(
            params![
                case_id.0,
                event.recorded_at.timestamp_micros(),
                helped.code(),
                text.map(domain::text::Body::as_str),
            ],
        )?;
        Ok(())
    }
}

/// What the reporter of a case has said of it, if anything.
///
/// # Errors
/// When the read models cannot be read.
pub fn of_case(tables: &Connection, case: CaseId) -> Result<Unread<Option<Given>>, ReadError> {
    let sql = "SELECT at, helped, text FROM satisfaction WHERE case_id = ?1";
    let row = tables
        .prepare_cached(sql)?
        .query_row([case.0], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)));
    let given = row.optional()?.and_then(|(at, helped, text)| {
        Some(Given { at: from_micros(at), helped: Helped::parse(&helped)?, text })
    });
    Ok(Unread::new(given, vec![(case, None)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Sealed;
    use domain::event::Opinion;

    use crate::testing::*;

    fn said(helped: Helped, text: &str) -> Event {
        let personal = Sealed::Open(Opinion { text: Some(body(text)) });
        Event::SatisfactionGiven { case_id: case(1), helped, personal }
    }

    fn given(told: &Told, number: u128) -> Option<Given> {
        told.read.read(|tables| of_case(tables, case(number))).unwrap().content()
    }

    #[test]
    fn what_was_said_first_of_a_case_holds() {
        let mut told = Told::nothing();
        assert_eq!(given(&told, 1), None);
        told.tell("2026-11-23T10:00:00Z", case(50), said(Helped::Partly, "Nästan."));
        told.tell("2026-11-23T11:00:00Z", case(51), said(Helped::No, "Nej."));
        let first = Given {
            at: time("2026-11-23T10:00:00Z"),
            helped: Helped::Partly,
            text: Some("Nästan.".to_owned()),
        };
        assert_eq!(given(&told, 1), Some(first));
        assert_eq!(given(&told, 2), None);
    }

    #[test]
    fn what_was_written_goes_with_its_key() {
        let mut told = Told::nothing();
        told.tell("2026-11-23T10:00:00Z", case(50), said(Helped::Yes, "Tack!").gone());
        let given = given(&told, 1).unwrap();
        assert_eq!((given.helped, given.text), (Helped::Yes, None));
    }
}
