//! Writers: each takes cases through their life over the API, one command after the other, and writes down what it sent
//! and what it was told. After a broken connection it sends the same command again until it knows.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use checker::records::{Acknowledged, Record};
use serde_json::json;
use tokio::sync::watch;

use crate::http::{Connection, request};
use crate::service;

/// The employer of every case.
pub const EMPLOYER: &str = "4021000007";
/// How long a writer waits before it asks a service again that is busy.
const AGAIN: Duration = Duration::from_millis(20);
/// How long an answer may take before the writer takes the connection for dead.
const ANSWER: Duration = Duration::from_secs(120);

/// Where the service is reached now; nothing while it is down.
pub type Address = watch::Receiver<Option<SocketAddr>>;

/// When somebody was last told that a command was done.
#[derive(Clone, Debug, Default)]
pub struct Pulse(Arc<Mutex<Beats>>);

#[derive(Clone, Copy, Debug, Default)]
struct Beats {
    count: u64,
    last: Option<Instant>,
    longest: Duration,
}

impl Pulse {
    fn beat(&self) {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let pause = beats.last.map_or(Duration::ZERO, |last| now - last);
        *beats = Beats { count: beats.count + 1, last: Some(now), longest: beats.longest.max(pause) };
    }

    /// How often.
    pub fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).count
    }

    /// The longest time between two.
    pub fn longest_pause(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).longest
    }
}

/// The bearer tokens that writers use.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// An employee's.
    pub employee: String,
    /// An officer's.
    pub officer: String,
}

impl Tokens {
    /// Tokens for a data folder.
    ///
    /// # Errors
    /// When none are given.
    pub fn of(folder: &Path, employee: &str) -> anyhow::Result<Self> {
        let email = format!("{employee}@exempelverket.example");
        let flags = ["--name", "Prov Provsson", "--email", &email, "--employer", EMPLOYER];
        Ok(Self {
            employee: service::token(folder, "employee", employee, &flags)?,
            officer: service::token(folder, "officer", "olle", &["--name", "Olle Provsson"])?,
        })
    }
}

/// A command on its way.
pub struct Command {
    /// What it is called in records and in the path.
    pub name: &'static str,
    /// Its key.
    pub key: String,
    /// Its trace id.
    pub trace: String,
    bytes: Vec<u8>,
}

impl Command {
    /// A new case.
    pub fn create(tokens: &Tokens, key: String) -> Self {
        let body = json!({
            "employer": EMPLOYER, "area": "ekonomi", "subject": format!("Fråga {key}"), "message": "Vad gäller?",
        });
        Self::new("create", key, "/api/v1/cases", &tokens.employee, None, &body)
    }

    /// A change of a case by an officer, as of what was told last.
    pub fn change(
        tokens: &Tokens,
        key: String,
        name: &'static str,
        case: &Acknowledged,
        body: &serde_json::Value,
    ) -> Self {
        let path = format!("/api/v1/cases/{}/{name}", case.id);
        Self::new(name, key, &path, &tokens.officer, Some(case.version), body)
    }

    fn new(
        name: &'static str,
        key: String,
        path: &str,
        token: &str,
        version: Option<u64>,
        body: &serde_json::Value,
    ) -> Self {
        let trace = infrastructure::random::id().simple().to_string();
        let (bearer, parent) = (format!("Bearer {token}"), format!("00-{trace}-00f067aa0ba902b7-01"));
        let tag = version.map(|version| format!("\"{version}\""));
        let mut headers = vec![
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", &key),
            ("traceparent", &parent),
        ];
        headers.extend(tag.as_deref().map(|tag| ("if-match", tag)));
        let bytes = request("POST", path, &headers, body.to_string().as_bytes());
        Self { name, key, trace, bytes }
    }

    /// The request.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is written down of it.
    pub fn record(&self, acknowledged: Option<Acknowledged>) -> Record {
        let (key, trace, command) = (self.key.clone(), self.trace.clone(), self.name.to_owned());
        Record { key, trace, command, acknowledged }
    }
}

/// One writer.
pub struct Writer {
    name: String,
    tokens: Tokens,
    address: Address,
    connection: Option<Connection>,
    records: File,
    count: u64,
    patience: Duration,
    pulse: Pulse,
}

impl Writer {
    /// A writer with records in a folder.
    ///
    /// # Errors
    /// When the file of its records cannot be made.
    pub fn new(name: String, tokens: Tokens, address: Address, records: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(file(records, &name))?;
        let (patience, pulse) = (ANSWER, Pulse::default());
        Ok(Self { name, tokens, address, connection: None, records: file, count: 0, patience, pulse })
    }

    /// The same, who takes a connection for dead sooner or later.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same, who tells of everything that was done.
    #[must_use]
    pub fn with_pulse(self, pulse: Pulse) -> Self {
        Self { pulse, ..self }
    }

    /// Takes cases through their life until it is told to stop; ends when the last command is known.
    ///
    /// # Errors
    /// When the service refuses what it must accept, or is never there again.
    pub async fn write(mut self, stop: watch::Receiver<bool>) -> anyhow::Result<u64> {
        let mut cases = 0;
        while !*stop.borrow() {
            let key = self.key();
            let create = Command::create(&self.tokens, key);
            let mut case = self.until_known(&create).await?;
            let changes = [
                ("start-processing", json!({})),
                ("messages", json!({"text": "Vi ser på det."})),
                ("close", json!({"answer": "Det är rättat."})),
            ];
            for (name, body) in changes {
                let key = self.key();
                let change = Command::change(&self.tokens, key, name, &case, &body);
                case = self.until_known(&change).await?;
            }
            cases += 1;
        }
        Ok(cases)
    }

    fn key(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.name, self.count)
    }

    /// Sends a command until it is answered for good.
    async fn until_known(&mut self, command: &Command) -> anyhow::Result<Acknowledged> {
        loop {
            let answer = tokio::time::timeout(self.patience, self.send(command)).await;
            match answer.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())) {
                Ok((200 | 201, body)) => {
                    let outcome: Acknowledged = serde_json::from_slice(&body)?;
                    self.write_down(command, Some(outcome.clone()))?;
                    self.pulse.beat();
                    return Ok(outcome);
                }
                Ok((status, body)) => {
                    let text = String::from_utf8_lossy(&body);
                    ensure!(status == 503, "{} {}: {status} {text}", command.name, command.key);
                    // Where several nodes answer, another may be better off.
                    self.connection = None;
                    tokio::time::sleep(AGAIN).await;
                }
                Err(_) => {
                    self.connection = None;
                    self.write_down(command, None)?;
                }
            }
        }
    }

    async fn send(&mut self, command: &Command) -> std::io::Result<(u16, Vec<u8>)> {
        if self.connection.is_none() {
            let gone = || std::io::Error::other("the service is never there again");
            let address =
                self.address.wait_for(Option::is_some).await.map_err(|_| gone())?.ok_or_else(gone)?;
            match Connection::open(address).await {
                Ok(connection) => self.connection = Some(connection),
                Err(error) => {
                    tokio::time::sleep(AGAIN).await;
                    return Err(error);
                }
            }
        }
        let connection = self.connection.as_mut().ok_or(std::io::ErrorKind::NotConnected)?;
        let answer = connection.send(command.bytes()).await?;
        Ok((answer.status, answer.body.to_vec()))
    }

    fn write_down(&mut self, command: &Command, acknowledged: Option<Acknowledged>) -> anyhow::Result<()> {
        let line = serde_json::to_string(&command.record(acknowledged))?;
        writeln!(self.records, "{line}").context("the record cannot be written")
    }
}

fn file(records: &Path, name: &str) -> PathBuf {
    records.join(format!("{name}.jsonl"))
}
