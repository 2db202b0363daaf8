//! The keys that signed tokens before the one that does now: their public halves, each until the last token that it may have
//! signed has expired. They lie in a file beside the key, a line each.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::{SigningKey, VerifyingKey};

use super::KeyError;
use crate::tokens::LONGEST;

/// The file in which they lie.
pub const FORMER: &str = "token.former";
/// What is said of one that holds something else.
const WRONG: &str = "a line of it is no former key; put it back from a backup, or delete it, and tokens that were signed before \
                     token.key are refused";
/// Clocks of nodes may be apart, and a lifetime is told in whole days.
const SLACK: TimeDelta = TimeDelta::days(1);

/// A key that signed tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Its public half.
    pub key: VerifyingKey,
    /// Until when what it signed may hold.
    pub until: DateTime<Utc>,
}

impl Former {
    /// A key that signs no more from now on.
    pub fn of(key: &SigningKey, now: DateTime<Utc>) -> Self {
        Self { key: key.verifying_key(), until: now + LONGEST + SLACK }
    }

    fn line(&self) -> String {
        format!("{} {}\n", hex::encode(self.key.as_bytes()), self.until.timestamp())
    }

    fn parse(line: &str) -> Option<Self> {
        let (key, until) = line.split_once(' ')?;
        let key = <[u8; 32]>::try_from(hex::decode(key).ok()?).ok()?;
        Some(Self {
            key: VerifyingKey::from_bytes(&key).ok()?,
            until: DateTime::from_timestamp(until.parse().ok()?, 0)?,
        })
    }
}

/// Those of a folder; none where there is no file.
///
/// # Errors
/// When the file cannot be read or holds something else.
pub fn read(folder: &Path) -> Result<Vec<Former>, KeyError> {
    let path = folder.join(FORMER);
    let failed = |reason: String| KeyError::File { path: path.display().to_string(), reason };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(failed(WRONG.to_owned())),
        Err(error) => return Err(failed(error.to_string())),
    };
    let line = |line| Former::parse(line).ok_or_else(|| failed(WRONG.to_owned()));
    text.lines().map(line).collect()
}

/// Writes those of a folder, whole or not at all; none leave no file.
///
/// # Errors
/// When the file cannot be written.
pub fn write(folder: &Path, all: &[Former]) -> std::io::Result<()> {
    let path = folder.join(FORMER);
    if all.is_empty() {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => return fs::File::open(folder)?.sync_all(),
        }
    }
    let mut part = tempfile::NamedTempFile::new_in(folder)?;
    for former in all {
        part.write_all(former.line().as_bytes())?;
    }
    part.as_file().sync_all()?;
    part.persist(&path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn former_keys_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let now = DateTime::from_timestamp(1_764_150_000, 0).unwrap();
        let all = [1, 2].map(|byte| Former::of(&SigningKey::from_bytes(&[byte; 32]), now));
        assert_eq!(read(folder.path()).unwrap(), []);
        write(folder.path(), &all).unwrap();
        assert_eq!(read(folder.path()).unwrap(), all);
        assert!(all[0].until - now > LONGEST);
        write(folder.path(), &[]).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for garbage in [&b"abc 1\n"[..], b"\n", b"\xff\xfe"] {
            fs::write(folder.path().join(FORMER), garbage).unwrap();
            let wrong = read(folder.path()).unwrap_err().to_string();
            assert!(wrong.contains("token.former") && wrong.contains("delete it"), "{wrong}");
        }
    }
}
