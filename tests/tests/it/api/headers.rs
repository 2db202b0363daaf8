//! What holds for every answer: traces, languages, caching, reading after a position.

use std::path::PathBuf;

use serde_json::json;

use crate::support::{TestApp, new_key};

#[tokio::test]
async fn a_trace_is_taken_up_recorded_and_given_back() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("00-{id}-00f067aa0ba902b7-01");
    let ask = anna.post("/cases").key(&new_key()).with("traceparent", &header);
    let answer = ask.json(&anna.body("A")).send().await;
    let case = answer.done();
    assert!(answer.header("traceparent").starts_with(&format!("00-{id}-")));
    assert_ne!(answer.header("traceparent"), header);
    let stored = app.app.log.events_after(case.position - 1, 1).await.unwrap();
    assert_eq!(stored[0].correlation.simple().to_string(), id);
    // Without one, or with nonsense, a trace begins; also where the answer is a problem.
    for answer in [
        anna.get("/cases").send().await,
        anna.get("/cases").with("traceparent", "nonsense").send().await,
        app.nobody().get("/cases").send().await,
        app.nobody().get("/nowhere").send().await,
    ] {
        let trace = answer.header("traceparent");
        assert!(trace.len() == 55 && !trace.contains("00000000000000000000000000000000"), "{trace}");
    }
}

#[tokio::test]
async fn words_are_in_the_language_that_is_asked_for() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    for (asked, language, label) in
        [("", "sv", "Inkommit"), ("en", "en", "Received"), ("fi", "sv", "Inkommit")]
    {
        let answer = anna.get(&format!("/cases/{}", case.id)).with("accept-language", asked).send().await;
        assert_eq!(answer.header("content-language"), language);
        assert_eq!(answer.ok()["statusLabel"], label);
    }
    let problem = anna.get("/cases?page=0").with("accept-language", "en").send().await;
    assert_eq!(problem.header("content-language"), "en");
    assert_eq!(problem.json()["title"], "There is a problem");
}

#[tokio::test]
async fn what_is_personal_is_kept_by_nobody_on_the_way() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    for path in [
        "/cases".to_owned(),
        format!("/cases/{}", case.id),
        format!("/cases/{}/timeline", case.id),
        format!("/cases/{}/attachments", case.id),
        "/events".to_owned(),
        "/statistics".to_owned(),
        "/employers".to_owned(),
        "/services".to_owned(),
        "/cases/unknown".to_owned(),
    ] {
        let answer = anna.get(&path).send().await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let answer = anna.post("/cases").key(&new_key()).json(&anna.body("B")).send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let head = anna.ask(reqwest::Method::HEAD, &format!("/api/v1/cases/{}", case.id)).send().await;
    assert_eq!((head.status.as_u16(), head.header("etag"), head.bytes.len()), (200, "\"1\"", 0));
}

#[tokio::test]
async fn one_reads_one_s_own_writes() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    for count in 1..=20 {
        let answer = anna.post("/cases").key(&new_key()).json(&anna.body("A")).send().await;
        let case = answer.done();
        assert_eq!(answer.header("location"), format!("/api/v1/cases/{}", case.id));
        let listed = anna.get("/cases?limit=100").at_once().send().await.ok();
        assert_eq!(listed["_meta"]["totalRecords"], count);
    }
}

#[tokio::test]
async fn a_list_that_cannot_show_one_s_own_write_yet_is_not_shown() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    anna.list("").await;
    let files = std::fs::read_dir(app.folder()).unwrap().map(|file| file.unwrap().path());
    let is_read_model = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("read-") && name.ends_with(".db")
    };
    let read_models = files.filter(is_read_model).collect::<Vec<_>>();
    let [read_models] = read_models.as_slice() else { panic!("{read_models:?}") };
    let holding = rusqlite::Connection::open(read_models).unwrap();
    holding.execute_batch("BEGIN IMMEDIATE").unwrap();
    anna.post("/cases").key(&new_key()).json(&anna.body("A")).send().await.done();
    let list = || anna.get("/cases").at_once().send();
    assert_eq!(list().await.problem(503), "read-after.timeout");
    assert_eq!(app.employee("bo").get("/service-status").at_once().send().await.status, 200);
    holding.execute_batch("ROLLBACK").unwrap();
    assert_eq!(list().await.ok()["_meta"]["totalRecords"], 1);
    // They may have been held for so long that their trouble was told.
    while app.is_left_undone().is_some() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn reading_after_a_position_that_does_not_come_ends_with_503() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let head = app.head().await;
    let after = |position: String| anna.get("/cases").at_once().with("read-after", position).send();
    assert_eq!(after(head.to_string()).await.status, 200);
    assert_eq!(after(format!("\"{head}\"")).await.status, 200);
    let answer = after((head + 1000).to_string()).await;
    assert_eq!(answer.problem(503), "read-after.timeout");
    assert_eq!(answer.header("retry-after"), "1");
    for wrong in ["x", "-1", "1.5", "99999999999999999999999", ""] {
        assert_eq!(after(wrong.to_owned()).await.problem(400), "syntax", "{wrong}");
    }
    let status = app.nobody().get("/service-status").at_once().with("read-after", "x").send().await;
    assert_eq!(status.problem(400), "syntax");
}

#[tokio::test]
async fn information_about_the_api_needs_no_token() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    let info = nobody.get("/api-info").send().await.ok();
    assert_eq!((&info["apiName"], &info["apiStatus"]), (&json!("kundwebb"), &json!("active")));
    assert_eq!(nobody.get("/openapi.json").send().await.ok()["openapi"], "3.1.0");
    assert_eq!(nobody.get("/docs").send().await.status, 200);
}
