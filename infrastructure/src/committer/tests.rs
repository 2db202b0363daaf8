//! The committer on SQLite: one case from Inkommit to Avslutat.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::case::commands::{Close, Create, StartProcessing};
use domain::files::FileLimits;
use domain::refusal::Code;
use domain::text::{Body, Subject};
use domain::{
    Actor, Area, CaseCommand, CaseId, Channel, Language, OrganisationNumber, PersonId, Status, Topic,
};
use uuid::Uuid;

use super::*;
use crate::log::sqlite::SqliteLog;
use crate::reader::Reader;

fn actor(role: Role, number: u128) -> Actor {
    let person = PersonId(Uuid::from_u128(number));
    Actor { person, role, identities: vec![person], employers: None, areas: None }
}

fn create() -> CaseCommand {
    CaseCommand::Create(Create {
        employer: OrganisationNumber::parse("4021000007").unwrap(),
        topic: Topic::new(Area::Ekonomi, None, None).unwrap(),
        subject: Subject::parse("Omföring", "/subject").unwrap(),
        message: Body::parse("Hej", "/message", Code::MessageMissing).unwrap(),
        files: Vec::new(),
        language: Language::Sv,
        follows_up: None,
        channel: Channel::Webb,
        on_behalf_of: None,
    })
}

fn request(actor: Actor, case: CaseId, expected_version: Option<u64>, command: CaseCommand) -> CaseRequest {
    CaseRequest {
        command_id: crate::random::id(),
        request: [0; 32],
        correlation: Uuid::nil(),
        actor,
        case,
        expected_version,
        command,
        see: Vec::new(),
        followed: None,
    }
}

#[tokio::test]
async fn a_case_goes_through_its_life_and_is_read_back_opened() {
    let folder = tempfile::tempdir().unwrap();
    let log: Arc<dyn Log> = Arc::new(SqliteLog::open(folder.path()).unwrap());
    let keys = Arc::new(Keys::open(folder.path(), true).unwrap());
    let now: DateTime<Utc> = "2026-11-23T10:00:00Z".parse().unwrap();
    let settings = Settings {
        clock: Clock::fixed(now),
        keys: Arc::clone(&keys),
        limits: FileLimits::default(),
        publish: Box::new(|_| {}),
    };
    let (committer, thread) = Committer::start(Arc::clone(&log), settings).unwrap();
    let case = CaseId(crate::random::id());
    let received = committer.run(request(actor(Role::Employee, 1), case, None, create())).await.unwrap();
    assert_eq!((received.case_number.to_string().as_str(), received.version), ("2026-000001-1", 1));
    let officer = actor(Role::Officer, 2);
    let start = CaseCommand::StartProcessing(StartProcessing {});
    assert_eq!(
        committer.run(request(officer.clone(), case, Some(1), start)).await.unwrap().status,
        Status::InProcess
    );
    let answer = Body::parse("Klart.", "/answer", Code::AnswerMissing).unwrap();
    let close = CaseCommand::Close(Close { answer, files: Vec::new() });
    assert_eq!(committer.run(request(officer, case, Some(2), close)).await.unwrap().status, Status::Closed);
    let events = Reader { log: Arc::clone(&log), keys: Arc::clone(&keys) }.stream(case.into()).await.unwrap();
    assert_eq!(events.len(), 3);
    assert!(events[2].event.personal_json().unwrap().contains("Klart."));
    crate::startup::check(log.as_ref(), &keys).await.unwrap();
    drop(committer);
    thread.join().unwrap();
}
