//! Content of cases that nobody has been shown yet: what a query finds comes out only against the receipt of the read log
//! (LAW-20), so that no answer can forget it.

use domain::access::{Reach, Standing};
use domain::files::Scan;
use domain::{AttachmentId, CaseId, PersonId, Status};
use infrastructure::Receipt;

use crate::{CaseView, Page, ReadError};

/// Content of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread<T> {
    content: T,
    cases: Vec<(CaseId, Option<PersonId>)>,
}

impl<T> Unread<T> {
    /// Content of these cases, each with its reporter.
    pub const fn new(content: T, cases: Vec<(CaseId, Option<PersonId>)>) -> Self {
        Self { content, cases }
    }

    /// The cases, each with its reporter.
    pub fn cases(&self) -> &[(CaseId, Option<PersonId>)] {
        &self.cases
    }

    /// The content, to be shown.
    ///
    /// # Errors
    /// When the receipt is not for all of its cases.
    pub fn shown(self, receipt: &Receipt) -> Result<T, ReadError> {
        match self.cases.iter().find(|(case, _)| !receipt.covers(*case)) {
            Some((case, _)) => {
                Err(ReadError::Row(format!("content of case {case} without a record of its reading")))
            }
            None => Ok(self.content),
        }
    }
}

#[cfg(test)]
impl<T> Unread<T> {
    /// The content, which nobody is shown.
    pub(crate) fn content(self) -> T {
        self.content
    }
}

impl Unread<CaseView> {
    /// What rights depend on.
    pub const fn standing(&self) -> Standing {
        self.content.standing()
    }

    /// How far the work on it is, and whose it is.
    pub const fn work(&self) -> (Status, Option<PersonId>) {
        (self.content.status, self.content.officer)
    }

    /// Whether it has files at all.
    pub const fn has_files(&self) -> bool {
        !self.content.attachments.is_empty()
    }

    /// What the virus scanner says of a file that it has; none where it has no such file.
    pub fn file(&self, id: AttachmentId) -> Option<Option<Scan>> {
        let has = self.content.attachments.iter().any(|attached| attached.card.attachment_id == id);
        has.then(|| self.content.scan(id))
    }
}

impl Unread<Page> {
    /// Whether there is nothing on the page.
    pub fn is_empty(&self) -> bool {
        self.content.rows.is_empty()
    }

    /// The page as a register tells it: of the cases outside this reach without what was written.
    #[must_use]
    pub fn in_register(mut self, reach: &Reach) -> Self {
        for row in self.content.rows.iter_mut().filter(|row| !reach.covers(&row.standing())) {
            row.subject = None;
            self.cases.retain(|(case, _)| *case != row.id);
        }
        self
    }

    /// The page without what was written and without who works on it. Whose case it is stays, for who may know where that
    /// person works depends on it; it must not be told.
    pub fn without_content(self) -> Page {
        let mut page = self.content;
        for row in &mut page.rows {
            (row.subject, row.officer) = (None, None);
        }
        page
    }
}
