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
