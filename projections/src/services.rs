//! Employers and the services that they use.

use domain::{Area, Event, OrganisationNumber};
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Projection, ReadError};

/// The projection.
pub struct Services;

/// An employer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Employer {
    pub number: OrganisationNumber,
    pub name_sv: String,
    pub name_en: String,
    pub areas: Vec<Area>,
    /// Names of services of the catalogue.
    pub services: Vec<String>,
}

impl Projection for Services {
    fn name(&self) -> &'static str {
        "services"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE employer (number TEXT PRIMARY KEY, name_sv TEXT NOT NULL, name_en TEXT NOT NULL,
            areas TEXT NOT NULL, services TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        if let Event::EmployerRegistered { employer, name_sv, name_en, areas, services } = &event.event {
            tables.prepare_cached("INSERT OR REPLACE INTO employer VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(
                params![
                    employer.as_str(),
                    name_sv,
                    name_en,
                    serde_json::to_string(areas)?,
                    serde_json::to_string(services)?,
                ],
            )?;
        }
        Ok(())
    }
}

/// All employers, by Swedish name.
///
/// # Errors
/// When the read models cannot be read.
pub fn employers(tables: &Connection) -> Result<Vec<Employer>, ReadError> {
    let sql = "SELECT * FROM employer ORDER BY name_sv";
    tables.prepare_cached(sql)?.query_and_then([], read_employer)?.collect()
}

/// An employer by number.
///
/// # Errors
/// When the read models cannot be read.
pub fn employer(tables: &Connection, number: OrganisationNumber) -> Result<Option<Employer>, ReadError> {
    let sql = "SELECT * FROM employer WHERE number = ?1";
    let mut statement = tables.prepare_cached(sql)?;
    let found = statement.query_row([number.as_str()], |row| Ok(read_employer(row))).optional()?;
    found.transpose()
}

fn read_employer(row: &Row<'_>) -> Result<Employer, ReadError> {
    let number: String = row.get(0)?;
    Ok(Employer {
        number: OrganisationNumber::parse(&number)
            .ok_or_else(|| ReadError::Row(format!("{number} is no employer")))?,
        name_sv: row.get(1)?,
        name_en: row.get(2)?,
        areas: serde_json::from_str(row.get_ref(3)?.as_str().unwrap_or_default())?,
        services: serde_json::from_str(row.get_ref(4)?.as_str().unwrap_or_default())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::StreamId;

    use crate::testing::{Told, employers};

    #[test]
    fn the_newest_registration_stands() {
        let mut told = Told::nothing();
        let registered =
            |employer: OrganisationNumber, name: &str, areas: &[Area]| Event::EmployerRegistered {
                employer,
                name_sv: name.to_owned(),
                name_en: format!("The {name}"),
                areas: areas.to_vec(),
                services: vec!["e-faktura".to_owned()],
            };
        let [first, second] = employers();
        for (number, name, areas) in [
            (first, "Verket", &[Area::Lon][..]),
            (second, "Byrån", &[]),
            (first, "Verket", &[Area::Ekonomi, Area::Lon]),
        ] {
            told.tell("2026-11-23T10:00:00Z", StreamId::of_employer(number), registered(number, name, areas));
        }
        let all = told.read.read(employers_of).unwrap();
        assert_eq!(all.iter().map(|one| one.name_sv.as_str()).collect::<Vec<_>>(), ["Byrån", "Verket"]);
        let found = told.read.read(|tables| employer(tables, first)).unwrap().unwrap();
        assert_eq!(
            (found.areas.as_slice(), found.name_en.as_str()),
            (&[Area::Ekonomi, Area::Lon][..], "The Verket")
        );
        assert_eq!(found.services, ["e-faktura"]);
        let unknown = OrganisationNumber::parse("2021006453").unwrap();
        assert_eq!(told.read.read(|tables| employer(tables, unknown)).unwrap(), None);
    }

    fn employers_of(tables: &Connection) -> Result<Vec<Employer>, ReadError> {
        super::employers(tables)
    }
}
