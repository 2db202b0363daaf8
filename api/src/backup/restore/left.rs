//! What a restore that was cut off has left in a data folder: the next one takes it away, and a server tells by it whether
//! the restore was finished.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use infrastructure::Log;
use infrastructure::keys::ALL_KEY_FILES;
use infrastructure::log::copying;
use infrastructure::log::sqlite::{FILE, LOCK, READS_FILE, SqliteLog};

use crate::backup::{FILES, remove_folder, sync_folder};

/// The folder in which a restore builds; it goes when the restore ends.
pub(super) const RESTORING: &str = "restoring";
/// Its name from when files and keys are in their place and only the log in the database is wanting. Of what is in it
/// `log.db` goes last, and only when the restore was done or all of it is taken away.
pub(super) const PUT: &str = "restored";

/// Makes sure that the data folder is empty; what a restore that was cut off has left is removed, but only where there is
/// nothing else: a server has been at work in a folder with anything more.
pub(super) fn clear(data: &Path) -> anyhow::Result<()> {
    let cut_off = [RESTORING, PUT].iter().any(|name| data.join(name).exists());
    let mut left: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        if path.ends_with(LOCK) || (path.is_dir() && fs::read_dir(&path)?.next().is_none()) {
            continue;
        }
        left.push(path);
    }
    let is_left = |path: &Path| {
        let ours = [RESTORING, PUT, FILES, READS_FILE];
        ours.iter().chain(&ALL_KEY_FILES).any(|name| path == data.join(name))
    };
    if let Some(path) = left.iter().find(|path| !cut_off || !is_left(path)) {
        bail!(
            "{} is not empty: it has {}. Move it aside, or name another folder with --data",
            data.display(),
            path.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    let [restoring, put] = [RESTORING, PUT].map(|name| data.join(name));
    if put.exists() && !restoring.exists() {
        // It says that everything is there, which is not so from here on.
        fs::rename(&put, &restoring)?;
        sync_folder(data)?;
    }
    // Until the rest is gone it tells what that is.
    left.retain(|path| *path != put && *path != restoring);
    left.push(restoring);
    left.iter().filter(|path| path.exists()).try_for_each(|path| remove(path))
}

/// A server is about to work in its folder, on a log in a database. A restore that was killed after its commit was done, for
/// everything else was in its place before; what it has left is removed.
///
/// # Errors
/// When a restore was cut off before its commit, in words; or what it has left cannot be removed.
pub async fn settle(data: &Path, log: &dyn Log) -> anyhow::Result<()> {
    let [restoring, put] = [RESTORING, PUT].map(|name| data.join(name));
    // Everything in it was moved to its place.
    let _ = fs::remove_dir(&restoring);
    ensure!(
        !restoring.exists(),
        "a restore was not finished: {} is there, and files or keys may be missing here. Run `kundwebb restore` again, into \
         an empty database; or, if another restore has brought the log there, start in the folder of that one",
        restoring.display()
    );
    if !put.exists() {
        return Ok(());
    }
    if put.join(FILE).exists() {
        ensure!(
            !copying::is_empty(log).await?,
            "a restore was not finished: {} is there and the log is empty; run `kundwebb restore` again",
            put.display()
        );
        ensure!(
            holds(log, &put).await?,
            "a restore was not finished, and the log is another than that of {}: files and keys of this folder are not its \
             own. Start in the folder that belongs to the log, or run `kundwebb restore` again, into an empty database",
            put.display()
        );
    }
    tracing::info!("what a restore has left that was killed when it was done is removed");
    remove(&put)
}

/// Whether a log holds the end of the one that was being restored.
async fn holds(log: &dyn Log, put: &Path) -> anyhow::Result<bool> {
    let end = SqliteLog::open_read_only(put)?.head().await?;
    let Some(before) = end.position.checked_sub(1) else { return Ok(true) };
    Ok(log.events_after(before, 1).await?.first().is_some_and(|event| event.leaf_hash == end.leaf_hash))
}

fn remove(path: &Path) -> anyhow::Result<()> {
    if path.is_dir() { remove_folder(path) } else { Ok(fs::remove_file(path)?) }
        .with_context(|| format!("{} cannot be removed", path.display()))
}
