//! The recorder: one task a node owns a connection of its own, takes whatever is queued, and records it in one transaction
//! with one sync for everybody who waits. It neither takes nor waits for the log's lock.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{CaseId, Reading};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock::{Clock, from_micros};
use crate::keys::Keys;
use crate::log::{Log, LogError};
use crate::read_log::stored::{StoredRead, month_of, new_month, open_month, token};
use crate::read_log::{ReadBatch, ReadHead, ReadWriter, ReadsBegun, Receipt};
use crate::sealing::Key;

/// Most readings in one batch.
const BATCH: usize = 256;
/// Most readings that wait; more are told to come again.
const QUEUE: usize = 1024;
/// How long a reader waits for the record at most. One that comes later is a record of what was not shown.
const PATIENCE: Duration = Duration::from_secs(5);

/// A reading could not be recorded: nothing of it may be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the reading could not be recorded: {0}")]
pub struct Unrecorded(pub String);

/// What the recorder works with.
pub struct Settings {
    /// Beside which log.
    pub log: Arc<dyn Log>,
    /// The keys.
    pub keys: Arc<Keys>,
    /// The time.
    pub clock: Clock,
    /// Up to which position the log has bound rows: even where some were lost, none is added in their place.
    pub bound: u64,
}

enum Job {
    Record(Box<Reading>, oneshot::Sender<Result<(), Unrecorded>>),
    Destroy(String, oneshot::Sender<Result<(), Unrecorded>>),
}

/// The way to the recorder; cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Job>,
    trouble: Trouble,
    stop: Arc<watch::Sender<bool>>,
}

/// Why nothing can be recorded at the moment; nothing while it can.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    /// Tells operators of a change, once.
    fn set(&self, trouble: Option<String>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (&*now, &trouble) {
            (None, Some(reason)) => {
                tracing::error!(
                    reason,
                    "the read log cannot be written: only a reporter's own cases are shown"
                );
            }
            (Some(_), None) => tracing::warn!("the read log can be written again"),
            _ => {}
        }
        metrics::gauge!("kundwebb_read_log_trouble").set(if trouble.is_some() { 1.0 } else { 0.0 });
        *now = trouble;
    }
}

impl Recorder {
    /// Starts it on a thread of its own. It ends when the last handle is dropped.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(settings: Settings) -> Result<(Self, std::thread::JoinHandle<()>), LogError> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (stop, stopped) = watch::channel(false);
        let trouble = Trouble::default();
        let task = Task { settings, trouble: trouble.clone(), writer: None, key: None };
        let thread = std::thread::Builder::new()
            .name("read log".to_owned())
            .spawn(move || run(task, jobs, stopped))
            .map_err(|error| LogError::Unavailable(error.to_string()))?;
        Ok((Self { queue, trouble, stop: Arc::new(stop) }, thread))
    }

    /// Takes nothing more; what is queued is done first.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Why nothing can be recorded at the moment; `None` while it can.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records a reading, durably. Against the receipt its cases may be shown.
    ///
    /// # Errors
    /// [`Unrecorded`]; then nothing may be shown.
    pub async fn record(&self, reading: Reading) -> Result<Receipt, Unrecorded> {
        let cases: Vec<CaseId> = reading.cases.clone();
        self.ask(|reply| Job::Record(Box::new(reading), reply)).await?;
        Ok(Receipt::of_own(cases))
    }

    /// Destroys the key of a month.
    ///
    /// # Errors
    /// When that could not be done, or is not known to be.
    pub async fn destroy(&self, month: String) -> Result<(), Unrecorded> {
        self.ask(|reply| Job::Destroy(month, reply)).await
    }

    async fn ask(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<(), Unrecorded>>) -> Job,
    ) -> Result<(), Unrecorded> {
        let unrecorded = |reason: &str| Unrecorded(reason.to_owned());
        let (reply, told) = oneshot::channel();
        self.queue.try_send(job(reply)).map_err(|_| unrecorded("too much waits to be recorded"))?;
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(told) => told.unwrap_or_else(|_| Err(unrecorded("the recorder has stopped"))),
            Err(_) => Err(unrecorded("it took too long")),
        }
    }
}

fn run(mut task: Task, mut jobs: mpsc::Receiver<Job>, mut stopped: watch::Receiver<bool>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the recorder of the read log cannot start"),
    };
    runtime.block_on(async {
        loop {
            let first = tokio::select! {
                job = jobs.recv() => job,
                _ = stopped.wait_for(|stopped| *stopped), if !jobs.is_closed() => {
                    jobs.close();
                    continue;
                }
            };
            let Some(first) = first else { break };
            let mut batch = vec![first];
            while batch.len() < BATCH {
                let Ok(job) = jobs.try_recv() else { break };
                batch.push(job);
            }
            task.work(batch).await;
        }
    });
}

/// The connection of the node, and the key of the month.
struct Task {
    settings: Settings,
    trouble: Trouble,
    writer: Option<Box<dyn ReadWriter>>,
    key: Option<(String, Key)>,
}

impl Task {
    /// Does a batch in one transaction and tells everybody.
    async fn work(&mut self, batch: Vec<Job>) {
        let done = self.commit(&batch).await;
        if done.is_err() {
            (self.writer, self.key) = (None, None);
        }
        let done = done.map_err(|error| Unrecorded(error.to_string()));
        self.trouble.set(done.as_ref().err().map(|Unrecorded(reason)| reason.clone()));
        for job in batch {
            let (Job::Record(_, reply) | Job::Destroy(_, reply)) = job;
            drop(reply.send(done.clone()));
        }
    }

    async fn commit(&mut self, batch: &[Job]) -> Result<(), LogError> {
        let (mut writer, begun) = self.begin().await?;
        if let Err(error) = self.prepare(writer.as_mut(), begun, batch).await {
            writer.rollback().await;
            return Err(error);
        }
        writer.commit().await?;
        self.writer = Some(writer);
        Ok(())
    }

    /// Takes the lock of the read log. A connection that has died since it was used last is replaced.
    async fn begin(&mut self) -> Result<(Box<dyn ReadWriter>, ReadsBegun), LogError> {
        if let Some(mut writer) = self.writer.take() {
            match writer.begin().await {
                Ok(begun) => return Ok((writer, begun)),
                Err(error @ LogError::Unavailable(_)) => {
                    tracing::warn!(%error, "the connection to the read log is replaced");
                }
                Err(error) => return Err(error),
            }
        }
        let mut writer = self.settings.log.reads().read_writer().await?;
        let begun = writer.begin().await?;
        Ok((writer, begun))
    }

    async fn prepare(
        &mut self,
        writer: &mut dyn ReadWriter,
        ReadsBegun { head, now }: ReadsBegun,
        jobs: &[Job],
    ) -> Result<(), LogError> {
        // Once for the whole batch; never before the last row.
        let now = now.unwrap_or_else(|| self.settings.clock.now()).max(from_micros(head.recorded_at));
        let mut batch = ReadBatch::default();
        let mut position = head.position.max(self.settings.bound);
        for job in jobs {
            match job {
                Job::Record(reading, _) => {
                    position += 1;
                    let key = self.key(writer, &head, &month_of(now), &mut batch).await?;
                    batch.rows.push(StoredRead::seal(reading, position, now, &key));
                    let mut cases = reading.cases.clone();
                    cases.sort_unstable();
                    cases.dedup();
                    batch.tokens.extend(cases.into_iter().map(|case| (position, token(&key, case))));
                }
                Job::Destroy(month, _) => writer.destroy(month).await?,
            }
        }
        writer.write(&batch).await
    }

    /// The key of the month; a new month gets one.
    async fn key(
        &mut self,
        writer: &mut dyn ReadWriter,
        head: &ReadHead,
        month: &str,
        batch: &mut ReadBatch,
    ) -> Result<Key, LogError> {
        if let Some((known, key)) = &self.key
            && known == month
        {
            return Ok(key.clone());
        }
        let lost = |what: &str| LogError::Damaged(format!("the key of the read log for {month} {what}"));
        let key = match writer.key(month).await? {
            Some(wrapped) => open_month(&self.settings.keys, month, &wrapped)
                .map_err(|_| lost("was made with another master key"))?,
            None if head.month == month => return Err(lost("is missing")),
            None => {
                let (key, wrapped) = new_month(&self.settings.keys, month);
                batch.keys.push((month.to_owned(), wrapped));
                key
            }
        };
        self.key = Some((month.to_owned(), key.clone()));
        Ok(key)
    }
}
