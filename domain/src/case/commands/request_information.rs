//! Request information: the officer asks the reporter for more, with a date to answer by.

use chrono::NaiveDate;

use crate::calendar;
use crate::case::commands::letter;
use crate::context::Context;
use crate::event::{Event, Sealed};
use crate::refusal::{Code, FieldError, Refusal};
use crate::text::Body;

/// Asks for more.
#[derive(Clone, Debug)]
pub struct RequestInformation {
    /// What is missing.
    pub text: Body,
    /// The Swedish day to answer by.
    pub due_date: NaiveDate,
}

impl RequestInformation {
    /// The day must not have passed, and lies within a year.
    pub(crate) fn decide(&self, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let today = calendar::day(context.now);
        let within_a_year = self.due_date.signed_duration_since(today).num_days() <= 366;
        if self.due_date < today || !within_a_year {
            return Err(FieldError::new("/dueDate", Code::DueDate).into());
        }
        Ok(vec![Event::InformationRequested {
            due_date: self.due_date,
            personal: Sealed::Open(letter(&self.text)),
        }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::{CaseCommand, Status};

    fn ask(due_date: &str) -> CaseCommand {
        let due_date = due_date.parse().unwrap();
        CaseCommand::RequestInformation(RequestInformation { text: body("Vilken månad?"), due_date })
    }

    #[test]
    fn an_officer_asks_in_a_case_in_process() {
        for day in ["2026-11-23", "2026-12-01", "2027-11-24"] {
            given(&in_process()).when(&officer(), ask(day)).then(&[Event::InformationRequested {
                due_date: day.parse().unwrap(),
                personal: sealed_letter("Vilken månad?"),
            }]);
        }
    }

    #[test]
    fn the_day_has_not_passed_and_lies_within_a_year() {
        for day in ["2026-11-22", "1900-01-01", "2027-11-25", "9999-12-31"] {
            given(&in_process()).when(&officer(), ask(day)).then_wrong(&[("/dueDate", Code::DueDate)]);
        }
    }

    #[test]
    fn only_in_process_and_only_by_officers() {
        let ask = || ask("2026-12-01");
        given(&in_received()).when(&officer(), ask()).then_refused(Refusal::WrongPhase(Status::Received));
        given(&in_closed()).when(&officer(), ask()).then_refused(Refusal::WrongPhase(Status::Closed));
        given(&in_process()).when(&reporter(), ask()).then_refused(Refusal::Forbidden);
    }
}
