//! Mails after a restore: held until somebody says so, told wherever operators look, and then sent once.

use std::fs;
use std::path::Path;

use crate::program::{Acknowledged, Program, live, run, words};
use crate::support::new_key;

fn mails(data: &Path) -> usize {
    let entries = fs::read_dir(data.join("mail")).into_iter().flatten().flatten();
    entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending == "eml")).count()
}

/// Waits until the measurements hold a line.
async fn until_measured(program: &Program, line: &str) {
    let until = tokio::time::Instant::now() + crate::program::PATIENCE;
    while !program.metrics().await.lines().any(|found| found == line) {
        assert!(tokio::time::Instant::now() < until, "`{line}` never came: {}", program.metrics().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_mails_are_held_until_they_are_released() {
    let place = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| place.path().join(name));
    let program = Program::start(&data).await;
    live(&program, &mut Acknowledged::default()).await;
    until_measured(&program, "kundwebb_mail_sent_total 3").await;
    program.stop().await;
    for arguments in
        [["backup", "--to", backup.to_str().unwrap()], ["restore", "--from", backup.to_str().unwrap()]]
    {
        let folder = if arguments[0] == "backup" { &data } else { &restored };
        let done = run(folder, &arguments);
        assert!(done.status.success(), "{}", words(&done));
    }
    let program = Program::start(&restored).await;
    program.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    until_measured(&program, "kundwebb_mail_held 1").await;
    until_measured(&program, "kundwebb_mail_due 1").await;
    assert!(
        program.said().contains("mails are held until `kundwebb deliveries release`"),
        "{}",
        program.said()
    );
    let check = run(&restored, &["check"]);
    assert!(
        words(&check).contains("FAIL  deliveries: mails are held, 1 wait: the log was put back"),
        "{}",
        words(&check)
    );
    assert_eq!(check.status.code(), Some(1));
    let status = words(&run(&restored, &["deliveries", "status"]));
    assert!(status.contains("3 sent, 1 held"), "{status}");
    assert_eq!(mails(&restored), 0);
    // A new start holds them as well.
    program.stop().await;
    let program = Program::start(&restored).await;
    until_measured(&program, "kundwebb_mail_held 1").await;
    let released = run(&restored, &["deliveries", "release"]);
    assert!(released.status.success(), "{}", words(&released));
    until_measured(&program, "kundwebb_mail_sent_total 4").await;
    until_measured(&program, "kundwebb_mail_held 0").await;
    assert_eq!(mails(&restored), 1, "those that were sent before the backup are not sent again");
    let check = run(&restored, &["check"]);
    assert!(words(&check).contains("ok    deliveries: none held"), "{}", words(&check));
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_released_without_a_server_too() {
    let place = tempfile::tempdir().unwrap();
    let [data, backup] = ["data", "backup"].map(|name| place.path().join(name));
    let program = Program::start(&data).await;
    program.stop().await;
    assert!(run(&data, &["backup", "--to", backup.to_str().unwrap()]).status.success());
    let released = run(&backup, &["deliveries", "release"]);
    assert!(released.status.success(), "{}", words(&released));
    let status = words(&run(&backup, &["deliveries", "status"]));
    assert!(status.contains("none held"), "{status}");
}
