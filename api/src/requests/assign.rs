//! The body of Assign.

use utoipa::ToSchema;

use crate::fields::Fields;

/// To whom a case is given.
#[derive(Clone, Debug, Default, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct AssignRequest {
    /// The officer's login.
    #[schema(required = true, nullable = false)]
    pub officer: Option<String>,
}

impl AssignRequest {
    /// Reads it from JSON.
    pub fn read(fields: &mut Fields) -> Self {
        Self { officer: fields.text("officer") }
    }
}
