//! The application with its mail reaction, and people who use it.

use std::path::PathBuf;
use std::time::Duration;

use api::app::{Caller, Command};
use api::reactions::{self, MailStatus};
use api::{App, Config};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::case::commands::{Close, Create};
use domain::person::SeePerson;
use domain::refusal::Code;
use domain::text::{Body, Subject};
use domain::{Area, CaseCommand, CaseId, Channel, Event, Language, OrganisationNumber, StreamId, Topic};
use infrastructure::tokens::Identity;
use infrastructure::{Clock, Outcome, Recorded};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A data folder and a clock: what outlives the program.
pub(super) struct Place {
    pub(super) folder: TempDir,
    pub(super) clock: Clock,
    pub(super) config: Config,
}

/// The program at work.
pub(super) struct World {
    pub(super) app: App,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Place {
    /// A place whose mails go to an SMTP server on a port.
    pub(super) fn smtp(port: u16) -> Self {
        let mut place = Self::files();
        place.config.mail.transport = "smtp".to_owned();
        place.config.mail.port = port;
        place
    }

    /// A place whose mails are written to files.
    pub(super) fn files() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now: DateTime<Utc> = "2026-11-23T07:36:00Z".parse().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            public_url: Some("https://kundwebb.example".to_owned()),
            ..Config::default()
        };
        Self { folder, clock: Clock::fixed(now), config }
    }

    /// The program without its reactions.
    pub(super) async fn open(&self) -> App {
        App::start(self.config.clone(), self.clock.clone()).await.unwrap()
    }

    pub(super) async fn start(&self) -> World {
        let app = self.open().await;
        let stop = CancellationToken::new();
        let task = reactions::start(&app, &stop);
        World { app, stop, task }
    }

    pub(super) fn mails(&self) -> Vec<PathBuf> {
        let Ok(files) = std::fs::read_dir(self.folder.path().join("mail")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }
}

impl World {
    /// Stops the program; what it owned is free again.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        self.app.close().await;
    }

    /// Cuts the mail reaction off wherever it is, then stops the program.
    pub(super) async fn cut_off(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
        self.app.close().await;
    }

    /// Lets time pass.
    pub(super) fn pass(&self, seconds: i64) {
        self.app.clock.set(self.app.clock.now() + TimeDelta::seconds(seconds));
        self.app.reactions.ring();
    }

    /// Waits until the mails stand so.
    pub(super) async fn until(&self, so: impl Fn(&MailStatus) -> bool) -> MailStatus {
        let mut status = self.app.reactions.mail();
        let found = tokio::time::timeout(PATIENCE, status.wait_for(|status| so(status))).await;
        match found {
            Ok(Ok(status)) => status.clone(),
            _ => panic!("it never came so far: {:?}", *self.app.reactions.mail().borrow()),
        }
    }

    pub(super) async fn sent(&self, count: u64) -> MailStatus {
        self.until(|status| status.counts.sent == count && status.counts.due == 0).await
    }

    /// An employee of the first employer with an address.
    pub(super) async fn employee(&self, subject: &str, email: Option<&str>) -> Caller {
        employee(&self.app, subject, email).await
    }

    pub(super) async fn other(&self, role: Role) -> Caller {
        let subject = role.code().to_owned();
        let employers = (role == Role::System).then(|| vec![employer()]);
        let identity = Identity { subject, role, name: None, email: None, employers, areas: None };
        self.app.caller(identity).await.unwrap()
    }

    pub(super) async fn run(
        &self,
        caller: &Caller,
        case: Option<(CaseId, u64)>,
        command: CaseCommand,
        see: Vec<SeePerson>,
    ) -> Outcome {
        let command = Command { see, ..to(case, command) };
        self.app.run(caller, command).await.unwrap()
    }

    /// Somebody files a case.
    pub(super) async fn create(&self, caller: &Caller, language: Language) -> Outcome {
        self.run(caller, None, CaseCommand::Create(create(language)), Vec::new()).await
    }

    /// The events of a case.
    pub(super) async fn events(&self, case: CaseId) -> Vec<Recorded> {
        self.app.reader.stream(case.into()).await.unwrap()
    }

    /// How mails ended, in the order of the log: each in a stream of its own.
    pub(super) async fn ends(&self) -> Vec<(StreamId, Event)> {
        let all = self.app.reader.after(0, 100_000).await.unwrap();
        let ends = |event: &Recorded| {
            matches!(event.event, Event::NotificationSent { .. } | Event::NotificationFailed { .. })
        };
        all.into_iter().filter(ends).map(|event| (event.stream, event.event)).collect()
    }
}

pub(super) async fn employee(app: &App, subject: &str, email: Option<&str>) -> Caller {
    let employers = Some(vec![employer()]);
    let (subject, email) = (subject.to_owned(), email.map(str::to_owned));
    let name = Some("Anna".to_owned());
    let identity = Identity { subject, role: Role::Employee, name, email, employers, areas: None };
    app.caller(identity).await.unwrap()
}

/// A command to a case, on the version that is known of it.
pub(super) fn to(case: Option<(CaseId, u64)>, command: CaseCommand) -> Command {
    Command {
        key: None,
        request: Vec::new(),
        correlation: Uuid::nil(),
        case: case.map(|(case, _)| case),
        expected_version: case.map(|(_, version)| version),
        command,
        see: Vec::new(),
        followed: None,
    }
}

pub(super) fn employer() -> OrganisationNumber {
    OrganisationNumber::parse("4021000007").unwrap()
}

pub(super) fn create(language: Language) -> Create {
    Create {
        employer: employer(),
        topic: Topic::new(Area::Ekonomi, None, None).unwrap(),
        subject: Subject::parse("POISON-subject", "/subject").unwrap(),
        message: body("POISON-message"),
        files: Vec::new(),
        language,
        follows_up: None,
        channel: Channel::Webb,
        on_behalf_of: None,
    }
}

pub(super) fn close() -> CaseCommand {
    CaseCommand::Close(Close { answer: body("POISON-answer"), files: Vec::new() })
}

pub(super) fn body(text: &str) -> Body {
    Body::parse(text, "/text", Code::MessageMissing).unwrap()
}
