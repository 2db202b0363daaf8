//! What a command came to: told to the caller, and kept so that the same command told again has the same answer.

use chrono::{DateTime, Utc};
use domain::{CaseId, CaseNumber, Status};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How long outcomes are kept.
pub const KEPT_DAYS: u64 = 30;

/// The outcome of an accepted command. Never content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The case.
    pub id: CaseId,
    /// Its number.
    pub case_number: CaseNumber,
    /// Its version after the command.
    pub version: u64,
    /// Its phase after the command.
    pub status: Status,
    /// The position up to which a read model must have come to show it.
    pub position: u64,
}

/// An outcome as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOutcome {
    /// The command.
    pub command_id: Uuid,
    /// HMAC of the request: the same id with another request is refused.
    pub request: [u8; 32],
    /// The outcome.
    pub outcome: Outcome,
    /// When it may be forgotten.
    pub expires_at: DateTime<Utc>,
}

impl KeptOutcome {
    /// The outcome, for the same request; `None` for another one under the same id.
    pub fn answer(&self, request: &[u8; 32]) -> Option<Outcome> {
        (self.request == *request).then_some(self.outcome)
    }
}
