//! Who calls: from a login or a token to an actor with pseudonym and rights.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::access::Role;
use domain::event::Profile;
use domain::person::{Counts, SeePerson};
use domain::text::{Email, PersonName};
use domain::{Actor, OrganisationNumber, PersonId};
use infrastructure::CommandError;
use infrastructure::tokens::Identity;
use projections::{ReadError, directory};

use crate::app::App;

/// Most persons remembered as recorded; more forgets them all, which costs only a look.
const PERSONS: usize = 100_000;

/// Whose profile this node has recorded, and which phone callers the login may have been.
#[derive(Debug, Default)]
pub(super) struct Met(Mutex<HashMap<(PersonId, Role), Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    fingerprint: String,
    callers: HashSet<PersonId>,
}

/// Somebody who is known to be who they say.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What the login or token says.
    pub identity: Identity,
    /// What rights depend on.
    pub actor: Actor,
}

impl App {
    /// The caller of a login or token. Somebody new, or with a new name or address, is recorded first.
    ///
    /// # Errors
    /// When the log cannot be written or the read models cannot be read.
    pub async fn caller(&self, identity: Identity) -> Result<Caller, CallerError> {
        self.meet(&identity).await?;
        self.known(identity).await
    }

    /// As [`App::caller`], for somebody who gives a command: the committer itself finds which calls were theirs.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn writer(&self, identity: Identity) -> Result<Caller, CallerError> {
        self.meet(&identity).await?;
        let person = self.keys.pseudonym(identity.role, &identity.subject);
        Ok(caller(identity, person, vec![person]))
    }

    /// As [`App::caller`], for somebody who only reads: reading goes on while the log cannot be written.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn reader(&self, identity: Identity) -> Result<Caller, CallerError> {
        if let Err(error) = self.meet(&identity).await {
            tracing::warn!(%error, "a reader could not be recorded");
        }
        self.known(identity).await
    }

    /// Records somebody who is new, or has a new name or address.
    async fn meet(&self, identity: &Identity) -> Result<(), CallerError> {
        let person = self.keys.pseudonym(identity.role, &identity.subject);
        let meeting = self.meeting(person, identity);
        if self.has_met(&meeting) && !self.has_called(&meeting).await? {
            return Ok(());
        }
        let position = self.committer.see(meeting.clone()).await?;
        self.acknowledged(person, position);
        self.remember(meeting);
        // A slow read model only means that a joined phone case shows a moment later.
        let _ = self.shown(person, Some(position)).await;
        Ok(())
    }

    /// Whether the login has called and is not joined to that call yet: the call was registered at another node, or while
    /// the login was met.
    async fn has_called(&self, meeting: &SeePerson) -> Result<bool, CallerError> {
        let callers = meeting.callers.clone();
        if callers.is_empty() {
            return Ok(false);
        }
        Ok(self.query(move |tables| directory::any_unlinked(tables, &callers)).await?)
    }

    async fn known(&self, identity: Identity) -> Result<Caller, CallerError> {
        let person = self.keys.pseudonym(identity.role, &identity.subject);
        let identities = self.query(move |tables| directory::identities(tables, person)).await?;
        Ok(caller(identity, person, identities))
    }

    /// What is recorded of a login: its profile, and which phone callers it may have been (same employer, same
    /// verified address).
    fn meeting(&self, person: PersonId, identity: &Identity) -> SeePerson {
        let email = identity.email.as_deref().and_then(|email| Email::parse(email, "").ok());
        let profile = Profile {
            subject: Some(identity.subject.clone()),
            name: identity.name.as_deref().and_then(|name| PersonName::parse(name, "").ok()),
            email: email.clone(),
        };
        let joined = identity.role.is_customer();
        let employers = identity.employers.iter().flatten().filter(|_| joined);
        let callers = email
            .iter()
            .flat_map(|email| employers.clone().map(|employer| self.keys.caller(*employer, email)));
        SeePerson {
            id: person,
            employer: None,
            role: identity.role,
            fingerprint: self.keys.profile_fingerprint(identity.role, &profile),
            callers: callers.collect(),
            // Who says no address takes none away: mails go to the one on record.
            counts: if email.is_some() { Counts::Always } else { Counts::UntilSaid },
            profile,
        }
    }

    /// A person on whose behalf `teller` reports: by login where it is known, else by employer and address. What an
    /// officer heard replaces what others told before; what a system tells does not.
    pub fn reporter(
        &self,
        teller: Role,
        employer: OrganisationNumber,
        subject: Option<&str>,
        name: PersonName,
        email: Email,
    ) -> SeePerson {
        let id =
            subject.map_or_else(|| self.keys.caller(employer, &email), |subject| self.keys.login(subject));
        let profile = Profile { subject: subject.map(str::to_owned), name: Some(name), email: Some(email) };
        SeePerson {
            id,
            employer: Some(employer),
            role: Role::Employee,
            fingerprint: self.keys.profile_fingerprint(Role::Employee, &profile),
            profile,
            counts: match (teller, subject) {
                (Role::Officer, None) => Counts::Always,
                (Role::Officer, Some(_)) => Counts::UntilSaid,
                _ => Counts::First,
            },
            callers: Vec::new(),
        }
    }

    fn met(&self) -> MutexGuard<'_, HashMap<(PersonId, Role), Recorded>> {
        self.met.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_met(&self, meeting: &SeePerson) -> bool {
        self.met().get(&(meeting.id, meeting.role)).is_some_and(|known| {
            // The same login may come with other employers, at which it may have called.
            let linked = meeting.callers.iter().all(|caller| known.callers.contains(caller));
            known.fingerprint == meeting.fingerprint && linked
        })
    }

    fn remember(&self, meeting: SeePerson) {
        let mut met = self.met();
        if met.len() >= PERSONS {
            met.clear();
        }
        let known = met.entry((meeting.id, meeting.role)).or_default();
        if known.fingerprint != meeting.fingerprint {
            *known = Recorded { fingerprint: meeting.fingerprint, callers: HashSet::new() };
        }
        known.callers.extend(meeting.callers);
    }

    /// Forgets that those were met who may have been this phone caller, who is registered now: the committer looks at
    /// them again.
    pub(super) fn forget_met(&self, caller: PersonId) {
        self.met().retain(|_, known| !known.callers.contains(&caller));
    }
}

fn caller(identity: Identity, person: PersonId, identities: Vec<PersonId>) -> Caller {
    let (employers, areas) = (identity.employers.clone(), identity.areas.clone());
    let actor = Actor { person, role: identity.role, identities, employers, areas };
    Caller { identity, actor }
}

/// Why a caller cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum CallerError {
    /// The log.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The read models.
    #[error(transparent)]
    Read(#[from] ReadError),
}
