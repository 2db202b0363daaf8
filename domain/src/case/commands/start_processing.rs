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
