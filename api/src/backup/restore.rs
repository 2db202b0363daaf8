//! Putting a backup back into an empty data folder: built aside, proven whole, then moved to its place, the log last. Where
//! the log lies in a database it is written into that, in one transaction.

mod database;
mod left;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use domain::AttachmentId;
use futures::TryStreamExt;
use infrastructure::files::place::Place;
use infrastructure::log::sqlite::{self, FILE, KEYS_FILE, READS_FILE, SqliteLog};
use infrastructure::upkeep::HELD;
use infrastructure::{FileStore, Log};

use crate::Config;
use crate::backup::restore::database::{Database, keys_fit};
use crate::backup::restore::left::{RESTORING, clear};
use crate::backup::{Aside, FILES, Manifest, copy_file, sync_folder};
use crate::cli::log;
use crate::named_files::NamedFiles;

pub use left::settle;

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What the backup was.
    pub manifest: Manifest,
    /// Files that cases name but the backup does not hold as they were.
    pub wrong: Vec<AttachmentId>,
}

/// Puts the backup `from`, with its keys in `keys` or beside its log, to where the settings say: into the data folder, or the
/// log into an empty database. Its mails are held.
///
/// # Errors
/// When a process uses the data folder, it or the database has something in it, or the backup is not whole; then nothing has
/// changed. When the database is lost at the end, it may hold the log; then everything stays. In words.
pub async fn restore(
    config: &Config,
    from: &Path,
    keys: Option<&Path>,
    tell: &dyn Fn(&str),
) -> anyhow::Result<Restored> {
    let data = &config.data;
    let manifest = Manifest::read(from)?;
    let keys = keys.map_or_else(|| from.join(KEYS_FILE), Path::to_path_buf);
    ensure!(
        keys.is_file(),
        "the keys of the backup are not at {}; without them nothing in it can be read. Name them with --keys",
        keys.display()
    );
    let place = config.log_place()?;
    let shared = place.is_shared();
    let database = if shared { Some(Database::empty(place, data).await?) } else { None };
    fs::create_dir_all(data).with_context(|| format!("{} cannot be made", data.display()))?;
    let _owned = sqlite::own(data)?;
    clear(data)?;
    let mut aside = Aside { path: data.join(RESTORING), kept: false };
    fs::create_dir_all(&aside.path)?;
    tell("copying the log and its keys");
    ensure!(copy_file(&from.join(FILE), &aside.path.join(FILE))?, "{} has no {FILE}", from.display());
    // One that was taken before there was a read log has none.
    copy_file(&from.join(READS_FILE), &aside.path.join(READS_FILE))?;
    sqlite::put_back_keys(&aside.path, &keys)?;
    prove(config, &aside.path, &manifest, tell).await?;
    if shared {
        keys_fit(&aside.path, config.keys_folder())?;
    }
    tell("copying the files");
    let files = match config.files_place()? {
        Place::Data(_) => FileStore::local(&aside.path.join(FILES))?,
        elsewhere => FileStore::open(&elsewhere)?,
    };
    copy_files(&from.join(FILES), &files).await?;
    tell("verifying the files");
    let wrong = wrong_files(&SqliteLog::open_read_only(&aside.path)?, &files).await?;
    match database {
        None => move_to(&aside.path, data)?,
        Some(database) => database.fill(config, &mut aside, tell).await?,
    }
    Ok(Restored { manifest, wrong })
}

/// Puts the files of the backup into the store that is in use.
async fn copy_files(from: &Path, to: &FileStore) -> anyhow::Result<()> {
    ensure!(from.is_dir(), "{} cannot be read", from.display());
    let from = FileStore::local(from)?;
    let mut objects = from.objects();
    while let Some(object) = objects.try_next().await? {
        to.take(&from, object.id, None).await?;
    }
    Ok(())
}

/// Proves that what was built is the log of the backup, whole: its end, all of it, and the hold.
async fn prove(
    config: &Config,
    folder: &Path,
    manifest: &Manifest,
    tell: &dyn Fn(&str),
) -> anyhow::Result<()> {
    let built = Config { data: folder.to_path_buf(), log: "sqlite".to_owned(), ..config.clone() };
    let read = SqliteLog::open_read_only(folder)?;
    ensure!(
        manifest.is_end(read.head().await?),
        "the log does not end where backup.json says; the backup was changed after it was taken"
    );
    ensure!(read.meta(HELD).await?.is_some(), "the log of the backup does not hold its mails");
    tell("verifying the log");
    let mut said = Vec::new();
    let code = log::run(&built, log::Command::Verify, &mut said, tell).await?;
    if code == ExitCode::from(log::verify::ONLY_READS) {
        // Rows that were lost before it was taken do not come back by refusing it.
        tell(&format!("the read log of the backup is damaged\n{}", String::from_utf8_lossy(&said)));
    } else if code != ExitCode::SUCCESS {
        bail!("the log of the backup is damaged\n{}", String::from_utf8_lossy(&said));
    }
    Ok(())
}

/// The attached files that are not there or not what the log says.
async fn wrong_files(log: &dyn Log, store: &FileStore) -> anyhow::Result<Vec<AttachmentId>> {
    let (mut named, mut wrong) = (NamedFiles::of(log), Vec::new());
    while let Some(files) = named.next().await? {
        for (id, file) in files {
            if store.digest(id).await?.as_ref() != Some(&file.stored_sha256) {
                wrong.push(id);
            }
        }
    }
    Ok(wrong)
}

/// Moves what was built to its place; the log last, because with it the folder is one that starts.
fn move_to(from: &Path, to: &Path) -> anyhow::Result<()> {
    let mut names: Vec<_> =
        fs::read_dir(from)?.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<_>>()?;
    names.sort_by_key(|name| name == FILE);
    sync_folder(from)?;
    for name in names {
        let place = to.join(&name);
        if place.is_dir() {
            fs::remove_dir(&place)?;
        }
        fs::rename(from.join(&name), place)?;
    }
    sync_folder(to)
}
