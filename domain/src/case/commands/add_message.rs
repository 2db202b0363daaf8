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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::vocabulary::Party;
    use crate::{CaseCommand, Status};

    fn write(files: Vec<UploadedFile>) -> CaseCommand {
        CaseCommand::AddMessage(AddMessage { text: body("Hur går det?"), files })
    }

    fn written(from: Party, files: &[UploadedFile]) -> Event {
        let (attachment_ids, stored_files, files) = parts(files);
        let personal = Sealed::Open(Letter { text: body("Hur går det?"), files });
        Event::MessageAdded { from, attachment_ids, stored_files, personal }
    }

    #[test]
    fn the_reporter_and_officers_write_in_an_open_case() {
        for events in [in_received(), in_process()] {
            given(&events).when(&reporter(), write(vec![])).then(&[written(Party::Customer, &[])]);
            given(&events).when(&officer(), write(vec![])).then(&[written(Party::Officer, &[])]);
        }
        let file = file(1, 10);
        given(&in_process())
            .when(&reporter(), write(vec![file.clone()]))
            .then(&[written(Party::Customer, &[file])]);
    }

    #[test]
    fn nobody_writes_in_a_closed_case() {
        given(&in_closed())
            .when(&reporter(), write(vec![]))
            .then_refused(Refusal::WrongPhase(Status::Closed));
        given(&in_closed()).when(&officer(), write(vec![])).then_refused(Refusal::WrongPhase(Status::Closed));
    }

    #[test]
    fn files_of_a_message_count() {
        let files = |count: u128| (1..=count).map(|number| file(number, 1)).collect::<Vec<_>>();
        given(&in_process())
            .when(&reporter(), write(files(11)))
            .then_wrong(&[("/attachments", crate::refusal::Code::FileMany)]);
    }
}
