//! Stored files: streamed, never whole in memory, encrypted under a key of their own in chunks, with a random name. They
//! lie in a folder or in a bucket of an S3-compatible storage; everything works on both.

pub mod content;
mod incoming;
pub mod place;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use domain::AttachmentId;
use domain::files::{FileCard, FileLimits, UploadedFile};
use domain::refusal::FieldError;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::prefix::PrefixStore;
use object_store::{ClientConfigKey, ObjectStore, ObjectStoreExt, RetryConfig};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::files::incoming::{Incoming, Writing};
use crate::files::place::{FOLDER, Place};
use crate::random;
use crate::sealing::{Key, NONCE_BYTES, TAG_BYTES};

/// Plain bytes in one sealed chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes that sealing adds to a chunk.
const TAG: usize = TAG_BYTES;
/// Longest file name kept, characters.
const NAME_MAX: usize = 150;
/// Bytes sent to a bucket at a time: S3 takes no smaller part but the last. A smaller object is sent at once.
const PART: usize = 5 << 20;
/// Most files on their way into a bucket at once, each with a part in memory and one on its way.
const UPLOADS: usize = 32;
/// How long a file waits for its turn.
const TURN: Duration = Duration::from_secs(30);
/// How long the storage may take to be reached.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long it may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How long an object may take to be sent or read: as long as the slowest of those who read it needs.
const WHOLE: Duration = Duration::from_secs(60 * 60);
/// How often a request to it is tried again, and for how long: a person waits.
const RETRIES: (usize, Duration) = (3, Duration::from_secs(10));

/// Where files are stored.
#[derive(Clone)]
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    place: Place,
    /// Bytes of an object that are sent at a time.
    part: usize,
    turns: Arc<Semaphore>,
}

/// An object as it lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its name.
    pub id: AttachmentId,
    /// Its size, bytes.
    pub size: u64,
    /// When it was written, by the clock of the store.
    pub at: DateTime<Utc>,
}

/// Why a file was not stored or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The person's to mend.
    #[error("the file is refused: {0:?}")]
    Refused(FieldError),
    /// The sender stopped in the middle.
    #[error("the upload was cut off: {0}")]
    CutOff(String),
    /// The store cannot be reached or used now.
    #[error("files cannot be stored or read: {0}")]
    Store(String),
    /// The store refuses us: keys, rights or bucket are wrong.
    #[error("the file store refuses: {0}")]
    Denied(String),
    /// The object is not there or not what it was.
    #[error("a stored file is missing or damaged: {0}")]
    Damaged(String),
}

impl From<object_store::Error> for FileError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Damaged(error.to_string()),
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Self::Denied(error.to_string())
            }
            _ => Self::Store(error.to_string()),
        }
    }
}

impl FileError {
    /// Whether the store is the trouble: the same may succeed when it is in order again.
    pub const fn is_store(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Denied(_))
    }

    /// Whether the store does not answer, but may by itself.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Store(_))
    }
}

/// The size of the object of a file of so many bytes.
pub const fn stored_size(plain: u64) -> u64 {
    let chunks = plain.div_ceil(CHUNK as u64);
    plain + (if chunks == 0 { 1 } else { chunks }) * TAG as u64
}

impl FileStore {
    /// The store at a place. A folder is made where it is missing. How a bucket is reached, and with which keys, is told by
    /// the usual environment variables: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, …
    ///
    /// # Errors
    /// When the folder or the variables cannot be used. Whether the storage answers is told by [`FileStore::probe`].
    pub fn open(place: &Place) -> Result<Self, FileError> {
        match place {
            Place::Bucket { .. } => Self::bucket(place, AmazonS3Builder::from_env()),
            Place::Data(data) => Self::folder(place, &data.join(FOLDER)),
            Place::Folder(folder) => Self::folder(place, folder),
        }
    }

    /// Files in a local folder, made where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn local(folder: &Path) -> Result<Self, FileError> {
        Self::folder(&Place::Folder(folder.to_path_buf()), folder)
    }

    fn folder(place: &Place, folder: &Path) -> Result<Self, FileError> {
        std::fs::create_dir_all(folder).map_err(|error| FileError::Store(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true).with_fsync(true);
        let turns = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Ok(Self { store: Arc::new(store), place: place.clone(), part: CHUNK + TAG, turns })
    }

    /// Objects of a bucket. Parts of uploads that a killed process has left cost room but are no objects; a lifecycle rule
    /// of the bucket (`AbortIncompleteMultipartUpload`) takes them away.
    fn bucket(place: &Place, settings: AmazonS3Builder) -> Result<Self, FileError> {
        let Place::Bucket { bucket, prefix } = place else {
            return Err(FileError::Denied(format!("{place} is no bucket")));
        };
        let settings = [
            (ClientConfigKey::ConnectTimeout, CONNECTING),
            (ClientConfigKey::ReadTimeout, SILENCE),
            (ClientConfigKey::Timeout, WHOLE),
        ]
        .into_iter()
        .fold(settings, |settings, (key, time)| {
            settings.with_config(AmazonS3ConfigKey::Client(key), format!("{} seconds", time.as_secs()))
        });
        let (max_retries, retry_timeout) = RETRIES;
        let retry = RetryConfig { max_retries, retry_timeout, ..RetryConfig::default() };
        let store = settings.with_bucket_name(bucket).with_retry(retry).build()?;
        let turns = Arc::new(Semaphore::new(UPLOADS));
        let store: Arc<dyn ObjectStore> = match prefix.as_str() {
            "" => Arc::new(store),
            prefix => Arc::new(PrefixStore::new(store, prefix)),
        };
        Ok(Self { store, place: place.clone(), part: PART, turns })
    }

    /// Where it is.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Whether objects can be written, found, read and deleted.
    ///
    /// # Errors
    /// [`FileError::Denied`] when keys, rights or bucket are wrong; [`FileError::Store`] when it does not answer.
    pub async fn probe(&self) -> Result<(), FileError> {
        let path = path(AttachmentId(random::id()));
        let all = async {
            self.store.put(&path, "probe".into()).await?;
            self.store.get(&path).await?.bytes().await?;
            self.store.list(None).next().await.transpose()?;
            self.store.delete(&path).await
        };
        all.await.map_err(|error| match FileError::from(error) {
            // Nothing was asked for that was not put, so it is the bucket that is not there.
            FileError::Damaged(reason) => FileError::Denied(reason),
            error => error,
        })
    }

    /// Stores a file under a new random name while it comes in. What is refused or cut off leaves nothing behind.
    ///
    /// # Errors
    /// [`FileError`].
    pub async fn store<E: std::fmt::Display>(
        &self,
        file_name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
        limits: FileLimits,
    ) -> Result<UploadedFile, FileError> {
        let turn = tokio::time::timeout(TURN, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| FileError::Store("too many files come in at once".to_owned()))?;
        let id = AttachmentId(random::id());
        Incoming::new(id, file_name, self.writing(id)).store(content, limits).await
    }

    fn writing(&self, id: AttachmentId) -> Writing {
        Writing::new(&self.store, path(id), self.part)
    }

    /// The plain content of a stored file, chunk by chunk. A chunk that does not open ends the stream with an error.
    ///
    /// # Errors
    /// When the object is not there or the card's key is none.
    pub async fn read(
        &self,
        card: &FileCard,
    ) -> Result<impl Stream<Item = Result<Bytes, FileError>> + Send + use<>, FileError> {
        let id = card.attachment_id;
        let bytes = BASE64.decode(&card.key).unwrap_or_default();
        let key =
            <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| FileError::Damaged("no key".to_owned()))?;
        let stored = self.store.get(&path(id)).await?.into_stream().map_err(FileError::from).boxed();
        let state = (stored, BytesMut::new(), 0_u64, Key::new(key), false);
        Ok(futures::stream::try_unfold(
            state,
            move |(mut stored, mut buffer, count, key, ended)| async move {
                if ended {
                    return Ok(None);
                }
                while buffer.len() <= CHUNK + TAG {
                    let Some(more) = stored.try_next().await? else { break };
                    buffer.extend_from_slice(&more);
                }
                let last = buffer.len() <= CHUNK + TAG;
                let sealed = buffer.split_to(buffer.len().min(CHUNK + TAG));
                let plain = key
                    .open_with(&nonce(count, last), &sealed, id.0.as_bytes())
                    .map_err(|error| FileError::Damaged(format!("file {id}: {error}")))?;
                Ok(Some((Bytes::from(plain), (stored, buffer, count + 1, key, last))))
            },
        ))
    }

    /// The size of an object; `None` when it is not there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn size(&self, id: AttachmentId) -> Result<Option<u64>, FileError> {
        match self.store.head(&path(id)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether an object is there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn holds(&self, id: AttachmentId) -> Result<bool, FileError> {
        Ok(self.size(id).await?.is_some())
    }

    /// Every object that is named as ours are, as it is found.
    pub fn objects(&self) -> BoxStream<'static, Result<Object, FileError>> {
        let object = |found: object_store::ObjectMeta| {
            let id = AttachmentId::parse(found.location.as_ref())?;
            Some(Object { id, size: found.size, at: found.last_modified })
        };
        let found = self.store.list(None).map_ok(object).map_err(FileError::from);
        found.try_filter_map(|found| std::future::ready(Ok(found))).boxed()
    }

    /// SHA-256 of an object as it is stored, hexadecimal; `None` when it is not there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn digest(&self, id: AttachmentId) -> Result<Option<String>, FileError> {
        let Some(mut parts) = self.stored(id).await? else { return Ok(None) };
        let mut digest = Sha256::new();
        while let Some(part) = parts.try_next().await? {
            digest.update(&part);
        }
        Ok(Some(hex::encode(digest.finalize())))
    }

    /// The bytes of an object as it is stored.
    async fn stored(
        &self,
        id: AttachmentId,
    ) -> Result<Option<BoxStream<'static, object_store::Result<Bytes>>>, FileError> {
        match self.store.get(&path(id)).await {
            Ok(found) => Ok(Some(found.into_stream())),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a copy of an object that another store holds, as it is stored there, and gives its SHA-256; `None` when it is
    /// not there. What is not `expected` is not taken.
    ///
    /// # Errors
    /// [`FileError::Damaged`] when it is not as expected; else when a store does not answer.
    pub async fn take(
        &self,
        from: &Self,
        id: AttachmentId,
        expected: Option<&str>,
    ) -> Result<Option<String>, FileError> {
        let Some(mut parts) = from.stored(id).await? else { return Ok(None) };
        let (mut copy, mut digest) = (self.writing(id), Sha256::new());
        while let Some(part) = parts.try_next().await? {
            digest.update(&part);
            copy.put(part).await?;
        }
        let digest = hex::encode(digest.finalize());
        if expected.is_some_and(|expected| expected != digest) {
            copy.abort().await;
            return Err(FileError::Damaged(format!("file {id} in {} is not what it was", from.place)));
        }
        copy.finish().await?;
        Ok(Some(digest))
    }

    /// Removes the uploads that were not finished when `began` the process that owns the store, and counts them. The
    /// objects that lie there since before `old` come back. In a folder that others use too, an upload is theirs until it
    /// is old; in a bucket a lifecycle rule removes what was not finished, and nobody sees it as an object.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn sweep(
        &self,
        began: DateTime<Utc>,
        old: DateTime<Utc>,
    ) -> Result<(usize, Vec<AttachmentId>), FileError> {
        let before = if matches!(self.place, Place::Data(_)) { began } else { old };
        let mut unfinished = 0;
        if let Some(folder) = self.place.folder() {
            let removing = tokio::task::spawn_blocking(move || remove_unfinished(&folder, before));
            let removed = removing.await.map_err(|error| FileError::Store(error.to_string()))?;
            unfinished = removed.map_err(|error| FileError::Store(error.to_string()))?;
        }
        let objects = self.objects().try_filter(|object| std::future::ready(object.at < old));
        Ok((unfinished, objects.map_ok(|object| object.id).try_collect().await?))
    }

    /// Removes an object; one that is gone already is no error.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn delete(&self, id: AttachmentId) -> Result<(), FileError> {
        match self.store.delete(&path(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Removes what is not complete and was last written before a time, and counts it.
fn remove_unfinished(folder: &PathBuf, before: DateTime<Utc>) -> std::io::Result<usize> {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(at) = entry.metadata().and_then(|file| file.modified()) else { continue };
        // So the library names what is not complete.
        if entry.file_name().to_string_lossy().contains('#') && DateTime::<Utc>::from(at) < before {
            std::fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn path(id: AttachmentId) -> object_store::path::Path {
    object_store::path::Path::from(id.to_string())
}

/// Every chunk of a file has its own nonce; the last is marked, so that a file cannot be cut short unnoticed.
fn nonce(chunk: u64, last: bool) -> [u8; NONCE_BYTES] {
    let mut nonce = [0; NONCE_BYTES];
    nonce[..8].copy_from_slice(&chunk.to_be_bytes());
    nonce[8] = u8::from(last);
    nonce
}

/// The name without folders, control characters and signs that change how a name reads.
pub fn safe_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown = |character: &char| {
        !character.is_control()
            && !matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let name: String = name.chars().filter(shown).collect();
    let extra = name.chars().count().saturating_sub(NAME_MAX);
    let name: String = name.chars().skip(extra).collect();
    let name = name.trim_end().trim_start_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() { "fil".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
