//! The committer's loop: wait for work, take what is queued, one transaction, answer everybody.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::{Refusal, StreamId, calendar};
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::clock::from_micros;
use crate::committer::cache::{Cache, Stream};
use crate::committer::decision::{self, Addition};
use crate::committer::stage::Stage;
use crate::committer::{Append, BATCH_BYTES, BATCH_COMMANDS, CommandError, Expected, Job, Settings, Trouble};
use crate::log::{Batch, Begun, Loaded, Log, LogError, Wanted, Writer};
use crate::random;
use crate::recorded::Recorded;
use crate::upkeep::{CLEANED, Upkeep};

/// How often a log that could not be written is tried while nobody asks.
const TRIED: Duration = Duration::from_secs(1);
/// Under this name the time is kept at which the log could be written again.
const RECOVERED: &str = "recovered_at";

/// What the committer's thread shares with its handles.
pub(super) struct Surroundings {
    /// Where it tells that the log cannot be written.
    pub(super) trouble: Trouble,
    /// When it is to stop.
    pub(super) stopped: watch::Receiver<bool>,
    /// Where the callers wait.
    pub(super) callers: Handle,
}

/// Runs until it is stopped or the last handle is dropped.
pub(super) fn run(
    log: Arc<dyn Log>,
    settings: Settings,
    jobs: mpsc::Receiver<Job>,
    surroundings: Surroundings,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the committer cannot start"),
    };
    let Surroundings { trouble, stopped, callers } = surroundings;
    let mut queue = Queue { jobs, carried: None, stopped };
    let mut task = Task { log, settings, trouble, callers, cache: Cache::default(), writer: None };
    runtime.block_on(async {
        loop {
            let batch = if task.trouble.get().is_some() {
                match tokio::time::timeout(TRIED, queue.next()).await {
                    Ok(batch) => batch,
                    Err(_) => {
                        task.recover().await;
                        continue;
                    }
                }
            } else {
                queue.next().await
            };
            let Some(batch) = batch else { break };
            metrics::histogram!("kundwebb_batch_commands").record(batch_length(&batch));
            // A fault of ours must not stop the node: the batch's callers learn that the outcome is unknown.
            if AssertUnwindSafe(task.commit_all(batch)).catch_unwind().await.is_err() {
                tracing::error!("the committer panicked; connection and cache are replaced");
                task.forget();
            }
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "a batch is small")]
fn batch_length(batch: &[Job]) -> f64 {
    batch.len() as f64
}

/// What waits, taken batch by batch.
struct Queue {
    jobs: mpsc::Receiver<Job>,
    /// Taken, but too much for the batch before.
    carried: Option<Job>,
    stopped: watch::Receiver<bool>,
}

impl Queue {
    /// Waits for a job and takes whatever is queued then, up to the caps; never waits for more.
    async fn next(&mut self) -> Option<Vec<Job>> {
        let first = match self.carried.take() {
            Some(job) => job,
            None => self.first().await?,
        };
        let mut bytes = first.size();
        let mut batch = vec![first];
        while batch.len() < BATCH_COMMANDS {
            let Ok(job) = self.jobs.try_recv() else { break };
            bytes += job.size();
            if bytes > BATCH_BYTES {
                self.carried = Some(job);
                break;
            }
            batch.push(job);
        }
        Some(batch)
    }

    /// Waits for a job; once stopped, gives what is queued and then nothing more.
    async fn first(&mut self) -> Option<Job> {
        let (jobs, stopped) = (&mut self.jobs, &mut self.stopped);
        if !jobs.is_closed() {
            tokio::select! {
                job = jobs.recv() => return job,
                _ = stopped.wait_for(|stopped| *stopped) => jobs.close(),
            }
        }
        jobs.recv().await
    }
}

/// A batch that was not done, or may not have been.
struct Failed {
    error: LogError,
    jobs: Vec<Job>,
}

fn fail(jobs: Vec<Job>, error: &LogError) {
    for job in jobs {
        job.fail(match error {
            LogError::Unknown(_) => CommandError::OutcomeUnknown,
            LogError::Data(_) | LogError::Damaged(_) | LogError::WentBack(_) => CommandError::Internal,
            LogError::Unavailable(reason) => CommandError::Unavailable(reason.clone()),
        });
    }
}

/// What a transaction has come to, written but not committed.
struct Prepared {
    results: Vec<Came>,
    streams: HashMap<StreamId, Stream>,
    recorded: Vec<Recorded>,
    /// The accepted commands.
    outcomes: Vec<Uuid>,
}

/// The one write connection of the node, and what is known of the log.
struct Task {
    log: Arc<dyn Log>,
    settings: Settings,
    /// Where the callers wait.
    callers: Handle,
    trouble: Trouble,
    cache: Cache,
    writer: Option<Box<dyn Writer>>,
}

impl Task {
    /// Drops connection and cache: whatever comes next begins anew.
    fn forget(&mut self) {
        self.writer = None;
        self.cache.clear();
    }

    /// Whether the log can be written again, found out by writing.
    async fn recover(&mut self) {
        self.forget();
        match self.probe().await {
            Ok(()) => self.trouble.set(None),
            Err(error) => self.trouble.set(Some(error.to_string())),
        }
    }

    async fn probe(&self) -> Result<(), LogError> {
        let mut writer = self.log.writer().await?;
        writer.begin().await?;
        writer.set_meta(RECOVERED, &self.settings.clock.now().to_rfc3339()).await?;
        writer.commit().await
    }

    /// Commits a batch; when it fails because of data, each command is tried alone once.
    async fn commit_all(&mut self, batch: Vec<Job>) {
        let Err(Failed { error, jobs }) = self.commit(batch).await else { return };
        let alone = matches!(error, LogError::Data(_) | LogError::Damaged(_)) && jobs.len() > 1;
        if !alone {
            return self.fail(jobs, &error);
        }
        tracing::warn!(%error, "the batch failed because of its data; its commands are tried one by one");
        for job in jobs {
            if let Err(Failed { error, jobs }) = self.commit(vec![job]).await {
                self.fail(jobs, &error);
            }
        }
    }

    /// Tells everybody of a batch that it was not done, and operators that the log is in trouble where it is.
    fn fail(&self, jobs: Vec<Job>, error: &LogError) {
        match error {
            LogError::Unavailable(_) | LogError::Unknown(_) => self.trouble.set(Some(error.to_string())),
            LogError::Data(_) | LogError::Damaged(_) | LogError::WentBack(_) => {
                tracing::error!(%error, commands = jobs.len(), "a batch was not committed");
            }
        }
        fail(jobs, error);
    }

    /// One transaction. On any failure the cache and the connection are dropped.
    async fn commit(&mut self, jobs: Vec<Job>) -> Result<(), Failed> {
        let (mut connection, begun) = match self.begin().await {
            Ok(begun) => begun,
            Err(error) => {
                self.forget();
                return Err(Failed { error, jobs });
            }
        };
        let prepared = match prepare(connection.as_mut(), begun, &self.settings, &self.cache, &jobs).await {
            Ok(prepared) => prepared,
            Err(error) => {
                connection.rollback().await;
                self.forget();
                return Err(Failed { error, jobs });
            }
        };
        match connection.commit().await {
            Ok(()) => {
                self.writer = Some(connection);
                self.done(jobs, prepared);
                Ok(())
            }
            Err(error) => {
                drop(connection);
                self.forget();
                match error {
                    LogError::Unknown(_) => self.settle(jobs, prepared, error).await,
                    error => Err(Failed { error, jobs }),
                }
            }
        }
    }

    /// Takes the log's lock. A connection that has died since it was used last is replaced: nothing was begun on it.
    async fn begin(&mut self) -> Result<(Box<dyn Writer>, Begun), LogError> {
        if let Some(mut connection) = self.writer.take() {
            match connection.begin().await {
                Ok(begun) => return Ok((connection, begun)),
                Err(error @ LogError::Unavailable(_)) => tracing::warn!(%error, "the connection is replaced"),
                Err(error) => return Err(error),
            }
            self.forget();
        }
        let mut connection = self.log.writer().await?;
        // Behind a new connection may stand another server.
        (self.settings.publish)(Vec::new());
        let begun = connection.begin().await?;
        Ok((connection, begun))
    }

    /// The batch is durable: tells the followers, then the callers.
    fn done(&mut self, jobs: Vec<Job>, prepared: Prepared) {
        self.trouble.set(None);
        self.cache.accept(prepared.streams);
        if !prepared.recorded.is_empty() {
            (self.settings.publish)(prepared.recorded);
        }
        let results = prepared.results;
        // Waking so many costs as much as deciding: that is not this thread's work.
        self.callers
            .spawn(async move { jobs.into_iter().zip(results).for_each(|(job, came)| answer(job, came)) });
    }

    /// The answer to the commit was lost: takes the lock again, on a new connection, and answers everybody from what
    /// is found. Nothing is tried again.
    async fn settle(&mut self, jobs: Vec<Job>, prepared: Prepared, lost: LogError) -> Result<(), Failed> {
        tracing::warn!(error = %lost, commands = jobs.len(), "the answer to a commit was lost; looking it up");
        let found = match look_up(self.log.as_ref(), &jobs, &prepared).await {
            Ok(found) => found,
            Err(error) => {
                let error = LogError::Unknown(format!("{lost}; and it cannot be looked up: {error}"));
                return Err(Failed { error, jobs });
            }
        };
        if stands(&prepared, &found) {
            self.done(jobs, prepared);
            return Ok(());
        }
        let traceless = prepared.recorded.is_empty() && prepared.outcomes.is_empty();
        for job in jobs {
            match job {
                Job::Case(request, reply) if found.outcomes.contains_key(&request.command_id) => {
                    let kept = &found.outcomes[&request.command_id];
                    drop(reply.send(kept.answer(&request.request).ok_or(CommandError::KeyReused)));
                }
                // A change of rows beside the events leaves nothing by which it could be told.
                job if traceless => job.fail(CommandError::OutcomeUnknown),
                job => job.fail(CommandError::Unavailable("the commit failed; nothing was done".to_owned())),
            }
        }
        Ok(())
    }
}

/// Reads under the lock what a batch would have left; what is found outlives what any commit outlives.
async fn look_up(log: &dyn Log, jobs: &[Job], prepared: &Prepared) -> Result<Loaded, LogError> {
    let commands = jobs.iter().filter_map(|job| match job {
        Job::Case(request, _) => Some(request.command_id),
        _ => None,
    });
    let first = prepared.recorded.first().map(|event| (event.stream, event.version - 1));
    let wanted =
        Wanted { commands: commands.collect(), streams: first.into_iter().collect(), ..Wanted::default() };
    let mut writer = log.writer().await?;
    writer.begin().await?;
    let found = writer.load(&wanted).await?;
    writer.write(&Batch::default()).await?;
    writer.commit().await?;
    Ok(found)
}

/// Whether a batch stands in the log: its first event does, or, where it has none, the outcomes that it kept.
fn stands(prepared: &Prepared, found: &Loaded) -> bool {
    match prepared.recorded.first() {
        Some(event) => found.events.first().is_some_and(|stored| stored.leaf_hash == event.leaf_hash),
        None => {
            !prepared.outcomes.is_empty()
                && prepared.outcomes.iter().all(|command| found.outcomes.contains_key(command))
        }
    }
}

/// Decides on every job on the newest state, under the lock, and writes.
async fn prepare(
    writer: &mut dyn Writer,
    Begun { head, now }: Begun,
    settings: &Settings,
    cache: &Cache,
    jobs: &[Job],
) -> Result<Prepared, LogError> {
    // Once for the whole batch; never before the last event.
    let now = now.unwrap_or_else(|| settings.clock.now()).max(from_micros(head.recorded_at));
    let loaded = writer.load(&wanted(jobs, cache, calendar::year(now))).await?;
    let mut stage = Stage::new(settings, cache, (now, head), loaded)?;
    let further = further(jobs, &stage);
    if !further.streams.is_empty() {
        stage.learn(&writer.load(&further).await?.events)?;
    }
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs {
        results.push(result(job, &mut stage, writer).await?);
    }
    writer.write(&stage.batch).await?;
    let outcomes = stage.batch.outcomes.iter().map(|kept| kept.command_id).collect();
    Ok(Prepared { results, streams: stage.streams, recorded: stage.recorded, outcomes })
}

/// What a job came to.
enum Came {
    Case(Result<crate::outcome::Outcome, CommandError>),
    Position(Result<u64, CommandError>),
    Upkeep(crate::upkeep::UpkeepReply),
}

async fn result(job: &Job, stage: &mut Stage<'_>, writer: &mut dyn Writer) -> Result<Came, LogError> {
    Ok(match job {
        Job::Case(request, _) => Came::Case(decision::case(stage, request)),
        Job::See(person, _) => {
            let touched: Vec<StreamId> = decision::meeting_streams(person).collect();
            Came::Position(stage.whole(&touched, |stage| {
                let additions = decision::meeting(stage, person);
                add(stage, additions, person.id)
            }))
        }
        Job::Append(append, _) => {
            let appended = stage.whole(&[append.stream], |stage| append_once(stage, append));
            if let (Ok(_), Some(upkeep)) = (&appended, &append.upkeep) {
                writer.upkeep(upkeep).await?;
            }
            Came::Position(appended)
        }
        Job::Upkeep(upkeep, _) => {
            let reply = writer.upkeep(upkeep).await?;
            if let Upkeep::Purge { now, .. } = upkeep.as_ref() {
                writer.set_meta(CLEANED, &now.to_rfc3339()).await?;
            }
            Came::Upkeep(reply)
        }
    })
}

fn add(
    stage: &mut Stage<'_>,
    additions: Vec<Addition>,
    actor: domain::PersonId,
) -> Result<u64, CommandError> {
    let id = random::id();
    for addition in additions {
        stage.add(addition, actor, id, id)?;
    }
    Ok(stage.position())
}

fn append_once(stage: &mut Stage<'_>, append: &Append) -> Result<u64, CommandError> {
    let current = stage.version(append.stream);
    match append.expected {
        Expected::New if current > 0 => return Ok(stage.position()),
        Expected::Version(version) if version != current => {
            return Err(Refusal::Stale { current, since: Vec::new() }.into());
        }
        _ => {}
    }
    let files = append.event.attachment_ids();
    decision::unused(stage, files.iter().copied())?;
    stage.attach(files.iter().copied(), append.stream);
    let events = vec![append.event.clone()];
    add(stage, vec![Addition { stream: append.stream, employer: append.employer, events }], append.actor)
}

/// Tells a caller what a job came to.
fn answer(job: Job, came: Came) {
    match (job, came) {
        (Job::Case(_, reply), Came::Case(result)) => drop(reply.send(result)),
        (Job::See(_, reply) | Job::Append(_, reply), Came::Position(result)) => drop(reply.send(result)),
        (Job::Upkeep(_, reply), Came::Upkeep(done)) => drop(reply.send(Ok(done))),
        _ => {}
    }
}

/// What only the cases of the batch could name.
fn further(jobs: &[Job], stage: &Stage<'_>) -> Wanted {
    let streams: HashSet<StreamId> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Case(request, _) => decision::further_streams(stage, request),
            _ => None,
        })
        .collect();
    let streams = streams.into_iter().map(|stream| (stream, stage.version(stream))).collect();
    Wanted { streams, ..Wanted::default() }
}

/// What the batch needs to know that the cache does not.
fn wanted(jobs: &[Job], cache: &Cache, year: u16) -> Wanted {
    let mut wanted = Wanted { year, ..Wanted::default() };
    let (mut streams, mut fresh) = (HashSet::new(), Vec::new());
    for job in jobs {
        match job {
            Job::Case(request, _) => {
                streams.extend(decision::streams(request));
                fresh.extend(request.fresh.then(|| StreamId::from(request.case)));
                wanted.commands.push(request.command_id);
                wanted.attachments.extend(request.command.files().iter().map(|file| file.card.attachment_id));
            }
            Job::See(person, _) => streams.extend(decision::meeting_streams(person)),
            Job::Append(append, _) => {
                streams.insert(append.stream);
                wanted.attachments.extend(append.event.attachment_ids());
            }
            Job::Upkeep(..) => {}
        }
    }
    for stream in fresh {
        streams.remove(&stream);
    }
    for stream in streams {
        let known = cache.get(stream);
        wanted.streams.push((stream, known.map_or(0, |known| known.version)));
        if known.is_none_or(|known| known.key.is_none()) {
            wanted.keys.push(stream);
        }
    }
    wanted
}
