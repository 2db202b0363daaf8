//! The committer's loop: wait for work, take what is queued, one transaction, answer everybody.

use std::collections::HashSet;
use std::sync::Arc;

use domain::{StreamId, calendar};
use tokio::sync::{mpsc, oneshot};

use crate::committer::cache::Cache;
use crate::committer::decision::{self, Addition};
use crate::committer::stage::{self, Stage};
use crate::committer::{Append, BATCH_BYTES, BATCH_COMMANDS, CommandError, Job, Settings};
use crate::log::{Log, LogError, Wanted, Writer};
use crate::random;

/// Runs until the last handle is dropped.
pub(super) fn run(log: &Arc<dyn Log>, mut settings: Settings, mut jobs: mpsc::Receiver<Job>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "the committer cannot start"),
    };
    runtime.block_on(async {
        let mut cache = Cache::default();
        let mut writer: Option<Box<dyn Writer>> = None;
        while let Some(first) = jobs.recv().await {
            let batch = queued(first, &mut jobs);
            metrics::histogram!("kundwebb_batch_commands").record(batch_length(&batch));
            commit_all(log, &mut settings, &mut cache, &mut writer, batch).await;
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "a batch is small")]
fn batch_length(batch: &[Job]) -> f64 {
    batch.len() as f64
}

/// Whatever is queued now, up to the caps; never waits for more.
fn queued(first: Job, jobs: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.size();
    let mut batch = vec![first];
    while batch.len() < BATCH_COMMANDS && bytes < BATCH_BYTES {
        let Ok(job) = jobs.try_recv() else { break };
        bytes += job.size();
        batch.push(job);
    }
    batch
}

/// Commits a batch; when its write fails because of its data, each command is tried alone once.
async fn commit_all(
    log: &Arc<dyn Log>,
    settings: &mut Settings,
    cache: &mut Cache,
    writer: &mut Option<Box<dyn Writer>>,
    batch: Vec<Job>,
) {
    let Err(Failed { error, jobs }) = commit(log, settings, cache, writer, batch).await else { return };
    let alone = matches!(error, LogError::Data(_)) && jobs.len() > 1;
    if !alone {
        return fail(jobs, &error);
    }
    tracing::warn!(%error, "the batch failed because of its data; its commands are tried one by one");
    for job in jobs {
        if let Err(Failed { error, jobs }) = commit(log, settings, cache, writer, vec![job]).await {
            fail(jobs, &error);
        }
    }
}

/// A batch that was not done, or may not have been.
struct Failed {
    error: LogError,
    jobs: Vec<Job>,
}

fn fail(jobs: Vec<Job>, error: &LogError) {
    tracing::error!(%error, commands = jobs.len(), "a batch was not committed");
    for job in jobs {
        job.fail(match error {
            LogError::Unknown(_) => CommandError::OutcomeUnknown,
            LogError::Data(_) | LogError::Damaged(_) => CommandError::Internal,
            LogError::Unavailable(reason) => CommandError::Unavailable(reason.clone()),
        });
    }
}

/// A reply, ready to be sent once the batch is durable.
type Reply = Box<dyn FnOnce() + Send>;

/// One transaction. On any failure the cache and the connection are dropped.
async fn commit(
    log: &Arc<dyn Log>,
    settings: &mut Settings,
    cache: &mut Cache,
    writer: &mut Option<Box<dyn Writer>>,
    mut jobs: Vec<Job>,
) -> Result<(), Failed> {
    let mut connection = match writer.take() {
        Some(connection) => connection,
        None => match log.writer().await {
            Ok(connection) => connection,
            Err(error) => return Err(Failed { error, jobs }),
        },
    };
    let done = transact(connection.as_mut(), settings, cache, &mut jobs).await;
    match done {
        Ok(Committed { replies, streams, recorded }) => {
            *writer = Some(connection);
            cache.accept(streams);
            if !recorded.is_empty() {
                (settings.publish)(recorded.into());
            }
            replies.into_iter().for_each(|reply| reply());
            Ok(())
        }
        Err(error) => {
            connection.rollback().await;
            cache.clear();
            Err(Failed { error, jobs })
        }
    }
}

/// What a transaction has done.
struct Committed {
    replies: Vec<Reply>,
    streams: std::collections::HashMap<StreamId, super::cache::Stream>,
    recorded: Vec<crate::recorded::Recorded>,
}

async fn transact(
    writer: &mut dyn Writer,
    settings: &Settings,
    cache: &Cache,
    jobs: &mut Vec<Job>,
) -> Result<Committed, LogError> {
    let head = writer.begin().await?;
    let year = calendar::year(stage::time(settings, head));
    let loaded = writer.load(&wanted(jobs, cache, year)).await?;
    let mut stage = Stage::new(settings, cache, head, loaded)?;
    let further = further(jobs, &stage);
    if !further.streams.is_empty() {
        stage.learn(&writer.load(&further).await?.events)?;
    }
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs.iter() {
        results.push(result(job, &mut stage, writer).await?);
    }
    writer.write(&stage.batch).await?;
    writer.commit().await?;
    let replies = jobs.drain(..).zip(results).filter_map(|(job, result)| reply(job, result)).collect();
    Ok(Committed { replies, streams: stage.streams, recorded: stage.recorded })
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
            let additions = decision::meeting(stage, person);
            Came::Position(add(stage, additions, person.id))
        }
        Job::Append(append, _) => {
            if let Some(upkeep) = &append.upkeep {
                writer.upkeep(upkeep).await?;
            }
            Came::Position(append_once(stage, append))
        }
        Job::Upkeep(upkeep, _) => Came::Upkeep(writer.upkeep(upkeep).await?),
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
    if append.first_only && stage.stream(append.stream).version > 0 {
        return Ok(stage.position());
    }
    let events = vec![append.event.clone()];
    add(stage, vec![Addition { stream: append.stream, employer: append.employer, events }], append.actor)
}

fn reply(job: Job, came: Came) -> Option<Reply> {
    fn send<T: Send + 'static>(sender: oneshot::Sender<T>, value: T) -> Option<Reply> {
        Some(Box::new(move || drop(sender.send(value))))
    }
    match (job, came) {
        (Job::Case(_, sender), Came::Case(result)) => send(sender, result),
        (Job::See(_, sender) | Job::Append(_, sender), Came::Position(result)) => send(sender, result),
        (Job::Upkeep(_, sender), Came::Upkeep(reply)) => send(sender, Ok(reply)),
        _ => None,
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
    let mut streams: HashSet<StreamId> = HashSet::new();
    for job in jobs {
        match job {
            Job::Case(request, _) => {
                streams.extend(decision::streams(request));
                wanted.commands.push(request.command_id);
                wanted.attachments.extend(request.command.files().iter().map(|file| file.card.attachment_id));
            }
            Job::See(person, _) => streams.extend(decision::meeting_streams(person)),
            Job::Append(append, _) => drop(streams.insert(append.stream)),
            Job::Upkeep(..) => {}
        }
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
