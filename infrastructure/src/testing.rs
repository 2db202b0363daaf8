//! What the tests of the log share: people, commands, and a node with a committer on some engine.

use std::sync::Arc;
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::case::commands::{AddMessage, AddNote, Attach, Close, Create, StartProcessing};
use domain::files::{FileCard, FileLimits, StoredFile, UploadedFile};
use domain::refusal::Code;
use domain::text::{Body, Subject};
use domain::{
    Actor, Area, AttachmentId, CaseCommand, CaseId, Channel, Event, Language, NoteKind, OrganisationNumber,
    PersonId, StreamId, Topic,
};
use uuid::Uuid;

use crate::committer::{Append, BATCH_BYTES, Expected, Publish, Settings};
use crate::log::{Kept, Log};
use crate::outcome::Outcome;
use crate::upkeep::{Upkeep, UpkeepReply};
use crate::{CaseRequest, Clock, CommandError, Committer, Keys, Reader};

/// The correlation of a command whose rule panics.
pub(crate) const FAULTY_RULE: Uuid = Uuid::from_u128(0xbad);

/// A node on a log, with a clock that stands still until it is set.
pub(crate) struct Node {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) clock: Clock,
    pub(crate) committer: Committer,
    thread: JoinHandle<()>,
    /// With the files of the keys.
    pub(crate) folder: tempfile::TempDir,
}

impl Node {
    pub(crate) fn start(log: &Arc<dyn Log>) -> Self {
        Self::start_with(log, |_, _| Box::new(|_| {}))
    }

    /// With somebody who is told of what is added.
    pub(crate) fn start_with(
        log: &Arc<dyn Log>,
        publish: impl FnOnce(&Arc<dyn Log>, &Arc<Keys>) -> Publish,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Arc::new(Keys::open(folder.path(), true).unwrap());
        let clock = Clock::fixed(time("2026-11-23T10:00:00Z"));
        let (committer, thread) = committer(log, &keys, &clock, publish(log, &keys));
        Self { log: Arc::clone(log), keys, clock, committer, thread, folder }
    }

    /// The same node after a stop: nothing is left of its cache.
    pub(crate) fn restart(self) -> Self {
        let Self { log, keys, clock, committer: before, thread, folder } = self;
        drop(before);
        thread.join().unwrap();
        let (committer, thread) = committer(&log, &keys, &clock, Box::new(|_| {}));
        Self { log, keys, clock, committer, thread, folder }
    }

    /// Ends the node; its thread has let go of the log.
    pub(crate) fn stop(self) {
        let Self { log, committer, thread, .. } = self;
        drop((log, committer));
        thread.join().unwrap();
    }

    /// Another node on the same log with the same keys and clock.
    pub(crate) fn beside(&self) -> Committer {
        committer(&self.log, &self.keys, &self.clock, Box::new(|_| {})).0
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader { log: Arc::clone(&self.log), keys: Arc::clone(&self.keys) }
    }

    pub(crate) async fn run(&self, request: CaseRequest) -> Result<Outcome, CommandError> {
        self.committer.run(request).await
    }

    /// A new case of [`reporter`].
    pub(crate) async fn filed(&self) -> Outcome {
        self.run(request(&reporter(), new_case(), create(Vec::new()))).await.unwrap()
    }

    /// Stages a file.
    pub(crate) async fn stage(&self, file: AttachmentId) {
        let (which, owner) = (Kept::Upload(file), person(1));
        let keep =
            Upkeep::Keep { which, owner, sealed: Vec::new(), expires_at: time("2027-01-01T00:00:00Z") };
        assert_eq!(self.committer.upkeep(keep).await, Ok(UpkeepReply::Done));
    }

    /// How many events the log holds.
    pub(crate) async fn head(&self) -> u64 {
        self.log.head().await.unwrap().position
    }

    /// Puts what `ask` queues at its first poll into one batch of its own. The log's lock is held meanwhile, and two
    /// jobs that each fill a batch stand before: whenever the committer takes them, the rest comes after both.
    pub(crate) async fn in_one_batch<T>(&self, ask: impl Future<Output = T>) -> T {
        let mut holder = self.log.writer().await.unwrap();
        holder.begin().await.unwrap();
        let full = || Upkeep::Keep {
            which: Kept::Draft(person(77), Uuid::nil()),
            owner: person(77),
            sealed: vec![0; BATCH_BYTES],
            expires_at: time("2026-11-24T10:00:00Z"),
        };
        let mut before = std::pin::pin!(async {
            tokio::join!(self.committer.upkeep(full()), self.committer.upkeep(full()))
        });
        assert!(futures::poll!(&mut before).is_pending());
        let mut ask = std::pin::pin!(ask);
        assert!(futures::poll!(&mut ask).is_pending());
        holder.rollback().await;
        drop(holder);
        let (first, second) = before.await;
        assert_eq!((first, second), (Ok(UpkeepReply::Done), Ok(UpkeepReply::Done)));
        ask.await
    }
}

fn committer(
    log: &Arc<dyn Log>,
    keys: &Arc<Keys>,
    clock: &Clock,
    publish: Publish,
) -> (Committer, JoinHandle<()>) {
    let settings =
        Settings { clock: clock.clone(), keys: Arc::clone(keys), limits: FileLimits::default(), publish };
    Committer::start(Arc::clone(log), settings).unwrap()
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(number))
}

pub(crate) fn actor(role: Role, number: u128) -> Actor {
    Actor { person: person(number), role, identities: vec![person(number)], employers: None, areas: None }
}

pub(crate) fn reporter() -> Actor {
    actor(Role::Employee, 1)
}

pub(crate) fn officer() -> Actor {
    actor(Role::Officer, 2)
}

pub(crate) fn employer() -> OrganisationNumber {
    OrganisationNumber::parse("4021000007").unwrap()
}

pub(crate) fn new_case() -> CaseId {
    CaseId(crate::random::id())
}

pub(crate) fn body(text: &str) -> Body {
    Body::parse(text, "/text", Code::MessageMissing).unwrap()
}

pub(crate) fn create(files: Vec<UploadedFile>) -> CaseCommand {
    CaseCommand::Create(Create {
        employer: employer(),
        topic: Topic::new(Area::Ekonomi, None, None).unwrap(),
        subject: Subject::parse("Omföring", "/subject").unwrap(),
        message: body("Hej"),
        files,
        language: Language::Sv,
        follows_up: None,
        channel: Channel::Webb,
        on_behalf_of: None,
    })
}

pub(crate) fn message(text: &str) -> CaseCommand {
    CaseCommand::AddMessage(AddMessage { text: body(text), files: Vec::new() })
}

pub(crate) fn add_note() -> CaseCommand {
    CaseCommand::AddNote(AddNote { kind: NoteKind::Working, text: body("Ringde.") })
}

pub(crate) fn attach(files: Vec<UploadedFile>) -> CaseCommand {
    CaseCommand::Attach(Attach { files })
}

pub(crate) fn start() -> CaseCommand {
    CaseCommand::StartProcessing(StartProcessing {})
}

pub(crate) fn close() -> CaseCommand {
    CaseCommand::Close(Close { answer: body("Klart."), files: Vec::new() })
}

pub(crate) fn file(id: AttachmentId) -> UploadedFile {
    UploadedFile {
        stored: StoredFile { size: 10, stored_sha256: "aa".repeat(32), scan: None },
        card: FileCard {
            attachment_id: id,
            file_name: "fil.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            size: 10,
            sha256: "bb".repeat(32),
            key: "a2V5".to_owned(),
        },
    }
}

pub(crate) fn request(actor: &Actor, case: CaseId, command: CaseCommand) -> CaseRequest {
    CaseRequest {
        command_id: crate::random::id(),
        request: [0; 32],
        correlation: Uuid::nil(),
        actor: actor.clone(),
        case,
        fresh: false,
        expected_version: None,
        command,
        see: Vec::new(),
        followed: None,
    }
}

/// A notice that is over, in a stream of its own.
pub(crate) fn notice() -> Append {
    Append {
        stream: StreamId(crate::random::id()),
        actor: person(9),
        employer: None,
        event: Event::NoticeResolved {},
        expected: Expected::Any,
        upkeep: None,
    }
}
