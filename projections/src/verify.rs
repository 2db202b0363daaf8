//! Proves the read models: rebuilds them from the log in a folder of its own, up to where the living ones stand, and
//! compares (P5). Works beside a running server.

use std::path::{Path, PathBuf};

use infrastructure::{Reader, random};
use tokio::runtime::Handle;

use crate::projector::ProjectorError;
use crate::{ReadError, ReadModels, build};

/// How the names of the folders begin in which read models are built to be compared.
pub(crate) const SCRATCH: &str = "verify-";
/// What the living read models show, and what the log gives at the same position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The position at which both were read.
    pub position: u64,
    /// The digest of the living read models.
    pub shown: String,
    /// The digest of the rebuilt ones.
    pub rebuilt: String,
}

impl Verdict {
    /// Whether living and rebuilt are the same.
    pub fn is_same(&self) -> bool {
        self.shown == self.rebuilt
    }
}

/// Compares the read models of a data folder with what the log gives. Blocks: for a thread that may. `None` when the
/// folder has no read models of this version.
///
/// # Errors
/// [`ProjectorError::WentBack`] when the log does not hold the event that they stand on; or when log or files cannot be
/// read or written.
pub fn verify(folder: &Path, reader: &Reader, runtime: &Handle) -> Result<Option<Verdict>, ProjectorError> {
    let Some(shown) = ReadModels::shown(folder)? else { return Ok(None) };
    let scratch = Scratch::new(folder)?;
    build(&scratch.0, reader, runtime, shown.position)?;
    let rebuilt = ReadModels::open(&scratch.0)?;
    if rebuilt.leaf_hash()? != shown.leaf_hash {
        return Err(ProjectorError::WentBack { position: shown.position });
    }
    let rebuilt = rebuilt.digest()?;
    Ok(Some(Verdict { position: shown.position, shown: shown.digest, rebuilt }))
}

/// Whether the disk has room for read models of this size beside those that are there, and as much again.
pub(crate) fn has_room(folder: &Path, size: u64) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > 2 * size)
}

/// A folder inside the data folder, for it holds what they hold; removed when dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(folder: &Path) -> Result<Self, ReadError> {
        let path = folder.join(format!("{SCRATCH}{}", random::id()));
        std::fs::create_dir(&path)
            .map_err(|error| ReadError::Row(format!("{} cannot be made: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the rebuilt read models could not be removed");
        }
    }
}
