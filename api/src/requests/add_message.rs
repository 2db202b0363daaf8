//! The body of AddMessage.

use domain::case::commands::AddMessage;
use domain::files::UploadedFile;
use domain::refusal::Code;
use domain::text::Body;
use domain::{CaseCommand, FieldError};
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::requests::ChangeRequest;

/// A message in a case.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AddMessageRequest {
    /// The message, at most 10 000 characters.
    #[schema(required = true, nullable = false)]
    pub text: Option<String>,
    /// Ids of staged files.
    #[schema(required = false)]
    pub attachments: Vec<String>,
}

impl ChangeRequest for AddMessageRequest {
    fn read(fields: &mut Fields) -> Self {
        Self { text: fields.text("text"), attachments: fields.texts("attachments") }
    }

    fn uploads(&self) -> &[String] {
        &self.attachments
    }

    fn parse(self, files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>> {
        let text = Body::parse(self.text.as_deref().unwrap_or_default(), "/text", Code::MessageMissing);
        Ok(CaseCommand::AddMessage(AddMessage { text: text.map_err(|error| vec![error])?, files }))
    }
}
