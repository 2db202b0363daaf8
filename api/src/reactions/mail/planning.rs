//! Planning: from events to the mails that they make due.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::vocabulary::Template;
use domain::{CaseId, Event, PersonId, StreamId, notification};
use infrastructure::clock::from_micros;
use infrastructure::log::Delivery;
use infrastructure::stored::StoredEvent;
use infrastructure::upkeep::{Upkeep, UpkeepReply};

use crate::reactions::mail::recipient::wants;
use crate::reactions::mail::{Fault, MailReaction, NAME};

/// Most events looked at in one go, and most that a restart looks at once more.
const BATCH: usize = 1000;

/// How far the reaction has looked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Looked {
    /// The last event looked at.
    at: u64,
    /// As far as it is recorded. Recording costs a sync, so it lags behind where no mail became due.
    recorded: u64,
}

/// The case that an event is about: its own, or the one that it names.
const fn case_of(stored: &StoredEvent, event: &Event) -> CaseId {
    match event {
        Event::FileScanned { case_id, .. } => *case_id,
        _ => CaseId(stored.stream.0),
    }
}

impl MailReaction {
    /// Looks at the next events. True when there may be more.
    pub(super) async fn plan(&mut self, epoch: u64) -> Result<bool, Fault> {
        let looked = match self.looked {
            Some(looked) => looked,
            None => self.begin(epoch).await?,
        };
        let events = self.app.log.events_after(looked.at, BATCH).await?;
        let Some(last) = events.last() else { return Ok(false) };
        let (at, more) = (last.position, events.len() == BATCH);
        let deliveries = self.due(&events).await?;
        let tell = !deliveries.is_empty() || at - looked.recorded >= BATCH as u64;
        if tell {
            self.changed |= !deliveries.is_empty();
            self.record_position(epoch, at, deliveries).await?;
        }
        self.looked = Some(Looked { at, recorded: if tell { at } else { looked.recorded } });
        Ok(more)
    }

    /// Where the reaction stands; on a log that it has never seen, after `first`.
    async fn begin(&mut self, epoch: u64) -> Result<Looked, Fault> {
        let at = match self.app.log.reaction_position(NAME).await? {
            Some(position) => position,
            None => {
                self.record_position(epoch, self.first, Vec::new()).await?;
                self.first
            }
        };
        Ok(Looked { at, recorded: at })
    }

    async fn record_position(
        &self,
        epoch: u64,
        position: u64,
        deliveries: Vec<Delivery>,
    ) -> Result<(), Fault> {
        let plan = Upkeep::PlanDeliveries { reaction: NAME.to_owned(), epoch, position, deliveries };
        match self.app.committer.upkeep(plan).await? {
            UpkeepReply::Refused => Err(Fault::LeaseLost),
            UpkeepReply::Done | UpkeepReply::Epoch(_) => Ok(()),
        }
    }

    /// The mails that these events make due.
    async fn due(&self, events: &[StoredEvent]) -> Result<Vec<Delivery>, Fault> {
        let now = self.app.log_time().await?;
        let mut reporters = HashMap::new();
        let mut deliveries = Vec::new();
        for stored in events {
            let event = stored.facts_only()?;
            if let Event::CaseReceived { reporter, .. } = &event {
                reporters.insert(stored.stream, *reporter);
            }
            if notification::is_news(&event) {
                let notice = CaseId(stored.stream.0);
                for follower in self.followers(stored).await? {
                    deliveries.push(self.delivery(stored, (Template::ServiceStatus, follower, notice), now));
                }
            }
            if notification::template(&event).is_none() {
                continue;
            }
            let case = case_of(stored, &event);
            let reporter = match reporters.get(&case.into()) {
                Some(reporter) => *reporter,
                None => {
                    let reporter = self.reporter(case.into()).await?;
                    reporters.insert(case.into(), reporter);
                    reporter
                }
            };
            if let Some((template, recipient)) = notification::due(&event, reporter)
                && wants(self.app.log.as_ref(), recipient, template).await?
            {
                deliveries.push(self.delivery(stored, (template, recipient, case), now));
            }
        }
        Ok(deliveries)
    }

    /// A mail that an event makes due. Its id follows from what it is, so that it is planned once.
    fn delivery(
        &self,
        stored: &StoredEvent,
        (template, recipient, case): (Template, PersonId, CaseId),
        next_attempt_at: DateTime<Utc>,
    ) -> Delivery {
        let cause = format!("{}-{}", stored.stream, stored.version);
        let parts = [cause.as_bytes(), recipient.0.as_bytes(), template.code().as_bytes()];
        Delivery {
            id: self.app.keys.derived_id_at(from_micros(stored.recorded_at), "delivery", &parts),
            cause,
            recipient,
            template,
            case,
            position: stored.position,
            attempts: 0,
            next_attempt_at,
            reply: None,
        }
    }

    async fn reporter(&self, case: StreamId) -> Result<Option<PersonId>, Fault> {
        let events = self.app.log.stream(case).await?;
        let first = events.first().map(StoredEvent::facts_only).transpose()?;
        Ok(first.and_then(|event| match event {
            Event::CaseReceived { reporter, .. } => reporter,
            _ => None,
        }))
    }
}
