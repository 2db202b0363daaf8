//! What callers send, one file per command: read from JSON by the API and from forms by the pages, and parsed here,
//! once, into the command.

mod add_message;
mod add_note;
mod assign;
mod attach;
mod close;
mod create;
mod reclassify;
mod request_information;

pub use add_message::AddMessageRequest;
pub use add_note::AddNoteRequest;
pub use assign::AssignRequest;
pub use attach::AttachRequest;
pub use close::CloseRequest;
pub use create::{CreateRequest, Created, ReporterRequest};
pub use reclassify::ReclassifyRequest;
pub use request_information::RequestInformationRequest;

use domain::files::UploadedFile;
use domain::refusal::{Code, FieldErrors};
use domain::{Area, CaseCommand, FieldError, SubArea, System, Topic};

use crate::fields::Fields;

/// What a caller sends to change a case.
pub trait ChangeRequest: Sized {
    /// Reads it from JSON.
    fn read(fields: &mut Fields) -> Self;

    /// The staged files that it names.
    fn uploads(&self) -> &[String] {
        &[]
    }

    /// The command, with the staged files.
    ///
    /// # Errors
    /// Everything that is wrong with the fields.
    fn parse(self, files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>>;
}

/// A value of a closed list by its code: nothing when blank, an error when it is none of them.
fn choice<T>(
    errors: &mut FieldErrors,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    pointer: &str,
) -> Option<T> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    let value = parse(text);
    if value.is_none() {
        errors.push(FieldError::new(pointer, Code::FieldValue));
    }
    value
}

/// Area, sub-area and system together.
fn topic(
    errors: &mut FieldErrors,
    (area, sub_area, system): (Option<&str>, Option<&str>, Option<&str>),
) -> Option<Topic> {
    let found = choice(errors, area, Area::parse, "/area");
    if area.is_none_or(|area| area.trim().is_empty()) {
        errors.push(FieldError::new("/area", Code::AreaMissing));
    }
    let sub_area = choice(errors, sub_area, SubArea::parse, "/subArea");
    let system = choice(errors, system, System::parse, "/system");
    errors.take_all(Topic::new(found?, sub_area, system))
}
