//! Attach: files are added to an open case by its reporter or an officer.

use crate::case::Base;
use crate::case::commands::{parts, party};
use crate::context::Context;
use crate::event::{Event, Files, Sealed};
use crate::files::UploadedFile;
use crate::refusal::{Code, FieldError, Refusal};

/// Adds files.
#[derive(Clone, Debug)]
pub struct Attach {
    /// The files, at least one.
    pub files: Vec<UploadedFile>,
}

impl Attach {
    pub(crate) fn decide(&self, base: &Base, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        if self.files.is_empty() {
            return Err(FieldError::new("/attachments", Code::FileRequired).into());
        }
        context.limits.check(&self.files, base.file_bytes)?;
        let (attachment_ids, stored_files, files) = parts(&self.files);
        let personal = Sealed::Open(Files { files });
        Ok(vec![Event::AttachmentAdded {
            from: party(context.actor),
            attachment_ids,
            stored_files,
            personal,
        }])
    }
}
