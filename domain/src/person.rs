//! A person is a stream with its own key. A caller registered by phone has no login yet; at the first login with
//! the same employer and verified address the two are linked, once and for ever.

use crate::access::Role;
use crate::event::{Event, Profile, Sealed};
use crate::ids::PersonId;
use crate::organisation_number::OrganisationNumber;

/// The state of a person's stream; holds nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// What was recorded last in each role: said by the login, and told by others for each employer.
    pub seen: Vec<Seen>,
    /// Whether the login has said an e-mail address.
    pub own_address: bool,
    /// The login that this caller turned out to be.
    pub linked_to: Option<PersonId>,
    /// The callers that this login turned out to have been.
    pub callers: Vec<PersonId>,
}

/// What was recorded of a person in a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The role.
    pub role: Role,
    /// Keyed digest of the profile.
    pub fingerprint: String,
    /// The employer for which others told it; none for what the login says itself.
    pub employer: Option<OrganisationNumber>,
}

/// Somebody was met: a login, a token, or a caller whom an officer registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeePerson {
    /// The person's stream.
    pub id: PersonId,
    /// The employer for which others tell it; none for what a login says itself.
    pub employer: Option<OrganisationNumber>,
    /// What the person is to Kundwebb.
    pub role: Role,
    /// Keyed digest of role and profile.
    pub fingerprint: String,
    /// Who it is.
    pub profile: Profile,
    /// When it counts.
    pub counts: Counts,
    /// The callers that this login may have been: same employer, same verified address.
    pub callers: Vec<PersonId>,
}

/// When what is told of a person counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Always: what a login says of itself, and what an officer hears from a caller.
    Always,
    /// While the login has said no address: what an officer tells of it; and what it says without one, in a new role.
    UntilSaid,
    /// While, besides, nothing was told for the employer: what a system tells.
    First,
}

impl Person {
    /// The state after `event` in the stream of `id`.
    #[must_use]
    pub fn evolve(mut self, id: PersonId, event: &Event) -> Self {
        match event {
            Event::PersonSeen { employer, role, fingerprint, without_address, .. } => {
                let (role, fingerprint, employer) = (*role, fingerprint.clone(), *employer);
                self.seen.retain(|seen| (seen.role, seen.employer) != (role, employer));
                self.seen.push(Seen { role, fingerprint, employer });
                self.own_address |= employer.is_none() && !without_address;
            }
            Event::PersonLinked { caller, person } if *person == id => self.callers.push(*caller),
            Event::PersonLinked { person, .. } => self.linked_to = Some(*person),
            _ => {}
        }
        self
    }
}

impl SeePerson {
    /// The event of a meeting, if what is told of the person is new and counts.
    pub fn decide(&self, person: &Person) -> Option<Event> {
        let mut alike = person.seen.iter().filter(|seen| seen.employer == self.employer);
        let same = alike.clone().any(|seen| seen.role == self.role && seen.fingerprint == self.fingerprint);
        let helps = !person.own_address && self.profile.email.is_some();
        let new_role = self.employer.is_none() && !alike.clone().any(|seen| seen.role == self.role);
        let counts = person.seen.is_empty()
            || match self.counts {
                Counts::Always => true,
                Counts::UntilSaid => helps || new_role,
                Counts::First => helps && alike.next().is_none(),
            };
        (counts && !same).then(|| Event::PersonSeen {
            employer: self.employer,
            role: self.role,
            fingerprint: self.fingerprint.clone(),
            without_address: self.profile.email.is_none(),
            personal: Sealed::Open(self.profile.clone()),
        })
    }

    /// The event, for both streams, that links `caller` to this login; none when the caller is somebody already.
    pub fn link(&self, caller: PersonId, state: &Person) -> Option<Event> {
        let free = state.linked_to.is_none() && caller != self.id;
        free.then_some(Event::PersonLinked { caller, person: self.id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Email;
    use uuid::Uuid;

    const ADDRESS: &str = "anna@exempelverket.example";

    fn meeting(fingerprint: &str, counts: Counts) -> SeePerson {
        SeePerson {
            id: PersonId(Uuid::from_u128(1)),
            employer: None,
            role: Role::Employee,
            fingerprint: fingerprint.to_owned(),
            profile: Profile {
                subject: Some("anna".to_owned()),
                name: None,
                email: Email::parse(ADDRESS, "").ok(),
            },
            counts,
            callers: Vec::new(),
        }
    }

    #[test]
    fn the_same_profile_is_not_recorded_twice() {
        let first = meeting("a", Counts::Always);
        let event = first.decide(&Person::default()).unwrap();
        let known = Person::default().evolve(first.id, &event);
        assert_eq!(first.decide(&known), None);
        assert!(meeting("b", Counts::Always).decide(&known).is_some());
    }

    #[test]
    fn what_an_officer_tells_does_not_replace_what_the_login_says() {
        let login = meeting("a", Counts::Always);
        let known = Person::default().evolve(login.id, &login.decide(&Person::default()).unwrap());
        assert_eq!(meeting("b", Counts::UntilSaid).decide(&known), None);
    }

    #[test]
    fn what_an_officer_tells_counts_while_no_address_is_known() {
        let mut login = meeting("a", Counts::UntilSaid);
        login.profile.email = None;
        let known = Person::default().evolve(login.id, &login.decide(&Person::default()).unwrap());
        assert!(!known.own_address);
        let told = meeting("b", Counts::UntilSaid).decide(&known).unwrap();
        assert!(known.evolve(login.id, &told).own_address);
    }

    /// Above what others told stands only the login's own word; of theirs the latest of an officer counts.
    #[test]
    fn an_officers_word_replaces_what_others_told_and_the_logins_own_replaces_both() {
        let [one, other] = ["4021000007", "4021010006"].map(OrganisationNumber::parse);
        let told =
            |fingerprint: &str, employer, counts| SeePerson { employer, ..meeting(fingerprint, counts) };
        let mut known = Person::default();
        for (word, counts) in [
            (told("a", one, Counts::First), true),
            (told("b", one, Counts::UntilSaid), true),
            (told("b", one, Counts::UntilSaid), false),
            (told("c", one, Counts::First), false),
            (told("c", other, Counts::First), true),
            (told("d", other, Counts::First), false),
            (told("b", other, Counts::UntilSaid), true),
            (told("b", None, Counts::Always), true),
            (told("b", None, Counts::Always), false),
            (told("d", one, Counts::UntilSaid), false),
            (told("d", one, Counts::First), false),
        ] {
            let event = word.decide(&known);
            assert_eq!(event.is_some(), counts, "{word:?}");
            known = event.iter().fold(known, |known, event| known.evolve(word.id, event));
        }
    }

    #[test]
    fn two_roles_of_one_login_are_each_recorded_once() {
        let (employee, officer) =
            (meeting("a", Counts::Always), SeePerson { role: Role::Officer, ..meeting("b", Counts::Always) });
        let mut known = Person::default();
        for (one, is_new) in
            [(&employee, true), (&officer, true), (&employee, false), (&officer, false), (&employee, false)]
        {
            let decided = one.decide(&known);
            assert_eq!(decided.is_some(), is_new);
            known = decided.iter().fold(known, |known, event| known.evolve(one.id, event));
        }
    }

    #[test]
    fn a_caller_is_linked_once() {
        let login = meeting("a", Counts::Always);
        let caller = PersonId(Uuid::from_u128(2));
        let link = login.link(caller, &Person::default()).unwrap();
        assert_eq!(Person::default().evolve(login.id, &link).callers, [caller]);
        let linked = Person::default().evolve(caller, &link);
        assert_eq!(linked.linked_to, Some(login.id));
        assert_eq!(login.link(caller, &linked), None);
    }
}
