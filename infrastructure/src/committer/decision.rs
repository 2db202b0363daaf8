//! What one job comes to, on the newest state and after the jobs before it in its batch.

use std::collections::HashSet;

use domain::case::decide;
use domain::event::Event;
use domain::person::{Person, SeePerson};
use domain::refusal::{Code, FieldError, FieldErrors};
use domain::{
    Actor, AttachmentId, CaseCommand, CaseNumber, Context, OrganisationNumber, PersonId, Refusal, StreamId,
};

use crate::committer::stage::Stage;
use crate::committer::{CaseRequest, CommandError};
use crate::outcome::Outcome;

/// Events for one stream.
pub(super) struct Addition {
    pub(super) stream: StreamId,
    pub(super) employer: Option<OrganisationNumber>,
    pub(super) events: Vec<Event>,
}

/// Decides on a command; nothing is staged unless it is accepted. A panic in a rule fails this command alone.
pub(super) fn case(stage: &mut Stage<'_>, request: &CaseRequest) -> Result<Outcome, CommandError> {
    if let Some(kept) = stage.outcome(request.command_id) {
        return kept.answer(&request.request).ok_or(CommandError::KeyReused);
    }
    stage.whole(&streams(request), |stage| accept(stage, request))
}

/// Stages the persons met, then what the command comes to, and its outcome.
fn accept(stage: &mut Stage<'_>, request: &CaseRequest) -> Result<Outcome, CommandError> {
    let (person, command_id, correlation) = (request.actor.person, request.command_id, request.correlation);
    for seen in &request.see {
        for addition in meeting(stage, seen) {
            stage.add(addition, person, command_id, correlation)?;
        }
    }
    let addition = addition(stage, request)?;
    stage.add(addition, person, command_id, correlation)?;
    let files = request.command.files().iter().map(|file| file.card.attachment_id);
    stage.attach(files, request.case.into());
    let case = stage.stream(request.case.into()).case();
    let (Some(base), Some(status)) = (case.base(), case.status()) else { return Err(CommandError::Internal) };
    let outcome = Outcome {
        id: request.case,
        case_number: base.number,
        version: base.version(),
        status,
        position: stage.position(),
    };
    stage.keep(command_id, request.request, outcome);
    Ok(outcome)
}

/// The events of a command, by the rules.
fn addition(stage: &Stage<'_>, request: &CaseRequest) -> Result<Addition, CommandError> {
    #[cfg(test)]
    assert!(request.correlation != crate::testing::FAULTY_RULE, "a rule that panics");
    let case = stage.stream(request.case.into()).case();
    let employer = match (&request.command, case.base()) {
        (CaseCommand::Create(create), _) => create.employer,
        (_, Some(base)) => base.standing.employer,
        (_, None) => return Err(Refusal::NotFound.into()),
    };
    let actor = Actor { identities: identities(stage, request.actor.person), ..request.actor.clone() };
    let employer_areas = stage.stream(StreamId::of_employer(employer)).employer();
    let followed = request.followed.map(|id| stage.stream(id.into()).case());
    let context = Context {
        actor: &actor,
        now: stage.now(),
        next_number: stage.next_number(),
        expected_version: request.expected_version,
        employer_areas: employer_areas.and_then(|employer| employer.areas.as_deref()),
        followed,
        limits: stage.limits(),
    };
    let events = decide(&request.command, case, &context)?;
    unused(stage, request.command.files().iter().map(|file| file.card.attachment_id))?;
    Ok(Addition { stream: request.case.into(), employer: Some(employer), events })
}

/// A file is attached while it is staged, once, by one command and in one place of it.
pub(super) fn unused(stage: &Stage<'_>, files: impl Iterator<Item = AttachmentId>) -> Result<(), Refusal> {
    let mut errors = FieldErrors::default();
    let mut before = HashSet::new();
    for (place, id) in files.enumerate() {
        if !before.insert(id) || !stage.is_free(id) {
            errors.push(FieldError::new(format!("/attachments/{place}"), Code::UploadUnknown));
        }
    }
    errors.finish().map_err(Refusal::Fields)
}

/// The caller, and the phone callers that the caller turned out to have been.
fn identities(stage: &Stage<'_>, person: PersonId) -> Vec<PersonId> {
    let known = stage.stream(person.into());
    let callers = known.person().map(|person| person.callers.as_slice()).unwrap_or_default();
    std::iter::once(person).chain(callers.iter().copied()).collect()
}

/// The events by which a person is seen, and linked to earlier calls.
pub(super) fn meeting(stage: &Stage<'_>, meeting: &SeePerson) -> Vec<Addition> {
    let nobody = Person::default();
    let known = stage.stream(meeting.id.into()).person().unwrap_or(&nobody);
    let mut own: Vec<_> = meeting.decide(known).into_iter().collect();
    let mut additions = Vec::new();
    let mut before = HashSet::new();
    for caller in meeting.callers.iter().filter(|caller| before.insert(**caller)) {
        let state = stage.stream((*caller).into()).person();
        if let Some(link) = state.and_then(|state| meeting.link(*caller, state)) {
            own.push(link.clone());
            additions.push(Addition { stream: (*caller).into(), employer: None, events: vec![link] });
        }
    }
    additions.insert(0, Addition { stream: meeting.id.into(), employer: meeting.employer, events: own });
    additions
}

/// The streams that a command's decision looks at.
pub(super) fn streams(request: &CaseRequest) -> Vec<StreamId> {
    let mut streams = vec![request.case.into(), request.actor.person.into()];
    streams.extend(request.followed.map(StreamId::from));
    for person in &request.see {
        streams.extend(meeting_streams(person));
    }
    if let CaseCommand::Create(create) = &request.command {
        streams.push(StreamId::of_employer(create.employer));
    }
    streams
}

/// The streams that a command's decision looks at and that only its case can name.
pub(super) fn further_streams(stage: &Stage<'_>, request: &CaseRequest) -> Option<StreamId> {
    match &request.command {
        CaseCommand::Reclassify(_) => {
            let case = stage.stream(request.case.into()).case();
            case.base().map(|base| StreamId::of_employer(base.standing.employer))
        }
        _ => None,
    }
}

/// The streams that a meeting looks at.
pub(super) fn meeting_streams(person: &SeePerson) -> impl Iterator<Item = StreamId> + '_ {
    std::iter::once(person.id.into()).chain(person.callers.iter().map(|caller| (*caller).into()))
}

/// The number of the case that comes in next.
pub(super) const fn number(year: u16, last: u64) -> CaseNumber {
    CaseNumber::new(year, last + 1)
}
