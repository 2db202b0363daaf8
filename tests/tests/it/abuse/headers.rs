//! What every answer tells the browser, whatever it is: a page, an error, a file, a style sheet, the API's.

use std::collections::BTreeSet;

use reqwest::{Method, Response};
use scraper::{Html, Selector};
use serde_json::json;

use super::{Town, employee, routes};
use crate::officer_pages::browser::Browser;
use crate::support::{TestApp, identity};
use domain::access::Role;

/// What must be said of an answer.
#[track_caller]
fn is_guarded(answer: &Response, what: &str) {
    let said = |name: &str| {
        let mut values = answer.headers().get_all(name).iter().map(|value| value.to_str().unwrap());
        let value = values.next().unwrap_or_default();
        assert_eq!(values.next(), None, "{what} says {name} twice");
        value
    };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=63072000; includeSubDomains"),
    ] {
        assert_eq!(said(name), value, "{what}: {name}");
    }
    let policy: BTreeSet<_> = said("content-security-policy").split(';').map(str::trim).collect();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
        "{what}: {policy:?}"
    );
    assert!(!policy.iter().any(|part| part.contains("unsafe") || part.contains('*')), "{what}: {policy:?}");
    let permissions = said("permissions-policy");
    for feature in ["camera", "microphone", "geolocation", "payment", "usb"] {
        assert!(permissions.contains(&format!("{feature}=()")), "{what}: {permissions}");
    }
    // A name that browsers do not know is a warning on every page.
    assert!(!permissions.contains("bluetooth"), "{what}: {permissions}");
    let kept = said("cache-control");
    let public = ["public, max-age=31536000, immutable", "no-cache"].contains(&kept);
    assert!(kept == "no-store" || public, "{what}: {kept}");
}

/// What is for one person is kept by nobody.
#[track_caller]
fn is_kept_by_nobody(answer: &Response, what: &str) {
    assert_eq!(answer.headers()["cache-control"], "no-store", "{what}");
}

/// No script and no style stands in a page.
#[track_caller]
fn holds_no_script(html: &str, what: &str) {
    let page = Html::parse_document(html);
    for element in page.select(&Selector::parse("*").unwrap()) {
        let own = element.value();
        let inline = own.attrs().any(|(name, value)| {
            name.starts_with("on") || name == "style" || value.starts_with("javascript:")
        });
        let tag = own.name();
        let foreign =
            tag == "script" && !own.attr("src").is_some_and(|source| source.starts_with("/assets/"));
        assert!(!inline && !foreign && tag != "style", "{what}: {}", element.html());
    }
}

async fn secure() -> Town {
    Town::with(|config| {
        config.demo.enabled = true;
        config.public_url = Some("https://kundwebb.example".to_owned());
    })
    .await
}

#[tokio::test]
async fn every_answer_of_every_route_tells_the_browser_what_it_may() {
    let town = secure().await;
    let app = &town.app;
    let (anna, olle) = (employee(app, "anna").await, Browser::of(app, identity("olle", Role::Officer)).await);
    let rut = Browser::of(app, identity("rut", Role::Auditor)).await;
    let mut seen = BTreeSet::new();
    for (template, takes_a_form) in routes() {
        let path = town.path(&template).replace("{name}", "kundwebb.css");
        let methods = [Method::GET, Method::HEAD, Method::POST, Method::DELETE, Method::OPTIONS];
        for method in methods {
            for (who, browser) in [("anna", &anna), ("olle", &olle), ("rut", &rut)] {
                let what = format!("{method} {path} by {who}");
                // What logs out is tried last.
                if method == Method::POST && takes_a_form && template == "/logga-ut" {
                    continue;
                }
                let request = browser.request(method.clone(), &path);
                let request = if method == Method::POST { request.form(&[("text", "")]) } else { request };
                let answer = request.send().await.unwrap();
                seen.insert(answer.status().as_u16());
                is_guarded(&answer, &what);
                // The schedule is the same for all: what a calendar keeps of it is asked about each time.
                if !path.starts_with("/assets") && path != "/tjanster/tidplan.ics" {
                    is_kept_by_nobody(&answer, &what);
                }
                let page = answer
                    .headers()
                    .get("content-type")
                    .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
                let html = answer.text().await.unwrap();
                if page && method == Method::GET {
                    holds_no_script(&html, &what);
                }
            }
            let nobody =
                app.client.request(method.clone(), format!("{}{path}", app.url)).send().await.unwrap();
            is_guarded(&nobody, &format!("{method} {path} by nobody"));
        }
    }
    assert!([200, 303, 403, 404, 405, 422].iter().all(|status| seen.contains(status)), "{seen:?}");
    for odd in
        ["/finns-inte", "/mina-arenden?page=%ff", "/api", "/assets/x", "/arenden/x/filer/y", "//", "/%00"]
    {
        let answer = anna.request(Method::GET, odd).send().await.unwrap();
        is_guarded(&answer, odd);
    }
}

/// An asset by the name that it has.
#[tokio::test]
async fn assets_are_guarded_too() {
    let town = secure().await;
    for name in ["kundwebb.css", "kundwebb.js", "session.js", "kundwebb.svg"] {
        let path = api::assets::asset_url(name);
        let answer = town.app.client.get(format!("{}{path}", town.app.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        is_guarded(&answer, &path);
    }
}

#[tokio::test]
async fn every_answer_of_the_api_too() {
    let town = secure().await;
    let app = &town.app;
    let callers = [app.employee("anna"), app.officer("olle"), app.nobody()];
    let paths: Vec<String> = api::v1::openapi().paths.paths.keys().cloned().collect();
    assert!(paths.len() > 10);
    for template in paths.iter().map(String::as_str).chain(["/openapi.json", "/docs", "/finns-inte"]) {
        let path = template
            .replace("{id}", &town.case)
            .replace("{attachmentId}", &town.attachment)
            .replace("{caseId}", &town.case);
        for caller in &callers {
            for method in [Method::GET, Method::POST, Method::PUT, Method::OPTIONS] {
                let what = format!("{method} {path}");
                let answer =
                    caller.ask(method.clone(), &format!("/api/v1{path}")).json(&json!({})).raw().await;
                is_guarded(&answer, &what);
                if caller.token.is_some() && path.starts_with("/cases") {
                    is_kept_by_nobody(&answer, &what);
                }
            }
        }
    }
}

/// Where the web is not reached by HTTPS, a browser is not told that it is.
#[tokio::test]
async fn without_https_nothing_is_said_of_it() {
    let app = TestApp::start().await;
    let answer = app.client.get(&app.url).send().await.unwrap();
    assert!(!answer.headers().contains_key("strict-transport-security"));
}
