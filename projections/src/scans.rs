//! The files that the virus scanner had not looked at when they were attached: which still wait for it, and what it has
//! said of the others since.

use domain::files::Scan;
use domain::{AttachmentId, CaseId, Event};
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension, params};

use crate::case_page::Scans as OfCase;
use crate::{Projection, ReadError};

/// The projection.
pub struct Scans;

/// A file that waits for the scanner, and its place among those that do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The position at which it was attached.
    pub position: u64,
    /// The file; none before the first.
    pub file: Option<(AttachmentId, CaseId)>,
}

impl Projection for Scans {
    fn name(&self) -> &'static str {
        "scans"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE scan (attachment_id BLOB PRIMARY KEY, case_id BLOB NOT NULL, position INTEGER NOT NULL,
            outcome TEXT NOT NULL) STRICT, WITHOUT ROWID;
         CREATE INDEX scan_waiting ON scan (position, attachment_id) WHERE outcome = 'waiting';
         CREATE INDEX scan_case ON scan (case_id);"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let put = |file: AttachmentId, case: CaseId, outcome: Scan| {
            let sql = "INSERT INTO scan VALUES (?1, ?2, ?3, ?4) \
                       ON CONFLICT (attachment_id) DO UPDATE SET outcome = excluded.outcome";
            let row = params![file.0, case.0, event.position, outcome.code()];
            tables.prepare_cached(sql)?.execute(row)
        };
        if let Event::FileScanned { case_id, attachment_id, outcome, .. } = &event.event {
            put(*attachment_id, *case_id, *outcome)?;
        }
        let files = event.event.attachment_ids().iter().zip(event.event.stored_files());
        for (file, _) in files.filter(|(_, stored)| stored.scan == Some(Scan::Waiting)) {
            put(*file, CaseId(event.stream.0), Scan::Waiting)?;
        }
        Ok(())
    }
}

/// The first of the waiting files that come after a place.
///
/// # Errors
/// When the read models cannot be read.
pub fn waiting_after(tables: &Connection, place: Place) -> Result<Option<Place>, ReadError> {
    let sql = "SELECT position, attachment_id, case_id FROM scan \
               WHERE outcome = 'waiting' AND (position, attachment_id) > (?1, ?2) \
               ORDER BY position, attachment_id LIMIT 1";
    let file = place.file.map(|(file, _)| file.0).unwrap_or_default();
    let found = tables.prepare_cached(sql)?.query_row(params![place.position, file], |row| {
        Ok(Place { position: row.get(0)?, file: Some((AttachmentId(row.get(1)?), CaseId(row.get(2)?))) })
    });
    Ok(found.optional()?)
}

/// How many files wait.
///
/// # Errors
/// When the read models cannot be read.
pub fn waiting(tables: &Connection) -> Result<u32, ReadError> {
    let sql = "SELECT count(*) FROM scan WHERE outcome = 'waiting'";
    Ok(tables.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// What is known now of the files of a case that waited.
pub(crate) fn of_case(tables: &Connection, case: CaseId) -> Result<OfCase, ReadError> {
    let mut statement =
        tables.prepare_cached("SELECT attachment_id, outcome FROM scan WHERE case_id = ?1")?;
    let rows =
        statement.query_map([case.0], |row| Ok((AttachmentId(row.get(0)?), row.get::<_, String>(1)?)))?;
    let mut scans = OfCase::new();
    for row in rows {
        let (file, outcome) = row?;
        let outcome = Scan::parse(&outcome).ok_or_else(|| ReadError::Row(format!("no scan is {outcome}")))?;
        scans.insert(file, outcome);
    }
    Ok(scans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case_page;
    use crate::testing::*;
    use domain::StreamId;
    use domain::vocabulary::Party;

    const AT: &str = "2026-11-23T10:00:00Z";

    fn attached(files: &[(u128, Option<Scan>)]) -> Event {
        let Event::AttachmentAdded { stored_files, personal, .. } = sample("AttachmentAdded") else {
            panic!()
        };
        let domain::Sealed::Open(mut content) = personal else { panic!() };
        let card = content.files.remove(0);
        let id = |id| AttachmentId(uuid::Uuid::from_u128(id));
        let stored = |scan| domain::files::StoredFile { scan, ..stored_files[0].clone() };
        let card = |file| domain::files::FileCard { attachment_id: id(file), ..card.clone() };
        content.files = files.iter().map(|(file, _)| card(*file)).collect();
        Event::AttachmentAdded {
            from: Party::Customer,
            attachment_ids: files.iter().map(|(file, _)| id(*file)).collect(),
            stored_files: files.iter().map(|(_, scan)| stored(*scan)).collect(),
            personal: domain::Sealed::Open(content),
        }
    }

    fn scanned(told: &mut Told, file: u128, outcome: Scan) {
        let (case_id, id) = (case(1), uuid::Uuid::from_u128(file));
        let event = Event::FileScanned {
            case_id,
            attachment_id: AttachmentId(id),
            from: Party::Customer,
            outcome,
            signature: None,
        };
        told.tell(AT, StreamId(id), event);
    }

    fn files_waiting(told: &Told) -> Vec<u128> {
        let mut place = Place::default();
        let next = |place| told.read.read(|tables| waiting_after(tables, place)).unwrap();
        let mut files = Vec::new();
        while let Some(found) = next(place) {
            place = found;
            files.push(found.file.unwrap().0.0.as_u128());
        }
        assert_eq!(told.read.read(waiting).unwrap() as usize, files.len());
        files
    }

    #[test]
    fn what_waits_comes_in_order_until_the_scanner_has_answered() {
        let mut told = Told::nothing();
        let waiting = Some(Scan::Waiting);
        told.tell(AT, case(1), received(1, 1, "Ämne"));
        told.tell(AT, case(1), attached(&[(7, waiting), (5, Some(Scan::Clean)), (6, None), (9, waiting)]));
        told.tell(AT, case(1), attached(&[(3, waiting)]));
        assert_eq!(files_waiting(&told), [7, 9, 3]);
        scanned(&mut told, 9, Scan::Infected);
        scanned(&mut told, 3, Scan::Clean);
        assert_eq!(files_waiting(&told), [7]);
        let view = told.read.read(|tables| case_page::by_id(tables, case(1))).unwrap().unwrap().content();
        assert_eq!(view.version, 3, "no scan moves the version of a case");
        let scans: Vec<_> = view.attachments.iter().map(|file| view.scan(file.card.attachment_id)).collect();
        assert_eq!(scans, [waiting, Some(Scan::Clean), None, Some(Scan::Infected), Some(Scan::Clean)]);
    }
}
