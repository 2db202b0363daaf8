//! Tokens and answers that are not what they should be, and providers that do not answer: each is refused with the page
//! that tells whom to call, and lets nobody in.

use std::time::Duration;

use chrono::TimeDelta;
use domain::OrganisationNumber;

use super::{BY_SECRET, MY_CASES, place, settings, start};
use crate::identity::providers::Provider;
use crate::identity::visit::Visit;
use crate::support::TestApp;
use api::pages::cookies;

/// Every way of lying that `hostile.mjs` knows.
const WAYS: [&str; 34] = [
    "broken",
    "nonsense",
    "large",
    "elsewhere",
    "another",
    "denied",
    "no-code",
    "no-state",
    "wrong-state",
    "no-iss",
    "mixed-up",
    "refused",
    "away",
    "html",
    "no-token",
    "alg-none",
    "secret",
    "public-key-as-secret",
    "another-key",
    "unknown-key",
    "changed",
    "wrong-audience",
    "two-audiences",
    "no-audience",
    "wrong-party",
    "wrong-issuer",
    "wrong-nonce",
    "no-nonce",
    "expired",
    "from-the-future",
    "old",
    "no-expiry",
    "wrong-access-token",
    "nobody",
];

/// A made-up employer for each way.
fn employer(number: usize) -> OrganisationNumber {
    let digits = (0..10).map(|digit| format!("40240{number:04}{digit}"));
    digits.filter_map(|digits| OrganisationNumber::parse(&digits)).next().unwrap()
}

/// Kundwebb with one provider for each way, and the address where they are.
async fn world(ways: &[&str]) -> (TestApp, Provider) {
    let hostile = Provider::hostile().await;
    let (listener, web) = place().await;
    let provider = |(number, way): (usize, &&str)| {
        let issuer = format!("{}/{way}", hostile.address);
        settings(&issuer, &format!("{BY_SECRET}\nemployers = ['{}']", employer(number)))
    };
    let providers = ways.iter().enumerate().map(provider).collect();
    (start(listener, &web, providers).await, hostile)
}

/// A browser of an employee of the employer with a number.
fn visit(app: &TestApp, number: usize) -> Visit {
    Visit::new(&app.url).with_cookie(cookies::EMPLOYER, employer(number).as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_as_it_should_be_lets_nobody_in() {
    let (app, _hostile) = world(&[&["honest"], &WAYS[..]].concat()).await;
    let honest = visit(&app, 0);
    honest.go("/logga-in?till=/mina-arenden").await.shows(200, MY_CASES, "Mallory");
    for (number, way) in WAYS.iter().enumerate() {
        let visit = visit(&app, number + 1);
        let page = visit.go("/logga-in?till=/mina-arenden").await;
        assert_eq!(
            (page.status.as_u16(), page.address.path()),
            (403, "/logga-in/fel"),
            "{way}: {}",
            page.html
        );
        page.is_refusal();
        assert_eq!(visit.get(MY_CASES).await.status, 303, "{way}");
    }
    honest.go("/logga-in?till=/mina-arenden").await.shows(200, MY_CASES, "Mallory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_speaks_only_for_its_own_employers() {
    let hostile = Provider::hostile().await;
    let (listener, web) = place().await;
    let more = format!("{BY_SECRET}\nclaims = {{ organisation_number = 'org' }}");
    let of = |way: &str, number| {
        let issuer = format!("{}/{way}", hostile.address);
        settings(&issuer, &format!("{more}\nemployers = ['{number}']"))
    };
    let app =
        start(listener, &web, vec![of("of-another-employer", "4021000007"), of("honest", "4021010006")])
            .await;
    for employer in ["4021000007", "4021010006"] {
        let visit = Visit::new(&app.url).with_cookie(cookies::EMPLOYER, employer);
        let page = visit.go("/logga-in?till=/mina-arenden").await;
        // It is explained, and believed no more than that.
        assert_eq!(page.status, 403);
        assert!(page.html.contains("Du valde en annan arbetsgivare"), "{}", page.html);
        assert_eq!(visit.get(MY_CASES).await.status, 303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_fetched_when_a_token_is_signed_with_it_and_not_at_every_token() {
    let (app, hostile) = world(&["honest"]).await;
    let visit = visit(&app, 0);
    let log_in = async || visit.go("/logga-in?till=/mina-arenden").await;
    log_in().await.shows(200, MY_CASES, "Mallory");
    visit.client.post(format!("{}/rotate", hostile.address)).send().await.unwrap();
    log_in().await.is_refusal();
    app.pass(TimeDelta::seconds(10));
    log_in().await.shows(200, MY_CASES, "Mallory");
}

/// Two providers hold whom they should answer, one at its description and one at its token: others log in meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_slow_holds_up_nobody_else_and_nobody_for_long() {
    let (app, hostile) = world(&["honest", "slow", "slow-token"]).await;
    let waiting: Vec<_> = [1, 2]
        .map(|number| {
            let visit = visit(&app, number);
            tokio::spawn(async move { visit.go("/logga-in?till=/mina-arenden").await })
        })
        .into();
    let held = async || {
        let held = app.client.get(format!("{}/held", hostile.address)).send().await.unwrap();
        held.json::<serde_json::Value>().await.unwrap()["held"].as_u64().unwrap()
    };
    let both = async { while held().await < 2 {} };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("they are not held");
    let honest = visit(&app, 0);
    honest.go("/logga-in?till=/mina-arenden").await.shows(200, MY_CASES, "Mallory");
    honest.go("/driftstatus").await.shows(200, "/driftstatus", "Mallory");
    assert_eq!(held().await, 2, "both wait still");
    for waiting in waiting {
        let page = tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it waits for ever");
        page.unwrap().is_refusal();
    }
}
