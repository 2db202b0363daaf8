//! The whole case as its page shows it: folded from its timeline when it is asked for. The view evolves by events alone,
//! so that a case as of a past moment is the same view over fewer events.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Standing;
use domain::files::{FileCard, Scan};
use domain::vocabulary::Party;
use domain::{
    Area, AttachmentId, CaseId, CaseNumber, Channel, Event, Language, OrganisationNumber, PersonId, Status,
    StreamId, SubArea, System,
};
use infrastructure::Recorded;
use rusqlite::Connection;

use crate::timeline::{self, Entry};
use crate::{ReadError, Unread, scans};

/// What the virus scanner says of files; nothing of one that came where there was no scanner.
pub type Scans = HashMap<AttachmentId, Scan>;

/// An event as far as a view needs to know it.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the names are those of the event")]
pub struct Happened<'a> {
    pub stream: StreamId,
    pub version: u64,
    pub position: u64,
    pub recorded_at: DateTime<Utc>,
    pub actor: PersonId,
    pub event: &'a Event,
}

impl<'a> From<&'a Recorded> for Happened<'a> {
    fn from(recorded: &'a Recorded) -> Self {
        let Recorded { stream, version, position, recorded_at, actor, event, .. } = recorded;
        Self {
            stream: *stream,
            version: *version,
            position: *position,
            recorded_at: *recorded_at,
            actor: *actor,
            event,
        }
    }
}

/// A case with everything that can be shown of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the case in the API")]
pub struct CaseView {
    pub id: CaseId,
    pub number: CaseNumber,
    pub version: u64,
    pub position: u64,
    pub status: Status,
    pub channel: Channel,
    pub employer: OrganisationNumber,
    pub area: Area,
    pub sub_area: Option<SubArea>,
    pub system: Option<System>,
    pub language: Language,
    pub follows_up: Option<CaseNumber>,
    /// None when it is gone.
    pub subject: Option<String>,
    pub message: Option<String>,
    pub answer: Option<String>,
    /// Whether some personal content is gone.
    pub disposed: bool,
    pub received_at: DateTime<Utc>,
    pub received_date: NaiveDate,
    pub started_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// The open request for information: what is asked for and by when.
    pub request: Option<Request>,
    pub officer: Option<PersonId>,
    pub reporter: Option<PersonId>,
    pub registered_by: PersonId,
    pub attachments: Vec<Attached>,
    pub messages: Vec<Message>,
    /// Where the answer's files begin.
    pub answer_files: Vec<FileCard>,
    /// What the virus scanner says of its files.
    pub scans: Scans,
}

/// A request for information that has not been answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The day to answer by.
    pub due_date: NaiveDate,
    /// What is missing; none when it is gone.
    pub text: Option<String>,
}

/// A file of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The version of the case that it came with.
    pub version: u64,
    /// What is known of the file.
    pub card: FileCard,
    /// When it was attached.
    pub at: DateTime<Utc>,
    /// By which side.
    pub from: Party,
}

/// A message in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The version of the case that it came with.
    pub version: u64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// By which side.
    pub from: Party,
    /// Who wrote it.
    pub actor: PersonId,
    /// The text; none when it is gone.
    pub text: Option<String>,
    /// Its files.
    pub files: Vec<FileCard>,
}

impl CaseView {
    /// The view of a case from its events, oldest first; `None` when the first does not receive it.
    pub fn replay<'a, E: Into<Happened<'a>>>(events: impl IntoIterator<Item = E>) -> Option<Self> {
        let mut events = events.into_iter().map(Into::into);
        let first = Self::received(&events.next()?)?;
        Some(events.fold(first, |view, event| view.evolve(&event)))
    }

    /// The view, to be shown to somebody.
    pub fn unread(self) -> Unread<Self> {
        let cases = vec![(self.id, self.reporter)];
        Unread::new(self, cases)
    }

    /// What the virus scanner says of a file; none where there was no scanner when it came.
    pub fn scan(&self, file: AttachmentId) -> Option<Scan> {
        self.scans.get(&file).copied()
    }

    /// What rights depend on.
    pub const fn standing(&self) -> Standing {
        Standing {
            employer: self.employer,
            area: self.area,
            reporter: self.reporter,
            registered_by: self.registered_by,
            channel: self.channel,
        }
    }

    /// The view after one more event of the case.
    #[must_use]
    fn evolve(mut self, event: &Happened<'_>) -> Self {
        self.version = event.version;
        self.position = event.position;
        self.disposed |= event.event.is_gone();
        let text = |personal: &domain::Sealed<domain::event::Letter>| {
            personal.open().map(|letter| letter.text.as_str().to_owned())
        };
        match event.event {
            Event::ProcessingStarted { officer } => {
                self.status = Status::InProcess;
                self.officer = Some(*officer);
                self.started_at = Some(event.recorded_at);
            }
            Event::CaseAssigned { officer } => self.officer = Some(*officer),
            Event::InformationRequested { due_date, personal } => {
                self.request = Some(Request { due_date: *due_date, text: text(personal) });
                self.push_message(event, Party::Officer, text(personal));
            }
            Event::AttachmentAdded { from, .. } => self.answered(*from),
            Event::MessageAdded { from, personal, .. } => {
                self.answered(*from);
                self.push_message(event, *from, text(personal));
            }
            Event::CaseReclassified { area, sub_area, system, .. } => {
                (self.area, self.sub_area, self.system) = (*area, *sub_area, *system);
            }
            Event::CaseClosed { personal, .. } => {
                self.status = Status::Closed;
                self.closed_at = Some(event.recorded_at);
                self.request = None;
                self.answer = text(personal);
                self.answer_files = event.event.files().to_vec();
            }
            _ => {}
        }
        self.attach(event);
        self
    }

    fn received(event: &Happened<'_>) -> Option<Self> {
        let Event::CaseReceived {
            case_number,
            employer,
            area,
            sub_area,
            system,
            channel,
            follows_up,
            reporter,
            registered_by,
            language,
            personal,
            ..
        } = event.event
        else {
            return None;
        };
        let question = personal.open();
        let mut view = Self {
            id: CaseId(event.stream.0),
            number: *case_number,
            version: event.version,
            position: event.position,
            status: Status::Received,
            channel: *channel,
            employer: *employer,
            area: *area,
            sub_area: *sub_area,
            system: *system,
            language: *language,
            follows_up: *follows_up,
            subject: question.map(|question| question.subject.as_str().to_owned()),
            message: question.map(|question| question.message.as_str().to_owned()),
            answer: None,
            disposed: question.is_none(),
            received_at: event.recorded_at,
            received_date: domain::calendar::day(event.recorded_at),
            started_at: None,
            closed_at: None,
            request: None,
            officer: None,
            reporter: *reporter,
            registered_by: *registered_by,
            attachments: Vec::new(),
            messages: Vec::new(),
            answer_files: Vec::new(),
            scans: Scans::new(),
        };
        view.attach(event);
        Some(view)
    }

    /// The reporter's message or file answers an open request.
    fn answered(&mut self, from: Party) {
        if from == Party::Customer {
            self.request = None;
        }
    }

    fn push_message(&mut self, event: &Happened<'_>, from: Party, text: Option<String>) {
        let files = event.event.files().to_vec();
        let version = event.version;
        self.messages.push(Message { version, at: event.recorded_at, from, actor: event.actor, text, files });
    }

    fn attach(&mut self, event: &Happened<'_>) {
        let from = event.event.attached_by();
        let attached = |card: &FileCard| Attached {
            version: event.version,
            card: card.clone(),
            at: event.recorded_at,
            from,
        };
        self.attachments.extend(event.event.files().iter().map(attached));
        let stored = event.event.attachment_ids().iter().zip(event.event.stored_files());
        self.scans.extend(stored.filter_map(|(file, stored)| Some((*file, stored.scan?))));
    }
}

/// A case by its id.
///
/// # Errors
/// When the read models cannot be read.
pub fn by_id(tables: &Connection, id: CaseId) -> Result<Option<Unread<CaseView>>, ReadError> {
    let entries = timeline::entries(tables, id, true)?;
    let events = entries.iter().map(Entry::event).collect::<Result<Vec<_>, _>>()?;
    let view = CaseView::replay(entries.iter().zip(&events).map(|(entry, event)| Happened {
        stream: id.into(),
        version: entry.version,
        position: entry.position,
        recorded_at: entry.at,
        actor: entry.actor,
        event,
    }));
    let Some(mut view) = view else { return Ok(None) };
    view.scans.extend(scans::of_case(tables, id)?);
    Ok(Some(view.unread()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const AT: &str = "2026-11-23T10:00:00Z";

    /// A case through its life, an hour a step.
    fn lived() -> Told {
        let mut told = Told::nothing();
        let due_date = "2026-12-01".parse().unwrap();
        let files = sample("AttachmentAdded");
        for (hour, event) in (10..).zip([
            received(1, 1, "Omföring"),
            Event::ProcessingStarted { officer: person(4) },
            Event::NoteAdded { kind: domain::NoteKind::Working, personal: letter("Ringde.") },
            Event::InformationRequested { due_date, personal: letter("Vilken månad?") },
            message(Party::Customer, "Mars."),
            files,
            moved(Area::EHandel),
            Event::CaseAssigned { officer: person(5) },
            closed("Klart."),
        ]) {
            told.tell(&format!("2026-11-23T{hour}:00:00Z"), case(1), event);
        }
        told
    }

    fn page(told: &Told) -> CaseView {
        told.read.read(|tables| by_id(tables, case(1))).unwrap().unwrap().content()
    }

    #[test]
    fn the_whole_case() {
        let told = lived();
        let view = page(&told);
        assert_eq!((view.status, view.version, view.position), (Status::Closed, 9, 9));
        assert_eq!((view.subject.as_deref(), view.message.as_deref()), (Some("Omföring"), Some("Hej")));
        assert_eq!((view.answer.as_deref(), view.officer), (Some("Klart."), Some(person(5))));
        assert_eq!((view.area, view.request, view.disposed), (Area::EHandel, None, false));
        let messages: Vec<_> =
            view.messages.iter().map(|message| (message.from, message.text.as_deref().unwrap())).collect();
        assert_eq!(
            messages,
            [(Party::Officer, "Vilken månad?"), (Party::Customer, "Mars.")],
            "no working note"
        );
        assert_eq!((view.attachments.len(), view.attachments[0].from), (1, Party::Customer));
        assert_eq!(told.read.read(|tables| by_id(tables, case(2))).unwrap(), None);
    }

    #[test]
    fn as_of_a_past_moment_is_the_same_view_over_fewer_events() {
        let told = lived();
        assert_eq!(CaseView::replay(&told.events).unwrap(), page(&told));
        for count in 1..=told.events.len() {
            let past = CaseView::replay(&told.events[..count]).unwrap();
            let then = Told::nothing();
            then.read.apply(&told.events[..count]).unwrap();
            assert_eq!(past, page(&then));
        }
        let asked = CaseView::replay(&told.events[..4]).unwrap();
        assert_eq!((asked.status, asked.answer), (Status::InProcess, None));
        assert_eq!(asked.request.unwrap().text.as_deref(), Some("Vilken månad?"));
        assert_eq!(CaseView::replay(&told.events[..5]).unwrap().request, None, "answered");
        assert_eq!(CaseView::replay(&told.events[..0]), None);
        assert_eq!(CaseView::replay(&told.events[1..]), None, "a case begins with its receipt");
    }

    #[test]
    fn the_received_day_is_swedish() {
        let mut told = Told::nothing();
        told.tell("2026-12-31T23:00:00Z", case(1), received(1, 1, "Nyår"));
        assert_eq!(page(&told).received_date, "2027-01-01".parse().unwrap());
    }

    #[test]
    fn what_is_gone_is_empty_and_said() {
        for gone in 0..9 {
            let told = lived();
            let mut events = told.events.clone();
            let has_personal = events[gone].event.has_personal();
            events[gone].event = events[gone].event.clone().gone();
            let view = CaseView::replay(&events).unwrap();
            assert_eq!(view.disposed, has_personal, "{:?}", events[gone].event);
        }
        let mut told = Told::nothing();
        told.tell(AT, case(1), received(1, 1, "Omföring").gone()).tell(AT, case(1), closed("Klart.").gone());
        let view = page(&told);
        assert_eq!(
            (view.subject, view.message, view.answer, view.status),
            (None, None, None, Status::Closed)
        );
    }
}
