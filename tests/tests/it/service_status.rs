//! Operational status (K5, K8): written by those who may, read by everybody, in words, as a feed and by programs.

use domain::access::Role;
use reqwest::StatusCode;

use crate::officer_pages::browser::{Browser, Page};
use crate::support::{TestApp, identity};

const NEW: &str = "/driftstatus/ny";

pub(crate) async fn editor(app: &TestApp) -> Browser<'_> {
    Browser::of(app, identity("dan", Role::StatusEditor)).await
}

/// What is typed about Primula, with something else in some fields.
pub(crate) fn typed<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("kind", "disruption"),
        ("system", "primula"),
        ("starts", "2026-11-23T08:00"),
        ("nextUpdate", "2026-11-23T12:00"),
        ("titleSv", "Primula går inte att nå"),
        ("bodySv", "Det går inte att logga in."),
        ("adviceSv", "Vänta med din rapport."),
        ("titleEn", "Primula <cannot> be reached"),
        ("bodyEn", "Nobody can log in."),
        ("adviceEn", "Wait with your report."),
    ];
    let kept = usual.into_iter().filter(|(name, _)| other.iter().all(|(own, _)| own != name));
    kept.chain(other.iter().copied()).collect()
}

async fn published(editor: &Browser<'_>) -> (String, Page) {
    let form = editor.get(NEW).await;
    let sent = editor.submit(&form, NEW, &typed(&[])).await;
    (sent.path(), editor.done(&sent).await)
}

#[tokio::test]
async fn a_notice_is_written_read_changed_and_resolved() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    editor.get("/driftstatus").await.shows(200, "Skriv om en störning");
    let (address, page) = published(&editor).await;
    page.shows(200, "Nästa besked senast kl. 12.00");
    page.shows(200, "Vänta med din rapport.");
    let anna = Browser::of(&app, identity("anna", Role::Employee)).await.in_english();
    anna.get(&address).await.shows(200, "Primula &#60;cannot&#62; be reached");
    anna.get("/driftstatus").await.shows(200, "Nobody can log in.");
    anna.get("/").await.shows(200, "cannot&#62; be reached");
    assert!(!anna.get(&address).await.has_form(&format!("{address}/klart")));

    let change = format!("{address}/andra");
    let form = editor.get(&change).await;
    assert!(form.html.contains("value=\"2026-11-23T08:00\""), "{}", form.html);
    let sent = editor.submit(&form, &change, &typed(&[("bodySv", "Bara vissa kan inte logga in.")])).await;
    let changed = editor.done(&sent).await;
    changed.shows(200, "Bara vissa kan inte logga in.");
    changed.shows(200, "Det går inte att logga in.");

    let resolve = format!("{address}/klart");
    let sent = editor.submit(&changed, &resolve, &[]).await;
    let over = editor.done(&sent).await;
    over.shows(200, "Det är löst.");
    assert!(!over.has_form(&resolve));
    let list = anna.get("/driftstatus").await;
    assert!(!list.says("Nobody can log in."), "{}", list.text());
    let body = app.nobody().get("/service-status").send().await.ok();
    assert_eq!(body["notices"][0]["progress"], "resolved");
    assert_eq!(body["notices"][0]["advice"]["en"], "Wait with your report.");
}

#[tokio::test]
async fn who_may_not_write_writes_nothing() {
    let app = TestApp::start().await;
    let (address, _) = published(&editor(&app).await).await;
    let head = app.head().await;
    for role in Role::ALL.iter().filter(|role| !matches!(role, Role::StatusEditor | Role::System)) {
        let browser = Browser::of(&app, identity(&format!("eva-{role}"), *role)).await;
        assert!(!browser.get("/driftstatus").await.says("Skriv om en störning"), "{role}");
        for path in [NEW.to_owned(), format!("{address}/andra"), format!("{address}/klart")] {
            let version = [("version", "1")];
            let answer = browser.post(&path, &typed(&version)).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    // Those who are met for the first time are on record, and nothing else.
    let events = app.auditor().get(&format!("/events?offset={head}&limit=1000")).send().await.ok();
    let types = events["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
    assert!(types.clone().all(|kind| kind == "PersonSeen"), "{:?}", types.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_wrong_is_told_and_everything_typed_stays() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    let form = editor.get(NEW).await;
    let fields = [("titleEn", ""), ("starts", "i morgon"), ("ends", "2026-11-22T08:00"), ("system", "")];
    let refused = editor.submit(&form, NEW, &typed(&fields)).await;
    for words in ["Skriv en rubrik.", "Skriv dag och klockslag", "Välj vilket system"] {
        refused.shows(422, words);
    }
    assert!(refused.html.contains("i morgon") && refused.html.contains("Vänta med din rapport."));
    let ends = editor.submit(&form, NEW, &typed(&[("ends", "2026-11-22T08:00")])).await;
    ends.shows(422, "Sluttiden måste vara efter starttiden.");
    for nothing in ["/driftstatus/x", "/driftstatus/00000000-0000-0000-0000-000000000000"] {
        assert_eq!(editor.get(nothing).await.status, StatusCode::NOT_FOUND);
        let answer = editor.post(&format!("{nothing}/andra"), &typed(&[("version", "1")])).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn what_is_sent_twice_is_one_and_nobody_overwrites_anybody() {
    let app = TestApp::start().await;
    let (dan, doris) = (editor(&app).await, Browser::of(&app, identity("doris", Role::StatusEditor)).await);
    let form = dan.get(NEW).await;
    let (first, second) =
        (dan.submit(&form, NEW, &typed(&[])).await, dan.submit(&form, NEW, &typed(&[])).await);
    assert_eq!(first.path(), second.path());
    let change = format!("{}/andra", first.path());
    let (ours, theirs) = (dan.get(&change).await, doris.get(&change).await);
    let sent = dan.submit(&ours, &change, &typed(&[("titleSv", "Primula är långsamt")])).await;
    dan.done(&sent).await;
    let late = typed(&[("titleSv", "Primula fungerar igen")]);
    let stale = doris.submit(&theirs, &change, &late).await;
    stale.shows(412, "Någon annan har ändrat meddelandet");
    assert!(stale.html.contains("Primula fungerar igen"));
    dan.get(&first.path()).await.shows(200, "Primula är långsamt");
    // Whoever has been told may go on.
    let sent = doris.submit(&stale, &change, &late).await;
    doris.done(&sent).await.shows(200, "Primula fungerar igen");
    // The first form, found again by the back button and changed, replaces nothing unseen.
    let back = dan.submit(&form, NEW, &typed(&[("titleSv", "Något annat")])).await;
    back.shows(412, "Någon annan har ändrat meddelandet");
    // Nor does what was kept when a login ended: it says what has happened since it was begun.
    let begun = dan.get(&change).await;
    let open = doris.get(&change).await;
    dan.post("/logga-ut", &[]).await;
    dan.submit(&begun, &change, &typed(&[("titleSv", "Dans ord")])).await;
    let dan = editor(&app).await;
    assert!(!dan.get(&change).await.says("Någon annan har ändrat meddelandet"));
    doris.done(&doris.submit(&open, &change, &typed(&[("titleSv", "Ännu ett ord")])).await).await;
    let kept = dan.get(&change).await;
    kept.shows(200, "Någon annan har ändrat meddelandet");
    assert!(kept.html.contains("Dans ord"));
}

#[tokio::test]
async fn the_feed_is_well_formed_in_both_languages() {
    let app = TestApp::start().await;
    let (address, _) = published(&editor(&app).await).await;
    for (language, words) in [("sv", "Primula: Primula går inte att nå"), ("en", "Nobody can log in.")] {
        let url = format!("{}/driftstatus/atom?kod={language}", app.url);
        let answer = app.client.get(&url).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/atom+xml; charset=utf-8");
        let text = answer.text().await.unwrap();
        assert!(
            text.contains(words) && text.contains(&address) && text.contains("<category term=\"ongoing\"/>")
        );
        assert!(text.contains("<content type=\"html\">&#60;p&#62;"), "{text}");
        let names = element_names(&text);
        assert_eq!(names.iter().filter(|name| *name == "entry").count(), 1, "{text}");
    }
}

/// The names of the elements of a document, which must be closed as they were opened, with no bare mark in the text.
fn element_names(text: &str) -> Vec<String> {
    let (mut open, mut names) = (Vec::new(), Vec::new());
    let body = text.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>").unwrap();
    for piece in body.split('<').skip(1) {
        let (tag, words) = piece.split_once('>').unwrap();
        assert!(words.split('&').skip(1).all(|rest| rest.find(';').is_some_and(|end| end < 7)), "{words}");
        let name = tag.trim_matches('/').split_whitespace().next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else {
            names.push(name.to_owned());
            if !tag.ends_with('/') {
                open.push(name.to_owned());
            }
        }
    }
    assert!(open.is_empty());
    names
}
