//! The committer: one task a node owns the one write connection, takes whatever is queued, and decides, seals, hashes
//! and writes it in one transaction with one sync. Handlers hold nothing but the reply.

mod cache;
mod decision;
mod stage;
mod task;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use domain::person::SeePerson;
use domain::{Actor, CaseCommand, CaseId, Event, OrganisationNumber, PersonId, Refusal, StreamId};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use crate::clock::Clock;
use crate::keys::Keys;
use crate::log::{Log, LogError};
use crate::outcome::Outcome;
use crate::recorded::Recorded;
use crate::upkeep::{Upkeep, UpkeepReply};
use domain::files::FileLimits;

/// Most commands in one batch.
pub const BATCH_COMMANDS: usize = 256;
/// Most content in one batch, bytes.
pub const BATCH_BYTES: usize = 1 << 20;
/// Most commands that wait; more are told to come again.
pub const QUEUE: usize = 4096;

/// A command of a case, with all that the decision needs and cannot see in the log.
#[derive(Clone, Debug)]
pub struct CaseRequest {
    /// Ours, or derived from the caller and the caller's `Idempotency-Key`.
    pub command_id: Uuid,
    /// HMAC of the request.
    pub request: [u8; 32],
    /// The request that it came from, across systems.
    pub correlation: Uuid,
    /// Who asks; the identities are completed from the log.
    pub actor: Actor,
    /// The case.
    pub case: CaseId,
    /// Whether the id of the case was made for this command, so that nothing can be found under it yet.
    pub fresh: bool,
    /// The version that the caller decided on, where the command demands one.
    pub expected_version: Option<u64>,
    /// What is to be done.
    pub command: CaseCommand,
    /// Persons who are met by this: recorded only if the command is accepted.
    pub see: Vec<SeePerson>,
    /// The case that a new case goes on from.
    pub followed: Option<CaseId>,
}

/// Why a command was not done, or may not have been.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The rules say no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The same `Idempotency-Key` came with another request before.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The queue is full; nothing was done.
    #[error("too much is waiting")]
    Busy,
    /// The log is out of order; nothing was done.
    #[error("the log cannot be used: {0}")]
    Unavailable(String),
    /// It may have been done. The same command with the same id tells.
    #[error("the outcome is unknown")]
    OutcomeUnknown,
    /// A fault of ours in this command alone; nothing was done.
    #[error("a fault in the rules")]
    Internal,
}

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Events of one of the small streams: employers, notices, payroll forms, deliveries. The staged files that the event
/// names are attached with it.
#[derive(Clone, Debug)]
pub struct Append {
    /// The stream.
    pub stream: StreamId,
    /// Who causes it.
    pub actor: PersonId,
    /// The employer that it concerns.
    pub employer: Option<OrganisationNumber>,
    /// What happened.
    pub event: Event,
    /// What the stream must be.
    pub expected: Expected,
    /// A row that changes with it.
    pub upkeep: Option<Upkeep>,
}

/// What a stream must be for an event to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Any,
    /// Without events; to one that has some nothing is added, and that is well.
    New,
    /// Of this version; else it is refused as stale.
    Version(u64),
}

/// What waits in the queue, each with its reply.
enum Job {
    Case(Box<CaseRequest>, oneshot::Sender<Result<Outcome, CommandError>>),
    See(Box<SeePerson>, oneshot::Sender<Result<u64, CommandError>>),
    Append(Box<Append>, oneshot::Sender<Result<u64, CommandError>>),
    Upkeep(Box<Upkeep>, oneshot::Sender<Result<UpkeepReply, CommandError>>),
}

/// The way to the committer; cheap to clone.
#[derive(Clone)]
pub struct Committer {
    queue: mpsc::Sender<Job>,
    trouble: Trouble,
    stop: Arc<watch::Sender<bool>>,
}

/// Why the log cannot be written at the moment; nothing while it can.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells operators of a change, once.
    fn set(&self, trouble: Option<String>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*now, &trouble) {
            (None, None) => return,
            (None, Some(reason)) => tracing::error!(reason, "the log cannot be written"),
            (Some(_), None) => tracing::warn!("the log can be written again"),
            (Some(_), Some(_)) => {}
        }
        metrics::gauge!("kundwebb_log_trouble").set(if trouble.is_some() { 1.0 } else { 0.0 });
        *now = trouble;
    }
}

/// Takes what a batch added, after it is durable, in order of position.
pub type Publish = Box<dyn FnMut(Vec<Recorded>) + Send>;

/// What the committer works with.
pub struct Settings {
    /// The time.
    pub clock: Clock,
    /// The keys.
    pub keys: Arc<Keys>,
    /// How much may be attached.
    pub limits: FileLimits,
    /// Who is told of what was added.
    pub publish: Publish,
}

impl Committer {
    /// Starts the committer on a thread of its own. It ends when the last handle is dropped. Called inside a runtime,
    /// by whose threads the callers are told.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        log: Arc<dyn Log>,
        settings: Settings,
    ) -> Result<(Self, std::thread::JoinHandle<()>), LogError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let callers = Handle::current();
        let (stop, stopped) = watch::channel(false);
        let trouble = Trouble::default();
        let surroundings = task::Surroundings { trouble: trouble.clone(), stopped, callers };
        let thread = std::thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || task::run(log, settings, jobs, surroundings))
            .map_err(|error| LogError::Unavailable(error.to_string()))?;
        Ok((Self { queue, trouble, stop: Arc::new(stop) }, thread))
    }

    /// Takes nothing more; what is queued is done first. Its thread ends then, whoever holds a handle.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Why the log cannot be written at the moment; `None` while it can.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.get()
    }

    /// Does a command of a case.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn run(&self, request: CaseRequest) -> Result<Outcome, CommandError> {
        self.ask(|reply| Job::Case(Box::new(request), reply)).await
    }

    /// Records that somebody was met. Gives the position to wait for.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn see(&self, person: SeePerson) -> Result<u64, CommandError> {
        self.ask(|reply| Job::See(Box::new(person), reply)).await
    }

    /// Adds an event to one of the small streams. Gives the position to wait for.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn append(&self, append: Append) -> Result<u64, CommandError> {
        self.ask(|reply| Job::Append(Box::new(append), reply)).await
    }

    /// Changes a row beside the events.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn upkeep(&self, upkeep: Upkeep) -> Result<UpkeepReply, CommandError> {
        self.ask(|reply| Job::Upkeep(Box::new(upkeep), reply)).await
    }

    /// How many commands wait.
    pub fn waiting(&self) -> usize {
        QUEUE - self.queue.capacity()
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, CommandError>>) -> Job,
    ) -> Result<T, CommandError> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(job(reply)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => CommandError::Busy,
            mpsc::error::TrySendError::Closed(_) => {
                CommandError::Unavailable("the committer has stopped".to_owned())
            }
        })?;
        answer.await.unwrap_or(Err(CommandError::OutcomeUnknown))
    }
}

impl Job {
    /// About how much content the job adds, bytes.
    fn size(&self) -> usize {
        match self {
            Self::Case(request, _) => {
                let files = request.command.files().len() + request.see.len();
                text_length(&request.command) + 1024 * (files + 1)
            }
            Self::Upkeep(upkeep, _) => upkeep_size(upkeep),
            Self::Append(append, _) => {
                1024 * (append.event.attachment_ids().len() + 1)
                    + append.upkeep.as_ref().map_or(0, upkeep_size)
            }
            Self::See(person, _) => 512 * (person.callers.len() + 1),
        }
    }

    /// Tells the caller that nothing could be decided.
    fn fail(self, error: CommandError) {
        match self {
            Self::Case(_, reply) => drop(reply.send(Err(error))),
            Self::See(_, reply) | Self::Append(_, reply) => drop(reply.send(Err(error))),
            Self::Upkeep(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// The length of what a person has written, bytes.
fn text_length(command: &CaseCommand) -> usize {
    match command {
        CaseCommand::Create(create) => create.message.as_str().len() + create.subject.as_str().len(),
        CaseCommand::AddMessage(message) => message.text.as_str().len(),
        CaseCommand::AddNote(note) => note.text.as_str().len(),
        CaseCommand::RequestInformation(request) => request.text.as_str().len(),
        CaseCommand::Reclassify(reclassify) => reclassify.reason.as_str().len(),
        CaseCommand::Close(close) => close.answer.as_str().len(),
        CaseCommand::Attach(_) | CaseCommand::Assign(_) | CaseCommand::StartProcessing(_) => 0,
    }
}

fn upkeep_size(upkeep: &Upkeep) -> usize {
    match upkeep {
        Upkeep::Keep { sealed, .. } => 128 + sealed.len(),
        Upkeep::Purge { uploads, .. } => 128 + 32 * uploads.len(),
        Upkeep::PlanDeliveries { deliveries, .. } => 128 + 256 * deliveries.len(),
        _ => 256,
    }
}
