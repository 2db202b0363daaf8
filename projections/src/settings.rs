//! What persons have chosen, and who follows which system.

use domain::vocabulary::Template;
use domain::{Event, Language, PersonId};
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Projection, ReadError};

/// The projection.
pub struct PersonSettings;

/// What a person has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The language of pages and mails.
    pub language: Option<Language>,
    /// The mails that are not wanted.
    pub without_mails: Vec<Template>,
    /// The systems that are followed, by code.
    pub notices: Vec<String>,
    /// Where mails go, in place of the address of the login.
    pub email: Option<String>,
}

impl Projection for PersonSettings {
    fn name(&self) -> &'static str {
        "settings"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE person_settings (person_id BLOB PRIMARY KEY, language TEXT, without_mails TEXT NOT NULL,
            notices TEXT NOT NULL, email TEXT) STRICT, WITHOUT ROWID;
         CREATE TABLE follower (system TEXT NOT NULL, person_id BLOB NOT NULL, PRIMARY KEY (system, person_id))
            STRICT, WITHOUT ROWID;"
    }

    fn indices(&self) -> &'static str {
        "CREATE INDEX follower_person ON follower (person_id);"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        let Event::SettingsChosen { language, without_mails, notices, personal } = &event.event else {
            return Ok(());
        };
        let person = event.stream.0;
        let email =
            personal.open().and_then(|contact| contact.email.as_ref()).map(domain::text::Email::as_str);
        tables
            .prepare_cached("INSERT OR REPLACE INTO person_settings VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                person,
                language.map(Language::code),
                serde_json::to_string(without_mails)?,
                serde_json::to_string(notices)?,
                email,
            ])?;
        tables.prepare_cached("DELETE FROM follower WHERE person_id = ?1")?.execute([person])?;
        let mut follow = tables.prepare_cached("INSERT OR IGNORE INTO follower VALUES (?1, ?2)")?;
        for system in notices {
            follow.execute(params![system, person])?;
        }
        Ok(())
    }
}

/// What a person has chosen; what holds for everybody where nothing was.
///
/// # Errors
/// When the read models cannot be read.
pub fn of(tables: &Connection, person: PersonId) -> Result<Settings, ReadError> {
    let sql = "SELECT language, without_mails, notices, email FROM person_settings WHERE person_id = ?1";
    let mut statement = tables.prepare_cached(sql)?;
    let read = |row: &Row<'_>| -> Result<Settings, ReadError> {
        let language: Option<String> = row.get(0)?;
        Ok(Settings {
            language: language.as_deref().and_then(Language::parse),
            without_mails: serde_json::from_str(row.get_ref(1)?.as_str().unwrap_or_default())?,
            notices: serde_json::from_str(row.get_ref(2)?.as_str().unwrap_or_default())?,
            email: row.get(3)?,
        })
    };
    let found = statement.query_row([person.0], |row| Ok(read(row))).optional()?;
    Ok(found.transpose()?.unwrap_or_default())
}

/// Those who follow a system, by its code.
///
/// # Errors
/// When the read models cannot be read.
pub fn followers(tables: &Connection, system: &str) -> Result<Vec<PersonId>, ReadError> {
    let mut statement =
        tables.prepare_cached("SELECT person_id FROM follower WHERE system = ?1 ORDER BY person_id")?;
    let persons = statement.query_map([system], |row| row.get(0).map(PersonId))?.collect::<Result<_, _>>()?;
    Ok(persons)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::settings::WrittenSettings;

    use crate::testing::{Told, person};

    #[test]
    fn the_newest_choice_counts() {
        let mut told = Told::nothing();
        let mut choose = |number, notices: Vec<&str>| {
            let written = WrittenSettings {
                language: "en",
                notices,
                email: "a@b.example",
                ..WrittenSettings::default()
            };
            told.tell(
                "2026-11-23T10:00:00Z",
                domain::StreamId::from(person(number)),
                written.choose().unwrap(),
            );
        };
        choose(1, vec!["primula", "agresso"]);
        choose(2, vec!["primula"]);
        choose(1, vec!["agresso"]);
        let following = |system: &'static str| told.read.read(|tables| followers(tables, system)).unwrap();
        assert_eq!((following("primula"), following("agresso")), (vec![person(2)], vec![person(1)]));
        let chosen = told.read.read(|tables| of(tables, person(1))).unwrap();
        assert_eq!((chosen.language, chosen.email.as_deref()), (Some(Language::En), Some("a@b.example")));
        assert_eq!(chosen.without_mails.len(), 3);
        assert_eq!(told.read.read(|tables| of(tables, person(9))).unwrap(), Settings::default());
    }
}
