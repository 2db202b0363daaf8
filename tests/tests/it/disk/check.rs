//! `kundwebb check` beside a running server: one line for each thing, what to do about what is wrong, and the code 1. (What
//! is wrong with log and read models is told in the tests of damage, a full disk in those of full disks, held mails in
//! those of holding.)

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::program::{Acknowledged, Program, binary, live, run, words};

/// The lines that say what is wrong.
fn faults(output: &Output) -> Vec<String> {
    words(output).lines().filter(|line| line.starts_with("FAIL")).map(str::to_owned).collect()
}

/// It finds just this, says what to do, and ends with 1.
#[track_caller]
fn finds(output: &Output, what: &str, advice: &str) {
    let found = faults(output);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains(what) && found[0].contains(advice), "{found:?}");
    assert_eq!(output.status.code(), Some(1));
}

fn check_with(data: &Path, variables: &[(&str, &str)]) -> Output {
    Command::new(binary())
        .args(["check", "--data"])
        .arg(data)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

/// Before the first start there is nothing that could be wrong.
#[test]
fn a_new_folder_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    for data in [folder.path().to_path_buf(), folder.path().join("not-there")] {
        let said = run(&data, &["check"]);
        assert!(said.status.success() && faults(&said).is_empty(), "{}", words(&said));
        assert!(words(&said).contains("is new; the server makes what it needs there"), "{}", words(&said));
    }
    assert!(!folder.path().join("not-there").exists());
}

/// Keys of a log, and no log.
fn keys_without_a_log(lost: &Path, key: &Path) {
    fs::create_dir(lost).unwrap();
    fs::copy(key, lost.join("master.key")).unwrap();
    let nothing = run(lost, &["check"]);
    assert!(
        words(&nothing).contains("FAIL  log: the log is damaged: log.db is missing"),
        "{}",
        words(&nothing)
    );
    assert_eq!(nothing.status.code(), Some(1));
    assert!(!lost.join("log.db").exists(), "and none is made");
}

/// Garbage among the former keys names their file, and no other.
fn former_keys(data: &Path) {
    let former = data.join("token.former");
    fs::write(&former, "x\n").unwrap();
    let wrong = run(data, &["check"]);
    finds(&wrong, &format!("{} cannot be used", former.display()), "or delete it");
    assert!(!words(&wrong).contains("master.key and token.key back"), "{}", words(&wrong));
    fs::remove_file(&former).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_is_found_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    live(&program, &mut Acknowledged::default()).await;
    let well = run(&data, &["check"]);
    assert!(well.status.success() && faults(&well).is_empty(), "{}", words(&well));
    assert_eq!(
        words(&well).lines().filter(|line| line.starts_with("ok    ")).count(),
        14,
        "{}",
        words(&well)
    );

    let file = fs::read_dir(data.join("files")).unwrap().next().unwrap().unwrap().path();
    let aside = folder.path().join("file");
    fs::rename(&file, &aside).unwrap();
    finds(
        &run(&data, &["check"]),
        "1 of the 1 files that cases name are missing",
        "copy them from the files/ of a backup",
    );
    fs::rename(&aside, &file).unwrap();

    former_keys(&data);

    for (name, content) in
        [("master.key", None), ("master.key", Some("ab".repeat(32))), ("token.key", Some("x".to_owned()))]
    {
        let key = data.join(name);
        let own = fs::read(&key).unwrap();
        match content {
            None => fs::remove_file(&key).unwrap(),
            Some(content) => fs::write(&key, content).unwrap(),
        }
        finds(&run(&data, &["check"]), "FAIL  keys: ", "put the log's own master.key and token.key back");
        fs::write(&key, own).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    }

    let nobody = [("KUNDWEBB_MAIL__TRANSPORT", "smtp"), ("KUNDWEBB_MAIL__PORT", "1")];
    finds(&check_with(&data, &nobody), "FAIL  mail: ", "Check the settings under [mail] and the mail server");

    // A folder that cannot be written, whoever asks.
    let probe = data.join(".check");
    let refused = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-P",
            probe.to_str().unwrap(),
            "-e",
            "inject=openat:error=EROFS",
        ])
        .args([binary(), "check", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    finds(&refused, "FAIL  folder: ", "make it writable for the user that runs kundwebb");

    let well = run(&data, &["check"]);
    assert!(well.status.success(), "and all is well again: {}", words(&well));
    live(&program, &mut Acknowledged::default()).await;
    program.stop().await;
    keys_without_a_log(&folder.path().join("lost"), &data.join("master.key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_others_may_read_and_cookies_that_are_not_safe_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    let token = data.join("token.key");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    finds(&run(&data, &["check"]), "FAIL  secrets: ", &format!("chmod 600 {}", token.display()));
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    let open = [("KUNDWEBB_PUBLIC_URL", "http://kundwebb.example")];
    finds(&check_with(&data, &open), "FAIL  cookies: ", "set it to https://kundwebb.example");
    let endless = [("KUNDWEBB_SESSIONS__ABSOLUTE_HOURS", "1000")];
    finds(
        &check_with(&data, &endless),
        "FAIL  cookies: ",
        "set them to 5 or more minutes, and to 1 to 168 hours",
    );
    let well = check_with(&data, &[("KUNDWEBB_PUBLIC_URL", "https://kundwebb.example")]);
    assert!(words(&well).contains("ok    cookies: that of a session is __Host-"), "{}", words(&well));
    program.stop().await;
}
