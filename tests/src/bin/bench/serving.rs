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
    /// On how many nodes.
    pub(crate) nodes: usize,
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

/// Creates cases at 1, 8, 64 and 256 connections; takes and closes those made at 64. `count` is for 64 and more. The
/// connections are spread evenly over the nodes.
pub(crate) async fn loads(nodes: &[Service], count: usize) -> anyhow::Result<Vec<Load>> {
    let mut loads = Vec::new();
    for (connections, count) in [(1, count / 20), (8, count / 4), (64, count), (256, count)] {
        loads.push(bare(nodes, connections, count).await?);
        let bodies = creates(&nodes[0], connections, count)?;
        let (load, answers) = load(nodes, "create", connections, bodies).await?;
        loads.push(load);
        if connections == 64 {
            loads.extend(answer(nodes, &answers).await?);
        }
    }
    Ok(loads)
}

/// Takes and closes cases of which their creators were told.
async fn answer(nodes: &[Service], answers: &[Vec<u8>]) -> anyhow::Result<Vec<Load>> {
    let officer = service::token(nodes[0].folder(), "officer", "officer-1", &["--name", "Olle Provsson"])?;
    let mut loads = Vec::new();
    let mut created: Vec<Created> = answers.iter().map(|answer| told(answer)).collect::<Result<_, _>>()?;
    for (what, body) in [("start-processing", "{}"), ("close", r#"{"answer":"Nu är det rättat."}"#)] {
        let requests = created.iter().map(|case: &Created| change(&officer, case, what, body)).collect();
        let (load, answers) = load(nodes, what, 64, requests).await?;
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
pub(crate) fn creates(service: &Service, connections: usize, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
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
async fn bare(nodes: &[Service], connections: usize, count: usize) -> anyhow::Result<Load> {
    let requests = vec![request("GET", "/livez", &[], b""); count];
    Ok(load(nodes, "livez", connections, requests).await?.0)
}

/// Sends requests in order on some connections; gives the answers in the order of the requests.
async fn load(
    nodes: &[Service],
    what: &'static str,
    connections: usize,
    requests: Vec<Vec<u8>>,
) -> anyhow::Result<(Load, Vec<Vec<u8>>)> {
    let count = requests.len();
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let senders = (0..connections).map(|number| {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        let address = nodes[number % nodes.len()].address();
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
    wait_until_shown(nodes).await?;
    answers.sort_unstable_by_key(|(place, _)| *place);
    let answers = answers.into_iter().map(|(_, answer)| answer).collect();
    let nodes = nodes.len();
    let load = Load { what, nodes, connections, rate: a_second(count, took), times, lag: shown.elapsed() };
    Ok((load, answers))
}

/// Waits until the read models of every node show the whole log.
async fn wait_until_shown(nodes: &[Service]) -> anyhow::Result<()> {
    loop {
        let (mut read, mut log) = (f64::MAX, 0.0_f64);
        for node in nodes {
            let mut connection = Connection::open(node.address()).await?;
            let answer = connection.send(&request("GET", "/metrics", &[], b"")).await?;
            let text = String::from_utf8_lossy(answer.body);
            let gauge = |name: &str| {
                text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
            };
            read = read.min(gauge("kundwebb_read_position").unwrap_or_default());
            log = log.max(gauge("kundwebb_log_position").unwrap_or_default());
        }
        if read >= log {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
