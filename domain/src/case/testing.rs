//! Given / when / then for the rules of a case: events that have happened, a command, and what comes of it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::access::Role;
use crate::case::commands::Create;
use crate::case::{Case, CaseCommand, decide};
use crate::event::{Letter, Question, Sealed};
use crate::files::{FileCard, FileLimits, StoredFile, UploadedFile};
use crate::refusal::{Code, FieldError};
use crate::text::{Body, Subject};
use crate::{
    Actor, Area, AttachmentId, CaseNumber, Channel, Context, Event, Language, OrganisationNumber, PersonId,
    Refusal, SubArea, Topic,
};

/// What has happened in a case, and the surroundings of what is decided next.
pub(crate) struct Given {
    case: Case,
    employer_areas: Option<Vec<Area>>,
    expected_version: Option<u64>,
    followed: Option<Case>,
    limits: FileLimits,
}

/// What came of a command.
pub(crate) struct Then(Result<Vec<Event>, Refusal>);

pub(crate) fn given(events: &[Event]) -> Given {
    Given {
        case: replay(events),
        employer_areas: None,
        expected_version: None,
        followed: None,
        limits: FileLimits::default(),
    }
}

pub(crate) fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Case {
    events.into_iter().fold(Case::New, Case::evolve)
}

impl Given {
    /// The employer uses these areas only.
    pub(crate) fn employer_uses(mut self, areas: &[Area]) -> Self {
        self.employer_areas = Some(areas.to_vec());
        self
    }

    /// The caller decided on this version.
    pub(crate) fn seen(mut self, version: u64) -> Self {
        self.expected_version = Some(version);
        self
    }

    /// There is a case to go on from.
    pub(crate) fn followed(mut self, events: &[Event]) -> Self {
        self.followed = Some(replay(events));
        self
    }

    pub(crate) fn limits(mut self, limits: FileLimits) -> Self {
        self.limits = limits;
        self
    }

    #[expect(clippy::needless_pass_by_value, reason = "an example reads as a sentence")]
    pub(crate) fn when(self, actor: &Actor, command: CaseCommand) -> Then {
        let context = Context {
            actor,
            now: now(),
            next_number: number(7),
            expected_version: self.expected_version,
            employer_areas: self.employer_areas.as_deref(),
            followed: self.followed.as_ref(),
            limits: self.limits,
        };
        Then(decide(&command, &self.case, &context))
    }
}

impl Then {
    #[track_caller]
    pub(crate) fn then(self, expected: &[Event]) {
        assert_eq!(self.0.as_deref(), Ok(expected));
    }

    #[track_caller]
    pub(crate) fn then_nothing(self) {
        self.then(&[]);
    }

    #[track_caller]
    pub(crate) fn then_refused(self, refusal: Refusal) {
        assert_eq!(self.0, Err(refusal));
    }

    /// Refused because of fields: each by its pointer and code, all at once.
    #[track_caller]
    pub(crate) fn then_wrong(self, expected: &[(&str, Code)]) {
        let Err(Refusal::Fields(errors)) = self.0 else { panic!("no field was refused: {:?}", self.0) };
        let found: Vec<(&str, Code)> =
            errors.iter().map(|FieldError { pointer, code, .. }| (pointer.as_str(), *code)).collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    pub(crate) fn event(self) -> Event {
        let mut events = self.0.unwrap();
        assert_eq!(events.len(), 1);
        events.remove(0)
    }
}

/// Monday 23 November 2026, eleven o'clock in Stockholm.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

pub(crate) const fn number(running: u64) -> CaseNumber {
    CaseNumber::new(2026, running)
}

pub(crate) const fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(number))
}

pub(crate) fn actor(role: Role, number: u128) -> Actor {
    Actor { person: person(number), role, identities: vec![person(number)], employers: None, areas: None }
}

/// Anna, whose case it is.
pub(crate) fn reporter() -> Actor {
    actor(Role::Employee, 1)
}

/// Olle, who works on it.
pub(crate) fn officer() -> Actor {
    actor(Role::Officer, 2)
}

/// Ove, another officer.
pub(crate) fn other_officer() -> Actor {
    actor(Role::Officer, 3)
}

pub(crate) fn auditor() -> Actor {
    actor(Role::Auditor, 4)
}

pub(crate) fn system() -> Actor {
    actor(Role::System, 5)
}

pub(crate) fn employer() -> OrganisationNumber {
    OrganisationNumber::parse("4021000007").unwrap()
}

pub(crate) fn body(text: &str) -> Body {
    Body::parse(text, "/text", Code::MessageMissing).unwrap()
}

pub(crate) fn sealed_letter(text: &str) -> Sealed<Letter> {
    Sealed::Open(Letter { text: body(text), files: Vec::new() })
}

pub(crate) fn economy() -> Topic {
    Topic::new(Area::Ekonomi, None, None).unwrap()
}

/// *Lön, beslut/underlag*: needs a file (K7).
pub(crate) fn decision() -> Topic {
    Topic::new(Area::Lon, Some(SubArea::BeslutUnderlag), None).unwrap()
}

pub(crate) fn file(number: u128, size: u64) -> UploadedFile {
    UploadedFile {
        stored: StoredFile { size, stored_sha256: "aa".repeat(32), scan: None },
        card: FileCard {
            attachment_id: AttachmentId(Uuid::from_u128(number)),
            file_name: format!("fil-{number}.pdf"),
            media_type: "application/pdf".to_owned(),
            size,
            sha256: "bb".repeat(32),
            key: "a2V5".to_owned(),
        },
    }
}

pub(crate) fn create(topic: Topic, files: Vec<UploadedFile>) -> Create {
    Create {
        employer: employer(),
        topic,
        subject: Subject::parse("Omföring", "/subject").unwrap(),
        message: body("Hej"),
        files,
        language: Language::Sv,
        follows_up: None,
        channel: Channel::Webb,
        on_behalf_of: None,
    }
}

/// The event of [`create`] by [`reporter`].
pub(crate) fn received(topic: Topic, files: &[UploadedFile]) -> Event {
    Event::CaseReceived {
        case_number: number(7),
        employer: employer(),
        area: topic.area(),
        sub_area: topic.sub_area(),
        system: topic.system(),
        channel: Channel::Webb,
        follows_up: None,
        reporter: Some(reporter().person),
        registered_by: reporter().person,
        language: Language::Sv,
        attachment_ids: files.iter().map(|file| file.card.attachment_id).collect(),
        stored_files: files.iter().map(|file| file.stored.clone()).collect(),
        personal: Sealed::Open(Question {
            subject: Subject::parse("Omföring", "/subject").unwrap(),
            message: body("Hej"),
            files: files.iter().map(|file| file.card.clone()).collect(),
        }),
    }
}

pub(crate) fn started() -> Event {
    Event::ProcessingStarted { officer: officer().person }
}

pub(crate) fn closed() -> Event {
    Event::CaseClosed {
        attachment_ids: Vec::new(),
        stored_files: Vec::new(),
        personal: sealed_letter("Klart."),
    }
}

/// A case in each phase, as [`reporter`] filed it and [`officer`] works on it.
pub(crate) fn in_received() -> Vec<Event> {
    vec![received(economy(), &[])]
}

pub(crate) fn in_process() -> Vec<Event> {
    vec![received(economy(), &[]), started()]
}

pub(crate) fn in_closed() -> Vec<Event> {
    vec![received(economy(), &[]), started(), closed()]
}
