//! The commands that change a case, one file each; this is the list.

pub mod add_message;
pub mod add_note;
pub mod assign;
pub mod attach;
pub mod close;
pub mod create;
pub mod reclassify;
pub mod request_information;
pub mod start_processing;

pub use add_message::AddMessage;
pub use add_note::AddNote;
pub use assign::Assign;
pub use attach::Attach;
pub use close::Close;
pub use create::Create;
pub use reclassify::Reclassify;
pub use request_information::RequestInformation;
pub use start_processing::StartProcessing;

use crate::access::{Action, Actor};
use crate::event::Letter;
use crate::files::{StoredFile, UploadedFile};
use crate::ids::AttachmentId;
use crate::text::Body;
use crate::vocabulary::Party;

/// A command of a case.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each variant is documented by the command that it holds")]
pub enum CaseCommand {
    Create(Create),
    Attach(Attach),
    AddMessage(AddMessage),
    AddNote(AddNote),
    Assign(Assign),
    Reclassify(Reclassify),
    StartProcessing(StartProcessing),
    RequestInformation(RequestInformation),
    Close(Close),
}

impl CaseCommand {
    /// What rights are asked for.
    pub const fn action(&self) -> Action {
        match self {
            Self::Create(_) => Action::Create,
            Self::Attach(_) => Action::Attach,
            Self::AddMessage(_) => Action::AddMessage,
            Self::AddNote(_) => Action::AddNote,
            Self::Assign(_) => Action::Assign,
            Self::Reclassify(_) => Action::Reclassify,
            Self::StartProcessing(_) => Action::StartProcessing,
            Self::RequestInformation(_) => Action::RequestInformation,
            Self::Close(_) => Action::Close,
        }
    }

    /// The uploaded files that the command attaches.
    pub fn files(&self) -> &[UploadedFile] {
        match self {
            Self::Create(command) => &command.files,
            Self::Attach(command) => &command.files,
            Self::AddMessage(command) => &command.files,
            Self::Close(command) => &command.files,
            Self::AddNote(_)
            | Self::Assign(_)
            | Self::Reclassify(_)
            | Self::StartProcessing(_)
            | Self::RequestInformation(_) => &[],
        }
    }
}

/// Which side of the case a caller is on.
fn party(actor: &Actor) -> Party {
    if actor.role.sees_all() { Party::Officer } else { Party::Customer }
}

/// The three parts in which an event keeps its files: ids, what is stored, and the cards that are sealed.
fn parts(files: &[UploadedFile]) -> (Vec<AttachmentId>, Vec<StoredFile>, Vec<crate::files::FileCard>) {
    let ids = files.iter().map(|file| file.card.attachment_id).collect();
    let stored = files.iter().map(|file| file.stored.clone()).collect();
    (ids, stored, files.iter().map(|file| file.card.clone()).collect())
}

/// A text without files.
fn letter(text: &Body) -> Letter {
    Letter { text: text.clone(), files: Vec::new() }
}
