//! That a reporter has opened the page of a case and seen what was answered. It is told once for what is new, in a stream
//! of its own, so that it never moves the case.

use std::time::Duration;

use domain::{CaseId, Event, StreamId};
use infrastructure::CommandError;
use infrastructure::committer::{Append, Expected};
use projections::seen;

use crate::App;
use crate::app::Caller;

/// How long a page waits for the log at most. What takes longer is told all the same, or the next time.
const PATIENCE: Duration = Duration::from_millis(250);

/// Tells that a case was opened as it stood at a version, if that is anything new; gives the position. The page does not
/// depend on it.
pub(super) async fn seen(app: &App, caller: &Caller, case: CaseId, version: u64) -> Option<u64> {
    let unseen = app.query(move |tables| seen::unseen(tables, [case])).await.ok()?;
    if unseen.is_empty() {
        return None;
    }
    match tokio::time::timeout(PATIENCE, tell(app, caller, case, version)).await {
        Ok(Ok(position)) => Some(position),
        Ok(Err(error)) => {
            tracing::debug!(%error, "that a case was opened could not be told; it is told the next time");
            None
        }
        Err(_) => None,
    }
}

/// Tells that a case was opened as it stood at a version; gives the position.
///
/// # Errors
/// When the log cannot be written.
pub async fn tell(app: &App, caller: &Caller, case: CaseId, version: u64) -> Result<u64, CommandError> {
    // A stream for each version: two windows that are opened at once tell it once.
    let parts: [&[u8]; 2] = [case.0.as_bytes(), &version.to_be_bytes()];
    let person = caller.actor.person;
    let append = Append {
        stream: StreamId(app.keys.derived_id("seen", &parts)),
        actor: person,
        employer: None,
        event: Event::CaseSeen { case_id: case, case_version: version },
        expected: Expected::New,
        upkeep: None,
    };
    let position = app.committer.append(append).await?;
    app.acknowledged(person, position);
    Ok(position)
}
