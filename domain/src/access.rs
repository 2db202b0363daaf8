//! Rights in one pure place (P8): who may do what with which case. Commands ask [`may`] on the newest state;
//! every list, search, count and feed is narrowed by the same [`Reach`].

use crate::ids::PersonId;
use crate::organisation_number::OrganisationNumber;
use crate::vocabulary::{Area, Channel, vocabulary};

vocabulary! {
    /// What a caller is to Kundwebb. Whoever has several roles acts in one of them at a time.
    Role {
        /// Somebody at a customer agency.
        Employee = "employee",
        /// An employee who also sends decisions and documents for others at the employer (*behörig beställare*).
        Requester = "requester",
        /// An employee who also sees which cases the employer has, not what is in them.
        EmployerAdministrator = "employer-administrator",
        /// A case officer (*handläggare*).
        Officer = "officer",
        /// Somebody who shares out the officers' work (*samordnare*).
        TeamLead = "team-lead",
        /// Somebody who keeps the register of cases (*registrator*).
        Registrar = "registrar",
        /// Somebody who sees to it that cases are kept and disposed of (*arkivarie*).
        Archivist = "archivist",
        /// Somebody who replays the events.
        Auditor = "auditor",
        /// Somebody who writes the service status (*driftansvarig*).
        StatusEditor = "status-editor",
        /// Somebody who runs the program, and sees no case.
        SystemAdministrator = "system-administrator",
        /// Another system.
        System = "system",
    }
}

vocabulary! {
    /// What can be done beside single cases.
    Duty {
        /// File cases of one's own and follow them: *Skapa ärende*, *Mina ärenden*.
        OwnCases = "own-cases",
        /// See the list of all the cases in one's reach.
        Queue = "queue",
        /// See which cases an employer has, or the centre, without what is in them.
        Register = "register",
        /// See a case as those who work on it do, and do there what one may.
        CaseWork = "case-work",
        /// Register the case of somebody who calls.
        PhoneCases = "phone-cases",
        /// See the statistics in the web.
        Statistics = "statistics",
        /// Replay the log, and read what only it holds.
        Replay = "replay",
        /// Write the service status.
        ServiceStatus = "service-status",
        /// Write what the pages tell of the centre, its services and its forms.
        Content = "content",
    }
}

impl Role {
    /// Whether this role sees every event of a case, not only those that the reporter sees.
    pub const fn sees_all(self) -> bool {
        matches!(self, Self::Officer | Self::TeamLead | Self::Registrar | Self::Auditor)
    }

    /// Whether this role sees who somebody with protected identity is (LAW-12): a named few.
    pub const fn sees_protected(self) -> bool {
        matches!(self, Self::TeamLead | Self::Registrar)
    }

    /// Whether this role, which sees the cases of many, must not see who somebody with protected identity is, nor where they
    /// work. Those at an employer and systems know that already of whom they see.
    pub const fn hides_protected(self) -> bool {
        !self.has_employers() && !self.sees_protected()
    }

    /// Whether one is at a customer agency in this role: one has an employer, and may have cases of one's own.
    pub const fn is_customer(self) -> bool {
        matches!(self, Self::Employee | Self::Requester | Self::EmployerAdministrator)
    }

    /// Whether employers narrow what this role may do.
    pub const fn has_employers(self) -> bool {
        self.is_customer() || matches!(self, Self::System)
    }

    /// Whether areas narrow what this role may do.
    pub const fn has_areas(self) -> bool {
        matches!(self, Self::Officer | Self::TeamLead)
    }

    /// Whether this role gives cases to officers, and so may know who they are.
    pub const fn assigns(self) -> bool {
        matches!(self, Self::Officer | Self::TeamLead)
    }

    /// Whether this role does something.
    pub const fn may(self, duty: Duty) -> bool {
        match duty {
            Duty::OwnCases => self.is_customer(),
            Duty::Queue => self.sees_all(),
            Duty::Register => {
                matches!(self, Self::EmployerAdministrator | Self::Archivist) || self.sees_all()
            }
            Duty::CaseWork => matches!(self, Self::Officer | Self::TeamLead | Self::Registrar),
            Duty::PhoneCases => matches!(self, Self::Officer),
            Duty::Statistics => self.may(Duty::Register),
            Duty::Replay => matches!(self, Self::Auditor),
            Duty::ServiceStatus => matches!(self, Self::StatusEditor),
            Duty::Content => matches!(self, Self::StatusEditor | Self::SystemAdministrator),
        }
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
    /// The employers of somebody at a customer agency, or of a system.
    pub employers: Option<Vec<OrganisationNumber>>,
    /// The areas of an officer or a team lead.
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
    /// How it came in.
    pub channel: Channel,
}

impl Standing {
    /// Whether somebody sent it. A call that an officer registers is sent by nobody but who calls.
    fn was_sent_by(&self, person: PersonId) -> bool {
        self.registered_by == person && self.channel != Channel::Telefon
    }
}

vocabulary! {
    /// What can be done with a case.
    Action {
        /// Make it.
        Create = "create",
        /// Know that it is there: number, area, status and times.
        Know = "know",
        /// See what is in it, in any form.
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
        /// Mark whose case it is as having protected identity, or take the mark away.
        Protect = "protect",
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

/// Cases that a caller may read, or know of; every condition that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Only cases of these reporters; together with `sent_by`, those of either.
    pub reporters: Option<Vec<PersonId>>,
    /// Only cases that this caller sent, for whomever: not calls that the same person registered as an officer.
    pub sent_by: Option<PersonId>,
    /// Only cases of these employers.
    pub employers: Option<Vec<OrganisationNumber>>,
    /// Only cases in these areas.
    pub areas: Option<Vec<Area>>,
}

impl Actor {
    /// The cases that this caller may read.
    pub fn reach(&self) -> Reach {
        let own = || Reach {
            reporters: Some(self.identities.clone()),
            employers: self.employers.clone(),
            ..Reach::default()
        };
        match self.role {
            Role::Employee | Role::EmployerAdministrator => own(),
            Role::Requester => Reach { sent_by: Some(self.person), ..own() },
            Role::System => Reach { reporters: None, sent_by: Some(self.person), ..own() },
            Role::Officer | Role::TeamLead => Reach { areas: self.areas.clone(), ..Reach::default() },
            Role::Registrar | Role::Auditor => Reach::default(),
            Role::Archivist | Role::StatusEditor | Role::SystemAdministrator => Reach::nothing(),
        }
    }

    /// The cases that this caller may know of, some of them without what is in them.
    pub fn register(&self) -> Reach {
        match self.role {
            // Whose employer is not known administrates none.
            Role::EmployerAdministrator if self.employers.is_some() => {
                Reach { employers: self.employers.clone(), ..Reach::default() }
            }
            Role::Archivist => Reach::default(),
            _ => self.reach(),
        }
    }
}

impl Reach {
    /// No case.
    pub fn nothing() -> Self {
        Self { reporters: Some(Vec::new()), ..Self::default() }
    }

    /// Whether a case lies within.
    pub fn covers(&self, case: &Standing) -> bool {
        let reported = self.reporters.as_ref().map(|own| case.reporter.is_some_and(|who| own.contains(&who)));
        let sent = self.sent_by.map(|sender| case.was_sent_by(sender));
        let theirs = match (reported, sent) {
            (None, None) => true,
            (reported, sent) => reported == Some(true) || sent == Some(true),
        };
        theirs
            && within(self.employers.as_deref(), Some(&case.employer))
            && within(self.areas.as_deref(), Some(&case.area))
    }
}

fn within<T: PartialEq>(narrowed: Option<&[T]>, value: Option<&T>) -> bool {
    narrowed.is_none_or(|allowed| value.is_some_and(|value| allowed.contains(value)))
}

/// Whether `actor` may do `action` with a case, or with one about to be created.
pub fn may(actor: &Actor, action: Action, case: &Standing) -> Verdict {
    if action == Action::Create {
        let here = within(actor.employers.as_deref(), Some(&case.employer))
            && within(actor.areas.as_deref(), Some(&case.area));
        return if here && takes_part(actor.role) { Verdict::Allowed } else { Verdict::Forbidden };
    }
    if !actor.register().covers(case) {
        return Verdict::Unknown;
    }
    let allowed = match action {
        Action::Know => return Verdict::Allowed,
        Action::Read => true,
        Action::Create | Action::Attach | Action::AddMessage => takes_part(actor.role),
        Action::AddNote => matches!(actor.role, Role::Officer | Role::TeamLead | Role::Registrar),
        Action::Protect => actor.role.sees_protected(),
        Action::Assign => actor.role.assigns(),
        Action::Reclassify => matches!(actor.role, Role::Officer | Role::TeamLead),
        Action::StartProcessing | Action::RequestInformation | Action::Close => actor.role == Role::Officer,
    };
    if allowed && actor.reach().covers(case) { Verdict::Allowed } else { Verdict::Forbidden }
}

/// Whether a role files cases and writes in them, as customer or as officer.
const fn takes_part(role: Role) -> bool {
    role.has_employers() || matches!(role, Role::Officer)
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
            channel: Channel::Webb,
        }
    }

    fn actor(role: Role, number: u128) -> Actor {
        Actor { person: person(number), role, identities: vec![person(number)], employers: None, areas: None }
    }

    /// The table of rights: role × relation × action, spelled out. A letter an action, in the order of the columns:
    /// `+` allowed, `-` forbidden though known, `.` not known.
    #[test]
    fn rights_role_by_relation_by_action() {
        let [own, other] = ["2021006453", "2021000969"].map(|number| Some(vec![employer(number)]));
        let at = |employers: &Option<Vec<OrganisationNumber>>, actor: Actor| Actor {
            employers: employers.clone(),
            ..actor
        };
        let within = |area, actor: Actor| Actor { areas: Some(vec![area]), ..actor };
        let joined = |role| Actor { identities: vec![person(5), person(1)], ..actor(role, 5) };
        let table = [
            // know read attach add-message add-note assign reclassify start-processing request-information close protect
            ("its reporter", at(&own, actor(Role::Employee, 1)), "++++-------"),
            ("the reporter at another employer", at(&other, actor(Role::Employee, 1)), "..........."),
            ("a colleague", at(&own, actor(Role::Employee, 2)), "..........."),
            ("who called", at(&own, joined(Role::Employee)), "++++-------"),
            ("who created it, as an employee", at(&own, actor(Role::Employee, 9)), "..........."),
            ("its reporter, a requester", at(&own, actor(Role::Requester, 1)), "++++-------"),
            ("the requester who sent it for another", at(&own, actor(Role::Requester, 9)), "++++-------"),
            ("that requester at another employer", at(&other, actor(Role::Requester, 9)), "..........."),
            ("a colleague who is a requester", at(&own, actor(Role::Requester, 2)), "..........."),
            (
                "its reporter, an administrator",
                at(&own, actor(Role::EmployerAdministrator, 1)),
                "++++-------",
            ),
            ("who called, an administrator", at(&own, joined(Role::EmployerAdministrator)), "++++-------"),
            ("the employer's administrator", at(&own, actor(Role::EmployerAdministrator, 2)), "+----------"),
            (
                "another employer's administrator",
                at(&other, actor(Role::EmployerAdministrator, 2)),
                "...........",
            ),
            ("the system that created it", at(&own, actor(Role::System, 9)), "++++-------"),
            ("that system for another employer", at(&other, actor(Role::System, 9)), "..........."),
            ("another system", at(&own, actor(Role::System, 8)), "..........."),
            ("a system that is only the reporter", at(&own, actor(Role::System, 1)), "..........."),
            ("an officer", actor(Role::Officer, 3), "++++++++++-"),
            ("an officer of the area", within(Area::Lon, actor(Role::Officer, 3)), "++++++++++-"),
            ("an officer of another area", within(Area::Ekonomi, actor(Role::Officer, 3)), "..........."),
            ("the team lead of the area", within(Area::Lon, actor(Role::TeamLead, 3)), "++--+++---+"),
            ("the team lead of another area", within(Area::Ekonomi, actor(Role::TeamLead, 3)), "..........."),
            ("a registrar", actor(Role::Registrar, 3), "++--+-----+"),
            ("an archivist", actor(Role::Archivist, 3), "+----------"),
            ("an auditor", actor(Role::Auditor, 4), "++---------"),
            ("a status editor", actor(Role::StatusEditor, 1), "..........."),
            ("a system administrator", actor(Role::SystemAdministrator, 1), "..........."),
        ];
        let actions: Vec<Action> =
            Action::ALL.iter().copied().filter(|action| *action != Action::Create).collect();
        let named: Vec<Role> = table.iter().map(|(_, caller, _)| caller.role).collect();
        for (name, caller, row) in table {
            assert_eq!(row.len(), actions.len(), "{name}");
            for (action, letter) in actions.iter().zip(row.chars()) {
                let expected = match letter {
                    '+' => Verdict::Allowed,
                    '-' => Verdict::Forbidden,
                    _ => Verdict::Unknown,
                };
                assert_eq!(may(&caller, *action, &case()), expected, "{name}: {action}");
            }
        }
        assert!(Role::ALL.iter().all(|role| named.contains(role)), "a role has no row: {named:?}");
        // Of a call, whoever registered it as an officer knows nothing as the requester that the same person is, too.
        let call = Standing { channel: Channel::Telefon, ..case() };
        let requester = at(&own, actor(Role::Requester, 9));
        assert_eq!(may(&requester, Action::Know, &call), Verdict::Unknown);
    }

    /// Role × duty, spelled out, in the order of [`Duty::ALL`].
    #[test]
    fn duties_role_by_role() {
        let table = [
            // own-cases queue register case-work phone-cases statistics replay service-status content
            (Role::Employee, "+--------"),
            (Role::Requester, "+--------"),
            (Role::EmployerAdministrator, "+-+--+---"),
            (Role::Officer, "-+++++---"),
            (Role::TeamLead, "-+++-+---"),
            (Role::Registrar, "-+++-+---"),
            (Role::Archivist, "--+--+---"),
            (Role::Auditor, "-++--++--"),
            (Role::StatusEditor, "-------++"),
            (Role::SystemAdministrator, "--------+"),
            (Role::System, "---------"),
        ];
        assert_eq!(table.map(|(role, _)| role), Role::ALL);
        for (role, row) in table {
            let allowed: String =
                Duty::ALL.iter().map(|duty| if role.may(*duty) { '+' } else { '-' }).collect();
            assert_eq!(allowed, row, "{role}");
        }
    }

    #[test]
    fn who_may_create() {
        for (caller, expected) in [
            (actor(Role::Employee, 1), Verdict::Allowed),
            (actor(Role::System, 1), Verdict::Allowed),
            (actor(Role::Officer, 1), Verdict::Allowed),
            (actor(Role::Requester, 1), Verdict::Allowed),
            (actor(Role::EmployerAdministrator, 1), Verdict::Allowed),
            (actor(Role::TeamLead, 1), Verdict::Forbidden),
            (actor(Role::Registrar, 1), Verdict::Forbidden),
            (actor(Role::Archivist, 1), Verdict::Forbidden),
            (actor(Role::Auditor, 1), Verdict::Forbidden),
            (actor(Role::StatusEditor, 1), Verdict::Forbidden),
            (actor(Role::SystemAdministrator, 1), Verdict::Forbidden),
            (Actor { employers: Some(vec![]), ..actor(Role::Employee, 1) }, Verdict::Forbidden),
            (Actor { areas: Some(vec![Area::EHandel]), ..actor(Role::Officer, 1) }, Verdict::Forbidden),
        ] {
            assert_eq!(may(&caller, Action::Create, &case()), expected);
        }
    }
}
