//! What only the outside can give a decision: who, when, the next case number, the limits in force.

use chrono::{DateTime, Utc};

use crate::access::Actor;
use crate::case::Case;
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
    /// The version that the caller decided on; `None` for a new case and where any version will do.
    pub expected_version: Option<u64>,
    /// The areas that the employer of the case uses; `None` when nothing is registered about the employer.
    pub employer_areas: Option<&'a [Area]>,
    /// The case that a new case says it goes on from, if there is one with that number.
    pub followed: Option<&'a Case>,
    /// How much may be attached.
    pub limits: FileLimits,
}
