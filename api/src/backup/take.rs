//! Taking a backup, beside running servers: written aside, then renamed, so that it is whole or not there.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::AttachmentId;
use infrastructure::files::place::Place;
use infrastructure::log::postgres::PostgresLog;
use infrastructure::log::sqlite::{self, Copied, FILE, KEYS_FILE, READS_FILE, Snapshot, SqliteLog};
use infrastructure::{FileStore, log};
use tokio::runtime::Handle;

use crate::backup::{Aside, FILES, MANIFEST, Manifest, beside, sync_folder};

/// Ends the names of what is being written.
const PART: &str = ".part";
/// The folder in which the log of a database is gathered.
const GATHERED: &str = "gathered";
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

/// What a backup is taken of.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the log lies.
    pub log: log::place::Place,
    /// The folder with the keys of the installation.
    pub keys: PathBuf,
    /// Where the attached files lie.
    pub files: Place,
    /// Where what need not wait is run.
    pub runtime: Handle,
}

/// Copies log and keys, and those of the files that the log knows, to the folder `to`, as they are at one moment. The keys go
/// into the file `keys`, or beside the log. To be called where threads may wait.
///
/// # Errors
/// When the target has something in it, or something cannot be read or written; then nothing is left. In words.
pub fn take(
    source: &Source,
    to: &Path,
    keys: Option<&Path>,
    now: DateTime<Utc>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Taken> {
    ensure!(is_free(to)?, "{} is not empty; name a folder that is empty or not there", to.display());
    if let Some(keys) = keys {
        ensure!(!keys.exists(), "{} is there already; name another file for the keys", keys.display());
    }
    let path = beside(to, PART);
    fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
    let _owned = sqlite::own(&path).with_context(|| format!("another backup writes {}", path.display()))?;
    let mut aside = Aside { path: path.clone(), kept: false };
    empty(&path)?;
    let keys_part = keys.map_or_else(|| path.join(KEYS_FILE), |keys| beside(keys, PART));
    let held = format!("the log was put back from the backup of {}", time(now));
    let copied = snapshot(source, &path, tell)
        .and_then(|snapshot| copy_log(&snapshot, &source.keys, (&path.join(FILE), &keys_part), &held, tell))
        .and_then(|copied| copy_reads(source, &path, &keys_part).map(|()| copied));
    let written = copied.and_then(|copied| {
        let files = source.runtime.block_on(copy_files(&source.files, &path, &copied, tell))?;
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

/// The log as it is at one moment. That of a database is gathered in a folder beside what is written.
fn snapshot(source: &Source, part: &Path, tell: &dyn Fn(&str)) -> anyhow::Result<Snapshot> {
    match &source.log {
        log::place::Place::Sqlite(folder) => {
            source.runtime.block_on(log::copying::whole(&SqliteLog::open_read_only(folder)?))?;
            Ok(Snapshot::of(folder)?)
        }
        log::place::Place::Postgres(url) => {
            let folder = part.join(GATHERED);
            source.runtime.block_on(gather(url, &folder, tell))?;
            Ok(Snapshot::of(&folder)?)
        }
    }
}

/// Copies the log of a database, as it is at one moment, into a folder.
async fn gather(url: &str, folder: &Path, tell: &dyn Fn(&str)) -> anyhow::Result<()> {
    let from = PostgresLog::open_at_this_moment(url).await?;
    let to = SqliteLog::open(folder)?;
    let far = |position, head| tell(&format!("log: {position} of {head} events"));
    let gathered = log::copying::copy(&from, &to, &far).await;
    gathered.map(drop).context("the log could not be read to its end as it was at one moment; try again")
}

fn copy_log(
    snapshot: &Snapshot,
    keys_folder: &Path,
    to: (&Path, &Path),
    held: &str,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Copied> {
    let progress = |done: i32, all: i32| tell(&format!("log: {done} of {all} pages"));
    Ok(sqlite::copy(snapshot, keys_folder, to, held, &progress)?)
}

/// Copies the read log after the log, which tells of no row that is not there.
fn copy_reads(source: &Source, part: &Path, keys: &Path) -> anyhow::Result<()> {
    let gathered = part.join(GATHERED);
    let folder = match &source.log {
        log::place::Place::Sqlite(folder) => folder,
        log::place::Place::Postgres(_) => &gathered,
    };
    Ok(sqlite::copy_reads(folder, &part.join(READS_FILE), keys)?)
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
    let gathered = part.join(GATHERED);
    if gathered.exists() {
        fs::remove_dir_all(gathered)?;
    }
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
