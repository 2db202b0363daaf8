//! A node of the real program and its database: what `kundwebb check` demands of it, a PgBouncer before it, and what goes
//! on while it is away.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use cluster::{Bouncer, Cluster};
use futures::future::join_all;
use infrastructure::log::place::Place;
use reqwest::multipart::Form;
use reqwest::{Response, StatusCode};
use tests::nodes::line::Line;
use tokio::time::Instant;

use crate::program::{Acknowledged, Program, Start, binary, live, log_in, words};
use crate::support::new_key;
use crate::tokens::{does, status, system, until_refused};

/// How long a page may take while the database does not answer.
const PAGE: Duration = Duration::from_secs(5);
/// How long anybody may wait for a database that says nothing.
const SILENCE: Duration = Duration::from_secs(20);

async fn at_the_side<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// A server of one's own, which may be stopped, with the address of a database.
async fn own_cluster() -> (Cluster, String) {
    at_the_side(|| {
        let cluster = Cluster::start(&["fsync=off", "full_page_writes=off"]).unwrap();
        let url = cluster.database().unwrap();
        (cluster, url)
    })
    .await
}

async fn node(data: &Path, url: &str) -> Program {
    let variables = [("KUNDWEBB_LOG", url)];
    Program::start_with(data, &Start { variables: &variables, ..Start::default() }).await
}

fn check(data: &Path, url: &str, single: bool) -> Output {
    let single = if single { "true" } else { "false" };
    let variables = [("KUNDWEBB_LOG", url), ("KUNDWEBB_SINGLE_DATABASE", single)];
    Command::new(binary()).args(["check", "--data"]).arg(data).envs(variables).output().unwrap()
}

/// Of all that is checked just the database is wrong, for this reason.
#[track_caller]
fn fails(output: &Output, why: &str) {
    let said = words(output);
    let faults: Vec<_> = said.lines().filter(|line| line.starts_with("FAIL")).collect();
    assert!(faults.len() == 1 && faults[0].starts_with("FAIL  database: "), "{said}");
    assert!(faults[0].contains(why), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[track_caller]
fn is_well(output: &Output, words_of_it: &str) {
    let said = words(output);
    assert!(output.status.success() && said.contains(&format!("ok    database: {words_of_it}")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_demands_a_database_that_keeps_what_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, url) = at_the_side(|| {
        let cluster = Cluster::start(&[]).unwrap();
        let url = cluster.database().unwrap();
        (cluster, url)
    })
    .await;
    let data = folder.path().join("data");
    let _node = node(&data, &url).await;
    at_the_side(move || {
        fails(&check(&data, &url, false), "synchronous_standby_names is empty");
        is_well(&check(&data, &url, true), "one server alone, as single_database says");
        let standby = cluster.standby("second", &[]).unwrap();
        cluster.wait_for("second").unwrap();
        is_well(&check(&data, &url, false), "every commit is on the disks of this server and of second");
        let database = url.rsplit('/').next().unwrap();
        let weak = |value: &str| {
            let sql = format!("ALTER DATABASE {database} {value}");
            cluster.sql("postgres", &sql).unwrap();
        };
        weak("SET synchronous_commit = local");
        fails(&check(&data, &url, false), "synchronous_commit is local");
        weak("RESET synchronous_commit");
        standby.end("INT").unwrap();
        fails(&check(&data, &url, false), "no standby of synchronous_standby_names (second) follows");
        // Where the log lies in a database, nothing is said of a file, nor that an address is damaged.
        let said = words(&check(&data, "postgres://nobody@127.0.0.1:9/none", true));
        assert!(said.contains("look whether the database runs"), "{said}");
        assert!(!said.contains("log.db") && !said.contains("kundwebb restore"), "{said}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_works_through_pgbouncer_in_session_mode_and_check_finds_transaction_mode() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, database, session, transaction) = at_the_side(|| {
        let cluster = Cluster::shared().unwrap();
        let database = cluster.database().unwrap().rsplit('/').next().unwrap().to_owned();
        let [session, transaction] =
            ["session", "transaction"].map(|mode| Bouncer::start(&cluster, mode).unwrap());
        (cluster, database, session, transaction)
    })
    .await;
    let data = folder.path().join("data");
    let node = node(&data, &session.url(&database)).await;
    let mut known = Acknowledged::default();
    live(&node, &mut known).await;
    known.is_in(&node).await;
    at_the_side(move || {
        // The cluster of the tests commits as it likes; connections are checked before.
        fails(&check(&data, &session.url(&database), true), "synchronous_commit is off");
        let said = words(&check(&data, &transaction.url(&database), true));
        let fault = said.lines().find(|line| line.starts_with("FAIL  database: ")).unwrap_or_default();
        assert!(fault.contains("pool_mode = session"), "{said}");
        drop(cluster);
    })
    .await;
}

/// A browser in which somebody is logged in.
struct Browser<'a> {
    node: &'a Program,
    client: reqwest::Client,
    cookies: String,
}

impl<'a> Browser<'a> {
    async fn new(node: &'a Program, person: &str) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { node, client, cookies: log_in(node, person).await }
    }

    /// A page, in time.
    async fn page(&self, path: &str) -> String {
        let asked = Instant::now();
        let sent = self.client.get(format!("{}{path}", self.node.url)).header("cookie", &self.cookies);
        let answer = sent.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert_eq!(status, 200, "{path}: {text}");
        assert!(asked.elapsed() < PAGE, "{path} took {:?}", asked.elapsed());
        text
    }

    async fn send(&self, form: &str, subject: &str) -> Response {
        let fields = [("form", form), ("action", "send"), ("area", "ekonomi"), ("subject", subject)];
        let form = fields.into_iter().chain([("message", "Vem betalar?")]);
        let form = form.fold(Form::new(), |form, (name, value)| form.text(name, value.to_owned()));
        let sent = self.client.post(format!("{}/skapa-arende", self.node.url));
        let sent = sent.header("origin", &self.node.url).header("cookie", &self.cookies);
        sent.multipart(form).send().await.unwrap()
    }
}

fn key_of(page: &str) -> String {
    let key = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    key.expect("the page has a form").to_owned()
}

/// What is shown lies at the node; who is logged in, it has seen.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_pages_are_read_and_a_form_keeps_what_was_typed() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, url) = own_cluster().await;
    let node = node(&folder.path().join("data"), &url).await;
    let anna = Browser::new(&node, "anna.exempel").await;
    let form = key_of(&anna.page("/skapa-arende").await);
    let sent = anna.send(&form, "En faktura från förr").await;
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let case = sent.headers()["location"].to_str().unwrap().trim_end_matches("/mottaget").to_owned();
    for path in ["/mina-arenden", &case] {
        assert!(anna.page(path).await.contains("En faktura från förr"));
    }
    let api = node.anna();
    let mut known = Acknowledged::default();
    known.note(api.try_create(&new_key(), &[]).await).await.unwrap();
    // What is on its way to the read models when the database goes away comes when it is back.
    assert_eq!(api.get("/cases").await.status(), 200);

    let cluster = at_the_side(move || cluster.kill().map(|()| cluster).unwrap()).await;
    for path in ["/mina-arenden", &case] {
        assert!(anna.page(path).await.contains("En faktura från förr"));
    }
    let form = key_of(&anna.page("/skapa-arende").await);
    let refused = anna.send(&form, "Ett nytt ärende").await;
    assert_eq!(refused.status(), 503);
    let page = refused.text().await.unwrap();
    assert!(page.contains("Ett nytt ärende") && page.contains("Vem betalar?"), "{page}");
    assert!(page.contains("Det går inte att spara just nu"), "{page}");
    assert_eq!(api.get("/cases").await.status(), 200);
    assert_eq!(api.try_create(&new_key(), &[]).await.unwrap().status(), 503);
    // A cookie that this node has not seen is nobody's, but not told to be over.
    let strange = anna.cookies.split("; ").filter_map(|cookie| cookie.split_once('='));
    let strange: Vec<_> = strange.map(|(name, _)| format!("{name}={}", "0".repeat(64))).collect();
    let strange = strange.join("; ");
    let strange = anna.client.get(format!("{}/mina-arenden", node.url)).header("cookie", strange);
    assert_eq!(strange.send().await.unwrap().status(), 503);

    let _cluster = at_the_side(move || cluster.run().map(|()| cluster).unwrap()).await;
    node.until_ready(true).await;
    assert_eq!(anna.send(&form, "Ett nytt ärende").await.status(), StatusCode::SEE_OTHER);
    assert!(anna.page("/mina-arenden").await.contains("Ett nytt ärende"));
    known.is_in(&node).await;
}

/// Somebody who keeps the events from being read until it is dropped.
struct Locked(Child);

impl Locked {
    fn events(cluster: &Cluster, database: &str) -> Self {
        let mut psql = cluster.program("psql");
        psql.args(["-X", "-q", "-d", &cluster.url(database)]).stdin(Stdio::piped());
        let mut child = psql.spawn().unwrap();
        let lock = b"BEGIN; LOCK TABLE kundwebb.event IN ACCESS EXCLUSIVE MODE;\n";
        child.stdin.as_mut().unwrap().write_all(lock).unwrap();
        until_counted(
            cluster,
            "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                      AND relation = 'kundwebb.event'::regclass",
            database,
            "1",
        );
        Self(child)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until_counted(cluster: &Cluster, sql: &str, database: &str, count: &str) {
    let until = Instant::now() + SILENCE;
    while cluster.sql(database, sql).unwrap() != count {
        assert!(Instant::now() < until, "{sql}");
    }
}

/// A database, and a line to it that can be held, with the address through it.
async fn behind_a_line() -> (Arc<Cluster>, String, Line, String) {
    let (cluster, database) = at_the_side(|| {
        let cluster = Cluster::shared().unwrap();
        let database = cluster.database().unwrap().rsplit('/').next().unwrap().to_owned();
        (cluster, database)
    })
    .await;
    let line = Line::to(SocketAddr::from(([127, 0, 0, 1], cluster.port()))).await.unwrap();
    let through = format!("postgres://{}@127.0.0.1:{}/{database}", cluster::OWNER, line.port());
    (cluster, database, line, through)
}

/// The database has been asked and its answers get lost, as where a network is parted: those who read are told soon, and
/// what was asked over those connections is nobody else's answer.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_from_a_silent_database_is_told_in_time() {
    const READERS: usize = 5;
    let (cluster, database, line, through) = behind_a_line().await;
    let log = Place::Postgres(through).open_without_node().await.unwrap();
    let locked = {
        let (cluster, database) = (Arc::clone(&cluster), database.clone());
        at_the_side(move || Locked::events(&cluster, &database)).await
    };
    let asked = Instant::now();
    let ask = |_| {
        let log = Arc::clone(&log);
        tokio::spawn(async move { log.head().await })
    };
    let reading: Vec<_> = (0..READERS).map(ask).collect();
    let servers = Arc::clone(&cluster);
    at_the_side(move || {
        let wait = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        until_counted(&servers, wait, &database, &READERS.to_string());
    })
    .await;
    line.hold();
    drop(locked);
    let told = tokio::time::timeout(SILENCE, join_all(reading)).await.expect("they wait no longer");
    for told in told {
        let error = told.unwrap().unwrap_err().to_string();
        assert!(error.contains("the database does not answer"), "{error}");
    }
    assert!(asked.elapsed() > Duration::from_secs(5), "a slow answer is waited for");
    // Those who come then do not each find it out for themselves.
    let later = join_all((0..2 * READERS).map(ask));
    let told = tokio::time::timeout(SILENCE, later).await.expect("nor does anybody who comes later");
    assert!(told.into_iter().all(|told| told.unwrap().is_err()));
    line.resume();
    // What was found out holds for a moment.
    let back = async { while log.head().await.is_err() {} };
    tokio::time::timeout(SILENCE, back).await.expect("it is found again");
    for _ in 0..2 * READERS {
        assert_eq!(log.meta("nothing").await.unwrap(), None, "not the answer to what was asked before");
    }
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_parted_from_its_database_answers_everybody_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let (_cluster, _, line, through) = behind_a_line().await;
    let node = node(&folder.path().join("data"), &through).await;
    let mut known = Acknowledged::default();
    live(&node, &mut known).await;
    let anna = Browser::new(&node, "anna.exempel").await;
    anna.page("/mina-arenden").await;
    let rut = node.rut();
    assert_eq!(rut.get("/events").await.status(), 200);
    line.hold();
    let asked = Instant::now();
    let answers = join_all((0..20).map(|_| rut.get("/events"))).await;
    assert!(answers.iter().all(|answer| answer.status() == 503));
    assert!(asked.elapsed() < SILENCE, "{:?}", asked.elapsed());
    anna.page("/mina-arenden").await;
    line.resume();
    node.until_ready(true).await;
    known.is_in(&node).await;
}

/// What one node ends is over at another that has it in memory and cannot ask any more.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_logged_out_everywhere_is_out_at_a_node_whose_database_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, url) = own_cluster().await;
    let one = node(&folder.path().join("one"), &url).await;
    let variables = [("KUNDWEBB_LOG", url.as_str())];
    let start = Start { variables: &variables, ..Start::default() };
    let two = one.beside(&folder.path().join("two"), &start).await;
    let there = |here: &Browser<'_>| Browser {
        node: &two,
        client: here.client.clone(),
        cookies: here.cookies.clone(),
    };
    let (anna, bertil) =
        (Browser::new(&one, "anna.exempel").await, Browser::new(&one, "bertil.exempel").await);
    let (anna_there, bertil_there) = (there(&anna), there(&bertil));
    for browser in [&anna_there, &bertil_there] {
        browser.page("/mina-arenden").await;
    }
    let out = anna.client.post(format!("{}/logga-ut", one.url)).header("origin", &one.url);
    let out = out.header("cookie", &anna.cookies).form(&[("overallt", "ja")]).send().await.unwrap();
    assert!(out.status().is_success() || out.status().is_redirection(), "{}", out.status());
    // What was revoked later than that tells when the other node has heard of both.
    let token = system(&one.data, &[]).await;
    assert_eq!(status(&two, &token).await, 200);
    does(&one.data, &["token", "--revoke", &token, "--log", &url]).await;
    until_refused(&two, &token).await;

    let _cluster = at_the_side(move || cluster.kill().map(|()| cluster).unwrap()).await;
    bertil_there.page("/mina-arenden").await;
    let asked = two.client.get(format!("{}/mina-arenden", two.url)).header("cookie", &anna_there.cookies);
    assert_eq!(asked.send().await.unwrap().status(), 503);
}
