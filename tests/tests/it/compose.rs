//! What `docker-compose.yml` says, run natively: the commands, the settings and the proxy's file are the very ones that the
//! containers get; only names of hosts, ports and folders are those of this machine.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use cluster::Cluster;
use domain::OrganisationNumber;
use domain::access::Role;
use futures::future::join_all;
use infrastructure::tokens::{Identity, Tokens};
use infrastructure::{Clock, Keys};
use objects::Objects;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use serde_norway::Value as Yaml;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::mail::server::{Mailbox, Server};
use crate::program::{PATIENCE, binary};
use crate::support::{EXEMPELVERKET, PDF, identity, new_key};

/// How many file cases while a node stops.
const WRITERS: usize = 8;
/// What each has filed at least before, and files at least after.
const EACH: usize = 5;
/// How often something is looked at.
const LOOK: Duration = Duration::from_millis(20);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn text(value: &Yaml) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The file, with what it merges in its place.
fn compose() -> Yaml {
    let file = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let mut file: Yaml = serde_norway::from_str(&file).unwrap();
    file.apply_merge().unwrap();
    file
}

/// A process of ours; killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Tells it to stop; gives how long it took.
    async fn stop(&mut self) -> Duration {
        let asked = Instant::now();
        let sent = Command::new("kill").args(["-s", "TERM", &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return asked.elapsed();
            }
            assert!(asked.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Ports that are free, each another.
fn ports<const N: usize>() -> [u16; N] {
    let all: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    all.map(|listener| listener.local_addr().unwrap().port())
}

/// Everything that the file names, on this machine.
struct Town {
    compose: Yaml,
    folder: TempDir,
    cluster: Cluster,
    objects: Objects,
    mailbox: Mailbox,
    mail: Server,
    /// Of the proxy and the two nodes.
    ports: [u16; 3],
    client: reqwest::Client,
}

impl Town {
    fn new() -> Self {
        let compose = compose();
        let cluster = Cluster::start(&["fsync=off", "full_page_writes=off"]).unwrap();
        let database = &compose["services"]["database"]["environment"];
        let [user, password, name] =
            ["USER", "PASSWORD", "DB"].map(|setting| text(&database[format!("POSTGRES_{setting}").as_str()]));
        cluster
            .sql("postgres", &format!("CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'"))
            .unwrap();
        cluster.sql("postgres", &format!("CREATE DATABASE {name} OWNER {user}")).unwrap();
        let storage = &compose["services"]["objects"]["environment"];
        let [key, secret] =
            ["USER", "PASSWORD"].map(|setting| text(&storage[format!("MINIO_ROOT_{setting}").as_str()]));
        let objects = Objects::process_for(Path::new(binary()), (&key, &secret)).unwrap();
        let mailbox = Mailbox::new();
        let mail = mailbox.serve(0, None);
        let client = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        Self { compose, folder, cluster, objects, mailbox, mail, ports: ports(), client }
    }

    /// A setting with the names of this machine in place of the containers'.
    fn here(&self, name: &str, value: &str) -> String {
        let local = |port: u16| format!("127.0.0.1:{port}");
        match name {
            "KUNDWEBB_LOG" => value.replace("@database/", &format!("@{}/", local(self.cluster.port()))),
            "KUNDWEBB_PUBLIC_URL" => value.replace("127.0.0.1:8080", &local(self.ports[0])),
            "KUNDWEBB_KEYS" => value.replace("/keys", self.folder.path().join("keys").to_str().unwrap()),
            "KUNDWEBB_MAIL__HOST" => value.replace("mail", "127.0.0.1"),
            "KUNDWEBB_MAIL__PORT" => value.replace("1025", &self.mail.port.to_string()),
            "AWS_ENDPOINT_URL" => value.replace("http://objects:9000", &self.objects.endpoint()),
            _ => value.to_owned(),
        }
    }

    /// Starts a node as its service is described.
    fn start(&self, node: usize) -> Process {
        let service = &self.compose["services"][format!("node{node}").as_str()];
        let settings: BTreeMap<String, String> = service["environment"]
            .as_mapping()
            .expect("settings")
            .iter()
            .map(|(name, value)| (text(name), self.here(&text(name), &text(value))))
            .collect();
        for name in ["KUNDWEBB_LOG", "KUNDWEBB_KEYS", "KUNDWEBB_MAIL__HOST", "AWS_ENDPOINT_URL"] {
            let there = text(&service["environment"][name]);
            assert_ne!(settings[name], there, "{name} is not what this test knows how to put here");
        }
        let listen = format!("0.0.0.0:{}", self.ports[node]);
        let arguments = service["command"].as_sequence().expect("a command").iter().map(text);
        let mut command = Command::new(binary());
        // The image's entry point names the folder.
        command.arg("--data").arg(self.folder.path().join(format!("node{node}")));
        command.args(arguments.map(|argument| argument.replace("0.0.0.0:8080", &listen))).envs(settings);
        let log = fs::File::create(self.folder.path().join(format!("node{node}.log"))).unwrap();
        Process::start(command.stderr(log))
    }

    /// Waits until a node, or the proxy (0), says that it is ready: what the image's health check asks.
    async fn until_ready(&self, place: usize) {
        let until = Instant::now() + 2 * PATIENCE;
        loop {
            let asked =
                self.client.get(format!("http://127.0.0.1:{}/readyz", self.ports[place])).send().await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let said = || fs::read_to_string(self.folder.path().join(format!("node{place}.log")));
            assert!(Instant::now() < until, "{place} does not get ready: {}", said().unwrap_or_default());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The proxy with its own file.
    fn proxy(&self) -> Process {
        let file = fs::read_to_string(root().join("deploy/compose/haproxy.cfg")).unwrap();
        let local = |place: usize| format!("127.0.0.1:{}", self.ports[place]);
        // So many connections need more files than a plain user of this machine may have open.
        assert_eq!(file.matches("maxconn 20000").count(), 1);
        let mut here = file.replace("maxconn 20000", "maxconn 1000");
        for (there, place) in [("bind :8080", 0), ("node1:8080", 1), ("node2:8080", 2)] {
            assert_eq!(file.matches(there).count(), 1, "{there}");
            let name = if place == 0 { "bind " } else { "" };
            here = here.replace(there, &format!("{name}{}", local(place)));
        }
        let path = self.folder.path().join("haproxy.cfg");
        fs::write(&path, here).unwrap();
        // Debian has it where the path of a plain user does not lead.
        let debian = Path::new("/usr/sbin/haproxy");
        let program = if debian.exists() { debian } else { Path::new("haproxy") };
        let checked = Command::new(program).arg("-c").arg("-f").arg(&path).output();
        let checked = checked.expect("HAProxy is missing: install it (Debian: apt-get install haproxy)");
        assert!(checked.status.success(), "{}", crate::program::words(&checked));
        let log = fs::File::create(self.folder.path().join("node0.log")).unwrap();
        Process::start(Command::new(program).arg("-db").arg("-f").arg(&path).stderr(log))
    }

    fn token(&self, who: &Identity) -> String {
        let tokens = Tokens::new(&Keys::open(&self.folder.path().join("keys"), false).unwrap()).unwrap();
        tokens.issue(who, Clock::System.now(), TimeDelta::hours(1)).unwrap()
    }

    /// Of somebody who asks through the proxy.
    fn request(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, format!("http://127.0.0.1:{}/api/v1{path}", self.ports[0]))
            .bearer_auth(token)
    }

    fn file(&self, token: &str, key: &str, files: &[String]) -> RequestBuilder {
        let body = json!({
            "employer": EXEMPELVERKET, "area": "ekonomi", "subject": "En faktura", "message": "Vem betalar?",
            "attachments": files,
        });
        self.request(token, Method::POST, "/cases").header("idempotency-key", key).json(&body)
    }

    /// Files a case with a file. Gives its id and where it stands in the log.
    async fn case_with_file(&self, token: &str) -> (String, u64) {
        let form = Form::new().part("file", Part::bytes(PDF).file_name("faktura.pdf"));
        let sent = self.request(token, Method::POST, "/uploads").multipart(form).send().await.unwrap();
        let upload: Value = sent.error_for_status().unwrap().json().await.unwrap();
        let files = [upload["uploadId"].as_str().unwrap().to_owned()];
        let sent = self.file(token, &new_key(), &files).send().await.unwrap();
        let case: Value = sent.error_for_status().unwrap().json().await.unwrap();
        (case["id"].as_str().unwrap().to_owned(), case["position"].as_u64().unwrap())
    }

    /// The case and its file are read, wherever the proxy leads.
    async fn reads(&self, token: &str, (case, position): &(String, u64)) {
        let path = format!("/cases/{case}");
        // The other node has seen it then.
        let asked = self.request(token, Method::GET, &path).header("read-after", *position);
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let shown: Value = answer.json().await.unwrap();
        let file = shown["attachments"][0]["attachmentId"].as_str().unwrap();
        let file =
            self.request(token, Method::GET, &format!("{path}/attachments/{file}")).send().await.unwrap();
        assert_eq!(file.status(), StatusCode::OK);
        assert_eq!(file.bytes().await.unwrap(), PDF);
    }

    /// Files cases until it is told to stop. Gives those that were acknowledged, and what else was answered.
    async fn write(
        &self,
        token: &str,
        filed: &tokio::sync::Semaphore,
        stop: &AtomicBool,
    ) -> (Vec<String>, Vec<String>) {
        let (mut cases, mut refused, mut after) = (Vec::new(), Vec::new(), 0);
        while after < EACH {
            after += usize::from(stop.load(Ordering::Acquire));
            match self.file(token, &new_key(), &[]).send().await {
                Ok(answer) if answer.status().is_success() => {
                    let case: Value = answer.json().await.unwrap();
                    cases.push(case["id"].as_str().unwrap().to_owned());
                    filed.add_permits(1);
                }
                Ok(answer) => refused.push(answer.status().to_string()),
                Err(error) => refused.push(error.to_string()),
            }
        }
        (cases, refused)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_compose_file_s_nodes_behind_its_proxy_lose_nothing_when_one_is_killed_or_stopped() {
    let town = Arc::new(tokio::task::spawn_blocking(Town::new).await.unwrap());
    let mut one = town.start(1);
    // As the file says, the second waits until the first is well.
    town.until_ready(1).await;
    let mut two = town.start(2);
    let _proxy = town.proxy();
    town.until_ready(2).await;
    town.until_ready(0).await;
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let anna = town.token(&Identity { employers, ..identity("anna", Role::Employee) });
    let case = town.case_with_file(&anna).await;
    for place in ["node1", "node2"] {
        assert!(!town.folder.path().join(place).join("files").exists(), "files lie in the storage");
    }
    assert_eq!(
        town.objects
            .objects()
            .unwrap()
            .iter()
            .filter(|path| path.to_string_lossy().contains("/files/"))
            .count(),
        town.objects.objects().unwrap().len()
    );

    one.kill();
    town.reads(&anna, &case).await;
    let other = town.case_with_file(&anna).await;
    let mut one = town.start(1);
    town.until_ready(1).await;

    let (filed, stop) = (tokio::sync::Semaphore::new(0), AtomicBool::new(false));
    let stopping = async {
        filed.acquire_many(u32::try_from(WRITERS * EACH).unwrap()).await.unwrap().forget();
        let took = two.stop().await;
        stop.store(true, Ordering::Release);
        took
    };
    let (took, written) =
        tokio::join!(stopping, join_all((0..WRITERS).map(|_| town.write(&anna, &filed, &stop))));
    let grace = text(&town.compose["services"]["node2"]["stop_grace_period"]);
    let grace: u64 = grace.strip_suffix('s').unwrap().parse().unwrap();
    assert!(took.as_secs() < grace, "the stop took {took:?}, docker waits {grace} s");
    let refused: Vec<_> = written.iter().flat_map(|(_, refused)| refused).collect();
    assert_eq!(refused, Vec::<&String>::new(), "what was under way is finished, the rest goes to the other");
    for id in written.iter().flat_map(|(cases, _)| cases).chain([&case.0, &other.0]) {
        let answer = town.request(&anna, Method::GET, &format!("/cases/{id}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{id}");
    }
    town.reads(&anna, &case).await;
    town.reads(&anna, &other).await;
    let until = Instant::now() + PATIENCE;
    while town.mailbox.received().is_empty() {
        assert!(Instant::now() < until, "no mail has left");
        tokio::time::sleep(LOOK).await;
    }
    one.stop().await;
}

/// Where Docker has Compose, it reads the file, too; elsewhere it is not asked.
#[test]
fn compose_itself_understands_the_file_where_it_is_there() {
    let docker = |arguments: &[&str]| Command::new("docker").args(arguments).current_dir(root()).output();
    if !docker(&["compose", "version"]).is_ok_and(|output| output.status.success()) {
        println!("docker compose is not there: it was not asked what it makes of docker-compose.yml");
        return;
    }
    let output = docker(&["compose", "config", "--quiet"]).unwrap();
    assert!(output.status.success(), "{}", crate::program::words(&output));
}

/// What the file promises beside its settings.
#[test]
fn containers_of_nodes_write_nothing_but_their_folders() {
    let compose = compose();
    for node in ["node1", "node2"] {
        let service = &compose["services"][node];
        assert_eq!(service["read_only"], Yaml::Bool(true), "{node}");
        assert_eq!(service["cap_drop"], Yaml::from(vec!["ALL"]), "{node}");
        let volumes: Vec<_> = service["volumes"].as_sequence().unwrap().iter().map(text).collect();
        assert_eq!(volumes, [format!("{node}:/data"), "keys:/keys".to_owned()]);
    }
}
