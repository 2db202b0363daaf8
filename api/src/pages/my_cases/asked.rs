//! What *Mina ärenden* is asked for: the query of the address, as a form without JavaScript sends it.

use chrono::NaiveDate;
use domain::{Area, OrganisationNumber, Status};
use projections::Filter;
use projections::services::Employer;
use serde::Deserialize;

use crate::pages::{Form, Visitor};
use crate::texts::Text;

/// Every employer of the login, in the address.
pub(super) const ALL: &str = "alla";
/// That something is chosen which is either so or not.
pub(super) const YES: &str = "ja";

/// The query of the address; a code that is none narrows nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    status: String,
    area: String,
    /// Absent at first: then the employer that was chosen in this browser comes first.
    employer: Option<String>,
    #[serde(rename = "fran")]
    from: String,
    #[serde(rename = "till")]
    to: String,
    #[serde(rename = "nya")]
    unseen: String,
    q: String,
    page: String,
}

impl Asked {
    /// The number of the page.
    pub(super) fn page(&self) -> u64 {
        self.page.parse().unwrap_or(1)
    }

    /// The employer asked for; where nothing is said, the one chosen in this browser. None for all.
    pub(super) fn employer<'a>(&self, visitor: &Visitor, own: &'a [Employer]) -> Option<&'a Employer> {
        let numbered = |number: &str| own.iter().find(|employer| employer.number.as_str() == number);
        let chosen = || numbered(visitor.employer.as_ref().map_or("", OrganisationNumber::as_str));
        let only = || own.first().filter(|_| own.len() == 1);
        match self.employer.as_deref() {
            Some("" | ALL) => only(),
            Some(number) => numbered(number).or_else(chosen).or_else(only),
            None => chosen().or_else(only),
        }
    }

    /// What the list is narrowed to.
    pub(super) fn filter(&self, employer: Option<OrganisationNumber>) -> Filter {
        Filter {
            status: Status::parse(&self.status).into_iter().collect(),
            area: Area::parse(&self.area),
            employer,
            from: day(&self.from),
            to: day(&self.to),
            unseen: self.unseen == YES,
            q: Some(self.q.trim().to_owned()).filter(|q| !q.is_empty()),
            ..Filter::default()
        }
    }

    /// Whether more is chosen than an employer.
    pub(super) fn is_narrowed(&self) -> bool {
        let chosen = [&self.status, &self.area, &self.from, &self.to, &self.unseen, &self.q];
        chosen.iter().any(|value| !value.trim().is_empty())
    }

    /// The query again, for the other pages of the list.
    pub(super) fn query<'a>(&'a self, employer: Option<&'a Employer>) -> [(&'static str, &'a str); 7] {
        [
            ("status", &self.status),
            ("area", &self.area),
            ("employer", employer.map_or(ALL, |employer| employer.number.as_str())),
            ("fran", &self.from),
            ("till", &self.to),
            ("nya", &self.unseen),
            ("q", &self.q),
        ]
    }

    /// The form as it was filled in, with what is wrong in it.
    pub(super) fn form(self, visitor: &Visitor, employer: Option<&Employer>) -> Form {
        let (from, to) = (day(&self.from), day(&self.to));
        let wrong = |typed: &str, day: Option<NaiveDate>| !typed.trim().is_empty() && day.is_none();
        let errors = [
            ("fran", wrong(&self.from, from), "filter-day-wrong"),
            ("till", wrong(&self.to, to), "filter-day-wrong"),
            ("till", from.zip(to).is_some_and(|(from, to)| from > to), "filter-period-wrong"),
        ];
        let mut form = Form::new("filter")
            .with("status", self.status)
            .with("area", self.area)
            .with("employer", employer.map_or("", |employer| employer.number.as_str()))
            .with("fran", self.from)
            .with("till", self.to)
            .with("nya", self.unseen)
            .with("q", self.q);
        for (field, is_wrong, text) in errors {
            if is_wrong {
                form.add_error(field, Text::new(visitor.language, text));
            }
        }
        form
    }
}

/// A day as the browser's field sends it.
fn day(typed: &str) -> Option<NaiveDate> {
    typed.trim().parse().ok()
}
