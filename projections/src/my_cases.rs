//! *Mina ärenden*: a person's cases, previous and current, from the web and by phone.

use domain::Event;
use domain::access::Reach;
use infrastructure::Recorded;
use rusqlite::Connection;

use crate::case_row::{self, Filter, Page, Sort, case_row_table};
use crate::{Projection, ReadError};

/// The projection.
pub struct MyCases;

impl Projection for MyCases {
    fn name(&self) -> &'static str {
        "my_cases"
    }

    fn version(&self) -> u32 {
        1
    }

    fn ddl(&self) -> &'static str {
        concat!(
            case_row_table!("my_cases"),
            "CREATE INDEX my_cases_by_reporter ON my_cases (reporter, received_at);"
        )
    }

    fn apply(&self, tables: &Connection, event: &Recorded) -> Result<(), ReadError> {
        if matches!(&event.event, Event::CaseReceived { reporter: None, .. }) {
            return Ok(());
        }
        case_row::apply(tables, "my_cases", event)
    }
}

/// A page of the cases that have a reporter, within a reach.
///
/// # Errors
/// When the read models cannot be read.
pub fn find(
    tables: &Connection,
    reach: &Reach,
    filter: &Filter,
    order: (Sort, u64, u64),
) -> Result<Page, ReadError> {
    case_row::find(tables, "my_cases", reach, filter, order)
}
