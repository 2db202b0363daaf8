//! How often anybody may call (API-07): whoever has used up a quota is told so and may come again, and others do not notice.

use std::num::NonZeroU32;

use api::Config;
use chrono::TimeDelta;
use domain::access::Role;
use infrastructure::tokens::Identity;
use reqwest::Method;

use crate::officer_pages::browser::Browser;
use crate::support::{Answer, EXEMPELVERKET, TestApp, TestCaller, identity};

/// Limits of a number each.
fn few(number: u32) -> impl FnOnce(&mut Config) {
    let number = NonZeroU32::new(number).unwrap();
    move |config| {
        config.limits.enabled = Some(true);
        (config.limits.requests, config.limits.forms, config.limits.logins) = (number, number, number);
    }
}

fn quota(answer: &Answer) -> (&str, &str) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

async fn get(caller: &TestCaller<'_>, path: &str) -> Answer {
    caller.get(path).at_once().send().await
}

#[tokio::test]
async fn each_person_and_system_has_a_quota_of_the_api_and_is_told_how_it_stands() {
    let app = TestApp::start_with(few(3)).await;
    let (anna, bo) = (app.employee("anna"), app.employee("bo"));
    for (left, seconds) in [(2, 20), (1, 40), (0, 60)] {
        let answer = get(&anna, "/cases").await;
        let told = format!("\"default\";r={left};t={seconds}");
        assert_eq!((answer.status.as_u16(), quota(&answer)), (200, ("\"default\";q=3;w=60", told.as_str())));
    }
    for (language, words) in [("sv", "Försök igen om 20 sekunder."), ("en", "Try again in 20 seconds.")] {
        let answer = anna.get("/cases").at_once().with("accept-language", language).send().await;
        assert_eq!(answer.problem(429), "quota-exceeded");
        assert!(answer.json()["detail"].as_str().unwrap().ends_with(words), "{}", answer.json());
        assert_eq!(answer.header("retry-after"), "20");
        assert_eq!(quota(&answer), ("\"default\";q=3;w=60", "\"default\";r=0;t=20"));
    }
    // By who it is, not by the token; a system of the same name is another.
    assert_eq!(get(&app.employee("anna"), "/cases").await.status, 429);
    for other in [&bo, &app.system("anna"), &app.officer("olle")] {
        assert_eq!(get(other, "/cases").await.status, 200);
    }
    app.pass(TimeDelta::seconds(20));
    assert_eq!(get(&anna, "/cases").await.status, 200);
    assert_eq!(get(&anna, "/cases").await.status, 429);
}

#[tokio::test]
async fn whoever_is_not_known_is_counted_by_the_network_from_which_they_come() {
    let app = TestApp::start_with(few(2)).await;
    let nobody = app.nobody();
    assert_eq!(get(&nobody, "/cases").await.status, 401);
    let liar = TestCaller { token: Some("a.b.c".to_owned()), ..nobody.clone() };
    assert_eq!(get(&liar, "/cases").await.status, 401);
    assert_eq!(get(&liar, "/cases").await.problem(429), "quota-exceeded");
    assert_eq!(get(&nobody, "/api-info").await.problem(429), "quota-exceeded");
    // What somebody says of where they come from counts for nothing.
    let elsewhere = nobody.get("/api-info").with("x-forwarded-for", "198.51.100.1").send().await;
    assert_eq!(elsewhere.status, 429);
    assert_eq!(get(&app.employee("anna"), "/cases").await.status, 200);
}

#[tokio::test]
async fn a_proxy_of_ours_says_from_where_a_request_comes() {
    let app = TestApp::start_with(|config| {
        few(1)(config);
        config.limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let nobody = app.nobody();
    for (said, status) in [
        ("198.51.100.1", 200),
        ("198.51.100.1", 429),
        ("203.0.113.9, 198.51.100.1", 429),
        ("198.51.100.2", 200),
        ("2001:db8::1", 200),
        ("2001:db8::2", 429),
        ("2001:db8:0:1::2", 200),
    ] {
        let answer = nobody.get("/api-info").with("x-forwarded-for", said).send().await;
        assert_eq!(answer.status.as_u16(), status, "{said}");
    }
}

#[tokio::test]
async fn a_form_that_comes_too_soon_after_others_shows_again_what_was_typed() {
    let app = TestApp::start_with(few(2)).await;
    let employers = Some(vec![domain::OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let anna = Browser::of(&app, Identity { employers, ..identity("anna", Role::Employee) }).await;
    let path = "/skapa-arende";
    let typed = [("area", "ekonomi"), ("subject", "Omföring"), ("message", "Kan ni flytta posten?")];
    let form = anna.get(path).await;
    for _ in 0..2 {
        anna.submit(&form, path, &[typed[0], typed[1]]).await.shows(422, "Skriv ett meddelande.");
    }
    let head = app.head().await;
    let refused = anna.submit(&form, path, &typed).await;
    refused.shows(429, "Du har skickat för många begäranden på kort tid. Försök igen om 30 sekunder.");
    assert!(
        refused.html.contains("Kan ni flytta posten?</textarea>") && refused.html.contains("<title>Fel: ")
    );
    assert_eq!(refused.retry_after.as_deref(), Some("30"));
    assert_eq!(app.head().await, head);
    // Pages are read as ever, and others send theirs.
    anna.get("/mina-arenden").await.shows(200, "Du har inga ärenden");
    app.pass(TimeDelta::seconds(30));
    let sent = anna.submit(&refused, path, &typed).await;
    anna.done(&sent).await.shows(200, "Omföring");
}

/// So do those of a case, for its reporter and for who works on it.
#[tokio::test]
async fn what_is_written_in_a_case_too_soon_after_others_is_shown_again() {
    let app = TestApp::start_with(few(2)).await;
    let employers = Some(vec![domain::OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let case = app.employee("anna").case("Omföring").await;
    app.app.shown_position(case.position).await.unwrap();
    let address = format!("/arenden/{}", case.id);
    let anna = Browser::of(&app, Identity { employers, ..identity("anna", Role::Employee) }).await;
    let olle = Browser::of(&app, app.officer("olle").identity.clone().unwrap()).await;
    for (browser, forms) in [(&anna, &["meddelande"][..]), (&olle, &["meddelande", "anteckning"])] {
        let page = browser.get(&address).await;
        for _ in 0..2 {
            browser.submit(&page, &format!("{address}/meddelande"), &[("text", "")]).await.shows(422, "");
        }
        let head = app.head().await;
        for form in forms {
            let typed = [("text", "Några ord till."), ("kind", "working")];
            let refused = browser.submit(&page, &format!("{address}/{form}"), &typed).await;
            refused.shows(429, "Du har skickat för många begäranden på kort tid. Försök igen om");
            assert!(refused.html.contains("Några ord till.</textarea>"), "{form}: {}", refused.text());
        }
        assert_eq!(app.head().await, head);
    }
}

/// The mark of protected identity is written to the log, too.
#[tokio::test]
async fn marks_of_protected_identity_are_counted() {
    let app = TestApp::start_with(few(1)).await;
    let case = app.employee("anna").case("Omföring").await;
    app.app.shown_position(case.position).await.unwrap();
    let rita = Browser::of(&app, identity("rita", Role::Registrar)).await;
    let mark = format!("/arenden/{}/skydd", case.id);
    rita.done(&rita.post(&mark, &[("protected", "yes")]).await).await;
    let head = app.head().await;
    rita.post(&mark, &[("protected", "no")]).await.shows(429, "Försök igen om 60 sekunder.");
    assert_eq!(app.head().await, head);
}

#[tokio::test]
async fn the_pages_that_a_person_reads_are_counted() {
    let app = TestApp::start_with(|config| {
        few(2)(config);
        config.limits.pages = NonZeroU32::new(3).unwrap();
    })
    .await;
    let employers = Some(vec![domain::OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let employee = |login: &str| Identity { employers: employers.clone(), ..identity(login, Role::Employee) };
    let anna = Browser::of(&app, employee("anna")).await;
    let form = anna.get("/skapa-arende").await;
    for _ in 0..2 {
        anna.get("/mina-arenden?q=faktura").await.shows(200, "Mina ärenden");
    }
    let refused = anna.get("/mina-arenden?q=faktura").await;
    refused.shows(429, "Försök igen om 20 sekunder.");
    assert_eq!(refused.retry_after.as_deref(), Some("20"));
    let anna = anna.in_english();
    anna.get("/skapa-arende").await.shows(429, "Try again in 20 seconds.");
    // What pages are made of, how long the session lasts, and forms are not pages.
    for path in ["/session", "/readyz"] {
        assert_eq!(anna.get(path).await.status, 200, "{path}");
    }
    let style = refused.links("/assets/")[0].clone();
    assert_eq!(anna.get(&style).await.status, 200);
    anna.submit(&form, "/skapa-arende", &[("area", "ekonomi")]).await.shows(422, "Enter a subject.");
    Browser::of(&app, employee("bo")).await.get("/mina-arenden").await.shows(200, "Du har inga ärenden");
    for _ in 0..5 {
        assert_eq!(app.client.get(format!("{}/support", app.url)).send().await.unwrap().status(), 200);
    }
    app.pass(TimeDelta::seconds(20));
    assert_eq!(anna.get("/mina-arenden").await.status, 200);
}

#[tokio::test]
async fn logins_are_counted_by_the_network_from_which_they_come() {
    let app = TestApp::start_with(few(2)).await;
    let ask = async |method: Method, path: &str| {
        let request = app.client.request(method, format!("{}{path}", app.url));
        let answer = request.header("cookie", "kundwebb_language=en").send().await.unwrap();
        let retry = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), retry, answer.text().await.unwrap())
    };
    assert_eq!(ask(Method::GET, "/logga-in?till=/").await.0, 303);
    assert_ne!(ask(Method::GET, "/logga-in/svar?state=x&code=y").await.0, 429);
    for (method, path) in [
        (Method::GET, "/logga-in"),
        (Method::POST, "/logga-in"),
        (Method::GET, "/logga-in/svar?state=x&code=y"),
    ] {
        let (status, retry, page) = ask(method, path).await;
        assert_eq!((status, retry.as_deref()), (429, Some("30")));
        assert!(page.contains("Try again in 30 seconds.") && page.contains("<html lang=\"en\""), "{page}");
    }
    assert_eq!(ask(Method::GET, "/logga-in/fel").await.0, 403, "whom to call is told as ever");
}

#[tokio::test]
async fn the_demo_has_no_limits() {
    let app = TestApp::start_with(|config| {
        few(1)(config);
        config.limits.enabled = None;
        config.demo.enabled = true;
    })
    .await;
    let anna = app.employee("anna");
    for _ in 0..3 {
        let answer = get(&anna, "/cases").await;
        assert_eq!((answer.status.as_u16(), quota(&answer)), (200, ("", "")));
    }
}
