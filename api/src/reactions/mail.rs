//! The mail reaction. It looks at events in order and plans the mails that they make due, in one batch with its own
//! position; then it sends what is due and records how each mail ended, in the mail's own stream. Of the log it reads
//! facts only: no subject, no message and no file name ever comes this far.

mod delivering;
mod holding;
mod news;
mod occasion;
mod planning;
mod recipient;

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use infrastructure::committer::Append;
use infrastructure::{CommandError, LogError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::App;
use crate::reactions::lease::Lease;
use holding::Hold;

/// The name of its position and of its lease; never changes.
pub const NAME: &str = "mail";

/// The file in the data folder by which a running server is asked to let held mails leave.
pub const RELEASE: &str = "release-deliveries";

/// How often it looks whether held mails may leave.
const LOOK_HELD: Duration = Duration::from_secs(2);
/// How often it looks though nothing has woken it.
const LOOK: Duration = Duration::from_secs(10);
/// How long it waits for more when something has happened.
const TOGETHER: Duration = Duration::from_millis(50);
/// How long it waits when it could not do its work.
const FAULT: Duration = Duration::from_secs(5);
/// The shortest wait.
const SHORTEST: Duration = Duration::from_millis(20);
/// How long what is under way may take when it is told to stop.
const STOPPING: Duration = Duration::from_secs(5);
/// Counting takes at most one part in so many of the time.
const COUNTING: u32 = 100;

/// What keeps the reaction from its work.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("an event cannot be understood: {0}")]
    Event(#[from] infrastructure::stored::Unreadable),
    #[error(transparent)]
    Read(#[from] projections::ReadError),
    #[error("the read models are behind the log")]
    Behind,
    #[error("another node has taken over")]
    LeaseLost,
}

/// The reaction at work.
struct MailReaction {
    app: App,
    lease: Lease,
    /// Where it begins on a log that it has never seen.
    first: u64,
    /// How far it has looked, and how far of that is recorded.
    looked: Option<planning::Looked>,
    /// Mails that left though their record could not be written: nothing else leaves before it is.
    unrecorded: Vec<Append>,
    /// While the way out is closed: how often in a row, and until when it is left alone.
    closed: Option<(u32, DateTime<Utc>)>,
    /// Whether something has changed since it was last counted, and when it may be counted again.
    changed: bool,
    count_at: Instant,
    /// Whether mails are held since the log was put back.
    hold: Hold,
}

/// Runs it until it is told to stop.
pub(super) fn run(app: App, first: u64, stop: CancellationToken) -> BoxFuture<'static, ()> {
    Box::pin(async move {
        let mut reaction = MailReaction::new(app, first);
        let stopped = async {
            stop.cancelled().await;
            tokio::time::sleep(STOPPING).await;
        };
        tokio::select! {
            () = reaction.follow(&stop) => {}
            // What is cut off now was recorded as begun, and is tried again.
            () = stopped => tracing::warn!("the mail server did not answer in time; a mail was cut off"),
        }
        reaction.app.mail.rest().await;
        reaction.lease.release(&reaction.app).await;
    })
}

impl MailReaction {
    fn new(app: App, first: u64) -> Self {
        Self {
            lease: Lease::new(&app, NAME),
            app,
            first,
            looked: None,
            unrecorded: Vec::new(),
            closed: None,
            changed: true,
            count_at: Instant::now(),
            hold: Hold::default(),
        }
    }

    async fn follow(&mut self, stop: &CancellationToken) {
        let mut position = self.app.read_models.watch();
        let mut bell = self.app.reactions.bell();
        while !stop.is_cancelled() {
            position.mark_unchanged();
            bell.mark_unchanged();
            let done = self.turn(stop).await;
            let wait = match &done {
                Ok(wait) => (*wait).min(self.lease.look()),
                Err(fault) => {
                    if matches!(fault, Fault::LeaseLost) {
                        self.lease.lost();
                        self.looked = None;
                    }
                    FAULT
                }
            };
            self.tell(done.err());
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                // What happens at once is looked at together: a mail may wait that long.
                Ok(()) = position.changed() => tokio::time::sleep(TOGETHER).await,
                Ok(()) = bell.changed() => {}
            }
        }
    }

    /// Plans and sends what there is. The answer is how long to wait for more, if nothing wakes it.
    async fn turn(&mut self, stop: &CancellationToken) -> Result<Duration, Fault> {
        let Some(epoch) = self.lease.hold(&self.app).await? else {
            if self.looked.take().is_some() {
                tracing::warn!("another node has taken over the mails");
            }
            return Ok(self.lease.look());
        };
        self.record_rest().await?;
        let more = self.plan(epoch).await?;
        if self.is_held().await? {
            self.count().await?;
            return Ok(if more { Duration::ZERO } else { LOOK_HELD });
        }
        let sent = self.deliver(epoch, stop).await?;
        self.count().await?;
        if more || sent { Ok(Duration::ZERO) } else { self.wait().await }
    }

    /// How long until something is due.
    async fn wait(&self) -> Result<Duration, Fault> {
        let next = self.app.log.deliveries_due(DateTime::<Utc>::MAX_UTC, 1).await?;
        let due = next.first().map(|delivery| delivery.next_attempt_at);
        let open = self.closed.map(|(_, until)| until);
        let until = due.map(|due| open.map_or(due, |open| open.max(due)));
        let now = self.app.log_time().await?;
        let until_due = until.map_or(LOOK, |until| (until - now).to_std().unwrap_or_default());
        let until_count = if self.changed { self.count_at - Instant::now() } else { LOOK };
        Ok(until_due.min(until_count).clamp(SHORTEST, LOOK))
    }

    /// Counts how the mails stand, but not all the time: counting many takes a while.
    async fn count(&mut self) -> Result<(), Fault> {
        let began = Instant::now();
        if !self.changed || began < self.count_at {
            return Ok(());
        }
        let counts = self.app.log.delivery_counts().await?;
        measure(&counts);
        self.changed = false;
        self.count_at = began + began.elapsed() * COUNTING;
        self.app.reactions.mail.send_modify(|status| status.counts = counts);
        Ok(())
    }

    /// Tells operators what keeps it from its work, once.
    fn tell(&self, fault: Option<Fault>) {
        let fault = fault.map(|fault| fault.to_string());
        metrics::gauge!("kundwebb_mail_stopped").set(if fault.is_some() { 1.0 } else { 0.0 });
        self.app.reactions.mail.send_if_modified(|status| {
            let new = status.fault != fault;
            if let Some(fault) = fault.as_ref().filter(|_| new) {
                tracing::warn!(%fault, "mails are not sent");
            }
            status.fault = fault;
            new
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are fewer mails than 2^52")]
fn measure(counts: &infrastructure::log::DeliveryCounts) {
    metrics::gauge!("kundwebb_mail_due").set(counts.due as f64);
    metrics::gauge!("kundwebb_mail_retrying").set(counts.retrying as f64);
    metrics::counter!("kundwebb_mail_sent_total").absolute(counts.sent);
    metrics::counter!("kundwebb_mail_failed_total").absolute(counts.failed);
}
