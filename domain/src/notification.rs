//! Which mail is due to whom when something has happened in a case: pure, so that it can be proven.

use crate::event::Event;
use crate::ids::PersonId;
use crate::vocabulary::{Party, Template};

/// The mail that `event` makes due to the reporter of its case, if the case has one.
pub fn due(event: &Event, reporter: Option<PersonId>) -> Option<(Template, PersonId)> {
    let template = match event {
        Event::CaseReceived { .. } => Template::Received,
        Event::InformationRequested { .. } => Template::InformationRequested,
        Event::MessageAdded { from: Party::Officer, .. } => Template::NewMessage,
        Event::CaseClosed { .. } => Template::Closed,
        _ => return None,
    };
    Some((template, reporter?))
}
