//! The feed of events (API-04): in order, resumable, as lines, and within one's rights.

use serde_json::{Value, json};

use crate::support::{PDF, TestApp, TestCaller};

async fn part(caller: &TestCaller<'_>, offset: u64, limit: u64) -> Value {
    caller.get(&format!("/events?offset={offset}&limit={limit}")).send().await.ok()
}

/// The whole feed, read in parts.
async fn whole(caller: &TestCaller<'_>, limit: u64) -> Vec<Value> {
    let (mut events, mut offset) = (Vec::new(), 0);
    loop {
        let part = part(caller, offset, limit).await;
        assert_eq!(part["_meta"]["count"], part["events"].as_array().unwrap().len());
        events.extend(part["events"].as_array().unwrap().iter().cloned());
        let next = part["_meta"]["nextOffset"].as_u64().unwrap();
        if next == offset {
            return events;
        }
        offset = next;
    }
}

fn positions(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["position"].as_u64().unwrap()).collect()
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_auditor_sees_every_event_in_order_and_goes_on_from_a_position() {
    let app = TestApp::start().await;
    let (anna, olle, rut) = (app.employee("anna"), app.officer("olle"), app.auditor());
    rut.list("").await;
    let case = olle.start_processing(&anna.case("A").await).await;
    olle.close(&case, "Svar").await;
    let head = app.head().await;
    for limit in [1, 3, 1000] {
        assert_eq!(positions(&whole(&rut, limit).await), (1..=head).collect::<Vec<_>>());
    }
    let part = part(&rut, head, 10).await;
    assert_eq!(
        part,
        json!({"events": [], "_meta": {"offset": head, "limit": 10, "count": 0, "nextOffset": head}})
    );
    let usual = rut.get("/events").send().await.ok();
    assert_eq!(usual["_meta"]["limit"], 100);
    let events = whole(&rut, 100).await;
    let received = events.iter().find(|event| event["type"] == "CaseReceived").unwrap();
    assert_eq!(received["facts"]["caseNumber"], case.number);
    assert_eq!((&received["personal"], &received["streamId"]), (&Value::Null, &json!(case.id)));
    assert_eq!(received["leafHash"].as_str().unwrap().len(), 64);
    // Nothing personal without a reason.
    assert!(events.iter().all(|event| event["personal"].is_null()));
}

#[tokio::test]
async fn lines_end_at_the_head_of_the_moment() {
    let app = TestApp::start().await;
    let (anna, rut) = (app.employee("anna"), app.auditor());
    rut.list("").await;
    anna.case("A").await;
    let lines = |path: &str| rut.get(path).with("accept", "application/x-ndjson").send();
    let answer = lines("/events").await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let text = String::from_utf8(answer.bytes).unwrap();
    assert!(text.ends_with('\n'));
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(positions(&events), (1..=app.head().await).collect::<Vec<_>>());
    assert_eq!(events, whole(&rut, 100).await);
    let text = String::from_utf8(lines("/events?offset=2&limit=3").await.bytes).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(positions(&events), [3, 4, 5]);
    assert_eq!(lines("/events?offset=9999").await.bytes, b"");
}

#[tokio::test]
async fn others_see_the_events_of_their_cases_only_and_nothing_of_the_centre_s_own() {
    let app = TestApp::start().await;
    let (anna, bo, olle) = (app.employee("anna"), app.employee("bo"), app.officer("olle"));
    let lon = app.officer_of("lena", &[domain::Area::Lon]);
    let case = olle.start_processing(&anna.case("A").await).await;
    let case = olle.change(&case, "notes", &json!({"kind": "working", "text": "x"})).await;
    let case = olle.change(&case, "notes", &json!({"kind": "official", "text": "x"})).await;
    olle.change(&case, "reclassify", &json!({"area": "e-handel", "reason": "x"})).await;
    app.system("primula").case("S").await;
    let annas = whole(&anna, 100).await;
    assert_eq!(types(&annas), ["CaseReceived", "ProcessingStarted", "NoteAdded"]);
    assert!(annas.iter().all(|event| event["streamId"] == case.id && event["personal"].is_null()));
    for limit in [1, 2] {
        assert_eq!(whole(&anna, limit).await, annas);
    }
    assert_eq!(types(&whole(&app.system("primula"), 1).await), ["CaseReceived"]);
    assert_eq!(whole(&bo, 100).await, [] as [Value; 0]);
    assert_eq!(whole(&lon, 100).await, [] as [Value; 0]);
    assert_eq!(
        types(&whole(&olle, 100).await),
        ["CaseReceived", "ProcessingStarted", "NoteAdded", "NoteAdded", "CaseReclassified", "CaseReceived"]
    );
    let lines = anna.get("/events").with("accept", "application/x-ndjson").send().await;
    assert_eq!(String::from_utf8(lines.bytes).unwrap().lines().count(), 3);
}

#[tokio::test]
async fn personal_content_is_for_an_auditor_who_says_why_and_never_holds_a_key() {
    let app = TestApp::start().await;
    let (anna, olle, rut) = (app.employee("anna"), app.officer("olle"), app.auditor());
    let mut body = anna.body("Hemligt ämne");
    body["attachments"] = json!([anna.upload("hemlig.pdf", PDF).await]);
    let case = anna.create(&body).await;
    let read = async |caller: &TestCaller<'_>, reason: &str| {
        caller.get("/events?limit=1000").with("reason", reason).send().await
    };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let told = text(read(&rut, "Granskning åäö").await.bytes);
    assert!(told.contains("Hemligt ämne") && told.contains("hemlig.pdf"));
    assert!(!told.contains("\"key\""));
    for (caller, reason) in [(&rut, " "), (&olle, "Granskning"), (&anna, "Granskning")] {
        let told = text(read(caller, reason).await.bytes);
        assert!(told.contains(&case.id) && !told.contains("Hemligt ämne") && !told.contains("hemlig.pdf"));
    }
    for caller in [&anna, &olle, &rut] {
        let timeline = text(caller.get(&format!("/cases/{}/timeline", case.id)).send().await.bytes);
        assert!(timeline.contains("Hemligt ämne") && timeline.contains("hemlig.pdf"));
        assert!(!timeline.contains("\"key\""));
        let case = text(caller.get(&format!("/cases/{}", case.id)).send().await.bytes);
        assert!(!case.contains("\"key\""));
    }
}

#[tokio::test]
async fn wrong_parameters_of_the_feed_are_told() {
    let app = TestApp::start().await;
    let rut = app.auditor();
    for (query, found) in [
        ("offset=-1", "?offset field.value"),
        ("offset=99999999999999999999", "?offset field.value"),
        ("limit=0", "?limit field.value"),
        ("limit=1001", "?limit field.value"),
        ("from=1", "?from field.unknown"),
    ] {
        assert_eq!(rut.get(&format!("/events?{query}")).send().await.fields(), [found]);
    }
    let far = part(&rut, i64::MAX.unsigned_abs(), 1).await;
    assert_eq!(far["_meta"]["nextOffset"], i64::MAX);
}
