//! The application: everything that a handler needs to run one command or one query.

pub mod callers;
pub mod commands;
pub mod drafts;
pub mod form_files;
pub mod positions;
pub mod protection;
pub mod reading;
pub mod revoked;
pub mod room;
pub mod scanning;
pub mod sessions;
pub mod uploads;

use infrastructure::log::sqlite::Owned;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use domain::StreamId;
use infrastructure::committer::Settings;
use infrastructure::files::FileError;
use infrastructure::keys::Keys;
use infrastructure::log::copying;
use infrastructure::log::place::Opened;
use infrastructure::read_log::{self, binding::Bound};
use infrastructure::tokens::Tokens;
use infrastructure::{
    Clock, Committer, FileStore, Log, LogError, LogFeed, Reader, Recorder, log_feed, startup,
};
use projections::{Projector, ReadError, ReadModels, Stopped};
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use crate::backup;
use crate::config::Config;
use crate::identity::Providers;
use crate::identity::machines::Machines;
use crate::limits::Limits;
use crate::mail::Post;
use crate::reactions::Board;
pub use callers::Caller;
pub use commands::Command;
pub use positions::NotShown;
pub use revoked::Revoked;
pub use scanning::Scanning;

/// How long closing waits for what is queued.
const CLOSING: Duration = Duration::from_secs(3);
/// How often a node that shares its log looks whether the log went back.
const LOOK: Duration = Duration::from_millis(500);

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
    /// The way to record who is shown what.
    pub recorder: Recorder,
    /// The read models.
    pub read_models: Arc<ReadModels>,
    /// Stored files.
    pub files: FileStore,
    /// The virus scanner before them.
    pub scanning: Scanning,
    /// The way out for mails.
    pub mail: Post,
    /// How the reactions stand.
    pub reactions: Board,
    /// Bearer tokens.
    pub tokens: Tokens,
    /// Identity providers.
    pub providers: Providers,
    /// Authorization servers.
    pub machines: Machines,
    /// How often anybody may call.
    pub limits: Limits,
    /// Tokens that are revoked.
    pub revoked: Revoked,
    /// Room for bodies that come in.
    pub room: room::Room,
    /// What this node has acknowledged to whom.
    positions: positions::Positions,
    /// Whose profile this node has recorded.
    met: callers::Met,
    /// The sessions that this node has seen.
    seen: sessions::Seen,
    /// Why the read models have stopped.
    stopped: Arc<Mutex<Option<Stopped>>>,
    /// The data folder.
    pub data: PathBuf,
    /// The committer, the projector and the recorder.
    threads: Mutex<Vec<JoinHandle<()>>>,
    /// Hears what other nodes add.
    listening: AbortOnDropHandle<()>,
    /// Held where the log does not lie in the data folder.
    _owned: Option<Owned>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// The time by which rows beside the events fall due: the log's, where it tells it for all its nodes, else this node's.
    ///
    /// # Errors
    /// When the log cannot be asked.
    pub async fn log_time(&self) -> Result<DateTime<Utc>, LogError> {
        Ok(self.log.now().await?.unwrap_or_else(|| self.clock.now()))
    }

    /// Opens the data folder, checks keys and log, and starts the committer and the projector.
    ///
    /// # Errors
    /// When the folder belongs to another process, the keys are not the log's, or the log went back; in words.
    pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Self> {
        config.sessions.check().map_err(anyhow::Error::msg)?;
        let data = config.data.clone();
        let providers = Providers::new(&config, &clock)?;
        let machines = Machines::new(&config, &clock)?;
        let (Opened { log, owned }, keys) = open(&config, &clock).await?;
        let files = open_files(&config).await?;
        let scanning = Scanning::new(&config).map_err(anyhow::Error::msg)?;
        let reader = Reader { log: Arc::clone(&log), keys: Arc::clone(&keys) };
        let (mut feed, publish, heard) = log_feed(reader.clone(), Handle::current());
        let settings =
            Settings { clock: clock.clone(), keys: Arc::clone(&keys), limits: config.limits(), publish };
        let wrong =
            [startup::ahead(log.head().await?, clock.now()), startup::apart(log.now().await?, clock.now())];
        wrong.iter().flatten().for_each(|words| tracing::error!("{words}"));
        let shared = config.log_place()?.is_shared();
        let following = {
            let (data, reader, runtime) = (data.clone(), reader.clone(), Handle::current());
            move || {
                follow(&data, &reader, &runtime, &mut feed, shared)
                    .map(|(read, projector)| (read, projector, feed))
            }
        };
        let (read_models, projector, feed) = tokio::task::spawn_blocking(following).await??;
        let stopped = projector.stopped();
        let (committer, committing) = Committer::start(Arc::clone(&log), settings)?;
        let (recorder, recording) = recorder(&log, &keys, &clock).await?;
        let projecting = std::thread::Builder::new().name("projector".to_owned());
        let projecting = projecting.spawn(move || projector.run(feed))?;
        let listening = tokio::spawn({
            let log = Arc::clone(&log);
            async move { log.listen(heard).await }
        });
        let app = Self(Arc::new(Parts {
            files,
            scanning,
            tokens: Tokens::new(&keys)?,
            providers,
            machines,
            limits: Limits::new(&config, &clock),
            revoked: Revoked::read(log.as_ref()).await?,
            mail: Post::new(&config)?,
            reactions: Board::default(),
            room: room::Room::of(config.web.body_mb.saturating_mul(1 << 20)),
            config,
            clock,
            keys,
            log,
            reader,
            committer,
            recorder,
            read_models,
            positions: positions::Positions::default(),
            met: callers::Met::default(),
            seen: sessions::Seen::default(),
            stopped,
            data,
            threads: Mutex::new(vec![committing, projecting, recording]),
            listening: AbortOnDropHandle::new(listening),
            _owned: owned,
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
            if let Some(stopped) = self.stopped() {
                anyhow::bail!("the read models have stopped: {}", stopped.reason);
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
        self.recorder.stop();
        self.committer.stop();
        self.listening.abort();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        drop(self);
        let joined =
            tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join())));
        if tokio::time::timeout(CLOSING, joined).await.is_err() {
            tracing::warn!("the log or the read models did not end in time");
        }
    }

    /// Why the read models do not follow the log any more; `None` while they do.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the log no longer holds what the read models show.
    pub async fn went_back(&self) {
        while !self.stopped().is_some_and(|stopped| stopped.went_back) {
            tokio::time::sleep(LOOK).await;
        }
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

/// Starts the recorder of the read log. That rows are lost which the log has bound is told, and no others stand in their
/// place.
async fn recorder(
    log: &Arc<dyn Log>,
    keys: &Arc<Keys>,
    clock: &Clock,
) -> anyhow::Result<(Recorder, JoinHandle<()>)> {
    let bound = bound_reads(log.as_ref()).await?.last();
    match log.reads().reads_head().await {
        Ok(head) if head.position < bound => tracing::error!(
            rows = head.position,
            bound,
            "rows of the read log are lost that the log has bound; put reads.db back from where a copy of it is"
        ),
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the read log cannot be read"),
    }
    let (log, keys, clock) = (Arc::clone(log), Arc::clone(keys), clock.clone());
    Ok(Recorder::start(read_log::Settings { log, keys, clock, bound })?)
}

/// What the log tells of the read log.
///
/// # Errors
/// When the log cannot be read.
pub async fn bound_reads(log: &dyn Log) -> Result<Bound, LogError> {
    let mut bound = Bound::default();
    for event in log.stream(StreamId::of_read_log()).await? {
        bound.see(&event.facts_only().map_err(|error| LogError::Damaged(error.to_string()))?);
    }
    Ok(bound)
}

/// Opens the read models, builds those that lack a whole log, and checks that they stand on the log. Of a log that several
/// nodes share, the end that was shown may have been lost with a server; what showed it is built anew.
fn follow(
    data: &Path,
    reader: &Reader,
    runtime: &Handle,
    feed: &mut LogFeed,
    shared: bool,
) -> anyhow::Result<(Arc<ReadModels>, Projector)> {
    let read_models = Arc::new(read_models(data, reader, runtime)?);
    let projector = Projector::new(Arc::clone(&read_models));
    match projector.check(feed) {
        Ok(()) => Ok((read_models, projector)),
        Err(error) if error.went_back() && shared => {
            tracing::error!(%error, "the read models showed what the log has lost; they are built anew");
            drop((read_models, projector));
            ReadModels::delete(data)?;
            follow(data, reader, runtime, feed, false)
        }
        Err(error) => Err(error.into()),
    }
}

fn read_models(data: &Path, reader: &Reader, runtime: &Handle) -> anyhow::Result<ReadModels> {
    let head = runtime.block_on(reader.log.head())?.position;
    ReadModels::discard_broken(data)?;
    if head > 0 && !ReadModels::is_there(data) {
        tracing::info!(events = head, "building the read models from the log");
    }
    projections::build(data, reader, runtime, head)?;
    Ok(ReadModels::open(data)?)
}

/// Opens log and keys, and checks that they belong together.
async fn open(config: &Config, clock: &Clock) -> anyhow::Result<(Opened, Arc<Keys>)> {
    let past = !matches!(clock, Clock::System);
    if !config.log_place()?.is_shared() {
        let _ = ReadModels::remember_left(&config.data);
        holds_what_was_shown(config).await?;
    }
    let opened = config.log_place()?.open(&config.data, past).await?;
    if config.log_place()?.is_shared() {
        backup::restore::settle(&config.data, opened.log.as_ref()).await?;
    }
    let mut keys = open_keys(opened.log.as_ref(), config.keys_folder()).await?;
    match keys.forget_former(config.keys_folder(), clock.now()) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "former keys are removed, whose tokens have all expired"),
        // They count no more all the same.
        Err(error) => tracing::warn!(%error, "former keys that have expired cannot be removed"),
    }
    Ok((opened, Arc::new(keys)))
}

/// Opens the file store. One that refuses us is told before anybody needs it; one that is away may come back.
async fn open_files(config: &Config) -> anyhow::Result<FileStore> {
    let files = FileStore::open(&config.files_place()?)?;
    if files.place().folder().is_none()
        && let Err(error) = files.probe().await
    {
        let said = describe(&files, &error);
        anyhow::ensure!(error.is_away(), said);
        tracing::error!("{said}. Until it answers no file can be stored or read; everything else works");
    }
    Ok(files)
}

/// What is wrong with a file store, and what to do about it.
pub fn describe(files: &FileStore, error: &FileError) -> String {
    let place = files.place();
    if place.folder().is_some() {
        return format!("{error}; make {place} writable for the user that runs kundwebb");
    }
    match error {
        FileError::Denied(reason) => format!(
            "the file store {place} refuses us: {reason}; check that the bucket is there, that AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY are right, and that they may list, read, write and delete objects in it"
        ),
        error => format!(
            "the file store {place} does not answer: {error}; check AWS_ENDPOINT_URL, AWS_REGION and AWS_ALLOW_HTTP, and \
             that the storage runs and can be reached from here"
        ),
    }
}

/// Refuses a log without the event that the read models stand on, before anything of it is changed.
async fn holds_what_was_shown(config: &Config) -> anyhow::Result<()> {
    // What cannot be read is refused, or built anew, by whoever opens it.
    let Ok(Some((position, leaf_hash))) = ReadModels::stand_on(&config.data) else { return Ok(()) };
    let (Some(before), Ok(log)) = (position.checked_sub(1), config.log_place()?.open_read_only().await)
    else {
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
    copying::whole(log).await?;
    anyhow::ensure!(
        folder.is_dir(),
        "there is no folder {}; name the folder of the keys with the setting `keys`",
        folder.display()
    );
    let empty = log.head().await?.position == 0;
    let keys = Keys::open(folder, empty).context(
        "the log has events that only their own keys open; put the key files back where they were",
    )?;
    startup::check(log, &keys).await?;
    Ok(keys)
}
