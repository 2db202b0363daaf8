//! A reading: who was shown content of cases that are not their own, and what (LAW-20). It is kept in the read log, whose
//! rows are sealed; names and fields are the stored format.

use serde::{Deserialize, Serialize};

use crate::ids::{AttachmentId, CaseId, PersonId};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What an answer showed of cases.
    What {
        /// A whole case.
        Case = "case",
        /// Everything that has happened in a case.
        Timeline = "timeline",
        /// The names of the files of a case.
        Attachments = "attachments",
        /// A file.
        Attachment = "attachment",
        /// A whole case with all its files.
        Everything = "everything",
        /// A list of cases.
        List = "list",
        /// What a search has found.
        Search = "search",
        /// Personal content of the feed.
        Feed = "feed",
        /// A case event by event.
        Replay = "replay",
        /// Who has read cases.
        ReadLog = "read-log",
    }
}

/// What is recorded of one answer, before it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// Who, by pseudonym.
    pub who: PersonId,
    /// In which role, by its code; [`OPERATOR`] on the command line.
    pub role: String,
    /// What the answer showed.
    pub what: What,
    /// The cases whose content it showed.
    pub cases: Vec<CaseId>,
    /// Which file, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<AttachmentId>,
    /// Which positions of the feed, from the first to the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positions: Option<(u64, u64)>,
    /// Why, where the reader said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whoever works on the machine itself.
pub const OPERATOR: &str = "operator";
