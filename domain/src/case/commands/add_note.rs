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
