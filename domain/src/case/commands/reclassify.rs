//! Reclassify: an open case is moved to another area, sub-area or system, with a reason.

use crate::case::Base;
use crate::case::commands::letter;
use crate::context::Context;
use crate::event::{Event, Sealed};
use crate::refusal::{Code, FieldError, Refusal};
use crate::text::Body;
use crate::topic::Topic;

/// Moves the case.
#[derive(Clone, Debug)]
pub struct Reclassify {
    /// What it is about instead.
    pub topic: Topic,
    /// Why.
    pub reason: Body,
}

impl Reclassify {
    /// The rules of Create hold here too: the employer uses the area, and *beslut/underlag* has a file (K7).
    pub(crate) fn decide(&self, base: &Base, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        if context.employer_areas.is_some_and(|areas| !areas.contains(&self.topic.area())) {
            return Err(FieldError::new("/area", Code::AreaNotAvailable)
                .with("employer", base.standing.employer)
                .with("area", self.topic.area())
                .into());
        }
        if self.topic.needs_file() && base.file_count == 0 {
            return Err(FieldError::new("/subArea", Code::FileRequired).into());
        }
        Ok(vec![Event::CaseReclassified {
            area: self.topic.area(),
            sub_area: self.topic.sub_area(),
            system: self.topic.system(),
            personal: Sealed::Open(letter(&self.reason)),
        }])
    }
}
