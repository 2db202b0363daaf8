//! Rights in one pure place (P8): who may do what with which case. Commands ask [`may`] on the newest state;
//! every list, search, count and feed is narrowed by the same [`Reach`].

use crate::ids::PersonId;
use crate::organisation_number::OrganisationNumber;
use crate::vocabulary::{Area, vocabulary};

vocabulary! {
    /// What a caller is to Kundwebb.
    Role {
        /// Somebody at a customer agency.
        Employee = "employee",
        /// A case officer (*handläggare*).
        Officer = "officer",
        /// Somebody who replays the events.
        Auditor = "auditor",
        /// Another system.
        System = "system",
    }
}

impl Role {
    /// Whether this role sees every event of a case, not only those that the reporter sees.
    pub const fn sees_all(self) -> bool {
        matches!(self, Self::Officer | Self::Auditor)
    }
}

/// Who asks. Lists that narrow are `None` where nothing narrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The caller's pseudonym.
    pub person: PersonId,
    /// The role of this login or token.
    pub role: Role,
    /// The caller and the phone callers that the caller turned out to have been.
    pub identities: Vec<PersonId>,
    /// The employers of an employee or a system.
    pub employers: Option<Vec<OrganisationNumber>>,
    /// The areas of an officer.
    pub areas: Option<Vec<Area>>,
}

/// What rights depend on in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The employer of its creation, for ever.
    pub employer: OrganisationNumber,
    /// The area that it is in now.
    pub area: Area,
    /// Whose case it is.
    pub reporter: Option<PersonId>,
    /// Who created it.
    pub registered_by: PersonId,
}

vocabulary! {
    /// What can be done with a case.
    Action {
        /// Make it.
        Create = "create",
        /// See it in any form.
        Read = "read",
        /// Add files.
        Attach = "attach",
        /// Write a message.
        AddMessage = "add-message",
        /// Write a note.
        AddNote = "add-note",
        /// Give it to an officer.
        Assign = "assign",
        /// Move it to another area, sub-area or system.
        Reclassify = "reclassify",
        /// Take it.
        StartProcessing = "start-processing",
        /// Ask the reporter for more.
        RequestInformation = "request-information",
        /// Answer and close.
        Close = "close",
    }
}

/// The answer of [`may`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Allowed,
    /// The caller may know of the case, not do this.
    Forbidden,
    /// The existence of the case is not the caller's to know.
    Unknown,
}

/// The cases that a caller may know of; every condition that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Only cases of these reporters.
    pub reporters: Option<Vec<PersonId>>,
    /// Only cases that this caller created.
    pub registered_by: Option<PersonId>,
    /// Only cases of these employers.
    pub employers: Option<Vec<OrganisationNumber>>,
    /// Only cases in these areas.
    pub areas: Option<Vec<Area>>,
}

impl Actor {
    /// The cases that this caller may know of.
    pub fn reach(&self) -> Reach {
        match self.role {
            Role::Employee => Reach {
                reporters: Some(self.identities.clone()),
                employers: self.employers.clone(),
                ..Reach::default()
            },
            Role::System => Reach {
                registered_by: Some(self.person),
                employers: self.employers.clone(),
                ..Reach::default()
            },
            Role::Officer => Reach { areas: self.areas.clone(), ..Reach::default() },
            Role::Auditor => Reach::default(),
        }
    }
}

impl Reach {
    /// Whether a case lies within.
    pub fn covers(&self, case: &Standing) -> bool {
        within(self.reporters.as_deref(), case.reporter.as_ref())
            && self.registered_by.is_none_or(|creator| creator == case.registered_by)
            && within(self.employers.as_deref(), Some(&case.employer))
            && within(self.areas.as_deref(), Some(&case.area))
    }
}

fn within<T: PartialEq>(narrowed: Option<&[T]>, value: Option<&T>) -> bool {
    narrowed.is_none_or(|allowed| value.is_some_and(|value| allowed.contains(value)))
}

/// Whether `actor` may do `action` with a case, or with one about to be created.
pub fn may(actor: &Actor, action: Action, case: &Standing) -> Verdict {
    let covered = match action {
        Action::Create => {
            within(actor.employers.as_deref(), Some(&case.employer))
                && within(actor.areas.as_deref(), Some(&case.area))
        }
        _ => actor.reach().covers(case),
    };
    let role_may = match action {
        Action::Read => true,
        Action::Create | Action::Attach | Action::AddMessage => actor.role != Role::Auditor,
        Action::AddNote
        | Action::Assign
        | Action::Reclassify
        | Action::StartProcessing
        | Action::RequestInformation
        | Action::Close => actor.role == Role::Officer,
    };
    match (covered, role_may) {
        (true, true) => Verdict::Allowed,
        (false, _) if action != Action::Create => Verdict::Unknown,
        _ => Verdict::Forbidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn person(number: u128) -> PersonId {
        PersonId(Uuid::from_u128(number))
    }

    fn employer(text: &str) -> OrganisationNumber {
        OrganisationNumber::parse(text).unwrap()
    }

    fn case() -> Standing {
        Standing {
            employer: employer("2021006453"),
            area: Area::Lon,
            reporter: Some(person(1)),
            registered_by: person(9),
        }
    }

    fn actor(role: Role, number: u128) -> Actor {
        Actor { person: person(number), role, identities: vec![person(number)], employers: None, areas: None }
    }

    /// The table of rights: role × relation × action, spelled out.
    #[test]
    fn rights_role_by_relation_by_action() {
        use Verdict::{Allowed, Forbidden, Unknown};
        let other_employer = || Some(vec![employer("2021000969")]);
        let callers = [
            ("reporter", actor(Role::Employee, 1), [Allowed, Allowed, Forbidden]),
            (
                "reporter, other employer",
                Actor { employers: other_employer(), ..actor(Role::Employee, 1) },
                [Unknown; 3],
            ),
            ("colleague", actor(Role::Employee, 2), [Unknown; 3]),
            (
                "joined caller",
                Actor { identities: vec![person(5), person(1)], ..actor(Role::Employee, 5) },
                [Allowed, Allowed, Forbidden],
            ),
            ("creating system", actor(Role::System, 9), [Allowed, Allowed, Forbidden]),
            ("other system", actor(Role::System, 8), [Unknown; 3]),
            ("system that is only the reporter", actor(Role::System, 1), [Unknown; 3]),
            ("officer", actor(Role::Officer, 3), [Allowed; 3]),
            (
                "officer of the area",
                Actor { areas: Some(vec![Area::Lon]), ..actor(Role::Officer, 3) },
                [Allowed; 3],
            ),
            (
                "officer of another area",
                Actor { areas: Some(vec![Area::Ekonomi]), ..actor(Role::Officer, 3) },
                [Unknown; 3],
            ),
            ("auditor", actor(Role::Auditor, 4), [Allowed, Forbidden, Forbidden]),
        ];
        for (name, caller, [read, write, process]) in callers {
            for action in Action::ALL {
                let expected = match action {
                    Action::Create => continue,
                    Action::Read => read,
                    Action::Attach | Action::AddMessage => write,
                    _ => process,
                };
                assert_eq!(may(&caller, *action, &case()), expected, "{name}: {action}");
            }
        }
    }

    #[test]
    fn who_may_create() {
        for (caller, expected) in [
            (actor(Role::Employee, 1), Verdict::Allowed),
            (actor(Role::System, 1), Verdict::Allowed),
            (actor(Role::Officer, 1), Verdict::Allowed),
            (actor(Role::Auditor, 1), Verdict::Forbidden),
            (Actor { employers: Some(vec![]), ..actor(Role::Employee, 1) }, Verdict::Forbidden),
            (Actor { areas: Some(vec![Area::EHandel]), ..actor(Role::Officer, 1) }, Verdict::Forbidden),
        ] {
            assert_eq!(may(&caller, Action::Create, &case()), expected);
        }
    }
}
