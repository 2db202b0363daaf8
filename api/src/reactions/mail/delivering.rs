//! Delivering: each mail is recorded as begun before it leaves, and its outcome and its end are recorded together.
//! What stands in the way of one mail is no concern of the others.

use domain::{Event, OrganisationNumber, PersonId, StreamId};
use futures::{StreamExt, stream};
use infrastructure::CommandError;
use infrastructure::committer::{Append, Expected};
use infrastructure::log::Delivery;
use infrastructure::upkeep::{Upkeep, UpkeepReply};
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::mail::post::{Answer, CONCURRENCY, without_addresses};
use crate::reactions::backoff;
use crate::reactions::mail::occasion::{self, Unprepared};
use crate::reactions::mail::{Fault, MailReaction, NAME};

/// Most mails in one run; between runs new events are looked at and the lease is renewed.
const RUN: usize = 256;

/// What a delivery came to.
enum Came {
    /// It is recorded, or will be tried again.
    Recorded,
    /// It left, but that could not be recorded.
    Unrecorded(Box<Append>, CommandError),
    /// It was not begun.
    NotBegun(Fault),
}

impl MailReaction {
    /// Sends a run of what is due. True when something was sent.
    pub(super) async fn deliver(&mut self, epoch: u64, stop: &CancellationToken) -> Result<bool, Fault> {
        let now = self.app.log_time().await?;
        if self.closed.is_some_and(|(_, until)| until > now) {
            return Ok(false);
        }
        let due = self.app.log.deliveries_due(now, RUN).await?;
        let Some(first) = due.first() else {
            self.app.mail.rest().await;
            return Ok(false);
        };
        self.changed = true;
        if let Err(reply) = self.app.mail.ready().await {
            self.wait_for_server(epoch, first, reply).await?;
            return Ok(false);
        }
        self.closed = None;
        let app = &self.app;
        let sending = stream::iter(due)
            .take_until(stop.cancelled())
            .map(|delivery| deliver(app, epoch, delivery))
            .buffer_unordered(CONCURRENCY)
            .collect();
        let came: Vec<Came> = tokio::select! {
            came = sending => came,
            // A server may take its time with each mail.
            never = self.lease.keep(app) => match never {},
        };
        self.take_in(came)?;
        Ok(true)
    }

    /// Nobody listens: the oldest mail tells so, and the others wait without being tried in vain.
    async fn wait_for_server(&mut self, epoch: u64, first: &Delivery, reply: String) -> Result<(), Fault> {
        let times = self.closed.map_or(1, |(times, _)| times + 1);
        tracing::warn!(%reply, times, "the mail server cannot be reached");
        self.closed = Some((times, self.app.log_time().await? + backoff::pause(times)));
        begin(&self.app, epoch, first).await?;
        record(&self.app, first, &Known::default(), Answer::Trouble { reply, uncertain: false })
            .await
            .map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Remembers what left without a record; anything that kept a mail from being begun ends the run.
    fn take_in(&mut self, came: Vec<Came>) -> Result<(), Fault> {
        let mut fault = None;
        for came in came {
            match came {
                Came::Recorded => {}
                Came::Unrecorded(append, error) => {
                    self.unrecorded.push(*append);
                    fault = Some(error.into());
                }
                Came::NotBegun(error) => fault = Some(error),
            }
        }
        fault.map_or(Ok(()), Err)
    }

    /// Records what has left without a record. A record that was written after all is not written twice.
    pub(super) async fn record_rest(&mut self) -> Result<(), Fault> {
        while let Some(append) = self.unrecorded.last() {
            self.app.committer.append(append.clone()).await?;
            self.unrecorded.pop();
        }
        Ok(())
    }
}

/// What is known of a delivery when it is recorded.
#[derive(Default)]
struct Known {
    /// The recipient's address, to be taken out of replies.
    address: Option<String>,
    /// The employer that it concerns.
    employer: Option<OrganisationNumber>,
}

/// One mail, from its beginning to its record.
async fn deliver(app: &App, epoch: u64, delivery: Delivery) -> Came {
    if let Err(fault) = begin(app, epoch, &delivery).await {
        return Came::NotBegun(fault);
    }
    if delivery.attempts > 0 && delivery.reply.is_none() {
        // What came of it is not known: whoever tried it ended, or was paused, before it could say so.
        metrics::counter!("kundwebb_mail_uncertain_total").increment(1);
    }
    let mut known = Known::default();
    let answer = match occasion::prepare(app, &delivery).await {
        Ok(prepared) => {
            known = Known { address: Some(prepared.address), employer: prepared.employer };
            app.mail.send(&prepared.message).await
        }
        Err(Unprepared::Never(reason)) => Answer::Refused(reason.to_owned()),
        Err(Unprepared::NotNow(reply)) => Answer::Trouble { reply, uncertain: false },
    };
    match record(app, &delivery, &known, answer).await {
        Ok(()) => Came::Recorded,
        Err((Some(append), error)) => Came::Unrecorded(append, error),
        // It waits until it is tried again as if nothing had been heard.
        Err((None, error)) => Came::NotBegun(error.into()),
    }
}

/// Records that sending begins. If nothing more is heard it is tried again when it cannot be under way any more.
async fn begin(app: &App, epoch: u64, delivery: &Delivery) -> Result<(), Fault> {
    let next_attempt_at = app.log_time().await? + app.mail.patience();
    let begin =
        Upkeep::BeginAttempt { delivery: delivery.id, reaction: NAME.to_owned(), epoch, next_attempt_at };
    match app.committer.upkeep(begin).await? {
        UpkeepReply::Refused => Err(Fault::LeaseLost),
        UpkeepReply::Done | UpkeepReply::Epoch(_) => Ok(()),
    }
}

/// Records what came of a mail: its end with its event, or when it is tried again.
async fn record(
    app: &App,
    delivery: &Delivery,
    known: &Known,
    answer: Answer,
) -> Result<(), (Option<Box<Append>>, CommandError)> {
    let attempts = delivery.attempts + 1;
    let address = known.address.as_deref();
    let (sent, reply) = match answer {
        Answer::Accepted(reply) => (true, without_addresses(&reply, address)),
        Answer::Refused(reply) => (false, without_addresses(&reply, address)),
        Answer::Trouble { reply, uncertain } => {
            let reply = without_addresses(&reply, address);
            if uncertain {
                metrics::counter!("kundwebb_mail_uncertain_total").increment(1);
            }
            match backoff::after(attempts) {
                Some(wait) => {
                    return postpone(app, delivery, wait, reply).await.map_err(|error| (None, error));
                }
                None => (false, reply),
            }
        }
    };
    if !sent {
        tracing::warn!(delivery = %delivery.id, attempts, %reply, "a mail was given up");
    }
    let employer = match known.employer {
        Some(employer) => Some(employer),
        None => occasion::employer(app, delivery).await,
    };
    let event = ended(app, delivery, attempts, sent, reply.clone());
    let append = Box::new(Append {
        stream: StreamId(delivery.id),
        actor: PersonId(app.keys.derived_id("system", &[NAME.as_bytes()])),
        employer,
        event,
        expected: Expected::New,
        upkeep: Some(Upkeep::EndDelivery { delivery: delivery.id, sent, reply }),
    });
    match app.committer.append(Append::clone(&append)).await {
        Ok(_) => Ok(()),
        Err(error) => Err((Some(append), error)),
    }
}

async fn postpone(
    app: &App,
    delivery: &Delivery,
    wait: std::time::Duration,
    reply: String,
) -> Result<(), CommandError> {
    let now = app.log_time().await.map_err(|error| CommandError::Unavailable(error.to_string()))?;
    let next_attempt_at = now + wait;
    app.committer.upkeep(Upkeep::Postpone { delivery: delivery.id, next_attempt_at, reply }).await.map(drop)
}

/// The event that ends a delivery.
fn ended(app: &App, delivery: &Delivery, attempts: u32, sent: bool, reply: String) -> Event {
    let (case_id, cause, template) = (delivery.case, delivery.cause.clone(), delivery.template);
    let message_id = occasion::message_id(app, delivery).as_str().to_owned();
    if sent {
        Event::NotificationSent { case_id, cause, template, message_id, attempts, reply }
    } else {
        Event::NotificationFailed { case_id, cause, template, message_id, attempts, reply }
    }
}
