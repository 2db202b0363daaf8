//! A batch in the making: the newest state, and what the accepted commands add to it.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use chrono::{DateTime, Days, Utc};
use domain::files::FileLimits;
use domain::{AttachmentId, CaseNumber, Event, PersonId, StreamId, calendar};
use uuid::Uuid;

use crate::committer::cache::{self, Cache, Stream};
use crate::committer::decision::{self, Addition};
use crate::committer::{CommandError, Settings};
use crate::keys::Keys;
use crate::log::{Batch, Head, Loaded, LogError};
use crate::outcome::{KEPT_DAYS, KeptOutcome, Outcome};
use crate::recorded::Recorded;
use crate::sealing::{self, Key};
use crate::stored::StoredEvent;

/// The batch and the state that it leads to.
pub(super) struct Stage<'a> {
    now: DateTime<Utc>,
    year: u16,
    position: u64,
    last_number: u64,
    keys: &'a Keys,
    limits: FileLimits,
    cache: &'a Cache,
    outcomes: HashMap<Uuid, KeptOutcome>,
    free: HashSet<AttachmentId>,
    /// Streams that differ from the cache.
    pub(super) streams: HashMap<StreamId, Stream>,
    pub(super) batch: Batch,
    /// What the batch adds, for those who follow the log.
    pub(super) recorded: Vec<Recorded>,
}

/// The stage as it was before a job: where to go back to when the job comes to nothing.
struct Mark {
    position: u64,
    last_number: u64,
    streams: Vec<(StreamId, Option<Stream>)>,
    events: usize,
    keys: usize,
    numbers: usize,
    attachments: usize,
    outcomes: usize,
}

impl<'a> Stage<'a> {
    /// A stage on the newest state, at the time of its batch.
    ///
    /// # Errors
    /// When the log holds an event or a key that cannot be read.
    pub(super) fn new(
        settings: &'a Settings,
        cache: &'a Cache,
        (now, head): (DateTime<Utc>, Head),
        loaded: Loaded,
    ) -> Result<Self, LogError> {
        let mut stage = Self {
            now,
            year: calendar::year(now),
            position: head.position,
            last_number: loaded.last_number,
            keys: &settings.keys,
            limits: settings.limits,
            cache,
            outcomes: loaded.outcomes,
            free: loaded.free,
            streams: HashMap::new(),
            batch: Batch::default(),
            recorded: Vec::new(),
        };
        stage.learn(&loaded.events)?;
        for (stream, wrapped) in loaded.keys {
            let key = settings.keys.unwrap(&wrapped, stream.0).map_err(|_| {
                LogError::Damaged(format!("the key of stream {stream} does not open with the master key"))
            })?;
            stage.stream_mut(stream).key = Some(key);
        }
        Ok(stage)
    }

    /// Takes in events that the cache lacked.
    ///
    /// # Errors
    /// When an event cannot be read.
    pub(super) fn learn(&mut self, events: &[StoredEvent]) -> Result<(), LogError> {
        for stored in events {
            let event = stored.facts_only().map_err(|error| LogError::Damaged(error.to_string()))?;
            self.stream_mut(stored.stream).evolve(stored.stream, &event);
        }
        Ok(())
    }

    /// The version of a stream as far as it is known.
    pub(super) fn version(&self, id: StreamId) -> u64 {
        self.stream(id).version
    }

    pub(super) const fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub(super) const fn limits(&self) -> FileLimits {
        self.limits
    }

    /// The position of the last event, staged or stored.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn next_number(&self) -> CaseNumber {
        decision::number(self.year, self.last_number)
    }

    pub(super) fn outcome(&self, command: Uuid) -> Option<&KeptOutcome> {
        self.outcomes.get(&command)
    }

    pub(super) fn is_free(&self, attachment: AttachmentId) -> bool {
        self.free.contains(&attachment)
    }

    /// The newest state of a stream that was asked for.
    pub(super) fn stream(&self, id: StreamId) -> &Stream {
        self.streams.get(&id).or_else(|| self.cache.get(id)).unwrap_or(cache::empty())
    }

    fn stream_mut(&mut self, id: StreamId) -> &mut Stream {
        let cache = self.cache;
        self.streams.entry(id).or_insert_with(|| cache.get(id).cloned().unwrap_or_default())
    }

    /// Does one job whole or not at all: when it is refused, fails or panics, the stage is as it was before. `touched`
    /// are the streams that it may add to.
    pub(super) fn whole<T>(
        &mut self,
        touched: &[StreamId],
        job: impl FnOnce(&mut Self) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let mark = self.mark(touched);
        let done = catch_unwind(AssertUnwindSafe(|| job(self))).unwrap_or_else(|_| {
            tracing::error!("a rule panicked; its command is failed alone");
            Err(CommandError::Internal)
        });
        if done.is_err() {
            self.back_to(mark);
        }
        done
    }

    fn mark(&self, touched: &[StreamId]) -> Mark {
        Mark {
            position: self.position,
            last_number: self.last_number,
            streams: touched.iter().map(|id| (*id, self.streams.get(id).cloned())).collect(),
            events: self.batch.events.len(),
            keys: self.batch.keys.len(),
            numbers: self.batch.numbers.len(),
            attachments: self.batch.attachments.len(),
            outcomes: self.batch.outcomes.len(),
        }
    }

    fn back_to(&mut self, mark: Mark) {
        (self.position, self.last_number) = (mark.position, mark.last_number);
        for (id, before) in mark.streams {
            match before {
                Some(stream) => drop(self.streams.insert(id, stream)),
                None => drop(self.streams.remove(&id)),
            }
        }
        for (attachment, _) in self.batch.attachments.drain(mark.attachments..) {
            self.free.insert(attachment);
        }
        for kept in self.batch.outcomes.drain(mark.outcomes..) {
            self.outcomes.remove(&kept.command_id);
        }
        self.recorded.truncate(mark.events);
        self.batch.events.truncate(mark.events);
        self.batch.keys.truncate(mark.keys);
        self.batch.numbers.truncate(mark.numbers);
    }

    /// Adds the files of an accepted command.
    pub(super) fn attach(&mut self, files: impl Iterator<Item = AttachmentId>, stream: StreamId) {
        for file in files {
            self.free.remove(&file);
            self.batch.attachments.push((file, stream));
        }
    }

    /// Keeps the outcome of an accepted command.
    pub(super) fn keep(&mut self, command_id: Uuid, request: [u8; 32], outcome: Outcome) {
        let expires_at = self.now.checked_add_days(Days::new(KEPT_DAYS)).unwrap_or(self.now);
        let kept = KeptOutcome { command_id, request, outcome, expires_at };
        self.outcomes.insert(command_id, kept.clone());
        self.batch.outcomes.push(kept);
    }

    /// Adds events to a stream.
    ///
    /// # Errors
    /// When the key of the stream is gone: nothing more can be sealed in it.
    pub(super) fn add(
        &mut self,
        addition: Addition,
        actor: PersonId,
        command_id: Uuid,
        correlation: Uuid,
    ) -> Result<(), CommandError> {
        for event in addition.events {
            let stored = self.store(addition.stream, &event, |stored| {
                stored.actor = actor;
                stored.employer = addition.employer.map(|employer| employer.as_str().to_owned());
                stored.command_id = command_id;
                stored.correlation = correlation;
            })?;
            self.recorded.push(Recorded {
                position: stored.position,
                stream: stored.stream,
                version: stored.version,
                recorded_at: self.now,
                actor,
                employer: addition.employer,
                command_id,
                correlation,
                leaf_hash: stored.leaf_hash,
                event,
            });
            self.batch.events.push(stored);
        }
        Ok(())
    }

    /// Gives an event its place, seals it and hashes its row.
    fn store(
        &mut self,
        id: StreamId,
        event: &Event,
        origin: impl FnOnce(&mut StoredEvent),
    ) -> Result<StoredEvent, CommandError> {
        let key = if event.has_personal() { Some(self.key(id)?) } else { None };
        let position = self.position + 1;
        let stream = self.stream_mut(id);
        stream.evolve(id, event);
        let place = sealing::place(id, stream.version, event.type_name());
        let sealed =
            key.zip(event.personal_json()).map(|(key, personal)| key.seal(personal.as_bytes(), &place));
        let mut stored = StoredEvent {
            position,
            stream: id,
            version: stream.version,
            type_name: event.type_name().to_owned(),
            schema_version: Event::SCHEMA_VERSION,
            recorded_at: self.now.timestamp_micros(),
            actor: PersonId(Uuid::nil()),
            employer: None,
            command_id: Uuid::nil(),
            correlation: Uuid::nil(),
            facts: event.facts_json(),
            key_id: sealed.as_ref().map(|_| id.0),
            sealed,
            leaf_hash: [0; 32],
        };
        origin(&mut stored);
        stored.leaf_hash = stored.compute_leaf_hash();
        self.position = position;
        if let Event::CaseReceived { case_number, .. } = event {
            self.last_number = case_number.running();
            self.batch.numbers.push((*case_number, id));
        }
        Ok(stored)
    }

    /// The key of a stream; a stream without events gets a new one, wrapped in the same batch.
    fn key(&mut self, id: StreamId) -> Result<Key, CommandError> {
        let keys = self.keys;
        let stream = self.stream_mut(id);
        if let Some(key) = &stream.key {
            return Ok(key.clone());
        }
        if stream.version > 0 {
            tracing::error!(stream = %id, "the key of the stream is gone; nothing can be sealed in it");
            return Err(CommandError::Internal);
        }
        let key = Key::random();
        stream.key = Some(key.clone());
        self.batch.keys.push((id, keys.wrap(&key, id.0)));
        Ok(key)
    }
}
