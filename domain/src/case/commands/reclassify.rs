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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::vocabulary::System;
    use crate::{Area, CaseCommand, Status, SubArea};

    fn to(topic: Topic) -> CaseCommand {
        CaseCommand::Reclassify(Reclassify { topic, reason: body("Fel kö.") })
    }

    fn moved(topic: Topic) -> Event {
        Event::CaseReclassified {
            area: topic.area(),
            sub_area: topic.sub_area(),
            system: topic.system(),
            personal: sealed_letter("Fel kö."),
        }
    }

    #[test]
    fn an_officer_moves_an_open_case() {
        let payroll = Topic::new(Area::Lon, Some(SubArea::Supportarende), None).unwrap();
        let support = Topic::new(Area::ItTjanstestod, None, Some(System::Primula)).unwrap();
        for topic in [payroll, support] {
            for events in [in_received(), in_process()] {
                given(&events).when(&officer(), to(topic)).then(&[moved(topic)]);
            }
            given(&in_closed()).when(&officer(), to(topic)).then_refused(Refusal::WrongPhase(Status::Closed));
        }
        given(&in_process()).when(&reporter(), to(payroll)).then_refused(Refusal::Forbidden);
    }

    /// K7 on this path: nothing becomes *beslut/underlag* without a file.
    #[test]
    fn a_case_without_a_file_does_not_become_a_decision() {
        given(&in_process()).when(&officer(), to(decision())).then_wrong(&[("/subArea", Code::FileRequired)]);
        let with_file = vec![received(economy(), &[file(1, 10)])];
        given(&with_file).when(&officer(), to(decision())).then(&[moved(decision())]);
    }

    #[test]
    fn the_employer_must_use_the_area() {
        let areas = [Area::Ekonomi, Area::EHandel];
        let purchase = Topic::new(Area::EHandel, None, None).unwrap();
        let payroll = Topic::new(Area::Lon, Some(SubArea::Supportarende), None).unwrap();
        given(&in_process()).employer_uses(&areas).when(&officer(), to(purchase)).then(&[moved(purchase)]);
        given(&in_process())
            .employer_uses(&areas)
            .when(&officer(), to(payroll))
            .then_wrong(&[("/area", Code::AreaNotAvailable)]);
    }

    #[test]
    fn rights_follow_the_area() {
        let purchase = Topic::new(Area::EHandel, None, None).unwrap();
        let case = replay(in_process().iter().chain([&moved(purchase)]));
        assert_eq!(case.base().unwrap().standing.area, Area::EHandel);
    }
}
