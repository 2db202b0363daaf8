//! The lease of a reaction: it runs on one node at a time, and whoever has lost it can move nothing any more.

use std::time::Duration;

use chrono::{DateTime, Utc};
use infrastructure::upkeep::{Upkeep, UpkeepReply};
use infrastructure::{CommandError, random};
use uuid::Uuid;

use crate::App;

/// How long a lease lasts.
const LASTS: Duration = Duration::from_secs(60);
/// How long before its end it is renewed.
const RENEWED: Duration = Duration::from_secs(20);

/// A lease, held or not.
#[derive(Debug)]
pub struct Lease {
    name: &'static str,
    holder: Uuid,
    held: Option<(u64, DateTime<Utc>)>,
}

impl Lease {
    /// The lease of a reaction.
    pub fn new(app: &App, name: &'static str) -> Self {
        // One process at a time owns the folder of a SQLite log: its next owner need not wait for a dead one's lease.
        let holder = match app.config.log.as_str() {
            "sqlite" => app.keys.derived_id("holder", &[b"sqlite"]),
            _ => random::id(),
        };
        Self { name, holder, held: None }
    }

    /// Takes or renews it. The answer is its epoch, or `None` while another node holds it.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn hold(&mut self, app: &App) -> Result<Option<u64>, CommandError> {
        let now = app.clock.now();
        if let Some((epoch, until)) = self.held
            && now + RENEWED < until
        {
            return Ok(Some(epoch));
        }
        self.held = None;
        let until = now + LASTS;
        let take = Upkeep::TakeLease { name: self.name.to_owned(), holder: self.holder, now, until };
        if let UpkeepReply::Epoch(epoch) = app.committer.upkeep(take).await? {
            self.held = Some((epoch, until));
        }
        Ok(self.held.map(|(epoch, _)| epoch))
    }

    /// Forgets it, for another node has it.
    pub const fn lost(&mut self) {
        self.held = None;
    }

    /// Gives it back, so that another node need not wait until it ends.
    pub async fn release(&mut self, app: &App) {
        if self.held.take().is_some() {
            let now = app.clock.now();
            let take = Upkeep::TakeLease { name: self.name.to_owned(), holder: self.holder, now, until: now };
            // Who cannot give it back lets it end.
            let _ = app.committer.upkeep(take).await;
        }
    }
}
