//! What the tests of the read models share: events by hand, and histories made by the real rules and committer.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::case::commands::{
    AddMessage, AddNote, Assign, Attach, Close, Create, Reclassify, RequestInformation, StartProcessing,
};
use domain::event::{Profile, Question};
use domain::files::{FileCard, FileLimits, StoredFile, UploadedFile};
use domain::payroll_form::WrittenForm;
use domain::person::{Counts, SeePerson};
use domain::refusal::Code;
use domain::text::{Body, Email, PersonName, Subject};
use domain::{
    Actor, Area, AttachmentId, CaseCommand, CaseId, CaseNumber, Channel, Event, Language, NoteKind,
    OrganisationNumber, PersonId, Sealed, StreamId, SubArea, System, Topic,
};
use infrastructure::committer::{Append, Expected, Settings};
use infrastructure::log::Kept;
use infrastructure::log::sqlite::SqliteLog;
use infrastructure::upkeep::Upkeep;
use infrastructure::{CaseRequest, Clock, Committer, Keys, Log, Reader, Recorded, random};
use uuid::Uuid;

use crate::ReadModels;

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) const fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(number))
}

pub(crate) const fn case(number: u128) -> CaseId {
    CaseId(Uuid::from_u128(number))
}

pub(crate) fn employers() -> [OrganisationNumber; 2] {
    ["4021000007", "4021010006"].map(|text| OrganisationNumber::parse(text).unwrap())
}

pub(crate) fn body(text: &str) -> Body {
    Body::parse(text, "", Code::MessageMissing).unwrap()
}

pub(crate) fn actor(role: Role, number: u128) -> Actor {
    Actor { person: person(number), role, identities: vec![person(number)], employers: None, areas: None }
}

/// A sample of a type of event, from the golden ones.
pub(crate) fn sample(type_name: &str) -> Event {
    let path = format!("{}/../tests/golden/events/{type_name}.json", env!("CARGO_MANIFEST_DIR"));
    let sample: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let personal = Some(&sample["personal"]).filter(|personal| !personal.is_null()).map(ToString::to_string);
    let facts = sample["facts"].to_string();
    Event::from_stored(type_name, &facts, personal.as_deref().map(str::as_bytes)).unwrap()
}

/// Read models in a folder of their own, and events told one after the other.
pub(crate) struct Told {
    pub(crate) read: ReadModels,
    pub(crate) events: Vec<Recorded>,
    pub(crate) folder: tempfile::TempDir,
}

impl Told {
    pub(crate) fn nothing() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { read: ReadModels::open(folder.path()).unwrap(), events: Vec::new(), folder }
    }

    /// Tells an event of a stream; the version follows.
    pub(crate) fn tell(&mut self, at: &str, stream: impl Into<StreamId>, event: Event) -> &mut Self {
        let stream = stream.into();
        let version = self.events.iter().filter(|event| event.stream == stream).count() as u64 + 1;
        let recorded = Recorded {
            position: self.events.len() as u64 + 1,
            stream,
            version,
            recorded_at: time(at),
            actor: person(9),
            employer: None,
            command_id: Uuid::nil(),
            correlation: Uuid::nil(),
            event,
            leaf_hash: [u8::try_from(self.events.len() % 256).unwrap(); 32],
        };
        self.read.apply(std::slice::from_ref(&recorded)).unwrap();
        self.events.push(recorded);
        self
    }
}

/// A case of a person at the first employer, in economy.
pub(crate) fn received(number: u64, reporter: u128, subject: &str) -> Event {
    Event::CaseReceived {
        case_number: CaseNumber::new(2026, number),
        employer: employers()[0],
        area: Area::Ekonomi,
        sub_area: None,
        system: None,
        channel: Channel::Webb,
        follows_up: None,
        reporter: Some(person(reporter)),
        registered_by: person(reporter),
        language: Language::Sv,
        attachment_ids: Vec::new(),
        stored_files: Vec::new(),
        personal: Sealed::Open(Question {
            subject: Subject::parse(subject, "").unwrap(),
            message: body("Hej"),
            files: Vec::new(),
        }),
    }
}

pub(crate) fn letter(text: &str) -> Sealed<domain::event::Letter> {
    Sealed::Open(domain::event::Letter { text: body(text), files: Vec::new() })
}

pub(crate) fn moved(area: Area) -> Event {
    let sub_area = (area == Area::Lon).then_some(SubArea::Supportarende);
    let system = (area == Area::ItTjanstestod).then_some(System::Annat);
    Event::CaseReclassified { area, sub_area, system, personal: letter("Fel kö.") }
}

pub(crate) fn closed(answer: &str) -> Event {
    Event::CaseClosed { attachment_ids: Vec::new(), stored_files: Vec::new(), personal: letter(answer) }
}

pub(crate) fn message(from: domain::vocabulary::Party, text: &str) -> Event {
    let personal = letter(text);
    Event::MessageAdded { from, attachment_ids: Vec::new(), stored_files: Vec::new(), personal }
}

/// A log with its committer, and what was written to it.
pub(crate) struct Town {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) reader: Reader,
    pub(crate) committer: Committer,
    pub(crate) clock: Clock,
}

impl Town {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log: Arc<dyn Log> = Arc::new(SqliteLog::open(folder.path()).unwrap());
        let keys = Arc::new(Keys::open(folder.path(), true).unwrap());
        // The last evening of a Swedish month.
        let clock = Clock::fixed(time("2026-11-30T21:00:00Z"));
        let settings = Settings {
            clock: clock.clone(),
            keys: Arc::clone(&keys),
            limits: FileLimits::default(),
            publish: Box::new(|_| {}),
        };
        let (committer, _) = Committer::start(Arc::clone(&log), settings).unwrap();
        Self { folder, reader: Reader { log, keys }, committer, clock }
    }

    /// A town in which this has happened: each step is a command, refused or not; hours pass in between.
    pub(crate) async fn lived(steps: &[[u8; 8]]) -> (Self, Vec<Recorded>) {
        let town = Self::new();
        let cases: [CaseId; 6] = [(); 6].map(|()| CaseId(random::id()));
        for part in steps.chunks(8) {
            let all = part.iter().map(|step| town.step(*step, &cases));
            futures::future::join_all(all).await;
            town.clock.set(town.clock.now() + TimeDelta::hours(5));
        }
        let events = town.reader.after(0, 100_000).await.unwrap();
        (town, events)
    }

    async fn stage(&self, id: AttachmentId) {
        let (which, owner) = (Kept::Upload(id), PersonId(Uuid::nil()));
        let expires_at = self.clock.now() + TimeDelta::days(1);
        let keep = Upkeep::Keep { which, owner, sealed: Vec::new(), expires_at };
        self.committer.upkeep(keep).await.unwrap();
    }

    async fn step(&self, [who, what, which, of, a, b, ..]: [u8; 8], cases: &[CaseId]) {
        if what % 16 == 15 {
            let append = beside_cases(of, a);
            for file in append.event.attachment_ids() {
                self.stage(*file).await;
            }
            self.committer.append(append).await.unwrap();
            return;
        }
        let (actor, see) = caller(who, a);
        let command = command(what, of, &actor, (a, b), self.clock.now());
        let request = CaseRequest {
            command_id: random::id(),
            request: [0; 32],
            correlation: Uuid::nil(),
            actor,
            case: cases[usize::from(which) % cases.len()],
            fresh: false,
            expected_version: None,
            command,
            see,
            followed: None,
        };
        for file in request.command.files() {
            self.stage(file.card.attachment_id).await;
        }
        // Refusals are part of life.
        let _ = self.committer.run(request).await;
    }
}

/// Employees 1–3 with a login, officers 4–5, the system 6. Employee 3 called as 30 before.
fn caller(who: u8, a: u8) -> (Actor, Vec<SeePerson>) {
    let (role, number) = match who % 8 {
        0..=2 => (Role::Employee, u128::from(who % 8) + 1),
        3..=6 => (Role::Officer, u128::from(who % 2) + 4),
        _ => (Role::System, 6),
    };
    let callers = if number == 3 { vec![person(30)] } else { Vec::new() };
    let mut see = Vec::new();
    if a.is_multiple_of(2) {
        see.push(meeting(number, role, &callers));
    }
    (actor(role, number), see)
}

fn meeting(number: u128, role: Role, callers: &[PersonId]) -> SeePerson {
    SeePerson {
        id: person(number),
        employer: None,
        role,
        fingerprint: number.to_string(),
        profile: Profile {
            subject: Some(format!("subject-{number}")),
            name: PersonName::parse(&format!("Namn {number}"), "").ok(),
            email: Email::parse(&format!("p{number}@exempelverket.example"), "").ok(),
        },
        counts: Counts::Always,
        callers: callers.to_vec(),
    }
}

/// Words of which each case has some.
pub(crate) const WORDS: [&str; 4] = ["lönebesked", "faktura", "inloggning", "körjournal"];

fn topic(of: u8) -> Topic {
    match of % 5 {
        0 => Topic::new(Area::Lon, Some(SubArea::Supportarende), None),
        1 => Topic::new(Area::Lon, Some(SubArea::BeslutUnderlag), None),
        2 => Topic::new(Area::Ekonomi, None, None),
        3 => Topic::new(Area::EHandel, None, Some(System::VismaProceedo)),
        _ => Topic::new(Area::ItTjanstestod, None, Some(System::Primula)),
    }
    .unwrap()
}

fn command(what: u8, of: u8, actor: &Actor, (a, b): (u8, u8), now: DateTime<Utc>) -> CaseCommand {
    let text = body(WORDS[usize::from(b) % 4]);
    let files = if b % 3 == 0 { vec![file()] } else { Vec::new() };
    match what % 16 {
        0..=5 => CaseCommand::Create(Create {
            employer: employers()[usize::from(a) % 2],
            topic: topic(of),
            subject: Subject::parse(WORDS[usize::from(a) % 4], "").unwrap(),
            message: text,
            files,
            language: Language::ALL[usize::from(a) % 2],
            follows_up: None,
            channel: if actor.role == Role::Officer { Channel::Telefon } else { Channel::Webb },
            on_behalf_of: match actor.role {
                Role::Officer => Some(person(30)),
                Role::System if b % 2 == 0 => Some(person(1)),
                _ => None,
            },
        }),
        6 => CaseCommand::Attach(Attach { files: vec![file()] }),
        7 => CaseCommand::AddMessage(AddMessage { text, files }),
        8 => CaseCommand::AddNote(AddNote { kind: NoteKind::ALL[usize::from(a) % 2], text }),
        9 => CaseCommand::Assign(Assign { officer: person(u128::from(a % 2) + 4) }),
        10 => CaseCommand::Reclassify(Reclassify { topic: topic(of), reason: text }),
        11 | 12 => CaseCommand::StartProcessing(StartProcessing {}),
        13 => CaseCommand::RequestInformation(RequestInformation {
            text,
            due_date: domain::calendar::day(now) + chrono::Days::new(u64::from(a)),
        }),
        _ => CaseCommand::Close(Close { answer: text, files }),
    }
}

fn file() -> UploadedFile {
    UploadedFile {
        stored: StoredFile { size: 10, stored_sha256: "aa".repeat(32), scan: None },
        card: FileCard {
            attachment_id: AttachmentId(random::id()),
            file_name: "fil.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            size: 10,
            sha256: "bb".repeat(32),
            key: "a2V5".to_owned(),
        },
    }
}

/// Something in one of the small streams.
fn beside_cases(of: u8, a: u8) -> Append {
    let types = [
        "NoticePublished",
        "NoticeResolved",
        "NotificationSent",
        "EmployerRegistered",
        "CaseSeen",
        "SatisfactionGiven",
        "ContentPublished",
        "CataloguePublished",
        "PayrollFormPublished",
        "PayrollFormWithdrawn",
        "PayrollPeriodPublished",
        "PayrollPeriodWithdrawn",
    ];
    let event = match sample(types[usize::from(of) % types.len()]) {
        Event::EmployerRegistered { name_sv, name_en, services, .. } => Event::EmployerRegistered {
            employer: employers()[usize::from(a) % 2],
            areas: Area::ALL.to_vec(),
            name_sv,
            name_en,
            services,
        },
        Event::PayrollFormPublished { code, name_sv, name_en, .. } => {
            let (code, name_sv, name_en) = (&code, &name_sv, &name_en);
            WrittenForm { code, name_sv, name_en, file: Some(&file()).filter(|_| a.is_multiple_of(2)) }
                .publish()
                .unwrap()
        }
        event => event,
    };
    let stream = match &event {
        Event::EmployerRegistered { employer, .. } => StreamId::of_employer(*employer),
        Event::ContentPublished { page, .. } => StreamId::of_content(*page),
        Event::CataloguePublished { .. } => StreamId::of_catalogue(),
        Event::NotificationSent { .. } | Event::CaseSeen { .. } | Event::SatisfactionGiven { .. } => {
            StreamId(random::id())
        }
        // Its stream has a key from the first event on.
        Event::PayrollFormPublished { .. } => StreamId(Uuid::from_u128(u128::from(a % 3) + 910)),
        _ => StreamId(Uuid::from_u128(u128::from(a % 3) + 900)),
    };
    Append { stream, actor: person(4), employer: None, event, expected: Expected::Any, upkeep: None }
}
