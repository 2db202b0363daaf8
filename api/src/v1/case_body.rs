//! A case as the API shows it, whole and in lists. What the caller may not see is absent; what is disposed of is null.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::Actor;
use domain::access::Role;
use domain::files::FileCard;
use domain::vocabulary::Language;
use domain::{CaseId, CaseNumber, OrganisationNumber, PersonId, Status};
use projections::case_page::Message;
use projections::{CaseRow, CaseView, ReadError, directory, protection, queue};
use rusqlite::Connection;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::texts::Text;

/// A case in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaseSummary {
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub case_number: String,
    /// Its version: the number of its events.
    pub version: u64,
    /// The place of its last event in the log.
    pub position: u64,
    /// `received` (*Inkommit*), `in-process` (*Under bearbetning*) or `closed` (*Avslutat*).
    pub status: String,
    /// The status in the reader's language.
    pub status_label: String,
    /// How it came in: `webb`, `telefon` or `api`.
    pub channel: String,
    /// Organisation number of the employer; absent where whose case it is has protected identity, for those who may not know
    /// where.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub employer: Option<String>,
    /// The area.
    pub area: String,
    /// The sub-area, for payroll.
    pub sub_area: Option<String>,
    /// The system that it is about.
    pub system: Option<String>,
    /// The subject; null when it is disposed of, absent in a register.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub subject: Option<Option<String>>,
    /// When it came in.
    pub received_at: DateTime<Utc>,
    /// The Swedish day on which it came in.
    pub received_date: NaiveDate,
    /// When work on it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// The day by which the reporter is asked to answer.
    pub due_date: Option<NaiveDate>,
    /// The number of the earlier case that it goes on from; null also where that would tell those who may not know it where
    /// somebody with protected identity works.
    pub follows_up: Option<String>,
    /// The login of the officer who works on it; for officers and auditors also of one who was only given it.
    pub officer: Option<String>,
    /// Whose case it is; null when a system reports on nobody's behalf.
    pub reporter: Option<ReporterBody>,
}

/// A whole case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Case)]
pub struct CaseBody {
    /// What lists show as well.
    #[serde(flatten)]
    pub summary: CaseSummary,
    /// The question; null when it is disposed of.
    pub message: Option<String>,
    /// The answer; null until the case is closed.
    pub answer: Option<String>,
    /// Every file of the case.
    pub attachments: Vec<AttachmentBody>,
    /// Messages, oldest first.
    pub messages: Vec<MessageBody>,
    /// When content was disposed of; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub disposed_at: Option<DateTime<Utc>>,
}

/// The person whose case it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseReporter)]
pub struct ReporterBody {
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the person has protected identity; absent where not. Name and address are then null for most.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub protected: bool,
}

/// A file of a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attachment)]
pub struct AttachmentBody {
    /// Its id.
    pub attachment_id: Uuid,
    /// Its name.
    pub file_name: String,
    /// Its type, as found in its content.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// What the virus scanner says of it: `waiting`, `clean`, `infected`, `locked` (with a password) or `too-complex`; null
    /// where there was none. Only what is `clean` or null can be downloaded.
    pub scan: Option<String>,
}

impl AttachmentBody {
    /// A file of a case. The card's key stays behind.
    pub fn new(view: &CaseView, card: &FileCard) -> Self {
        Self {
            attachment_id: card.attachment_id.0,
            file_name: card.file_name.clone(),
            media_type: card.media_type.clone(),
            size: card.size,
            sha256: card.sha256.clone(),
            scan: view.scan(card.attachment_id).map(|scan| scan.to_string()),
        }
    }
}

/// A message in a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageBody {
    /// When it was written.
    pub at: DateTime<Utc>,
    /// `customer` or `officer`.
    pub from: String,
    /// The text; null when it is disposed of.
    pub text: Option<String>,
    /// Its files.
    pub attachments: Vec<AttachmentBody>,
}

/// Whom and what a case mentions.
#[derive(Clone, Copy, Debug)]
pub struct Mentioned {
    id: CaseId,
    employer: OrganisationNumber,
    officer: Option<PersonId>,
    reporter: Option<PersonId>,
    follows_up: Option<CaseNumber>,
}

impl From<&CaseRow> for Mentioned {
    fn from(row: &CaseRow) -> Self {
        let CaseRow { id, employer, officer, reporter, follows_up, .. } = *row;
        Self { id, employer, officer, reporter, follows_up }
    }
}

impl From<&CaseView> for Mentioned {
    fn from(view: &CaseView) -> Self {
        let CaseView { id, employer, officer, reporter, follows_up, .. } = *view;
        Self { id, employer, officer, reporter, follows_up }
    }
}

/// The persons behind the pseudonyms of some cases, as each case's reader is told of them.
#[derive(Debug, Default)]
pub struct People {
    known: HashMap<(PersonId, OrganisationNumber), directory::Person>,
    /// Those with protected identity, and whether that is hidden from the reader.
    protected: HashMap<PersonId, bool>,
    /// The cases of which the reader must not learn what they go on from.
    unrelated: HashSet<CaseId>,
}

impl People {
    /// Looks up who works on cases, or reported them, for a reader. A system, and a requester for others, learn
    /// what was told for the employer, not what a login says. Who has protected identity is named to few (LAW-12).
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub fn load(tables: &Connection, reader: &Actor, cases: &[Mentioned]) -> Result<Self, ReadError> {
        let mut people = Self::default();
        let hides = reader.role.hides_protected();
        for case in cases.iter().filter(|_| hides) {
            let Some(number) = case.follows_up else { continue };
            let other = queue::by_number(tables, number)?.and_then(|(_, standing)| standing.reporter);
            if protection::is_told_by_relation(tables, case.reporter, other)? {
                people.unrelated.insert(case.id);
            }
        }
        let persons = cases.iter().flat_map(|case| {
            [case.officer, case.reporter].into_iter().flatten().map(|person| (person, case.employer))
        });
        for (id, employer) in persons {
            if people.known.contains_key(&(id, employer)) {
                continue;
            }
            let Some(mut person) = directory::of_case(tables, id, employer)? else { continue };
            let own = reader.identities.contains(&id);
            if !own && matches!(reader.role, Role::System | Role::Requester) {
                (person.name, person.email) = directory::told(tables, id, employer)?;
            }
            if protection::is_protected(tables, id)? {
                if !own && hides {
                    (person.name, person.email, person.subject) = (None, None, None);
                }
                // Whoever told an address is not told by it whether that is the address of such a person.
                if own || !reader.role.has_employers() {
                    people.protected.insert(id, hides);
                }
            }
            people.known.insert((id, employer), person);
        }
        Ok(people)
    }

    /// Whether the reader must not learn where somebody works.
    fn hides_employer(&self, reporter: Option<PersonId>) -> bool {
        reporter.and_then(|reporter| self.protected.get(&reporter)).is_some_and(|hidden| *hidden)
    }

    fn reporter(&self, id: PersonId, employer: OrganisationNumber) -> ReporterBody {
        let person = self.known.get(&(id, employer));
        ReporterBody {
            name: person.and_then(|person| person.name.clone()),
            email: person.and_then(|person| person.email.clone()),
            protected: self.protected.contains_key(&id),
        }
    }
}

/// Who reads, and in which language.
#[derive(Clone, Copy, Debug)]
pub struct Readership {
    /// The role of the reader.
    pub role: Role,
    /// The language.
    pub language: Language,
}

impl Readership {
    /// A case in a list.
    pub fn summary(self, row: CaseRow, people: &People) -> CaseSummary {
        CaseSummary {
            id: row.id.0,
            case_number: row.number.to_string(),
            version: row.version,
            position: row.position,
            status: row.status.to_string(),
            status_label: self.label(row.status),
            channel: row.channel.to_string(),
            employer: (!people.hides_employer(row.reporter)).then(|| row.employer.to_string()),
            area: row.area.to_string(),
            sub_area: row.sub_area.map(|value| value.to_string()),
            system: row.system.map(|value| value.to_string()),
            subject: Some(row.subject),
            received_at: row.received_at,
            received_date: domain::calendar::day(row.received_at),
            started_at: row.started_at,
            closed_at: row.closed_at,
            due_date: row.due_date,
            follows_up: row
                .follows_up
                .filter(|_| !people.unrelated.contains(&row.id))
                .map(|number| number.to_string()),
            officer: self.officer(row.status, row.officer.map(|officer| (officer, row.employer)), people),
            reporter: row.reporter.map(|reporter| people.reporter(reporter, row.employer)),
        }
    }

    /// A case in a register, without what is in it and whose it is.
    pub fn known(self, row: CaseRow, people: &People) -> CaseSummary {
        let (sub_area, system, due_date, follows_up) = (None, None, None, None);
        let summary = self.summary(CaseRow { sub_area, system, due_date, follows_up, ..row }, people);
        CaseSummary { subject: None, officer: None, reporter: None, ..summary }
    }

    /// A whole case.
    pub fn case(self, view: &CaseView, people: &People) -> CaseBody {
        CaseBody {
            summary: self.summary(row(view), people),
            message: view.message.clone(),
            answer: view.answer.clone(),
            attachments: view
                .attachments
                .iter()
                .map(|attached| AttachmentBody::new(view, &attached.card))
                .collect(),
            messages: view.messages.iter().map(|message| body(view, message)).collect(),
            disposed_at: None,
        }
    }

    fn label(self, status: Status) -> String {
        Text::new(self.language, format!("status-{status}")).to_string()
    }

    /// How the centre shares the work before it begins is its own.
    fn officer(
        self,
        status: Status,
        officer: Option<(PersonId, OrganisationNumber)>,
        people: &People,
    ) -> Option<String> {
        officer
            .filter(|_| self.role.sees_all() || status != Status::Received)
            .and_then(|officer| people.known.get(&officer)?.subject.clone())
    }
}

fn body(view: &CaseView, message: &Message) -> MessageBody {
    MessageBody {
        at: message.at,
        from: message.from.to_string(),
        text: message.text.clone(),
        attachments: message.files.iter().map(|card| AttachmentBody::new(view, card)).collect(),
    }
}

/// A whole case as its row in a list.
fn row(view: &CaseView) -> CaseRow {
    CaseRow {
        id: view.id,
        number: view.number,
        version: view.version,
        position: view.position,
        status: view.status,
        channel: view.channel,
        employer: view.employer,
        area: view.area,
        sub_area: view.sub_area,
        system: view.system,
        subject: view.subject.clone(),
        received_at: view.received_at,
        started_at: view.started_at,
        closed_at: view.closed_at,
        last_at: view.closed_at.unwrap_or(view.received_at),
        due_date: view.request.as_ref().map(|request| request.due_date),
        officer: view.officer,
        reporter: view.reporter,
        registered_by: view.registered_by,
        follows_up: view.follows_up,
    }
}
