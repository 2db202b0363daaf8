//! What is allowed in which phase: the table of the commands.

use serde_json::{Value, json};

use crate::support::{Done, PDF, TestApp};

#[tokio::test]
async fn commands_by_phase() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    olle.list("").await;
    let table: [(&str, Value, [u16; 3]); 8] = [
        ("attachments", Value::Null, [200, 200, 409]),
        ("messages", json!({"text": "x"}), [200, 200, 409]),
        ("notes", json!({"kind": "working", "text": "x"}), [200, 200, 409]),
        ("assign", json!({"officer": "olle"}), [200, 200, 409]),
        ("reclassify", json!({"area": "e-handel", "reason": "x"}), [200, 200, 409]),
        ("start-processing", json!({}), [200, 200, 409]),
        ("request-information", json!({"text": "x", "dueDate": "2026-12-24"}), [409, 200, 409]),
        ("close", json!({"answer": "x"}), [409, 200, 409]),
    ];
    let mut left = 0;
    for (command, body, expected) in &table {
        for (phase, status) in expected.iter().enumerate() {
            let mut case = anna.case(command).await;
            if phase > 0 {
                case = olle.start_processing(&case).await;
            }
            if phase > 1 {
                case = olle.close(&case, "Svar").await;
            }
            let body = match body {
                Value::Null => json!({"uploadId": olle.upload("a.pdf", PDF).await}),
                body => body.clone(),
            };
            left += usize::from(body["uploadId"].is_string() && *status == 409);
            let head = app.head().await;
            let answer = olle.try_change(&case, command, &body).await;
            assert_eq!(answer.status, *status, "{command} in phase {phase}");
            if *status == 409 {
                let code = if phase == 2 { "case.closed" } else { "phase.wrong" };
                assert_eq!(answer.problem(409), code);
                assert_eq!(app.head().await, head);
            }
        }
    }
    app.leaves_staged(left);
}

#[tokio::test]
async fn what_is_so_already_changes_nothing() {
    let app = TestApp::start().await;
    let (anna, olle, olga) = (app.employee("anna"), app.officer("olle"), app.officer("olga"));
    let case = olle.start_processing(&anna.case("A").await).await;
    let head = app.head().await;
    assert_eq!(olle.start_processing(&case).await, Done { position: head, ..case.clone() });
    assert_eq!(olle.change(&case, "assign", &json!({"officer": "olle"})).await.version, case.version);
    assert_eq!(app.head().await, head);
    olga.list("").await;
    let case = olle.change(&case, "assign", &json!({"officer": "olga"})).await;
    assert_eq!(olga.read(&case.id).await["officer"], "olga");
    let unknown = olle.try_change(&case, "assign", &json!({"officer": "anna"})).await;
    assert_eq!(unknown.fields(), ["/officer officer.missing"]);
}

#[tokio::test]
async fn processing_may_be_started_without_a_body() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("A").await;
    let start = |version| olle.post(&format!("/cases/{}/start-processing", case.id)).version(version);
    let done = start(1).send().await.done();
    assert_eq!(done.status, "in-process");
    let again = start(done.version).json(&Value::Null).send().await.done();
    assert_eq!(again.version, done.version);
}
