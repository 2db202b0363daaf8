//! Read your writes: a query waits until the read models show what the same person was told has happened.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::PersonId;

use crate::app::App;

/// How long a query waits at most.
pub const WAIT: Duration = Duration::from_secs(2);
/// Most persons remembered; more forgets them all, which costs only the waiting.
const PERSONS: usize = 100_000;

/// The last position acknowledged to each person by this node.
#[derive(Debug, Default)]
pub(super) struct Positions(Mutex<HashMap<PersonId, u64>>);

/// The read models did not come so far in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the read models have not come to position {0} yet")]
pub struct NotShown(pub u64);

impl App {
    /// Remembers what was acknowledged to a person.
    pub fn acknowledged(&self, person: PersonId, position: u64) {
        let mut positions = self.positions.0.lock().unwrap_or_else(PoisonError::into_inner);
        if positions.len() >= PERSONS {
            positions.clear();
        }
        let last = positions.entry(person).or_default();
        *last = position.max(*last);
    }

    /// Waits until the read models show `after`, or without it what was acknowledged to the person.
    ///
    /// # Errors
    /// [`NotShown`] after [`WAIT`].
    pub async fn shown(&self, person: PersonId, after: Option<u64>) -> Result<(), NotShown> {
        let acknowledged = || {
            let positions = self.positions.0.lock().unwrap_or_else(PoisonError::into_inner);
            positions.get(&person).copied().unwrap_or_default()
        };
        self.shown_position(after.unwrap_or_else(acknowledged)).await
    }

    /// Waits until the read models show a position.
    ///
    /// # Errors
    /// [`NotShown`] after [`WAIT`].
    pub async fn shown_position(&self, wanted: u64) -> Result<(), NotShown> {
        let mut position = self.read_models.watch();
        let wait = position.wait_for(|position| *position >= wanted);
        match tokio::time::timeout(WAIT, wait).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(NotShown(wanted)),
        }
    }
}
