//! The application as its callers meet it: the real program on a folder of its own, with a fixed clock and a real
//! socket, and callers of each role who speak the domain.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use api::content::first_catalogue;
use api::demo::employers::EMPLOYERS;
use api::{App, Config, server};
use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::{Area, OrganisationNumber, StreamId};
use infrastructure::Clock;
use infrastructure::committer::{Append, Expected};
use infrastructure::tokens::Identity;
use infrastructure::upkeep::CLEANED;
use reqwest::header::{self, HeaderMap, HeaderName};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Uses every area.
pub(crate) const EXEMPELVERKET: &str = "4021000007";
/// Another employer that uses every area.
pub(crate) const PROVMYNDIGHETEN: &str = "4021010006";
/// Uses no payroll.
pub(crate) const TESTBYRAN: &str = "4021040003";

/// The smallest file that is taken for a PDF.
pub(crate) const PDF: &[u8] = b"%PDF-1.7\n% an invented document\n%%EOF\n";

static KEYS: AtomicUsize = AtomicUsize::new(1);

/// A key that no other request uses.
pub(crate) fn new_key() -> String {
    format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed))
}

/// Waits for a condition, within reason.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it does not come to hold");
}

/// The moment at which every test begins: a Monday morning in Sweden.
pub(crate) fn monday() -> DateTime<Utc> {
    "2026-11-23T08:36:08Z".parse().unwrap()
}

/// The application under test. When it is dropped, nothing may be left undone.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    /// Where it is reached, without a slash at the end.
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    folder: Option<TempDir>,
    serving: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// The last position that any caller was told of.
    told: AtomicU64,
    /// Files that a test leaves staged on purpose.
    staged: AtomicUsize,
    /// Method, path and status of every answer of the API.
    answers: Mutex<BTreeSet<(String, String, u16)>>,
}

impl TestApp {
    /// Starts it on an empty folder, with the employers of the demo registered.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// As [`TestApp::start`], with other settings.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").await.unwrap(), change).await
    }

    /// As [`TestApp::start_with`], where it was said before that it would listen.
    pub(crate) async fn start_at(listener: TcpListener, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data: folder.path().to_path_buf(), ..Config::default() };
        // The clock stands still, and so no quota would grow again.
        config.limits.enabled = Some(false);
        change(&mut config);
        let started = Self::on(folder, config, Clock::fixed(monday()), listener).await;
        for employer in EMPLOYERS.iter() {
            let append = Append {
                stream: StreamId::of_employer(employer.number),
                actor: started.app.keys.login("test"),
                employer: Some(employer.number),
                event: employer.registered(first_catalogue()),
                expected: Expected::New,
                upkeep: None,
            };
            let position = started.app.committer.append(append).await.unwrap();
            started.app.shown_position(position).await.unwrap();
        }
        started
    }

    async fn on(folder: TempDir, config: Config, clock: Clock, listener: TcpListener) -> Self {
        let app = App::start(config, clock.clone()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = app.clone();
        let serving = tokio::spawn(async move {
            let shutdown = async move { drop(stopped.await) };
            server::serve(served, listener, shutdown).await.unwrap();
        });
        Self {
            app,
            clock,
            url,
            client: reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap(),
            folder: Some(folder),
            serving: Some((stop, serving)),
            told: AtomicU64::new(0),
            staged: AtomicUsize::new(0),
            answers: Mutex::default(),
        }
    }

    /// Stops the program and starts it again on the same folder.
    pub(crate) async fn restart(mut self) -> Self {
        let folder = self.folder.take().unwrap();
        let (config, clock) = (self.app.config.clone(), self.clock.clone());
        let (stop, serving) = self.serving.take().unwrap();
        // Idle connections would keep the server waiting.
        self.client = reqwest::Client::new();
        stop.send(()).unwrap();
        serving.await.unwrap();
        let app = self.app.clone();
        drop(self);
        app.close().await;
        Self::on(folder, config, clock, TcpListener::bind("127.0.0.1:0").await.unwrap()).await
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.as_ref().unwrap().path()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.clock.set(self.clock.now() + time);
    }

    /// The position of the last event.
    pub(crate) async fn head(&self) -> u64 {
        self.app.log.head().await.unwrap().position
    }

    /// The test leaves so many files staged on purpose.
    pub(crate) fn leaves_staged(&self, files: usize) {
        self.staged.store(files, Ordering::Relaxed);
    }

    /// How many files are staged now.
    pub(crate) fn staged(&self) -> usize {
        let file = self.folder().join("log.db");
        // A log in a database is looked at by other tests.
        if !file.exists() {
            return 0;
        }
        let log = rusqlite::Connection::open(file).unwrap();
        log.query_row("SELECT count(*) FROM upload", [], |row| row.get::<_, u32>(0)).unwrap() as usize
    }

    /// How many objects the file store holds.
    pub(crate) fn objects(&self) -> usize {
        std::fs::read_dir(self.folder().join("files")).unwrap().count()
    }

    /// An employee of Exempelverket.
    pub(crate) fn employee(&self, login: &str) -> TestCaller<'_> {
        self.employee_of(login, EXEMPELVERKET)
    }

    /// An employee of an employer.
    pub(crate) fn employee_of(&self, login: &str, employer: &str) -> TestCaller<'_> {
        let mut identity = identity(login, Role::Employee);
        identity.employers = Some(vec![OrganisationNumber::parse(employer).unwrap()]);
        self.caller(identity)
    }

    /// An officer of all areas.
    pub(crate) fn officer(&self, login: &str) -> TestCaller<'_> {
        self.caller(identity(login, Role::Officer))
    }

    /// An officer of some areas.
    pub(crate) fn officer_of(&self, login: &str, areas: &[Area]) -> TestCaller<'_> {
        self.caller(Identity { areas: Some(areas.to_vec()), ..identity(login, Role::Officer) })
    }

    /// An auditor.
    pub(crate) fn auditor(&self) -> TestCaller<'_> {
        self.caller(identity("rut", Role::Auditor))
    }

    /// A system that acts for Exempelverket.
    pub(crate) fn system(&self, name: &str) -> TestCaller<'_> {
        let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
        self.caller(Identity { name: None, email: None, employers, ..identity(name, Role::System) })
    }

    /// Cleans until what has expired by now is gone; gives how many staged files that were.
    pub(crate) async fn clean(&self) -> anyhow::Result<usize> {
        let mut files = 0;
        loop {
            files += self.app.clean_uploads().await?;
            if self.app.log.meta(CLEANED).await? == Some(self.clock.now().to_rfc3339()) {
                return Ok(files);
            }
        }
    }

    /// A case that an officer has registered for a login, by what was told of it for an employer; everybody sees it.
    pub(crate) async fn told_of(&self, login: &str, name: &str, employer: &str) -> Done {
        let rita = self.officer("rita");
        let mut body = rita.body("Telefon");
        body["employer"] = json!(employer);
        body["reporter"] = json!({"subject": login, "name": name, "email": "told@example.com"});
        let case = rita.create(&body).await;
        rita.read(&case.id).await;
        case
    }

    /// Somebody without a token.
    pub(crate) fn nobody(&self) -> TestCaller<'_> {
        TestCaller { app: self, identity: None, token: None }
    }

    /// A caller of an identity, with a token that lasts an hour.
    pub(crate) fn caller(&self, identity: Identity) -> TestCaller<'_> {
        let token = self.app.tokens.issue(&identity, self.clock.now(), TimeDelta::hours(1)).unwrap();
        TestCaller { app: self, identity: Some(identity), token: Some(token) }
    }

    pub(crate) fn is_left_undone(&self) -> Option<String> {
        if let Some(stopped) = self.app.stopped() {
            return Some(format!("the read models have stopped: {}", stopped.reason));
        }
        if self.folder.is_some() && self.staged() != self.staged.load(Ordering::Relaxed) {
            return Some(format!("{} files are staged", self.staged()));
        }
        let answers = self.answers.lock().unwrap();
        answers.iter().find_map(|(method, path, status)| undocumented(method, path, *status))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some((_, serving)) = self.serving.take() {
            serving.abort();
        }
        if !std::thread::panicking() {
            assert_eq!(self.is_left_undone(), None);
        }
    }
}

/// The identity of a person whose name and address follow from the login.
pub(crate) fn identity(login: &str, role: Role) -> Identity {
    Identity {
        subject: login.to_owned(),
        role,
        name: Some(format!("{} Provsson", capital(login))),
        email: Some(format!("{login}@exempelverket.example")),
        employers: None,
        areas: None,
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What is wrong when an operation answers with a status that its description does not name.
fn undocumented(method: &str, path: &str, status: u16) -> Option<String> {
    let document = api::v1::openapi();
    let (template, item) = document.paths.paths.iter().find(|(template, _)| fits(template, path))?;
    let operation = match method {
        "GET" | "HEAD" => item.get.as_ref(),
        "POST" => item.post.as_ref(),
        _ => None,
    }?;
    let known = operation.responses.responses.contains_key(&status.to_string());
    (!known).then(|| format!("{method} {template} answered {status}, which is not documented"))
}

/// Whether a path is one of a template's.
pub(crate) fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template.iter().zip(&path).all(|(part, found)| part.starts_with('{') || part == found)
}

/// A caller of the API.
#[derive(Clone)]
pub(crate) struct TestCaller<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) identity: Option<Identity>,
    pub(crate) token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) id: String,
    pub(crate) number: String,
    pub(crate) version: u64,
    pub(crate) status: String,
    pub(crate) position: u64,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem, after checking that it is one of `status`.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let body = self.json();
        assert_eq!(body["status"], status);
        for member in ["title", "detail", "instance"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {text}");
        }
        body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_owned()
    }

    /// The refused fields, `pointer code`, of a problem of status 422.
    #[track_caller]
    pub(crate) fn fields(&self) -> Vec<String> {
        assert_eq!(self.problem(422), "validation");
        let body = self.json();
        let errors = body["errors"].as_array().unwrap().iter();
        let field = |error: &Value| {
            assert!(!error["detail"].as_str().unwrap().is_empty());
            format!("{} {}", error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap())
        };
        errors.map(field).collect()
    }

    /// The outcome of an accepted command.
    #[track_caller]
    pub(crate) fn done(&self) -> Done {
        assert!(self.status.is_success(), "{} {}", self.status, String::from_utf8_lossy(&self.bytes));
        let body = self.json();
        assert_eq!(self.header("etag"), format!("\"{}\"", body["version"]));
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        Done {
            id: text("id"),
            number: text("caseNumber"),
            version: body["version"].as_u64().unwrap(),
            status: text("status"),
            position: body["position"].as_u64().unwrap(),
        }
    }

    /// The body of an answer of 200.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

/// A request on its way.
pub(crate) struct Asking<'a> {
    app: &'a TestApp,
    method: Method,
    path: String,
    waits: bool,
    request: reqwest::RequestBuilder,
}

impl Asking<'_> {
    /// Does not wait for what other callers were told of.
    pub(crate) fn at_once(mut self) -> Self {
        self.waits = false;
        self
    }

    /// A header; those that are already there stay.
    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = header::HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.request = self.request.header(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.with("idempotency-key", key)
    }

    pub(crate) fn version(self, version: u64) -> Self {
        self.with("if-match", format!("\"{version}\""))
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    pub(crate) fn body(mut self, media_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header(header::CONTENT_TYPE, media_type).body(body);
        self
    }

    pub(crate) fn files(mut self, files: &[(&str, &[u8])]) -> Self {
        let form = files.iter().fold(Form::new(), |form, (name, content)| {
            form.part("file", Part::bytes(content.to_vec()).file_name((*name).to_owned()))
        });
        self.request = self.request.multipart(form);
        self
    }

    /// Sends it and reads the answer. A query waits for what any caller was told of before.
    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.unwrap()
    }

    /// The answer as it comes.
    pub(crate) async fn raw(self) -> reqwest::Response {
        self.request.send().await.unwrap()
    }

    /// As [`Asking::send`], where the connection may break.
    pub(crate) async fn try_send(mut self) -> Result<Answer, reqwest::Error> {
        let told = self.app.told.load(Ordering::Relaxed);
        if self.waits && self.method == Method::GET && told > 0 {
            self.request = self.request.header("read-after", told);
        }
        let answer = self.request.send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await?.to_vec();
        let path = self.path.split('?').next().unwrap_or_default();
        if let Some(path) = path.strip_prefix("/api/v1") {
            let seen = (self.method.to_string(), path.to_owned(), status.as_u16());
            self.app.answers.lock().unwrap().insert(seen);
        }
        if self.method == Method::POST && status.is_success() {
            let outcome: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            self.app.told.fetch_max(outcome["position"].as_u64().unwrap_or_default(), Ordering::Relaxed);
        }
        Ok(Answer { status, headers, bytes })
    }
}

impl<'a> TestCaller<'a> {
    /// A request to a path of the whole web.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Asking<'a> {
        let mut request = self.app.client.request(method.clone(), format!("{}{path}", self.app.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Asking { app: self.app, method, path: path.to_owned(), waits: true, request }
    }

    /// A GET of a path under `/api/v1`.
    pub(crate) fn get(&self, path: &str) -> Asking<'a> {
        self.ask(Method::GET, &format!("/api/v1{path}"))
    }

    /// A POST to a path under `/api/v1`.
    pub(crate) fn post(&self, path: &str) -> Asking<'a> {
        self.ask(Method::POST, &format!("/api/v1{path}"))
    }

    /// Creates a case of a body.
    pub(crate) async fn create(&self, body: &Value) -> Done {
        let answer = self.post("/cases").key(&new_key()).json(body).send().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answer.bytes));
        answer.done()
    }

    /// Creates a case about the economy.
    pub(crate) async fn case(&self, subject: &str) -> Done {
        self.create(&self.body(subject)).await
    }

    /// The body of a case about the economy, with a reporter where the caller needs one.
    pub(crate) fn body(&self, subject: &str) -> Value {
        let identity = self.identity.as_ref().unwrap();
        let employer = identity.employers.as_ref().map_or(EXEMPELVERKET, |employers| employers[0].as_str());
        let mut body = json!({
            "employer": employer, "area": "ekonomi", "subject": subject, "message": format!("En fråga om {subject}."),
        });
        if identity.role == Role::Officer {
            body["reporter"] = json!({"name": "Karin Kund", "email": "karin@exempelverket.example"});
        }
        body
    }

    /// A change of a case as of the version that was last told; gives the next.
    pub(crate) async fn change(&self, case: &Done, what: &str, body: &Value) -> Done {
        self.try_change(case, what, body).await.done()
    }

    /// As [`TestCaller::change`], whatever the answer.
    pub(crate) async fn try_change(&self, case: &Done, what: &str, body: &Value) -> Answer {
        self.post(&format!("/cases/{}/{what}", case.id)).version(case.version).json(body).send().await
    }

    pub(crate) async fn start_processing(&self, case: &Done) -> Done {
        self.change(case, "start-processing", &json!({})).await
    }

    pub(crate) async fn message(&self, case: &Done, text: &str) -> Done {
        self.change(case, "messages", &json!({ "text": text })).await
    }

    pub(crate) async fn close(&self, case: &Done, answer: &str) -> Done {
        self.change(case, "close", &json!({ "answer": answer })).await
    }

    /// Stages a file and gives its id.
    pub(crate) async fn upload(&self, name: &str, content: &[u8]) -> String {
        let answer = self.post("/uploads").files(&[(name, content)]).send().await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answer.bytes));
        answer.json()["uploadId"].as_str().unwrap().to_owned()
    }

    /// A case as this caller reads it.
    pub(crate) async fn read(&self, id: &str) -> Value {
        self.get(&format!("/cases/{id}")).send().await.ok()
    }

    /// The numbers of the cases in a list.
    pub(crate) async fn list(&self, query: &str) -> Vec<String> {
        let body = self.get(&format!("/cases?{query}")).send().await.ok();
        let cases = body["cases"].as_array().unwrap().iter();
        cases.map(|case| case["caseNumber"].as_str().unwrap().to_owned()).collect()
    }
}
