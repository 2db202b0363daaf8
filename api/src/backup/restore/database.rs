//! Where the log lies in a database: the backup, built and proven in a folder, is written into it, all of it or nothing. What
//! else belongs to the installation is put in its place before, so that with the log it is one that starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use infrastructure::Log;
use infrastructure::keys::KEY_FILES;
use infrastructure::log::copying;
use infrastructure::log::place::Place;
use infrastructure::log::sqlite::SqliteLog;

use crate::Config;
use crate::backup::{FILES, copy_file, sync_folder};

/// An empty database.
pub(super) struct Database {
    log: Arc<dyn Log>,
    shown: String,
}

impl Database {
    /// The database at a place, which must hold no log.
    pub(super) async fn empty(place: &Place) -> anyhow::Result<Self> {
        let log = place.open_without_node().await?;
        ensure!(
            copying::is_empty(log.as_ref()).await?,
            "{place} holds a log already; name an empty database with --log"
        );
        Ok(Self { log, shown: place.to_string() })
    }

    /// Writes what was built into it. When that fails, nothing is left of it.
    pub(super) async fn fill(self, config: &Config, built: &Path, tell: &dyn Fn(&str)) -> anyhow::Result<()> {
        let mut put = Put::default();
        put.all(config, built)?;
        let from = SqliteLog::open_read_only(built)?;
        let far = |position, head| tell(&format!("{}: {position} of {head} events", self.shown));
        copying::copy_at_once(&from, self.log.as_ref(), &far)
            .await
            .with_context(|| format!("the log could not be written into {}", self.shown))?;
        put.kept = true;
        Ok(())
    }
}

/// Refuses to put the keys where another installation's lie.
pub(super) fn keys_fit(built: &Path, folder: &Path) -> anyhow::Result<()> {
    for name in KEY_FILES {
        let there = folder.join(name);
        ensure!(
            !there.exists() || fs::read(&there)? == fs::read(built.join(name))?,
            "{} is another key than the backup's; move it aside, or name another folder with the setting `keys`",
            there.display()
        );
    }
    Ok(())
}

/// What was put in its place; it is taken away again unless it is kept.
#[derive(Default)]
struct Put {
    paths: Vec<PathBuf>,
    kept: bool,
}

impl Put {
    /// Moves the files, where they belong into the data folder, and copies the keys, where they are not there yet.
    fn all(&mut self, config: &Config, built: &Path) -> anyhow::Result<()> {
        let (files, place) = (built.join(FILES), config.data.join(FILES));
        if files.exists() {
            if place.is_dir() {
                fs::remove_dir(&place)?;
            }
            fs::rename(files, &place)?;
            self.paths.push(place);
            sync_folder(&config.data)?;
        }
        let keys = config.keys_folder();
        fs::create_dir_all(keys).with_context(|| format!("{} cannot be made", keys.display()))?;
        for name in KEY_FILES {
            let place = keys.join(name);
            if !place.exists() {
                self.paths.push(place.clone());
                copy_file(&built.join(name), &place)?;
            }
        }
        sync_folder(keys)
    }
}

impl Drop for Put {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        for path in &self.paths {
            let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
            if let Err(error) = removed {
                tracing::warn!(%error, path = %path.display(), "what was put there could not be removed");
            }
        }
    }
}
