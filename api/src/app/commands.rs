//! Running one command of a case: the same door for pages, API and demo.

use domain::person::SeePerson;
use domain::{CaseCommand, CaseId, CaseNumber, Event, PersonId, StreamId};
use infrastructure::committer::{Append, Expected};
use infrastructure::{CaseRequest, CommandError, LogError, Outcome, random};
use uuid::Uuid;

use crate::app::{App, Caller};

/// A command as a handler has it.
#[derive(Clone, Debug)]
pub struct Command {
    /// The caller's own key, under which a repetition is the same command; none makes every request a new one.
    pub key: Option<String>,
    /// What tells one request from another under the same key.
    pub request: Vec<u8>,
    /// The request across systems.
    pub correlation: Uuid,
    /// The case; none for a new one.
    pub case: Option<CaseId>,
    /// The version that the caller decided on.
    pub expected_version: Option<u64>,
    /// What is to be done.
    pub command: CaseCommand,
    /// Persons who are met by this.
    pub see: Vec<SeePerson>,
    /// The case that a new one goes on from.
    pub followed: Option<CaseId>,
}

impl App {
    /// The id of a command under a caller's key.
    pub fn command_id(&self, person: PersonId, key: Option<&str>) -> Uuid {
        key.map_or_else(random::id, |key| {
            self.keys.derived_id("command", &[person.0.as_bytes(), key.as_bytes()])
        })
    }

    /// The keyed digest of a request.
    pub fn request_digest(&self, request: &[u8]) -> [u8; 32] {
        self.keys.derive("request", &[request])
    }

    /// The outcome of a command that was accepted before under the same key with the same request.
    ///
    /// # Errors
    /// When the same key was used with another request, or the log cannot be read.
    pub async fn repeated(
        &self,
        person: PersonId,
        key: Option<&str>,
        request: &[u8],
    ) -> Result<Option<Outcome>, CommandError> {
        if key.is_none() {
            return Ok(None);
        }
        let kept = self.log.outcome(self.command_id(person, key)).await;
        match kept.map_err(|error| unavailable(&error))? {
            Some(kept) if kept.request == self.request_digest(request) => Ok(Some(kept.outcome)),
            Some(_) => Err(CommandError::KeyReused),
            None => Ok(None),
        }
    }

    /// Adds an event to one of the small streams; gives the position.
    ///
    /// # Errors
    /// [`CommandError`]; stale where the stream is not as expected.
    pub async fn append(
        &self,
        actor: PersonId,
        stream: StreamId,
        event: Event,
        expected: Expected,
    ) -> Result<u64, CommandError> {
        let append = Append { stream, actor, employer: None, event, expected, upkeep: None };
        let position = self.committer.append(append).await?;
        self.acknowledged(actor, position);
        Ok(position)
    }

    /// Does a command.
    ///
    /// # Errors
    /// [`CommandError`].
    pub async fn run(&self, caller: &Caller, command: Command) -> Result<Outcome, CommandError> {
        self.keeps_protected(caller, &command).await?;
        let seen: Vec<_> = command.see.iter().map(|person| person.id).collect();
        let request = CaseRequest {
            command_id: self.command_id(caller.actor.person, command.key.as_deref()),
            request: self.request_digest(&command.request),
            correlation: command.correlation,
            actor: caller.actor.clone(),
            case: command.case.unwrap_or_else(|| CaseId(random::id())),
            fresh: command.case.is_none(),
            expected_version: command.expected_version,
            command: command.command,
            see: command.see,
            followed: command.followed,
        };
        let outcome = self.committer.run(request).await?;
        for person in seen {
            self.forget_met(person);
        }
        self.acknowledged(caller.actor.person, outcome.position);
        Ok(outcome)
    }

    /// The case of a number, whoever may see it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn case_of_number(&self, number: CaseNumber) -> Result<Option<CaseId>, CommandError> {
        let stream = self.log.case_by_number(number).await.map_err(|error| unavailable(&error))?;
        Ok(stream.map(|stream| CaseId(stream.0)))
    }
}

/// A log that cannot be read, as the caller of a command meets it.
pub fn unavailable(error: &LogError) -> CommandError {
    CommandError::Unavailable(error.to_string())
}
