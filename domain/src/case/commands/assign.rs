//! Assign: an open case is given to an officer. The way to take over what another officer works on.

use crate::case::Case;
use crate::event::Event;
use crate::ids::PersonId;

/// Gives the case to an officer.
#[derive(Clone, Copy, Debug)]
pub struct Assign {
    /// The officer.
    pub officer: PersonId,
}

impl Assign {
    /// Nothing happens when the case is that officer's already.
    pub(crate) fn decide(self, case: &Case) -> Vec<Event> {
        if case.officer() == Some(self.officer) {
            return Vec::new();
        }
        vec![Event::CaseAssigned { officer: self.officer }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::testing::*;
    use crate::{CaseCommand, Refusal, Status};

    fn to(officer: PersonId) -> CaseCommand {
        CaseCommand::Assign(Assign { officer })
    }

    #[test]
    fn an_open_case_is_given_to_an_officer() {
        let assigned = Event::CaseAssigned { officer: other_officer().person };
        for events in [in_received(), in_process()] {
            given(&events).when(&officer(), to(other_officer().person)).then(std::slice::from_ref(&assigned));
        }
        given(&in_closed())
            .when(&officer(), to(other_officer().person))
            .then_refused(Refusal::WrongPhase(Status::Closed));
    }

    #[test]
    fn nothing_happens_when_it_is_that_officers_already() {
        given(&in_process()).when(&other_officer(), to(officer().person)).then_nothing();
        let assigned = Event::CaseAssigned { officer: officer().person };
        given(&[in_received().remove(0), assigned]).when(&officer(), to(officer().person)).then_nothing();
    }

    #[test]
    fn a_received_case_that_is_assigned_is_still_received() {
        let assigned = Event::CaseAssigned { officer: officer().person };
        let case = replay(&[in_received().remove(0), assigned]);
        assert_eq!((case.status(), case.officer()), (Some(Status::Received), Some(officer().person)));
    }

    #[test]
    fn assigning_is_for_officers() {
        given(&in_process()).when(&reporter(), to(officer().person)).then_refused(Refusal::Forbidden);
    }
}
