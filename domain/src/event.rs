//! Every event that the log can hold. **Names and fields are the stored format**: they are never renamed; a new
//! field has a default; a stored sample of every event ever released lies under `tests/golden/events/`.

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::case_number::CaseNumber;
use crate::content::{ContentPage, Service, Words};
use crate::files::{FileCard, Scan, StoredFile};
use crate::ids::{AttachmentId, CaseId, PersonId};
use crate::organisation_number::OrganisationNumber;
use crate::satisfaction::Helped;
use crate::service_status::NoticeKind;
use crate::text::{Body, Email, PersonName, Subject};
use crate::vocabulary::{Area, Channel, Language, NoteKind, Party, SubArea, System, Template};

/// The personal part of an event: open to read, or gone because its key was destroyed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sealed<T> {
    /// Readable.
    Open(T),
    /// Disposed of.
    #[default]
    Gone,
}

impl<T> Sealed<T> {
    /// The content, unless it is gone.
    pub const fn open(&self) -> Option<&T> {
        match self {
            Self::Open(content) => Some(content),
            Self::Gone => None,
        }
    }
}

/// The personal part of [`Event::CaseReceived`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// The subject line.
    pub subject: Subject,
    /// The message.
    pub message: Body,
    /// The files, in the order of `attachmentIds`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileCard>,
}

/// The personal part of an event that carries a text and perhaps files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// The text.
    pub text: Body,
    /// The files, in the order of `attachmentIds`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileCard>,
}

/// The personal part of [`Event::AttachmentAdded`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Files {
    /// The files, in the order of `attachmentIds`.
    pub files: Vec<FileCard>,
}

/// The personal part of [`Event::SatisfactionGiven`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opinion {
    /// What the reporter wrote; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Body>,
}

/// The personal part of [`Event::PersonSeen`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The login's subject; absent for a caller and after erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

/// The personal part of [`Event::SettingsChosen`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Where mails go, in place of the address that the login says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
}

/// An event: a fact that has happened. Every variant's fields but `personal` are its `facts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "facts", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the names of the fields are the stored format and say what they hold")]
pub enum Event {
    /// A case came in (*Inkommit*).
    CaseReceived {
        case_number: CaseNumber,
        employer: OrganisationNumber,
        area: Area,
        sub_area: Option<SubArea>,
        system: Option<System>,
        channel: Channel,
        follows_up: Option<CaseNumber>,
        /// Whose case it is; none when a system reports on nobody's behalf.
        reporter: Option<PersonId>,
        /// Who filed it: the reporter, the officer who took the call, or the system.
        registered_by: PersonId,
        /// The language that the reporter writes and reads.
        language: Language,
        attachment_ids: Vec<AttachmentId>,
        stored_files: Vec<StoredFile>,
        #[serde(skip)]
        personal: Sealed<Question>,
    },
    /// Files were added.
    AttachmentAdded {
        from: Party,
        attachment_ids: Vec<AttachmentId>,
        stored_files: Vec<StoredFile>,
        #[serde(skip)]
        personal: Sealed<Files>,
    },
    /// An officer took the case (*Under bearbetning*).
    ProcessingStarted { officer: PersonId },
    /// The officer asked the reporter for more.
    InformationRequested {
        due_date: NaiveDate,
        #[serde(skip)]
        personal: Sealed<Letter>,
    },
    /// The reporter or an officer wrote a message.
    MessageAdded {
        from: Party,
        attachment_ids: Vec<AttachmentId>,
        stored_files: Vec<StoredFile>,
        #[serde(skip)]
        personal: Sealed<Letter>,
    },
    /// An officer wrote a note.
    NoteAdded {
        kind: NoteKind,
        #[serde(skip)]
        personal: Sealed<Letter>,
    },
    /// The case was given to an officer.
    CaseAssigned { officer: PersonId },
    /// The case was moved to another area, sub-area or system.
    CaseReclassified {
        area: Area,
        sub_area: Option<SubArea>,
        system: Option<System>,
        #[serde(skip)]
        personal: Sealed<Letter>,
    },
    /// The case was closed with its answer (*Avslutat*).
    CaseClosed {
        attachment_ids: Vec<AttachmentId>,
        stored_files: Vec<StoredFile>,
        #[serde(skip)]
        personal: Sealed<Letter>,
    },
    /// A person was seen for the first time, or with another name or address.
    PersonSeen {
        /// The employer that a caller named; none for logins, which may have several.
        employer: Option<OrganisationNumber>,
        /// What the person was to Kundwebb when seen.
        role: Role,
        /// Keyed digest of the personal part: tells a change without opening it.
        fingerprint: String,
        /// Whether no e-mail address is known, so that what somebody else tells is better than nothing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        without_address: bool,
        #[serde(skip)]
        personal: Sealed<Profile>,
    },
    /// A caller registered by phone and a login are the same person. Stands in both streams.
    PersonLinked { caller: PersonId, person: PersonId },
    /// A person was marked as having protected identity (*skyddade personuppgifter*), or the mark was taken away.
    ProtectionChanged { protected: bool },
    /// A person chose how Kundwebb is for them.
    SettingsChosen {
        /// The language of pages and mails; none: that of the browser, and of each case.
        language: Option<Language>,
        /// The mails that the person does not want.
        without_mails: Vec<Template>,
        /// The systems whose notices the person gets by mail, by code; `kundwebben` for ourselves.
        notices: Vec<String>,
        #[serde(skip)]
        personal: Sealed<Contact>,
    },
    /// The reporter has opened the page of a case that stood at a version: what had been answered by then is seen.
    CaseSeen { case_id: CaseId, case_version: u64 },
    /// The reporter has said of a closed case whether it was of help.
    SatisfactionGiven {
        case_id: CaseId,
        helped: Helped,
        #[serde(skip)]
        personal: Sealed<Opinion>,
    },
    /// A mail was accepted by the mail server (or written to its file).
    NotificationSent {
        /// What it is about: the case, or of [`Template::ServiceStatus`] the notice.
        case_id: CaseId,
        /// The event that caused it, `<stream>-<version>`.
        cause: String,
        template: Template,
        message_id: String,
        attempts: u32,
        /// The server's reply without addresses.
        reply: String,
    },
    /// A mail was given up.
    NotificationFailed {
        case_id: CaseId,
        cause: String,
        template: Template,
        message_id: String,
        attempts: u32,
        reply: String,
    },
    /// The scanner has looked at a file that waited for it. Stands in a stream of the file, so that it never moves the
    /// version of its case.
    FileScanned {
        /// The stream that it was attached in: a case, or a payroll form.
        case_id: CaseId,
        attachment_id: AttachmentId,
        /// Which side attached it.
        from: Party,
        outcome: Scan,
        /// What was found, as the scanner names it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    /// What is registered about an employer and the services that it uses.
    EmployerRegistered {
        employer: OrganisationNumber,
        name_sv: String,
        name_en: String,
        areas: Vec<Area>,
        /// Names of services of the catalogue.
        services: Vec<String>,
    },
    /// A disruption or planned maintenance was announced.
    NoticePublished {
        kind: NoticeKind,
        /// None: Kundwebb itself.
        system: Option<System>,
        title_sv: String,
        title_en: String,
        body_sv: String,
        body_en: String,
        /// What one can do meanwhile.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        advice_sv: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        advice_en: String,
        /// Microseconds since 1970 UTC.
        starts: i64,
        ends: Option<i64>,
        next_update: Option<i64>,
    },
    /// What the notice told of is over.
    NoticeResolved {},
    /// The words of a page were published.
    ContentPublished { page: ContentPage, sv: Words, en: Words },
    /// The service catalogue was published.
    CataloguePublished { services: Vec<Service> },
    /// A payroll form (*löneblankett*) was published, anew or in place of what it was.
    PayrollFormPublished {
        /// What tells it from others; in its stream always the same.
        code: String,
        name_sv: String,
        name_en: String,
        /// Its file; none: the one that it had before, if it had one.
        attachment_ids: Vec<AttachmentId>,
        stored_files: Vec<StoredFile>,
        #[serde(skip)]
        personal: Sealed<Files>,
    },
    /// The payroll form is not for use any more.
    PayrollFormWithdrawn {},
    /// The days of a period of the payroll schedule (*tidplan*) were published, anew or in place of others.
    PayrollPeriodPublished {
        /// Year and month, `2027-01`; in its stream always the same.
        period: String,
        /// The last day for documents.
        documents: NaiveDate,
        /// The last moment for approval, microseconds since 1970 UTC.
        approval: i64,
        run: NaiveDate,
        pay_day: NaiveDate,
    },
    /// The period is not in the schedule any more.
    PayrollPeriodWithdrawn {},
    /// The rows of the read log from one position to another are bound by the root of their Merkle tree (RFC 6962),
    /// hexadecimal.
    ReadLogSealed { from: u64, to: u64, root: String },
    /// The key of a month of the read log, `2026-11`, is destroyed at the end of its retention: what was read then cannot
    /// be told any more.
    ReadLogKeyDestroyed { month: String },
}

/// The types whose events have a personal part.
macro_rules! with_personal {
    ($event:expr, $personal:ident => $do:expr, $none:expr) => {
        match $event {
            Event::CaseReceived { personal: $personal, .. } => $do,
            Event::AttachmentAdded { personal: $personal, .. } => $do,
            Event::InformationRequested { personal: $personal, .. }
            | Event::MessageAdded { personal: $personal, .. }
            | Event::NoteAdded { personal: $personal, .. }
            | Event::CaseReclassified { personal: $personal, .. }
            | Event::CaseClosed { personal: $personal, .. } => $do,
            Event::PersonSeen { personal: $personal, .. } => $do,
            Event::SettingsChosen { personal: $personal, .. } => $do,
            Event::SatisfactionGiven { personal: $personal, .. } => $do,
            Event::PayrollFormPublished { personal: $personal, .. } => $do,
            Event::ProcessingStarted { .. }
            | Event::CaseAssigned { .. }
            | Event::PersonLinked { .. }
            | Event::ProtectionChanged { .. }
            | Event::CaseSeen { .. }
            | Event::NotificationSent { .. }
            | Event::NotificationFailed { .. }
            | Event::FileScanned { .. }
            | Event::EmployerRegistered { .. }
            | Event::NoticePublished { .. }
            | Event::NoticeResolved {}
            | Event::ContentPublished { .. }
            | Event::CataloguePublished { .. }
            | Event::PayrollFormWithdrawn {}
            | Event::PayrollPeriodPublished { .. }
            | Event::PayrollPeriodWithdrawn {}
            | Event::ReadLogSealed { .. }
            | Event::ReadLogKeyDestroyed { .. } => $none,
        }
    };
}

impl Event {
    /// The version of the stored format of this type; raised when a field changes meaning.
    pub const SCHEMA_VERSION: u16 = 1;

    /// The stored name of every type.
    pub const TYPES: &'static [&'static str] = &[
        "CaseReceived",
        "AttachmentAdded",
        "ProcessingStarted",
        "InformationRequested",
        "MessageAdded",
        "NoteAdded",
        "CaseAssigned",
        "CaseReclassified",
        "CaseClosed",
        "PersonSeen",
        "PersonLinked",
        "ProtectionChanged",
        "SettingsChosen",
        "CaseSeen",
        "SatisfactionGiven",
        "NotificationSent",
        "NotificationFailed",
        "FileScanned",
        "EmployerRegistered",
        "NoticePublished",
        "NoticeResolved",
        "ContentPublished",
        "CataloguePublished",
        "PayrollFormPublished",
        "PayrollFormWithdrawn",
        "PayrollPeriodPublished",
        "PayrollPeriodWithdrawn",
        "ReadLogSealed",
        "ReadLogKeyDestroyed",
    ];

    /// The stored name of the type.
    pub const fn type_name(&self) -> &'static str {
        match self {
            Self::CaseReceived { .. } => "CaseReceived",
            Self::AttachmentAdded { .. } => "AttachmentAdded",
            Self::ProcessingStarted { .. } => "ProcessingStarted",
            Self::InformationRequested { .. } => "InformationRequested",
            Self::MessageAdded { .. } => "MessageAdded",
            Self::NoteAdded { .. } => "NoteAdded",
            Self::CaseAssigned { .. } => "CaseAssigned",
            Self::CaseReclassified { .. } => "CaseReclassified",
            Self::CaseClosed { .. } => "CaseClosed",
            Self::PersonSeen { .. } => "PersonSeen",
            Self::PersonLinked { .. } => "PersonLinked",
            Self::ProtectionChanged { .. } => "ProtectionChanged",
            Self::SettingsChosen { .. } => "SettingsChosen",
            Self::CaseSeen { .. } => "CaseSeen",
            Self::SatisfactionGiven { .. } => "SatisfactionGiven",
            Self::NotificationSent { .. } => "NotificationSent",
            Self::NotificationFailed { .. } => "NotificationFailed",
            Self::FileScanned { .. } => "FileScanned",
            Self::EmployerRegistered { .. } => "EmployerRegistered",
            Self::NoticePublished { .. } => "NoticePublished",
            Self::NoticeResolved {} => "NoticeResolved",
            Self::ContentPublished { .. } => "ContentPublished",
            Self::CataloguePublished { .. } => "CataloguePublished",
            Self::PayrollFormPublished { .. } => "PayrollFormPublished",
            Self::PayrollFormWithdrawn {} => "PayrollFormWithdrawn",
            Self::PayrollPeriodPublished { .. } => "PayrollPeriodPublished",
            Self::PayrollPeriodWithdrawn {} => "PayrollPeriodWithdrawn",
            Self::ReadLogSealed { .. } => "ReadLogSealed",
            Self::ReadLogKeyDestroyed { .. } => "ReadLogKeyDestroyed",
        }
    }

    /// Whether the reporter sees an event of a case; `None` for events that are none of a case. Working notes are never
    /// shown, nor how the centre sorts and shares the work.
    pub const fn for_customer(&self) -> Option<bool> {
        match self {
            Self::CaseReceived { .. }
            | Self::AttachmentAdded { .. }
            | Self::ProcessingStarted { .. }
            | Self::InformationRequested { .. }
            | Self::MessageAdded { .. }
            | Self::CaseClosed { .. } => Some(true),
            Self::NoteAdded { kind, .. } => Some(matches!(kind, NoteKind::Official)),
            Self::CaseAssigned { .. } | Self::CaseReclassified { .. } => Some(false),
            Self::PersonSeen { .. }
            | Self::PersonLinked { .. }
            | Self::ProtectionChanged { .. }
            | Self::SettingsChosen { .. }
            | Self::CaseSeen { .. }
            | Self::SatisfactionGiven { .. }
            | Self::NotificationSent { .. }
            | Self::NotificationFailed { .. }
            | Self::FileScanned { .. }
            | Self::EmployerRegistered { .. }
            | Self::NoticePublished { .. }
            | Self::NoticeResolved {}
            | Self::ContentPublished { .. }
            | Self::CataloguePublished { .. }
            | Self::PayrollFormPublished { .. }
            | Self::PayrollFormWithdrawn {}
            | Self::PayrollPeriodPublished { .. }
            | Self::PayrollPeriodWithdrawn {}
            | Self::ReadLogSealed { .. }
            | Self::ReadLogKeyDestroyed { .. } => None,
        }
    }

    /// The facts as stored: JSON text of the fields that may be kept for ever.
    pub fn facts_json(&self) -> String {
        let whole = serde_json::to_string(self).unwrap_or_default();
        let head = r#"{"type":"","facts":"#.len() + self.type_name().len();
        whole.get(head..whole.len().saturating_sub(1)).unwrap_or("{}").to_owned()
    }

    /// The personal part as JSON text, to be sealed; `None` for types without one and where it is gone.
    pub fn personal_json(&self) -> Option<String> {
        with_personal!(self, personal => personal.open().and_then(|open| serde_json::to_string(open).ok()), None)
    }

    /// Whether events of this type have a personal part at all, gone or not.
    pub fn has_personal(&self) -> bool {
        with_personal!(self, _personal => true, false)
    }

    /// Whether this event's personal part has been disposed of.
    pub fn is_gone(&self) -> bool {
        with_personal!(self, personal => personal.open().is_none(), false)
    }

    /// Reads a stored event. `personal` is the opened JSON of the sealed part, `None` when it is gone or the type
    /// has none.
    ///
    /// # Errors
    /// When the type is not known or the text is not of its format.
    pub fn from_stored(
        type_name: &str,
        facts: &str,
        personal: Option<&[u8]>,
    ) -> Result<Self, serde_json::Error> {
        let whole = format!(r#"{{"type":{},"facts":{facts}}}"#, serde_json::to_string(type_name)?);
        let mut event: Self = serde_json::from_str(&whole)?;
        if let Some(text) = personal {
            with_personal!(&mut event, personal => *personal = open(text)?, ());
        }
        Ok(event)
    }

    /// The same event as it looks when its key has been destroyed.
    #[must_use]
    pub fn gone(mut self) -> Self {
        with_personal!(&mut self, personal => *personal = Sealed::Gone, ());
        self
    }

    /// The files that this event attached, where their cards can still be read.
    pub fn files(&self) -> &[FileCard] {
        match self {
            Self::CaseReceived { personal: Sealed::Open(question), .. } => &question.files,
            Self::AttachmentAdded { personal: Sealed::Open(files), .. }
            | Self::PayrollFormPublished { personal: Sealed::Open(files), .. } => &files.files,
            Self::MessageAdded { personal: Sealed::Open(letter), .. }
            | Self::CaseClosed { personal: Sealed::Open(letter), .. } => &letter.files,
            _ => &[],
        }
    }

    /// Which side attached the files of this event.
    pub const fn attached_by(&self) -> Party {
        match self {
            Self::AttachmentAdded { from, .. } | Self::MessageAdded { from, .. } => *from,
            Self::CaseClosed { .. } | Self::PayrollFormPublished { .. } => Party::Officer,
            _ => Party::Customer,
        }
    }

    /// The ids of the files that this event attached.
    pub fn attachment_ids(&self) -> &[AttachmentId] {
        match self {
            Self::CaseReceived { attachment_ids, .. }
            | Self::AttachmentAdded { attachment_ids, .. }
            | Self::MessageAdded { attachment_ids, .. }
            | Self::CaseClosed { attachment_ids, .. }
            | Self::PayrollFormPublished { attachment_ids, .. } => attachment_ids,
            _ => &[],
        }
    }

    /// What is stored of the files that this event attached, in the order of their ids.
    pub fn stored_files(&self) -> &[StoredFile] {
        match self {
            Self::CaseReceived { stored_files, .. }
            | Self::AttachmentAdded { stored_files, .. }
            | Self::MessageAdded { stored_files, .. }
            | Self::CaseClosed { stored_files, .. }
            | Self::PayrollFormPublished { stored_files, .. } => stored_files,
            _ => &[],
        }
    }
}

fn open<T: DeserializeOwned>(text: &[u8]) -> Result<Sealed<T>, serde_json::Error> {
    serde_json::from_slice(text).map(Sealed::Open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The compiler-made reader names every variant when it meets one that it does not know.
    #[test]
    fn the_list_of_types_is_whole() {
        let error = Event::from_stored("?", "{}", None).unwrap_err().to_string();
        let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, Event::TYPES, "{error}");
    }

    #[test]
    fn an_unknown_type_and_foreign_facts_are_errors() {
        assert!(Event::from_stored("CaseExploded", "{}", None).is_err());
        assert!(Event::from_stored("ProcessingStarted", "{}", None).is_err());
        assert!(Event::from_stored("ProcessingStarted", "[1", None).is_err());
        assert!(Event::from_stored("x\"", "{}", None).is_err());
    }

    #[test]
    fn a_field_of_a_later_version_is_passed_over() {
        let facts = r#"{"officer":"00000000-0000-0000-0000-000000000001","later":[1,{"x":null}]}"#;
        let event = Event::from_stored("ProcessingStarted", facts, None).unwrap();
        assert_eq!(event.facts_json(), r#"{"officer":"00000000-0000-0000-0000-000000000001"}"#);
    }

    fn any_day(byte: u8) -> NaiveDate {
        NaiveDate::from_yo_opt(2026, u32::from(byte) + 1).unwrap()
    }

    /// None to two files: their ids, what is stored of them, and their cards.
    fn any_files(
        texts: &[String; 3],
        [a, b, .., e]: [u8; 8],
    ) -> (Vec<AttachmentId>, Vec<StoredFile>, Vec<FileCard>) {
        let uploaded = (0..u128::from(a % 3)).map(|id| {
            let mut file = crate::case::testing::file(id, u64::from(b) << 30);
            file.card.file_name.clone_from(&texts[2]);
            file.stored.scan = Scan::ALL.get(usize::from(e) % 9).copied();
            (file.card.attachment_id, file.stored, file.card)
        });
        uploaded.collect()
    }

    /// An event with any texts, ids, sizes and choices.
    fn any_event(type_name: &str, texts: &[String; 3], bytes: [u8; 8]) -> Event {
        use crate::case::testing::{number, person};
        let [a, b, c, d, e, ..] = bytes;
        let text = |text: &str, other: &str| {
            Body::parse(text, "", crate::refusal::Code::MessageMissing)
                .unwrap_or_else(|_| Body::parse(other, "", crate::refusal::Code::MessageMissing).unwrap())
        };
        let of = |list: usize, byte: u8| usize::from(byte) % list;
        let (attachment_ids, stored_files, files) = any_files(texts, bytes);
        let letter = |files: Vec<FileCard>| Sealed::Open(Letter { text: text(&texts[0], "x"), files });
        let employer = OrganisationNumber::parse("4021000007").unwrap();
        let from = Party::ALL[of(2, c)];
        let area = Area::ALL[of(4, c)];
        let sub_area = (d & 1 == 1).then_some(SubArea::ALL[of(2, e)]);
        let system = (d & 2 == 2).then_some(System::ALL[of(6, e)]);
        match type_name {
            "CaseReceived" => Event::CaseReceived {
                case_number: number(u64::from(a) * 9000 + 1),
                employer,
                area,
                sub_area,
                system,
                channel: Channel::ALL[of(3, a)],
                follows_up: (b & 1 == 1).then(|| number(u64::from(b))),
                reporter: (b & 2 == 2).then(|| person(u128::from(c))),
                registered_by: person(u128::from(d)),
                language: Language::ALL[of(2, e)],
                attachment_ids,
                stored_files,
                personal: Sealed::Open(Question {
                    subject: Subject::parse(&texts[1], "")
                        .unwrap_or_else(|_| Subject::parse("y", "").unwrap()),
                    message: text(&texts[0], "x"),
                    files,
                }),
            },
            "AttachmentAdded" => Event::AttachmentAdded {
                from,
                attachment_ids,
                stored_files,
                personal: Sealed::Open(Files { files }),
            },
            "ProcessingStarted" => Event::ProcessingStarted { officer: person(u128::from(a)) },
            "InformationRequested" => {
                Event::InformationRequested { due_date: any_day(a), personal: letter(Vec::new()) }
            }
            "MessageAdded" => {
                Event::MessageAdded { from, attachment_ids, stored_files, personal: letter(files) }
            }
            "NoteAdded" => Event::NoteAdded { kind: NoteKind::ALL[of(2, a)], personal: letter(Vec::new()) },
            "CaseAssigned" => Event::CaseAssigned { officer: person(u128::from(a)) },
            "CaseReclassified" => {
                Event::CaseReclassified { area, sub_area, system, personal: letter(Vec::new()) }
            }
            "CaseClosed" => Event::CaseClosed { attachment_ids, stored_files, personal: letter(files) },
            _ => any_event_beside_cases(type_name, texts, bytes),
        }
    }

    /// As [`any_event`], of persons, and what is told of cases in streams of its own.
    fn any_event_beside_cases(type_name: &str, texts: &[String; 3], bytes: [u8; 8]) -> Event {
        use crate::case::testing::person;
        let [a, b, c, ..] = bytes;
        let employer = OrganisationNumber::parse("4021000007").unwrap();
        let of = |list: usize, byte: u8| usize::from(byte) % list;
        let (case_id, template) =
            (CaseId(person(u128::from(a)).0), Template::ALL[of(Template::ALL.len(), b)]);
        let (cause, message_id) = (texts[0].clone(), texts[1].clone());
        let (attempts, reply) = (u32::from(c), texts[2].clone());
        match type_name {
            "PersonSeen" => Event::PersonSeen {
                employer: (a & 1 == 1).then_some(employer),
                role: Role::ALL[of(Role::ALL.len(), b)],
                fingerprint: texts[0].clone(),
                without_address: a & 4 != 4,
                personal: Sealed::Open(Profile {
                    subject: (a & 2 == 2).then(|| texts[1].clone()),
                    name: PersonName::parse(&texts[2], "").ok(),
                    email: Email::parse("a@b.example", "").ok().filter(|_| a & 4 == 4),
                }),
            },
            "PersonLinked" => {
                Event::PersonLinked { caller: person(u128::from(a)), person: person(u128::from(b)) }
            }
            "ProtectionChanged" => Event::ProtectionChanged { protected: a & 1 == 1 },
            "SettingsChosen" => Event::SettingsChosen {
                language: Language::ALL.get(of(3, a)).copied(),
                without_mails: Template::ALL[..of(Template::ALL.len(), b)].to_vec(),
                notices: texts.to_vec(),
                personal: Sealed::Open(Contact {
                    email: Email::parse("a@b.example", "").ok().filter(|_| c & 1 == 1),
                }),
            },
            "CaseSeen" => Event::CaseSeen { case_id, case_version: u64::from(a) },
            "SatisfactionGiven" => Event::SatisfactionGiven {
                case_id,
                helped: Helped::ALL[of(3, a)],
                personal: Sealed::Open(Opinion {
                    text: Body::parse(&texts[1], "", crate::refusal::Code::MessageMissing).ok(),
                }),
            },
            "NotificationSent" => {
                Event::NotificationSent { case_id, cause, template, message_id, attempts, reply }
            }
            "NotificationFailed" => {
                Event::NotificationFailed { case_id, cause, template, message_id, attempts, reply }
            }
            "FileScanned" => Event::FileScanned {
                case_id,
                attachment_id: AttachmentId(person(u128::from(c)).0),
                from: Party::ALL[of(2, a)],
                outcome: Scan::ALL[of(Scan::ALL.len(), b)],
                signature: (c & 1 == 1).then(|| texts[0].clone()),
            },
            _ => any_event_of_the_centre(type_name, texts, bytes),
        }
    }

    /// As [`any_event`], of the centre itself.
    fn any_event_of_the_centre(type_name: &str, texts: &[String; 3], bytes: [u8; 8]) -> Event {
        let [a, b, c, ..] = bytes;
        let employer = OrganisationNumber::parse("4021000007").unwrap();
        let of = |list: usize, byte: u8| usize::from(byte) % list;
        match type_name {
            "EmployerRegistered" => Event::EmployerRegistered {
                employer,
                name_sv: texts[0].clone(),
                name_en: texts[1].clone(),
                areas: Area::ALL[..of(5, a)].to_vec(),
                services: texts.to_vec(),
            },
            "NoticePublished" => Event::NoticePublished {
                kind: NoticeKind::ALL[of(2, a)],
                system: System::ALL.get(of(9, c)).copied(),
                title_sv: texts[0].clone(),
                title_en: texts[1].clone(),
                body_sv: texts[2].clone(),
                body_en: texts[0].clone(),
                advice_sv: texts[1].clone(),
                advice_en: texts[2].clone(),
                starts: i64::from_be_bytes(bytes),
                ends: (b & 1 == 1).then_some(i64::MIN),
                next_update: (b & 2 == 2).then_some(i64::MAX),
            },
            "NoticeResolved" => Event::NoticeResolved {},
            "ContentPublished" => Event::ContentPublished {
                page: ContentPage::ALL[of(3, a)],
                sv: Words { title: (b & 1 == 1).then(|| texts[0].clone()), body: texts[1].clone() },
                en: Words { title: (b & 2 == 2).then(|| texts[2].clone()), body: texts[0].clone() },
            },
            "CataloguePublished" => Event::CataloguePublished {
                services: Area::ALL[..of(5, a)]
                    .iter()
                    .map(|area| Service { area: *area, sv: texts[0].clone(), en: texts[1].clone() })
                    .collect(),
            },
            "PayrollFormPublished" => {
                let (attachment_ids, stored_files, files) = any_files(texts, bytes);
                Event::PayrollFormPublished {
                    code: texts[0].clone(),
                    name_sv: texts[1].clone(),
                    name_en: texts[2].clone(),
                    attachment_ids,
                    stored_files,
                    personal: Sealed::Open(Files { files }),
                }
            }
            "PayrollFormWithdrawn" => Event::PayrollFormWithdrawn {},
            "PayrollPeriodPublished" => Event::PayrollPeriodPublished {
                period: texts[0].clone(),
                documents: any_day(a),
                approval: i64::from_be_bytes(bytes),
                run: any_day(b),
                pay_day: any_day(c),
            },
            "PayrollPeriodWithdrawn" => Event::PayrollPeriodWithdrawn {},
            "ReadLogSealed" => {
                Event::ReadLogSealed { from: u64::from(a), to: u64::from(b), root: texts[0].clone() }
            }
            "ReadLogKeyDestroyed" => Event::ReadLogKeyDestroyed { month: texts[0].clone() },
            other => panic!("{other} has no example here"),
        }
    }

    proptest! {
        /// Every stored form is read back as what it was, and written again byte for byte.
        #[test]
        fn every_event_is_read_back(
            which in 0..Event::TYPES.len(), texts in prop::array::uniform3(".*"), bytes in any::<[u8; 8]>(),
        ) {
            let event = any_event(Event::TYPES[which], &texts, bytes);
            prop_assert_eq!(event.type_name(), Event::TYPES[which]);
            let (facts, personal) = (event.facts_json(), event.personal_json());
            let read = |personal: Option<&String>| {
                Event::from_stored(event.type_name(), &facts, personal.map(String::as_bytes)).unwrap()
            };
            let again = read(personal.as_ref());
            prop_assert_eq!(&again, &event);
            prop_assert_eq!((again.facts_json(), again.personal_json()), (facts.clone(), personal.clone()));
            prop_assert_eq!(personal.is_some(), event.has_personal());
            prop_assert_eq!(read(None), event.clone().gone());
            prop_assert_eq!(event.clone().gone().facts_json(), facts.clone());
            prop_assert_eq!(event.files().len(), event.attachment_ids().len());
        }
    }
}
