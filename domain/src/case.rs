//! The case (*ärende*): its state by phase, how events change it, and the one door through which commands decide.
//! The life of a case is always *Inkommit → Under bearbetning → Avslutat*.

pub mod commands;

#[cfg(test)]
mod properties;
#[cfg(test)]
pub(crate) mod testing;

pub use commands::CaseCommand;

use crate::access::{Action, Standing, Verdict, may};
use crate::case_number::CaseNumber;
use crate::context::Context;
use crate::event::Event;
use crate::files::StoredFile;
use crate::ids::PersonId;
use crate::refusal::Refusal;
use crate::vocabulary::{Language, vocabulary};

vocabulary! {
    /// The three phases that people know.
    Status {
        /// *Inkommit*.
        Received = "received",
        /// *Under bearbetning*.
        InProcess = "in-process",
        /// *Avslutat*.
        Closed = "closed",
    }
}

/// A case by phase. Holds nothing personal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// Nothing has happened yet.
    #[default]
    New,
    /// *Inkommit*; perhaps already given to an officer.
    Received {
        /// What every case has.
        base: Base,
        /// The officer that it was given to.
        assigned: Option<PersonId>,
    },
    /// *Under bearbetning*.
    InProcess {
        /// What every case has.
        base: Base,
        /// The officer who works on it.
        officer: PersonId,
    },
    /// *Avslutat*.
    Closed {
        /// What every case has.
        base: Base,
        /// The officer who worked on it.
        officer: PersonId,
    },
}

/// What a case has in every phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// Its number.
    pub number: CaseNumber,
    /// What rights depend on.
    pub standing: Standing,
    /// The language of the reporter.
    pub language: Language,
    /// How many files it holds.
    pub file_count: usize,
    /// Their size together, bytes.
    pub file_bytes: u64,
    /// Its events, oldest first; the number of them is the version.
    pub history: Vec<Happened>,
}

/// That an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// Its type.
    pub event: &'static str,
    /// Whether the reporter sees it.
    pub for_customer: bool,
}

impl From<&Event> for Happened {
    fn from(event: &Event) -> Self {
        Self { event: event.type_name(), for_customer: event.for_customer().unwrap_or_default() }
    }
}

impl Base {
    /// The version: the number of events.
    pub fn version(&self) -> u64 {
        self.history.len() as u64
    }

    fn add_files(&mut self, files: &[StoredFile]) {
        self.file_count += files.len();
        self.file_bytes = files.iter().map(|file| file.size).fold(self.file_bytes, u64::saturating_add);
    }
}

impl Case {
    /// What every case has, unless it is new.
    pub const fn base(&self) -> Option<&Base> {
        match self {
            Self::New => None,
            Self::Received { base, .. } | Self::InProcess { base, .. } | Self::Closed { base, .. } => {
                Some(base)
            }
        }
    }

    /// The phase, unless the case is new.
    pub const fn status(&self) -> Option<Status> {
        match self {
            Self::New => None,
            Self::Received { .. } => Some(Status::Received),
            Self::InProcess { .. } => Some(Status::InProcess),
            Self::Closed { .. } => Some(Status::Closed),
        }
    }

    /// The version: the number of events; 0 when new.
    pub fn version(&self) -> u64 {
        self.base().map_or(0, Base::version)
    }

    /// The officer that the case was given to or is worked on by.
    pub const fn officer(&self) -> Option<PersonId> {
        match self {
            Self::New => None,
            Self::Received { assigned, .. } => *assigned,
            Self::InProcess { officer, .. } | Self::Closed { officer, .. } => Some(*officer),
        }
    }

    fn base_mut(&mut self) -> Option<&mut Base> {
        match self {
            Self::New => None,
            Self::Received { base, .. } | Self::InProcess { base, .. } | Self::Closed { base, .. } => {
                Some(base)
            }
        }
    }

    /// The state after `event`. Total: an event that does not belong in the phase moves nothing but the version.
    #[must_use]
    pub fn evolve(mut self, event: &Event) -> Self {
        if self == Self::New {
            return Self::received(event).unwrap_or(self);
        }
        let Some(base) = self.base_mut() else { return self };
        base.history.push(event.into());
        match event {
            Event::AttachmentAdded { stored_files, .. }
            | Event::MessageAdded { stored_files, .. }
            | Event::CaseClosed { stored_files, .. } => base.add_files(stored_files),
            Event::CaseReclassified { area, .. } => base.standing.area = *area,
            _ => {}
        }
        self.moved(event)
    }

    /// The phase after `event`.
    fn moved(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Received { base, .. }, Event::ProcessingStarted { officer })
            | (Self::InProcess { base, .. }, Event::CaseAssigned { officer }) => {
                Self::InProcess { base, officer: *officer }
            }
            (Self::Received { base, .. }, Event::CaseAssigned { officer }) => {
                Self::Received { base, assigned: Some(*officer) }
            }
            (Self::InProcess { base, officer }, Event::CaseClosed { .. }) => Self::Closed { base, officer },
            (case, _) => case,
        }
    }

    fn received(event: &Event) -> Option<Self> {
        let Event::CaseReceived {
            case_number,
            employer,
            area,
            reporter,
            registered_by,
            channel,
            language,
            stored_files,
            ..
        } = event
        else {
            return None;
        };
        let mut base = Base {
            number: *case_number,
            standing: Standing {
                employer: *employer,
                area: *area,
                reporter: *reporter,
                registered_by: *registered_by,
                channel: *channel,
            },
            language: *language,
            file_count: 0,
            file_bytes: 0,
            history: vec![event.into()],
        };
        base.add_files(stored_files);
        Some(Self::Received { base, assigned: None })
    }
}

/// Decides on a command: rights, then the version that the caller knew, then the phase and the rule of the command.
///
/// # Errors
/// A [`Refusal`]; nothing changes.
pub fn decide(command: &CaseCommand, case: &Case, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
    if let CaseCommand::Create(create) = command {
        return create.decide(case, context);
    }
    let (Some(base), Some(status)) = (case.base(), case.status()) else { return Err(Refusal::NotFound) };
    allow(may(context.actor, command.action(), &base.standing))?;
    if context.expected_version.is_some_and(|expected| expected != base.version()) {
        let seen =
            context.expected_version.and_then(|version| usize::try_from(version).ok()).unwrap_or_default();
        let since = base.history.iter().skip(seen);
        // What the timeline hides is not told here either.
        let since = since.filter(|happened| happened.for_customer || context.actor.role.sees_all());
        let since = since.map(|happened| happened.event).collect();
        return Err(Refusal::Stale { current: base.version(), since });
    }
    match command {
        CaseCommand::Create(_) => Err(Refusal::NotFound),
        _ if status == Status::Closed => Err(Refusal::WrongPhase(status)),
        CaseCommand::StartProcessing(command) => command.decide(case, context),
        CaseCommand::Assign(command) => Ok(command.decide(case)),
        CaseCommand::RequestInformation(_) | CaseCommand::Close(_) if status != Status::InProcess => {
            Err(Refusal::WrongPhase(status))
        }
        CaseCommand::RequestInformation(command) => command.decide(context),
        CaseCommand::Close(command) => command.decide(base, context),
        CaseCommand::Attach(command) => command.decide(base, context),
        CaseCommand::AddMessage(command) => command.decide(base, context),
        CaseCommand::AddNote(command) => Ok(command.decide()),
        CaseCommand::Reclassify(command) => command.decide(base, context),
    }
}

/// Turns the answer of the rights into a refusal.
///
/// # Errors
/// [`Refusal::Forbidden`] or [`Refusal::NotFound`].
pub const fn allow(verdict: Verdict) -> Result<(), Refusal> {
    match verdict {
        Verdict::Allowed => Ok(()),
        Verdict::Forbidden => Err(Refusal::Forbidden),
        Verdict::Unknown => Err(Refusal::NotFound),
    }
}

/// Whether `actor` may read `case`.
///
/// # Errors
/// [`Refusal::NotFound`] when the case is not there or not the actor's to know.
pub fn readable(actor: &crate::access::Actor, case: &Case) -> Result<(), Refusal> {
    let base = case.base().ok_or(Refusal::NotFound)?;
    allow(may(actor, Action::Read, &base.standing))
}
