//! Taking a backup, beside a running server: written aside, then renamed, so that it is whole or not there.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::AttachmentId;
use infrastructure::FileStore;
use infrastructure::files::place::Place;
use infrastructure::log::sqlite::{self, Copied, FILE, KEYS_FILE, Snapshot};
use tokio::runtime::Handle;

use crate::backup::{Aside, FILES, MANIFEST, Manifest, beside, sync_folder};

/// Ends the names of what is being written.
const PART: &str = ".part";
/// Tells of the files copied after so many.
const TELL_FILES: usize = 1_000;

/// What was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the backup is.
    pub manifest: Manifest,
    /// Where its keys lie.
    pub keys: PathBuf,
    /// Files that cases name but the file store does not hold.
    pub missing: Vec<AttachmentId>,
}

/// Copies log and keys of the data folder, and those of its `files` that the log knows, to the folder `to`, as they are at one
/// moment. The keys go into the file `keys`, or beside the log. To be called where threads may wait.
///
/// # Errors
/// When the target has something in it, or something cannot be read or written; then nothing is left. In words.
pub fn take(
    (data, files, runtime): (&Path, &Place, &Handle),
    to: &Path,
    keys: Option<&Path>,
    now: DateTime<Utc>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Taken> {
    ensure!(is_free(to)?, "{} is not empty; name a folder that is empty or not there", to.display());
    if let Some(keys) = keys {
        ensure!(!keys.exists(), "{} is there already; name another file for the keys", keys.display());
    }
    let snapshot = Snapshot::of(data)?;
    let path = beside(to, PART);
    fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    let _owned = sqlite::own(&path).with_context(|| format!("another backup writes {}", path.display()))?;
    let mut aside = Aside { path: path.clone(), kept: false };
    empty(&path)?;
    let keys_part = keys.map_or_else(|| path.join(KEYS_FILE), |keys| beside(keys, PART));
    let held = format!("the log was put back from the backup of {}", time(now));
    let copied = copy_log(&snapshot, data, (&path.join(FILE), &keys_part), &held, tell);
    let written = copied.and_then(|copied| {
        let files = runtime.block_on(copy_files(files, &path, &copied, tell))?;
        finish(&path, &copied, files, now)
    });
    let put = written.and_then(|(manifest, missing)| {
        if let Some(keys) = keys {
            fs::rename(&keys_part, keys)?;
            sync_folder(parent(keys))?;
        }
        if to.exists() {
            fs::remove_dir(to)?;
        }
        fs::rename(&path, to)?;
        sync_folder(parent(to))?;
        let keys = keys.map_or_else(|| to.join(KEYS_FILE), Path::to_path_buf);
        Ok(Taken { manifest, keys, missing })
    });
    aside.kept = put.is_ok();
    if put.is_err() && keys.is_some() {
        drop(fs::remove_file(&keys_part));
    }
    put
}

/// Whether a backup may be put there.
fn is_free(to: &Path) -> anyhow::Result<bool> {
    match fs::read_dir(to) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("{} cannot be used", to.display())),
    }
}

/// Removes what a backup that was killed has left; the lock is ours.
fn empty(part: &Path) -> anyhow::Result<()> {
    for entry in fs::read_dir(part)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if !path.ends_with(sqlite::LOCK) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn copy_log(
    snapshot: &Snapshot,
    data: &Path,
    to: (&Path, &Path),
    held: &str,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Copied> {
    let progress = |done: i32, all: i32| tell(&format!("log: {done} of {all} pages"));
    Ok(sqlite::copy(snapshot, data, to, held, &progress)?)
}

/// Copies the files that the log knows. Gives how many there were, and those that cases name but nobody holds.
async fn copy_files(
    from: &Place,
    part: &Path,
    copied: &Copied,
    tell: &dyn Fn(&str),
) -> anyhow::Result<(usize, Vec<AttachmentId>)> {
    let from = &FileStore::open(from)?;
    let to = FileStore::local(&part.join(FILES))?;
    let all = copied.attached.len() + copied.staged.len();
    let (mut files, mut missing) = (0, Vec::new());
    for (count, id) in copied.attached.iter().chain(&copied.staged).enumerate() {
        if to.take(from, *id, None).await?.is_some() {
            files += 1;
        } else if count < copied.attached.len() {
            missing.push(*id);
        }
        if (count + 1) % TELL_FILES == 0 {
            tell(&format!("files: {} of {all}", count + 1));
        }
    }
    sync_folder(&part.join(FILES))?;
    Ok((files, missing))
}

/// Says what the backup is.
fn finish(
    part: &Path,
    copied: &Copied,
    (files, missing): (usize, Vec<AttachmentId>),
    now: DateTime<Utc>,
) -> anyhow::Result<(Manifest, Vec<AttachmentId>)> {
    let manifest = Manifest {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: now,
        position: copied.head.position,
        leaf_hash: hex::encode(copied.head.leaf_hash),
        keys: copied.keys,
        files,
    };
    let mut file = File::create(part.join(MANIFEST))?;
    file.write_all(&serde_json::to_vec_pretty(&manifest)?)?;
    file.sync_all()?;
    fs::remove_file(part.join(sqlite::LOCK))?;
    sync_folder(part)?;
    Ok((manifest, missing))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A time in words, to the second.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
