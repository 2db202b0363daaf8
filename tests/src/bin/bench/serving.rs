//! The whole service over HTTP: new cases, then taking and closing them, on kept connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tests::http::{Connection, request};
use tests::service::{self, Service};
use tokio::time::Instant;

use crate::cases;
use crate::times::{Times, a_second};

/// What was done on some connections.
pub(crate) struct Load {
    pub(crate) what: &'static str,
    pub(crate) connections: usize,
    /// Requests a second.
    pub(crate) rate: f64,
    pub(crate) times: Times,
    /// From the last answer until the read models showed it.
    pub(crate) lag: Duration,
}

/// A case as its creator was told of it.
struct Created {
    id: String,
    version: u64,
}

/// Creates cases at 1, 8 and 64 connections; then takes and closes the last of them at 64. `count` is for 64.
pub(crate) async fn loads(service: &Service, count: usize) -> anyhow::Result<Vec<Load>> {
    let mut loads = Vec::new();
    let officer = service::token(service.folder(), "officer", "officer-1", &["--name", "Olle Provsson"])?;
    let mut created = Vec::new();
    for (connections, count) in [(1, count / 20), (8, count / 4), (64, count)] {
        loads.push(bare(service, connections, count).await?);
        let bodies = creates(service, connections, count)?;
        let (load, answers) = load(service, "create", connections, bodies).await?;
        loads.push(load);
        created = answers.iter().map(|answer| told(answer)).collect::<Result<_, _>>()?;
    }
    for (what, body) in [("start-processing", "{}"), ("close", r#"{"answer":"Nu är det rättat."}"#)] {
        let requests = created.iter().map(|case: &Created| change(&officer, case, what, body)).collect();
        let (load, answers) = load(service, what, 64, requests).await?;
        loads.push(load);
        created = answers.iter().map(|answer| told(answer)).collect::<Result<_, _>>()?;
    }
    Ok(loads)
}

fn told(answer: &[u8]) -> anyhow::Result<Created> {
    let outcome: Value = serde_json::from_slice(answer)?;
    let id = outcome["id"].as_str().context("an outcome without id")?.to_owned();
    Ok(Created { id, version: outcome["version"].as_u64().context("an outcome without version")? })
}

/// New cases, each with a key of its own, from as many employees as there are connections.
fn creates(service: &Service, connections: usize, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let employer = cases::employer(0).to_string();
    let tokens = (0..connections).map(|number| {
        let (login, name) = (format!("person-{number}"), format!("Person {number} Provsson"));
        let email = format!("{login}@exempel.example");
        let flags = ["--name", &name, "--email", &email, "--employer", &employer];
        service::token(service.folder(), "employee", &login, &flags)
    });
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
    let requests = (0..count).map(|number| {
        let (key, authorization) =
            (infrastructure::random::id().to_string(), format!("Bearer {}", tokens[number % connections]));
        let number = number as u64;
        let body = json!({
            "employer": employer, "area": "ekonomi", "subject": cases::subject(number), "message": cases::message(number),
        });
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", &key),
        ];
        request("POST", "/api/v1/cases", &headers, body.to_string().as_bytes())
    });
    Ok(requests.collect())
}

fn change(token: &str, case: &Created, what: &str, body: &str) -> Vec<u8> {
    let (authorization, tag) = (format!("Bearer {token}"), format!("\"{}\"", case.version));
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "application/json"), ("if-match", &tag)];
    request("POST", &format!("/api/v1/cases/{}/{what}", case.id), &headers, body.as_bytes())
}

/// What the web server does at most: the shortest answer that it has.
async fn bare(service: &Service, connections: usize, count: usize) -> anyhow::Result<Load> {
    let requests = vec![request("GET", "/livez", &[], b""); count];
    Ok(load(service, "livez", connections, requests).await?.0)
}

/// Sends requests in order on some connections; gives the answers in the order of the requests.
async fn load(
    service: &Service,
    what: &'static str,
    connections: usize,
    requests: Vec<Vec<u8>>,
) -> anyhow::Result<(Load, Vec<Vec<u8>>)> {
    let (count, address) = (requests.len(), service.address());
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let senders = (0..connections).map(|_| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let (mut times, mut answers) = (Times::default(), Vec::new());
            while let place = next.fetch_add(1, Ordering::Relaxed)
                && let Some(request) = requests.get(place)
            {
                let asked = Instant::now();
                let answer = connection.send(request).await?;
                times.add(asked.elapsed());
                let text = String::from_utf8_lossy(answer.body);
                ensure!((200..300).contains(&answer.status), "{what}: {} {text}", answer.status);
                answers.push((place, answer.body.to_vec()));
            }
            anyhow::Ok((times, answers))
        })
    });
    let mut times = Times::default();
    let mut answers = Vec::with_capacity(count);
    for sent in futures::future::try_join_all(senders.collect::<Vec<_>>()).await? {
        let (some, of_some) = sent?;
        times.merge(some);
        answers.extend(of_some);
    }
    let took = began.elapsed();
    let shown = Instant::now();
    wait_until_shown(service).await?;
    answers.sort_unstable_by_key(|(place, _)| *place);
    let answers = answers.into_iter().map(|(_, answer)| answer).collect();
    let load = Load { what, connections, rate: a_second(count, took), times, lag: shown.elapsed() };
    Ok((load, answers))
}

/// Waits until the read models show the whole log.
async fn wait_until_shown(service: &Service) -> anyhow::Result<()> {
    let mut connection = Connection::open(service.address()).await?;
    let metrics = request("GET", "/metrics", &[], b"");
    loop {
        let answer = connection.send(&metrics).await?;
        let text = String::from_utf8_lossy(answer.body);
        let gauge =
            |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        if gauge("kundwebb_read_position") == gauge("kundwebb_log_position") {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
