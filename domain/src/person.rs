//! A person is a stream with its own key. A caller registered by phone has no login yet; at the first login with
//! the same employer and verified address the two are linked, once and for ever.

use crate::access::Role;
use crate::event::{Event, Profile, Sealed};
use crate::ids::PersonId;
use crate::organisation_number::OrganisationNumber;

/// The state of a person's stream; holds nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Keyed digest of the profile last seen.
    pub fingerprint: Option<String>,
    /// The login that this caller turned out to be.
    pub linked_to: Option<PersonId>,
    /// The callers that this login turned out to have been.
    pub callers: Vec<PersonId>,
}

/// Somebody was met: a login, a token, or a caller whom an officer registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeePerson {
    /// The person's stream.
    pub id: PersonId,
    /// The employer that a caller named; none for logins.
    pub employer: Option<OrganisationNumber>,
    /// What the person is to Kundwebb.
    pub role: Role,
    /// Keyed digest of role and profile.
    pub fingerprint: String,
    /// Who it is.
    pub profile: Profile,
    /// Whether an older profile is replaced. False for what an officer tells of somebody with a login.
    pub replace: bool,
    /// The callers that this login may have been: same employer, same verified address.
    pub callers: Vec<PersonId>,
}

impl Person {
    /// The state after `event` in the stream of `id`.
    #[must_use]
    pub fn evolve(mut self, id: PersonId, event: &Event) -> Self {
        match event {
            Event::PersonSeen { fingerprint, .. } => self.fingerprint = Some(fingerprint.clone()),
            Event::PersonLinked { caller, person } if *person == id => self.callers.push(*caller),
            Event::PersonLinked { person, .. } => self.linked_to = Some(*person),
            _ => {}
        }
        self
    }
}

impl SeePerson {
    /// The events of a meeting: what is new in the person's own stream.
    pub fn decide(&self, person: &Person) -> Vec<Event> {
        let known = person.fingerprint.as_deref();
        if known == Some(&self.fingerprint) || (known.is_some() && !self.replace) {
            return Vec::new();
        }
        vec![Event::PersonSeen {
            employer: self.employer,
            role: self.role,
            fingerprint: self.fingerprint.clone(),
            personal: Sealed::Open(self.profile.clone()),
        }]
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
    use uuid::Uuid;

    fn meeting(fingerprint: &str, replace: bool) -> SeePerson {
        SeePerson {
            id: PersonId(Uuid::from_u128(1)),
            employer: None,
            role: Role::Employee,
            fingerprint: fingerprint.to_owned(),
            profile: Profile { subject: Some("anna".to_owned()), name: None, email: None },
            replace,
            callers: Vec::new(),
        }
    }

    #[test]
    fn the_same_profile_is_not_recorded_twice() {
        let first = meeting("a", true);
        let events = first.decide(&Person::default());
        assert_eq!(events.len(), 1);
        let known = Person::default().evolve(first.id, &events[0]);
        assert!(first.decide(&known).is_empty());
        assert_eq!(meeting("b", true).decide(&known).len(), 1);
    }

    #[test]
    fn what_an_officer_tells_does_not_replace_what_the_login_says() {
        let known = Person { fingerprint: Some("a".to_owned()), ..Person::default() };
        assert!(meeting("b", false).decide(&known).is_empty());
    }

    #[test]
    fn a_caller_is_linked_once() {
        let login = meeting("a", true);
        let caller = PersonId(Uuid::from_u128(2));
        let link = login.link(caller, &Person::default()).unwrap();
        assert_eq!(Person::default().evolve(login.id, &link).callers, [caller]);
        let linked = Person::default().evolve(caller, &link);
        assert_eq!(linked.linked_to, Some(login.id));
        assert_eq!(login.link(caller, &linked), None);
    }
}
