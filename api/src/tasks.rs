//! What a node does beside answering requests: reactions, cleaning, keeping the measurements small.

use std::sync::Arc;
use std::time::Duration;

use infrastructure::Clock;
use tokio::runtime::Handle;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::reactions::lease::Lease;
use crate::{App, operations, reactions, scanning};

/// How often what has expired is removed.
const CLEANING: Duration = Duration::from_secs(10 * 60);
/// How often it is looked whether the read log has to be bound to the log.
const KEEPING: Duration = Duration::from_secs(10 * 60);
/// Under this name one node holds that.
pub const READS: &str = "read-log";
/// How often the file store is looked through for what nobody knows.
const SWEEPING: Duration = Duration::from_secs(24 * 60 * 60);
/// How often the measurements are kept small.
const UPKEEP: Duration = Duration::from_secs(5);

/// How often it is looked which tokens are revoked.
const REVOKED: Duration = Duration::from_secs(1);

/// How often those are forgotten who have not called for long.
const FORGETTING: Duration = Duration::from_secs(60);

/// Tasks that run until they are told to stop.
pub struct Tasks(TaskTracker);

/// Starts them.
pub fn start(app: &App, stop: &CancellationToken) -> Tasks {
    let tracker = TaskTracker::new();
    tracker.spawn(stop.clone().run_until_cancelled_owned(clean(app.clone())));
    tracker.spawn(stop.clone().run_until_cancelled_owned(sweep(app.clone())));
    tracker.spawn(stop.clone().run_until_cancelled_owned(keep_reads(app.clone())));
    tracker.spawn(stop.clone().run_until_cancelled_owned(measure()));
    tracker.spawn(stop.clone().run_until_cancelled_owned(scanning::run(app.clone())));
    tracker.spawn(stop.clone().run_until_cancelled_owned(revoke(app.clone())));
    tracker.spawn(stop.clone().run_until_cancelled_owned(forget(app.clone())));
    prove(app);
    let reactions = reactions::start(app, stop);
    tracker.spawn(async move { drop(reactions.await) });
    tracker.close();
    Tasks(tracker)
}

impl Tasks {
    /// Waits until all have stopped.
    pub async fn wait(&self) {
        self.0.wait().await;
    }
}

/// Proves the read models, beside the work.
fn prove(app: &App) {
    let (read, reader, runtime) = (Arc::clone(&app.read_models), app.reader.clone(), Handle::current());
    tokio::task::spawn_blocking(move || {
        // Damage was told when it was noticed.
        if let Err(error) = read.prove(&reader, &runtime)
            && !read.is_damaged()
        {
            tracing::warn!(%error, "the read models are not proven; it is tried again after the next start");
        }
    });
}

/// Once each so often; what was missed while the program was paused is not made up for.
fn every(time: Duration) -> Interval {
    let mut interval = tokio::time::interval(time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

async fn clean(app: App) {
    let mut interval = every(CLEANING);
    // Not at once: each cleaning lets time pass, and a program may be started often.
    interval.tick().await;
    loop {
        interval.tick().await;
        match app.clean_uploads().await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "removed staged files that nobody attached"),
            Err(error) => tracing::warn!(%error, "what has expired could not be removed"),
        }
    }
}

/// Binds the read log to the log, and disposes of its old months.
async fn keep_reads(app: App) {
    let mut interval = every(KEEPING);
    let mut lease = Lease::new(&app, READS);
    // Not at once, as above.
    interval.tick().await;
    loop {
        interval.tick().await;
        if let Err(error) = app.keep_reads(&mut lease).await {
            tracing::warn!(%error, "the read log could not be bound to the log; it is tried again");
        }
    }
}

/// By the clock of the file system: it tells what was there before this process.
async fn sweep(app: App) {
    let began = Clock::System.now();
    let mut interval = every(SWEEPING);
    loop {
        interval.tick().await;
        // Nothing of what the others write now, where this node's clock is ahead; nothing at all while the log cannot say.
        let now = app.log_time().await.unwrap_or_default().min(Clock::System.now());
        match app.sweep_files(began, now).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "removed files that were left when the program ended"),
            Err(error) => tracing::warn!(%error, "the file store could not be looked through"),
        }
    }
}

async fn revoke(app: App) {
    let mut interval = every(REVOKED);
    let mut failing = false;
    loop {
        interval.tick().await;
        let looked = app.look_revoked().await;
        // Said once, until it works again.
        if let (Err(error), false) = (&looked, failing) {
            tracing::warn!(%error, "whether more tokens are revoked cannot be told");
        }
        failing = looked.is_err();
    }
}

async fn forget(app: App) {
    let mut interval = every(FORGETTING);
    loop {
        interval.tick().await;
        app.limits.forget();
    }
}

async fn measure() {
    let mut interval = every(UPKEEP);
    loop {
        interval.tick().await;
        operations::measure();
    }
}
