//! Operational status (*driftstatus*): what is disturbed or planned, and what was.

use chrono::{DateTime, Utc};
use domain::service_status::{NoticeKind, Progress};
use domain::{Event, StreamId, System};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Projection, ReadError};

/// The projection.
pub struct ServiceStatus;

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct Notice {
    pub id: StreamId,
    /// The version of its stream.
    pub version: u64,
    pub kind: NoticeKind,
    /// None: Kundwebb itself.
    pub system: Option<System>,
    pub title_sv: String,
    pub title_en: String,
    pub body_sv: String,
    pub body_en: String,
    pub advice_sv: String,
    pub advice_en: String,
    pub starts: DateTime<Utc>,
    pub ends: Option<DateTime<Utc>>,
    pub next_update: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
}

impl Notice {
    /// What a notice says after an event of its stream, with its version and time.
    pub fn after(
        before: Option<Self>,
        (id, version, at): (StreamId, u64, DateTime<Utc>),
        event: &Event,
    ) -> Option<Self> {
        match event.clone() {
            Event::NoticePublished {
                kind,
                system,
                title_sv,
                title_en,
                body_sv,
                body_en,
                advice_sv,
                advice_en,
                starts,
                ends,
                next_update,
            } => Some(Self {
                id,
                version,
                kind,
                system,
                title_sv,
                title_en,
                body_sv,
                body_en,
                advice_sv,
                advice_en,
                starts: from_micros(starts),
                ends: ends.map(from_micros),
                next_update: next_update.map(from_micros),
                updated_at: at,
                resolved_at: None,
            }),
            Event::NoticeResolved {} => {
                before.map(|before| Self { version, updated_at: at, resolved_at: Some(at), ..before })
            }
            _ => before,
        }
    }

    /// How far what it tells of has come.
    pub fn progress(&self, now: DateTime<Utc>) -> Progress {
        Progress::at(now, self.kind, (self.starts, self.ends, self.resolved_at))
    }
}

/// What a notice said from a moment on; nothing where it said that all is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct Update {
    pub at: DateTime<Utc>,
    pub text: Option<UpdateText>,
}

/// The words of an [`Update`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct UpdateText {
    pub title_sv: String,
    pub title_en: String,
    pub body_sv: String,
    pub body_en: String,
}

impl Projection for ServiceStatus {
    fn name(&self) -> &'static str {
        "service_status"
    }

    fn version(&self) -> u32 {
        2
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE notice (notice_id BLOB PRIMARY KEY, version INTEGER NOT NULL, kind TEXT NOT NULL, system TEXT,
            title_sv TEXT NOT NULL, title_en TEXT NOT NULL, body_sv TEXT NOT NULL, body_en TEXT NOT NULL,
            advice_sv TEXT NOT NULL, advice_en TEXT NOT NULL, starts INTEGER NOT NULL, ends INTEGER,
            next_update INTEGER, updated_at INTEGER NOT NULL, resolved_at INTEGER) STRICT, WITHOUT ROWID;
         CREATE TABLE notice_update (notice_id BLOB NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,
            title_sv TEXT, title_en TEXT, body_sv TEXT, body_en TEXT, PRIMARY KEY (notice_id, version))
            STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let id = event.stream;
        if !matches!(event.event, Event::NoticePublished { .. } | Event::NoticeResolved {}) {
            return Ok(());
        }
        let before = notice(tables, id)?;
        let Some(now) = Notice::after(before, (id, event.version, event.recorded_at), &event.event) else {
            return Ok(());
        };
        let micros = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros());
        let sql = "INSERT OR REPLACE INTO notice \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
        let updated = now.updated_at.timestamp_micros();
        tables.prepare_cached(sql)?.execute(params![
            id.0,
            now.version,
            now.kind.code(),
            now.system.map(System::code),
            now.title_sv,
            now.title_en,
            now.body_sv,
            now.body_en,
            now.advice_sv,
            now.advice_en,
            now.starts.timestamp_micros(),
            micros(now.ends),
            micros(now.next_update),
            updated,
            micros(now.resolved_at),
        ])?;
        let over = now.resolved_at.is_some();
        let said = |text: String| Some(text).filter(|_| !over);
        let words = [now.title_sv, now.title_en, now.body_sv, now.body_en].map(said);
        let sql = "INSERT OR REPLACE INTO notice_update VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let values = params![id.0, now.version, updated, words[0], words[1], words[2], words[3]];
        tables.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}

/// The latest notices, newest first: those that are not over, then history.
///
/// # Errors
/// When the read models cannot be read.
pub fn notices(tables: &Connection, limit: u32) -> Result<Vec<Notice>, ReadError> {
    let sql = "SELECT * FROM notice ORDER BY resolved_at IS NOT NULL, starts DESC, notice_id LIMIT ?1";
    let notices = tables.prepare_cached(sql)?.query_map([limit], read_notice)?.collect::<Result<_, _>>()?;
    Ok(notices)
}

/// A notice.
///
/// # Errors
/// When the read models cannot be read.
pub fn notice(tables: &Connection, id: StreamId) -> Result<Option<Notice>, ReadError> {
    let mut statement = tables.prepare_cached("SELECT * FROM notice WHERE notice_id = ?1")?;
    Ok(statement.query_row([id.0], read_notice).optional()?)
}

/// What a notice has said, newest first.
///
/// # Errors
/// When the read models cannot be read.
pub fn updates(tables: &Connection, id: StreamId) -> Result<Vec<Update>, ReadError> {
    let sql = "SELECT at, title_sv, title_en, body_sv, body_en FROM notice_update \
               WHERE notice_id = ?1 ORDER BY version DESC";
    let read = |row: &Row<'_>| {
        let title_sv: Option<String> = row.get(1)?;
        let text = title_sv.map(|title_sv| {
            let (title_en, body_sv, body_en) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok::<_, rusqlite::Error>(UpdateText { title_sv, title_en, body_sv, body_en })
        });
        Ok(Update { at: from_micros(row.get(0)?), text: text.transpose()? })
    };
    let updates = tables.prepare_cached(sql)?.query_map([id.0], read)?.collect::<Result<_, _>>()?;
    Ok(updates)
}

fn read_notice(row: &Row<'_>) -> Result<Notice, rusqlite::Error> {
    let (kind, system): (String, Option<String>) = (row.get(2)?, row.get(3)?);
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|time| time.map(from_micros));
    Ok(Notice {
        id: StreamId(row.get(0)?),
        version: row.get(1)?,
        kind: NoticeKind::parse(&kind).unwrap_or(NoticeKind::Disruption),
        system: system.as_deref().and_then(System::parse),
        title_sv: row.get(4)?,
        title_en: row.get(5)?,
        body_sv: row.get(6)?,
        body_en: row.get(7)?,
        advice_sv: row.get(8)?,
        advice_en: row.get(9)?,
        starts: from_micros(row.get(10)?),
        ends: time(11)?,
        next_update: time(12)?,
        updated_at: from_micros(row.get(13)?),
        resolved_at: time(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    use crate::testing::*;

    fn published(hour: i64, title: &str) -> Event {
        let mut event = sample("NoticePublished");
        if let Event::NoticePublished { title_sv, starts, .. } = &mut event {
            (*title_sv, *starts) = (title.to_owned(), hour * 3_600_000_000);
        }
        event
    }

    fn titles(told: &Told, limit: u32) -> Vec<(String, bool)> {
        let found = told.read.read(|tables| notices(tables, limit)).unwrap();
        found.into_iter().map(|notice| (notice.title_sv, notice.resolved_at.is_some())).collect()
    }

    #[test]
    fn what_is_not_over_comes_first_and_newest_first() {
        let mut told = Told::nothing();
        let id = |number: u128| StreamId(Uuid::from_u128(number));
        let at = "2026-11-23T10:00:00Z";
        told.tell(at, id(1), published(1, "Ett")).tell(at, id(2), published(2, "Två")).tell(
            at,
            id(3),
            published(3, "Tre"),
        );
        told.tell("2026-11-23T11:00:00Z", id(3), Event::NoticeResolved {});
        let title = |text: &str, over| (text.to_owned(), over);
        assert_eq!(titles(&told, 10), [title("Två", false), title("Ett", false), title("Tre", true)]);
        assert_eq!(titles(&told, 1), [title("Två", false)]);
        let over = told.read.read(|tables| notices(tables, 10)).unwrap().remove(2);
        assert_eq!(over.resolved_at, Some(time("2026-11-23T11:00:00Z")));
        assert_eq!((over.system, over.kind), (Some(System::Primula), NoticeKind::Disruption));
        assert_eq!(over.version, 2);
        let said = |told: &Told, number| {
            let said = told.read.read(|tables| updates(tables, id(number))).unwrap();
            said.into_iter().map(|update| update.text.map(|text| text.title_sv)).collect::<Vec<_>>()
        };
        assert_eq!(said(&told, 3), [None, Some("Tre".to_owned())]);
        // An update replaces the notice, and one that had been over is open again.
        told.tell(at, id(3), published(3, "Tre igen")).tell(at, id(1), published(1, "Ett, nytt"));
        assert_eq!(
            titles(&told, 10),
            [title("Tre igen", false), title("Två", false), title("Ett, nytt", false)]
        );
        assert_eq!(said(&told, 3).len(), 3);
        let found = |number| told.read.read(|tables| notice(tables, id(number))).unwrap();
        assert_eq!((found(1).map(|notice| notice.version), found(9)), (Some(2), None));
    }
}
