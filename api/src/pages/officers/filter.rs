//! What the queue is narrowed to: from the address to the question to the read model, and back into the form.

use domain::access::Duty;
use domain::{Area, Channel, Language, OrganisationNumber, Status};
use projections::{Filter, Sort};
use serde::Deserialize;

use super::LIMIT;
use super::names::Names;
use crate::app::Caller;
use crate::pages::Form;
use crate::pages::components::Choice;
use crate::texts::Text;

/// Pages end where totals are not counted any more.
const PAGES: u64 = projections::case_row::COUNTED / LIMIT;

/// The query of the address; what it does not understand narrows nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    status: String,
    area: String,
    employer: String,
    channel: String,
    officer: String,
    q: String,
    sort: String,
    page: String,
    done: String,
}

impl Asked {
    /// The filter for the read model; open cases when nothing else is said.
    pub(super) fn filter(&self, caller: &Caller) -> Filter {
        let status = match (self.status.as_str(), Status::parse(&self.status)) {
            (_, Some(status)) => vec![status],
            ("all", None) => Vec::new(),
            _ => vec![Status::Received, Status::InProcess],
        };
        Filter {
            status,
            area: Area::parse(&self.area),
            employer: OrganisationNumber::parse(&self.employer),
            without_protected: !self.employer.is_empty() && caller.actor.role.hides_protected(),
            channel: Channel::parse(&self.channel),
            officer: (self.officer == "mine").then_some(caller.actor.person),
            unassigned: self.officer == "none",
            q: Some(self.q.trim().to_owned()).filter(|words| !words.is_empty()),
            ..Filter::default()
        }
    }

    /// The order; oldest first when nothing else is said.
    pub(super) fn sort(&self) -> Sort {
        match self.sort.as_str() {
            "newest" => Sort::Newest,
            "changed" => Sort::LastChanged,
            "number" => Sort::Number,
            _ => Sort::Oldest,
        }
    }

    /// The page, from 1.
    pub(super) fn page(&self) -> u64 {
        self.page.parse().ok().filter(|page| (1..=PAGES).contains(page)).unwrap_or(1)
    }

    /// Whether the reader comes from moving a case out of reach.
    pub(super) fn moved(&self) -> bool {
        self.done == "moved"
    }

    /// The fields, as the form and the addresses of other pages carry them.
    fn fields(&self) -> [(&'static str, &str); 7] {
        [
            ("status", &self.status),
            ("area", &self.area),
            ("employer", &self.employer),
            ("channel", &self.channel),
            ("officer", &self.officer),
            ("q", &self.q),
            ("sort", &self.sort),
        ]
    }

    /// Path and query of the list without the page.
    pub(super) fn address(&self) -> (&'static str, [(&'static str, &str); 7]) {
        ("/handlaggare", self.fields())
    }

    /// The form as it was filled in.
    pub(super) fn form(&self) -> Form {
        self.fields().into_iter().fold(Form::new("queue"), |form, (name, value)| form.with(name, value))
    }
}

/// What can be chosen in the form.
pub(super) struct Choices {
    pub(super) statuses: Vec<Choice>,
    pub(super) areas: Vec<Choice>,
    pub(super) employers: Vec<Choice>,
    pub(super) channels: Vec<Choice>,
    pub(super) officers: Vec<Choice>,
    pub(super) sorts: Vec<Choice>,
}

impl Choices {
    /// The choices of a caller: only the areas within reach.
    pub(super) fn load(language: Language, caller: &Caller, names: &Names) -> Self {
        let text = |key: &'static str| Text::new(language, key);
        let word = |list: &str, code: &str| Text::new(language, format!("{list}-{code}"));
        let mut statuses: Vec<Choice> =
            Status::ALL.iter().map(|status| Choice::new(status, word("status", status.code()))).collect();
        statuses.push(Choice::new("all", text("queue-status-all")));
        let channels =
            Channel::ALL.iter().map(|channel| Choice::new(channel, word("channel", channel.code())));
        let works = caller.actor.role.may(Duty::CaseWork);
        let officers = ["mine", "none"].into_iter();
        let officers = officers.map(|code| Choice::new(code, word("queue-officer", code)));
        let employers = names.employers.iter().map(|(number, name)| Choice::new(number, name));
        Self {
            statuses,
            areas: areas(language, caller),
            employers: employers.collect(),
            channels: channels.collect(),
            officers: officers.filter(|choice| choice.value != "mine" || works).collect(),
            sorts: vec![
                Choice::new("newest", text("queue-sort-newest")),
                Choice::new("changed", text("queue-sort-changed")),
                Choice::new("number", text("queue-sort-number")),
            ],
        }
    }
}

/// The areas within a caller's reach.
pub fn areas(language: Language, caller: &Caller) -> Vec<Choice> {
    let own = |area: &&Area| caller.actor.areas.as_ref().is_none_or(|areas| areas.contains(area));
    let word = |area: &Area| Text::new(language, format!("area-{area}"));
    Area::ALL.iter().filter(own).map(|area| Choice::new(area, word(area))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(status: &str, page: &str) -> Asked {
        Asked { status: status.to_owned(), page: page.to_owned(), ..Asked::default() }
    }

    #[test]
    fn a_page_that_cannot_be_is_the_first() {
        for (text, page) in [("", 1), ("0", 1), ("7", 7), ("501", 1), ("x", 1), ("-1", 1)] {
            assert_eq!(asked("", text).page(), page, "{text}");
        }
    }

    #[test]
    fn open_cases_oldest_first_unless_asked() {
        assert_eq!(asked("", "").sort(), Sort::Oldest);
        assert_eq!(asked("nonsense", "").form().value("status"), "nonsense");
    }
}
