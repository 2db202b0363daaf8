//! Reactions: effects outside of Kundwebb that follow from events. Each has its own position, kept with the log and
//! never reset, and runs on one node at a time; so no replay and no rebuild repeats an effect (P6).

pub mod backoff;
pub mod lease;
pub mod mail;

use futures::future::{BoxFuture, join_all};
use infrastructure::log::DeliveryCounts;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::App;

/// A reaction.
pub struct Reaction {
    /// The name of its position; never changes.
    pub name: &'static str,
    /// Runs it until it is told to stop. On a log where it has never run it begins after `first`.
    run: fn(app: App, first: u64, stop: CancellationToken) -> BoxFuture<'static, ()>,
}

/// Every reaction.
pub static ALL: &[Reaction] = &[Reaction { name: mail::NAME, run: mail::run }];

/// Starts the reactions. A new one begins with what happens from now on: it does not answer the past.
pub fn start(app: &App, stop: &CancellationToken) -> JoinHandle<()> {
    // The read models have caught up with the log when the application has started.
    let first = app.read_models.position();
    let running: Vec<_> =
        ALL.iter().map(|reaction| (reaction.run)(app.clone(), first, stop.clone())).collect();
    tokio::spawn(async move { drop(join_all(running).await) })
}

/// How the mails stand, for operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailStatus {
    /// Counted when something last changed.
    pub counts: DeliveryCounts,
    /// Why they are held; none when they may leave.
    pub held: Option<String>,
    /// What keeps the reaction itself from its work; none while it works.
    pub fault: Option<String>,
}

/// What is seen of the reactions from outside, and how they are woken.
#[derive(Debug)]
pub struct Board {
    mail: watch::Sender<MailStatus>,
    bell: watch::Sender<()>,
}

impl Default for Board {
    fn default() -> Self {
        Self { mail: watch::Sender::new(MailStatus::default()), bell: watch::Sender::new(()) }
    }
}

impl Board {
    /// How the mails stand.
    pub fn mail(&self) -> watch::Receiver<MailStatus> {
        self.mail.subscribe()
    }

    /// Makes the reactions look at the time and at what is due at once: for whoever moves the clock.
    pub fn ring(&self) {
        self.bell.send_replace(());
    }

    fn bell(&self) -> watch::Receiver<()> {
        self.bell.subscribe()
    }
}
