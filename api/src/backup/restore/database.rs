//! Where the log lies in a database: the backup, built and proven in a folder, is written into it, all of it or nothing. What
//! else belongs to the installation is put in its place before, so that with the log it is one that starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use infrastructure::keys::ALL_KEY_FILES;
use infrastructure::log::copying;
use infrastructure::log::place::Place;
use infrastructure::log::sqlite::SqliteLog;
use infrastructure::{Log, LogError};

use crate::Config;
use crate::backup::restore::left::{PUT, RESTORING};
use crate::backup::{Aside, FILES, copy_file, sync_folder};

/// An empty database.
pub(super) struct Database {
    log: Arc<dyn Log>,
    place: Place,
}

impl Database {
    /// The database at a place, which must hold no log.
    pub(super) async fn empty(place: Place, data: &Path) -> anyhow::Result<Self> {
        let log = place.open_without_node().await?;
        let put = if data.join(PUT).exists() {
            ". If it came there by a restore that was cut off at its end, that was done: start the server"
        } else {
            ""
        };
        ensure!(
            copying::is_empty(log.as_ref()).await?,
            "{place} holds a log already; name an empty database with --log{put}"
        );
        Ok(Self { log, place })
    }

    /// Writes what was built into it. When that fails, nothing is left of it; where it is not known whether it has, everything
    /// stays as it is, also what was built.
    pub(super) async fn fill(
        self,
        config: &Config,
        built: &mut Aside,
        tell: &dyn Fn(&str),
    ) -> anyhow::Result<()> {
        let mut put = Put::default();
        put.all(config, &built.path)?;
        built.rename(config.data.join(PUT))?;
        let written = self.write(&mut put, built, tell).await;
        if !put.kept {
            // Before anything of it is taken away.
            built.rename(config.data.join(RESTORING))?;
        }
        written
    }

    async fn write(&self, put: &mut Put, built: &mut Aside, tell: &dyn Fn(&str)) -> anyhow::Result<()> {
        let place = &self.place;
        let from = SqliteLog::open_read_only(&built.path)?;
        let far = |position, head| tell(&format!("{place}: {position} of {head} events"));
        match copying::copy_at_once(&from, self.log.as_ref(), &far).await {
            Err(LogError::Unknown(reason)) => match self.holds().await {
                Ok(true) => tell(&format!("{place}: the answer to the commit was lost; the log is there")),
                Ok(false) => bail!("the log could not be written into {place}: {reason}"),
                Err(error) => {
                    (put.kept, built.kept) = (true, true);
                    return Err(error).with_context(|| unknown(place));
                }
            },
            written => drop(written.with_context(|| format!("the log could not be written into {place}"))?),
        }
        put.kept = true;
        self.prove(&from).await.with_context(|| {
            format!("the log was written into {place}, but not proven: run `kundwebb log verify`")
        })
    }

    /// Whether it holds a log, asked on new connections, and under the log's lock: one whose commit is under way has that.
    async fn holds(&self) -> Result<bool, LogError> {
        let log = self.place.open_without_node().await?;
        let mut writer = log.writer().await?;
        writer.begin().await?;
        let empty = copying::is_empty(log.as_ref()).await;
        writer.rollback().await;
        Ok(!empty?)
    }

    /// Proves that it holds what was built; once more on new connections where one was lost.
    async fn prove(&self, from: &SqliteLog) -> Result<(), LogError> {
        match copying::same(from, self.log.as_ref()).await {
            Err(LogError::Unavailable(_)) => {
                copying::same(from, self.place.open_without_node().await?.as_ref()).await
            }
            proven => proven,
        }
    }
}

/// What is said when a commit was not answered and the database cannot be asked.
fn unknown(place: &Place) -> String {
    format!(
        "it is not known whether the log was written into {place}; what was put into the folder stays. When the database \
         answers, run `kundwebb log verify`: if the log is there, the restore is done; if not, run it again"
    )
}

/// Refuses to put the keys where another installation's lie.
pub(super) fn keys_fit(built: &Path, folder: &Path) -> anyhow::Result<()> {
    for name in ALL_KEY_FILES {
        let there = folder.join(name);
        ensure!(
            !there.exists() || fs::read(&there).ok() == fs::read(built.join(name)).ok(),
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
        for name in ALL_KEY_FILES {
            let place = keys.join(name);
            if !place.exists() && built.join(name).exists() {
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
