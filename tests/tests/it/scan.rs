//! Files past a virus scanner: ClamAV's real daemon, there and away, slow and too small.

mod forms;
mod program;
mod waiting;

use api::App;
use serde_json::Value;
use tests::clamd::{Clamd, EICAR, MARKER};

use crate::support::{PDF, TestApp, TestCaller};

/// How long anything may take, seconds.
const PATIENCE: u64 = 60;

/// Runs the daemon's slow parts where nothing waits for them.
pub(crate) async fn clamd(settings: Option<&'static [&'static str]>) -> Clamd {
    let started = tokio::task::spawn_blocking(move || {
        let mut clamd = Clamd::new().unwrap();
        if let Some(settings) = settings {
            clamd.run(settings).unwrap();
        }
        clamd
    });
    started.await.unwrap()
}

/// Starts a daemon that does not run.
pub(crate) async fn run(mut clamd: Clamd, settings: &'static [&'static str]) -> Clamd {
    let started = tokio::task::spawn_blocking(move || {
        clamd.kill();
        clamd.run(settings).unwrap();
        clamd
    });
    started.await.unwrap()
}

/// The application before a scanner, for which uploads wait so long.
async fn before(clamd: &Clamd, wait_seconds: u64) -> TestApp {
    let address = clamd.address();
    TestApp::start_with(|config| {
        config.scan.address = Some(address);
        config.scan.wait_seconds = wait_seconds;
        config.scan.again_seconds = 1;
    })
    .await
}

fn eicar() -> Vec<u8> {
    EICAR.concat().into_bytes()
}

/// A PDF in which something is found.
pub(crate) fn infected_pdf() -> Vec<u8> {
    [PDF, MARKER.as_bytes()].concat()
}

/// A Word file in which this is the document, perhaps said to be locked.
pub(crate) fn docx(document: &[u8], locked: bool) -> Vec<u8> {
    zip(&[("[Content_Types].xml", b"<Types/>", false), ("word/document.xml", document, locked)])
}

/// A ZIP archive of files as they are; no scanner looks at their checksums.
fn zip(files: &[(&str, &[u8], bool)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content, locked) in files {
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let head =
            [&[u8::from(*locked), 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0][..], &size, &size, &length, &[0; 2]]
                .concat();
        let at = u32::try_from(archive.len()).unwrap().to_le_bytes();
        archive.extend([b"PK\x03\x04\x14\0", &head[..], name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02\x14\0\x14\0", &head[..], &[0; 10], &at, name.as_bytes()].concat());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let lengths = [directory.len(), archive.len()].map(|length| u32::try_from(length).unwrap().to_le_bytes());
    [archive, directory, [b"PK\x05\x06\0\0\0\0", &count[..], &count, &lengths.concat(), &[0; 2]].concat()]
        .concat()
}

/// What the API says of the scan of each file of a case.
fn scans(case: &Value) -> Vec<&str> {
    let files = case["attachments"].as_array().unwrap().iter();
    files.map(|file| file["scan"].as_str().unwrap_or("null")).collect()
}

fn file_path(case: &Value, file: usize) -> String {
    let (id, file) =
        (case["id"].as_str().unwrap(), case["attachments"][file]["attachmentId"].as_str().unwrap());
    format!("/cases/{id}/attachments/{file}")
}

/// Waits until a case is as wanted, read each time that the read models have moved.
pub(crate) async fn until_scanned(app: &App, reader: &TestCaller<'_>, case: &str, wanted: &[&str]) -> Value {
    let waiting = async {
        let mut position = app.read_models.watch();
        loop {
            position.mark_unchanged();
            let read = reader.read(case).await;
            if scans(&read) == wanted {
                return read;
            }
            position.changed().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(PATIENCE), waiting).await.expect("it is not scanned")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_scanner_finds_fault_with_is_refused_while_it_comes_in_and_leaves_nothing() {
    let clamd = clamd(Some(&tests::clamd::GOOD)).await;
    let app = before(&clamd, PATIENCE).await;
    let anna = app.employee("anna");
    let packed = (0..200).fold(b"x".to_vec(), |packed, _| zip(&[("a.zip", &packed, false)]));
    for (name, content, code) in [
        ("beslut.docx", docx(&eicar(), false), "file.virus"),
        ("beslut.pdf", infected_pdf(), "file.virus"),
        // The mark begins in one piece of what is read and ends in the next.
        (
            "stor.pdf",
            [PDF, &vec![b' '; 400_000], MARKER.as_bytes(), &vec![b' '; 400_000]].concat(),
            "file.virus",
        ),
        ("beslut.docx", docx(b"<document/>", true), "file.password"),
        ("beslut.docx", docx(&packed, false), "file.complex"),
    ] {
        let answer = anna.post("/uploads").files(&[(name, &content)]).send().await;
        assert_eq!(answer.fields(), [format!("/file {code}")], "{name}");
        assert!(answer.json()["errors"][0]["detail"].as_str().unwrap().starts_with(name), "it is named");
    }
    assert_eq!((app.staged(), app.objects()), (0, 0));
    // Of several files one is enough.
    let case = anna.case("Med filer").await;
    let files: [(&str, &[u8]); 2] = [("ren.pdf", PDF), ("beslut.pdf", &infected_pdf())];
    let attached =
        anna.post(&format!("/cases/{}/attachments", case.id)).version(1).files(&files).send().await;
    assert_eq!(attached.fields(), ["/file file.virus"]);
    assert_eq!((app.staged(), app.objects()), (0, 0));
    // What is clean is open at once.
    let upload = anna.post("/uploads").files(&[("ren.docx", &docx(b"<document/>", false))]).send().await;
    assert_eq!(upload.json()["scan"], "clean");
    let mut body = anna.body("Med en ren fil");
    body["attachments"] = serde_json::json!([upload.json()["uploadId"]]);
    let case = anna.create(&body).await;
    let read = anna.read(&case.id).await;
    assert_eq!(scans(&read), ["clean"]);
    assert_eq!(anna.get(&file_path(&read, 0)).send().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_says_which_file_it_is_and_keeps_everything_else() {
    use crate::officer_pages::browser::Browser;
    let clamd = clamd(Some(&tests::clamd::GOOD)).await;
    let app = before(&clamd, PATIENCE).await;
    let anna = Browser::of(&app, app.employee("anna").identity.unwrap()).await;
    let page = anna.get("/skapa-arende").await;
    assert!(!page.says("Filer kontrolleras inte"), "they are");
    let hidden = page.hidden("/skapa-arende");
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let typed =
        [("area", "ekonomi"), ("subject", "Omföring"), ("message", "Kan ni flytta den?"), ("action", "send")];
    let fields: Vec<_> = hidden.chain(typed).collect();
    let sent = anna.post_with_file("/skapa-arende", &fields, ("beslut.docx", &docx(&eicar(), false))).await;
    sent.shows(422, "beslut.docx innehåller skadlig kod och har tagits bort. Kontakta din it-avdelning.");
    assert!(sent.html.contains("Kan ni flytta den?"));
    let sent = anna.post_with_file("/skapa-arende", &fields, ("l.docx", &docx(b"x", true))).await;
    sent.shows(422, "l.docx är låst med lösenord. Ta bort lösenordet och bifoga filen igen.");
    assert_eq!((app.staged(), app.objects()), (0, 0));
    let sent = anna.post_with_file("/skapa-arende", &fields, ("ren.pdf", PDF)).await;
    anna.done(&sent).await.shows(200, "ren.pdf");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_says_that_files_are_not_scanned() {
    use crate::officer_pages::browser::Browser;
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let anna = Browser::of(&app, app.employee("anna").identity.unwrap()).await;
    anna.get("/skapa-arende").await.shows(200, "Filer kontrolleras inte i demon.");
}
