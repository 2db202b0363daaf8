//! `kundwebb log` beside a running program: what it verifies, exports and shows.

use std::process::ExitCode;

use api::cli::log::{self, Command};
use chrono::TimeDelta;
use domain::access::Role;
use domain::case::commands::{AddMessage, Close, Create, StartProcessing};
use domain::refusal::Code;
use domain::text::{Body, Subject};
use domain::{Area, CaseCommand, CaseId, Channel, Language, OrganisationNumber, SubArea, Topic};
use infrastructure::tokens::Identity;
use infrastructure::{Outcome, random};
use serde_json::Value;

use crate::support::{EXEMPELVERKET, TestApp, identity};

fn body(text: &str) -> Body {
    Body::parse(text, "", Code::MessageMissing).unwrap()
}

fn employer() -> OrganisationNumber {
    OrganisationNumber::parse(EXEMPELVERKET).unwrap()
}

fn create() -> CaseCommand {
    CaseCommand::Create(Create {
        employer: employer(),
        topic: Topic::new(Area::Lon, Some(SubArea::Supportarende), None).unwrap(),
        subject: Subject::parse("Semesterdagar", "").unwrap(),
        message: body("Hur många har jag kvar?"),
        files: Vec::new(),
        language: Language::Sv,
        follows_up: None,
        channel: Channel::Webb,
        on_behalf_of: None,
    })
}

async fn run(app: &TestApp, who: &Identity, case: Option<CaseId>, command: CaseCommand) -> Outcome {
    let caller = app.app.caller(who.clone()).await.unwrap();
    let command = api::app::Command {
        key: None,
        request: Vec::new(),
        correlation: random::id(),
        case,
        expected_version: None,
        command,
        see: Vec::new(),
        followed: None,
    };
    app.app.run(&caller, command).await.unwrap()
}

/// A case from beginning to end, each step five minutes after the other.
async fn lived(app: &TestApp) -> Outcome {
    let anna = Identity { employers: Some(vec![employer()]), ..identity("anna", Role::Employee) };
    let olle = identity("olle", Role::Officer);
    let case = run(app, &anna, None, create()).await;
    app.pass(TimeDelta::minutes(5));
    run(app, &olle, Some(case.id), CaseCommand::StartProcessing(StartProcessing {})).await;
    app.pass(TimeDelta::minutes(5));
    let message = AddMessage { text: body("Jag tittar på det."), files: Vec::new() };
    run(app, &olle, Some(case.id), CaseCommand::AddMessage(message)).await;
    app.pass(TimeDelta::minutes(5));
    let close = Close { answer: body("Du har 12 dagar."), files: Vec::new() };
    run(app, &olle, Some(case.id), CaseCommand::Close(close)).await
}

/// What the command line says, and whether it went well.
async fn say(app: &TestApp, command: Command) -> Result<(bool, String), String> {
    let mut out = Vec::new();
    match log::run(&app.app.config, command, &mut out, &|_| {}).await {
        Ok(code) => Ok((code == ExitCode::SUCCESS, String::from_utf8(out).unwrap())),
        Err(error) => Err(format!("{error:#}")),
    }
}

async fn show(app: &TestApp, case: &str, as_of: Option<&str>) -> Result<String, String> {
    let as_of = as_of.map(|time| time.parse().unwrap());
    say(app, Command::Show { case: case.to_owned(), as_of }).await.map(|(_, text)| text)
}

#[tokio::test]
async fn a_case_in_words_as_it_is_and_as_it_was_known() {
    let app = TestApp::start().await;
    let case = lived(&app).await;
    let now = show(&app, "2026-000001-1", None).await.unwrap();
    for words in [
        "Version   4",
        "Status    Closed",
        "Example Agency (4021000007)",
        "Hur många har jag kvar?",
        "Jag tittar på det.",
        "Du har 12 dagar.",
        "Anna Provsson (Employee, anna@exempelverket.example)",
        "Olle Provsson (Case officer",
        "2026-11-23T08:51:08.000000Z",
    ] {
        assert!(now.contains(words), "{words}: {now}");
    }
    // Without hyphens, and by id, it is the same case.
    assert_eq!(show(&app, "20260000011", None).await.unwrap(), now);
    assert_eq!(show(&app, &case.id.to_string(), None).await.unwrap(), now);

    let then = show(&app, "2026-000001-1", Some("2026-11-23T08:41:08Z")).await.unwrap();
    assert!(then.contains("as it was known at 2026-11-23T08:41:08.000000Z"), "{then}");
    assert!(then.contains("Status    In progress") && then.contains("Version   2"), "{then}");
    assert!(!then.contains("Jag tittar") && !then.contains("12 dagar"), "{then}");
    let before = show(&app, "2026-000001-1", Some("2026-11-23T08:36:07Z")).await.unwrap_err();
    assert!(before.contains("was not known at") && before.contains("2026-11-23T08:36:08"), "{before}");
}

#[tokio::test]
async fn a_case_that_is_none_is_told() {
    let app = TestApp::start().await;
    lived(&app).await;
    for (case, words) in [
        ("2026-000001-2", "the last digit does not match"),
        ("2026-000002-9", "there is no case 2026-000002-9"),
        ("semester", "is no case number"),
        ("01a1ca83-7fd0-7e20-a2a0-e211f9b57068", "there is no case"),
    ] {
        let error = show(&app, case, None).await.unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let person = app.app.keys.login("anna").to_string();
    assert!(show(&app, &person, None).await.unwrap_err().contains("is not a case"));
}

#[tokio::test]
async fn the_export_is_the_feed_without_personal_content() {
    let app = TestApp::start().await;
    lived(&app).await;
    let (well, text) = say(&app, Command::Export).await.unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(well);
    let positions: Vec<u64> = lines.iter().map(|line| line["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=app.head().await).collect::<Vec<_>>());
    let received = lines.iter().find(|line| line["type"] == "CaseReceived").unwrap();
    assert_eq!(received["facts"]["caseNumber"], "2026-000001-1");
    assert_eq!(received["recordedAt"], "2026-11-23T08:36:08Z");
    assert_eq!(received["leafHash"].as_str().unwrap().len(), 64);
    assert!(lines.iter().all(|line| line["personal"].is_null() && line.get("personal").is_some()));
    for personal in ["Semesterdagar", "Anna", "12 dagar", "anna@"] {
        assert!(!text.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn a_whole_log_is_called_whole() {
    let app = TestApp::start().await;
    lived(&app).await;
    let (well, text) = say(&app, Command::Verify).await.unwrap();
    assert!(well, "{text}");
    assert!(text.contains(&format!("{} events", app.head().await)), "{text}");
    assert!(text.contains("sealed parts open with their keys"), "{text}");
}

/// What is found after somebody has been at the file of the log.
async fn after(change: &str) -> (bool, String) {
    let app = TestApp::start().await;
    lived(&app).await;
    let file = rusqlite::Connection::open(app.folder().join("log.db")).unwrap();
    file.execute_batch("DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_deleted;").unwrap();
    file.execute_batch(change).unwrap();
    say(&app, Command::Verify).await.unwrap()
}

#[tokio::test]
async fn every_fault_of_the_log_is_named_with_its_position() {
    let started = "(SELECT position FROM event WHERE type = 'ProcessingStarted')";
    for (change, words) in [
        (
            format!("UPDATE event SET facts = replace(facts, '-', '0') WHERE position = {started}"),
            "does not hash to its leaf hash",
        ),
        (format!("DELETE FROM event WHERE position = {started}"), "are missing"),
        (
            format!("UPDATE event SET recorded_at = recorded_at - 86400000000 WHERE position = {started}"),
            "the time goes back",
        ),
        (
            format!("UPDATE event SET version = 9 WHERE position = {started}"),
            "version 9 of its stream follows on version 1",
        ),
        (
            "DELETE FROM case_key WHERE key_id = (SELECT stream_id FROM event WHERE type = 'CaseReceived')"
                .to_owned(),
            "is missing or foreign",
        ),
        ("UPDATE event SET sealed = zeroblob(60) WHERE type = 'MessageAdded'".to_owned(), "does not open"),
    ] {
        let (well, text) = after(&change).await;
        assert!(!well && text.contains(words), "{change}: {text}");
        assert!(text.contains("FAIL  position ") && text.contains("The log is damaged"), "{text}");
    }
}

#[tokio::test]
async fn without_the_keys_everything_else_is_verified() {
    let app = TestApp::start().await;
    lived(&app).await;
    let copy = tempfile::tempdir().unwrap();
    let log = rusqlite::Connection::open(app.folder().join("log.db")).unwrap();
    log.execute("VACUUM INTO ?1", [copy.path().join("log.db").to_str().unwrap()]).unwrap();
    let config = api::Config { data: copy.path().to_path_buf(), ..app.app.config.clone() };
    let mut out = Vec::new();
    let code = log::run(&config, Command::Verify, &mut out, &|_| {}).await.unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(code == ExitCode::SUCCESS && text.contains("what is sealed was not opened"), "{text}");
}
