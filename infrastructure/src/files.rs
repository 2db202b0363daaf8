//! Stored files: streamed, never whole in memory, encrypted under a key of their own in chunks, with a random name.

pub mod content;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use domain::AttachmentId;
use domain::files::{FileCard, FileLimits, MEGABYTE, StoredFile, UploadedFile, megabytes};
use domain::refusal::{Code, FieldError};
use futures::{Stream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload};
use sha2::{Digest, Sha256};

use crate::files::content::Content;
use crate::random;
use crate::sealing::{Key, NONCE_BYTES, TAG_BYTES};

/// Plain bytes in one sealed chunk.
const CHUNK: usize = 64 * 1024;
/// Bytes that sealing adds to a chunk.
const TAG: usize = TAG_BYTES;
/// Longest file name kept, characters.
const NAME_MAX: usize = 150;

/// Where files are stored.
#[derive(Clone)]
pub struct FileStore {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
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
    /// Ours.
    #[error("files cannot be stored or read: {0}")]
    Store(String),
}

impl From<object_store::Error> for FileError {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error.to_string())
    }
}

impl FileStore {
    /// Files in a local folder, made where it is missing.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn local(folder: &Path) -> Result<Self, FileError> {
        std::fs::create_dir_all(folder).map_err(|error| FileError::Store(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_automatic_cleanup(true).with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: folder.to_path_buf() })
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
        let id = AttachmentId(random::id());
        let upload = self.store.put_multipart(&path(id)).await?;
        let mut incoming = Incoming::new(id, safe_name(file_name), upload);
        match incoming.take_all(content, limits).await {
            Ok(media_type) => incoming.finish(media_type).await,
            Err(error) => {
                if let Err(failed) = incoming.upload.abort().await {
                    tracing::warn!(error = %failed, "what came of a refused file could not be removed");
                }
                Err(error)
            }
        }
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
            <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| FileError::Store("no key".to_owned()))?;
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
                    .map_err(|error| FileError::Store(format!("file {id}: {error}")))?;
                Ok(Some((Bytes::from(plain), (stored, buffer, count + 1, key, last))))
            },
        ))
    }

    /// Whether an object is there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn holds(&self, id: AttachmentId) -> Result<bool, FileError> {
        match self.store.head(&path(id)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// SHA-256 of an object as it is stored, hexadecimal; `None` when it is not there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn digest(&self, id: AttachmentId) -> Result<Option<String>, FileError> {
        let found = match self.store.get(&path(id)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let mut parts = found.into_stream();
        let mut digest = Sha256::new();
        while let Some(part) = parts.try_next().await? {
            digest.update(&part);
        }
        Ok(Some(hex::encode(digest.finalize())))
    }

    /// Removes the uploads that were not finished when `began` the process that owns the store, and counts them. The
    /// objects that lie there since before `old` come back.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sweep(
        &self,
        began: DateTime<Utc>,
        old: DateTime<Utc>,
    ) -> std::io::Result<(usize, Vec<AttachmentId>)> {
        let (mut unfinished, mut objects) = (0, Vec::new());
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let Ok(at) = entry.metadata().and_then(|file| file.modified()) else { continue };
            let (name, at) = (entry.file_name().to_string_lossy().into_owned(), DateTime::<Utc>::from(at));
            match AttachmentId::parse(&name) {
                Some(id) if at < old => objects.push(id),
                // So the library names what is not complete.
                None if name.contains('#') && at < began => {
                    std::fs::remove_file(entry.path())?;
                    unfinished += 1;
                }
                _ => {}
            }
        }
        Ok((unfinished, objects))
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

/// A file on its way in.
struct Incoming {
    id: AttachmentId,
    file_name: String,
    upload: Box<dyn MultipartUpload>,
    key: Key,
    plain: Sha256,
    stored: Sha256,
    size: u64,
    chunks: u64,
    buffer: BytesMut,
    content: Content,
}

impl Incoming {
    fn new(id: AttachmentId, file_name: String, upload: Box<dyn MultipartUpload>) -> Self {
        Self {
            id,
            file_name,
            upload,
            key: Key::random(),
            plain: Sha256::new(),
            stored: Sha256::new(),
            size: 0,
            chunks: 0,
            buffer: BytesMut::with_capacity(2 * CHUNK),
            content: Content::default(),
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
        self.content.media_type(&self.file_name).ok_or_else(|| self.refused(Code::FileType))
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
        Ok(self.upload.put_part(PutPayload::from(sealed)).await?)
    }

    async fn finish(mut self, media_type: &str) -> Result<UploadedFile, FileError> {
        self.put(self.buffer.len(), true).await?;
        self.upload.complete().await?;
        Ok(UploadedFile {
            stored: StoredFile { size: self.size, stored_sha256: hex::encode(self.stored.finalize()) },
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
mod tests {
    use super::*;

    const PDF: &[u8] = b"%PDF-1.7\n";

    fn content(
        bytes: &[u8],
        piece: usize,
    ) -> impl Stream<Item = Result<Bytes, &'static str>> + Unpin + Send + use<> {
        let pieces: Vec<_> =
            bytes.chunks(piece.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        futures::stream::iter(pieces)
    }

    async fn whole(store: &FileStore, card: &FileCard) -> Result<Vec<u8>, FileError> {
        let parts: Vec<Bytes> = store.read(card).await?.try_collect().await?;
        Ok(parts.concat())
    }

    fn store() -> (tempfile::TempDir, FileStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::local(folder.path()).unwrap();
        (folder, store)
    }

    fn objects(folder: &tempfile::TempDir) -> usize {
        std::fs::read_dir(folder.path()).unwrap().count()
    }

    #[tokio::test]
    async fn a_file_comes_back_as_it_went_in_and_lies_encrypted() {
        let (folder, store) = store();
        for length in [10, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 300_000] {
            let mut plain = PDF.to_vec();
            plain.resize(length, b'k');
            let file =
                store.store("Lön mars.pdf", content(&plain, 7000), FileLimits::default()).await.unwrap();
            assert_eq!(file.card.size, length as u64);
            assert_eq!(file.card.sha256, hex::encode(Sha256::digest(&plain)));
            assert_eq!(whole(&store, &file.card).await.unwrap(), plain);
            let object = std::fs::read(folder.path().join(file.card.attachment_id.to_string())).unwrap();
            assert_eq!(file.stored.stored_sha256, hex::encode(Sha256::digest(&object)));
            assert!(!object.windows(8).any(|window| window == b"kkkkkkkk"));
        }
    }

    #[tokio::test]
    async fn a_stored_file_that_was_cut_short_or_changed_is_noticed() {
        let (folder, store) = store();
        let mut plain = PDF.to_vec();
        plain.resize(2 * CHUNK + 5, b'k');
        let file = store.store("a.pdf", content(&plain, 9000), FileLimits::default()).await.unwrap();
        let path = folder.path().join(file.card.attachment_id.to_string());
        let object = std::fs::read(&path).unwrap();
        std::fs::write(&path, &object[..2 * (CHUNK + TAG)]).unwrap();
        assert!(whole(&store, &file.card).await.is_err());
        let mut changed = object.clone();
        changed[CHUNK + 100] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(whole(&store, &file.card).await.is_err());
    }

    #[tokio::test]
    async fn what_is_refused_leaves_nothing_behind() {
        let (folder, store) = store();
        let limits = FileLimits { file_bytes: 100_000, ..FileLimits::default() };
        let mut big = PDF.to_vec();
        big.resize(100_001, 0);
        for (name, bytes, code) in [
            ("tom.pdf", Vec::new(), Code::FileEmpty),
            ("stor.pdf", big, Code::FileBig),
            ("program.exe", b"MZ..".to_vec(), Code::FileType),
            ("forklädd.pdf", b"MZ not a pdf".to_vec(), Code::FileType),
            ("utan", PDF.to_vec(), Code::FileType),
        ] {
            let error = store.store(name, content(&bytes, 4096), limits).await.unwrap_err();
            assert!(matches!(error, FileError::Refused(ref error) if error.code == code), "{name}: {error}");
        }
        let broken = futures::stream::iter([Ok(Bytes::from_static(PDF)), Err("gone")]);
        assert!(matches!(store.store("a.pdf", broken, limits).await, Err(FileError::CutOff(_))));
        assert_eq!(objects(&folder), 0);
    }

    #[test]
    fn names_are_made_safe() {
        for (name, safe) in [
            ("../../etc/passwd.pdf", "passwd.pdf"),
            ("C:\\Users\\Åsa\\lön.pdf", "lön.pdf"),
            ("a\u{202e}fdp.exe", "afdp.exe"),
            ("a\u{61c}b\u{2028}c\u{2029}d\u{2066}e.pdf", "abcde.pdf"),
            ("a\0\t\u{7f}\u{9b}b.pdf", "ab.pdf"),
            ("rad\r\nbrytning.pdf", "radbrytning.pdf"),
            ("", "fil"),
            ("..", "fil"),
            (".. .", "fil"),
            (". .a.pdf ", "a.pdf"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        assert_eq!(safe_name(&format!("{}.pdf", "x".repeat(500))).chars().count(), NAME_MAX);
    }
}
