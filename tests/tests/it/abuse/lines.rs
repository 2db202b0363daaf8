//! Line ends and quotes in what becomes a line: names and addresses in the heads of mails, file names in those of answers.

use std::time::Duration;

use api::reactions;
use domain::access::Role;
use infrastructure::tokens::Identity;
use reqwest::header::CONTENT_DISPOSITION;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{PDF, TestApp, identity, new_key};

/// How long a mail may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What ends a line, in every way that a program may take for one.
const ENDS: [&str; 7] = ["\r\n", "\n", "\r", "\r\n\r\n", "\u{2028}", "\u{85}", "\u{b}"];

/// The mails, when that to the last person has left too.
async fn mails(app: &TestApp) -> Vec<String> {
    let mut status = app.app.reactions.mail();
    let there = || {
        let files = std::fs::read_dir(app.folder().join("mail")).into_iter().flatten();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect::<Vec<_>>()
    };
    let sent = status.wait_for(|status| {
        status.counts.due == 0 && there().iter().any(|mail| mail.contains("last@exempelverket.example"))
    });
    tokio::time::timeout(PATIENCE, sent).await.expect("they are sent").unwrap();
    there()
}

/// What stands before the body, a line each, folded ones put together.
fn head(mail: &str) -> Vec<String> {
    let head = mail.split("\r\n\r\n").next().unwrap();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    unfolded.split(['\r', '\n']).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Nothing in the head of a mail was made by what somebody is called.
fn is_of_one_sender_to_one_reader(mail: &str) {
    let lines = head(mail);
    let names: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert!(
        !names.iter().any(|name| name.eq_ignore_ascii_case("bcc") || name.eq_ignore_ascii_case("cc")),
        "{mail}"
    );
    for once in ["To", "From", "Subject"] {
        assert_eq!(names.iter().filter(|name| name.eq_ignore_ascii_case(once)).count(), 1, "{once}: {mail}");
    }
    let to = lines.iter().find(|line| line.starts_with("To:")).unwrap();
    assert_eq!(to.matches('<').count(), usize::from(to.contains('<')), "{to}");
    assert!(to.contains("@exempelverket.example"), "{to}");
}

#[tokio::test]
async fn no_name_and_no_address_makes_another_line_in_the_head_of_a_mail() {
    let app = TestApp::start().await;
    let stop = CancellationToken::new();
    let reacting = reactions::start(&app.app, &stop);
    let rita = app.officer("rita");
    for end in ENDS {
        for (field, value) in [
            ("name", format!("Karin{end}Bcc: evil@evil.example")),
            ("email", format!("karin@exempelverket.example{end}Bcc: evil@evil.example")),
            ("email", format!("karin{end}@exempelverket.example")),
            ("email", "karin@exempelverket.example,evil@evil.example".to_owned()),
            ("email", "karin@exempelverket.example evil@evil.example".to_owned()),
            ("email", "<evil@evil.example>karin@exempelverket.example".to_owned()),
        ] {
            let mut body = rita.body("Telefon");
            body["reporter"][field] = json!(value);
            let answer = rita.post("/cases").key(&new_key()).json(&body).send().await;
            // Line ends that are none in a mail may stand in a name.
            if answer.status == 201 {
                assert!(field == "name" && end == "\u{2028}", "{value:?}");
                continue;
            }
            assert_eq!(answer.fields().len(), 1, "{value:?}");
        }
    }
    // What a login says of somebody is taken as little at its word.
    let named = |subject: &str, name: String, email: &str| Identity {
        name: Some(name),
        email: Some(email.to_owned()),
        employers: app.employee("x").identity.unwrap().employers,
        ..identity(subject, Role::Employee)
    };
    let mut people: Vec<Identity> = ENDS
        .iter()
        .enumerate()
        .map(|(place, end)| {
            named(
                &format!("a{place}"),
                format!("Anna{end}Bcc: evil@evil.example"),
                "anna@exempelverket.example",
            )
        })
        .collect();
    people.push(named("quoted", "Anna\" <evil@evil.example>, \"".to_owned(), "anna@exempelverket.example"));
    people.push(named("address", "Anna".to_owned(), "anna@exempelverket.example\r\nBcc: evil@evil.example"));
    people.push(named("last", "Anna".to_owned(), "last@exempelverket.example"));
    for person in people {
        app.caller(person).case("Fakturan").await;
    }
    let mails = mails(&app).await;
    stop.cancel();
    reacting.await.unwrap();
    assert!(mails.len() >= ENDS.len(), "{}", mails.len());
    mails.iter().for_each(|mail| is_of_one_sender_to_one_reader(mail));
}

#[tokio::test]
async fn no_file_name_makes_another_header_or_another_name() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let names = [
        "a\".pdf\"; filename=\"evil.html",
        "a.pdf\\\"; filename*=UTF-8''evil.html; x=\".pdf",
        "a%0d%0aset-cookie: planted=1.pdf",
        "../../../etc/passwd.pdf",
        "..\\..\\evil.pdf",
        "evil\u{202e}fdp.pdf",
        "a;b=c.pdf",
        "'; drop table.pdf",
        "<script>.pdf",
        "a\u{0}b.pdf",
        "å ä ö 😀.pdf",
    ];
    for name in names {
        // As it stands, which a client library would tidy up.
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\r\n{}\r\n--x--\r\n",
            name.replace('\\', "\\\\").replace('"', "\\\""),
            String::from_utf8_lossy(PDF)
        );
        let answer = anna.post("/uploads").body("multipart/form-data; boundary=x", body).send().await;
        if answer.status != 201 {
            assert!(answer.status.is_client_error(), "{name}: {}", answer.status);
            continue;
        }
        let mut case = anna.body("Bilagan");
        case["attachments"] = json!([answer.json()["uploadId"]]);
        let case = anna.create(&case).await;
        let read = anna.read(&case.id).await;
        let id = read["attachments"][0]["attachmentId"].as_str().unwrap();
        let file = anna.get(&format!("/cases/{}/attachments/{id}", case.id)).raw().await;
        assert_eq!(file.status(), 200, "{name}");
        assert!(file.headers().get("set-cookie").is_none(), "{name}");
        let said: Vec<_> = file.headers().get_all(CONTENT_DISPOSITION).iter().collect();
        assert_eq!(said.len(), 1, "{name}");
        let said = said[0].to_str().unwrap();
        let (plain, encoded) = said.split_once("\"; filename*=UTF-8''").unwrap_or_else(|| panic!("{said}"));
        let plain = plain.strip_prefix("attachment; filename=\"").unwrap_or_else(|| panic!("{said}"));
        assert!(!plain.contains(['"', '\\', '/', '%']) && plain.to_lowercase().contains(".pdf"), "{said}");
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '~' | '%');
        assert!(encoded.chars().all(safe) && !encoded.contains("%2F") && !encoded.contains("%5C"), "{said}");
        assert!(
            !encoded.contains("%E2%80%AE") && !encoded.contains("%0D") && !encoded.contains("%00"),
            "{said}"
        );
    }
    app.leaves_staged(app.staged());
}
