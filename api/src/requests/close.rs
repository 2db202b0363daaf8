//! The body of Close.

use domain::case::commands::Close;
use domain::files::UploadedFile;
use domain::refusal::Code;
use domain::text::Body;
use domain::{CaseCommand, FieldError};
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::requests::ChangeRequest;

/// The answer that closes a case.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CloseRequest {
    /// The answer, shown to the person who asked; at most 10 000 characters.
    #[schema(required = true, nullable = false)]
    pub answer: Option<String>,
    /// Ids of staged files.
    #[schema(required = false)]
    pub attachments: Vec<String>,
}

impl ChangeRequest for CloseRequest {
    fn read(fields: &mut Fields) -> Self {
        Self { answer: fields.text("answer"), attachments: fields.texts("attachments") }
    }

    fn uploads(&self) -> &[String] {
        &self.attachments
    }

    fn parse(self, files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>> {
        let answer = Body::parse(self.answer.as_deref().unwrap_or_default(), "/answer", Code::AnswerMissing);
        Ok(CaseCommand::Close(Close { answer: answer.map_err(|error| vec![error])?, files }))
    }
}
