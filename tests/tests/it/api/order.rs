//! The order of checks: a request that is wrong in every way is told of the first way only.

use chrono::TimeDelta;
use domain::access::Role;
use infrastructure::tokens::Identity;
use serde_json::{Value, json};

use crate::support::{Done, PDF, TestApp, TestCaller, identity, new_key};

/// Every command that changes a case, with a body that is accepted in its phase.
const COMMANDS: [&str; 8] = [
    "attachments",
    "messages",
    "notes",
    "start-processing",
    "request-information",
    "assign",
    "reclassify",
    "close",
];
/// Those for which any version may do.
const COMMUTING: [&str; 3] = ["attachments", "messages", "notes"];

#[tokio::test]
async fn first_comes_who_401() {
    let app = TestApp::start().await;
    let case = app.employee("anna").case("A").await;
    let mut callers = vec![app.nobody()];
    for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm5hIn0."] {
        callers.push(TestCaller { token: Some(token.to_owned()), ..app.nobody() });
    }
    // A token that is no longer valid.
    let old = app.employee("anna");
    app.pass(TimeDelta::hours(2));
    callers.push(old);
    let head = app.head().await;
    for caller in callers {
        let none = caller.token.as_ref().is_none_or(String::is_empty);
        let asks = if none { "Bearer" } else { "Bearer error=\"invalid_token\"" };
        for path in ["/cases".to_owned(), "/uploads".to_owned(), format!("/cases/{}/close", case.id)] {
            let answer = caller.post(&path).body("text/plain", "{").send().await;
            assert_eq!(answer.problem(401), "unauthorized");
            assert_eq!(answer.header("www-authenticate"), asks);
        }
        for path in ["/cases", "/cases/1", "/events?offset=x", "/statistics", "/services", "/employers"] {
            assert_eq!(caller.get(path).send().await.problem(401), "unauthorized");
        }
    }
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_token_in_another_scheme_or_twice_is_none() {
    let app = TestApp::start().await;
    let token = app.employee("anna").token.unwrap();
    let nobody = app.nobody();
    nobody.get("/cases").with("authorization", format!("bearer {token}")).send().await.ok();
    for value in [format!("Basic {token}"), token.clone(), format!("Bearer{token}")] {
        let answer = nobody.get("/cases").with("authorization", value).send().await;
        assert_eq!(answer.problem(401), "unauthorized");
    }
    let twice = nobody.get("/cases").with("authorization", format!("Bearer {token}"));
    let answer = twice.with("authorization", format!("Bearer {token}")).send().await;
    assert_eq!(answer.problem(401), "unauthorized");
}

#[tokio::test]
async fn then_comes_syntax_400_413_415() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    let head = app.head().await;
    let paths: Vec<String> = std::iter::once("/cases".to_owned())
        .chain(COMMANDS.iter().map(|command| format!("/cases/{}/{command}", case.id)))
        .collect();
    for path in paths {
        let ask = || anna.post(&path);
        for body in ["{", "", "{\"a\":}", "nonsense", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}"] {
            if body.is_empty() && path.ends_with("start-processing") {
                continue;
            }
            let answer = ask().body("application/json", body).send().await;
            assert_eq!(answer.problem(400), "syntax", "{path} {body}");
        }
        let answer = ask().body("application/json", &b"{\"subject\":\"\xff\xfe\"}"[..]).send().await;
        assert_eq!(answer.problem(400), "syntax");
        let answer = ask().body("application/json", "[".repeat(100_000)).send().await;
        assert_eq!(answer.problem(400), "syntax");
        let answer = ask().body("application/json", vec![b' '; 300_000]).send().await;
        assert_eq!(answer.problem(413), "too-large");
        for media_type in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "åäö"] {
            let answer = ask().body(media_type, "{}").send().await;
            assert_eq!(answer.problem(415), "unsupported-media-type", "{media_type}");
        }
        // A malformed key is syntax too, also where none is needed.
        for key in [" ", "två ord", "\"\"", &"k".repeat(256)] {
            let answer = ask().key(key).body("application/json", "{}").send().await;
            assert_eq!(answer.problem(400), "idempotency-key.missing", "{key}");
        }
    }
    let answer = anna.post("/cases").json(&anna.body("Utan nyckel")).send().await;
    assert_eq!(answer.problem(400), "idempotency-key.missing");
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_huge_body_is_refused_however_it_comes() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    anna.case("A").await;
    let head = app.head().await;
    let huge = vec![b'x'; 20_000_000];
    let answer = anna.post("/cases").key(&new_key()).body("application/json", huge.clone()).send().await;
    assert_eq!(answer.problem(413), "too-large");
    let chunks =
        huge.chunks(100_000).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
    let streamed = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let answer = anna.post("/cases").key(&new_key()).body("application/json", streamed).send().await;
    assert_eq!(answer.problem(413), "too-large");
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn then_comes_the_version_428() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    for command in COMMANDS {
        let path = format!("/cases/{}/{command}", case.id);
        // Also before wrong fields, and before a case that is not there.
        for path in [path.clone(), path.replace(&case.id, "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f")] {
            let answer = anna.post(&path).json(&json!({"fel": 1})).send().await;
            assert_eq!(answer.problem(428), "if-match.missing", "{command}");
        }
        let any = || anna.post(&path).with("if-match", "*");
        let answer = any().json(&json!({"fel": 1})).send().await;
        if COMMUTING.contains(&command) {
            assert_eq!(answer.problem(400), "idempotency-key.missing", "{command}");
            assert_eq!(
                any().key(&new_key()).json(&json!({"fel": 1})).send().await.fields()[0],
                "/fel field.unknown"
            );
        } else {
            assert_eq!(answer.problem(428), "if-match.missing", "{command}");
            let answer = any().key(&new_key()).json(&json!({"fel": 1})).send().await;
            assert_eq!(answer.problem(428), "if-match.missing", "{command}");
        }
    }
}

#[tokio::test]
async fn then_come_all_fields_at_once_422() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    let head = app.head().await;
    let wrong = json!({
        "employer": 4021000007_u64, "area": "lon", "subArea": null, "system": "primula", "subject": " ",
        "message": "x".repeat(10_001), "attachments": ["okänd"], "language": "de", "followsUp": "2026-000001-2",
        "channel": "telegram", "reporter": {"name": "", "email": "x", "phone": "1"}, "amne": "fel",
    });
    let answer = anna.post("/cases").key(&new_key()).json(&wrong).send().await;
    let mut found = answer.fields();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "/amne field.unknown",
            "/attachments/0 upload.unknown",
            "/channel field.value",
            "/employer field.type",
            "/followsUp number.check",
            "/language language.unknown",
            "/message message.long",
            "/reporter reporter.refused",
            "/reporter/phone field.unknown",
            "/subArea sub.missing",
            "/subject subject.missing",
            "/system system.refused",
        ]
    );
    // Before a case that is not there, and before a version that is stale.
    for id in [case.id.as_str(), "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f", "ingen"] {
        for (command, fields) in [
            ("attachments", "/uploadId file.required"),
            ("messages", "/text message.missing"),
            ("notes", "/kind note.kind /text message.missing"),
            ("request-information", "/text message.missing /dueDate due_date"),
            ("assign", "/officer officer.missing"),
            ("reclassify", "/area area.missing /reason reason.missing"),
            ("close", "/answer answer.missing"),
        ] {
            let answer =
                anna.post(&format!("/cases/{id}/{command}")).version(99).json(&json!({})).send().await;
            assert_eq!(answer.fields().join(" "), fields, "{command}");
        }
        let path = format!("/cases/{id}/start-processing");
        let answer = anna.post(&path).version(99).json(&json!({"a": 1})).send().await;
        assert_eq!(answer.fields(), ["/a field.unknown"]);
        for body in [json!([]), json!("x"), json!(1), json!(null), json!(true)] {
            let answer =
                anna.post(&path.replace("start-processing", "close")).version(99).json(&body).send().await;
            assert_eq!(answer.fields(), [" field.type"]);
        }
    }
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn then_comes_what_one_may_know_404_and_do_403_before_the_version_412() {
    let app = TestApp::start().await;
    let (anna, bo, olle) = (app.employee("anna"), app.employee("bo"), app.officer("olle"));
    olle.list("").await;
    let case = anna.case("A").await;
    for (command, body) in bodies("olle", None) {
        let stale = Done { version: 99, ..case.clone() };
        let hidden = bo.try_change(&stale, command, &body).await;
        assert_eq!(hidden.problem(404), "not-found", "{command}");
        let missing = Done { id: "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f".to_owned(), ..stale.clone() };
        let absent = bo.try_change(&missing, command, &body).await;
        assert_eq!(absent.problem(404), "not-found", "{command}");
        // Nothing tells the two apart.
        let strip = |answer: &Value| {
            let mut answer = answer.clone();
            answer["instance"] = Value::Null;
            answer
        };
        assert_eq!(strip(&hidden.json()), strip(&absent.json()));
        let malformed = Done { id: "ingen".to_owned(), ..stale.clone() };
        assert_eq!(bo.try_change(&malformed, command, &body).await.problem(404), "not-found");
        let own = anna.try_change(&stale, command, &body).await;
        let may = command == "messages";
        let expected = if may { (412, "case.changed") } else { (403, "permission") };
        assert_eq!(own.problem(expected.0), expected.1, "{command}");
    }
}

#[tokio::test]
async fn then_the_version_412_before_the_phase_409() {
    let app = TestApp::start().await;
    let (anna, olle, olga) = (app.employee("anna"), app.officer("olle"), app.officer("olga"));
    olga.list("").await;
    let first = anna.case("A").await;
    let case = anna.message(&first, "Mer").await;
    let answer = olle.try_change(&first, "close", &json!({"answer": "Svar"})).await;
    assert_eq!(answer.problem(412), "case.changed");
    let body = answer.json();
    assert_eq!((&body["currentVersion"], &body["since"]), (&json!(2), &json!(["MessageAdded"])));
    assert_eq!(answer.header("etag"), "\"2\"");
    // A tag that is no version matches nothing.
    for tag in ["\"abc\"", "\"\"", "-1", "\"1\", \"2\"", "18446744073709551615"] {
        let ask = olle.post(&format!("/cases/{}/messages", case.id)).with("if-match", tag);
        let answer = ask.json(&json!({"text": "x"})).send().await;
        assert_eq!(
            (answer.problem(412), answer.json()["currentVersion"].clone()),
            ("case.changed".to_owned(), json!(2))
        );
    }
    assert_eq!(olle.try_change(&case, "close", &json!({"answer": "Svar"})).await.problem(409), "phase.wrong");
    let case = olle.start_processing(&case).await;
    assert_eq!(olga.try_change(&case, "start-processing", &json!({})).await.problem(409), "taken-by-another");
    let case = olle.close(&case, "Svar").await;
    let stale = Done { version: 1, ..case.clone() };
    assert_eq!(
        olle.try_change(&stale, "close", &json!({"answer": "Svar"})).await.problem(412),
        "case.changed"
    );
    assert_eq!(olle.try_change(&case, "close", &json!({"answer": "Svar"})).await.problem(409), "case.closed");
}

#[tokio::test]
async fn what_has_happened_since_is_told_as_the_timeline_tells_it() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let first = anna.case("A").await;
    let mut case = olle.start_processing(&first).await;
    for kind in ["working", "official"] {
        let note = olle.try_change(&case, "notes", &json!({"kind": kind, "text": "x"})).await;
        case = note.done();
    }
    let hidden = json!({"area": "ekonomi", "reason": "Fel kö"});
    let moved = olle.try_change(&case, "reclassify", &hidden).await.done();
    let unseen = Done { version: 0, ..moved };
    let since = async |caller: &TestCaller<'_>| {
        let refused = caller.try_change(&unseen, "messages", &json!({"text": "x"})).await;
        assert_eq!(refused.problem(412), "case.changed");
        refused.json()["since"].clone()
    };
    assert_eq!(since(&anna).await, json!(["CaseReceived", "ProcessingStarted", "NoteAdded"]));
    let all = ["CaseReceived", "ProcessingStarted", "NoteAdded", "NoteAdded", "CaseReclassified"];
    assert_eq!(since(&olle).await, json!(all));
}

#[tokio::test]
async fn a_version_is_accepted_quoted_bare_and_weak() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    for (version, tag) in ["\"1\"", "2", "W/\"3\""].iter().enumerate() {
        let ask = anna.post(&format!("/cases/{}/messages", case.id)).with("if-match", tag);
        let done = ask.json(&json!({"text": "x"})).send().await.done();
        assert_eq!(done.version, version as u64 + 2);
    }
}

#[tokio::test]
async fn commands_that_commute_take_any_version() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("A").await;
    let any = async |caller: &TestCaller<'_>, what: &str, body: Value| {
        let ask = caller.post(&format!("/cases/{}/{what}", case.id)).with("if-match", "*").key(&new_key());
        ask.json(&body).send().await
    };
    assert_eq!(any(&anna, "messages", json!({"text": "x"})).await.done().version, 2);
    assert_eq!(any(&olle, "notes", json!({"kind": "working", "text": "x"})).await.done().version, 3);
    let upload = anna.upload("a.pdf", PDF).await;
    assert_eq!(any(&anna, "attachments", json!({"uploadId": upload})).await.done().version, 4);
}

/// A body that is right for every command but attachments, which needs a file.
fn bodies(officer: &str, upload: Option<&str>) -> Vec<(&'static str, Value)> {
    let mut bodies = vec![
        ("messages", json!({"text": "x"})),
        ("notes", json!({"kind": "official", "text": "x"})),
        ("start-processing", json!({})),
        ("request-information", json!({"text": "x", "dueDate": "2026-12-24"})),
        ("assign", json!({ "officer": officer })),
        ("reclassify", json!({"area": "lon", "subArea": "supportarende", "reason": "x"})),
        ("close", json!({"answer": "x"})),
    ];
    bodies.extend(upload.map(|id| ("attachments", json!({ "uploadId": id }))));
    bodies
}

#[tokio::test]
async fn an_unknown_role_of_employer_is_refused_in_words_of_both_languages() {
    let app = TestApp::start().await;
    let nobody_s = app.caller(Identity { employers: Some(Vec::new()), ..identity("nils", Role::Employee) });
    let mut body = app.employee("anna").body("A");
    body["subject"] = json!("B");
    let ask = |language: &str| {
        nobody_s.post("/cases").key(&new_key()).with("accept-language", language).json(&body).send()
    };
    let swedish = ask("sv").await;
    assert_eq!(swedish.problem(403), "permission");
    assert_eq!(swedish.header("content-language"), "sv");
    assert!(swedish.json()["detail"].as_str().unwrap().starts_with("Du har inte behörighet"));
    let english = ask("en-GB").await;
    assert_eq!(english.header("content-language"), "en");
    assert!(english.json()["detail"].as_str().unwrap().starts_with("You do not have permission"));
}
