//! Files of forms: staged for whoever fills in the form, carried by it as receipts, and looked for again before they
//! are used, so that a form that was left open for long never attaches a file that is gone.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::PersonId;
use domain::files::UploadedFile;
use futures::Stream;
use infrastructure::files::FileError;
use infrastructure::log::Kept;
use infrastructure::upkeep::Upkeep;
use infrastructure::{CommandError, LogError};

use crate::app::App;
use crate::app::uploads::{self, json, place};

/// What is left of a file's time when its form shows it again and the time is made longer.
const SOON: Duration = Duration::from_secs(60 * 60);

impl App {
    /// Stores a file for the owner of a form. Where the log cannot be written now the file is kept all the same: its
    /// receipt tells everything, and its row is written when the form comes back.
    ///
    /// # Errors
    /// When the file is refused, cut off, or cannot be stored; nothing stays behind.
    pub async fn stage_for_form<E: Display>(
        &self,
        owner: PersonId,
        file_name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
    ) -> Result<UploadedFile, FileError> {
        let file = self.files.store(file_name, content, self.config.limits()).await?;
        if let Err(error) = self.keep_staged(owner, &file, self.clock.now() + uploads::KEPT).await {
            tracing::warn!(%error, "a file of a form is known by its receipt alone");
        }
        Ok(file)
    }

    /// Whether the file of a receipt is still there; its time is made longer where it would soon be over.
    ///
    /// # Errors
    /// When the log or the store cannot be read.
    pub async fn is_still_staged(&self, owner: PersonId, file: &UploadedFile) -> Result<bool, LogError> {
        let kept = self.log.kept(Kept::Upload(file.card.attachment_id)).await?;
        let now = self.clock.now();
        if kept.is_some_and(|(_, expires_at)| expires_at > now + SOON) {
            return Ok(true);
        }
        // The row comes first: from then on the cleaner leaves the file alone.
        if let Err(error) = self.keep_staged(owner, file, now + uploads::KEPT).await {
            tracing::warn!(%error, "a file of a form is known by its receipt alone");
        }
        Ok(self.files.read(&file.card).await.is_ok())
    }

    /// Keeps a stored file for its owner until a time.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn keep_staged(
        &self,
        owner: PersonId,
        file: &UploadedFile,
        expires_at: DateTime<Utc>,
    ) -> Result<(), CommandError> {
        let id = file.card.attachment_id;
        let sealed = self.keys.purpose("upload").seal(&json(file), &place(id, owner.0.as_bytes()));
        self.committer
            .upkeep(Upkeep::Keep { which: Kept::Upload(id), owner, sealed, expires_at })
            .await
            .map(drop)
    }
}
