//! Protected identity (*skyddade personuppgifter*, LAW-12): a mark in the person's own stream.

use std::collections::HashMap;

use domain::access::Standing;
use domain::{CaseCommand, CaseId, CaseNumber, Event, PersonId, Refusal};
use infrastructure::CommandError;
use infrastructure::committer::Expected;
use infrastructure::stored::StoredEvent;
use infrastructure::tokens::Identity;
use projections::protection::{self, Mark};
use projections::{ReadError, directory, queue};
use rusqlite::Connection;
use serde_json::Value;

use crate::app::callers::CallerError;
use crate::app::commands::Command;
use crate::app::{App, Caller};

/// What an event must not tell to those who may not know where somebody with protected identity works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Where the person works whom it is about.
    pub employer: bool,
    /// Who caused it: somebody at that employer, or a person with protected identity at the employer that it tells.
    pub actor: bool,
    /// Which case its case goes on from.
    pub relation: bool,
}

/// What decides on that.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Whom it is about.
    pub person: Option<PersonId>,
    /// Who registered the case; none where it is about no case.
    pub registered_by: Option<PersonId>,
    /// Who caused it.
    pub actor: PersonId,
    /// The case that its case goes on from, where it says that.
    pub follows_up: Option<CaseNumber>,
}

impl Hidden {
    /// What an event must not tell.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub fn of(tables: &Connection, told: Told) -> Result<Self, ReadError> {
        let Told { person, registered_by, actor, follows_up } = told;
        let is_protected = |person| protection::is_protected(tables, person);
        let employer = person.map(is_protected).transpose()? == Some(true);
        // Of a person's own stream too: whoever told of somebody else, if not of the centre, is there.
        let at_the_employer = employer && registered_by.is_none_or(|registrar| registrar == actor);
        let actor = person != Some(actor)
            && (at_the_employer || is_protected(actor)?)
            && !directory::person(tables, actor)?.is_some_and(|actor| actor.is_of_the_centre());
        let relation = match follows_up {
            Some(number) => {
                let earlier = queue::by_number(tables, number)?;
                let other = earlier.and_then(|(_, standing)| standing.reporter);
                protection::is_told_by_relation(tables, person, other)?
            }
            None => false,
        };
        Ok(Self { employer, actor, relation })
    }

    /// Whether it must not tell something.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// Facts without what must not be told.
    pub fn without(self, facts: &str) -> String {
        if !self.any() {
            return facts.to_owned();
        }
        let mut facts: Value = serde_json::from_str(facts).unwrap_or_default();
        if let Some(facts) = facts.as_object_mut() {
            if self.employer {
                facts.remove("employer");
            }
            if (self.employer || self.actor) && facts.get("registeredBy") != facts.get("reporter") {
                facts.remove("registeredBy");
            }
            if self.relation {
                // As of a case that goes on from none.
                facts.insert("followsUp".to_owned(), Value::Null);
            }
        }
        facts.to_string()
    }
}

/// The events that must not tell something, by position.
#[derive(Debug, Default)]
pub struct Protected(HashMap<u64, Hidden>);

impl Protected {
    /// What an event must not tell to those who may not know it.
    pub fn of(&self, event: &StoredEvent) -> Hidden {
        self.0.get(&event.position).copied().unwrap_or_default()
    }
}

/// The case that an event is about: its own, or the one that its facts name.
pub fn case_of(event: &StoredEvent) -> Option<CaseId> {
    match event.facts_only().ok()? {
        Event::NotificationSent { case_id, .. }
        | Event::NotificationFailed { case_id, .. }
        | Event::FileScanned { case_id, .. }
        | Event::CaseSeen { case_id, .. }
        | Event::SatisfactionGiven { case_id, .. } => Some(case_id),
        Event::CaseReceived { .. }
        | Event::AttachmentAdded { .. }
        | Event::ProcessingStarted { .. }
        | Event::InformationRequested { .. }
        | Event::MessageAdded { .. }
        | Event::NoteAdded { .. }
        | Event::CaseAssigned { .. }
        | Event::CaseReclassified { .. }
        | Event::CaseClosed { .. } => Some(CaseId(event.stream.0)),
        Event::PersonSeen { .. }
        | Event::PersonLinked { .. }
        | Event::ProtectionChanged { .. }
        | Event::SettingsChosen { .. }
        | Event::EmployerRegistered { .. }
        | Event::NoticePublished { .. }
        | Event::NoticeResolved {}
        | Event::ContentPublished { .. }
        | Event::CataloguePublished { .. }
        | Event::PayrollFormPublished { .. }
        | Event::PayrollFormWithdrawn {}
        | Event::PayrollPeriodPublished { .. }
        | Event::PayrollPeriodWithdrawn {}
        | Event::ReadLogSealed { .. }
        | Event::ReadLogKeyDestroyed { .. } => None,
    }
}

/// What an event says of whom it is about.
struct About {
    position: u64,
    case: Option<CaseId>,
    /// Of what is about no case.
    person: Option<PersonId>,
    actor: PersonId,
    follows_up: Option<CaseNumber>,
}

impl About {
    /// None of an event that is neither about a case nor about a person: it tells no employer.
    fn of(event: &StoredEvent) -> Option<Self> {
        let (case, facts) = (case_of(event), event.facts_only().ok());
        let about_person = matches!(
            facts,
            Some(
                Event::PersonSeen { .. }
                    | Event::PersonLinked { .. }
                    | Event::ProtectionChanged { .. }
                    | Event::SettingsChosen { .. }
            )
        );
        let follows_up = match facts {
            Some(Event::CaseReceived { follows_up, .. }) => follows_up,
            _ => None,
        };
        let person = about_person.then_some(PersonId(event.stream.0));
        (case.is_some() || about_person).then_some(Self {
            position: event.position,
            case,
            person,
            actor: event.actor,
            follows_up,
        })
    }

    /// With what the read models know of its case.
    fn told(&self, tables: &Connection) -> Result<Told, ReadError> {
        let standing = self.case.map(|case| queue::standing(tables, case)).transpose()?.flatten();
        Ok(Told {
            person: standing.as_ref().map_or(self.person, |standing| standing.reporter),
            registered_by: standing.map(|standing| standing.registered_by),
            actor: self.actor,
            follows_up: self.follows_up,
        })
    }
}

impl App {
    /// Marks a person as having protected identity, or takes the mark away; gives the position, once it is shown. With whom
    /// else it goes is found by the read models ([`protection`]).
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn protect(
        &self,
        actor: PersonId,
        person: PersonId,
        protected: bool,
    ) -> Result<u64, CommandError> {
        let mark = Event::ProtectionChanged { protected };
        let position = self.append(actor, person.into(), mark, Expected::Any).await?;
        // Whoever reads after the answer is not shown who it is.
        let _ = self.shown_position(position).await;
        Ok(position)
    }

    /// Keeps a command from telling where a person with protected identity works. Whether an area is used there would;
    /// those who may know that move such cases.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`]; when the log or the read models cannot be read.
    pub(super) async fn keeps_protected(
        &self,
        caller: &Caller,
        command: &Command,
    ) -> Result<(), CommandError> {
        let unread = |error: ReadError| CommandError::Unavailable(error.to_string());
        if let (CaseCommand::Reclassify(_), Some(case)) = (&command.command, command.case)
            && caller.actor.role.hides_protected()
        {
            let of_protected = move |tables: &Connection| match queue::standing(tables, case)? {
                Some(Standing { reporter: Some(reporter), .. }) => protection::is_protected(tables, reporter),
                _ => Ok(false),
            };
            // What was done before the mark was made is answered as it was then.
            if self.query(of_protected).await.map_err(unread)?
                && self
                    .repeated(caller.actor.person, command.key.as_deref(), &command.request)
                    .await?
                    .is_none()
            {
                return Err(Refusal::Forbidden.into());
            }
        }
        Ok(())
    }

    /// What events must not tell.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn protected(&self, events: &[StoredEvent]) -> Result<Protected, ReadError> {
        let about: Vec<_> = events.iter().filter_map(About::of).collect();
        self.query(move |tables| {
            let mut hidden = HashMap::new();
            for about in about {
                let how = Hidden::of(tables, about.told(tables)?)?;
                if how.any() {
                    hidden.insert(about.position, how);
                }
            }
            Ok(Protected(hidden))
        })
        .await
    }

    /// Marks whoever logs in, unless that was done before.
    ///
    /// # Errors
    /// When the log cannot be written, or the read models cannot be read.
    pub async fn protect_login(&self, identity: &Identity) -> Result<(), CallerError> {
        let person = self.caller(identity.clone()).await?.actor.person;
        let mark = self.query(move |tables| protection::mark(tables, person)).await;
        if !mark.is_ok_and(|mark| mark == Some(Mark::Own)) {
            self.protect(person, person, true).await?;
        }
        Ok(())
    }
}
