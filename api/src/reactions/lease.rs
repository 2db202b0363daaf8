//! The lease of a reaction: it runs on one node at a time, and whoever has lost it can move nothing any more.

use std::convert::Infallible;
use std::time::Duration;

use infrastructure::upkeep::{Upkeep, UpkeepReply};
use infrastructure::{CommandError, random};
use tokio::time::Instant;
use uuid::Uuid;

use crate::App;

/// How long a lease lasts where another node waits to take over, and where there is no other.
const LASTS: [Duration; 2] = [Duration::from_secs(6), Duration::from_secs(60)];

/// A lease, held or not.
#[derive(Debug)]
pub struct Lease {
    name: &'static str,
    holder: Uuid,
    lasts: Duration,
    /// Its epoch, and until when: not by the clock, which somebody may set.
    held: Option<(u64, Instant)>,
}

impl Lease {
    /// The lease of a reaction.
    pub fn new(app: &App, name: &'static str) -> Self {
        // One process at a time owns the folder of a SQLite log: its next owner need not wait for a dead one's lease.
        let shared = app.config.log_place().is_ok_and(|place| place.is_shared());
        let holder = if shared { random::id() } else { app.keys.derived_id("holder", &[b"sqlite"]) };
        let [shared_lasts, alone_lasts] = LASTS;
        Self { name, holder, lasts: if shared { shared_lasts } else { alone_lasts }, held: None }
    }

    /// How long one may wait before looking at it again, so that it does not end while it is held, and is taken soon after
    /// another's has ended.
    pub fn look(&self) -> Duration {
        self.lasts / 3
    }

    /// Takes or renews it. The answer is its epoch, or `None` while another node holds it.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn hold(&mut self, app: &App) -> Result<Option<u64>, CommandError> {
        let asked = Instant::now();
        if let Some((epoch, until)) = self.held
            && asked + self.lasts / 2 < until
        {
            return Ok(Some(epoch));
        }
        self.held = None;
        let now = app.clock.now();
        let until = now + self.lasts;
        let take = Upkeep::TakeLease { name: self.name.to_owned(), holder: self.holder, now, until };
        let reply = app.committer.upkeep(take).await;
        if let Ok(UpkeepReply::Epoch(epoch)) = reply {
            self.held = Some((epoch, asked + self.lasts));
        }
        self.measure();
        reply?;
        Ok(self.held.map(|(epoch, _)| epoch))
    }

    /// Renews it again and again, for as long as something takes that may take longer than it lasts.
    pub async fn keep(&mut self, app: &App) -> Infallible {
        loop {
            tokio::time::sleep(self.look()).await;
            // Whoever has lost it is refused with what it does next.
            let _ = self.hold(app).await;
        }
    }

    /// Forgets it, for another node has it.
    pub fn lost(&mut self) {
        self.held = None;
        self.measure();
    }

    fn measure(&self) {
        let held = if self.held.is_some() { 1.0 } else { 0.0 };
        metrics::gauge!("kundwebb_lease_held", "reaction" => self.name).set(held);
    }

    /// Gives it back, so that another node need not wait until it ends.
    pub async fn release(&mut self, app: &App) {
        if self.held.is_some() {
            self.lost();
            let now = app.clock.now();
            let take = Upkeep::TakeLease { name: self.name.to_owned(), holder: self.holder, now, until: now };
            // Who cannot give it back lets it end.
            let _ = app.committer.upkeep(take).await;
        }
    }
}
