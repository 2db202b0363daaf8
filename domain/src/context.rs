//! What only the outside can give a decision: who, when, the next case number, the limits in force.

use chrono::{DateTime, Utc};

use crate::access::Actor;
use crate::case_number::CaseNumber;
use crate::files::FileLimits;
use crate::vocabulary::Area;

/// The surroundings of one decision, fixed under the lock of the log.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// The time of the batch; never before that of the last event.
    pub now: DateTime<Utc>,
    /// The number that a case gets if this decision receives one.
    pub next_number: CaseNumber,
    /// The areas that the employer of a new case uses; `None` when nothing is registered about the employer.
    pub employer_areas: Option<&'a [Area]>,
    /// How much may be attached.
    pub limits: FileLimits,
}
