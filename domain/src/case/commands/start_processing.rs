//! Start processing: an officer takes a received case (*Under bearbetning*).

use crate::case::Case;
use crate::context::Context;
use crate::event::Event;
use crate::refusal::Refusal;

/// Takes the case.
#[derive(Clone, Copy, Debug)]
pub struct StartProcessing {}

impl StartProcessing {
    /// Nothing happens when the same officer works on it already; another officer is refused, Assign is the way.
    pub(crate) fn decide(self, case: &Case, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        let me = context.actor.person;
        match case {
            Case::New => Err(Refusal::NotFound),
            Case::Received { .. } => Ok(vec![Event::ProcessingStarted { officer: me }]),
            Case::InProcess { officer, .. } if *officer == me => Ok(Vec::new()),
            Case::InProcess { .. } => Err(Refusal::TakenByAnother),
            Case::Closed { .. } => Err(Refusal::WrongPhase(crate::case::Status::Closed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::{CaseCommand, Status};

    fn start() -> CaseCommand {
        CaseCommand::StartProcessing(StartProcessing {})
    }

    #[test]
    fn an_officer_takes_a_received_case() {
        given(&in_received()).when(&officer(), start()).then(&[started()]);
        let assigned = Event::CaseAssigned { officer: other_officer().person };
        given(&[in_received().remove(0), assigned]).when(&officer(), start()).then(&[started()]);
    }

    #[test]
    fn twice_by_the_same_officer_is_once_and_by_another_is_refused() {
        given(&in_process()).when(&officer(), start()).then_nothing();
        given(&in_process()).when(&other_officer(), start()).then_refused(Refusal::TakenByAnother);
    }

    #[test]
    fn what_is_closed_stays_closed() {
        for actor in [officer(), other_officer()] {
            given(&in_closed()).when(&actor, start()).then_refused(Refusal::WrongPhase(Status::Closed));
        }
    }

    #[test]
    fn taking_is_for_officers_of_the_area() {
        given(&in_received()).when(&reporter(), start()).then_refused(Refusal::Forbidden);
        let elsewhere = crate::Actor { areas: Some(vec![crate::Area::Lon]), ..officer() };
        given(&in_received()).when(&elsewhere, start()).then_refused(Refusal::NotFound);
        given(&[]).when(&officer(), start()).then_refused(Refusal::NotFound);
    }
}
