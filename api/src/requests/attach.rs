//! The body of Attach, where the file was staged before.

use domain::case::commands::Attach;
use domain::files::UploadedFile;
use domain::refusal::Code;
use domain::{CaseCommand, FieldError};
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::requests::ChangeRequest;

/// A staged file for a case.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AttachRequest {
    /// The id of the staged file.
    #[schema(required = true, nullable = false)]
    pub upload_id: Option<String>,
}

impl ChangeRequest for AttachRequest {
    fn read(fields: &mut Fields) -> Self {
        Self { upload_id: fields.text("uploadId") }
    }

    fn uploads(&self) -> &[String] {
        self.upload_id.as_slice()
    }

    fn parse(self, files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>> {
        if self.upload_id.is_none() {
            return Err(vec![FieldError::new("/uploadId", Code::FileRequired)]);
        }
        Ok(CaseCommand::Attach(Attach { files }))
    }
}
