//! Backups: a folder with the log of one moment, the files that it knows, and the keys in a file of their own, which
//! may be kept elsewhere and forgotten sooner: without it nothing personal in the backup can be read.

pub mod restore;
pub mod take;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use infrastructure::log::Head;
use infrastructure::log::sqlite::FILE;
use serde::{Deserialize, Serialize};

pub use restore::restore;
pub use take::{Source, take};

/// The name of the file that says what a backup is.
const MANIFEST: &str = "backup.json";
/// The folder of the stored files.
const FILES: &str = "files";

/// What a backup is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The version of the program that took it.
    pub program: String,
    /// When it was taken.
    pub taken_at: DateTime<Utc>,
    /// The position of the last event.
    pub position: u64,
    /// The hash of the last event.
    pub leaf_hash: String,
    /// How many keys of streams its key file holds.
    pub keys: u64,
    /// How many files it holds.
    pub files: usize,
}

impl Manifest {
    /// Reads that of a backup.
    ///
    /// # Errors
    /// When the folder is no backup; in words.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(MANIFEST);
        let text = fs::read(&path)
            .with_context(|| format!("{} is no backup: {MANIFEST} cannot be read", folder.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    fn is_end(&self, head: Head) -> bool {
        head.position == self.position && hex::encode(head.leaf_hash) == self.leaf_hash
    }
}

/// A path with something added to its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    path.with_file_name(name)
}

/// Copies a file durably. False when it is not there.
fn copy_file(from: &Path, to: &Path) -> anyhow::Result<bool> {
    match fs::copy(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !from.exists() => Ok(false),
        copied => {
            copied.with_context(|| format!("{} cannot be copied to {}", from.display(), to.display()))?;
            File::open(to)?.sync_all()?;
            Ok(true)
        }
    }
}

fn sync_folder(folder: &Path) -> anyhow::Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}

/// Removes a folder and what is in it when it is dropped, unless it was kept: so nothing half is left.
struct Aside {
    path: PathBuf,
    kept: bool,
}

impl Aside {
    /// Gives the folder another place beside.
    fn rename(&mut self, path: PathBuf) -> anyhow::Result<()> {
        fs::rename(&self.path, &path).with_context(|| format!("{} cannot be made", path.display()))?;
        self.path = path;
        sync_folder(self.path.parent().unwrap_or(&self.path))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = remove_folder(&self.path)
        {
            tracing::warn!(%error, folder = %self.path.display(), "what was begun could not be removed");
        }
    }
}

/// Removes a folder with a log: that last, so that whoever is cut off here leaves what tells what it is, or nothing of it.
fn remove_folder(path: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_name() != FILE {
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }?;
        }
    }
    sync_folder(path)?;
    Ok(fs::remove_dir_all(path)?)
}
