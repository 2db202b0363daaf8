//! What one chooses for oneself, in the web.

use domain::access::Role;

use crate::officer_pages::browser::Browser;
use crate::support::{TestApp, identity};

const SETTINGS: &str = "/installningar";

#[tokio::test]
async fn settings_are_kept_and_shown_again() {
    let app = TestApp::start().await;
    let anna = Browser::of(&app, identity("anna", Role::Employee)).await;
    let page = anna.get(SETTINGS).await;
    page.shows(200, "Lämnar du fältet tomt skickar vi till anna@exempelverket.example.");
    assert_eq!(page.html.matches(" checked").count(), 4, "every mail is wanted, and no language is chosen");
    let chosen = [
        ("language", "en"),
        ("mail-closed", "yes"),
        ("notice-primula", "yes"),
        ("email", "anna@hemma.example"),
    ];
    let request = anna.request(reqwest::Method::POST, SETTINGS);
    let hidden = page.hidden(SETTINGS);
    let fields: Vec<(&str, &str)> =
        hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(chosen).collect();
    let answer = request.form(&fields).send().await.unwrap();
    let cookies = answer.headers().get_all("set-cookie");
    assert!(cookies.iter().any(|cookie| cookie.to_str().unwrap().contains("=en;")), "{cookies:?}");
    let page = anna.get(answer.headers()["location"].to_str().unwrap()).await;
    page.shows(200, "Dina inställningar är sparade.");
    assert!(page.html.contains("value=\"anna@hemma.example\""));
    let checked = |id: &str| {
        let input = &page.html[page.html.find(&format!("id=\"settings-{id}\"")).unwrap()..];
        input[..input.find('>').unwrap()].contains(" checked")
    };
    let all =
        ["mail-closed", "mail-new-message", "notice-primula", "notice-agresso", "language", "language-en"];
    assert_eq!(all.map(checked), [true, false, true, false, false, true]);
    // Nobody else's.
    let berit = Browser::of(&app, identity("berit", Role::Employee)).await;
    assert!(!berit.get(SETTINGS).await.html.contains("anna@hemma.example"));
}

#[tokio::test]
async fn an_address_that_is_none_is_told_and_nothing_is_lost() {
    let app = TestApp::start().await;
    let anna = Browser::of(&app, identity("anna", Role::Employee)).await;
    let page = anna.get(SETTINGS).await;
    let head = app.head().await;
    let refused = anna.submit(&page, SETTINGS, &[("email", "anna hemma"), ("notice-agresso", "yes")]).await;
    refused.shows(422, "Skriv en e-postadress");
    assert!(refused.html.contains("value=\"anna hemma\"") && refused.html.matches(" checked").count() == 2);
    let events = app.auditor().get(&format!("/events?offset={head}&limit=1000")).send().await.ok();
    assert!(!events.to_string().contains("SettingsChosen"));
}
