//! The installation's own tokens, on the real program: what one says, taking one back, and another key to sign them with.

use std::fs;
use std::path::Path;

use chrono::TimeDelta;
use infrastructure::Keys;
use infrastructure::keys::{ALL_KEY_FILES, KEY_FILES};
use infrastructure::tokens::LONGEST;
use reqwest::Response;
use tests::service::token;
use tokio::time::Instant;

use crate::program::{PATIENCE, Program, binary, copy_folder, run, words};
use crate::support::{EXEMPELVERKET, TestApp, TestCaller};

/// Within how long a token that is revoked must be refused.
const SECONDS: u64 = 5;

/// A token of a system.
pub(crate) async fn system(data: &Path, flags: &[&str]) -> String {
    let flags = [&["--employer", EXEMPELVERKET], flags].concat().into_iter().map(str::to_owned);
    let (data, flags) = (data.to_path_buf(), flags.collect::<Vec<_>>());
    let given = move || {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        token(&data, "system", "agresso", &flags).unwrap()
    };
    tokio::task::spawn_blocking(given).await.unwrap()
}

async fn cases(program: &Program, token: &str) -> Response {
    let address = format!("{}/api/v1/cases", program.url);
    program.client.get(address).bearer_auth(token).send().await.unwrap()
}

/// What the program says about its cases to whoever has a token.
pub(crate) async fn status(program: &Program, token: &str) -> u16 {
    cases(program, token).await.status().as_u16()
}

/// Waits until a token is refused, which must not take long.
pub(crate) async fn until_refused(program: &Program, token: &str) {
    let begun = Instant::now();
    loop {
        let answer = cases(program, token).await;
        if answer.status() == 401 {
            assert_eq!(answer.headers()["www-authenticate"], "Bearer error=\"invalid_token\"");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is not refused");
        tokio::task::yield_now().await;
    }
    assert!(begun.elapsed().as_secs() < SECONDS, "{:?}", begun.elapsed());
}

/// Runs a subcommand that does what it should, and gives what it said.
pub(crate) async fn does(data: &Path, arguments: &[&str]) -> String {
    let (well, said) = ends(data, arguments).await;
    assert!(well, "{arguments:?}: {said}");
    said
}

/// Runs a subcommand that refuses, in words.
pub(crate) async fn refuses(data: &Path, arguments: &[&str], reason: &str) {
    let (well, said) = ends(data, arguments).await;
    assert!(!well && said.contains(reason), "{arguments:?}: {said}");
}

async fn ends(data: &Path, arguments: &[&str]) -> (bool, String) {
    let (data, arguments) =
        (data.to_path_buf(), arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
    let ended = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&data, &arguments);
        (output.status.success(), words(&output))
    };
    tokio::task::spawn_blocking(ended).await.unwrap()
}

/// The id that `token --show` tells.
fn id(said: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_is_refused_within_seconds_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    let (one, two, other) = (system(&data, &[]).await, system(&data, &[]).await, system(&data, &[]).await);
    for token in [&one, &two, &other] {
        assert_eq!(status(&program, token).await, 200);
    }
    let said = does(&data, &["token", "--show", &one]).await;
    for line in ["subject: agresso", "role: system", "employers: 402100-0007", "scopes: all", "revoked: no"] {
        assert!(said.lines().any(|said| said == line), "{line}: {said}");
    }
    // Beside the server, by itself and by its id.
    let revoked = does(&data, &["token", "--revoke", &one]).await;
    assert!(revoked.contains(&id(&said)) && !revoked.contains(&one), "{revoked}");
    until_refused(&program, &one).await;
    let two_id = id(&does(&data, &["token", "--show", &two]).await);
    let revoked = does(&data, &["token", "--revoke", &two_id]).await;
    assert!(revoked.contains("whether there is one is not known"), "{revoked}");
    until_refused(&program, &two).await;
    assert_eq!(status(&program, &other).await, 200);
    assert!(does(&data, &["token", "--show", &two]).await.contains("revoked: yes"));
    assert!(does(&data, &["token", "--revoke", &two]).await.contains("was revoked before"));
    refuses(&data, &["token", "--revoke", "a.b.c"], "write a token of this installation").await;
    program.stop().await;
    // Without a server too.
    let third = system(&data, &[]).await;
    does(&data, &["token", "--revoke", &third]).await;
    let program = Program::start(&data).await;
    for (token, expected) in [(&one, 401), (&two, 401), (&third, 401), (&other, 200)] {
        assert_eq!(status(&program, token).await, expected);
    }
    let left = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(left.into_iter().all(|name| !name.starts_with("revoke")));
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_installation_can_be_for_some_scopes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    let token = system(&data, &["--scope", "event.read", "webhook.manage"]).await;
    assert_eq!(token.lines().count(), 1, "the token alone");
    let refused = cases(&program, &token).await;
    assert_eq!(refused.status(), 403);
    let asks = "Bearer error=\"insufficient_scope\", scope=\"case.read\"";
    assert_eq!(refused.headers()["www-authenticate"], asks);
    let events = program.client.get(format!("{}/api/v1/events", program.url)).bearer_auth(&token);
    assert_eq!(events.send().await.unwrap().status(), 200);
    assert!(does(&data, &["token", "--show", &token]).await.contains("scopes: event.read webhook.manage"));
    let wrong =
        ["token", "--as", "system", "--subject", "x", "--employer", EXEMPELVERKET, "--scope", "case.delete"];
    refuses(&data, &wrong, "--scope case.delete").await;
    let wrong = ["token", "--as", "officer", "--subject", "olle", "--scope", "case.read"];
    refuses(&data, &wrong, "--scope narrows systems").await;
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_signs_from_now_on_and_what_the_former_signed_holds() {
    let folder = tempfile::tempdir().unwrap();
    let [data, before, backup, restored] =
        ["data", "before", "backup", "restored"].map(|name| folder.path().join(name));
    let program = Program::start(&data).await;
    let old = system(&data, &[]).await;
    assert_eq!(status(&program, &old).await, 200);
    refuses(&data, &["keys", "rotate"], "only while no server runs").await;
    program.stop().await;
    copy_folder(&data, &before);
    let said = does(&data, &["keys", "rotate"]).await;
    assert!(said.contains("token.key is another key from now on"), "{said}");
    let read = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(read(&data, KEY_FILES[0]), read(&before, KEY_FILES[0]));
    assert_ne!(read(&data, KEY_FILES[1]), read(&before, KEY_FILES[1]));
    let new = system(&data, &[]).await;
    let program = Program::start(&data).await;
    assert_eq!([status(&program, &old).await, status(&program, &new).await], [200, 200]);
    assert!(does(&data, &["check"]).await.contains("tokens of 1 former keys hold until"));
    // A backup takes the former key along.
    does(&data, &["backup", "--to", backup.to_str().unwrap()]).await;
    program.stop().await;
    does(&restored, &["restore", "--from", backup.to_str().unwrap()]).await;
    let again = Program::start(&restored).await;
    assert_eq!([status(&again, &old).await, status(&again, &new).await], [200, 200]);
    again.stop().await;

    // Cut off before the log knew of it, or with a log from before: the next start goes on.
    for name in ALL_KEY_FILES {
        fs::copy(data.join(name), before.join(name)).unwrap();
    }
    let mixed = Program::start(&before).await;
    assert_eq!([status(&mixed, &old).await, status(&mixed, &new).await], [200, 200]);
    mixed.stop().await;
    // Whoever has the old keys is refused from then on.
    fs::remove_file(before.join(ALL_KEY_FILES[2])).unwrap();
    let without = Program::start(&before).await;
    assert_eq!([status(&without, &old).await, status(&without, &new).await], [401, 200]);
    without.stop().await;
}

#[tokio::test]
async fn a_former_key_is_removed_at_a_start_when_all_that_it_signed_has_expired() {
    let app = TestApp::start().await;
    let token = app.employee("anna").token;
    let now = app.clock.now();
    Keys::rotate_token(app.folder(), now).unwrap();
    let app = app.restart().await;
    let old = TestCaller { token, ..app.nobody() };
    old.get("/cases").send().await.ok();
    let is_there = |app: &TestApp| app.folder().join(ALL_KEY_FILES[2]).exists();
    app.clock.set(now + LONGEST);
    let app = app.restart().await;
    assert!(is_there(&app));
    app.clock.set(now + LONGEST + TimeDelta::days(1));
    let app = app.restart().await;
    assert!(!is_there(&app));
    app.employee("anna").list("").await;
}

/// Whoever reads no further has what they wanted.
#[test]
fn a_reader_who_has_enough_is_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["check"][..], &["token", "--as", "officer", "--subject", "olle"]] {
        let mut command = std::process::Command::new(binary());
        command.args(arguments).arg("--data").arg(folder.path());
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = command.stdout(writer).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{arguments:?}: {} {said}", output.status);
    }
}
