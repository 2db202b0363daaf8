//! The queue: every case, for officers, auditors and the systems that created them.

use domain::CaseId;
use domain::access::{Reach, Standing};
use domain::{Area, OrganisationNumber, PersonId};
use infrastructure::Recorded;
use rusqlite::{Connection, OptionalExtension};

use crate::case_row::{self, Filter, Page, Sort, case_row_table};
use crate::{Projection, ReadError};

/// The projection.
pub struct Queue;

impl Projection for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        concat!(
            case_row_table!("queue"),
            "CREATE INDEX queue_by_received ON queue (received_at);
             CREATE INDEX queue_by_status ON queue (status, received_at);
             CREATE INDEX queue_by_creator ON queue (registered_by, received_at);
             CREATE INDEX queue_by_employer ON queue (employer, received_at);"
        )
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        case_row::apply(tables, "queue", event)
    }
}

/// A page of all cases within a reach.
///
/// # Errors
/// When the read models cannot be read.
pub fn find(
    tables: &Connection,
    reach: &Reach,
    filter: &Filter,
    order: (Sort, u64, u64),
) -> Result<Page, ReadError> {
    case_row::find(tables, "queue", reach, filter, order)
}

/// What rights to a case depend on; `None` when there is no such case.
///
/// # Errors
/// When the read models cannot be read.
pub fn standing(tables: &Connection, case: CaseId) -> Result<Option<Standing>, ReadError> {
    let sql = "SELECT employer, area, reporter, registered_by FROM queue WHERE case_id = ?1";
    let row: Option<(String, String, Option<_>, _)> = tables
        .prepare_cached(sql)?
        .query_row([case.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    let Some((employer, area, reporter, registered_by)) = row else { return Ok(None) };
    let wrong = || ReadError::Row("a case row holds no employer or area".to_owned());
    Ok(Some(Standing {
        employer: OrganisationNumber::parse(&employer).ok_or_else(wrong)?,
        area: Area::parse(&area).ok_or_else(wrong)?,
        reporter: reporter.map(PersonId),
        registered_by: PersonId(registered_by),
    }))
}
