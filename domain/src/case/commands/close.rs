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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::{CaseCommand, Status};

    fn close(files: Vec<UploadedFile>) -> CaseCommand {
        CaseCommand::Close(Close { answer: body("Klart."), files })
    }

    #[test]
    fn an_officer_answers_and_closes_what_is_in_process() {
        given(&in_process()).when(&officer(), close(vec![])).then(&[closed()]);
        given(&in_process()).when(&other_officer(), close(vec![])).then(&[closed()]);
        let answer = given(&in_process()).when(&officer(), close(vec![file(1, 10)])).event();
        assert_eq!(answer.files().len(), 1);
        assert_eq!(replay(in_process().iter().chain([&answer])).status(), Some(Status::Closed));
    }

    #[test]
    fn only_what_is_in_process_is_closed() {
        given(&in_received())
            .when(&officer(), close(vec![]))
            .then_refused(Refusal::WrongPhase(Status::Received));
        given(&in_closed()).when(&officer(), close(vec![])).then_refused(Refusal::WrongPhase(Status::Closed));
        given(&[]).when(&officer(), close(vec![])).then_refused(Refusal::NotFound);
    }

    #[test]
    fn a_stale_answer_changes_nothing_and_says_what_has_happened_since() {
        given(&in_process())
            .seen(1)
            .when(&officer(), close(vec![]))
            .then_refused(Refusal::Stale { current: 2, since: vec!["ProcessingStarted"] });
        given(&in_process())
            .seen(9)
            .when(&officer(), close(vec![]))
            .then_refused(Refusal::Stale { current: 2, since: vec![] });
        given(&in_process()).seen(2).when(&officer(), close(vec![])).then(&[closed()]);
    }

    #[test]
    fn rights_come_before_the_version() {
        given(&in_process()).seen(1).when(&reporter(), close(vec![])).then_refused(Refusal::Forbidden);
    }
}
