//! Poisoned input: whatever is sent to whatever path, the answer is a problem of the caller, never of ours, and nothing
//! is stored.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::support::{Answer, TestApp, TestCaller, new_key};

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

/// Names that bodies have, and others.
fn name() -> impl Strategy<Value = String> {
    let known = [
        "employer",
        "area",
        "subArea",
        "system",
        "subject",
        "message",
        "attachments",
        "language",
        "followsUp",
        "channel",
        "reporter",
        "name",
        "email",
        "text",
        "kind",
        "officer",
        "reason",
        "answer",
        "dueDate",
        "uploadId",
    ];
    prop_oneof![4 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn text() -> impl Strategy<Value = String> {
    let known = [
        "4021000007",
        "lon",
        "ekonomi",
        "supportarende",
        "beslut-underlag",
        "primula",
        "sv",
        "telefon",
        "webb",
        "working",
        "2026-000001-1",
        "2026-12-24",
        "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f",
        "\0",
        "\u{202e}",
        " ",
        "a@b.example",
    ];
    prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), ".{0,40}", "\\PC{0,40}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => proptest::collection::vec((name(), value()), 0..10)
            .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()).to_string().into_bytes()),
        1 => value().prop_map(|value| value.to_string().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..60),
    ]
}

fn header() -> impl Strategy<Value = Vec<u8>> {
    let visible = proptest::collection::vec(prop_oneof![0x20_u8..0x7f, 0x80_u8..=0xff], 0..30);
    prop_oneof![
        Just(b"\"1\"".to_vec()),
        Just(b"*".to_vec()),
        Just(b"W/\"2\"".to_vec()),
        Just(b"99999999999999999999".to_vec()),
        visible,
    ]
}

fn path() -> impl Strategy<Value = String> {
    let id = prop_oneof![
        Just("CASE".to_owned()),
        Just("0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f".to_owned()),
        // Dots alone are taken out of the path by the client.
        "[a-zA-Z0-9._~-]{1,20}".prop_filter("dots alone", |text| text != "." && text != ".."),
        Just("%00".to_owned()),
        Just("%ff%fe".to_owned()),
        Just("..%2f..%2fetc".to_owned()),
    ];
    let command = proptest::sample::select(COMMANDS.to_vec());
    prop_oneof![
        2 => Just("/cases".to_owned()),
        4 => (id, command).prop_map(|(id, command)| format!("/cases/{id}/{command}")),
        1 => Just("/uploads".to_owned()),
    ]
}

#[derive(Clone, Debug)]
struct Poison {
    path: String,
    body: Vec<u8>,
    media_type: &'static str,
    key: Option<Vec<u8>>,
    version: Option<Vec<u8>>,
    trace: Option<Vec<u8>>,
}

fn poison() -> impl Strategy<Value = Poison> {
    let media_types = [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain",
        "multipart/form-data; boundary=x",
    ];
    let media_type =
        prop_oneof![6 => Just(media_types[0]), 1 => proptest::sample::select(media_types.to_vec())];
    let optional = || proptest::option::of(header());
    (path(), body(), media_type, optional(), optional(), optional()).prop_map(
        |(path, body, media_type, key, version, trace)| Poison {
            path,
            body,
            media_type,
            key,
            version,
            trace,
        },
    )
}

async fn send(caller: &TestCaller<'_>, poison: &Poison, case: &str) -> Answer {
    let mut ask = caller.post(&poison.path.replace("CASE", case));
    for (name, value) in
        [("idempotency-key", &poison.key), ("if-match", &poison.version), ("traceparent", &poison.trace)]
    {
        if let Some(value) = value {
            ask = ask.with(name, value);
        }
    }
    ask.body(poison.media_type, poison.body.clone()).send().await
}

/// A random body may by chance be right; whatever is refused must be a problem of the caller's and store nothing.
#[test]
fn random_requests_are_refused_as_the_caller_s_problem_and_store_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = TestApp::start().await;
        let callers = [app.employee("anna"), app.officer("olle"), app.system("primula"), app.auditor()];
        for caller in &callers {
            caller.list("").await;
        }
        let case = callers[0].case("A").await;
        let mut runner = TestRunner::new(Config { cases: 400, ..Config::with_source_file(file!()) });
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            let strategy = (poison(), 0..callers.len());
            runner
                .run(&strategy, |(poison, who)| {
                    handle.block_on(async {
                        let head = app.head().await;
                        let answer = send(&callers[who], &poison, &case.id).await;
                        if !answer.status.is_success() {
                            prop_assert!(answer.status.is_client_error(), "{}", answer.status);
                            answer.problem(answer.status.as_u16());
                            prop_assert_eq!(app.head().await, head);
                        }
                        Ok(())
                    })
                })
                .unwrap();
        });
        assert_eq!(app.objects(), 0);
    });
}

#[test]
fn random_queries_are_answered_or_refused_as_the_caller_s_problem() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let app = TestApp::start().await;
        let callers = [app.employee("anna"), app.officer("olle"), app.auditor(), app.nobody()];
        callers[0].case("A").await;
        let handle = tokio::runtime::Handle::current();
        let names = [
            "page", "limit", "status", "area", "employer", "channel", "officer", "q", "scope", "sort",
            "asOf", "from", "to", "by", "offset", "sida",
        ];
        let paths = [
            "/cases",
            "/cases/x",
            "/events",
            "/statistics",
            "/service-status",
            "/services",
            "/employers",
            "/api-info",
        ];
        let value = "[A-Za-z0-9+._~*(),:;@/?=-]{0,20}|(%[0-9A-F]{2}){1,6}|[0-9-]{1,22}";
        let query = proptest::collection::vec((proptest::sample::select(names.to_vec()), value), 0..4);
        let strategy = (
            proptest::sample::select(paths.to_vec()),
            query,
            0..callers.len(),
            proptest::option::of(header()),
        );
        let mut runner = TestRunner::new(Config { cases: 400, ..Config::with_source_file(file!()) });
        tokio::task::block_in_place(|| {
            runner
                .run(&strategy, |(path, query, who, accept)| {
                    let query: Vec<String> =
                        query.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    let mut ask = callers[who].get(&format!("{path}?{}", query.join("&")));
                    if let Some(accept) = accept {
                        ask = ask
                            .with("accept", &accept)
                            .with("accept-language", &accept)
                            .with("reason", &accept);
                    }
                    let answer = handle.block_on(ask.send());
                    let fits = answer.status.is_success() || answer.status.is_client_error();
                    prop_assert!(fits, "{} {}", answer.status, String::from_utf8_lossy(&answer.bytes));
                    Ok(())
                })
                .unwrap();
        });
    });
}

#[tokio::test]
async fn names_that_are_too_long_or_odd_are_refused() {
    let app = TestApp::start().await;
    let olle = app.officer("olle");
    for login in ["x".repeat(1000), "a\0b".to_owned(), "rad\nbrytning".to_owned()] {
        let mut body = olle.body("A");
        body["reporter"]["subject"] = json!(login);
        let answer = olle.post("/cases").key(&new_key()).json(&body).send().await;
        assert_eq!(answer.fields(), ["/reporter/subject field.value"]);
    }
}
