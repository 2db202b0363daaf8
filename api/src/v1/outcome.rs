//! The outcome of a command, as every command answers.

use infrastructure::Outcome;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What an accepted command came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Outcome)]
pub struct OutcomeBody {
    /// The case.
    pub id: Uuid,
    /// Its number.
    pub case_number: String,
    /// Its version after the command; also in `ETag`.
    pub version: u64,
    /// Its status after the command.
    pub status: String,
    /// The place of the last event in the log; give it in `Read-After` to read what the command did.
    pub position: u64,
}

impl From<Outcome> for OutcomeBody {
    fn from(outcome: Outcome) -> Self {
        Self {
            id: outcome.id.0,
            case_number: outcome.case_number.to_string(),
            version: outcome.version,
            status: outcome.status.to_string(),
            position: outcome.position,
        }
    }
}
