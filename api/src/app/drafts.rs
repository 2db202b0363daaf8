//! Drafts: what somebody has typed and not sent, with its files, sealed, for thirty days.

use chrono::{DateTime, Utc};
use domain::PersonId;
use infrastructure::CommandError;
use infrastructure::log::Kept;
use infrastructure::upkeep::Upkeep;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::app::App;
use crate::app::commands::unavailable;

/// How long a draft is kept.
pub const KEPT_DAYS: u64 = 30;

impl App {
    /// Keeps what was typed in a form, until `expires_at`.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn save_draft(
        &self,
        owner: PersonId,
        form: Uuid,
        content: &impl Serialize,
        expires_at: DateTime<Utc>,
    ) -> Result<(), CommandError> {
        let plain = serde_json::to_vec(content).unwrap_or_default();
        let sealed = self.keys.purpose("draft").seal(&plain, owner.0.as_bytes());
        let keep = Upkeep::Keep { which: Kept::Draft(owner, form), owner, sealed, expires_at };
        self.committer.upkeep(keep).await.map(drop)
    }

    /// The drafts of a person, newest first, each with the form that it belongs to.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn drafts<T: DeserializeOwned>(&self, owner: PersonId) -> Result<Vec<(Uuid, T)>, CommandError> {
        let found = self.log.drafts(owner, self.clock.now()).await.map_err(|error| unavailable(&error))?;
        let key = self.keys.purpose("draft");
        let opened = found.into_iter().filter_map(|(form, sealed)| {
            let plain = key.open(&sealed, owner.0.as_bytes()).ok()?;
            Some((form, serde_json::from_slice(&plain).ok()?))
        });
        Ok(opened.collect())
    }

    /// Forgets a draft, when its form was sent.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn forget_draft(&self, owner: PersonId, form: Uuid) -> Result<(), CommandError> {
        self.committer.upkeep(Upkeep::Forget(Kept::Draft(owner, form))).await.map(drop)
    }
}
