//! Close: the officer answers, and the case is closed (*Avslutat*). After it nothing but refusals.

use crate::case::Base;
use crate::case::commands::parts;
use crate::context::Context;
use crate::event::{Event, Letter, Sealed};
use crate::files::UploadedFile;
use crate::refusal::Refusal;
use crate::text::Body;

/// Answers and closes.
#[derive(Clone, Debug)]
pub struct Close {
    /// The answer, shown to the reporter.
    pub answer: Body,
    /// Files that belong to the answer.
    pub files: Vec<UploadedFile>,
}

impl Close {
    pub(crate) fn decide(&self, base: &Base, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        context.limits.check(&self.files, base.file_bytes)?;
        let (attachment_ids, stored_files, files) = parts(&self.files);
        let personal = Sealed::Open(Letter { text: self.answer.clone(), files });
        Ok(vec![Event::CaseClosed { attachment_ids, stored_files, personal }])
    }
}
