//! What the components of `templates/components.html` are given: choices, pages of a list, entries of a timeline.

use std::fmt::Display;

use chrono::{DateTime, Utc};
use domain::AttachmentId;
use domain::files::{FileCard, Scan};
use projections::case_page::Scans;

use crate::format::percent_encoded;

/// A choice among radio buttons or in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// What more there is to say of it; may be empty.
    pub hint: String,
}

impl Choice {
    /// A choice.
    pub fn new(value: impl Display, label: impl Display) -> Self {
        Self { value: value.to_string(), label: label.to_string(), hint: String::new() }
    }

    /// The choice with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Display) -> Self {
        self.hint = hint.to_string();
        self
    }
}

/// The pages of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    /// The page that is shown, from 1.
    pub page: u64,
    /// How many rows a page has.
    pub limit: u64,
    /// How many rows there are.
    pub total: u64,
    /// Whether the total is exact.
    pub exact: bool,
    /// The address of a page, to which its number is added.
    pub address: String,
}

impl Pager {
    /// The pages of a list of `total` rows under `path`, with the rest of the query. A page that is not there is the
    /// first.
    pub fn new(page: u64, limit: u64, (total, exact): (u64, bool), address: (&str, &[(&str, &str)])) -> Self {
        let (path, query) = address;
        let filled = query.iter().filter(|(_, value)| !value.is_empty());
        let query: String =
            filled.map(|(name, value)| format!("{name}={}&", percent_encoded(value))).collect();
        let mut pager = Self { page, limit, total, exact, address: format!("{path}?{query}page=") };
        if page == 0 || page > pager.pages() {
            pager.page = 1;
        }
        pager
    }

    /// How many pages there are.
    pub const fn pages(&self) -> u64 {
        self.total.div_ceil(self.limit)
    }

    /// The number of the first row of the page.
    pub const fn first(&self) -> u64 {
        (self.page - 1) * self.limit + 1
    }

    /// The number of the last row of the page.
    pub fn last(&self) -> u64 {
        (self.page * self.limit).min(self.total)
    }

    /// The pages that are linked: the first, the last, and those around the one that is shown; 0 stands for a gap.
    pub fn linked(&self) -> Vec<u64> {
        let near = |page: &u64| *page == 1 || *page == self.pages() || page.abs_diff(self.page) <= 1;
        let mut linked: Vec<u64> = Vec::new();
        for page in (1..=self.pages()).filter(near) {
            if linked.last().is_some_and(|last| last + 1 != page) {
                linked.push(0);
            }
            linked.push(page);
        }
        linked
    }
}

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub heading: String,
    /// Who did it, or more to say; may be empty.
    pub detail: String,
    /// What was written; may be empty.
    pub text: String,
    /// Files that came with it.
    pub files: Vec<FileLink>,
    /// Whether it is one of the three great steps of a case.
    pub step: bool,
}

/// A file to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLink {
    /// Where it is.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Why it cannot be fetched; none where it can.
    pub closed: Option<Scan>,
}

impl FileLink {
    /// The link to a file of a case, under the address of its page.
    pub fn new(scans: &Scans, case_address: &str, card: &FileCard) -> Self {
        Self {
            address: file_address(case_address, card.attachment_id),
            name: card.file_name.clone(),
            size: card.size,
            closed: scans.get(&card.attachment_id).copied().filter(|scan| !scan.may_open()),
        }
    }
}

/// The address of a file of a case.
pub fn file_address(case_address: &str, file: AttachmentId) -> String {
    format!("{case_address}/filer/{file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pager(page: u64, total: u64) -> Pager {
        Pager::new(page, 20, (total, true), ("/mina-arenden", &[("q", "å"), ("area", "")]))
    }

    #[test]
    fn a_page_that_is_not_there_is_the_first() {
        assert_eq!((pager(9, 30).page, pager(0, 30).page, pager(2, 30).page), (1, 1, 2));
        assert_eq!((pager(2, 30).first(), pager(2, 30).last()), (21, 30));
        assert_eq!(pager(1, 0).pages(), 0);
    }

    #[test]
    fn far_pages_are_left_out_and_filters_stay() {
        assert_eq!(pager(5, 200).linked(), [1, 0, 4, 5, 6, 0, 10]);
        assert_eq!(pager(1, 40).linked(), [1, 2]);
        assert_eq!(pager(1, 40).address, "/mina-arenden?q=%C3%A5&page=");
    }
}
