//! What the pages say and the service catalogue, version by version: the newest is what people read.

use chrono::{DateTime, Utc};
use domain::content::{Service, Words};
use domain::{Event, PersonId};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Projection, ReadError};

/// The projection.
pub struct Content;

/// What stands for the service catalogue where a page is named by its code.
pub const CATALOGUE: &str = "catalogue";

/// What a page says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct PageWords {
    pub sv: Words,
    pub en: Words,
}

/// That something was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version of its stream.
    pub number: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: PersonId,
}

impl Projection for Content {
    fn name(&self) -> &'static str {
        "content"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE content (what TEXT NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by BLOB NOT NULL,
            words TEXT NOT NULL, PRIMARY KEY (what, version)) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let (what, words) = match &event.event {
            Event::ContentPublished { page, sv, en } => {
                let words = PageWords { sv: sv.clone(), en: en.clone() };
                (page.code(), serde_json::to_string(&words)?)
            }
            Event::CataloguePublished { services } => (CATALOGUE, serde_json::to_string(services)?),
            _ => return Ok(()),
        };
        let at = event.recorded_at.timestamp_micros();
        let sql = "INSERT OR REPLACE INTO content VALUES (?1, ?2, ?3, ?4, ?5)";
        tables.prepare_cached(sql)?.execute(params![what, event.version, at, event.actor.0, words])?;
        Ok(())
    }
}

/// The versions of a page, by its code, or of the catalogue; newest first.
///
/// # Errors
/// When the read models cannot be read.
pub fn versions(tables: &Connection, what: &str) -> Result<Vec<Version>, ReadError> {
    let sql = "SELECT version, at, by FROM content WHERE what = ?1 ORDER BY version DESC";
    let versions = tables.prepare_cached(sql)?.query_map([what], read_version)?.collect::<Result<_, _>>()?;
    Ok(versions)
}

/// What a page says since a version, or since the newest.
///
/// # Errors
/// When the read models cannot be read.
pub fn page(
    tables: &Connection,
    page: &str,
    version: Option<u64>,
) -> Result<Option<(Version, PageWords)>, ReadError> {
    read(tables, page, version)
}

/// The services of the catalogue since a version, or since the newest.
///
/// # Errors
/// When the read models cannot be read.
pub fn catalogue(
    tables: &Connection,
    version: Option<u64>,
) -> Result<Option<(Version, Vec<Service>)>, ReadError> {
    read(tables, CATALOGUE, version)
}

fn read<T: DeserializeOwned>(
    tables: &Connection,
    what: &str,
    version: Option<u64>,
) -> Result<Option<(Version, T)>, ReadError> {
    let sql = "SELECT version, at, by, words FROM content WHERE what = ?1 AND version = coalesce(?2, version) \
               ORDER BY version DESC LIMIT 1";
    let mut statement = tables.prepare_cached(sql)?;
    let row = |row: &Row<'_>| Ok((read_version(row)?, row.get::<_, String>(3)?));
    let found = statement.query_row(params![what, version], row).optional()?;
    found.map(|(version, words)| Ok((version, serde_json::from_str(&words)?))).transpose()
}

fn read_version(row: &Row<'_>) -> Result<Version, rusqlite::Error> {
    Ok(Version { number: row.get(0)?, at: from_micros(row.get(1)?), by: PersonId(row.get(2)?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::content::ContentPage;
    use domain::{Area, StreamId};

    use crate::testing::*;

    fn says(page: ContentPage, text: &str) -> Event {
        let words = |text: String| Words { title: None, body: text };
        Event::ContentPublished { page, sv: words(text.to_owned()), en: words(format!("English: {text}")) }
    }

    #[test]
    fn the_newest_version_of_each_page_is_read_and_the_others_are_kept() {
        let mut told = Told::nothing();
        let mut publish = |at: &str, page, text: &str| {
            told.tell(at, StreamId::of_content(page), says(page, text));
        };
        publish("2026-11-23T10:00:00Z", ContentPage::Start, "Ett");
        publish("2026-11-23T11:00:00Z", ContentPage::Start, "Två");
        publish("2026-11-23T12:00:00Z", ContentPage::Support, "Hjälp");
        let found = |version| {
            let found = told.read.read(|tables| page(tables, "start", version)).unwrap();
            found.map(|(version, words)| (version.number, words.sv.body, words.en.body))
        };
        let newest = (2, "Två".to_owned(), "English: Två".to_owned());
        assert_eq!(found(None), Some(newest));
        assert_eq!(found(Some(1)).map(|(_, sv, _)| sv), Some("Ett".to_owned()));
        assert_eq!(found(Some(3)), None);
        let all = told.read.read(|tables| versions(tables, "start")).unwrap();
        let by = person(9);
        let expected = [(2, "2026-11-23T11:00:00Z"), (1, "2026-11-23T10:00:00Z")];
        assert_eq!(all, expected.map(|(number, at)| Version { number, at: time(at), by }));
        assert_eq!(told.read.read(|tables| page(tables, "services", None)).unwrap(), None);
    }

    #[test]
    fn the_catalogue_is_beside_the_pages() {
        let mut told = Told::nothing();
        assert_eq!(told.read.read(|tables| catalogue(tables, None)).unwrap(), None);
        let named = |name: &str| Service { area: Area::Lon, sv: name.to_owned(), en: "Payroll".to_owned() };
        for name in ["Lön", "Löner"] {
            let event = Event::CataloguePublished { services: vec![named(name)] };
            told.tell("2026-11-23T10:00:00Z", StreamId::of_catalogue(), event);
        }
        let found = |version| told.read.read(|tables| catalogue(tables, version)).unwrap().unwrap().1;
        assert_eq!((found(None), found(Some(1))), (vec![named("Löner")], vec![named("Lön")]));
    }
}
