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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::files::{FileLimits, MEGABYTE};
    use crate::vocabulary::Party;
    use crate::{CaseCommand, Status};

    fn attach(files: Vec<UploadedFile>) -> CaseCommand {
        CaseCommand::Attach(Attach { files })
    }

    fn attached(from: Party, file: &UploadedFile) -> Event {
        Event::AttachmentAdded {
            from,
            attachment_ids: vec![file.card.attachment_id],
            stored_files: vec![file.stored.clone()],
            personal: Sealed::Open(Files { files: vec![file.card.clone()] }),
        }
    }

    #[test]
    fn the_reporter_and_officers_add_files_to_an_open_case() {
        let file = file(1, 10);
        for events in [in_received(), in_process()] {
            given(&events)
                .when(&reporter(), attach(vec![file.clone()]))
                .then(&[attached(Party::Customer, &file)]);
            given(&events)
                .when(&officer(), attach(vec![file.clone()]))
                .then(&[attached(Party::Officer, &file)]);
        }
        given(&in_closed())
            .when(&reporter(), attach(vec![file.clone()]))
            .then_refused(Refusal::WrongPhase(Status::Closed));
    }

    #[test]
    fn there_must_be_a_file() {
        given(&in_received())
            .when(&reporter(), attach(vec![]))
            .then_wrong(&[("/attachments", Code::FileRequired)]);
    }

    #[test]
    fn the_files_of_a_case_have_a_limit_together() {
        let full = vec![received(economy(), &[file(1, 20 * MEGABYTE), file(2, 20 * MEGABYTE)])];
        let fits = file(3, 10 * MEGABYTE);
        given(&full).when(&reporter(), attach(vec![fits.clone()])).then(&[attached(Party::Customer, &fits)]);
        given(&full)
            .when(&reporter(), attach(vec![file(3, 10 * MEGABYTE + 1)]))
            .then_wrong(&[("/attachments", Code::FileTotal)]);
        let limits = FileLimits { files_at_once: 1, ..FileLimits::default() };
        given(&in_received())
            .limits(limits)
            .when(&reporter(), attach(vec![file(3, 1), file(4, 1)]))
            .then_wrong(&[("/attachments", Code::FileMany)]);
    }
}
