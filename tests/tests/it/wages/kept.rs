//! The files of payroll forms are kept as those of cases are: no cleaning takes them, backups, `check` and `files move`
//! know them, and what cannot be opened with the log's keys cannot be read.

use chrono::TimeDelta;

use super::{FEES, FORMS, editor, fees, pdf};
use crate::program::{run, words};
use crate::support::TestApp;

#[tokio::test]
async fn files_stay_through_cleaning_and_a_restart_and_lie_encrypted() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    fees(&dan, "a.pdf", &pdf("ett")).await;
    fees(&dan, "b.pdf", &pdf("två")).await;
    for _ in 0..3 {
        app.pass(TimeDelta::days(2));
        app.clean().await.unwrap();
        app.app.sweep_files(app.clock.now(), app.clock.now() + TimeDelta::days(300)).await.unwrap();
    }
    assert_eq!((app.objects(), app.staged()), (2, 0));
    for object in std::fs::read_dir(app.folder().join("files")).unwrap() {
        let stored = std::fs::read(object.unwrap().path()).unwrap();
        assert!(!stored.windows(4).any(|bytes| bytes == b"%PDF"));
    }
    let app = app.restart().await;
    let dan = editor(&app, "dan").await;
    dan.get(FORMS).await.shows(200, "L-120 Arvode PDF");
    for (version, content) in [(1, "ett"), (2, "två")] {
        let file = dan.request(reqwest::Method::GET, &format!("{FEES}/versioner/{version}"));
        assert_eq!(file.send().await.unwrap().bytes().await.unwrap(), pdf(content));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_and_the_command_line_know_them() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    fees(&dan, "a.pdf", &pdf("ett")).await;
    fees(&dan, "b.pdf", &pdf("två")).await;
    let place = tempfile::tempdir().unwrap();
    let [backup, restored, moved] = ["backup", "restored", "moved"].map(|name| place.path().join(name));
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let taken = run(app.folder(), &["backup", "--to", &text(&backup)]);
    assert!(taken.status.success() && words(&taken).contains("2 files"), "{}", words(&taken));
    let back = run(&restored, &["restore", "--from", &text(&backup)]);
    assert!(back.status.success(), "{}", words(&back));
    let to = format!("local:{}", text(&moved));
    let copied = run(&restored, &["files", "move", "--from", "local", "--to", &to]);
    assert!(words(&copied).contains("holds 2 files, each as the log says: 2 copied"), "{}", words(&copied));
    let checked = words(&run(&restored, &["check"]));
    assert!(checked.contains("ok    files: the 2 files"), "{checked}");
    let object = std::fs::read_dir(restored.join("files")).unwrap().next().unwrap().unwrap();
    std::fs::remove_file(object.path()).unwrap();
    let checked = words(&run(&restored, &["check"]));
    assert!(checked.contains("FAIL  files: 1 of the 2 files"), "{checked}");
}
