//! Fields that are not the caller's to set.

use serde_json::{Value, json};

use super::employee;
use crate::support::{PROVMYNDIGHETEN, TestApp, new_key};

/// What an employee has no say in, by the names that one would try.
fn fields() -> Vec<(&'static str, Value)> {
    vec![
        ("status", json!("closed")),
        ("phase", json!("closed")),
        ("id", json!("019ab000-0000-7000-8000-000000000000")),
        ("caseNumber", json!("2026-000001-0")),
        ("number", json!("2026-000001-0")),
        ("version", json!(7)),
        ("position", json!(1)),
        ("actor", json!("olle")),
        ("role", json!("officer")),
        ("officer", json!("olle")),
        ("assignedTo", json!("olle")),
        ("registeredBy", json!("olle")),
        ("receivedAt", json!("2020-01-01T00:00:00Z")),
        ("recordedAt", json!("2020-01-01T00:00:00Z")),
        ("channel", json!("telefon")),
        ("reporter", json!({"subject": "bertil", "name": "Bertil", "email": "bertil@exempelverket.example"})),
        ("answer", json!("Färdigt.")),
        ("__proto__", json!({"role": "officer"})),
    ]
}

#[tokio::test]
async fn the_api_refuses_each_and_stores_nothing() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    // What is seen of her is recorded at her first command.
    anna.case("Den första").await;
    let head = app.head().await;
    for (name, value) in fields() {
        let mut body = anna.body("Mitt");
        body[name] = value;
        let answer = anna.post("/cases").key(&new_key()).json(&body).send().await;
        let refused = answer.fields();
        assert!(refused.iter().all(|field| field.starts_with(&format!("/{name}"))), "{name}: {refused:?}");
    }
    let mut body = anna.body("Mitt");
    body["employer"] = json!(PROVMYNDIGHETEN);
    let answer = anna.post("/cases").key(&new_key()).json(&body).send().await;
    assert!(matches!(answer.status.as_u16(), 403 | 404 | 422), "{}", answer.status);
    assert_eq!(app.head().await, head);
    // A field that comes twice: never the one that was not looked at.
    let twice = r#"{"employer":"4021000007","area":"ekonomi","subject":"Mitt","message":"Eget","employer":"4021010006"}"#;
    let answer = anna.post("/cases").key(&new_key()).body("application/json", twice).send().await;
    assert!(!answer.status.is_success(), "{}", answer.status);
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn a_form_with_more_fields_than_it_has_gives_the_same_case() {
    let app = TestApp::start().await;
    let (anna, her) = (employee(&app, "anna").await, app.employee("anna"));
    let filed = [("area", "ekonomi"), ("subject", "Mitt"), ("message", "Eget.")];
    let foreign = [filed[0], filed[1], filed[2], ("employer", PROVMYNDIGHETEN)];
    let page = anna.get("/skapa-arende").await;
    let refused = anna.submit(&page, "/skapa-arende", &foreign).await;
    assert_eq!((refused.status.as_u16(), her.list("limit=10").await), (403, Vec::new()));

    let values = fields()
        .into_iter()
        .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    let values: Vec<(&str, String)> = values.collect();
    let others =
        [("reporter-name", "Bertil"), ("reporter-email", "bertil@exempelverket.example"), ("name", "Bertil")];
    let mut more: Vec<(&str, &str)> = filed.into_iter().chain(others).collect();
    more.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
    let sent = anna.submit(&page, "/skapa-arende", &more).await;
    let case = anna.done(&sent).await.links("/arenden/")[0].clone();
    let page = anna.get("/skapa-arende").await;
    let other = [filed[0], ("subject", "Mitt igen"), filed[2]];
    let sent = anna.submit(&page, "/skapa-arende", &other).await;
    let plain = anna.done(&sent).await.links("/arenden/")[0].clone();
    let [read, plain] = [case, plain].map(|case| case.strip_prefix("/arenden/").unwrap().to_owned());
    let (read, plain) = (her.read(&read).await, her.read(&plain).await);
    for name in ["status", "channel", "version", "reporter", "employer", "receivedAt", "officer", "answer"] {
        assert_eq!(read[name], plain[name], "{name}: {read}");
    }
    assert!(app.employee("bertil").list("limit=10").await.is_empty());
}

/// Nor may they be set afterwards.
#[tokio::test]
async fn no_change_takes_them_either() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("Mitt").await;
    let head = app.head().await;
    for (name, value) in fields() {
        let mut body = json!({"text": "Mer."});
        body[name] = value;
        let answer = anna.try_change(&case, "messages", &body).await;
        assert_eq!(answer.fields(), [format!("/{name} field.unknown")], "{name}");
    }
    for what in ["start-processing", "close", "assign", "reclassify", "request-information", "notes"] {
        let body = json!({"answer": "Färdigt.", "text": "x", "officer": "anna", "area": "lon"});
        let answer = anna.try_change(&case, what, &body).await;
        assert!(matches!(answer.status.as_u16(), 403 | 404 | 422), "{what}: {}", answer.status);
    }
    assert_eq!(app.head().await, head);
}
