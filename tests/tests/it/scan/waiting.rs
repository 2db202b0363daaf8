//! Files that come while the scanner is away, slow or too small: the case is received, nobody opens them, and they are
//! scanned when it can.

use std::path::Path;
use std::time::Duration;

use api::{reactions, scanning};
use serde_json::{Value, json};
use tests::clamd::GOOD;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{PATIENCE, before, clamd, docx, eicar, file_path, infected_pdf, run, scans, until_scanned};
use crate::officer_pages::browser::Browser;
use crate::support::{Done, PDF, TestApp, TestCaller, until};

/// A case with files.
async fn with_files(caller: &TestCaller<'_>, files: &[(&str, &[u8])]) -> Done {
    let mut body = caller.body("Med filer");
    let mut ids = Vec::new();
    for (name, content) in files {
        ids.push(caller.upload(name, content).await);
    }
    body["attachments"] = json!(ids);
    caller.create(&body).await
}

/// Scans what waits until it is dropped.
fn scan(app: &TestApp) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(scanning::run(app.app.clone())))
}

/// The mails that were written, each as text with its words as they are read.
fn mails(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("mail")).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "eml"));
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap().replace("=\r\n", "")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_scanner_is_away_the_case_is_received_and_its_files_wait_for_it() {
    let daemon = clamd(None).await;
    let app = before(&daemon, PATIENCE).await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let stop = CancellationToken::new();
    let _reactions = reactions::start(&app.app, &stop);
    // Twice, as when one has lost the lease and does not know it yet.
    let _scans = [scan(&app), scan(&app)];
    let files: [(&str, &[u8]); 4] = [
        ("ren.pdf", PDF),
        ("lönebesked.docx", &docx(&eicar(), false)),
        ("låst.docx", &docx(b"x", true)),
        ("smittad.pdf", &infected_pdf()),
    ];
    let case = with_files(&anna, &files).await;
    let read = anna.read(&case.id).await;
    assert_eq!(scans(&read), ["waiting"; 4]);
    let page =
        Browser::of(&app, anna.identity.clone().unwrap()).await.get(&format!("/arenden/{}", case.id)).await;
    page.shows(200, "ren.pdf Kontrolleras. Filen går att öppna när kontrollen är klar");
    nobody_opens(&app, &case, &read, "waiting", &[0, 1, 2, 3]).await;

    let _daemon = run(daemon, &GOOD).await;
    let read = until_scanned(&app.app, &anna, &case.id, &["clean", "infected", "locked", "infected"]).await;
    assert_eq!(read["version"], case.version, "no scan moves the version of a case");
    olle.start_processing(&case).await;
    assert_eq!(anna.get(&file_path(&read, 0)).send().await.bytes, PDF);
    nobody_opens(&app, &case, &read, "infected", &[1, 3]).await;
    nobody_opens(&app, &case, &read, "locked", &[2]).await;
    for person in [&anna, &olle] {
        let browser = Browser::of(&app, person.identity.clone().unwrap()).await;
        let page = browser.get(&format!("/arenden/{}", case.id)).await;
        page.shows(200, "lönebesked.docx Innehåller skadlig kod och kan inte öppnas");
        page.shows(200, "låst.docx Är låst med lösenord och kan inte öppnas");
        assert_eq!(page.links(&format!("/arenden/{}/filer/", case.id)).len(), 1, "only the clean one");
    }
    // The reporter is told by mail, without the name of the file, once a file.
    until(|| mails(app.folder()).len() == 4).await;
    let told: Vec<_> =
        mails(app.folder()).into_iter().filter(|mail| mail.contains("kan inte =C3=B6ppnas.")).collect();
    assert_eq!(told.len(), 3);
    assert!(
        told.iter()
            .all(|mail| !mail.contains("docx") && !mail.contains("smittad") && mail.contains(&case.number))
    );
    stop.cancel();
    each_is_recorded_once(&app, 4).await;
}

/// Neither the reporter nor an officer is handed these files, by no way; and that is not recorded as read.
async fn nobody_opens(app: &TestApp, case: &Done, read: &Value, why: &str, files: &[usize]) {
    for person in [app.employee("anna"), app.officer("olle")] {
        let browser = Browser::of(app, person.identity.clone().unwrap()).await;
        for file in files {
            let answer = person.get(&file_path(read, *file)).send().await;
            assert_eq!(answer.problem(409), format!("file.{why}"));
            let id = read["attachments"][*file]["attachmentId"].as_str().unwrap();
            let page = browser.get(&format!("/arenden/{}/filer/{id}", case.id)).await;
            assert_eq!(page.status, 409, "{}", page.text());
            let read =
                app.app.readings(case.id.parse().ok().map(domain::CaseId), u64::MAX, 1000).await.unwrap();
            let opened = |row: &api::app::reading::OpenedRead| {
                row.reading
                    .as_ref()
                    .is_some_and(|reading| reading.attachment.is_some_and(|file| file.to_string() == id))
            };
            assert!(!read.iter().any(opened));
        }
    }
}

async fn each_is_recorded_once(app: &TestApp, files: usize) {
    let feed = app.auditor().get("/events?limit=1000").send().await.ok();
    let mut scanned: Vec<_> = feed["events"].as_array().unwrap().iter().collect();
    scanned.retain(|event| event["type"] == "FileScanned");
    assert_eq!(scanned.len(), files);
    assert!(scanned.iter().all(|event| event["version"] == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_hangs_keeps_nobody_waiting_for_long() {
    let daemon = clamd(Some(&GOOD)).await;
    let app = before(&daemon, 5).await;
    let anna = app.employee("anna");
    daemon.signal("STOP").unwrap();
    let began = Instant::now();
    let case = with_files(&anna, &[("ett.pdf", PDF)]).await;
    let first = began.elapsed();
    assert!(first >= Duration::from_secs(5), "it was waited for: {first:?}");
    let files: [(&str, &[u8]); 5] =
        [("2.pdf", PDF), ("3.pdf", PDF), ("4.pdf", PDF), ("5.pdf", PDF), ("6.pdf", PDF)];
    let began = Instant::now();
    let other = with_files(&anna, &files).await;
    assert!(began.elapsed() < Duration::from_secs(20), "each would have waited: {:?}", began.elapsed());
    assert_eq!(scans(&anna.read(&other.id).await), ["waiting"; 5]);
    let _scan = scan(&app);
    daemon.signal("CONT").unwrap();
    until_scanned(&app.app, &anna, &case.id, &["clean"]).await;
    until_scanned(&app.app, &anna, &other.id, &["clean"; 5]).await;
}

/// One that stops in the middle of what it is sent has not looked at the file, however it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_scanner_takes_only_in_part_is_never_clean_and_keeps_no_other_waiting() {
    let daemon = clamd(Some(&["AlertEncrypted yes", "AlertExceedsMax yes", "StreamMaxLength 1M"])).await;
    let app = before(&daemon, PATIENCE).await;
    let anna = app.employee("anna");
    // What it would find lies behind what it takes.
    let large = [PDF, &vec![b' '; 3_000_000], &infected_pdf()].concat();
    let upload = anna.post("/uploads").files(&[("stor.pdf", &large)]).send().await;
    assert_eq!(upload.json()["scan"], "waiting");
    let mut body = anna.body("En stor fil");
    body["attachments"] = json!([upload.json()["uploadId"], anna.upload("liten.pdf", PDF).await]);
    let case = anna.create(&body).await;
    let _scan = scan(&app);
    let read = until_scanned(&app.app, &anna, &case.id, &["waiting", "clean"]).await;
    assert_eq!(anna.get(&file_path(&read, 0)).send().await.problem(409), "file.waiting");
    let _daemon = run(daemon, &GOOD).await;
    until_scanned(&app.app, &anna, &case.id, &["infected", "clean"]).await;
}
