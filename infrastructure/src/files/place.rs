//! Where stored files lie: in a folder, or in a bucket of an S3-compatible storage.

use std::fmt;
use std::path::{Path, PathBuf};

/// The folder of the stored files in a data folder.
pub const FOLDER: &str = "files";
/// Begins the address of a bucket.
const S3: &str = "s3://";

/// Where stored files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In `files/` of this data folder, which belongs to one process.
    Data(PathBuf),
    /// In this folder, which several nodes may share.
    Folder(PathBuf),
    /// In a bucket. How it is reached is told by the usual environment variables.
    Bucket {
        /// The name of the bucket.
        bucket: String,
        /// Begins the names of the objects; may be empty.
        prefix: String,
    },
}

/// An address of stored files that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is no place for files; write `local` (files/ of the data folder), local:FOLDER (a folder that all nodes see) or \
     s3://BUCKET/PREFIX"
)]
pub struct UnknownPlace(String);

impl Place {
    /// Reads `local` (in the data folder), `local:FOLDER` or `s3://BUCKET/PREFIX`, the prefix being optional.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str, data: &Path) -> Result<Self, UnknownPlace> {
        let unknown = || UnknownPlace(text.to_owned());
        if let Some(address) = text.strip_prefix(S3) {
            let (bucket, prefix) = address.split_once('/').unwrap_or((address, ""));
            let (bucket, prefix) = (bucket.to_owned(), prefix.trim_matches('/').to_owned());
            return if bucket.is_empty() { Err(unknown()) } else { Ok(Self::Bucket { bucket, prefix }) };
        }
        match text.split_once(':') {
            None if text == "local" => Ok(Self::Data(data.to_path_buf())),
            Some(("local", folder)) if !folder.is_empty() => Ok(Self::Folder(folder.into())),
            _ => Err(unknown()),
        }
    }

    /// The folder, where it is one.
    pub fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Data(data) => Some(data.join(FOLDER)),
            Self::Folder(folder) => Some(folder.clone()),
            Self::Bucket { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Data(data) => write!(f, "{}", data.join(FOLDER).display()),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Bucket { bucket, prefix } if prefix.is_empty() => write!(f, "{S3}{bucket}"),
            Self::Bucket { bucket, prefix } => write!(f, "{S3}{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_told() {
        let read = |text: &str| Place::parse(text, Path::new("data"));
        for (text, told) in [
            ("local", "data/files"),
            ("local:/srv/files", "/srv/files"),
            ("s3://bucket", "s3://bucket"),
            ("s3://bucket/", "s3://bucket"),
            ("s3://bucket/a/b/", "s3://bucket/a/b"),
        ] {
            assert_eq!(read(text).unwrap().to_string(), told);
        }
        assert_eq!(read("s3://b/c").unwrap().folder(), None);
        for wrong in ["", "s3://", "s3:///a", "local:", "files", "https://host/bucket", "S3://b"] {
            assert!(read(wrong).unwrap_err().to_string().contains("s3://BUCKET"), "{wrong}");
        }
    }
}
