//! The directory: names and addresses behind the pseudonyms, and which calls and logins are the same person.

use domain::access::Role;
use domain::event::Profile;
use domain::text::{Email, PersonName};
use domain::{Event, OrganisationNumber, PersonId};
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{Projection, ReadError, protection};

/// The projection.
pub struct Directory;

/// A person. What is gone is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Person {
    pub id: PersonId,
    pub role: Role,
    /// Whether the person has been seen as an officer, in whichever role since.
    pub is_officer: bool,
    /// Whether the person has been seen as one who sends cases for others at an employer.
    pub is_requester: bool,
    pub subject: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The employer for which others told what was recorded last.
    pub employer: Option<OrganisationNumber>,
    /// The login that a caller turned out to be.
    pub linked_to: Option<PersonId>,
}

impl Person {
    /// Whether all that the person does is the centre's work, and so tells of no employer.
    pub const fn is_of_the_centre(&self) -> bool {
        self.is_officer && !self.is_requester
    }
}

impl Projection for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn version(&self) -> u32 {
        8
    }

    fn ddl(&self) -> &'static str {
        "CREATE TABLE person (person_id BLOB PRIMARY KEY, role TEXT NOT NULL, is_officer INTEGER NOT NULL, subject TEXT,
            name TEXT, email TEXT, employer TEXT, linked_to BLOB, is_requester INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE person_protected (person_id BLOB PRIMARY KEY, own INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE person_told (person_id BLOB NOT NULL, employer TEXT NOT NULL, name TEXT, email TEXT,
            PRIMARY KEY (person_id, employer)) STRICT, WITHOUT ROWID;
         CREATE TABLE person_address (person_id BLOB NOT NULL, address TEXT NOT NULL, own INTEGER NOT NULL,
            PRIMARY KEY (person_id, address, own)) STRICT, WITHOUT ROWID;
         CREATE INDEX person_linked ON person (linked_to) WHERE linked_to IS NOT NULL;
         CREATE INDEX person_of_address ON person_address (address);"
    }

    fn indices(&self) -> &'static str {
        "CREATE INDEX person_officers ON person (name) WHERE is_officer;"
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        match &event.event {
            Event::PersonSeen { employer, role, personal, .. } => {
                let person = PersonId(event.stream.0);
                let profile = personal.open();
                seen(tables, person, *employer, *role, profile)?;
                if let Some(Profile { subject, email: Some(email), .. }) = profile {
                    protection::met(tables, person, &email.key(), employer.is_none() || subject.is_none())?;
                }
            }
            Event::PersonLinked { caller, person } if event.stream.0 == caller.0 => {
                tables
                    .prepare_cached("UPDATE person SET linked_to = ?2 WHERE person_id = ?1")?
                    .execute([caller.0, person.0])?;
                protection::joined(tables, *caller, *person)?;
            }
            Event::ProtectionChanged { protected } => {
                protection::changed(tables, PersonId(event.stream.0), *protected)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Somebody says who they are, or others tell it.
fn seen(
    tables: &Connection,
    person: PersonId,
    employer: Option<OrganisationNumber>,
    role: Role,
    profile: Option<&Profile>,
) -> Result<(), ReadError> {
    let name = profile.and_then(|profile| profile.name.as_ref()).map(PersonName::as_str);
    let email = profile.and_then(|profile| profile.email.as_ref()).map(Email::as_str);
    let subject = profile.and_then(|profile| profile.subject.as_deref());
    let employer = employer.map(|employer| employer.to_string());
    // What a login says itself stands above what others tell; who says less than before takes nothing away.
    tables
        .prepare_cached(
            "INSERT INTO person VALUES (?1, ?2, ?2 = 'officer', ?3, ?4, ?5, ?6, NULL, ?8) \
             ON CONFLICT (person_id) DO UPDATE SET role = excluded.role, \
             is_officer = is_officer OR excluded.is_officer, \
             is_requester = is_requester OR excluded.is_requester, subject = excluded.subject, \
             name = iif(?7 AND employer IS NULL, coalesce(excluded.name, name), excluded.name), \
             email = iif(?7 AND employer IS NULL, coalesce(excluded.email, email), excluded.email), \
             employer = excluded.employer \
             WHERE excluded.employer IS NULL OR employer IS NOT NULL",
        )?
        .execute(params![
            person.0,
            role.code(),
            subject,
            name,
            email,
            employer,
            profile.is_some(),
            role == Role::Requester,
        ])?;
    if employer.is_some() {
        tables
            .prepare_cached("INSERT OR REPLACE INTO person_told VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![person.0, employer, name, email])?;
    }
    Ok(())
}

/// The login that a caller turned out to be, else the person as such.
pub(crate) fn login(tables: &Connection, id: PersonId) -> Result<PersonId, ReadError> {
    Ok(person(tables, id)?.and_then(|person| person.linked_to).unwrap_or(id))
}

/// A person by pseudonym.
///
/// # Errors
/// When the read models cannot be read.
pub fn person(tables: &Connection, id: PersonId) -> Result<Option<Person>, ReadError> {
    let sql = "SELECT * FROM person WHERE person_id = ?1";
    Ok(tables.prepare_cached(sql)?.query_row([id.0], read_person).optional()?)
}

/// Whether any of these callers is not linked to a login.
///
/// # Errors
/// When the read models cannot be read.
pub fn any_unlinked(tables: &Connection, callers: &[PersonId]) -> Result<bool, ReadError> {
    let mut statement =
        tables.prepare_cached("SELECT 1 FROM person WHERE person_id = ?1 AND linked_to IS NULL")?;
    for caller in callers {
        if statement.exists([caller.0])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A person as a case of an employer shows it: what the login says itself, else what others told for this employer.
///
/// # Errors
/// When the read models cannot be read.
pub fn of_case(
    tables: &Connection,
    id: PersonId,
    employer: OrganisationNumber,
) -> Result<Option<Person>, ReadError> {
    let Some(mut person) = person(tables, id)? else { return Ok(None) };
    if person.employer.is_none() && person.name.is_some() && person.email.is_some() {
        return Ok(Some(person));
    }
    let told = told(tables, id, employer)?;
    if person.employer.is_some() {
        (person.name, person.email) = (None, None);
    }
    person.name = person.name.or(told.0);
    person.email = person.email.or(told.1);
    Ok(Some(person))
}

/// Name and address that others told of a person last for an employer.
///
/// # Errors
/// When the read models cannot be read.
pub fn told(
    tables: &Connection,
    id: PersonId,
    employer: OrganisationNumber,
) -> Result<(Option<String>, Option<String>), ReadError> {
    let sql = "SELECT name, email FROM person_told WHERE person_id = ?1 AND employer = ?2";
    let told = tables
        .prepare_cached(sql)?
        .query_row(params![id.0, employer.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(told.optional()?.unwrap_or_default())
}

/// The person, and the callers that the person turned out to have been.
///
/// # Errors
/// When the read models cannot be read.
pub fn identities(tables: &Connection, id: PersonId) -> Result<Vec<PersonId>, ReadError> {
    let sql = "SELECT person_id FROM person WHERE linked_to = ?1";
    let mut identities = vec![id];
    for caller in tables.prepare_cached(sql)?.query_map([id.0], |row| row.get(0).map(PersonId))? {
        identities.push(caller?);
    }
    Ok(identities)
}

/// Everybody who has been seen as an officer, by name.
///
/// # Errors
/// When the read models cannot be read.
pub fn officers(tables: &Connection) -> Result<Vec<Person>, ReadError> {
    let sql = "SELECT * FROM person WHERE is_officer ORDER BY name, person_id";
    let officers = tables.prepare_cached(sql)?.query_map([], read_person)?.collect::<Result<_, _>>()?;
    Ok(officers)
}

fn read_person(row: &Row<'_>) -> Result<Person, rusqlite::Error> {
    let (role, employer): (String, Option<String>) = (row.get(1)?, row.get(6)?);
    Ok(Person {
        id: PersonId(row.get(0)?),
        role: Role::parse(&role).unwrap_or(Role::Employee),
        is_officer: row.get(2)?,
        is_requester: row.get(8)?,
        subject: row.get(3)?,
        name: row.get(4)?,
        email: row.get(5)?,
        employer: employer.as_deref().and_then(OrganisationNumber::parse),
        linked_to: row.get::<_, Option<_>>(7)?.map(PersonId),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Sealed;

    use crate::testing::{Told, person};

    const AT: &str = "2026-11-23T10:00:00Z";

    fn seen(role: Role, name: &str) -> Event {
        Event::PersonSeen {
            employer: None,
            role,
            fingerprint: name.to_owned(),
            without_address: false,
            personal: Sealed::Open(Profile {
                subject: Some(name.to_lowercase()),
                name: PersonName::parse(name, "").ok(),
                email: Email::parse("a@exempelverket.example", "").ok(),
            }),
        }
    }

    fn linked() -> Event {
        Event::PersonLinked { caller: person(30), person: person(1) }
    }

    fn known(told: &Told, id: u128) -> Option<Person> {
        told.read.read(|tables| super::person(tables, person(id))).unwrap()
    }

    #[test]
    fn the_newest_profile_stands() {
        let mut told = Told::nothing();
        assert_eq!(known(&told, 1), None);
        told.tell(AT, person(1), seen(Role::Employee, "Anna")).tell(
            AT,
            person(1),
            seen(Role::Employee, "Anna Ö"),
        );
        let anna = known(&told, 1).unwrap();
        assert_eq!((anna.name.as_deref(), anna.role), (Some("Anna Ö"), Role::Employee));
        told.tell(AT, person(1), seen(Role::Employee, "x").gone());
        let anna = known(&told, 1).unwrap();
        assert_eq!((anna.name, anna.email, anna.subject), (None, None, None));
    }

    #[test]
    fn a_login_and_its_calls_are_one_person() {
        let mut told = Told::nothing();
        let of = |told: &Told, id| told.read.read(|tables| identities(tables, person(id))).unwrap();
        told.tell(AT, person(30), seen(Role::Employee, "Anna")).tell(
            AT,
            person(1),
            seen(Role::Employee, "Anna"),
        );
        assert_eq!(of(&told, 1), [person(1)]);
        told.tell(AT, person(30), linked()).tell(AT, person(1), linked());
        assert_eq!(of(&told, 1), [person(1), person(30)]);
        assert_eq!(of(&told, 30), [person(30)], "not the other way");
        assert_eq!(of(&told, 99), [person(99)]);
        told.tell(AT, person(30), seen(Role::Employee, "Anna Ö"));
        assert_eq!(known(&told, 30).unwrap().linked_to, Some(person(1)), "a link is for ever");
    }

    #[test]
    fn officers_by_name() {
        let mut told = Told::nothing();
        told.tell(AT, person(5), seen(Role::Officer, "Ove")).tell(AT, person(4), seen(Role::Officer, "Olle"));
        told.tell(AT, person(1), seen(Role::Employee, "Anna"));
        let names: Vec<_> =
            told.read.read(officers).unwrap().into_iter().filter_map(|one| one.name).collect();
        assert_eq!(names, ["Olle", "Ove"]);
        told.tell(AT, person(4), seen(Role::Employee, "Olle"));
        assert!(known(&told, 4).unwrap().is_officer, "a case at home makes nobody less of an officer");
    }
}
