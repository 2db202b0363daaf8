//! What those who run the program see of it: traces at a collector, and measures that Prometheus, the alerts and the
//! dashboard understand.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use crate::program::{Acknowledged, PATIENCE, Program, Start, live};
use crate::support::{EXEMPELVERKET, new_key};

/// How long a request may take where the collector is dead, and the stop after it.
const IN_TIME: Duration = Duration::from_secs(10);
/// More requests than spans wait for a collector at once.
const MANY: usize = 2_500;
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector of traces: its address, and what it is told.
async fn collector() -> (String, UnboundedReceiver<Bytes>) {
    let (told, heard) = unbounded_channel();
    let take = move |body: Bytes| async move {
        let _ = told.send(body);
        ""
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let routes = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, heard)
}

async fn told_to(collector: &str, data: &Path) -> Program {
    let variables = [("KUNDWEBB_OTLP", collector)];
    Program::start_with(data, &Start { variables: &variables, ..Start::default() }).await
}

/// The attributes in words.
fn attributes(attributes: &[KeyValue]) -> BTreeSet<String> {
    let word = |value: &AnyValue| match value.value.as_ref().unwrap() {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|one| format!("{}={}", one.key, word(one.value.as_ref().unwrap()))).collect()
}

/// All spans, and the bytes in which they came. To be called when the program has ended.
fn all(heard: &mut UnboundedReceiver<Bytes>) -> (Vec<Span>, Vec<u8>) {
    let (mut spans, mut bytes) = (Vec::new(), Vec::new());
    while let Ok(body) = heard.try_recv() {
        for resource in ExportTraceServiceRequest::decode(body.clone()).unwrap().resource_spans {
            let who = attributes(&resource.resource.unwrap().attributes);
            assert!(who.contains("service.name=kundwebb"), "{who:?}");
            spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
        bytes.extend_from_slice(&body);
    }
    (spans, bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_a_span_of_its_caller_s_trace_without_a_word_of_the_case() {
    let folder = tempfile::tempdir().unwrap();
    let (address, mut heard) = collector().await;
    let program = told_to(&address, &folder.path().join("data")).await;
    let (anna, parent) = (program.anna(), format!("00-{TRACE}-{PARENT}-01"));
    let key = new_key();
    let body = json!({
        "employer": EXEMPELVERKET, "area": "ekonomi", "subject": "Hemligheten", "message": "Ingen får veta.",
    });
    let create = anna.request(Method::POST, "/cases").header("idempotency-key", &key).json(&body);
    let answer = create.header("traceparent", &parent).send().await.unwrap();
    let given = answer.headers()["traceparent"].to_str().unwrap().to_owned();
    let case: Value = answer.json().await.unwrap();
    let id = case["id"].as_str().unwrap().to_owned();
    let read = anna.request(Method::GET, &format!("/cases/{id}?q=fråga"));
    assert_eq!(read.header("traceparent", &parent).send().await.unwrap().status(), 422);
    let away = anna.request(Method::GET, &format!("/cases/{}", uuid::Uuid::nil()));
    assert_eq!(away.header("traceparent", &parent).send().await.unwrap().status(), 404);
    assert_eq!(anna.get("/cases").await.status(), 200);
    program.stop().await;

    let (spans, bytes) = all(&mut heard);
    let traced: Vec<&Span> = spans.iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let seen: Vec<_> = traced.iter().map(|span| (span.name.as_str(), attributes(&span.attributes))).collect();
    let wanted = |method: &str, route: &str, status: u16| {
        let all = [
            format!("http.request.method={method}"),
            format!("http.route={route}"),
            format!("http.response.status_code={status}"),
        ];
        BTreeSet::from(all)
    };
    let (cases, one) = ("/api/v1/cases", "/api/v1/cases/{caseId}");
    assert_eq!(
        seen,
        [
            ("POST /api/v1/cases", wanted("POST", cases, 201)),
            ("GET /api/v1/cases/{caseId}", wanted("GET", one, 422)),
            ("GET /api/v1/cases/{caseId}", wanted("GET", one, 404)),
        ]
    );
    for span in &traced {
        assert_eq!((hex(&span.parent_span_id).as_str(), span.kind), (PARENT, SpanKind::Server as i32));
        let took = Duration::from_nanos(span.end_time_unix_nano - span.start_time_unix_nano);
        assert!(took > Duration::ZERO && took < PATIENCE, "{took:?}");
    }
    assert_eq!(given, format!("00-{TRACE}-{}-01", hex(&traced[0].span_id)), "the answer names the span");
    // Those who name no trace are told, too, each in one of its own.
    let others: BTreeSet<_> = spans.iter().map(|span| hex(&span.trace_id)).filter(|id| id != TRACE).collect();
    assert!(others.len() + traced.len() == spans.len() && !others.is_empty(), "{others:?}");
    let number = case["caseNumber"].as_str().unwrap_or("2026-0000");
    for word in [id.as_str(), number, "Hemligheten", "Ingen får veta", "anna", "fråga", EXEMPELVERKET, &key]
    {
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!found, "{word} is told to the collector");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One that takes what is sent and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_collector_keeps_nobody_waiting_and_does_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let program = told_to(&address, &folder.path().join("data")).await;
    let mut known = Acknowledged::default();
    let asked = Instant::now();
    for _ in 0..MANY / 100 {
        let rounds = (0..100).map(|_| program.client.get(format!("{}/livez", program.url)).send());
        for answer in futures::future::join_all(rounds).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
    }
    live(&program, &mut known).await;
    assert!(asked.elapsed() < 2 * IN_TIME, "{MANY} requests took {:?}", asked.elapsed());
    let told = Instant::now();
    let said = program.stop().await;
    assert!(told.elapsed() < IN_TIME, "the stop took {:?}: {said}", told.elapsed());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What promtool says of what it is given.
fn promtool(arguments: &[&str], given: &str) -> Output {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(root()).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect(
        "promtool is missing: install it (Debian: apt-get install --no-install-recommends prometheus)",
    );
    child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn is_content(output: &Output) {
    let said = crate::program::words(output);
    assert!(output.status.success() && !said.contains("rror"), "{said}");
}

/// The names of our measures in a text.
fn measures(text: &str) -> BTreeSet<&str> {
    let words = text.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_');
    words.filter(|word| word.starts_with("kundwebb_")).collect()
}

/// A figure among what is measured.
pub(crate) fn value(text: &str, name: &str) -> Option<f64> {
    let line =
        text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_understands_what_is_measured_and_alerts_and_dashboard_ask_for_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(&folder.path().join("data")).await;
    live(&program, &mut Acknowledged::default()).await;
    let until = Instant::now() + PATIENCE;
    let text = loop {
        let text = program.metrics().await;
        if value(&text, "kundwebb_mail_sent_total") > Some(0.0) {
            break text;
        }
        assert!(Instant::now() < until, "no mail is counted: {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let checked = promtool(&["check", "metrics"], &text);
    assert_eq!(crate::program::words(&checked), "", "promtool has something to say");
    assert!(checked.status.success());
    is_content(&promtool(&["check", "rules", "deploy/observability/alerts.yml"], ""));
    for file in ["alerts.yml", "dashboard.json"] {
        let asks = std::fs::read_to_string(root().join("deploy/observability").join(file)).unwrap();
        let expressions: String =
            asks.lines().filter(|line| line.contains("expr")).flat_map(|line| [line, "\n"]).collect();
        let asked = measures(&expressions);
        assert!(asked.len() > 5, "{file} asks for something: {asked:?}");
        for name in asked {
            assert!(value(&text, name).is_some(), "{file} asks for {name}, which is not measured:\n{text}");
        }
    }
    program.stop().await;
}
