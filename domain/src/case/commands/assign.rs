//! Assign: an open case is given to an officer. The way to take over what another officer works on.

use crate::case::Case;
use crate::event::Event;
use crate::ids::PersonId;

/// Gives the case to an officer.
#[derive(Clone, Copy, Debug)]
pub struct Assign {
    /// The officer.
    pub officer: PersonId,
}

impl Assign {
    /// Nothing happens when the case is that officer's already.
    pub(crate) fn decide(self, case: &Case) -> Vec<Event> {
        if case.officer() == Some(self.officer) {
            return Vec::new();
        }
        vec![Event::CaseAssigned { officer: self.officer }]
    }
}
