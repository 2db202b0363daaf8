//! Logins by OpenID Connect, over HTTP, at a certified provider that runs as a process of its own; where it cannot be made
//! to lie, at one that does.

mod lies;
mod machines;
mod program;
mod providers;
mod visit;
mod ways_in;

use api::Config;
use api::config::IdentityProvider;
use api::pages::cookies;
use chrono::TimeDelta;
use infrastructure::Clock;
use reqwest::Url;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use self::providers::Provider;
use self::visit::{Page, Visit};
use crate::browser::{Journey, passing};
use crate::support::{EXEMPELVERKET, PROVMYNDIGHETEN, TestApp};

/// As Exempelverket and Provmyndigheten share it, and the centre's own people have it too.
const SHARED: &str = "
    default = true
    employers = ['4021000007', '4021010006']
    claims = { organisation_number = 'org' }
    roles = [{ value = 'kw-lon', role = 'officer', areas = ['lon'] }]
";
/// How the certified provider knows us.
const BY_SECRET: &str = "client_id = 'kundwebb'\nclient_secret = 'a secret of the tests, long enough for it'";
const MY_CASES: &str = "/mina-arenden";

/// A provider as it is set.
fn settings(issuer: &str, more: &str) -> IdentityProvider {
    let toml = format!("[[identity_providers]]\nissuer = '{issuer}'\n{more}");
    Config::parse(&toml).unwrap().identity_providers.remove(0)
}

/// A place to listen, and its address.
async fn place() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let web = format!("http://{}", listener.local_addr().unwrap());
    (listener, web)
}

/// Kundwebb with its providers, at the time that it is.
async fn start(listener: TcpListener, public_url: &str, providers: Vec<IdentityProvider>) -> TestApp {
    let set = |config: &mut Config| {
        config.public_url = Some(public_url.to_owned());
        config.identity_providers = providers;
    };
    let app = TestApp::start_at(listener, set).await;
    app.clock.set(Clock::System.now());
    app
}

/// Kundwebb and the certified provider.
struct World {
    app: TestApp,
    provider: Provider,
    keys: TempDir,
}

impl World {
    async fn start() -> Self {
        Self::known_by(|_| BY_SECRET.to_owned()).await
    }

    /// As the provider knows us by what is said of the file of our key.
    async fn known_by(how: impl FnOnce(&str) -> String) -> Self {
        let (listener, web) = place().await;
        let keys = tempfile::tempdir().unwrap();
        let key_file = keys.path().join("client.pem");
        let provider = Provider::certified(&web, 0, &key_file).await;
        let how = how(key_file.to_str().unwrap());
        let app = start(listener, &web, vec![settings(&provider.address, &format!("{how}\n{SHARED}"))]).await;
        Self { app, provider, keys }
    }

    fn visit(&self) -> Visit {
        Visit::new(&self.app.url)
    }

    /// A browser in which an employee of Exempelverket is logged in, and the page that came.
    async fn employee(&self, person: &str) -> (Visit, Page) {
        let visit = self.visit();
        let page = visit.choose(EXEMPELVERKET, MY_CASES).await;
        let page = visit.log_in(&page, person).await;
        (visit, page)
    }

    /// The provider ends, and begins anew at the same place, with another key.
    async fn restart_provider(&mut self) {
        let port = self.provider.port();
        self.provider = Provider::nowhere();
        let key_file = self.keys.path().join("client.pem");
        self.provider = Provider::certified(&self.app.url, port, &key_file).await;
    }
}

/// The session that a page begins.
fn session(page: &Page) -> String {
    let start = format!("{}=", cookies::SESSION);
    let cookie = page.cookies().into_iter().find_map(|cookie| cookie.strip_prefix(&start));
    cookie.unwrap_or_else(|| panic!("no session: {:?}", page.cookies())).split(';').next().unwrap().to_owned()
}

/// A parameter of an address.
fn parameter(address: &Url, name: &str) -> Option<String> {
    address.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// An answer with another value of a parameter.
fn with_parameter(answer: &Url, name: &str, value: &str) -> Url {
    let pairs: Vec<_> = answer.query_pairs().filter(|(found, _)| found != name).collect();
    let mut changed = answer.clone();
    changed.query_pairs_mut().clear().extend_pairs(pairs).append_pair(name, value);
    changed
}

#[tokio::test(flavor = "multi_thread")]
async fn one_chooses_ones_employer_and_logs_in_there_and_then_the_link_leads_straight_in() {
    let world = World::start().await;
    let anna = world.visit();
    anna.go(MY_CASES).await.shows(200, "/valj-arbetsgivare", "Var arbetar du?");
    let page = anna.choose(EXEMPELVERKET, MY_CASES).await;
    assert!(page.address.as_str().starts_with(&world.provider.address), "{}", page.address);
    anna.log_in(&page, "anna").await.shows(200, MY_CASES, "Anna Exempelsson");

    let out = anna.post("/logga-ut", &[]).await;
    out.shows(200, "/logga-ut", "Du är utloggad ur Kundwebben.");
    assert_eq!(anna.get(MY_CASES).await.status, 303);
    anna.go(MY_CASES).await.shows(200, MY_CASES, "Anna Exempelsson");

    let out = anna.post("/logga-ut", &[]).await;
    let question = anna.follow(out, None).await.unwrap();
    assert!(question.address.as_str().starts_with(&world.provider.address), "{}", question.address);
    anna.log_out(&question).await.shows(200, "/", "Välkommen till Kundwebben");
    let asked = anna.go(MY_CASES).await;
    assert!(asked.address.path().starts_with("/interaction/"), "{}", asked.address);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_asks_with_pkce_state_and_nonce_that_nobody_else_has() {
    let world = World::start().await;
    let asked = async |path: &str| {
        let visit = world.visit().with_cookie(cookies::EMPLOYER, EXEMPELVERKET);
        visit.get(path).await.next().unwrap()
    };
    let (one, other) = (asked("/logga-in?till=/").await, asked("/logga-in?till=/&igen=ja").await);
    for (name, value) in [
        ("response_type", "code"),
        ("client_id", "kundwebb"),
        ("code_challenge_method", "S256"),
        ("scope", "openid profile email"),
        ("redirect_uri", &format!("{}/logga-in/svar", world.app.url)),
        ("ui_locales", "sv"),
    ] {
        assert_eq!(parameter(&one, name).as_deref(), Some(value), "{name}");
    }
    for secret in ["state", "nonce", "code_challenge"] {
        let [one, other] = [&one, &other].map(|address| parameter(address, secret).unwrap());
        assert!(one.len() == 43 && one != other, "{secret}: {one} {other}");
    }
    assert_eq!(parameter(&one, "prompt"), None);
    assert_eq!(parameter(&other, "prompt").as_deref(), Some("login"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choice_is_remembered_for_sixty_days_in_a_cookie_that_holds_the_employer_alone() {
    let hostile = Provider::hostile().await;
    let (listener, _) = place().await;
    let issuer = format!("{}/honest", hostile.address);
    let providers = vec![settings(&issuer, &format!("{BY_SECRET}\ndefault = true"))];
    let app = start(listener, "https://kundwebb.example", providers).await;
    let visit = Visit::new(&app.url);
    let chosen = visit.post("/valj-arbetsgivare", &[("employer", EXEMPELVERKET), ("till", "/")]).await;
    let mut parts: Vec<&str> = chosen.cookies()[0].split("; ").collect();
    parts.sort_unstable();
    let employer = format!("__Host-kundwebb_employer={EXEMPELVERKET}");
    assert_eq!(parts, ["HttpOnly", "Max-Age=5184000", "Path=/", "SameSite=Lax", "Secure", &employer]);

    let visit = Visit::new(&app.url);
    let begun = visit.page(visit.client.get(visit.at("/logga-in")).header("cookie", &employer)).await;
    let cookie = begun.cookies()[0];
    assert!(cookie.starts_with("__Host-kundwebb_login_"), "{cookie}");
    for part in ["; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax", "; Max-Age=600"] {
        assert!(cookie.contains(part), "{part}: {cookie}");
    }
    let state = parameter(&begun.next().unwrap(), "state").unwrap();
    assert!(!cookie.contains(&state), "it is sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_can_prove_who_it_is_with_its_key() {
    let by_key =
        |file: &str| format!("client_id = 'kundwebb-key'\nkey_file = '{file}'\nkey_id = 'kundwebb-1'");
    let world = World::known_by(by_key).await;
    world.employee("anna").await.1.shows(200, MY_CASES, "Anna Exempelsson");
    // Another key is nobody's.
    let mut world = world;
    std::fs::remove_file(world.keys.path().join("client.pem")).unwrap();
    world.restart_provider().await;
    world.employee("anna").await.1.is_refusal();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_for_another_employer_than_the_chosen_one_is_explained_and_lets_nobody_in() {
    let world = World::start().await;
    let (eva, page) = world.employee("eva").await;
    page.shows(403, "/logga-in/svar", "Du är inloggad hos Provmyndigheten men valde Exempelverket.");
    assert!(page.html.contains("<title>Fel: "), "{}", page.html);
    assert_eq!(eva.get(MY_CASES).await.status, 303);
    let eva = eva.with_cookie(cookies::LANGUAGE, "en");
    let page = eva.go("/logga-in?till=/mina-arenden").await;
    page.shows(403, "/logga-in/svar", "but chose");
    assert!(page.html.contains("href=\"/valj-arbetsgivare?till=/mina-arenden\""), "{}", page.html);
    eva.choose(PROVMYNDIGHETEN, MY_CASES).await.shows(200, MY_CASES, "Eva Prov");
    eva.choose(EXEMPELVERKET, MY_CASES).await.shows(403, "/logga-in/svar", "You are logged in at");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_several_employers_changes_between_them_without_a_new_login() {
    let world = World::start().await;
    let (dag, page) = world.employee("dag").await;
    page.shows(200, MY_CASES, "Dag Dubbel");
    let chosen =
        dag.post("/valj-arbetsgivare", &[("employer", PROVMYNDIGHETEN), ("till", "/tjanster")]).await;
    assert_eq!(chosen.next(), Some(dag.at("/tjanster")));
    dag.go("/tjanster").await.shows(200, "/tjanster", "Provmyndigheten");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_areas_come_from_the_provider_by_the_settings_alone() {
    let world = World::start().await;
    let olle = world.visit();
    let page = olle.go("/handlaggare").await;
    assert!(page.address.path().starts_with("/interaction/"), "the centre chooses no employer");
    olle.log_in(&page, "olle").await.shows(200, "/handlaggare", "Olle Handläggare");
    // What somebody logs in by is not asked for: nobody but the provider knows it.
    let phone = olle.go("/handlaggare/telefonarende").await;
    phone.shows(200, "/handlaggare/telefonarende", "reporter-email");
    assert!(!phone.html.contains("reporter-subject"), "{}", phone.html);
    let (anna, _) = world.employee("anna").await;
    anna.go("/handlaggare").await.shows(403, "/handlaggare", "behörighet");
}

/// A call is joined to the login with the same employer and address, if the provider has verified that.
#[tokio::test(flavor = "multi_thread")]
async fn calls_are_joined_to_the_login_never_by_an_address_that_is_not_verified() {
    let world = World::start().await;
    let rita = world.app.officer("rita");
    for person in ["anna", "cia"] {
        let mut body = rita.body(&format!("Samtal från {person}"));
        body["reporter"] = json!({"name": person, "email": format!("{person}@exempelverket.example")});
        rita.create(&body).await;
    }
    let (_, page) = world.employee("anna").await;
    page.shows(200, MY_CASES, "Samtal från anna");
    let (_, page) = world.employee("cia").await;
    page.shows(200, MY_CASES, "Cia Exempelsson");
    assert!(!page.html.contains("Samtal från"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_another_after_each_login_and_the_one_before_opens_nothing() {
    let world = World::start().await;
    let visit = world.visit().with_cookie(cookies::SESSION, "planted");
    let page = visit.choose(EXEMPELVERKET, MY_CASES).await;
    let answer = visit.answer(&page, "anna").await;
    let first = session(&visit.page(visit.client.get(answer)).await);
    assert_ne!(first, "planted");
    let again = visit.get("/logga-in?till=/mina-arenden").await;
    let answer = visit.follow(again, Some(&visit.at("/logga-in/svar"))).await.unwrap_err();
    let second = session(&visit.page(visit.client.get(answer)).await);
    for (session, opens) in [("planted", false), (&first, false), (&second, true)] {
        let page = world.visit().with_cookie(cookies::SESSION, session).get(MY_CASES).await;
        assert_eq!(page.status == 200, opens, "{session}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_once_in_the_browser_that_asked_and_in_time() {
    let world = World::start().await;
    let asked = async |visit: &Visit| {
        let chosen =
            visit.post("/valj-arbetsgivare", &[("employer", EXEMPELVERKET), ("till", MY_CASES)]).await;
        // Whom the provider knows by now it asks no more.
        match visit.follow(chosen, Some(&visit.at("/logga-in/svar"))).await {
            Ok(page) => visit.answer(&page, "anna").await,
            Err(answer) => answer,
        }
    };
    let (anna, mallory) = (world.visit(), world.visit());
    let first = asked(&anna).await;
    mallory.give(&first).await.is_refusal();
    // Whoever looks only whether something is there does not take it.
    assert_eq!(anna.client.head(first.clone()).send().await.unwrap().status(), 405);
    anna.give(&first).await.shows(200, MY_CASES, "Anna Exempelsson");
    anna.give(&first).await.is_refusal();
    anna.go(MY_CASES).await.shows(200, MY_CASES, "Anna Exempelsson");

    let code = parameter(&first, "code").unwrap();
    let second = asked(&mallory).await;
    mallory.give(&with_parameter(&second, "code", &code)).await.is_refusal();
    mallory.give(&second).await.is_refusal();

    // Somebody else's fresh code, slipped into a login that is not theirs: the challenge is another.
    let (own, foreign) = (asked(&mallory).await, asked(&world.visit()).await);
    let code = parameter(&foreign, "code").unwrap();
    mallory.give(&with_parameter(&own, "code", &code)).await.is_refusal();

    let late = asked(&mallory).await;
    world.app.pass(TimeDelta::minutes(10));
    mallory.give(&late).await.is_refusal();
    for nothing in ["", "?state=x", "?code=x", "?state=x&code=x&state=y", "?state=%ff&code=x", "?error=x"] {
        mallory.go(&format!("/logga-in/svar{nothing}")).await.is_refusal();
    }
    assert_eq!(mallory.get(MY_CASES).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_finishes_what_one_has_begun() {
    let world = World::start().await;
    let anna = world.visit();
    let page = anna.choose(EXEMPELVERKET, MY_CASES).await;
    let answer = anna.answer(&page, "anna").await;
    let World { app, provider: _provider, .. } = world;
    let before = app.url.clone();
    let app = app.restart().await;
    assert_ne!(app.url, before);
    let moved = answer.as_str().replacen(&before, &app.url, 1).parse().unwrap();
    anna.give(&moved).await.shows(200, MY_CASES, "Anna Exempelsson");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_logs_out_everywhere_is_out_in_every_browser_until_the_next_login() {
    let world = World::start().await;
    let ((one, _), (other, _), (dag, _)) =
        (world.employee("anna").await, world.employee("anna").await, world.employee("dag").await);
    one.go("/logga-ut").await.shows(200, "/logga-ut", "Logga ut överallt");
    // Again and again, and no time passes between.
    for _ in 0..2 {
        one.post("/logga-ut", &[("overallt", "ja")]).await;
        for (visit, status) in [(&one, 303), (&other, 303), (&dag, 200)] {
            assert_eq!(visit.get(MY_CASES).await.status, status);
        }
        other.go(MY_CASES).await.shows(200, MY_CASES, "Anna Exempelsson");
        one.go(MY_CASES).await.shows(200, MY_CASES, "Anna Exempelsson");
    }
    one.post("/logga-ut", &[("overallt", "ja")]).await;
    one.go(MY_CASES).await.shows(200, MY_CASES, "Anna Exempelsson");
    assert_eq!(other.get(MY_CASES).await.status, 303);
    // A session that is over ends nobody's.
    other.post("/logga-ut", &[("overallt", "ja")]).await;
    one.go(MY_CASES).await.shows(200, MY_CASES, "Anna Exempelsson");
}

/// The provider may know one still, and would let one in at once: then the time-out would be none.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_time_out_nobody_is_let_in_without_a_step_of_their_own() {
    let world = World::start().await;
    let (anna, _) = world.employee("anna").await;
    world.app.pass(TimeDelta::minutes(60));
    let over = anna.go(MY_CASES).await;
    over.shows(200, "/logga-in", "Tiden gick ut och du är utloggad.");
    assert_eq!(over.next(), None);
    let onward = "/logga-in?till=/mina-arenden&vidare=ja";
    let link = over.html.split("href=\"").map(|part| part.split('"').next().unwrap().replace("&#38;", "&"));
    assert!(link.into_iter().any(|link| link == onward), "{}", over.html);
    let next = anna.get(onward).await.next().unwrap();
    assert!(next.as_str().starts_with(&world.provider.address), "{next}");
    // Who has logged out is told nothing of a time, and led there at once.
    anna.post("/logga-ut", &[]).await;
    let next = anna.get("/logga-in?till=/mina-arenden").await.next().unwrap();
    assert!(next.as_str().starts_with(&world.provider.address), "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_is_told_at_once_and_used_when_it_is_back_with_another_key() {
    let mut world = World::start().await;
    let port = world.provider.port();
    world.provider = Provider::nowhere();
    let visit = world.visit();
    let began = tokio::time::Instant::now();
    visit.choose(EXEMPELVERKET, MY_CASES).await.is_refusal();
    let english = world.visit().with_cookie(cookies::LANGUAGE, "en").go("/logga-in/fel").await;
    english.shows(403, "/logga-in/fel", "choose option 3, IT service support");
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());

    world.provider = Provider::certified(&world.app.url, port, &world.keys.path().join("client.pem")).await;
    let asked = async || visit.go("/logga-in?till=/mina-arenden").await;
    let back = async {
        loop {
            let page = asked().await;
            if page.status == 200 {
                return page;
            }
        }
    };
    let page = tokio::time::timeout(std::time::Duration::from_secs(30), back).await.expect("it is not used");
    visit.log_in(&page, "anna").await.shows(200, MY_CASES, "Anna Exempelsson");

    world.restart_provider().await;
    world.app.pass(TimeDelta::seconds(11));
    world.employee("anna").await.1.shows(200, MY_CASES, "Anna Exempelsson");
}

/// What it has published is known still, and leads to an address where nobody answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_goes_away_when_it_is_known_leads_nobody_there_to_log_in_or_out() {
    let mut world = World::start().await;
    let port = world.provider.port();
    let (anna, _) = world.employee("anna").await;
    let visit = world.visit();
    let place = visit.choose(EXEMPELVERKET, MY_CASES).await;
    assert_eq!(place.address.port(), Some(port));

    world.provider = Provider::nowhere();
    world.app.pass(TimeDelta::seconds(6));
    let began = tokio::time::Instant::now();
    visit.go("/logga-in?till=/mina-arenden").await.is_refusal();
    let out = anna.post("/logga-ut", &[]).await;
    out.shows(200, "/logga-ut", "Inloggningen hos din arbetsgivare svarar inte");
    assert!(out.next().is_none() && !out.html.contains("Anna Exempelsson"), "{}", out.html);
    assert_eq!(anna.get(MY_CASES).await.status, 303);
    assert!(began.elapsed().as_secs() < 8, "{:?}", began.elapsed());

    // What was found out holds for all for some seconds, and then it is asked again.
    world.provider = Provider::certified(&world.app.url, port, &world.keys.path().join("client.pem")).await;
    world.visit().choose(EXEMPELVERKET, MY_CASES).await.is_refusal();
    world.app.pass(TimeDelta::seconds(6));
    let page = visit.go("/logga-in?till=/mina-arenden").await;
    assert_eq!(page.address.port(), Some(port), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_led_to_another_host_by_a_login() {
    let world = World::start().await;
    for foreign in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let visit = world.visit();
        let page = visit.choose(EXEMPELVERKET, foreign).await;
        visit.log_in(&page, "anna").await.shows(200, "/", "Anna Exempelsson");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_real_browser_one_logs_in_and_out_with_the_script_and_without() {
    let world = World::start().await;
    let journey = Journey::start(&["login.mjs", &world.app.url, &world.provider.address]);
    journey.ends_well(passing(&world.app.clock)).await;
}
