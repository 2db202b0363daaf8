//! The timeline: every event of a case, with what its readers may see of it.

use chrono::{DateTime, Utc};
use domain::{CaseId, Event, PersonId};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, params};

use crate::{Projection, ReadError, Unread};

/// The projection.
pub struct Timeline;

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event in the API")]
pub struct Entry {
    pub position: u64,
    pub version: u64,
    pub at: DateTime<Utc>,
    pub actor: PersonId,
    pub event_type: String,
    /// JSON text.
    pub facts: String,
    /// JSON text; none where there is no personal part or it is gone.
    pub personal: Option<String>,
}

impl Entry {
    /// The event itself.
    ///
    /// # Errors
    /// When the row does not hold one.
    pub fn event(&self) -> Result<Event, ReadError> {
        let personal = self.personal.as_deref().map(str::as_bytes);
        Ok(Event::from_stored(&self.event_type, &self.facts, personal)?)
    }
}

impl Projection for Timeline {
    fn name(&self) -> &'static str {
        "timeline"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE timeline (case_id BLOB NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
            at INTEGER NOT NULL, actor BLOB NOT NULL, type TEXT NOT NULL, facts TEXT NOT NULL, personal TEXT,
            for_customer INTEGER NOT NULL, PRIMARY KEY (case_id, version)) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let Some(for_customer) = event.event.for_customer() else { return Ok(()) };
        tables.prepare_cached("INSERT INTO timeline VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(
            params![
                event.stream.0,
                event.version,
                event.position,
                event.recorded_at.timestamp_micros(),
                event.actor.0,
                event.event.type_name(),
                event.event.facts_json(),
                event.event.personal_json(),
                for_customer,
            ],
        )?;
        Ok(())
    }
}

/// The timeline of a case, oldest first; what only the centre sees is left out unless `whole`.
///
/// # Errors
/// When the read models cannot be read.
pub fn of_case(tables: &Connection, case: CaseId, whole: bool) -> Result<Unread<Vec<Entry>>, ReadError> {
    Ok(Unread::new(entries(tables, case, whole)?, vec![(case, None)]))
}

pub(crate) fn entries(tables: &Connection, case: CaseId, whole: bool) -> Result<Vec<Entry>, ReadError> {
    let sql = "SELECT position, version, at, actor, type, facts, personal FROM timeline \
               WHERE case_id = ?1 AND (for_customer OR ?2) ORDER BY version";
    let entries = tables
        .prepare_cached(sql)?
        .query_map(params![case.0, whole], |row| {
            Ok(Entry {
                position: row.get(0)?,
                version: row.get(1)?,
                at: from_micros(row.get(2)?),
                actor: PersonId(row.get(3)?),
                event_type: row.get(4)?,
                facts: row.get(5)?,
                personal: row.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::vocabulary::{NoteKind, Party};

    use crate::testing::*;

    fn told() -> Told {
        let mut told = Told::nothing();
        let note = |kind| Event::NoteAdded { kind, personal: letter("Ringde.") };
        for event in [
            received(1, 1, "Omföring"),
            Event::CaseAssigned { officer: person(4) },
            Event::ProcessingStarted { officer: person(4) },
            note(NoteKind::Working),
            note(NoteKind::Official),
            moved(domain::Area::EHandel),
            message(Party::Officer, "Hej"),
            closed("Klart."),
        ] {
            told.tell("2026-11-23T10:00:00Z", case(1), event);
            told.tell("2026-11-23T10:00:00Z", case(2), Event::NoticeResolved {});
        }
        told
    }

    fn versions(told: &Told, whole: bool) -> Vec<u64> {
        let entries = told.read.read(|tables| entries(tables, case(1), whole)).unwrap();
        entries.iter().map(|entry| entry.version).collect()
    }

    #[test]
    fn the_centre_sees_everything_and_the_reporter_what_is_theirs() {
        let told = told();
        assert_eq!(versions(&told, true), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            versions(&told, false),
            [1, 3, 5, 7, 8],
            "no working note, assignment or reclassification"
        );
        assert_eq!(told.read.read(|tables| entries(tables, case(2), true)).unwrap(), []);
    }

    #[test]
    fn an_entry_holds_what_the_log_holds() {
        let told = told();
        let entries = told.read.read(|tables| entries(tables, case(1), true)).unwrap();
        for (entry, event) in entries.iter().zip(told.events.iter().step_by(2)) {
            assert_eq!(
                (entry.position, entry.at, entry.actor),
                (event.position, event.recorded_at, event.actor)
            );
            assert_eq!(entry.event_type, event.event.type_name());
            assert_eq!(
                (&entry.facts, &entry.personal),
                (&event.event.facts_json(), &event.event.personal_json())
            );
        }
    }
}
