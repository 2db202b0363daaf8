//! Forms that another site has the browser send.

use reqwest::Method;
use reqwest::header::SET_COOKIE;

use super::{Town, employee, routes};
use crate::officer_pages::browser::Browser;
use crate::support::identity;
use domain::access::Role;

/// How browsers tell that a form comes from another site, each for itself.
const FOREIGN: [(&str, &str); 5] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("origin", "http://127.0.0.1.evil.example"),
];

/// With whatever the form holds: the browser adds the cookie, so that nothing else may count.
#[tokio::test]
async fn every_form_is_refused_from_another_site_whatever_it_holds() {
    let town = Town::with(|config| config.demo.enabled = true).await;
    let app = &town.app;
    let (anna, mallory) = (employee(app, "anna").await, employee(app, "mallory").await);
    let olle = Browser::of(app, identity("olle", Role::Officer)).await;
    let form = |page: &crate::officer_pages::browser::Page| page.hidden("/skapa-arende");
    // What Mallory's own form holds, and what he has stolen of Anna's.
    let (own, stolen) = (form(&mallory.get("/skapa-arende").await), form(&anna.get("/skapa-arende").await));
    // Who sends something is met by it, and recorded; that is no doing of the form.
    for browser in [&anna, &olle] {
        browser.post("/valj-arbetsgivare", &[]).await.shows(422, "Välj arbetsgivare.");
    }
    let head = app.head().await;
    let mut walked = 0;
    for (template, _) in routes().into_iter().filter(|(_, takes_a_form)| *takes_a_form) {
        let path = town.path(&template);
        for (name, value) in FOREIGN {
            for browser in [&anna, &olle] {
                for held in [&Vec::new(), &own, &stolen] {
                    let mut fields = held.clone();
                    let more = [
                        ("text", "Förfalskat."),
                        ("answer", "Förfalskat."),
                        ("overallt", "ja"),
                        ("person", "anna.exempel"),
                    ];
                    fields.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
                    let request = browser.request(Method::POST, &path).header(name, value).form(&fields);
                    let answer = request.send().await.unwrap();
                    assert_eq!(answer.status(), 403, "{path} {name}: {value}");
                    assert!(answer.headers().get(SET_COOKIE).is_none(), "{path} {name}: {value}");
                    walked += 1;
                }
            }
        }
    }
    assert!(walked > 300, "{walked}");
    assert_eq!(app.head().await, head);
    for browser in [&anna, &mallory] {
        browser.get("/mina-arenden").await.shows(200, "Mina ärenden");
    }
    assert!(!anna.get("/skapa-arende").await.says("Utkastet är sparat"));
}

/// The same forms, from where they stand, are taken: the test above refuses nothing for another reason.
#[tokio::test]
async fn the_same_forms_are_taken_from_our_own_pages() {
    let town = Town::with(|config| config.demo.enabled = true).await;
    for (template, _) in routes().into_iter().filter(|(_, takes_a_form)| *takes_a_form) {
        let path = town.path(&template);
        let anna = employee(&town.app, "anna").await;
        let answer = anna.request(Method::POST, &path).header("sec-fetch-site", "same-origin");
        let answer = answer.form(&[("person", "nobody")]).send().await.unwrap();
        let of_officers = answer.status() == 403 && !path.contains("/skapa") && path != "/session";
        assert!(answer.status() != 403 || of_officers, "{path}: {}", answer.status());
    }
}

/// A key of a form names a command of whom it belongs to, and of nobody else.
#[tokio::test]
async fn the_key_of_anothers_form_tells_nothing_and_takes_nothing() {
    let town = Town::new().await;
    let (anna, mallory) = (employee(&town.app, "anna").await, employee(&town.app, "mallory").await);
    let filed = [("area", "ekonomi"), ("subject", "Annas hemlighet"), ("message", "Bara för mig.")];
    let page = anna.get("/skapa-arende").await;
    let key = page.hidden("/skapa-arende").into_iter().find(|(name, _)| name == "form").unwrap().1;
    let sent = anna.submit(&page, "/skapa-arende", &filed).await;
    let case = anna.done(&sent).await.links("/arenden/")[0].clone();
    let (another, forged) = ([("area", "ekonomi"), ("message", "Eget.")], format!("{key}0"));
    for key in [key.as_str(), forged.as_str(), "", "x"] {
        // Each with other words, for the same ones would be the same case.
        let subject = format!("Mitt {key}");
        let fields = [("form", key), another[0], another[1], ("subject", &subject)];
        let sent = mallory.post("/skapa-arende", &fields).await;
        let own = mallory.done(&sent).await;
        assert!(own.links("/arenden/").iter().all(|link| *link != case), "{key}");
        assert!(!own.says("Annas hemlighet"));
    }
    let owner = [("owner", "ffffffff"), another[0], another[1], ("subject", "Också mitt")];
    let sent = mallory.post("/skapa-arende", &owner).await;
    mallory.done(&sent).await;
    mallory.get(&case).await.shows(404, "Sidan finns inte");
}
