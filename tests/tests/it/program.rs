//! The real program as a process, and one who uses it and remembers what was acknowledged.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::time::Duration;

use chrono::TimeDelta;
use domain::OrganisationNumber;
use domain::access::Role;
use infrastructure::keys::KEY_FILES;
use infrastructure::tokens::{Identity, Tokens};
use infrastructure::{Clock, Keys};
use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tests::service::{self, Service};
use tokio::time::Instant;

use crate::observed::value;
use crate::support::{EXEMPELVERKET, PDF, identity, new_key};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often something is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The program.
pub(crate) fn binary() -> &'static str {
    service::program().unwrap().to_str().unwrap()
}

/// Runs a subcommand to its end.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Output {
    service::run(data, arguments).unwrap()
}

/// What a run said, on both ways out.
pub(crate) fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// How the program is started.
#[derive(Default)]
pub(crate) struct Start<'a> {
    /// Under which other program.
    pub(crate) under: &'a [&'a str],
    /// With which variables.
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

/// The server at work.
pub(crate) struct Program {
    service: Service,
    pub(crate) data: PathBuf,
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
}

impl Program {
    /// Starts it on a folder and waits until it is ready.
    pub(crate) async fn start(data: &Path) -> Self {
        Self::start_with(data, &Start::default()).await
    }

    pub(crate) async fn start_with(data: &Path, start: &Start<'_>) -> Self {
        Self::try_start(data, start).await.unwrap_or_else(|said| panic!("it did not start: {said}"))
    }

    /// Starts it; when it ends instead of being ready, gives what it said.
    pub(crate) async fn try_start(data: &Path, start: &Start<'_>) -> Result<Self, String> {
        let line: Vec<&str> = start.under.iter().copied().chain([binary()]).collect();
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).envs(start.variables.iter().copied());
        let folder = data.to_path_buf();
        let started =
            tokio::task::spawn_blocking(move || Service::start_with(command, &folder)).await.unwrap();
        let service = started.map_err(|error| format!("{error:#}"))?;
        let url = format!("http://{}", service.address());
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Ok(Self { service, data: data.to_path_buf(), url, client })
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        self.service.said().join("\n")
    }

    /// Another node on the same log, with the same keys, on a folder of its own.
    pub(crate) async fn beside(&self, data: &Path, start: &Start<'_>) -> Self {
        fs::create_dir_all(data).unwrap();
        for key in KEY_FILES {
            fs::copy(self.data.join(key), data.join(key)).unwrap();
        }
        Self::start_with(data, start).await
    }

    /// Waits until nothing is left in a folder of the data folder.
    pub(crate) async fn until_empty(&self, folder: &str) {
        let until = Instant::now() + PATIENCE;
        while fs::read_dir(self.data.join(folder)).unwrap().next().is_some() {
            assert!(Instant::now() < until, "something is left in {folder}: {}", self.said());
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        self.service.signal(name).unwrap();
    }

    /// Waits until it has ended. Gives all that it has said.
    pub(crate) async fn ended(self) -> (ExitStatus, String) {
        let mut service = self.service;
        let ended = tokio::task::spawn_blocking(move || (service.wait().unwrap(), service.said().join("\n")));
        tokio::time::timeout(PATIENCE, ended).await.expect("it does not end").unwrap()
    }

    /// Tells it to stop and waits until it has.
    pub(crate) async fn stop(self) -> String {
        self.signal("TERM");
        let (status, said) = self.ended().await;
        assert!(status.success(), "{status}: {said}");
        said
    }

    /// Ends it as a loss of power would, as far as a process can tell.
    pub(crate) async fn kill(self) {
        self.signal("KILL");
        self.ended().await;
    }

    /// Waits until `/readyz` answers with this status and gives what it says.
    pub(crate) async fn until_ready(&self, ready: bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            // One that begins anew lets go of its connections.
            let answer = self.client.get(format!("{}/readyz", self.url)).send().await;
            let said = match answer {
                Ok(answer) => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    if status.is_success() == ready {
                        return text;
                    }
                    format!("{status} {text}")
                }
                Err(error) => error.to_string(),
            };
            assert!(Instant::now() < until, "it never came so far: {said}");
            tokio::time::sleep(LOOK).await;
        }
    }

    fn token(&self, who: &Identity) -> String {
        let tokens = Tokens::new(&Keys::open(&self.data, false).unwrap()).unwrap();
        tokens.issue(who, Clock::System.now(), TimeDelta::hours(1)).unwrap()
    }

    pub(crate) fn anna(&self) -> User<'_> {
        let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
        self.user(&Identity { employers, ..identity("anna", Role::Employee) })
    }

    pub(crate) fn olle(&self) -> User<'_> {
        self.user(&identity("olle", Role::Officer))
    }

    pub(crate) fn rut(&self) -> User<'_> {
        self.user(&identity("rut", Role::Auditor))
    }

    pub(crate) fn user(&self, who: &Identity) -> User<'_> {
        User { program: self, token: self.token(who) }
    }

    /// What it measures.
    pub(crate) async fn metrics(&self) -> String {
        self.client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap()
    }

    /// Waits until it shows all that the log holds now.
    async fn shows_all(&self) {
        let end = value(&self.metrics().await, "kundwebb_log_position");
        let until = Instant::now() + PATIENCE;
        while value(&self.metrics().await, "kundwebb_read_position") < end {
            assert!(Instant::now() < until, "{end:?} is not shown: {}", self.said());
        }
    }

    /// Every event, as an auditor reads them.
    pub(crate) async fn events(&self) -> Vec<Value> {
        let rut = self.rut();
        // That she is there is told, too, and the feed ends at the read models.
        rut.get("/events?limit=1").await;
        self.shows_all().await;
        let mut events = Vec::new();
        loop {
            let path = format!("/events?limit=1000&offset={}", events.len());
            let answer = rut.get(&path).await;
            let status = answer.status();
            let body: Value = answer.json().await.unwrap();
            assert!(status.is_success(), "{path}: {status}: {body}; {}", self.said());
            let more = body["events"].as_array().unwrap().clone();
            if more.is_empty() {
                return events;
            }
            events.extend(more);
        }
    }
}

/// Somebody who uses the API.
#[derive(Clone)]
pub(crate) struct User<'a> {
    program: &'a Program,
    pub(crate) token: String,
}

impl User<'_> {
    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/api/v1{path}", self.program.url);
        self.program.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(reqwest::Method::GET, path).send().await.unwrap()
    }

    /// Files a case about the economy under a key.
    pub(crate) async fn try_create(&self, key: &str, files: &[String]) -> reqwest::Result<Response> {
        let body = json!({
            "employer": EXEMPELVERKET, "area": "ekonomi", "subject": "En faktura", "message": "Vem betalar?",
            "attachments": files,
        });
        self.request(reqwest::Method::POST, "/cases").header("idempotency-key", key).json(&body).send().await
    }

    pub(crate) async fn try_change(
        &self,
        case: &Value,
        what: &str,
        body: &Value,
    ) -> reqwest::Result<Response> {
        let path = format!("/cases/{}/{what}", case["id"].as_str().unwrap());
        let version = case["version"].to_string();
        self.request(reqwest::Method::POST, &path).header("if-match", version).json(body).send().await
    }

    pub(crate) async fn try_upload(&self, content: &[u8]) -> reqwest::Result<Response> {
        let form = Form::new().part("file", Part::bytes(content.to_vec()).file_name("faktura.pdf"));
        self.request(reqwest::Method::POST, "/uploads").multipart(form).send().await
    }
}

/// What was acknowledged: of each case its id and its newest version.
#[derive(Clone, Debug, Default)]
pub(crate) struct Acknowledged {
    pub(crate) cases: BTreeMap<String, u64>,
    /// The position of the last.
    pub(crate) position: u64,
    pub(crate) commands: usize,
}

impl Acknowledged {
    /// Remembers an answer; anything but a success was not acknowledged. Gives the outcome.
    pub(crate) async fn note(
        &mut self,
        answer: reqwest::Result<Response>,
    ) -> Result<Value, (StatusCode, Value)> {
        let answer = answer.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        if !status.is_success() {
            return Err((status, body));
        }
        let version = body["version"].as_u64().unwrap();
        self.cases.insert(body["id"].as_str().unwrap().to_owned(), version);
        self.position = self.position.max(body["position"].as_u64().unwrap());
        self.commands += 1;
        Ok(body)
    }

    /// The log holds all of it, once, and nothing in it is out of order.
    pub(crate) async fn is_in(&self, program: &Program) {
        let events = program.events().await;
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        let mut numbers: Vec<String> = Vec::new();
        for (event, position) in events.iter().zip(1_u64..) {
            assert_eq!(event["position"].as_u64(), Some(position), "positions are dense");
            let version = versions.entry(event["streamId"].as_str().unwrap().to_owned()).or_default();
            *version += 1;
            assert_eq!(event["version"].as_u64(), Some(*version), "versions are dense");
            numbers.extend(event["facts"]["caseNumber"].as_str().map(str::to_owned));
        }
        assert!(
            events.len() as u64 >= self.position,
            "{} events, {} acknowledged",
            events.len(),
            self.position
        );
        for (case, version) in &self.cases {
            assert!(
                versions.get(case).is_some_and(|found| found >= version),
                "case {case} version {version}"
            );
        }
        let count = numbers.len();
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), count, "a number is used twice");
    }
}

/// A case with a file, taken and answered, and one that stands open.
pub(crate) async fn live(program: &Program, known: &mut Acknowledged) {
    let (anna, olle) = (program.anna(), program.olle());
    let upload: Value = anna.try_upload(PDF).await.unwrap().json().await.unwrap();
    let file = upload["uploadId"].as_str().unwrap().to_owned();
    let case = known.note(anna.try_create(&new_key(), &[file]).await).await.unwrap();
    let case = known.note(olle.try_change(&case, "start-processing", &json!({})).await).await.unwrap();
    known.note(olle.try_change(&case, "close", &json!({"answer": "Ni gör det."})).await).await.unwrap();
    known.note(anna.try_create(&new_key(), &[]).await).await.unwrap();
}

/// Logs in as one of the demo's persons. Gives the cookies.
pub(crate) async fn log_in(program: &Program, person: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let sent = client.post(format!("{}/logga-in", program.url)).header("origin", &program.url);
    let answer = sent.form(&[("person", person), ("till", "/")]).send().await.unwrap();
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookies: Vec<_> = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    assert!(!cookies.is_empty(), "{}", answer.status());
    cookies.join("; ")
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// The read models in a folder.
pub(crate) fn read_models(data: &Path) -> PathBuf {
    data.join(projections::read_models::file_name(projections::ALL))
}
