//! The body of Reclassify.

use domain::case::commands::Reclassify;
use domain::files::UploadedFile;
use domain::refusal::{Code, FieldErrors};
use domain::text::Body;
use domain::{CaseCommand, FieldError};
use utoipa::ToSchema;

use crate::fields::Fields;
use crate::requests::{ChangeRequest, topic};

/// What a case is about instead.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ReclassifyRequest {
    /// `lon`, `ekonomi`, `e-handel` or `it-tjanstestod`.
    #[schema(required = true, nullable = false)]
    pub area: Option<String>,
    /// `supportarende` or `beslut-underlag`; for `lon` only.
    pub sub_area: Option<String>,
    /// `pol-mintid`, `palasso`, `primula`, `agresso`, `visma-proceedo` or `annat`.
    pub system: Option<String>,
    /// Why; at most 10 000 characters.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
}

impl ChangeRequest for ReclassifyRequest {
    fn read(fields: &mut Fields) -> Self {
        Self {
            area: fields.text("area"),
            sub_area: fields.text("subArea"),
            system: fields.text("system"),
            reason: fields.text("reason"),
        }
    }

    fn parse(self, _files: Vec<UploadedFile>) -> Result<CaseCommand, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let codes = (self.area.as_deref(), self.sub_area.as_deref(), self.system.as_deref());
        let topic = topic(&mut errors, codes);
        let reason = Body::parse(self.reason.as_deref().unwrap_or_default(), "/reason", Code::ReasonMissing);
        match (topic, errors.take(reason)) {
            (Some(topic), Some(reason)) if errors.is_empty() => {
                Ok(CaseCommand::Reclassify(Reclassify { topic, reason }))
            }
            _ => Err(errors.into_inner()),
        }
    }
}
