//! Add note: an officer writes a working note or an official note, two legal kinds (LAW-07, LAW-13).

use crate::case::commands::letter;
use crate::event::{Event, Sealed};
use crate::text::Body;
use crate::vocabulary::NoteKind;

/// Writes a note.
#[derive(Clone, Debug)]
pub struct AddNote {
    /// Which of the two legal kinds.
    pub kind: NoteKind,
    /// The text.
    pub text: Body,
}

impl AddNote {
    pub(crate) fn decide(&self) -> Vec<Event> {
        vec![Event::NoteAdded { kind: self.kind, personal: Sealed::Open(letter(&self.text)) }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::{CaseCommand, Refusal, Status};

    fn note(kind: NoteKind) -> CaseCommand {
        CaseCommand::AddNote(AddNote { kind, text: body("Ringde henne.") })
    }

    #[test]
    fn an_officer_writes_notes_of_both_kinds_in_an_open_case() {
        for kind in NoteKind::ALL.iter().copied() {
            for events in [in_received(), in_process()] {
                given(&events)
                    .when(&other_officer(), note(kind))
                    .then(&[Event::NoteAdded { kind, personal: sealed_letter("Ringde henne.") }]);
            }
            given(&in_closed())
                .when(&officer(), note(kind))
                .then_refused(Refusal::WrongPhase(Status::Closed));
        }
    }

    #[test]
    fn notes_are_for_officers() {
        for actor in [reporter(), auditor()] {
            given(&in_process()).when(&actor, note(NoteKind::Official)).then_refused(Refusal::Forbidden);
        }
    }
}
