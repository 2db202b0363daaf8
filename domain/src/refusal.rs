//! Refusals are for the person who asked: one enum of message keys. Technical faults are another type, elsewhere.

use std::fmt;

use crate::case::Status;
use crate::vocabulary::vocabulary;

vocabulary! {
    /// The key of an error text; the words in both languages live in the texts.
    Code {
        /// No area.
        AreaMissing = "area.missing",
        /// The employer does not use that service.
        AreaNotAvailable = "area.not_available",
        /// No sub-area where one is needed.
        SubMissing = "sub.missing",
        /// A sub-area where none belongs.
        SubRefused = "sub.refused",
        /// No system where one is needed.
        SystemMissing = "system.missing",
        /// A system where none belongs.
        SystemRefused = "system.refused",
        /// No employer, or not an organisation number.
        EmployerMissing = "employer.missing",
        /// No subject.
        SubjectMissing = "subject.missing",
        /// Subject too long.
        SubjectLong = "subject.long",
        /// A personal identity number in the subject.
        SubjectPnr = "subject.pnr",
        /// No message.
        MessageMissing = "message.missing",
        /// A text too long.
        MessageLong = "message.long",
        /// No answer.
        AnswerMissing = "answer.missing",
        /// No reason for a reclassification.
        ReasonMissing = "reason.missing",
        /// No such kind of note.
        NoteKind = "note.kind",
        /// No officer to assign to.
        OfficerMissing = "officer.missing",
        /// The due date is missing, malformed or past.
        DueDate = "due_date",
        /// The reporter is missing where the case is registered for somebody.
        ReporterMissing = "reporter.missing",
        /// A reporter where the caller reports.
        ReporterRefused = "reporter.refused",
        /// The reporter's name is missing or unusable.
        ReporterName = "reporter.name",
        /// The reporter's e-mail address is missing or unusable.
        ReporterEmail = "reporter.email",
        /// That channel is not for this caller.
        ChannelRefused = "channel.refused",
        /// No such language.
        LanguageUnknown = "language.unknown",
        /// A case number whose last digit does not match.
        NumberCheck = "number.check",
        /// Not a case number, or a case that the caller cannot refer to.
        NumberUnknown = "number.unknown",
        /// A file is mandatory.
        FileRequired = "file.required",
        /// The type of a file is not allowed.
        FileType = "file.type",
        /// A file is too big.
        FileBig = "file.big",
        /// The files are too big together.
        FileTotal = "file.total",
        /// Too many files.
        FileMany = "file.many",
        /// A file is empty.
        FileEmpty = "file.empty",
        /// Malicious code was found in a file.
        FileVirus = "file.virus",
        /// A file is locked with a password.
        FilePassword = "file.password",
        /// A file has more packed in it than a scanner looks at.
        FileComplex = "file.complex",
        /// A file could not be read.
        FileUnreadable = "file.unreadable",
        /// A file could not be uploaded.
        FileFailed = "file.failed",
        /// The upload is not known, has been used, or is somebody else's.
        UploadUnknown = "upload.unknown",
        /// No title.
        TitleMissing = "title.missing",
        /// A text of a page is missing.
        TextMissing = "text.missing",
        /// A title or a text of a page is too long.
        TextLong = "text.long",
        /// A name is missing.
        NameMissing = "name.missing",
        /// Not the code of a payroll form.
        FormCode = "form.code",
        /// There is a payroll form with that code.
        FormTaken = "form.taken",
        /// A payroll form is no document.
        FormFile = "form.file",
        /// Not a year and a month.
        PeriodForm = "period.form",
        /// The period is in the payroll schedule.
        PeriodTaken = "period.taken",
        /// Approval before the last day for documents.
        ApprovalEarly = "approval.early",
        /// A payroll run before the approval.
        RunEarly = "run.early",
        /// A pay day that is not after the payroll run.
        PayDayEarly = "pay_day.early",
        /// A pay day on which no money is paid.
        PayDayHoliday = "pay_day.holiday",
        /// A day that cannot be read.
        Day = "day",
        /// A day and a time of day that cannot be read.
        Moment = "moment",
        /// A service of the catalogue that has a name in one language alone.
        ServiceMissing = "service.missing",
        /// Two services with the same name.
        ServiceDouble = "service.double",
        /// A service that employers use would be gone.
        ServiceUsed = "service.used",
        /// Too many services.
        ServiceMany = "service.many",
        /// An end that is not after the start.
        EndBeforeStart = "end.before_start",
        /// A field that nobody knows.
        FieldUnknown = "field.unknown",
        /// A field of the wrong type.
        FieldType = "field.type",
        /// The value is not one of those allowed.
        FieldValue = "field.value",
    }
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) of the field in the body, `""` for the whole.
    pub pointer: String,
    /// The key of the text.
    pub code: Code,
    /// The values that the text names.
    pub arguments: Vec<(&'static str, String)>,
}

impl FieldError {
    /// An error whose text names no value.
    pub fn new(pointer: impl Into<String>, code: Code) -> Self {
        Self { pointer: pointer.into(), code, arguments: Vec::new() }
    }

    /// A text that is longer than `max` characters.
    pub fn too_long(pointer: impl Into<String>, code: Code, max: usize, length: usize) -> Self {
        Self::new(pointer, code).with("max", max).with("n", length)
    }

    /// Adds a value that the text names.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }
}

/// Why a command changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// One or more fields are wrong; all at once.
    Fields(Vec<FieldError>),
    /// The case does not exist, or its existence is not the caller's to know.
    NotFound,
    /// The caller knows of the case but may not do this.
    Forbidden,
    /// The caller decided on an older version of the case.
    Stale {
        /// The version that the case has now.
        current: u64,
        /// The types of the events that have come since, oldest first, of those that the caller may see.
        since: Vec<&'static str>,
    },
    /// The command does not belong in the phase that the case is in.
    WrongPhase(Status),
    /// Another officer works on the case; Assign is the way.
    TakenByAnother,
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::Fields(vec![error])
    }
}

/// Collects the errors of several fields, so that a person meets all of them at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// The value, or its error put aside and `None`.
    pub fn take<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// Like [`FieldErrors::take`] for a result with several errors.
    pub fn take_all<T>(&mut self, result: Result<T, Vec<FieldError>>) -> Option<T> {
        result.map_err(|errors| self.0.extend(errors)).ok()
    }

    /// Puts an error aside.
    pub fn push(&mut self, error: FieldError) {
        self.0.push(error);
    }

    /// Whether no error was put aside.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that were put aside.
    pub fn into_inner(self) -> Vec<FieldError> {
        self.0
    }

    /// Nothing, when no error was put aside.
    ///
    /// # Errors
    /// All that were.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}
