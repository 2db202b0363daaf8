//! Which mail is due to whom when something has happened in a case: pure, so that it can be proven.

use crate::event::Event;
use crate::ids::PersonId;
use crate::vocabulary::{Party, Template};

/// The mail that `event` makes due to the reporter of its case, if the case has one.
pub fn due(event: &Event, reporter: Option<PersonId>) -> Option<(Template, PersonId)> {
    template(event).zip(reporter)
}

/// Which mail `event` makes due, whoever gets it.
pub const fn template(event: &Event) -> Option<Template> {
    match event {
        Event::CaseReceived { .. } => Some(Template::Received),
        Event::InformationRequested { .. } => Some(Template::InformationRequested),
        Event::MessageAdded { from: Party::Officer, .. } => Some(Template::NewMessage),
        Event::CaseClosed { .. } => Some(Template::Closed),
        Event::FileScanned { from: Party::Customer, outcome, .. } if outcome.refusal().is_some() => {
            Some(Template::FileStopped)
        }
        _ => None,
    }
}

/// Whether an event is news of the service status, for those who follow its system.
pub const fn is_news(event: &Event) -> bool {
    matches!(event, Event::NoticePublished { .. } | Event::NoticeResolved {})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::{closed, person, received, sealed_letter as letter, started};
    use crate::files::Scan;
    use crate::ids::{AttachmentId, CaseId};
    use crate::vocabulary::NoteKind;

    fn message(from: Party) -> Event {
        let personal = letter("Hej");
        Event::MessageAdded { from, attachment_ids: Vec::new(), stored_files: Vec::new(), personal }
    }

    fn scanned(from: Party, outcome: Scan) -> Event {
        let (case_id, attachment_id) = (CaseId(person(7).0), AttachmentId(person(8).0));
        Event::FileScanned { case_id, attachment_id, from, outcome, signature: None }
    }

    #[test]
    fn which_events_make_which_mail_due() {
        let asked =
            Event::InformationRequested { due_date: chrono::NaiveDate::MIN, personal: letter("Vad?") };
        let note = Event::NoteAdded { kind: NoteKind::Official, personal: letter("Ringde.") };
        for (event, template) in [
            (received(crate::case::testing::economy(), &[]), Some(Template::Received)),
            (asked, Some(Template::InformationRequested)),
            (message(Party::Officer), Some(Template::NewMessage)),
            (closed(), Some(Template::Closed)),
            (message(Party::Customer), None),
            (note, None),
            (scanned(Party::Customer, Scan::Infected), Some(Template::FileStopped)),
            (scanned(Party::Customer, Scan::Locked), Some(Template::FileStopped)),
            (scanned(Party::Customer, Scan::TooComplex), Some(Template::FileStopped)),
            (scanned(Party::Customer, Scan::Clean), None),
            (scanned(Party::Officer, Scan::Infected), None),
            (started(), None),
            (Event::CaseAssigned { officer: person(2) }, None),
        ] {
            assert_eq!(
                due(&event, Some(person(1))),
                template.map(|template| (template, person(1))),
                "{event:?}"
            );
            assert_eq!(due(&event.clone().gone(), Some(person(1))).is_some(), template.is_some());
            assert_eq!(due(&event, None), None, "nobody to write to");
        }
    }
}
