//! Sessions end when they are not used, and at the latest some hours after the login, on both engines, after a restart and
//! at another node; the pages warn before (A11Y-12), and nothing is lost.

use std::collections::BTreeSet;
use std::path::Path;

use api::app::sessions::Session;
use api::{App, Config, pages::cookies};
use chrono::TimeDelta;
use cluster::Cluster;
use domain::access::Role;
use infrastructure::Clock;
use reqwest::Method;
use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::Value;
use tokio::time::timeout;

use crate::browser::{Journey, passing};
use crate::program::PATIENCE;
use crate::support::{EXEMPELVERKET, TestApp, identity};

const MY_CASES: &str = "/mina-arenden";

/// Somebody who is logged in, by the cookie.
struct Visitor<'a> {
    app: &'a TestApp,
    cookie: String,
}

impl<'a> Visitor<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let cookie = app.app.begin_session(identity("anna", Role::Employee)).await.unwrap();
        Self { app, cookie }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let cookies = format!("{}={}; {}={EXEMPELVERKET}", cookies::SESSION, self.cookie, cookies::EMPLOYER);
        self.app.client.request(method, format!("{}{path}", self.app.url)).header(COOKIE, cookies)
    }

    async fn is_in(&self) -> bool {
        let answer = self.request(Method::GET, MY_CASES).send().await.unwrap();
        answer.status() == 200
    }

    /// What is left, as the script is told.
    async fn left(&self, method: Method) -> (i64, i64) {
        let answer = self.request(method, "/session").send().await.unwrap();
        let left: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        (left["unused"].as_i64().unwrap(), left["anyway"].as_i64().unwrap())
    }
}

/// All rows of sessions, as they are stored.
fn rows(folder: &Path) -> Vec<Vec<u8>> {
    let log = rusqlite::Connection::open(folder.join("log.db")).unwrap();
    let mut statement = log.prepare("SELECT sealed FROM session ORDER BY session_id").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// A session as a node has it, when it has been used at a time.
async fn used(app: &App, cookie: &str, at: i64) -> Session {
    let reading = async {
        loop {
            let session = app.session(cookie).await.unwrap().unwrap();
            if session.used == at {
                return session;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, reading).await.expect("the use is not kept")
}

#[tokio::test]
async fn a_login_ends_when_it_is_not_used_and_at_the_latest_some_hours_after() {
    let app = TestApp::start().await;
    let (anna, idle) = (Visitor::of(&app).await, Visitor::of(&app).await);
    for _ in 0..9 {
        app.pass(TimeDelta::minutes(50));
        assert!(anna.is_in().await);
    }
    assert!(!idle.is_in().await);
    // Seven and a half hours have passed.
    app.pass(TimeDelta::minutes(29));
    assert!(anna.is_in().await);
    assert_eq!(anna.left(Method::GET).await, (3600, 60));
    app.pass(TimeDelta::minutes(1));
    assert!(!anna.is_in().await);
    assert_eq!(anna.left(Method::GET).await, (0, 0));

    let other = Visitor::of(&app).await;
    app.pass(TimeDelta::seconds(3599));
    assert_eq!(other.left(Method::GET).await, (1, 7 * 3600 + 1));
    app.pass(TimeDelta::seconds(1));
    assert!(!other.is_in().await);
}

#[tokio::test]
async fn asking_how_long_it_lasts_is_no_use_and_going_on_is_one_but_not_for_another_site() {
    let app = TestApp::start().await;
    let anna = Visitor::of(&app).await;
    app.pass(TimeDelta::minutes(58));
    assert_eq!(anna.left(Method::GET).await.0, 120);
    let forged = anna.request(Method::POST, "/session").header("sec-fetch-site", "cross-site");
    assert_eq!(forged.send().await.unwrap().status(), 403);
    assert_eq!(anna.left(Method::GET).await.0, 120);
    assert_eq!(anna.left(Method::POST).await.0, 3600);
    app.pass(TimeDelta::minutes(58));
    assert!(anna.is_in().await);
    let nobody = app.client.get(format!("{}/session", app.url)).send().await.unwrap();
    let (kept, said) = (nobody.headers()["cache-control"].clone(), nobody.text().await.unwrap());
    assert_eq!((kept.to_str().unwrap(), said.as_str()), ("no-store", r#"{"unused":0,"anyway":0}"#));
}

#[tokio::test]
async fn its_use_is_kept_once_a_minute_and_over_a_restart() {
    let app = TestApp::start().await;
    let anna = Visitor::of(&app).await;
    let begun = rows(app.folder());
    app.pass(TimeDelta::seconds(59));
    assert!(anna.is_in().await);
    assert_eq!(anna.left(Method::POST).await.0, 3541);
    assert_eq!(rows(app.folder()), begun);
    app.pass(TimeDelta::seconds(1));
    assert_eq!(anna.left(Method::POST).await.0, 3600);
    let kept = rows(app.folder());
    assert_eq!(kept.len(), begun.len() + 1);
    for _ in 0..3 {
        assert!(anna.is_in().await);
        assert_eq!(anna.left(Method::POST).await.0, 3600);
    }
    assert_eq!(rows(app.folder()), kept);

    app.pass(TimeDelta::minutes(59));
    let cookie = anna.cookie.clone();
    // A visit is kept too, though its answer does not wait for it.
    assert!(anna.is_in().await);
    let now = app.clock.now().timestamp();
    let app = app.restart().await;
    let session = used(&app.app, &cookie, now).await;
    assert!(!app.app.is_over(&session));
    let anna = Visitor { app: &app, cookie };
    app.pass(TimeDelta::minutes(59));
    assert!(anna.is_in().await);
}

#[tokio::test]
async fn a_node_that_cannot_write_goes_on_with_what_it_knows() {
    let app = TestApp::start().await;
    let anna = Visitor::of(&app).await;
    let other = rusqlite::Connection::open(app.folder().join("log.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..3 {
        app.pass(TimeDelta::minutes(50));
        assert!(anna.is_in().await);
    }
    other.execute_batch("ROLLBACK").unwrap();
    app.pass(TimeDelta::minutes(50));
    assert_eq!(anna.left(Method::POST).await.0, 3600);
}

/// The use is written beside the session, by whom has read it before it was ended.
#[tokio::test]
async fn who_has_logged_out_is_not_let_in_again_by_a_use_that_is_kept_late() {
    let app = TestApp::start().await;
    let anna = Visitor::of(&app).await;
    app.pass(TimeDelta::minutes(5));
    let mut session = app.app.session(&anna.cookie).await.unwrap().unwrap();
    app.app.end_session(&anna.cookie).await.unwrap();
    app.app.renew_session(&anna.cookie, &mut session).await;
    assert!(!anna.is_in().await);
    let cookie = anna.cookie;
    let app = app.restart().await;
    assert!(!Visitor { app: &app, cookie }.is_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_node_knows_the_use_and_both_ends() {
    let begun = tokio::task::spawn_blocking(|| {
        let cluster = Cluster::shared().unwrap();
        let url = cluster.database().unwrap();
        (cluster, url)
    });
    let (_cluster, url) = begun.await.unwrap();
    let (keys, clock) = (tempfile::tempdir().unwrap(), Clock::fixed(Clock::System.now()));
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let node = async |place: usize| {
        let data = folders[place].path().to_path_buf();
        let keys = Some(keys.path().to_path_buf());
        let config = Config { data, keys, log: url.clone(), ..Config::default() };
        App::start(config, clock.clone()).await.unwrap()
    };
    let (one, two) = (node(0).await, node(1).await);
    let cookie = one.begin_session(identity("anna", Role::Employee)).await.unwrap();
    let pass = |minutes| clock.set(clock.now() + TimeDelta::minutes(minutes));
    // One is used, then the other, in turns; whichever knows of it lately, neither ends it.
    for (here, there) in [(&two, &one), (&one, &two), (&two, &one)] {
        pass(50);
        let mut session = here.session(&cookie).await.unwrap().unwrap();
        assert!(!here.is_over(&session));
        here.use_session(&cookie, &mut session);
        assert!(!there.is_over(&used(there, &cookie, clock.now().timestamp()).await));
    }
    pass(60);
    for node in [&one, &two] {
        let session = node.session(&cookie).await.unwrap().unwrap();
        assert!(node.is_over(&session) && session.expires > 0);
    }
    one.close().await;
    two.close().await;
}

#[tokio::test]
async fn the_login_says_that_the_time_was_out_and_logging_out_does_not() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let says = async |visitor: &Visitor<'_>, path: &str| {
        visitor.request(Method::GET, path).send().await.unwrap().text().await.unwrap()
    };
    let (anna, out) = (Visitor::of(&app).await, Visitor::of(&app).await);
    out.request(Method::POST, "/logga-ut").send().await.unwrap();
    app.pass(TimeDelta::minutes(60));
    assert!(says(&anna, "/logga-in").await.contains("Tiden gick ut och du är utloggad. Logga in igen"));
    assert!(says(&anna, "/logga-in?till=/skapa-arende").await.contains("Det du skrev finns kvar."));
    for path in ["/logga-in", "/logga-in?till=/skapa-arende"] {
        assert!(!says(&out, path).await.contains("Tiden gick ut"), "{path}");
    }
}

#[tokio::test]
async fn every_cookie_is_bound_to_the_host_where_that_is_reached_by_https() {
    for (public_url, bound) in [(None, false), (Some("https://kundwebb.example"), true)] {
        let app = TestApp::start_with(|config| {
            config.demo.enabled = true;
            config.public_url = public_url.map(str::to_owned);
        })
        .await;
        let at = |path: &str| format!("{}{path}", app.url);
        let form = [("person", "anna.exempel"), ("employer", EXEMPELVERKET), ("till", "/")];
        let requests = [
            app.client.post(at("/logga-in")).form(&form),
            app.client.post(at("/valj-arbetsgivare")).form(&form),
            app.client.get(at("/sprak?kod=en&till=/")),
        ];
        let mut names = BTreeSet::new();
        for request in requests {
            let answer = request.send().await.unwrap();
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let cookie = cookie.to_str().unwrap();
                let parts: Vec<&str> = cookie.split("; ").collect();
                for part in ["Path=/", "HttpOnly", "SameSite=Lax"] {
                    assert!(parts.contains(&part), "{cookie}");
                }
                assert_eq!(parts.contains(&"Secure"), bound, "{cookie}");
                assert_eq!(parts[0].starts_with("__Host-"), bound, "{cookie}");
                assert!(!cookie.contains("Domain="), "{cookie}");
                names.insert(parts[0].trim_start_matches("__Host-").split('=').next().unwrap().to_owned());
            }
        }
        assert_eq!(Vec::from_iter(names), ["kundwebb_employer", "kundwebb_language", "kundwebb_session"]);
        // They are read by the same names.
        let start = if bound { "__Host-" } else { "" };
        let page = app.client.get(at("/mina-arenden"));
        let page = page
            .header(COOKIE, format!("{start}kundwebb_language=en; {start}kundwebb_employer={EXEMPELVERKET}"));
        assert_eq!(page.send().await.unwrap().headers()["location"], "/logga-in?till=/mina-arenden");
    }
}

#[tokio::test]
async fn times_that_cannot_be_are_refused_in_words() {
    for (minutes, hours) in [(4, 8), (60, 0), (60, 169), (61, 1), (u64::MAX, 168)] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data: folder.path().to_path_buf(), ..Config::default() };
        (config.sessions.idle_minutes, config.sessions.absolute_hours) = (minutes, hours);
        let refused =
            App::start(config, Clock::fixed(crate::support::monday())).await.err().unwrap().to_string();
        assert!(refused.contains(&format!("sessions.idle_minutes is {minutes}")), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_real_browser_one_is_warned_and_goes_on_and_nothing_typed_is_lost() {
    let app = TestApp::start_with(|config| {
        config.demo.enabled = true;
        config.sessions = api::config::Sessions { idle_minutes: 5, absolute_hours: 1 };
    })
    .await;
    Journey::start(&["session.mjs", &app.url]).ends_well(passing(&app.clock)).await;
}
