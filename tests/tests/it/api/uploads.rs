//! Files: staged, attached once, streamed back as they came; nothing stays of what is refused or cut off.

use api::app::Command;
use api::requests::CreateRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::{CaseCommand, Channel};
use infrastructure::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{EXEMPELVERKET, PDF, TestApp, TestCaller, new_key, until};

/// A PDF of a size.
fn pdf(size: usize) -> Vec<u8> {
    let mut content = PDF.to_vec();
    content.extend((content.len()..size).map(|place| (place % 251) as u8));
    content
}

async fn with_file(caller: &TestCaller<'_>, name: &str, content: &[u8]) -> (String, Value) {
    let mut body = caller.body("Med fil");
    body["attachments"] = json!([caller.upload(name, content).await]);
    let case = caller.create(&body).await;
    let file = caller.read(&case.id).await["attachments"][0].clone();
    (case.id, file)
}

#[tokio::test]
async fn a_file_comes_back_as_it_went_in_and_only_as_an_attachment() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let content = pdf(300_000);
    let (case, file) = with_file(&anna, "lön \"mars\".pdf", &content).await;
    assert_eq!((&file["size"], &file["mediaType"]), (&json!(300_000), &json!("application/pdf")));
    let path = format!("/cases/{case}/attachments/{}", file["attachmentId"].as_str().unwrap());
    let answer = anna.get(&path).send().await;
    assert_eq!(answer.status, 200);
    assert!(answer.bytes == content);
    let digest = format!("sha-256=:{}:", BASE64.encode(Sha256::digest(&content)));
    assert_eq!(
        (answer.header("repr-digest"), answer.header("content-digest")),
        (digest.as_str(), digest.as_str())
    );
    assert_eq!(answer.header("content-type"), "application/pdf");
    assert_eq!(answer.header("content-length"), "300000");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-disposition").starts_with("attachment; filename=\"l_n"));
    assert_eq!(answer.header("cache-control"), "no-store");
    // Compressing would make the digest a lie.
    let asked = anna.get(&path).with("accept-encoding", "gzip").send().await;
    assert!(asked.header("content-encoding").is_empty() && asked.bytes == content);
    let known = anna.get(&path).with("if-none-match", answer.header("etag")).send().await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    for (range, from, to) in
        [("bytes=0-9", 0, 10), ("bytes=65530-131080", 65_530, 131_081), ("bytes=-7", 299_993, 300_000)]
    {
        let part = anna.get(&path).with("range", range).send().await;
        assert_eq!(part.status, 206);
        assert_eq!(part.header("content-range"), format!("bytes {from}-{}/300000", to - 1));
        assert!(part.bytes == content[from..to]);
    }
    let beyond = anna.get(&path).with("range", "bytes=300000-").send().await;
    assert_eq!((beyond.problem(416).as_str(), beyond.header("content-range")), ("range", "bytes */300000"));
    for unknown in ["x", "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f"] {
        let answer = anna.get(&format!("/cases/{case}/attachments/{unknown}")).send().await;
        assert_eq!(answer.problem(404), "not-found");
    }
}

#[tokio::test]
async fn what_is_refused_is_told_and_leaves_nothing() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    anna.list("").await;
    let head = app.head().await;
    for (name, content, code, words) in [
        ("tom.pdf", Vec::new(), "file.empty", "tom.pdf är tom"),
        ("stor.pdf", pdf(25_000_001), "file.big", "stor.pdf är 25,1 MB"),
        ("program.exe", b"MZ".to_vec(), "file.type", "program.exe kan inte bifogas"),
        ("forklädd.pdf", b"MZ".to_vec(), "file.type", "forklädd.pdf kan inte bifogas"),
        ("sida.html", b"<script>".to_vec(), "file.type", "sida.html kan inte bifogas"),
    ] {
        let answer = anna.post("/uploads").files(&[(name, &content)]).send().await;
        assert_eq!(answer.fields(), [format!("/file {code}")]);
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().replace('\u{a0}', " ");
        assert!(detail.contains(words), "{detail}");
    }
    let two = anna.post("/uploads").files(&[("a.pdf", PDF), ("b.pdf", PDF)]).send().await;
    assert_eq!(two.fields(), ["/file file.many"]);
    let huge = vec![0_u8; 80_000_000];
    let answer = anna.post("/uploads").files(&[("a.pdf", &huge)]).send().await;
    assert_eq!(answer.problem(413), "too-large");
    for media_type in ["application/json", "application/octet-stream", "multipart/mixed; boundary=x"] {
        let answer = anna.post("/uploads").body(media_type, "{}").send().await;
        assert_eq!(answer.problem(415), "unsupported-media-type");
    }
    for (media_type, body) in [
        ("multipart/form-data", ""),
        ("multipart/form-data; boundary=x", "nonsense"),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7",
        ),
    ] {
        assert_eq!(
            anna.post("/uploads").body(media_type, body).send().await.problem(400),
            "syntax",
            "{body}"
        );
    }
    let no_file = anna.post("/uploads").body("multipart/form-data; boundary=x", "--x--\r\n").send().await;
    assert_eq!(no_file.fields(), ["/file file.required"]);
    let other = "--x\r\nContent-Disposition: form-data; name=\"bild\"\r\n\r\nhej\r\n--x--\r\n";
    let other = anna.post("/uploads").body("multipart/form-data; boundary=x", other).send().await;
    assert_eq!(other.fields(), ["/bild field.unknown"]);
    assert_eq!((app.staged(), app.objects(), app.head().await), (0, 0, head));
}

#[tokio::test]
async fn a_name_cannot_lead_out_of_its_folder() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    for (name, safe) in [
        ("../../../etc/passwd.pdf", "passwd.pdf"),
        ("..\\..\\windows\\system.pdf", "system.pdf"),
        ("/absolut.pdf", "absolut.pdf"),
        ("a\u{202e}fdp.pdf", "afdp.pdf"),
        (".gömd.pdf", "gömd.pdf"),
    ] {
        let (_, file) = with_file(&anna, name, PDF).await;
        assert_eq!(file["fileName"], safe);
    }
    assert_eq!(app.objects(), 5);
    let names: Vec<_> = std::fs::read_dir(app.folder().join("files")).unwrap().collect();
    assert!(
        names
            .iter()
            .all(
                |entry| uuid::Uuid::try_parse(&entry.as_ref().unwrap().file_name().to_string_lossy()).is_ok()
            )
    );
}

#[tokio::test]
async fn a_file_is_attached_once_by_the_one_who_staged_it_within_a_day() {
    let app = TestApp::start().await;
    let (anna, bo) = (app.employee("anna"), app.employee("bo"));
    let upload = anna.upload("a.pdf", PDF).await;
    let create = async |caller: &TestCaller<'_>, ids: &[&String]| {
        let mut body = caller.body("Med fil");
        body["attachments"] = json!(ids);
        caller.post("/cases").key(&new_key()).json(&body).send().await
    };
    // Somebody else's is unknown; twice in one command too.
    assert_eq!(create(&bo, &[&upload]).await.fields(), ["/attachments/0 upload.unknown"]);
    assert_eq!(create(&anna, &[&upload, &upload]).await.fields(), ["/attachments/1 upload.unknown"]);
    let case = create(&anna, &[&upload]).await.done();
    assert_eq!(create(&anna, &[&upload]).await.fields(), ["/attachments/0 upload.unknown"]);
    let again = anna.try_change(&case, "attachments", &json!({ "uploadId": upload })).await;
    assert_eq!(again.fields(), ["/attachments/0 upload.unknown"]);
    let late = anna.upload("b.pdf", PDF).await;
    app.pass(chrono::TimeDelta::hours(25));
    let anna = app.employee("anna");
    assert_eq!(create(&anna, &[&late]).await.fields(), ["/attachments/0 upload.unknown"]);
    assert_eq!(app.clean().await.unwrap(), 1);
    assert_eq!((app.staged(), app.objects()), (0, 1));
}

/// A clock that was wrong for a while takes little away: what a key stands for is still known when it is right again.
#[tokio::test]
async fn a_clock_that_leaps_does_not_make_kept_things_old() {
    let app = TestApp::start().await;
    let (anna, key) = (app.employee("anna"), new_key());
    let body = anna.body("A");
    let create =
        async |caller: &TestCaller<'_>| caller.post("/cases").key(&key).json(&body).send().await.done();
    let first = create(&anna).await;
    app.clean().await.unwrap();
    let now = app.clock.now();
    app.pass(chrono::TimeDelta::days(400));
    for _ in 0..10 {
        app.app.clean_uploads().await.unwrap();
    }
    app.clock.set(now);
    assert_eq!(create(&app.employee("anna")).await.id, first.id);
    // Time that passes takes it away in the end.
    app.pass(chrono::TimeDelta::days(31));
    app.clean().await.unwrap();
    assert_ne!(create(&app.employee("anna")).await.id, first.id);
}

/// A command that waits in the queue while its file expires cannot have it, once the cleaner has begun.
#[tokio::test]
async fn what_is_being_cleaned_away_cannot_be_attached_any_more() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let upload = anna.upload("a.pdf", PDF).await;
    let caller = app.app.caller(anna.identity.clone().unwrap()).await.unwrap();
    let files = app.app.staged(&caller, std::slice::from_ref(&upload)).await.unwrap().unwrap();
    let request = CreateRequest {
        employer: Some(EXEMPELVERKET.to_owned()),
        area: Some("ekonomi".to_owned()),
        subject: Some("Med fil".to_owned()),
        message: Some("Hej".to_owned()),
        ..CreateRequest::default()
    };
    let created = request.parse(&app.app, &caller, files, Channel::Api).unwrap();
    app.pass(chrono::TimeDelta::hours(25));
    // The object cannot be deleted, so the cleaner stops half way.
    let object = app.folder().join("files").join(&upload);
    std::fs::rename(&object, app.folder().join("kept")).unwrap();
    std::fs::create_dir_all(object.join("full")).unwrap();
    app.clean().await.unwrap_err();
    let command = Command {
        key: None,
        request: Vec::new(),
        correlation: infrastructure::random::id(),
        case: None,
        expected_version: None,
        command: CaseCommand::Create(created.command),
        see: Vec::new(),
        followed: None,
    };
    let refused = app.app.run(&caller, command).await.unwrap_err();
    assert!(format!("{refused:?}").contains("UploadUnknown"), "{refused:?}");
    app.leaves_staged(1);
}

/// What a process leaves that is killed in the middle of an upload, or before the file has its row.
#[tokio::test]
async fn what_nobody_knows_of_is_swept_away_and_everything_else_stays() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    with_file(&anna, "a.pdf", PDF).await;
    anna.upload("b.pdf", PDF).await;
    app.leaves_staged(1);
    let files = app.folder().join("files");
    let began = Clock::System.now();
    for (name, hours) in [
        ("01931b2c-7a10-7c3e-9f00-0000000000a1", 25),
        ("01931b2c-7a10-7c3e-9f00-0000000000a2", 1),
        ("01931b2c-7a10-7c3e-9f00-0000000000a3#1", 1),
        ("01931b2c-7a10-7c3e-9f00-0000000000a4#1", -1),
    ] {
        let file = std::fs::File::create(files.join(name)).unwrap();
        file.set_modified((began - chrono::TimeDelta::hours(hours)).into()).unwrap();
    }
    assert_eq!(app.app.sweep_files(began, began).await.unwrap(), 2);
    assert_eq!(app.objects(), 4, "attached, staged, young, and on its way in");
    assert_eq!(app.app.sweep_files(began, began + chrono::TimeDelta::hours(30)).await.unwrap(), 1);
    assert_eq!(app.objects(), 3);
}

#[tokio::test]
async fn two_commands_cannot_have_the_same_file() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let upload = anna.upload("a.pdf", PDF).await;
    let mut body = anna.body("Med fil");
    body["attachments"] = json!([upload]);
    let asks = (0..8).map(|_| anna.post("/cases").key(&new_key()).json(&body).send());
    let answers = futures::future::join_all(asks).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 201 || answer.fields() == ["/attachments/0 upload.unknown"])
    );
}

#[tokio::test]
async fn files_are_attached_by_form_or_by_the_id_of_one_that_is_staged() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("A").await;
    let path = format!("/cases/{}/attachments", case.id);
    let two = anna.post(&path).version(1).files(&[("a.pdf", PDF), ("b.pdf", PDF)]).send().await.done();
    assert_eq!(two.version, 2);
    let upload = olle.upload("c.pdf", PDF).await;
    let three = olle.change(&two, "attachments", &json!({ "uploadId": upload })).await;
    let list = anna.get(&path).send().await.ok();
    let names: Vec<&Value> =
        list["attachments"].as_array().unwrap().iter().map(|file| &file["fileName"]).collect();
    assert_eq!(names, ["a.pdf", "b.pdf", "c.pdf"]);
    // What is refused after its files came in leaves none of them.
    let files: Vec<(&str, &[u8])> = vec![("d.pdf", PDF)];
    assert_eq!(anna.post(&path).version(1).files(&files).send().await.problem(412), "case.changed");
    assert_eq!(anna.post(&path).files(&files).send().await.problem(428), "if-match.missing");
    assert_eq!(
        app.employee("bo").post(&path).version(3).files(&files).send().await.problem(404),
        "not-found"
    );
    assert_eq!(app.auditor().post(&path).version(3).files(&files).send().await.problem(403), "permission");
    let both: Vec<(&str, &[u8])> = vec![("d.pdf", PDF), ("e.exe", b"MZ")];
    assert_eq!(anna.post(&path).version(3).files(&both).send().await.fields(), ["/file file.type"]);
    let many: Vec<(&str, &[u8])> = vec![("d.pdf", PDF); 11];
    assert_eq!(anna.post(&path).version(3).files(&many).send().await.fields(), ["/file file.many"]);
    assert_eq!((app.staged(), app.objects(), three.version), (0, 3, 3));
}

#[tokio::test]
async fn the_files_of_a_case_have_a_largest_sum() {
    let app = TestApp::start_with(|config| config.files.case_mb = 1).await;
    let anna = app.employee("anna");
    let mut body = anna.body("Stora filer");
    body["attachments"] =
        json!([anna.upload("a.pdf", &pdf(600_000)).await, anna.upload("b.pdf", &pdf(600_000)).await]);
    let answer = anna.post("/cases").key(&new_key()).json(&body).send().await;
    assert_eq!(answer.fields(), ["/attachments file.total"]);
    app.leaves_staged(2);
}

#[tokio::test]
async fn an_upload_that_is_cut_off_leaves_nothing() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    anna.list("").await;
    let case = anna.case("A").await;
    let head = app.head().await;
    for path in ["/api/v1/uploads".to_owned(), format!("/api/v1/cases/{}/attachments", case.id)] {
        for sent in [0, 100, 200_000] {
            let mut socket = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
            let start = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n";
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nIf-Match: \"1\"\r\n\
                 Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n{start}",
                anna.token.as_ref().unwrap()
            );
            socket.write_all(head.as_bytes()).await.unwrap();
            socket.write_all(&pdf(400_000)[..sent]).await.unwrap();
            // The sender says that nothing more comes; the server ends what it had begun.
            socket.shutdown().await.unwrap();
            let mut answer = Vec::new();
            let _ = socket.read_to_end(&mut answer).await;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
        }
    }
    until(|| app.objects() == 0).await;
    assert_eq!((app.staged(), app.head().await), (0, head));
}
