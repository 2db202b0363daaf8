//! What a restore that was cut off has left in a data folder: the next one takes it away, and a server tells by it whether
//! the restore was finished.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use infrastructure::Log;
use infrastructure::keys::ALL_KEY_FILES;
use infrastructure::log::copying;
use infrastructure::log::sqlite::{LOCK, SqliteLog};

use crate::backup::FILES;

/// The folder in which a restore builds; it goes when the restore ends.
pub(super) const RESTORING: &str = "restoring";

/// Makes sure that the data folder is empty; what a restore that was cut off has left is removed, but only where there is
/// nothing else: a server has been at work in a folder with anything more.
pub(super) fn clear(data: &Path) -> anyhow::Result<()> {
    let cut_off = data.join(RESTORING).exists();
    let mut left: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.ends_with(LOCK) || (path.is_dir() && fs::read_dir(&path)?.next().is_none()) {
            continue;
        }
        left.push(path);
    }
    let is_left =
        |path: &Path| [RESTORING, FILES].iter().chain(&ALL_KEY_FILES).any(|name| path == data.join(name));
    if let Some(path) = left.iter().find(|path| !cut_off || !is_left(path)) {
        bail!(
            "{} is not empty: it has {}. Move it aside, or name another folder with --data",
            data.display(),
            path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    // Until the rest is gone it tells what that is.
    left.sort_by_key(|path| path.ends_with(RESTORING));
    left.iter().try_for_each(|path| remove(path))
}

/// A server is about to work in its folder, on a log in a database. A restore that was killed after its commit was done, for
/// everything else was in its place before; what it has left is removed.
///
/// # Errors
/// When a restore was cut off before its commit, in words; or what it has left cannot be removed.
pub async fn settle(data: &Path, keys: &Path, log: &dyn Log) -> anyhow::Result<()> {
    let restoring = data.join(RESTORING);
    if !restoring.exists() {
        return Ok(());
    }
    ensure!(
        !copying::is_empty(log).await?,
        "a restore was not finished: {} is there and the log is empty; run `kundwebb restore` again",
        restoring.display()
    );
    ensure!(
        holds(log, &restoring).await?,
        "a restore was not finished, and the log is by now another than that of {}; empty the database and run \
         `kundwebb restore` again, or move that folder aside",
        restoring.display()
    );
    // The log may have come there by another restore, of the same backup.
    ensure!(
        is_put(&restoring, keys),
        "a restore was not finished: files or keys are still in {}, though the log is there; move that folder aside, and put \
         them where they belong",
        restoring.display()
    );
    tracing::info!("what a restore has left that was killed when it was done is removed");
    remove(&restoring)
}

/// Whether a log holds the end of the one that was being restored.
async fn holds(log: &dyn Log, restoring: &Path) -> anyhow::Result<bool> {
    let Ok(restored) = SqliteLog::open_read_only(restoring) else { return Ok(false) };
    // Of one that was only begun there is nothing to read.
    let Ok(end) = restored.head().await else { return Ok(false) };
    let Some(before) = end.position.checked_sub(1) else { return Ok(false) };
    Ok(log.events_after(before, 1).await?.first().is_some_and(|event| event.leaf_hash == end.leaf_hash))
}

/// Whether what a restore puts in its place before it writes the log is there.
fn is_put(restoring: &Path, keys: &Path) -> bool {
    let same = |name| fs::read(keys.join(name)).ok() == fs::read(restoring.join(name)).ok();
    !restoring.join(FILES).exists() && ALL_KEY_FILES.iter().all(same)
}

fn remove(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
        .with_context(|| format!("{} cannot be removed", path.display()))
}
