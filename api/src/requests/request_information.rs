//! The body of RequestInformation.

use chrono::NaiveDate;
use domain::case::commands::RequestInformation;
use domain::files::UploadedFile;
use domain::refusal::{Code, FieldErrors};
use domain::text::Body;
use domain::{CaseCommand, FieldError};
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::requests::ChangeRequest;

/// What the officer needs to know, and by when.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct RequestInformationRequest {
    /// What is missing; at most 10 000 characters.
    #[schema(required = true, nullable = false)]
    pub text: Option<String>,
    /// The Swedish day to answer by.
    #[schema(required = true, nullable = false, format = Date)]
    pub due_date: Option<String>,
}

impl ChangeRequest for RequestInformationRequest {
    fn read(fields: &mut Fields) -> Self {
        Self { text: fields.text("text"), due_date: fields.text("dueDate") }
    }

    fn parse(self, _files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let text = Body::parse(self.text.as_deref().unwrap_or_default(), "/text", Code::MessageMissing);
        let text = errors.take(text);
        let due_date: Option<NaiveDate> = self.due_date.as_deref().and_then(|day| day.trim().parse().ok());
        let due_date = errors.take(due_date.ok_or_else(|| FieldError::new("/dueDate", Code::DueDate)));
        match (text, due_date) {
            (Some(text), Some(due_date)) => {
                Ok(CaseCommand::RequestInformation(RequestInformation { text, due_date }))
            }
            _ => Err(errors.into_inner()),
        }
    }
}
