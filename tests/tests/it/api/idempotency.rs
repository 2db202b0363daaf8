//! `Idempotency-Key` (API-06): the same request has the same answer, whatever is retried, also across a restart.

use serde_json::json;

use crate::support::{PDF, TestApp, new_key};

#[tokio::test]
async fn the_same_key_and_request_have_the_same_answer_also_across_a_restart() {
    let app = TestApp::start().await;
    let body = app.employee("anna").body("Fakturan");
    let key = new_key();
    let first = app.employee("anna").post("/cases").key(&key).json(&body).send().await;
    let head = app.head().await;
    let app = app.restart().await;
    let anna = app.employee("anna");
    // White space and the order of members do not matter, nor whether the key is quoted.
    let spaced = serde_json::to_string_pretty(&body).unwrap();
    let again = anna.post("/cases").key(&format!("\"{key}\"")).body("application/json", spaced).send().await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    for header in ["etag", "location"] {
        assert_eq!(again.header(header), first.header(header));
    }
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let key = new_key();
    let case = anna.post("/cases").key(&key).json(&anna.body("Ett")).send().await.done();
    let head = app.head().await;
    let other = anna.post("/cases").key(&key).json(&anna.body("Två")).send().await;
    assert_eq!(other.problem(422), "idempotency-key.reused");
    // Another path is another request too; and wrong fields are told before.
    let message = || anna.post(&format!("/cases/{}/messages", case.id)).version(1).key(&key);
    assert_eq!(message().json(&json!({"text": "x"})).send().await.problem(422), "idempotency-key.reused");
    assert_eq!(message().json(&json!({"text": ""})).send().await.fields(), ["/text message.missing"]);
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_key_belongs_to_its_caller() {
    let app = TestApp::start().await;
    let key = new_key();
    let (anna, bo) = (app.employee("anna"), app.employee("bo"));
    let annas = anna.post("/cases").key(&key).json(&anna.body("A")).send().await.done();
    let bos = bo.post("/cases").key(&key).json(&bo.body("A")).send().await.done();
    assert_ne!(annas.id, bos.id);
}

#[tokio::test]
async fn the_same_request_many_times_at_once_is_done_once() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    anna.list("").await;
    let head = app.head().await;
    let (key, body) = (new_key(), anna.body("Samtidigt"));
    let asks = (0..16).map(|_| anna.post("/cases").key(&key).json(&body).send());
    let answers = futures::future::join_all(asks).await;
    let numbers: std::collections::BTreeSet<String> =
        answers.iter().map(|answer| answer.done().number).collect();
    assert_eq!(numbers.len(), 1);
    assert_eq!(app.head().await, head + 1);
}

#[tokio::test]
async fn the_stored_outcome_comes_before_the_state_of_the_case() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = olle.start_processing(&anna.case("A").await).await;
    let key = new_key();
    let close = || {
        let ask = olle.post(&format!("/cases/{}/close", case.id)).version(case.version).key(&key);
        ask.json(&json!({"answer": "Svar"})).send()
    };
    let first = close().await;
    let again = close().await;
    // Otherwise it would be stale and in the wrong phase.
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
}

#[tokio::test]
async fn a_refused_command_leaves_no_outcome() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("A").await;
    let key = new_key();
    let close = |version| {
        let ask = olle.post(&format!("/cases/{}/close", case.id)).version(version).key(&key);
        ask.json(&json!({"answer": "Svar"})).send()
    };
    assert_eq!(close(1).await.problem(409), "phase.wrong");
    olle.start_processing(&case).await;
    assert_eq!(close(2).await.done().status, "closed");
}

/// The first of two that come at once attaches the files; the other must not be told that they are gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_files_that_is_sent_twice_at_once_is_one_case() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    for _ in 0..60 {
        let mut body = anna.body("Med fil");
        body["attachments"] = json!([anna.upload("a.pdf", PDF).await]);
        let key = new_key();
        let asks = (0..4).map(|_| anna.post("/cases").key(&key).json(&body).send());
        let answers = futures::future::join_all(asks).await;
        let first = answers[0].done();
        assert!(answers.iter().all(|answer| answer.done() == first));
    }
    assert_eq!((app.staged(), app.objects()), (0, 60));
}

#[tokio::test]
async fn files_may_be_repeated_like_the_request_that_they_belong_to() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let mut body = anna.body("Med fil");
    body["attachments"] = json!([anna.upload("a.pdf", PDF).await]);
    let key = new_key();
    let create = || anna.post("/cases").key(&key).json(&body).send();
    let (first, again) = (create().await, create().await);
    assert_eq!(first.bytes, again.bytes);
    let case = first.done();
    let key = new_key();
    let attach = |content: &'static [u8]| {
        let ask = anna.post(&format!("/cases/{}/attachments", case.id)).with("if-match", "*").key(&key);
        ask.files(&[("b.pdf", content)]).send()
    };
    let (first, again) = (attach(PDF).await, attach(PDF).await);
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert_eq!(attach(b"%PDF-1.7\nanother").await.problem(422), "idempotency-key.reused");
    let files = anna.get(&format!("/cases/{}/attachments", case.id)).send().await.ok();
    assert_eq!(files["attachments"].as_array().unwrap().len(), 2);
    assert_eq!(app.objects(), 2);
}
