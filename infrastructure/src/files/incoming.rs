//! A file on its way in: sealed chunk by chunk as it comes, looked at, counted, and put together as an object.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use domain::AttachmentId;
use domain::files::{FileCard, FileLimits, MEGABYTE, StoredFile, UploadedFile, megabytes};
use domain::refusal::{Code, FieldError};
use futures::{Stream, StreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;

use crate::files::content::Content;
use crate::files::{CHUNK, FileError, nonce, safe_name};
use crate::sealing::Key;

/// An object that is being written. What is not finished is given up, also when it is dropped.
pub(super) struct Writing {
    store: Arc<dyn ObjectStore>,
    path: Path,
    writer: Option<BufWriter>,
}

impl Writing {
    /// Begins one, of which at most `part` bytes are kept in memory beside those that are on their way.
    pub(super) fn new(store: &Arc<dyn ObjectStore>, path: Path, part: usize) -> Self {
        let writer = BufWriter::with_capacity(Arc::clone(store), path.clone(), part).with_max_concurrency(1);
        Self { store: Arc::clone(store), path, writer: Some(writer) }
    }

    /// Adds to it.
    pub(super) async fn put(&mut self, bytes: Bytes) -> Result<(), FileError> {
        let Some(writer) = &mut self.writer else { return Err(ended()) };
        Ok(writer.put(bytes).await?)
    }

    /// Makes it an object. Where that fails, or its answer is lost, nothing shall lie there.
    pub(super) async fn finish(mut self) -> Result<(), FileError> {
        let mut writer = self.writer.take().ok_or_else(ended)?;
        let Err(error) = writer.shutdown().await else { return Ok(()) };
        let (store, path) = (Arc::clone(&self.store), self.path.clone());
        tokio::spawn(async move {
            if let Err(failed) = store.delete(&path).await {
                tracing::warn!(error = %failed, "what may be left of a file that was not stored is swept later");
            }
        });
        Err(match error.downcast::<object_store::Error>() {
            Ok(error) => error.into(),
            Err(error) => FileError::Store(error.to_string()),
        })
    }

    /// Gives it up.
    pub(super) async fn abort(mut self) {
        if let Some(writer) = self.writer.take() {
            give_up(writer).await;
        }
    }
}

impl Drop for Writing {
    /// Whoever sent it hung up, and the handler went with them.
    fn drop(&mut self) {
        if let (Some(writer), Ok(runtime)) = (self.writer.take(), Handle::try_current()) {
            runtime.spawn(give_up(writer));
        }
    }
}

async fn give_up(mut writer: BufWriter) {
    if let Err(error) = writer.abort().await {
        tracing::warn!(%error, "what came of a file that was not stored could not be removed");
    }
}

fn ended() -> FileError {
    FileError::Store("the object is written already".to_owned())
}

/// A file on its way in.
pub(super) struct Incoming {
    id: AttachmentId,
    file_name: String,
    object: Writing,
    key: Key,
    plain: Sha256,
    stored: Sha256,
    size: u64,
    chunks: u64,
    buffer: BytesMut,
    content: Content,
}

impl Incoming {
    pub(super) fn new(id: AttachmentId, file_name: &str, object: Writing) -> Self {
        Self {
            id,
            file_name: safe_name(file_name),
            object,
            key: Key::random(),
            plain: Sha256::new(),
            stored: Sha256::new(),
            size: 0,
            chunks: 0,
            buffer: BytesMut::with_capacity(2 * CHUNK),
            content: Content::default(),
        }
    }

    /// Takes in the content and stores it. What is refused or cut off is given up.
    pub(super) async fn store<E: std::fmt::Display>(
        mut self,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
        limits: FileLimits,
    ) -> Result<UploadedFile, FileError> {
        match self.take_all(content, limits).await {
            Ok(media_type) => self.finish(media_type).await,
            // Who waits for an answer does not wait for a storage that is away: it is given up beside.
            Err(error) if error.is_store() => Err(error),
            Err(error) => {
                self.object.abort().await;
                Err(error)
            }
        }
    }

    /// Takes in the content and tells its type.
    async fn take_all<E: std::fmt::Display>(
        &mut self,
        mut content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
        limits: FileLimits,
    ) -> Result<&'static str, FileError> {
        while let Some(bytes) = content.next().await {
            let bytes = bytes.map_err(|error| FileError::CutOff(error.to_string()))?;
            self.size += bytes.len() as u64;
            self.within(limits)?;
            self.plain.update(&bytes);
            self.content.take(&bytes);
            self.buffer.extend_from_slice(&bytes);
            while self.buffer.len() > CHUNK {
                self.put(CHUNK, false).await?;
            }
        }
        if self.size == 0 {
            return Err(self.refused(Code::FileEmpty));
        }
        let wrong = if self.content.is_locked() { Code::FilePassword } else { Code::FileType };
        self.content.media_type(&self.file_name).ok_or_else(|| self.refused(wrong))
    }

    fn within(&self, limits: FileLimits) -> Result<(), FileError> {
        if self.size <= limits.file_bytes {
            return Ok(());
        }
        let error = FieldError::new("", Code::FileBig)
            .with("file", &self.file_name)
            .with("mb", megabytes(self.size))
            .with("max", limits.file_bytes / MEGABYTE);
        Err(FileError::Refused(error))
    }

    fn refused(&self, code: Code) -> FileError {
        FileError::Refused(FieldError::new("", code).with("file", &self.file_name))
    }

    async fn put(&mut self, length: usize, last: bool) -> Result<(), FileError> {
        let plain = self.buffer.split_to(length);
        let sealed = self.key.seal_with(&nonce(self.chunks, last), &plain, self.id.0.as_bytes());
        self.chunks += 1;
        self.stored.update(&sealed);
        self.object.put(Bytes::from(sealed)).await
    }

    async fn finish(mut self, media_type: &str) -> Result<UploadedFile, FileError> {
        if let Err(error) = self.put(self.buffer.len(), true).await {
            self.object.abort().await;
            return Err(error);
        }
        self.object.finish().await?;
        Ok(UploadedFile {
            stored: StoredFile {
                size: self.size,
                stored_sha256: hex::encode(self.stored.finalize()),
                scan: None,
            },
            card: FileCard {
                attachment_id: self.id,
                file_name: self.file_name,
                media_type: media_type.to_owned(),
                size: self.size,
                sha256: hex::encode(self.plain.finalize()),
                key: BASE64.encode(self.key.bytes()),
            },
        })
    }
}
