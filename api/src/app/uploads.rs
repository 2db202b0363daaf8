//! Staged files: uploaded before their case exists, attached once, forgotten after a day. A receipt lets a form carry
//! its files by itself, so that they survive whatever happens to the form.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::AttachmentId;
use domain::files::UploadedFile;
use domain::refusal::{Code, FieldError};
use futures::Stream;
use infrastructure::clock::from_micros;
use infrastructure::files::FileError;
use infrastructure::log::Kept;
use infrastructure::upkeep::{CLEANED, Upkeep};
use infrastructure::{CommandError, LogError};

use crate::app::commands::unavailable;
use crate::app::{App, Caller};

/// How far the time by which things expire moves at most from one cleaning to the next.
const LEAP: TimeDelta = TimeDelta::hours(2);

/// How long a staged file is kept.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a file was not staged.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The file itself.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its row.
    #[error(transparent)]
    Command(#[from] CommandError),
}

impl App {
    /// Stores a file and stages it for its owner.
    ///
    /// # Errors
    /// [`StageError`]; nothing stays behind.
    pub async fn stage<E: std::fmt::Display>(
        &self,
        caller: &Caller,
        file_name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
    ) -> Result<UploadedFile, StageError> {
        let file = self.take_in(file_name, content).await?;
        let id = file.card.attachment_id;
        let owner = caller.actor.person;
        let sealed = self.keys.purpose("upload").seal(&json(&file), &place(id, owner.0.as_bytes()));
        let expires_at = self.clock.now() + KEPT;
        let keep = Upkeep::Keep { which: Kept::Upload(id), owner, sealed, expires_at };
        if let Err(error) = self.committer.upkeep(keep).await {
            self.files.delete(id).await?;
            return Err(error.into());
        }
        Ok(file)
    }

    /// Takes back files that were staged for a command that came to nothing. What cannot be removed now is removed when
    /// it has expired.
    pub async fn unstage(&self, files: &[UploadedFile]) {
        for file in files {
            if let Err(error) = self.unstage_file(file.card.attachment_id).await {
                tracing::warn!(%error, "a staged file could not be taken back");
            }
        }
    }

    async fn unstage_file(&self, id: AttachmentId) -> anyhow::Result<()> {
        if !self.log.is_attached(id).await? {
            self.files.delete(id).await?;
            self.committer.upkeep(Upkeep::Forget(Kept::Upload(id))).await?;
        }
        Ok(())
    }

    /// The staged files of these ids; those that are not the caller's are unknown.
    ///
    /// # Errors
    /// When the log cannot be read; field errors come beside, all at once.
    pub async fn staged(
        &self,
        caller: &Caller,
        ids: &[String],
    ) -> Result<Result<Vec<UploadedFile>, Vec<FieldError>>, CommandError> {
        let most = self.config.files.at_once;
        if ids.len() > most {
            let many = FieldError::new("/attachments", Code::FileMany).with("max", most);
            return Ok(Err(vec![many]));
        }
        let (mut files, mut errors) = (Vec::new(), Vec::new());
        for (place, id) in ids.iter().enumerate() {
            let found = match AttachmentId::parse(id) {
                Some(id) => self.staged_file(caller, id).await.map_err(|error| unavailable(&error))?,
                None => None,
            };
            match found {
                Some(file) if !files.contains(&file) => files.push(file),
                _ => errors.push(FieldError::new(format!("/attachments/{place}"), Code::UploadUnknown)),
            }
        }
        Ok(if errors.is_empty() { Ok(files) } else { Err(errors) })
    }

    async fn staged_file(&self, caller: &Caller, id: AttachmentId) -> Result<Option<UploadedFile>, LogError> {
        let Some((sealed, expires_at)) = self.log.kept(Kept::Upload(id)).await? else { return Ok(None) };
        if expires_at <= self.clock.now() {
            return Ok(None);
        }
        let place = place(id, caller.actor.person.0.as_bytes());
        let opened = self.keys.purpose("upload").open(&sealed, &place).ok();
        let file = opened.and_then(|file| serde_json::from_slice(&file).ok());
        Ok(file.map(|file| self.scanning.known(file)))
    }

    /// A receipt for a staged file, which only its owner can hand back.
    pub fn receipt(&self, owner: &str, file: &UploadedFile) -> String {
        URL_SAFE_NO_PAD.encode(self.keys.purpose("receipt").seal(&json(file), owner.as_bytes()))
    }

    /// The file of a receipt.
    pub fn received(&self, owner: &str, receipt: &str) -> Option<UploadedFile> {
        let sealed = URL_SAFE_NO_PAD.decode(receipt).ok()?;
        let file = self.keys.purpose("receipt").open(&sealed, owner.as_bytes()).ok()?;
        serde_json::from_slice(&file).ok().map(|file| self.scanning.known(file))
    }

    /// Deletes staged files that nobody attached: they are put out of reach first, so that no command can attach one
    /// whose object is being deleted; the log is asked; their rows go last, so that a crash leaves nothing behind.
    ///
    /// # Errors
    /// When the log or the store cannot be used.
    pub async fn clean_uploads(&self) -> anyhow::Result<usize> {
        let now = self.cleaning_time().await?;
        self.committer.upkeep(Upkeep::Doom { now }).await?;
        let mut uploads = Vec::new();
        for id in self.log.expired_uploads(now).await? {
            if !self.log.is_attached(id).await? {
                self.files.delete(id).await?;
            }
            uploads.push(id);
        }
        let count = uploads.len();
        self.committer.upkeep(Upkeep::Purge { now, uploads }).await?;
        Ok(count)
    }

    /// The time by which things expire: the clock's, but at most [`LEAP`] after that of the last cleaning, or of the last
    /// event where there was none. A clock that is wrong for a while then removes little of what is still kept.
    async fn cleaning_time(&self) -> anyhow::Result<DateTime<Utc>> {
        let now = self.log_time().await?;
        let cleaned = self.log.meta(CLEANED).await?;
        let last = match cleaned.and_then(|cleaned| DateTime::parse_from_rfc3339(&cleaned).ok()) {
            Some(cleaned) => cleaned.with_timezone(&Utc),
            None => from_micros(self.log.head().await?.recorded_at),
        };
        Ok(if last == from_micros(0) { now } else { now.min(last + LEAP) })
    }

    /// Removes what processes that ended in the middle have left in the file store before this one `began`: uploads that
    /// were not finished, and, after as long as a staged file is kept, objects that neither a case nor a staged file knows.
    /// The times are those of the store.
    ///
    /// # Errors
    /// When the log or the store cannot be used.
    pub async fn sweep_files(&self, began: DateTime<Utc>, now: DateTime<Utc>) -> anyhow::Result<usize> {
        let (mut removed, objects) = self.files.sweep(began, now - KEPT).await?;
        for id in objects {
            let known = self.log.is_attached(id).await? || self.log.kept(Kept::Upload(id)).await?.is_some();
            if !known {
                self.files.delete(id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

pub(super) fn json(file: &UploadedFile) -> Vec<u8> {
    serde_json::to_vec(file).unwrap_or_default()
}

pub(super) fn place(id: AttachmentId, owner: &[u8]) -> Vec<u8> {
    [id.0.as_bytes().as_slice(), owner].concat()
}
