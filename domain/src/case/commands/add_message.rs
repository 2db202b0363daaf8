//! Add message: the reporter or an officer writes in an open case, perhaps with files.

use crate::case::Base;
use crate::case::commands::{parts, party};
use crate::context::Context;
use crate::event::{Event, Letter, Sealed};
use crate::files::UploadedFile;
use crate::refusal::Refusal;
use crate::text::Body;

/// Writes a message.
#[derive(Clone, Debug)]
pub struct AddMessage {
    /// The text.
    pub text: Body,
    /// The files.
    pub files: Vec<UploadedFile>,
}

impl AddMessage {
    pub(crate) fn decide(&self, base: &Base, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        context.limits.check(&self.files, base.file_bytes)?;
        let (attachment_ids, stored_files, files) = parts(&self.files);
        let personal = Sealed::Open(Letter { text: self.text.clone(), files });
        Ok(vec![Event::MessageAdded { from: party(context.actor), attachment_ids, stored_files, personal }])
    }
}
