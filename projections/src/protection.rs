//! Protected identity (*skyddade personuppgifter*, LAW-12): who is marked, and with whom a mark goes. The log says of whom it
//! was made; with whom it goes is found here, in the order of the log, so that whoever is met or joined while a mark is on its
//! way is marked like all others.
//!
//! By their own word those are one person: a login and the calls that it turned out to have been, and logins that have said,
//! or calls that have given, the same address. What others told of a login is no word of its own, and may be wrong: a mark
//! leads to logins of which the address was told, and to calls by an address that was told of a marked login; but from those
//! it leads no further, and it is there no longer than what leads to it. Taken away, a mark comes back by a new address, by a
//! call that turns out to be somebody's, or by a new mark alone.

use std::collections::HashSet;

use domain::PersonId;
use rusqlite::{Connection, OptionalExtension};

use crate::ReadError;
use crate::directory::{self, identities, login};

/// Why somebody has protected identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The person is marked, by their own word.
    Own,
    /// A mark of somebody else leads to the person, by what others told.
    Led,
}

/// Somebody says or gives an address, or others tell it of a login: it may be that of a marked person.
pub(crate) fn met(tables: &Connection, id: PersonId, address: &str, own: bool) -> Result<(), ReadError> {
    let led_before = is_protected_address(tables, address, own)?;
    let sql = "INSERT OR IGNORE INTO person_address VALUES (?1, ?2, ?3)";
    let is_new = tables.prepare_cached(sql)?.execute((id.0, address, own))? > 0;
    if !is_new {
        return Ok(());
    }
    let address = Address { key: address.to_owned(), own };
    if mark(tables, id)? == Some(Mark::Own) {
        spread(tables, id)?;
        let leads = (!led_before).then_some(address);
        set(tables, &led_to(tables, leads)?, Mark::Led)
    } else if own && led_before {
        spread(tables, id)
    } else if leads_to(tables, id, &address)? {
        set(tables, &with_calls(tables, id)?, Mark::Led)
    } else {
        Ok(())
    }
}

/// A call turned out to be that of a login.
pub(crate) fn joined(tables: &Connection, caller: PersonId, person: PersonId) -> Result<(), ReadError> {
    if mark(tables, caller)? == Some(Mark::Own) || mark(tables, person)? == Some(Mark::Own) {
        spread(tables, person)
    } else if is_led_to(tables, person)? {
        set(tables, &with_calls(tables, person)?, Mark::Led)
    } else {
        Ok(())
    }
}

/// Somebody is marked, or the mark is taken away.
pub(crate) fn changed(tables: &Connection, id: PersonId, protected: bool) -> Result<(), ReadError> {
    if protected { spread(tables, id) } else { take_away(tables, id) }
}

/// Marks all who are the same person, and those to whom that leads and nothing did before.
fn spread(tables: &Connection, id: PersonId) -> Result<(), ReadError> {
    let same = same_person(tables, id)?;
    let mut known = HashSet::new();
    for person in &same {
        if mark(tables, *person)? != Some(Mark::Own) {
            known.extend(addresses(tables, *person)?);
        }
    }
    let mut leads = Vec::new();
    for address in known {
        if !is_protected_address(tables, &address.key, address.own)? {
            leads.push(address);
        }
    }
    set(tables, &same, Mark::Own)?;
    set(tables, &led_to(tables, leads)?, Mark::Led)
}

/// Takes the mark away from all who are the same person, and from those to whom nothing leads any more. To those who were
/// marked with the person of whom it is asked, a mark of somebody else may lead still.
fn take_away(tables: &Connection, id: PersonId) -> Result<(), ReadError> {
    let asked = with_calls(tables, id)?;
    let (mut known, mut others) = (HashSet::new(), Vec::new());
    for person in same_person(tables, id)? {
        known.extend(addresses(tables, person)?);
        if mark(tables, person)? == Some(Mark::Own) && !asked.contains(&person) {
            others.push(person);
        }
        remove(tables, person)?;
    }
    for person in led_to(tables, known)? {
        if mark(tables, person)? == Some(Mark::Led) && !is_led_to(tables, person)? {
            remove(tables, person)?;
        }
    }
    for person in others {
        if is_led_to(tables, person)? {
            set(tables, &[person], Mark::Led)?;
        }
    }
    Ok(())
}

fn remove(tables: &Connection, id: PersonId) -> Result<(), ReadError> {
    tables.prepare_cached("DELETE FROM person_protected WHERE person_id = ?1")?.execute([id.0])?;
    Ok(())
}

fn set<'a>(
    tables: &Connection,
    persons: impl IntoIterator<Item = &'a PersonId>,
    mark: Mark,
) -> Result<(), ReadError> {
    let sql = "INSERT INTO person_protected VALUES (?1, ?2) \
               ON CONFLICT (person_id) DO UPDATE SET own = own OR excluded.own";
    let mut statement = tables.prepare_cached(sql)?;
    for person in persons {
        statement.execute((person.0, mark == Mark::Own))?;
    }
    Ok(())
}

/// The mark of a person.
///
/// # Errors
/// When the read models cannot be read.
pub fn mark(tables: &Connection, id: PersonId) -> Result<Option<Mark>, ReadError> {
    let mut statement = tables.prepare_cached("SELECT own FROM person_protected WHERE person_id = ?1")?;
    let own: Option<bool> = statement.query_row([id.0], |row| row.get(0)).optional()?;
    Ok(own.map(|own| if own { Mark::Own } else { Mark::Led }))
}

/// Whether a person has protected identity.
///
/// # Errors
/// When the read models cannot be read.
pub fn is_protected(tables: &Connection, id: PersonId) -> Result<bool, ReadError> {
    Ok(mark(tables, id)?.is_some())
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

/// Those who are the same person by their own word, with the person.
fn same_person(tables: &Connection, id: PersonId) -> Result<HashSet<PersonId>, ReadError> {
    let (mut found, mut looked, mut next) = (HashSet::new(), HashSet::new(), vec![id]);
    while let Some(person) = next.pop() {
        if found.contains(&person) {
            continue;
        }
        for identity in with_calls(tables, person)? {
            found.insert(identity);
            for Address { key, own } in addresses(tables, identity)? {
                if own && !looked.contains(&key) {
                    next.extend(of_address(tables, &key, true)?);
                    looked.insert(key);
                }
            }
        }
    }
    Ok(found)
}

/// To whom these addresses lead from somebody marked, by what others told.
fn led_to(
    tables: &Connection,
    addresses: impl IntoIterator<Item = Address>,
) -> Result<HashSet<PersonId>, ReadError> {
    let mut found = HashSet::new();
    for Address { key, own } in addresses {
        for other in of_address(tables, &key, !own)? {
            if own || is_call(tables, other)? {
                found.extend(with_calls(tables, other)?);
            }
        }
    }
    Ok(found)
}

/// Whether a mark of somebody else leads to a person still.
fn is_led_to(tables: &Connection, id: PersonId) -> Result<bool, ReadError> {
    for identity in with_calls(tables, id)? {
        for address in addresses(tables, identity)? {
            if leads_to(tables, identity, &address)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether a mark leads to a person by this address.
fn leads_to(tables: &Connection, id: PersonId, address: &Address) -> Result<bool, ReadError> {
    let can = !address.own || is_call(tables, id)?;
    Ok(can && is_protected_address(tables, &address.key, !address.own)?)
}

/// Whether a person is a call, whosever it turned out to be.
fn is_call(tables: &Connection, id: PersonId) -> Result<bool, ReadError> {
    Ok(directory::person(tables, id)?.is_some_and(|person| person.subject.is_none()))
}

/// The login that a person turned out to be, with its calls.
fn with_calls(tables: &Connection, id: PersonId) -> Result<Vec<PersonId>, ReadError> {
    identities(tables, login(tables, id)?)
}

/// An address that is known of a person, in the form in which it is compared ([`domain::text::Email::key`]).
#[derive(PartialEq, Eq, Hash)]
struct Address {
    key: String,
    /// Whether the login has said it itself, or a call gave it.
    own: bool,
}

/// Every address that was ever known of a person.
fn addresses(tables: &Connection, id: PersonId) -> Result<Vec<Address>, ReadError> {
    let mut statement =
        tables.prepare_cached("SELECT address, own FROM person_address WHERE person_id = ?1")?;
    let read = statement.query_map([id.0], |row| Ok(Address { key: row.get(0)?, own: row.get(1)? }))?;
    Ok(read.collect::<Result<_, _>>()?)
}

/// Those who have said or given an address, or of whom others told it.
fn of_address(tables: &Connection, address: &str, own: bool) -> Result<Vec<PersonId>, ReadError> {
    let mut statement =
        tables.prepare_cached("SELECT person_id FROM person_address WHERE address = ?1 AND own = ?2")?;
    let read = statement.query_map((address, own), |row| row.get(0).map(PersonId))?;
    Ok(read.collect::<Result<_, _>>()?)
}

/// Whether somebody is marked who has said or given an address, or of whom others told it.
fn is_protected_address(tables: &Connection, address: &str, own: bool) -> Result<bool, ReadError> {
    let sql = "SELECT 1 FROM person_address AS known JOIN person_protected AS mark USING (person_id) \
               WHERE address = ?1 AND known.own = ?2 AND mark.own";
    Ok(tables.prepare_cached(sql)?.exists((address, own))?)
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
        log.calls(ELSEWHERE, B).says(OTHER, B).says(ANNA, A).is_told(3, "c@hemma.example").marks(ANNA, true);
        assert_eq!(log.marked(), [ANNA]);
        log.says(ANNA, B);
        assert_eq!(log.marked(), [ANNA, OTHER, ELSEWHERE]);
        log.says(ANNA, "c@hemma.example");
        assert_eq!(log.marked(), [ANNA, OTHER, 3, ELSEWHERE], "also to whom it was told of");
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
    }

    /// What was told wrongly of a login hides it as long as what leads to it is marked, and no longer than a registrar says.
    #[test]
    fn a_mark_that_somebody_elses_leads_to_goes_with_it_and_may_be_taken_away_by_itself() {
        let mut log = Log::new();
        log.calls(ELSEWHERE, B)
            .says(ANNA, A)
            .is_told(OTHER, A)
            .says(OTHER, B)
            .is_told(3, A)
            .marks(ANNA, true);
        assert_eq!(log.marked(), [ANNA, OTHER, 3], "not who says what the other says");
        log.marks(OTHER, false).says(OTHER, "c@hemma.example").says(ANNA, A).is_told(OTHER, A);
        assert_eq!(log.marked(), [ANNA, 3], "nothing new ties the two");
        log.marks(OTHER, true).marks(ANNA, false);
        assert_eq!(log.marked(), [OTHER, ELSEWHERE], "the other's own mark stays");
    }

    /// Nor does it matter to a call whose it turns out to be, or when.
    #[test]
    fn a_call_is_led_to_with_whosever_it_is_as_long_as_something_leads_there() {
        for joined_first in [true, false] {
            let mut log = Log::new();
            log.is_told(OTHER, A).calls(ELSEWHERE, A).says(ANNA, A);
            if joined_first {
                log.joins(ELSEWHERE).marks(OTHER, true);
            } else {
                log.marks(OTHER, true).joins(ELSEWHERE);
            }
            assert_eq!(log.marked(), [ANNA, OTHER, ELSEWHERE], "{joined_first}");
            log.marks(OTHER, false);
            assert_eq!(log.marked(), [0; 0], "{joined_first}");
        }
        let mut log = Log::new();
        log.is_told(OTHER, A).calls(ELSEWHERE, A).marks(OTHER, true).says(ANNA, A).marks(ANNA, true);
        log.marks(ANNA, false);
        assert_eq!(log.marked(), [OTHER, ELSEWHERE], "what leads there still");
    }

    #[test]
    fn of_several_to_whom_a_mark_leads_all_can_be_shown_again() {
        let mut log = Log::new();
        log.is_told(OTHER, A).marks(OTHER, true).calls(ELSEWHERE, A).calls(32, A);
        assert_eq!(log.marked(), [OTHER, ELSEWHERE, 32]);
        log.marks(ELSEWHERE, false).marks(32, false);
        assert_eq!(log.marked(), [OTHER]);
    }

    /// A new call or address of the marked person is none of whoever the registrar has taken the mark from.
    #[test]
    fn what_was_taken_away_does_not_come_back_by_what_is_new_of_others() {
        let mut log = Log::new();
        log.says(ANNA, A).is_told(OTHER, A).marks(ANNA, true).marks(OTHER, false);
        log.calls(ELSEWHERE, A).says(3, A).says(ANNA, B);
        assert_eq!(log.marked(), [ANNA, 3, ELSEWHERE]);
        log.is_told(4, B).is_told(OTHER, B);
        assert_eq!(log.marked(), [ANNA, OTHER, 3, 4, ELSEWHERE], "told anew, of another address");
    }

    #[test]
    fn a_former_address_is_that_of_the_person() {
        for first in [true, false] {
            let mut log = Log::new();
            log.says(ANNA, A).calls(ELSEWHERE, A);
            if first {
                log.marks(ANNA, true);
            }
            log.says(ANNA, B);
            if !first {
                log.marks(ANNA, true);
            }
            log.calls(32, A);
            assert_eq!(log.marked(), [ANNA, ELSEWHERE, 32], "{first}");
        }
    }

    /// Letters of every script, as wherever two addresses are compared.
    #[test]
    fn addresses_that_differ_in_case_alone_are_the_same() {
        let mut log = Log::new();
        log.says(ANNA, "åsa@räksmörgås.example").marks(ANNA, true).calls(ELSEWHERE, "ÅSA@RÄKSMÖRGÅS.example");
        assert_eq!(log.marked(), [ANNA, ELSEWHERE]);
    }
}
