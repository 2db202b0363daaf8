//! A form of the pages: what was typed, the files that it has, and what is wrong with it. A form that comes back with
//! an error shows everything again; its files travel in it as sealed receipts, so that nothing has to be sent twice.

mod body;
mod draft;
mod window;

pub use draft::{log_in_again, not_sent};
pub use window::Window;

use std::fmt::Display;

use axum::extract::Request;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use domain::files::{Scan, UploadedFile};
use domain::{FieldError, Language, PersonId};
use infrastructure::random;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::app::Caller;
use crate::pages::Visitor;
use crate::texts::{Text, field_error};
use crate::{App, Failure};

/// The field that carries the form's own key, under which sending it again is the same command.
pub const KEY: &str = "form";
/// The field that carries, sealed, who was logged in when the form was shown.
pub const OWNER: &str = "owner";
/// The field that carries the version of the case that the form decides on.
pub const VERSION: &str = "version";
/// The field that carries the receipt of a file; there may be many.
pub const RECEIPT: &str = "receipt";
/// The field by which buttons tell what is to be done.
pub const ACTION: &str = "action";
/// The field by which a button takes away the file that it names.
pub const REMOVE: &str = "remove";
/// The field of files, in errors and in the page.
pub const FILES: &str = "files";

/// A form as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What tells its fields from those of other forms on the page.
    pub id: &'static str,
    /// Its own key.
    pub key: Uuid,
    /// Who was logged in when it was shown.
    pub owner: Option<PersonId>,
    /// The version of the case that it decides on.
    pub version: Option<u64>,
    /// The files that it has.
    pub files: Vec<FormFile>,
    /// What is wrong, in the order of the fields.
    pub errors: Vec<FormError>,
    /// When it was kept as a draft.
    pub saved_at: Option<DateTime<Utc>>,
    /// The window in which it is open.
    pub window: Window,
    /// Why this is a draft of its own.
    pub apart: Option<Apart>,
    /// The names of files that went with what another window has sent.
    gone: Vec<String>,
    fields: Vec<(String, String)>,
    action: Option<String>,
    removed: bool,
    /// That it came too soon after others.
    limited: Option<Failure>,
}

/// A file that a form has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormFile {
    /// The file.
    pub file: UploadedFile,
    /// Its receipt, which the form carries.
    pub receipt: String,
}

impl FormFile {
    /// Whether it waits for the virus scanner.
    pub fn waits(&self) -> bool {
        self.file.stored.scan == Some(Scan::Waiting)
    }
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormError {
    /// The name of the field; empty for the whole form.
    pub field: String,
    /// What to do about it.
    pub text: String,
}

/// What has been done with the draft that this window shows, so that its own is another now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Another window has kept something else.
    Changed,
    /// It was sent, as something else.
    Sent,
}

/// What the sender of a form wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// That it is done.
    Send,
    /// To see the form again: with the files that were added, without the one that was taken away, with more to fill in, or
    /// with how it will look.
    ShowAgain,
    /// To keep it for later.
    SaveDraft,
    /// To throw away what was kept.
    Discard,
}

impl Form {
    /// An empty form with a key of its own.
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            key: random::id(),
            owner: None,
            version: None,
            files: Vec::new(),
            errors: Vec::new(),
            saved_at: None,
            window: Window::new(),
            apart: None,
            gone: Vec::new(),
            fields: Vec::new(),
            action: None,
            removed: false,
            limited: None,
        }
    }

    /// The form that was sent, urlencoded or as multipart. Its files are staged for whoever sent it; what is wrong
    /// with a file stands among the errors, and everything else is kept.
    ///
    /// # Errors
    /// When the body is larger than a form can be, or of another type.
    pub async fn read(
        app: &App,
        visitor: &Visitor,
        id: &'static str,
        request: Request,
    ) -> Result<Self, Failure> {
        let mut form = Self { limited: visitor.may_send().err(), window: Window::default(), ..Self::new(id) };
        body::read(app, visitor, &mut form, request).await?;
        Ok(form)
    }

    /// Who sends it.
    ///
    /// # Errors
    /// [`Failure::Unauthorized`] where nobody is logged in any more, or somebody else than who began the form; or why it
    /// cannot be told.
    pub fn sender<'a>(&self, visitor: &'a Visitor) -> Result<&'a Caller, Failure> {
        let caller = visitor.caller()?;
        let began = self.owner.unwrap_or(caller.actor.person);
        if began == caller.actor.person { Ok(caller) } else { Err(Failure::Unauthorized) }
    }

    /// That what it asks for may be done: it comes not too soon after others, and nothing was wrong with it as it came in.
    ///
    /// # Errors
    /// [`Failure::TooMany`]; [`Failure::Fields`], the form then holds what is wrong.
    pub fn ready(&self) -> Result<(), Failure> {
        match &self.limited {
            Some(limited) => Err(limited.clone()),
            None if self.errors.is_empty() => Ok(()),
            None => Err(Failure::Fields(Vec::new())),
        }
    }

    /// The form with the version of the case that it decides on.
    #[must_use]
    pub fn on_version(mut self, version: u64) -> Self {
        self.version = Some(version);
        self
    }

    /// The form on the version that stands now; one that was begun on an earlier version says so in the words of a key.
    #[must_use]
    pub fn now_on(mut self, language: Language, version: u64, changed: &'static str) -> Self {
        if self.version.is_some_and(|began| began != version) {
            self.add_error("", Text::new(language, changed));
        }
        self.on_version(version)
    }

    /// The form with a value filled in.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Fills in a value, in place of an earlier one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.fields.retain(|(own, _)| own != name);
        self.fields.push((name.to_owned(), value.into()));
    }

    /// What stands in a field; empty when nothing does.
    pub fn value(&self, name: &str) -> &str {
        self.fields.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    /// What stands in a field, if it is more than blanks.
    pub fn filled(&self, name: &str) -> Option<String> {
        Some(self.value(name)).filter(|value| !value.trim().is_empty()).map(str::to_owned)
    }

    /// Whether a choice is made.
    pub fn chosen(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Whether nothing was typed and nothing attached.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.fields.iter().all(|(_, value)| value.trim().is_empty())
    }

    /// The id of a field in the page.
    pub fn field_id(&self, name: &str) -> String {
        format!("{}-{name}", self.id)
    }

    /// What is wrong with a field.
    pub fn errors_of(&self, name: &str) -> Vec<&FormError> {
        self.errors.iter().filter(|error| error.field == name).collect()
    }

    /// Whether something is wrong with a field.
    pub fn is_wrong(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error.field == name)
    }

    /// What its sender wants.
    pub fn action(&self) -> Action {
        match self.action.as_deref() {
            _ if self.removed => Action::ShowAgain,
            Some("upload" | "again") => Action::ShowAgain,
            Some("draft") => Action::SaveDraft,
            Some("discard") => Action::Discard,
            _ => Action::Send,
        }
    }

    /// The files, for the command.
    pub fn uploaded(&self) -> Vec<UploadedFile> {
        self.files.iter().map(|file| file.file.clone()).collect()
    }

    /// The fields as the object that a request is read from; blank ones are absent.
    pub fn as_json(&self) -> Value {
        let filled = self.fields.iter().filter(|(_, value)| !value.trim().is_empty());
        let fields: Map<String, Value> =
            filled.map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        Value::Object(fields)
    }

    /// What tells one request from another under the form's key: its fields, and what its files hold. A file that was
    /// sent twice by a double click is the same file.
    pub fn fingerprint(&self, path: &str) -> Vec<u8> {
        let files = self.files.iter().map(|file| (&file.file.card.file_name, &file.file.card.sha256));
        let whole = (path, self.version, self.as_json(), files.collect::<Vec<_>>());
        serde_json::to_vec(&whole).unwrap_or_default()
    }

    /// Adds an error with its words.
    pub fn add_error(&mut self, field: &str, text: impl Display) {
        self.errors.push(FormError { field: field.to_owned(), text: text.to_string() });
    }

    /// Adds refused fields, in the reader's language.
    pub fn add_field_errors(&mut self, language: Language, errors: &[FieldError]) {
        for error in errors {
            let error = FormError { field: field_of(&error.pointer), text: field_error(language, error) };
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
        }
        // Files stand last in every form.
        self.errors.sort_by_key(|error| error.field == FILES);
    }

    /// Turns a failure into errors of the form, which then shows everything again under the status that comes back.
    ///
    /// # Errors
    /// The failure itself where showing the form again would not help.
    pub fn refuse(&mut self, language: Language, failure: Failure) -> Result<StatusCode, Failure> {
        match &failure {
            Failure::Fields(errors) => self.add_field_errors(language, errors),
            Failure::Stale { .. }
            | Failure::WrongPhase(_)
            | Failure::TakenByAnother
            | Failure::IdempotencyKeyReused
            | Failure::Busy
            | Failure::TooMany(_)
            | Failure::Unavailable
            | Failure::FilesAway
            | Failure::ReadLogAway
            | Failure::OutcomeUnknown
            | Failure::NotShown => self.add_error("", failure.detail(language)),
            Failure::Internal => self.add_error("", Text::new(language, "page500-short")),
            _ => return Err(failure),
        }
        Ok(failure.status())
    }

    /// As [`Form::refuse`], where somebody else may have changed meanwhile what the form is about: it then says so in the
    /// words of a key, and is on the version that stands now.
    ///
    /// # Errors
    /// As [`Form::refuse`].
    pub fn refuse_changed(
        &mut self,
        language: Language,
        failure: Failure,
        changed: &'static str,
    ) -> Result<StatusCode, Failure> {
        let Failure::Stale { current, .. } = failure else { return self.refuse(language, failure) };
        self.version = Some(current);
        self.add_error("", Text::new(language, changed));
        Ok(failure.status())
    }

    /// Puts a staged file into the form.
    fn attach(&mut self, app: &App, owner: PersonId, file: UploadedFile) {
        let receipt = app.receipt(&owner.to_string(), &file);
        self.files.push(FormFile { file, receipt });
    }
}

/// How many files a form takes, and how large.
pub fn files_hint(language: Language, app: &App) -> String {
    Text::new(language, "create-files-hint")
        .with("n", app.config.limits().files_at_once)
        .with("mb", app.config.files.file_mb)
        .to_string()
}

/// The name of the field that a pointer leads to: `/subject` is `subject`, `/reporter/name` is `reporter-name`, and
/// everything about files belongs to their one field.
fn field_of(pointer: &str) -> String {
    let name = pointer.trim_start_matches('/');
    if name.starts_with("attachments") || name == "uploadId" {
        return FILES.to_owned();
    }
    name.replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::refusal::Code;

    #[test]
    fn errors_stand_beside_the_field_that_they_point_at() {
        let mut form = Form::new("create");
        let errors = [
            FieldError::new("/subject", Code::SubjectMissing),
            FieldError::new("/attachments/2", Code::UploadUnknown),
            FieldError::new("/reporter/name", Code::ReporterName),
        ];
        let status = form.refuse(Language::Sv, Failure::Fields(errors.to_vec())).unwrap();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(form.errors_of("subject")[0].text, "Skriv ett ämne.");
        assert!(form.is_wrong("files") && form.is_wrong("reporter-name") && !form.is_wrong("message"));
    }

    #[test]
    fn what_may_not_be_seen_is_no_error_of_a_form() {
        let mut form = Form::new("create");
        assert_eq!(form.refuse(Language::Sv, Failure::NotFound), Err(Failure::NotFound));
        assert_eq!(form.refuse(Language::Sv, Failure::Busy), Ok(StatusCode::SERVICE_UNAVAILABLE));
        assert_eq!(form.errors.len(), 1);
    }

    #[test]
    fn blank_fields_are_absent_and_tell_no_two_requests_apart() {
        let form = Form::new("x").with("subject", " ").with("message", "Hej");
        assert_eq!(form.as_json(), serde_json::json!({"message": "Hej"}));
        let same = Form::new("x").with("message", "Hej");
        assert_eq!(form.fingerprint("/a"), same.fingerprint("/a"));
        assert_ne!(form.fingerprint("/a"), same.fingerprint("/b"));
    }
}
