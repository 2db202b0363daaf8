//! Operational status (*driftstatus*): what is disturbed or planned, and what was.

use chrono::{DateTime, Utc};
use domain::service_status::NoticeKind;
use domain::{Event, StreamId, System};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, Row, params};

use crate::{Projection, ReadError};

/// The projection.
pub struct ServiceStatus;

/// A notice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct Notice {
    pub id: StreamId,
    pub kind: NoticeKind,
    /// None: Kundwebb itself.
    pub system: Option<System>,
    pub title_sv: String,
    pub title_en: String,
    pub body_sv: String,
    pub body_en: String,
    pub starts: DateTime<Utc>,
    pub ends: Option<DateTime<Utc>>,
    pub next_update: Option<DateTime<Utc>>,
    pub updated_at: DateTime<Utc>,
    pub resolved_at: Option<DateTime<Utc>>,
}

impl Projection for ServiceStatus {
    fn name(&self) -> &'static str {
        "service_status"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE notice (notice_id BLOB PRIMARY KEY, kind TEXT NOT NULL, system TEXT, title_sv TEXT NOT NULL,
            title_en TEXT NOT NULL, body_sv TEXT NOT NULL, body_en TEXT NOT NULL, starts INTEGER NOT NULL,
            ends INTEGER, next_update INTEGER, updated_at INTEGER NOT NULL, resolved_at INTEGER) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let at = event.recorded_at.timestamp_micros();
        match &event.event {
            Event::NoticePublished {
                kind,
                system,
                title_sv,
                title_en,
                body_sv,
                body_en,
                starts,
                ends,
                next_update,
            } => {
                let sql = "INSERT OR REPLACE INTO notice VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL)";
                tables.prepare_cached(sql)?.execute(params![
                    event.stream.0,
                    kind.code(),
                    system.map(System::code),
                    title_sv,
                    title_en,
                    body_sv,
                    body_en,
                    starts,
                    ends,
                    next_update,
                    at,
                ])?;
            }
            Event::NoticeResolved {} => {
                let sql = "UPDATE notice SET resolved_at = ?2, updated_at = ?2 WHERE notice_id = ?1";
                tables.prepare_cached(sql)?.execute(params![event.stream.0, at])?;
            }
            _ => {}
        }
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

fn read_notice(row: &Row<'_>) -> Result<Notice, rusqlite::Error> {
    let (kind, system): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|time| time.map(from_micros));
    Ok(Notice {
        id: StreamId(row.get(0)?),
        kind: NoticeKind::parse(&kind).unwrap_or(NoticeKind::Disruption),
        system: system.as_deref().and_then(System::parse),
        title_sv: row.get(3)?,
        title_en: row.get(4)?,
        body_sv: row.get(5)?,
        body_en: row.get(6)?,
        starts: from_micros(row.get(7)?),
        ends: time(8)?,
        next_update: time(9)?,
        updated_at: from_micros(row.get(10)?),
        resolved_at: time(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    use crate::testing::*;

    fn published(hour: i64, title: &str) -> Event {
        let Event::NoticePublished { kind, system, title_en, body_sv, body_en, ends, next_update, .. } =
            sample("NoticePublished")
        else {
            unreachable!()
        };
        let (title_sv, starts) = (title.to_owned(), hour * 3_600_000_000);
        Event::NoticePublished {
            kind,
            system,
            title_sv,
            title_en,
            body_sv,
            body_en,
            starts,
            ends,
            next_update,
        }
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
        // An update replaces the notice, and one that had been over is open again.
        told.tell(at, id(3), published(3, "Tre igen")).tell(at, id(1), published(1, "Ett, nytt"));
        assert_eq!(
            titles(&told, 10),
            [title("Tre igen", false), title("Två", false), title("Ett, nytt", false)]
        );
    }
}
