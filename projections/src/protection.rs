//! Protected identity (*skyddade personuppgifter*, LAW-12): who is marked, and with whom a mark goes. It is recorded of one
//! person and of all who are the same by their own word then; whoever is met or joined later, or is written beside it, is
//! found here, in the order of the log.
//!
//! By their own word those are one person: a login and the calls that it turned out to have been, and logins that say, or
//! calls that gave, the same address. What others told of a login is no word of its own, and may be wrong: with a mark go
//! logins of which the address was told, and calls by an address that was told of a marked login; but those marks lead no
//! further.

use std::collections::HashSet;

use domain::PersonId;
use rusqlite::Connection;

use crate::ReadError;
use crate::directory::{self, identities, login};

/// Somebody says who they are, or others tell it: an address may be that of a marked person.
pub(crate) fn met(tables: &Connection, id: PersonId) -> Result<(), ReadError> {
    let is_call = directory::person(tables, id)?
        .is_some_and(|person| person.subject.is_none() && person.linked_to.is_none());
    let (mut marked, mut led_to) = (leads(tables, id)?, false);
    for Address { key, own } in addresses(tables, id)? {
        let said = is_protected_address(tables, &key)?;
        marked = marked || own && said;
        led_to = led_to || !own && said || is_call && any_leads(tables, told(tables, &key)?)?;
    }
    if marked {
        changed(tables, id, true)
    } else if led_to {
        mark(tables, &identities(tables, login(tables, id)?)?, false)
    } else {
        Ok(())
    }
}

/// A call turned out to be that of a login.
pub(crate) fn joined(tables: &Connection, caller: PersonId, person: PersonId) -> Result<(), ReadError> {
    if leads(tables, caller)? || leads(tables, person)? {
        changed(tables, person, true)
    } else if is_protected(tables, caller)? || is_protected(tables, person)? {
        mark(tables, &identities(tables, person)?, false)
    } else {
        Ok(())
    }
}

/// A mark goes with others, and is taken away from those alone who are the same person by their own word.
pub(crate) fn changed(tables: &Connection, id: PersonId, protected: bool) -> Result<(), ReadError> {
    let same = same_person(tables, id)?;
    if protected {
        mark(tables, &same, true)?;
        return mark(tables, &led_to(tables, &same)?, false);
    }
    for person in same {
        tables.prepare_cached("DELETE FROM person_protected WHERE person_id = ?1")?.execute([person.0])?;
    }
    Ok(())
}

fn mark(tables: &Connection, persons: &[PersonId], leads: bool) -> Result<(), ReadError> {
    let sql = "INSERT INTO person_protected VALUES (?1, ?2) \
               ON CONFLICT (person_id) DO UPDATE SET leads = leads OR excluded.leads";
    let mut statement = tables.prepare_cached(sql)?;
    persons.iter().try_for_each(|person| statement.execute((person.0, leads)).map(drop))?;
    Ok(())
}

/// Whether a person has protected identity.
///
/// # Errors
/// When the read models cannot be read.
pub fn is_protected(tables: &Connection, id: PersonId) -> Result<bool, ReadError> {
    Ok(tables.prepare_cached("SELECT 1 FROM person_protected WHERE person_id = ?1")?.exists([id.0])?)
}

/// Everybody who has protected identity.
///
/// # Errors
/// When the read models cannot be read.
pub fn protected(tables: &Connection) -> Result<HashSet<PersonId>, ReadError> {
    let mut statement = tables.prepare_cached("SELECT person_id FROM person_protected")?;
    let persons = statement.query_map([], |row| row.get(0).map(PersonId))?.collect::<Result<_, _>>()?;
    Ok(persons)
}

/// Whether an address ([`domain::text::Email::key`]) is that of somebody who has protected identity, by their own word.
///
/// # Errors
/// When the read models cannot be read.
pub fn is_protected_address(tables: &Connection, address: &str) -> Result<bool, ReadError> {
    any_leads(tables, by_own_word(tables, address)?)
}

fn any_leads(tables: &Connection, persons: Vec<PersonId>) -> Result<bool, ReadError> {
    persons.into_iter().try_fold(false, |found, person| Ok(found || leads(tables, person)?))
}

fn leads(tables: &Connection, id: PersonId) -> Result<bool, ReadError> {
    let sql = "SELECT 1 FROM person_protected WHERE person_id = ?1 AND leads";
    Ok(tables.prepare_cached(sql)?.exists([id.0])?)
}

/// Those who are the same person by their own word, with the person.
///
/// # Errors
/// When the read models cannot be read.
pub fn same_person(tables: &Connection, id: PersonId) -> Result<Vec<PersonId>, ReadError> {
    let mut found = Vec::new();
    add(tables, &mut found, vec![id])?;
    let mut looked = 0;
    while let Some(person) = found.get(looked).copied() {
        looked += 1;
        for address in addresses(tables, person)?.into_iter().filter(|address| address.own) {
            add(tables, &mut found, by_own_word(tables, &address.key)?)?;
        }
    }
    Ok(found)
}

/// With whom else a mark of these goes.
fn led_to(tables: &Connection, persons: &[PersonId]) -> Result<Vec<PersonId>, ReadError> {
    let mut found = Vec::new();
    for person in persons {
        for Address { key, own } in addresses(tables, *person)? {
            add(tables, &mut found, if own { told(tables, &key)? } else { calls(tables, &key)? })?;
        }
    }
    Ok(found)
}

/// Whether that a case goes on from another would tell where somebody with protected identity works: the other case is of
/// somebody else, at the same employer.
///
/// # Errors
/// When the read models cannot be read.
pub fn is_told_by_relation(
    tables: &Connection,
    reporter: Option<PersonId>,
    other: Option<PersonId>,
) -> Result<bool, ReadError> {
    let of = |person: Option<PersonId>| person.map(|person| login(tables, person)).transpose();
    let (reporter, other) = (of(reporter)?, of(other)?);
    for person in [reporter, other].into_iter().flatten().filter(|_| reporter != other) {
        if is_protected(tables, person)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// An address that is known of a person.
struct Address {
    key: String,
    /// Whether the login says it itself, or it was given by a call.
    own: bool,
}

fn addresses(tables: &Connection, id: PersonId) -> Result<Vec<Address>, ReadError> {
    let sql = "SELECT address, employer IS NULL OR subject IS NULL FROM person \
               WHERE person_id = ?1 AND address IS NOT NULL \
               UNION SELECT address, FALSE FROM person_told WHERE person_id = ?1 AND address IS NOT NULL";
    let mut statement = tables.prepare_cached(sql)?;
    let read = statement.query_map([id.0], |row| Ok(Address { key: row.get(0)?, own: row.get(1)? }))?;
    Ok(read.collect::<Result<_, _>>()?)
}

/// The logins that say an address, and the calls that gave it.
fn by_own_word(tables: &Connection, address: &str) -> Result<Vec<PersonId>, ReadError> {
    let sql = "SELECT person_id FROM person WHERE address = ?1 AND (employer IS NULL OR subject IS NULL)";
    persons(tables, sql, address)
}

/// Those of whom others told an address.
fn told(tables: &Connection, address: &str) -> Result<Vec<PersonId>, ReadError> {
    persons(tables, "SELECT person_id FROM person_told WHERE address = ?1", address)
}

/// The calls that gave an address and have not turned out to be those of a login.
fn calls(tables: &Connection, address: &str) -> Result<Vec<PersonId>, ReadError> {
    let sql = "SELECT person_id FROM person WHERE address = ?1 AND subject IS NULL AND linked_to IS NULL";
    persons(tables, sql, address)
}

fn persons(tables: &Connection, sql: &str, address: &str) -> Result<Vec<PersonId>, ReadError> {
    let mut statement = tables.prepare_cached(sql)?;
    let read = statement.query_map([address], |row| row.get(0).map(PersonId))?;
    Ok(read.collect::<Result<_, _>>()?)
}

/// Adds those who are not there yet, as logins with the calls that they turned out to have been.
fn add(tables: &Connection, found: &mut Vec<PersonId>, others: Vec<PersonId>) -> Result<(), ReadError> {
    for other in others {
        for identity in identities(tables, login(tables, other)?)? {
            if !found.contains(&identity) {
                found.push(identity);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::access::Role;
    use domain::event::Profile;
    use domain::text::Email;
    use domain::{Event, Sealed};

    use crate::testing::{Told, employers, person};

    const AT: &str = "2026-11-23T10:00:00Z";
    const ANNA: u128 = 1;
    const OTHER: u128 = 2;
    /// Calls at the first and the second employer.
    const CALL: u128 = 30;
    const ELSEWHERE: u128 = 31;

    /// A log and its read models, in which persons are called by their numbers.
    struct Log(Told);

    impl Log {
        fn new() -> Self {
            Self(Told::nothing())
        }

        fn tell(&mut self, id: u128, event: Event) -> &mut Self {
            self.0.tell(AT, person(id), event);
            self
        }

        fn seen(
            &mut self,
            id: u128,
            subject: Option<u128>,
            employer: Option<usize>,
            address: &str,
        ) -> &mut Self {
            let event = Event::PersonSeen {
                employer: employer.map(|employer| employers()[employer]),
                role: Role::Employee,
                fingerprint: address.to_owned(),
                without_address: false,
                personal: Sealed::Open(Profile {
                    subject: subject.map(|subject| subject.to_string()),
                    name: None,
                    email: Some(Email::parse(address, "").unwrap()),
                }),
            };
            self.tell(id, event)
        }

        /// A login says an address.
        fn says(&mut self, id: u128, address: &str) -> &mut Self {
            self.seen(id, Some(id), None, address)
        }

        /// Others tell it of a login.
        fn is_told(&mut self, id: u128, address: &str) -> &mut Self {
            self.seen(id, Some(id), Some(0), address)
        }

        /// It is given by a call.
        fn calls(&mut self, id: u128, address: &str) -> &mut Self {
            self.seen(id, None, Some(usize::from(id != CALL)), address)
        }

        /// Anna's login turns out to have been this call.
        fn joins(&mut self, id: u128) -> &mut Self {
            let event = Event::PersonLinked { caller: person(id), person: person(ANNA) };
            self.tell(id, event.clone()).tell(ANNA, event)
        }

        fn marks(&mut self, id: u128, protected: bool) -> &mut Self {
            self.tell(id, Event::ProtectionChanged { protected })
        }

        fn marked(&self) -> Vec<u128> {
            let mut marked: Vec<_> =
                self.0.read.read(protected).unwrap().into_iter().map(|person| person.0.as_u128()).collect();
            marked.sort_unstable();
            marked
        }
    }

    const A: &str = "a@exempelverket.example";
    const B: &str = "b@hemma.example";

    #[test]
    fn whoever_is_met_with_the_address_is_marked_whichever_is_first() {
        for first in [true, false] {
            let mut log = Log::new();
            log.says(ANNA, A);
            if first {
                log.marks(ANNA, true);
            }
            log.calls(ELSEWHERE, A).says(OTHER, A).is_told(3, A).calls(32, B);
            if !first {
                log.marks(ANNA, true);
            }
            assert_eq!(log.marked(), [ANNA, OTHER, 3, ELSEWHERE], "{first}");
        }
    }

    #[test]
    fn a_marked_person_brings_the_mark_to_a_new_address() {
        let mut log = Log::new();
        log.calls(ELSEWHERE, B).says(OTHER, B).says(ANNA, A).marks(ANNA, true);
        assert_eq!(log.marked(), [ANNA]);
        log.says(ANNA, B);
        assert_eq!(log.marked(), [ANNA, OTHER, ELSEWHERE]);
    }

    #[test]
    fn a_mark_goes_by_all_that_is_one_person() {
        for marked in [ANNA, CALL, ELSEWHERE] {
            let mut log = Log::new();
            log.calls(CALL, A).calls(ELSEWHERE, A).says(ANNA, A).joins(CALL).says(ANNA, B).says(OTHER, B);
            log.marks(marked, true);
            assert_eq!(log.marked(), [ANNA, OTHER, CALL, ELSEWHERE], "{marked}");
            log.marks(OTHER, false);
            assert_eq!(log.marked(), [0; 0], "{marked}");
        }
    }

    #[test]
    fn whoever_is_joined_to_somebody_marked_is_marked_with_all_that_is_theirs() {
        let mut log = Log::new();
        log.calls(CALL, A).calls(ELSEWHERE, A).says(ANNA, B).says(OTHER, B).marks(ANNA, true).joins(CALL);
        assert_eq!(log.marked(), [ANNA, OTHER, CALL, ELSEWHERE]);
    }

    /// An address may be told wrongly of a login: that hides the login, and calls, but nobody who says it.
    #[test]
    fn what_others_told_of_a_login_leads_to_calls_alone() {
        let mut log = Log::new();
        log.says(ANNA, A).says(OTHER, B).is_told(OTHER, A).calls(ELSEWHERE, A).marks(OTHER, true);
        assert_eq!(log.marked(), [OTHER, ELSEWHERE]);
        log.says(3, A).calls(32, A);
        assert_eq!(log.marked(), [OTHER, ELSEWHERE, 32], "calls that are registered later, too");
        log.joins(ELSEWHERE);
        assert_eq!(
            log.marked(),
            [ANNA, OTHER, ELSEWHERE, 32],
            "whose it turns out to be, but no other login"
        );
        // Nor does whoever says it take the mark away from a login of which it was told.
        let mut log = Log::new();
        log.says(ANNA, A).is_told(OTHER, A).says(3, B).is_told(3, B).marks(ANNA, true);
        assert_eq!(log.marked(), [ANNA, OTHER]);
        log.marks(ANNA, false);
        assert_eq!(log.marked(), [OTHER]);
        log.marks(ANNA, true).marks(OTHER, false);
        assert_eq!(log.marked(), [ANNA]);
    }

    /// Letters of every script, as wherever two addresses are compared.
    #[test]
    fn addresses_that_differ_in_case_alone_are_the_same() {
        let mut log = Log::new();
        log.says(ANNA, "åsa@räksmörgås.example").marks(ANNA, true).calls(ELSEWHERE, "ÅSA@RÄKSMÖRGÅS.example");
        assert_eq!(log.marked(), [ANNA, ELSEWHERE]);
    }
}
