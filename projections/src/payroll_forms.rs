//! The payroll forms (*löneblanketter*) that were published, every version with its file.

use chrono::{DateTime, Utc};
use domain::files::{FileCard, Scan};
use domain::{Event, PersonId, StreamId};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Projection, ReadError};

/// The projection.
pub struct PayrollForms;

/// A payroll form after one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayrollForm {
    /// Its code, `L-101`.
    pub code: String,
    /// Its Swedish name.
    pub name_sv: String,
    /// Its English name.
    pub name_en: String,
    /// The version of its stream; 0 where nothing was published.
    pub version: u64,
    /// Whether it was taken out of use.
    pub withdrawn: bool,
    /// When this came about, and by whom; none where nothing was published.
    pub by: Option<(DateTime<Utc>, PersonId)>,
    /// Its file, of this version or an earlier one.
    pub file: Option<FormFile>,
}

/// The file of a payroll form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormFile {
    /// What is needed to open it.
    pub card: FileCard,
    /// What the virus scanner says of it now; none where there was no scanner.
    pub scan: Option<Scan>,
    /// When it was published.
    pub at: DateTime<Utc>,
}

impl Projection for PayrollForms {
    fn name(&self) -> &'static str {
        "payroll_forms"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE payroll_form (form_id BLOB NOT NULL, version INTEGER NOT NULL, code TEXT NOT NULL,
            name_sv TEXT NOT NULL, name_en TEXT NOT NULL, withdrawn INTEGER NOT NULL, at INTEGER NOT NULL,
            actor BLOB NOT NULL, file_id BLOB, card TEXT, scan TEXT, file_at INTEGER,
            PRIMARY KEY (form_id, version)) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let (id, at) = (event.stream, event.recorded_at);
        let before = form(tables, id)?;
        let (code, name_sv, name_en, withdrawn) = match (&event.event, &before) {
            (Event::PayrollFormPublished { code, name_sv, name_en, .. }, _) => {
                (code, name_sv, name_en, false)
            }
            (Event::PayrollFormWithdrawn {}, Some(before)) => {
                (&before.code, &before.name_sv, &before.name_en, true)
            }
            _ => return Ok(()),
        };
        let files = event.event.files().iter().zip(event.event.stored_files());
        let own = files.map(|(card, stored)| FormFile { card: card.clone(), scan: stored.scan, at }).next();
        let file = own.or_else(|| before.as_ref().and_then(|before| before.file.clone()));
        let file = file.as_ref();
        let sql = "INSERT INTO payroll_form VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        tables.prepare_cached(sql)?.execute(params![
            id.0,
            event.version,
            code,
            name_sv,
            name_en,
            withdrawn,
            at.timestamp_micros(),
            event.actor.0,
            file.map(|file| file.card.attachment_id.0),
            file.map(|file| serde_json::to_string(&file.card)).transpose()?,
            file.and_then(|file| file.scan).map(Scan::code),
            file.map(|file| file.at.timestamp_micros()),
        ])?;
        Ok(())
    }
}

/// What is read of a version, with what is known now of a file that waited for the scanner.
const SELECT: &str = "SELECT version, code, name_sv, name_en, withdrawn, at, actor, card, coalesce(outcome, form.scan), \
                      file_at FROM payroll_form AS form LEFT JOIN scan ON attachment_id = file_id";

/// Every form that was published, as it is now, by code.
///
/// # Errors
/// When the read models cannot be read.
pub fn forms(tables: &Connection) -> Result<Vec<PayrollForm>, ReadError> {
    let sql = format!(
        "{SELECT} WHERE version = (SELECT max(version) FROM payroll_form AS own WHERE own.form_id = form.form_id) \
         ORDER BY code"
    );
    let forms = tables.prepare_cached(&sql)?.query_map([], read)?.collect::<Result<_, _>>()?;
    Ok(forms)
}

/// A form as it is now.
///
/// # Errors
/// When the read models cannot be read.
pub fn form(tables: &Connection, id: StreamId) -> Result<Option<PayrollForm>, ReadError> {
    let sql = format!("{SELECT} WHERE form_id = ?1 ORDER BY version DESC LIMIT 1");
    Ok(tables.prepare_cached(&sql)?.query_row([id.0], read).optional()?)
}

/// Every version of a form, newest first.
///
/// # Errors
/// When the read models cannot be read.
pub fn versions(tables: &Connection, id: StreamId) -> Result<Vec<PayrollForm>, ReadError> {
    let sql = format!("{SELECT} WHERE form_id = ?1 ORDER BY version DESC");
    let versions = tables.prepare_cached(&sql)?.query_map([id.0], read)?.collect::<Result<_, _>>()?;
    Ok(versions)
}

fn read(row: &Row<'_>) -> Result<PayrollForm, rusqlite::Error> {
    let (card, scan): (Option<String>, Option<String>) = (row.get(7)?, row.get(8)?);
    let card = card.map(|card| serde_json::from_str(&card)).transpose();
    let card = card.map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(7, rusqlite::types::Type::Text, Box::new(error))
    })?;
    let file_at = row.get::<_, Option<i64>>(9)?.map(from_micros).unwrap_or_default();
    Ok(PayrollForm {
        version: row.get(0)?,
        code: row.get(1)?,
        name_sv: row.get(2)?,
        name_en: row.get(3)?,
        withdrawn: row.get(4)?,
        by: Some((from_micros(row.get(5)?), PersonId(row.get(6)?))),
        file: card.map(|card| FormFile { card, scan: scan.as_deref().and_then(Scan::parse), at: file_at }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::files::StoredFile;
    use domain::vocabulary::Party;
    use domain::{AttachmentId, CaseId, Sealed};
    use uuid::Uuid;

    use crate::testing::*;

    const FIRST: &str = "2026-11-23T10:00:00Z";
    const SECOND: &str = "2026-11-24T10:00:00Z";

    fn id(number: u128) -> StreamId {
        StreamId(Uuid::from_u128(number))
    }

    /// A form, with a file of this id if there is one.
    fn published(code: &str, name: &str, file: Option<(u128, Option<Scan>)>) -> Event {
        let Event::PayrollFormPublished { mut stored_files, personal: Sealed::Open(mut files), .. } =
            sample("PayrollFormPublished")
        else {
            panic!()
        };
        let file = file.map(|(file, scan)| (AttachmentId(Uuid::from_u128(file)), scan));
        stored_files.retain(|_| file.is_some());
        files.files.retain(|_| file.is_some());
        let attachment_ids = file.iter().map(|(file, _)| *file).collect();
        if let Some((id, scan)) = file {
            stored_files = vec![StoredFile { scan, ..stored_files[0].clone() }];
            files.files[0].attachment_id = id;
        }
        Event::PayrollFormPublished {
            code: code.to_owned(),
            name_sv: name.to_owned(),
            name_en: format!("{name} (en)"),
            attachment_ids,
            stored_files,
            personal: Sealed::Open(files),
        }
    }

    /// Version, name, whether it is withdrawn, and the file with its time.
    type Short = (u64, String, bool, Option<(u128, DateTime<Utc>)>);

    fn short(form: &PayrollForm) -> Short {
        let file = form.file.as_ref().map(|file| (file.card.attachment_id.0.as_u128(), file.at));
        (form.version, form.name_sv.clone(), form.withdrawn, file)
    }

    #[test]
    fn a_file_stays_until_a_newer_one_comes_and_every_version_is_kept() {
        let mut told = Told::nothing();
        told.tell(FIRST, id(2), published("L-2", "Två", None));
        told.tell(FIRST, id(1), published("L-1", "Ett", Some((7, None))));
        told.tell(SECOND, id(1), published("L-1", "Ett, nytt namn", None));
        told.tell(SECOND, id(1), published("L-1", "Ett, ny fil", Some((8, None))));
        told.tell(SECOND, id(1), Event::PayrollFormWithdrawn {});
        // What was never published cannot be withdrawn.
        told.tell(SECOND, id(3), Event::PayrollFormWithdrawn {});
        let row = |version, name: &str, withdrawn, file: Option<(u128, &str)>| {
            (version, name.to_owned(), withdrawn, file.map(|(file, at)| (file, time(at))))
        };
        let all = told.read.read(forms).unwrap();
        let expected = [row(4, "Ett, ny fil", true, Some((8, SECOND))), row(1, "Två", false, None)];
        assert_eq!(all.iter().map(short).collect::<Vec<_>>(), expected);
        assert_eq!(all[0].by, Some((time(SECOND), person(9))));
        let history = told.read.read(|tables| versions(tables, id(1))).unwrap();
        let expected = [
            row(4, "Ett, ny fil", true, Some((8, SECOND))),
            row(3, "Ett, ny fil", false, Some((8, SECOND))),
            row(2, "Ett, nytt namn", false, Some((7, FIRST))),
            row(1, "Ett", false, Some((7, FIRST))),
        ];
        assert_eq!(history.iter().map(short).collect::<Vec<_>>(), expected);
        assert_eq!(told.read.read(|tables| form(tables, id(1))).unwrap(), Some(all[0].clone()));
        assert_eq!(told.read.read(|tables| form(tables, id(3))).unwrap(), None);
    }

    #[test]
    fn a_file_that_waited_is_known_as_what_the_scanner_found() {
        let mut told = Told::nothing();
        told.tell(FIRST, id(1), published("L-1", "Ett", Some((7, Some(Scan::Waiting)))));
        let scan = |told: &Told| {
            let form = told.read.read(|tables| form(tables, id(1))).unwrap().unwrap();
            form.file.unwrap().scan
        };
        assert_eq!(scan(&told), Some(Scan::Waiting));
        let scanned = Event::FileScanned {
            case_id: CaseId(id(1).0),
            attachment_id: AttachmentId(Uuid::from_u128(7)),
            from: Party::Officer,
            outcome: Scan::Infected,
            signature: None,
        };
        told.tell(SECOND, id(7), scanned);
        assert_eq!(scan(&told), Some(Scan::Infected));
        told.tell(SECOND, id(1), published("L-1", "Ett", Some((8, Some(Scan::Clean)))));
        assert_eq!(scan(&told), Some(Scan::Clean));
    }
}
