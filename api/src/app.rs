//! The application: everything that a handler needs to run one command or one query.

pub mod callers;
pub mod commands;
pub mod drafts;
pub mod form_files;
pub mod positions;
pub mod room;
pub mod sessions;
pub mod uploads;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use infrastructure::committer::Settings;
use infrastructure::keys::Keys;
use infrastructure::log::sqlite::SqliteLog;
use infrastructure::tokens::Tokens;
use infrastructure::{Clock, Committer, FileStore, Log, Reader, log_feed, startup};
use projections::{Projector, ReadError, ReadModels};
use rusqlite::Connection;
use tokio::runtime::Handle;

use crate::config::Config;
use crate::mail::Post;
use crate::reactions::Board;
pub use callers::Caller;
pub use commands::Command;
pub use positions::NotShown;

/// How long closing waits for what is queued.
const CLOSING: Duration = Duration::from_secs(3);

/// The application; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What it is made of.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The time.
    pub clock: Clock,
    /// The keys.
    pub keys: Arc<Keys>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The log, opened.
    pub reader: Reader,
    /// The way to write.
    pub committer: Committer,
    /// The read models.
    pub read_models: Arc<ReadModels>,
    /// Stored files.
    pub files: FileStore,
    /// The way out for mails.
    pub mail: Post,
    /// How the reactions stand.
    pub reactions: Board,
    /// Bearer tokens.
    pub tokens: Tokens,
    /// Room for bodies that come in.
    pub room: room::Room,
    /// What this node has acknowledged to whom.
    positions: positions::Positions,
    /// Whose profile this node has recorded.
    met: callers::Met,
    /// Why the read models have stopped.
    stopped: Arc<Mutex<Option<String>>>,
    /// The data folder.
    pub data: PathBuf,
    /// The committer and the projector.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Opens the data folder, checks keys and log, and starts the committer and the projector.
    ///
    /// # Errors
    /// When the folder belongs to another process, the keys are not the log's, or the log went back; in words.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        let data = config.data.clone();
        let (log, keys) = open(&config).await?;
        let reader = Reader { log: Arc::clone(&log), keys: Arc::clone(&keys) };
        let (mut feed, publish) = log_feed(reader.clone(), Handle::current());
        let settings =
            Settings { clock: clock.clone(), keys: Arc::clone(&keys), limits: config.limits(), publish };
        if let Some(words) = startup::ahead(log.head().await?, clock.now()) {
            tracing::error!("{words}");
        }
        let read_models = Arc::new(read_models(&data, &reader).await?);
        let projector = Projector::new(Arc::clone(&read_models));
        let stopped = projector.stopped();
        let checked =
            tokio::task::spawn_blocking(move || projector.check(&mut feed).map(|()| (projector, feed)));
        let (projector, feed) = checked.await??;
        let (committer, committing) = Committer::start(Arc::clone(&log), settings)?;
        let projecting = std::thread::Builder::new().name("projector".to_owned());
        let projecting = projecting.spawn(move || projector.run(feed))?;
        let app = Self(Arc::new(Parts {
            files: FileStore::local(&data.join("files"))?,
            tokens: Tokens::new(&keys)?,
            mail: Post::new(&config)?,
            reactions: Board::default(),
            room: room::Room::of(config.web.body_mb.saturating_mul(1 << 20)),
            config,
            clock,
            keys,
            log,
            reader,
            committer,
            read_models,
            positions: positions::Positions::default(),
            met: callers::Met::default(),
            stopped,
            data,
            threads: Mutex::new(vec![committing, projecting]),
        }));
        app.catch_up().await?;
        app.read_models.delete_older().context("the read models of earlier versions cannot be deleted")?;
        Ok(app)
    }

    /// Waits until the read models show the whole log, and tells how far they are.
    async fn catch_up(&self) -> anyhow::Result<()> {
        let head = self.log.head().await?.position;
        let mut position = self.read_models.watch();
        let mut told = 0;
        while *position.borrow_and_update() < head {
            let now = *position.borrow();
            if now >= told + 50_000 {
                tracing::info!(position = now, head, "building the read models");
                told = now;
            }
            if let Some(reason) = self.stopped() {
                anyhow::bail!("the read models have stopped: {reason}");
            }
            tokio::select! {
                changed = position.changed() => changed?,
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
            }
        }
        Ok(())
    }

    /// Ends the application: nothing more is taken, what is queued is committed, and the read models catch up. The data
    /// folder is free for the next owner when the last handle is dropped.
    pub async fn close(self) {
        self.committer.stop();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        drop(self);
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        if tokio::time::timeout(CLOSING, joined).await.is_err() {
            tracing::warn!("the log or the read models did not end in time");
        }
    }

    /// Why the read models do not follow the log any more; `None` while they do.
    pub fn stopped(&self) -> Option<String> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs one query on the read models, off the asynchronous threads.
    ///
    /// # Errors
    /// Those of the query.
    pub async fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let read = Arc::clone(&self.read_models);
        let task = tokio::task::spawn_blocking(move || read.read(query));
        task.await.unwrap_or_else(|error| Err(ReadError::Row(error.to_string())))
    }
}

/// Opens the read models; those of a whole log are built before anything else may happen.
async fn read_models(data: &Path, reader: &Reader) -> anyhow::Result<ReadModels> {
    let head = reader.log.head().await?.position;
    let (data, reader, runtime) = (data.to_path_buf(), reader.clone(), Handle::current());
    let open = move || {
        ReadModels::discard_broken(&data)?;
        if head > 0 && !ReadModels::is_there(&data) {
            tracing::info!(events = head, "building the read models from the log");
        }
        projections::build(&data, &reader, &runtime, head)?;
        anyhow::Ok(ReadModels::open(&data)?)
    };
    tokio::task::spawn_blocking(open).await?
}

/// Opens log and keys, and checks that they belong together.
async fn open(config: &Config) -> anyhow::Result<(Arc<dyn Log>, Arc<Keys>)> {
    anyhow::ensure!(config.log == "sqlite", "the log `{}` is not known; use `sqlite`", config.log);
    holds_what_was_shown(&config.data).await?;
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(&config.data)?);
    let keys = open_keys(log.as_ref(), &config.data).await?;
    Ok((log, Arc::new(keys)))
}

/// Refuses a log without the event that the read models stand on, before anything of it is changed.
async fn holds_what_was_shown(data: &Path) -> anyhow::Result<()> {
    // What cannot be read is refused, or built anew, by whoever opens it.
    let Ok(Some((position, leaf_hash))) = ReadModels::stand_on(data) else { return Ok(()) };
    let (Some(before), Ok(log)) = (position.checked_sub(1), SqliteLog::open_read_only(data)) else {
        return Ok(());
    };
    let Ok(events) = log.events_after(before, 1).await else { return Ok(()) };
    if events.first().is_some_and(|event| event.leaf_hash == leaf_hash) {
        return Ok(());
    }
    Err(projections::projector::ProjectorError::WentBack { position }.into())
}

/// Reads the keys of a folder and checks that the log is theirs. New keys are made for an empty log only.
///
/// # Errors
/// In words.
pub async fn open_keys(log: &dyn Log, folder: &Path) -> anyhow::Result<Keys> {
    let empty = log.head().await?.position == 0;
    let keys = Keys::open(folder, empty).context(
        "the log has events that only their own keys open; put the key files back where they were",
    )?;
    startup::check(log, &keys).await?;
    Ok(keys)
}
