//! The body of AddNote.

use domain::case::commands::AddNote;
use domain::files::UploadedFile;
use domain::refusal::{Code, FieldErrors};
use domain::text::Body;
use domain::{CaseCommand, FieldError, NoteKind};
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::requests::ChangeRequest;

/// A note in a case.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AddNoteRequest {
    /// `working` (never shown to the customer) or `official` (part of the case).
    #[schema(required = true, nullable = false)]
    pub kind: Option<String>,
    /// The note, at most 10 000 characters.
    #[schema(required = true, nullable = false)]
    pub text: Option<String>,
}

impl ChangeRequest for AddNoteRequest {
    fn read(fields: &mut Fields) -> Self {
        Self { kind: fields.text("kind"), text: fields.text("text") }
    }

    fn parse(self, _files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let kind = NoteKind::parse(self.kind.as_deref().unwrap_or_default());
        let kind = errors.take(kind.ok_or_else(|| FieldError::new("/kind", Code::NoteKind)));
        let text = Body::parse(self.text.as_deref().unwrap_or_default(), "/text", Code::MessageMissing);
        match (kind, errors.take(text)) {
            (Some(kind), Some(text)) => Ok(CaseCommand::AddNote(AddNote { kind, text })),
            _ => Err(errors.into_inner()),
        }
    }
}
