//! What the domain knows of files: the receipt of a stored file, and how much may be attached.

use serde::{Deserialize, Serialize};

use crate::ids::AttachmentId;
use crate::refusal::{Code, FieldError};
use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a virus scanner says of a file.
    Scan {
        /// Nothing yet: it was away or slow when the file came. Nobody may open the file before it has answered.
        Waiting = "waiting",
        /// Nothing was found in it.
        Clean = "clean",
        /// Malicious code.
        Infected = "infected",
        /// It is locked with a password, so that nobody but who knows it can look into it.
        Locked = "locked",
        /// More is packed in it than a scanner looks at.
        TooComplex = "too-complex",
    }
}

impl Scan {
    /// Whether a file of which this is said may be opened.
    pub const fn may_open(self) -> bool {
        matches!(self, Self::Clean)
    }

    /// Why a file of which this is said cannot be attached.
    pub const fn refusal(self) -> Option<Code> {
        match self {
            Self::Waiting | Self::Clean => None,
            Self::Infected => Some(Code::FileVirus),
            Self::Locked => Some(Code::FilePassword),
            Self::TooComplex => Some(Code::FileComplex),
        }
    }
}

/// The part of a file that may be kept for ever: what is stored, not what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredFile {
    /// Size of the plain file in bytes.
    pub size: u64,
    /// SHA-256 of the encrypted object, hexadecimal.
    pub stored_sha256: String,
    /// What the scanner said when the file came in; none where there was no scanner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
}

/// The personal part of a file, sealed with the event that attaches it. Holds the file's own key, so that the
/// file dies with the key of its case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileCard {
    /// The attachment.
    pub attachment_id: AttachmentId,
    /// The name that the person's file had, made safe.
    pub file_name: String,
    /// The type found in the content.
    pub media_type: String,
    /// Size of the plain file in bytes.
    pub size: u64,
    /// SHA-256 of the plain file, hexadecimal.
    pub sha256: String,
    /// The key of the encrypted object, base64.
    pub key: String,
}

/// The receipt of a file that has been uploaded and may be attached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedFile {
    /// What may be kept for ever.
    pub stored: StoredFile,
    /// What is sealed.
    pub card: FileCard,
}

/// How much may be attached; settings of the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// Largest file, bytes.
    pub file_bytes: u64,
    /// Most files in one command.
    pub files_at_once: usize,
    /// Largest sum of the files of a case, bytes.
    pub case_bytes: u64,
}

/// One megabyte as people count it in file sizes.
pub const MEGABYTE: u64 = 1_000_000;

impl Default for FileLimits {
    fn default() -> Self {
        Self { file_bytes: 25 * MEGABYTE, files_at_once: 10, case_bytes: 50 * MEGABYTE }
    }
}

impl FileLimits {
    /// Checks the files of one command against what the case already holds.
    ///
    /// # Errors
    /// `file.many` or `file.total`.
    pub fn check(&self, files: &[UploadedFile], already_bytes: u64) -> Result<(), FieldError> {
        if files.len() > self.files_at_once {
            return Err(FieldError::new("/attachments", Code::FileMany).with("max", self.files_at_once));
        }
        let total = files.iter().map(|file| file.stored.size).fold(already_bytes, u64::saturating_add);
        if total > self.case_bytes {
            return Err(FieldError::new("/attachments", Code::FileTotal)
                .with("mb", megabytes(total))
                .with("max", self.case_bytes / MEGABYTE));
        }
        Ok(())
    }
}

/// A size in megabytes with one decimal, rounded up, so that what is over a limit never reads as the limit.
/// The decimal mark is a comma in Swedish and is replaced by the English texts.
pub fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(MEGABYTE / 10);
    format!("{},{}", tenths / 10, tenths % 10)
}
