//! What is known of an employer for decisions: the areas whose services it uses.

use crate::event::Event;
use crate::vocabulary::Area;

/// The state of an employer's stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Employer {
    /// The areas that it uses; `None` until something is registered.
    pub areas: Option<Vec<Area>>,
}

impl Employer {
    /// The state after `event`.
    #[must_use]
    pub fn evolve(self, event: &Event) -> Self {
        match event {
            Event::EmployerRegistered { areas, .. } => Self { areas: Some(areas.clone()) },
            _ => self,
        }
    }
}
