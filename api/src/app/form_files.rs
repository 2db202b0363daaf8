//! Files of forms: staged for whoever fills in the form, carried by it as receipts, and looked for again before they
//! are used, so that a form that was left open for long never attaches a file that is gone.

use std::fmt::Display;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::PersonId;
use domain::files::UploadedFile;
use futures::Stream;
use infrastructure::files::FileError;
use infrastructure::log::Kept;
use infrastructure::upkeep::Upkeep;
use infrastructure::{CommandError, LogError};
use uuid::Uuid;

use crate::app::App;
use crate::app::uploads::{self, json, place};

/// What is left of a file's time when its form shows it again and the time is made longer.
const SOON: Duration = Duration::from_secs(60 * 60);

impl App {
    /// Who was logged in when a form was shown, sealed for the form to carry.
    pub fn sealed_owner(&self, owner: PersonId) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.purpose("form").seal(owner.0.as_bytes(), b"owner"))
    }

    /// Who that was.
    pub fn opened_owner(&self, sealed: &str) -> Option<PersonId> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let owner = self.keys.purpose("form").open(&sealed, b"owner").ok()?;
        Uuid::from_slice(&owner).ok().map(PersonId)
    }

    /// What tells them from others, always the same, without saying who it is.
    pub fn owner_mark(&self, owner: PersonId) -> Uuid {
        self.keys.derived_id("form-owner", &[owner.0.as_bytes()])
    }

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
        let file = self.take_in(file_name, content).await?;
        if let Err(error) = self.keep_staged(owner, &file, self.clock.now() + uploads::KEPT).await {
            tracing::warn!(%error, "a file of a form is known by its receipt alone");
        }
        Ok(file)
    }

    /// Whether the file of a receipt is still there; its time is made longer where it would soon be over.
    ///
    /// # Errors
    /// When the log cannot be read. A store that does not answer may hold it.
    pub async fn is_still_staged(&self, owner: PersonId, file: &UploadedFile) -> Result<bool, LogError> {
        let kept = self.log.kept(Kept::Upload(file.card.attachment_id)).await?;
        let now = self.clock.now();
        if kept.is_some_and(|(_, expires_at)| expires_at > now + SOON) {
            return Ok(true);
        }
        // One that a case has needs no row.
        if self.log.is_attached(file.card.attachment_id).await? {
            return Ok(true);
        }
        // The row comes first: from then on the cleaner leaves the file alone.
        if let Err(error) = self.keep_staged(owner, file, now + uploads::KEPT).await {
            tracing::warn!(%error, "a file of a form is known by its receipt alone");
        }
        Ok(match self.files.holds(file.card.attachment_id).await {
            Err(error) => error.is_store(),
            Ok(holds) => holds,
        })
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
