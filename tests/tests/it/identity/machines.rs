//! Systems that call with access tokens of an authorization server: of the certified provider, by client credentials and
//! `private_key_jwt`; and hand-made ones, which no real server would give.

use std::time::Duration;

use api::Config;
use api::identity::client_key::{ASSERTION_TYPE, ClientKey};
use api::v1::scopes;
use chrono::TimeDelta;
use infrastructure::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::place;
use super::providers::Provider;
use crate::support::{Answer, EXEMPELVERKET, PDF, PROVMYNDIGHETEN, TestApp, TestCaller, new_key};

/// The systems of the settings: one that acts for two employers, one that may only read.
const CLIENTS: &str = "clients = [
    { client_id = 'agresso', employers = ['4021000007', '4021010006'] },
    { client_id = 'primula', employers = ['4021010006'], scopes = ['case.read', 'event.read'] },
]";
const ALL: &str = "case.read case.write event.read webhook.manage";

/// Hand-made tokens that are as they must be.
const GOOD: &str = "honest es256 eddsa no-kid whole-type audiences scp a-minute-late foreign-jku";
/// Others.
const LIES: &str = "public-key-as-secret shared none rs512 ps256 key-of-another-kind wrong-type no-type critical \
    critical-nothing unknown-key unnamed-other-key own-key own-jwk own-jku own-x5u for-enciphering wrong-audience no-audience \
    wrong-issuer issuer-of-ours no-issuer expired expiry-in-words no-expiry not-yet from-the-future no-issue-time no-id \
    no-client of-a-person another-client huge claim-twice audience-twice algorithm-twice no-object changed cut unsigned \
    two-parts four-parts five-parts";

/// Kundwebb, and the server whose tokens it takes.
struct World {
    app: TestApp,
    server: Provider,
    keys: TempDir,
}

impl World {
    /// With the certified provider.
    async fn certified() -> Self {
        let (listener, web) = place().await;
        let keys = tempfile::tempdir().unwrap();
        let server = Provider::certified(&web, 0, &keys.path().join("client.pem")).await;
        let app = start(listener, &web, &server.address).await;
        Self { app, server, keys }
    }

    /// With the server that gives whatever token it is asked for.
    async fn any() -> Self {
        let (listener, web) = place().await;
        let server = Provider::authority().await;
        let app = start(listener, &web, &server.address).await;
        Self { app, server, keys: tempfile::tempdir().unwrap() }
    }

    fn audience(&self) -> String {
        format!("{}/api/v1", self.app.url)
    }

    /// A token of the certified provider, for which a system proves who it is by its key.
    async fn token(&self, client: &str, scope: &str, resource: &str) -> String {
        let key = ClientKey::read(&self.keys.path().join("client.pem"), Some("kundwebb-1")).unwrap();
        let proof = key.proof(client, &self.server.address, Clock::System.now()).unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &proof),
            ("scope", scope),
            ("resource", resource),
        ];
        let address = format!("{}/token", self.server.address);
        let answer = reqwest::Client::new().post(address).form(&fields).send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A system with a token of the certified provider.
    async fn system(&self, client: &str, scope: &str) -> TestCaller<'_> {
        self.caller(self.token(client, scope, &self.audience()).await)
    }

    fn caller(&self, token: String) -> TestCaller<'_> {
        TestCaller { app: &self.app, identity: None, token: Some(token) }
    }

    async fn tell(&self, what: &str) -> String {
        let client = reqwest::Client::new();
        let answer = client.get(format!("{}/{what}", self.server.address)).send().await.unwrap();
        answer.text().await.unwrap()
    }

    /// A system with a hand-made token.
    async fn made(&self, way: &str) -> TestCaller<'_> {
        self.caller(self.tell(&format!("token?way={way}&audience={}", self.audience())).await)
    }
}

async fn start(listener: tokio::net::TcpListener, web: &str, issuer: &str) -> TestApp {
    let toml = format!("[[authorization_servers]]\nissuer = '{issuer}'\n{CLIENTS}");
    let servers = Config::parse(&toml).unwrap().authorization_servers;
    let set = |config: &mut Config| {
        config.public_url = Some(web.to_owned());
        config.authorization_servers = servers;
    };
    let app = TestApp::start_at(listener, set).await;
    app.clock.set(Clock::System.now());
    app
}

/// The body of a case of a reporter at an employer.
fn body(employer: &str) -> Value {
    json!({
        "employer": employer, "area": "ekonomi", "subject": "Faktura", "message": "En fråga om en faktura.",
        "reporter": {"name": "Karin Kund", "email": "karin@exempelverket.example"},
    })
}

async fn create(caller: &TestCaller<'_>, employer: &str) -> Answer {
    caller.post("/cases").key(&new_key()).json(&body(employer)).send().await
}

/// Checks that a token is not taken, and that nobody is told why.
#[track_caller]
fn is_refused(answer: &Answer, way: &str) {
    assert_eq!(answer.status, 401, "{way}: {}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!(answer.problem(401), "unauthorized");
    assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{way}");
    let said = String::from_utf8_lossy(&answer.bytes).to_lowercase();
    assert!(
        !["expired", "audience", "signature", "key", "jwt"].iter().any(|word| said.contains(word)),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_sees_the_cases_that_it_has_created_for_its_own_employers_and_no_others() {
    let world = World::certified().await;
    let (agresso, primula) = (world.system("agresso", ALL).await, world.system("primula", ALL).await);
    let [ours, theirs] = [EXEMPELVERKET, PROVMYNDIGHETEN];
    let case = create(&agresso, ours).await.done();
    let other = create(&agresso, theirs).await.done();
    assert_eq!(agresso.list("").await.len(), 2);
    agresso.read(&case.id).await;
    assert_eq!(create(&agresso, "4021040003").await.problem(403), "permission");
    // Neither that of its own employer nor that of another.
    for case in [&case, &other] {
        for path in ["", "/timeline", "/attachments"] {
            let answer = primula.get(&format!("/cases/{}{path}", case.id)).send().await;
            assert_eq!(answer.problem(404), "not-found");
        }
    }
    assert_eq!(primula.list("scope=employer").await, [] as [String; 0]);
    let feed = async |caller: &TestCaller<'_>| caller.get("/events?limit=1000").send().await.ok().to_string();
    assert!(feed(&agresso).await.contains(&case.id));
    let seen = feed(&primula).await;
    assert!(!seen.contains(&case.id) && !seen.contains(&other.id));
    // It is called by issuer and client, whatever token it comes with.
    world.system("agresso", "case.read").await.read(&case.id).await;
    world.app.officer("olle").read(&case.id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lets_use_what_its_scopes_say_and_no_more_than_the_settings_allow() {
    let world = World::certified().await;
    let missing = |answer: &Answer, scope: &str| {
        assert_eq!(answer.problem(403), "scope.missing");
        let asks = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        assert_eq!(answer.header("www-authenticate"), asks);
        assert!(answer.json()["detail"].as_str().unwrap().contains(scope));
    };
    let reader = world.system("agresso", "case.read").await;
    assert_eq!(reader.list("").await, [] as [String; 0]);
    missing(&reader.get("/events").send().await, "event.read");
    missing(&create(&reader, EXEMPELVERKET).await, "case.write");
    missing(&reader.post("/uploads").files(&[("a.pdf", PDF)]).send().await, "case.write");
    let follower = world.system("agresso", "event.read").await;
    follower.get("/events").send().await.ok();
    missing(&follower.get("/cases").send().await, "case.read");
    let head = follower.ask(Method::HEAD, "/api/v1/cases").send().await;
    assert_eq!(head.status, 403);
    // The server gives it more than the settings do.
    let primula = world.system("primula", ALL).await;
    primula.get("/cases").send().await.ok();
    missing(&create(&primula, PROVMYNDIGHETEN).await, "case.write");
    let none = world.system("agresso", "webhook.manage").await;
    for (method, path, scope) in scopes::TABLE {
        let id = "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f";
        let path = format!("/api/v1{}", path.replace("{caseId}", id).replace("{attachmentId}", id));
        missing(&none.ask(method.parse().unwrap(), &path).send().await, scope.code());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_another_audience_or_of_a_client_that_is_not_named_is_refused() {
    let world = World::certified().await;
    let foreign = world.token("agresso", ALL, "https://another.example/api").await;
    is_refused(&world.caller(foreign).get("/cases").send().await, "another audience");
    let stranger = world.system("stranger", ALL).await;
    is_refused(&stranger.get("/cases").send().await, "a stranger");
    world.system("agresso", ALL).await.get("/cases").send().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_it_must_be_is_refused_and_nobody_is_told_why() {
    let world = World::any().await;
    let mut refused = Vec::new();
    for way in GOOD.split_whitespace() {
        if world.made(way).await.get("/cases").send().await.status != 200 {
            refused.push(way);
        }
    }
    assert_eq!(refused, [] as [&str; 0]);
    let mut taken = Vec::new();
    for way in LIES.split_whitespace() {
        let answer = world.made(way).await.get("/cases").send().await;
        match answer.status.as_u16() {
            200 => taken.push(way),
            _ => is_refused(&answer, way),
        }
    }
    assert_eq!(taken, [] as [&str; 0]);
    assert_eq!(world.made("honest").await.get("/cases").send().await.status, 200);
    // Without a token nothing is wrong with it.
    let nobody = world.app.nobody().get("/cases").send().await;
    assert_eq!((nobody.problem(401).as_str(), nobody.header("www-authenticate")), ("unauthorized", "Bearer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_keys_are_fetched_while_it_runs_and_not_at_every_token() {
    let mut world = World::certified().await;
    let before = world.system("agresso", ALL).await.token.unwrap();
    world.caller(before.clone()).get("/cases").send().await.ok();
    // The provider begins anew at the same place, with another key.
    let port = world.server.port();
    world.server = Provider::nowhere();
    world.server = Provider::certified(&world.app.url, port, &world.keys.path().join("client.pem")).await;
    let after = world.system("agresso", ALL).await.token.unwrap();
    is_refused(&world.caller(after.clone()).get("/cases").send().await, "the keys were just fetched");
    world.app.pass(TimeDelta::seconds(10));
    world.caller(after).get("/cases").send().await.ok();
    is_refused(&world.caller(before).get("/cases").send().await, "its key is not published any more");

    let any = World::any().await;
    any.made("honest").await.get("/cases").send().await.ok();
    any.app.pass(TimeDelta::seconds(10));
    for _ in 0..5 {
        is_refused(&any.made("unknown-key").await.get("/cases").send().await, "unknown-key");
    }
    assert_eq!(any.tell("asked").await, "2");
}

/// Whose key is known goes on; whether a token with another key is good cannot be told, and whoever has it may come again.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_known_keys_go_on_for_a_day() {
    let world = World::any().await;
    let honest = world.made("honest").await;
    honest.get("/cases").send().await.ok();
    world.tell("away").await;
    world.app.pass(TimeDelta::hours(2));
    // Two hours are too old for this token, and not for its key.
    is_refused(&honest.get("/cases").send().await, "expired");
    world.app.clock.set(Clock::System.now());
    honest.get("/cases").send().await.ok();
    world.app.pass(TimeDelta::seconds(10));
    let unknown = world.made("unknown-key").await.get("/cases").send().await;
    assert_eq!((unknown.problem(503).as_str(), unknown.header("retry-after")), ("issuer.unavailable", "1"));
    honest.get("/cases").send().await.ok();
    world.tell("rotate").await;
    world.tell("back").await;
    let after = world.made("honest").await;
    let comes = async {
        while after.get("/cases").send().await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), comes).await.expect("its new keys are not fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_keys_yet_and_cannot_ask_for_them_says_so() {
    let world = World::any().await;
    let honest = world.made("honest").await;
    world.tell("away").await;
    assert_eq!(honest.get("/cases").send().await.problem(503), "issuer.unavailable");
    // The installation's own tokens need nobody.
    world.app.employee("anna").list("").await;
}
