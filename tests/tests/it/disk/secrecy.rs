//! Logs carry no content of cases: words in every field that a person or a system can fill, over a whole life and through
//! every refusal, stand neither on standard error at the finest level nor in the plain bytes of what is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::TimeDelta;
use domain::OrganisationNumber;
use domain::access::Role;
use infrastructure::Clock;
use infrastructure::tokens::Identity;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::program::{Program, Start, User, log_in};
use crate::support::{EXEMPELVERKET, PDF, identity, new_key};

/// Words that stand nowhere else.
#[derive(Default)]
struct Marks(Mutex<Vec<String>>);

impl Marks {
    fn word(&self) -> String {
        let mut marks = self.0.lock().unwrap();
        let mark = format!("qzmark{:03}xj", marks.len());
        marks.push(mark.clone());
        mark
    }

    /// Those that stand in the bytes.
    fn found(&self, bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes).to_lowercase();
        self.0.lock().unwrap().iter().filter(|mark| text.contains(mark.as_str())).cloned().collect()
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn post(user: &User<'_>, path: &str, version: Option<&Value>, body: &Value) -> Response {
    let mut request = user.request(Method::POST, path).header("idempotency-key", new_key()).json(body);
    if let Some(version) = version {
        request = request.header("if-match", version.to_string());
    }
    request.send().await.unwrap()
}

/// A command that is accepted.
async fn done(user: &User<'_>, path: &str, version: Option<&Value>, body: Value) -> Value {
    let answer = post(user, path, version, &body).await;
    let (status, outcome) = (answer.status(), answer.json::<Value>().await.unwrap());
    assert!(status.is_success(), "{path}: {outcome}");
    outcome
}

async fn upload(user: &User<'_>, marks: &Marks) -> Value {
    let content = [PDF, marks.word().as_bytes()].concat();
    let part = Part::bytes(content).file_name(format!("{}.pdf", marks.word()));
    let answer = user
        .request(Method::POST, "/uploads")
        .multipart(Form::new().part("file", part))
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_success());
    answer.json::<Value>().await.unwrap()["uploadId"].clone()
}

fn anna(marks: &Marks) -> Identity {
    Identity {
        subject: marks.word(),
        name: Some(format!("{} Provsson", marks.word())),
        email: Some(format!("{}@exempelverket.example", marks.word())),
        employers: Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]),
        ..identity("anna", Role::Employee)
    }
}

/// Two cases, one of them by phone, with every kind of command.
async fn whole_life(anna: &User<'_>, olle: &User<'_>, marks: &Marks) {
    let text = || json!({"text": marks.word()});
    let body = json!({
        "employer": EXEMPELVERKET, "area": "ekonomi", "subject": marks.word(), "message": marks.word(),
        "attachments": [upload(anna, marks).await],
    });
    let mut case = done(anna, "/cases", None, body).await;
    let due = (Clock::System.now() + TimeDelta::days(7)).date_naive().to_string();
    let steps = [
        (anna, "messages", text()),
        (anna, "attachments", json!({"uploadId": upload(anna, marks).await})),
        (olle, "start-processing", json!({})),
        (olle, "notes", json!({"kind": "working", "text": marks.word()})),
        (olle, "notes", json!({"kind": "official", "text": marks.word()})),
        (olle, "reclassify", json!({"area": "e-handel", "reason": marks.word()})),
        (olle, "request-information", json!({"text": marks.word(), "dueDate": due})),
        (olle, "messages", text()),
        (olle, "close", json!({"answer": marks.word(), "attachments": [upload(olle, marks).await]})),
    ];
    for (user, what, body) in steps {
        let path = format!("/cases/{}/{what}", case["id"].as_str().unwrap());
        case = done(user, &path, Some(&case["version"]), body).await;
    }
    let caller =
        json!({"name": format!("{} Kund", marks.word()), "email": format!("{}@kund.example", marks.word())});
    let phone = json!({
        "employer": EXEMPELVERKET, "area": "ekonomi", "subject": marks.word(), "message": marks.word(),
        "channel": "telefon", "reporter": caller,
    });
    done(olle, "/cases", None, phone).await;
    let read = anna.get(&format!("/cases/{}?{}", case["id"].as_str().unwrap(), marks.word())).await;
    assert!(read.status().as_u16() < 500);
}

/// What is refused, and what is no request at all: the parsers get it in every place.
async fn refused(anna: &User<'_>, olle: &User<'_>, marks: &Marks) {
    let long = format!("{} {}", marks.word(), "å".repeat(20_000));
    let bodies = [
        json!({"employer": marks.word(), "area": "ekonomi", "subject": "a", "message": "b"}),
        json!({"employer": EXEMPELVERKET, "area": marks.word(), "subject": marks.word(), "message": &long}),
        json!({"employer": EXEMPELVERKET, "area": "lon", "subArea": marks.word(), "subject": &long, "message": "b"}),
        json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": marks.word(), "message": "", "attachments": [marks.word()]}),
        json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": "a", "message": "b", &marks.word(): marks.word()}),
        json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": "a", "message": "b", "language": marks.word(),
               "channel": marks.word(), "followsUp": marks.word(), "system": marks.word()}),
        json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": "a", "message": "b",
               "reporter": {"name": marks.word(), "email": marks.word(), "subject": marks.word()}}),
        json!([marks.word()]),
    ];
    for body in &bodies {
        for user in [anna, olle] {
            let status = post(user, "/cases", None, body).await.status().as_u16();
            assert!((400..500).contains(&status), "{status}: {body}");
        }
    }
    for text in [format!("{{\"subject\": {}", marks.word()), format!("{}\u{0}\"å", marks.word())] {
        let request = anna.request(Method::POST, "/cases").header("idempotency-key", marks.word());
        let answer = request.header("content-type", "application/json").body(text).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 400);
    }
    for (name, kind) in [
        (format!("../{}", marks.word()), "exe"),
        (marks.word(), "pdf"),
        ("å".repeat(300) + &marks.word(), "png"),
    ] {
        let part = Part::bytes(marks.word().into_bytes()).file_name(format!("{name}.{kind}"));
        let form = Form::new().part("file", part).text(marks.word(), marks.word());
        let answer = anna.request(Method::POST, "/uploads").multipart(form).send().await.unwrap();
        assert!(answer.status().is_client_error());
    }
    for path in [
        "/cases/",
        "/cases?q=",
        "/cases?scope=",
        "/cases?limit=",
        "/events?offset=",
        "/statistics?asOf=",
        "/",
    ] {
        for header in ["traceparent", "read-after", "if-none-match", "range", "cookie", "reason"] {
            let request = olle.request(Method::GET, &format!("{path}{}", marks.word()));
            let answer = request.header(header, format!("{0}={0}", marks.word())).send().await.unwrap();
            assert!(answer.status().as_u16() < 500);
        }
    }
    let stranger =
        anna.request(Method::GET, "/cases").bearer_auth(marks.word()).header("accept-language", marks.word());
    assert!(stranger.send().await.unwrap().status().is_client_error());
}

/// The pages' forms take the same in another form: kept as a draft, refused, and sent.
async fn pages(program: &Program, marks: &Marks) {
    let mut texts = 0;
    for (person, path) in [
        ("anna.exempel", "/skapa-arende"),
        ("olle.handlaggare", "/handlaggare/telefon"),
        ("", "/skapa-arende"),
    ] {
        let cookies = if person.is_empty() { marks.word() } else { log_in(program, person).await };
        let url = format!("{}{path}", program.url);
        let page =
            program.client.get(&url).header("cookie", &cookies).send().await.unwrap().text().await.unwrap();
        let key =
            page.split("name=\"form\" value=\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap());
        for (action, area) in
            [("draft", "ekonomi"), ("upload", "ekonomi"), ("send", "lon"), ("send", "ekonomi")]
        {
            let mut form = Form::new().text("form", key.to_owned()).text("action", action).text("area", area);
            for field in ["subject", "message", "name", "email", "system", "employer"] {
                let text =
                    if field == "email" { format!("{}@kund.example", marks.word()) } else { marks.word() };
                form = form.text(field, text);
            }
            let part = Part::bytes([PDF, marks.word().as_bytes()].concat())
                .file_name(format!("{}.pdf", marks.word()));
            let sent = program.client.post(&url).header("origin", &program.url).header("cookie", &cookies);
            let sent = sent.multipart(form.part("files", part)).send().await.unwrap();
            let status = sent.status().as_u16();
            texts += usize::from(marks.found(&sent.bytes().await.unwrap()).len() > 2);
            assert!(status < 500, "{path} {action}: {status}");
        }
    }
    assert!(texts >= 4, "the forms came back with what was typed");
    for path in
        [marks.word(), format!("arenden/{}", marks.word()), format!("mina-arenden?q={}", marks.word())]
    {
        let asked = program.client.get(format!("{}/{path}", program.url)).send().await.unwrap();
        assert!(asked.status().as_u16() < 500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_a_person_stands_in_a_log_line_or_in_the_clear_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("RUST_LOG", "api=trace,infrastructure=trace,projections=trace,domain=trace")];
    let program =
        Program::start_with(folder.path(), &Start { variables: &variables, ..Start::default() }).await;
    let marks = Marks::default();
    let (person, officer) = (
        anna(&marks),
        Identity { subject: marks.word(), name: Some(marks.word()), ..identity("olle", Role::Officer) },
    );
    let (anna, olle) = (program.user(&person), program.user(&officer));
    whole_life(&anna, &olle, &marks).await;
    refused(&anna, &olle, &marks).await;
    pages(&program, &marks).await;
    let log = rusqlite::Connection::open(folder.path().join("log.db")).unwrap();
    let moved: i64 = log.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    assert!(moved > 12);
    drop(log);

    let said = program.said();
    assert!(said.lines().count() > 60, "it logs every request: {said}");
    assert_eq!(marks.found(said.as_bytes()), Vec::<String>::new(), "in a log line");
    let kept = files(folder.path());
    for path in &kept {
        let name = path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
        assert_eq!(marks.found(name.as_bytes()), Vec::<String>::new(), "in the name {name}");
        // The read models hold what is shown, and a mail the name and the address of whom it goes to.
        let may_hold = name.starts_with("read-") || name.starts_with("mail/");
        if !may_hold {
            assert_eq!(marks.found(&fs::read(path).unwrap()), Vec::<String>::new(), "in the bytes of {name}");
        }
    }
    let read: Vec<u8> = kept
        .iter()
        .filter(|path| path.to_string_lossy().contains("/read-"))
        .flat_map(|path| fs::read(path).unwrap())
        .collect();
    assert!(marks.found(&read).len() > 10, "the marks are found where they may stand");
    for mail in kept.iter().filter(|path| path.to_string_lossy().contains("/mail/")) {
        let text = fs::read(mail).unwrap();
        let person = [&person.name, &person.email].map(|word| word.clone().unwrap().to_lowercase());
        for mark in marks.found(&text) {
            assert!(
                person.iter().any(|word| word.contains(&mark))
                    || mail.to_string_lossy().contains("-1-received"),
                "{mark}"
            );
        }
    }
    program.stop().await;
}
