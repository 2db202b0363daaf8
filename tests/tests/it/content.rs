//! What the pages say and the service catalogue: written by those who may, read by everybody, kept version by version.

use domain::access::Role;
use reqwest::StatusCode;

use crate::officer_pages::browser::{Browser, Page};
use crate::support::{EXEMPELVERKET, TestApp, identity};

const SUPPORT: &str = "/redaktion/support";
const CATALOGUE: &str = "/redaktion/tjanstekatalog";

async fn editor(app: &TestApp) -> Browser<'_> {
    Browser::of(app, identity("dan", Role::StatusEditor)).await
}

/// What is typed, with something else in some fields.
fn typed<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("titleSv", "Så får du hjälp"),
        ("bodySv", "Ring eller skriv.\n\n# Steg\n\n1. Välj **Skapa ärende**.\n2. Läs [Tjänster](/tjanster)."),
        ("titleEn", ""),
        ("bodyEn", "Call or write.\n\n# Steps\n\nChoose *Create a case*."),
    ];
    let kept = usual.into_iter().filter(|(name, _)| other.iter().all(|(own, _)| own != name));
    kept.chain(other.iter().copied()).collect()
}

async fn publish(editor: &Browser<'_>, other: &[(&str, &str)]) -> Page {
    let form = editor.get(SUPPORT).await;
    let sent = editor.submit(&form, SUPPORT, &typed(other)).await;
    editor.done(&sent).await
}

/// A page as somebody sees it who has not logged in.
async fn seen(app: &TestApp, path: &str, cookies: &str) -> String {
    let request = app.client.get(format!("{}{path}", app.url)).header("cookie", cookies);
    request.send().await.unwrap().text().await.unwrap()
}

/// How many versions were published.
async fn versions(editor: &Browser<'_>, address: &str) -> usize {
    editor.get(&format!("{address}/historik")).await.links(&format!("{address}/historik?version=")).len() - 1
}

#[tokio::test]
async fn what_is_published_is_read_by_everybody_in_both_languages() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    editor.get("/support").await.shows(200, "Redaktion");
    let overview = editor.get("/redaktion").await;
    overview.shows(200, "Tjänstekatalogen Den första versionen");
    publish(&editor, &[]).await.shows(200, "Support är publicerad.");
    editor.get("/redaktion").await.shows(200, "Support 2026-11-23 09.36 Dan Provsson");

    let anna = Browser::of(&app, identity("anna", Role::Employee)).await;
    let page = anna.get("/support").await;
    page.shows(200, "Så får du hjälp Ring eller skriv. Ring oss");
    page.shows(200, "Steg Välj Skapa ärende . Läs Tjänster .");
    assert!(page.html.contains("<title>Så får du hjälp – Kundwebben</title>"));
    assert!(!page.says("Knappval 1") && !page.says("Redaktion"), "{}", page.text());
    let english = seen(&app, "/support", "kundwebb_language=en").await;
    assert!(english.contains("<h1 class=\"ds-heading\" data-size=\"lg\">Support</h1>"), "{english}");
    assert!(english.contains("Choose <em>Create a case</em>.") && english.contains(">Steps</h2>"));
    assert_eq!(english.matches("<h1").count(), 1);
    // The other pages say what they said.
    anna.get("/").await.shows(200, "Här ställer du frågor");
}

#[tokio::test]
async fn who_may_not_write_writes_nothing() {
    let app = TestApp::start().await;
    let head = app.head().await;
    for role in Role::ALL {
        if role.may(domain::access::Duty::Content) || *role == Role::System {
            continue;
        }
        let browser = Browser::of(&app, identity(&format!("eva-{role}"), *role)).await;
        assert!(!browser.get("/").await.says("Redaktion"), "{role}");
        for path in ["/redaktion", SUPPORT, CATALOGUE, "/redaktion/support/historik"] {
            assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
        for path in [SUPPORT, CATALOGUE] {
            let answer = browser.post(path, &typed(&[("version", "0")])).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    let events = app.auditor().get(&format!("/events?offset={head}&limit=1000")).send().await.ok();
    let types = events["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
    assert!(types.clone().all(|kind| kind == "PersonSeen"), "{:?}", types.collect::<Vec<_>>());
    assert!(seen(&app, "/support", "").await.contains("Knappval 1: Lön"));
    let doris = Browser::of(&app, identity("doris", Role::SystemAdministrator)).await;
    publish(&doris, &[]).await.shows(200, "Support är publicerad.");
    for nothing in ["/redaktion/x", "/redaktion/x/historik", "/redaktion/support/historik?version=9"] {
        assert_eq!(doris.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }
    assert_eq!(doris.post("/redaktion/x", &typed(&[])).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_a_preview_changes_nothing() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    let form = editor.get(SUPPORT).await;
    let long = "x".repeat(10_001);
    let refused = editor.submit(&form, SUPPORT, &typed(&[("bodySv", " "), ("bodyEn", &long)])).await;
    refused.shows(422, "Skriv en text.");
    refused.shows(422, "Texten får vara högst 10000 tecken. Du har skrivit 10001.");
    assert!(refused.html.contains("value=\"Så får du hjälp\"") && refused.html.contains(&long));
    let head = app.head().await;
    let preview = editor.submit(&form, SUPPORT, &typed(&[("action", "again")])).await;
    preview.shows(200, "Den är inte publicerad.");
    assert!(preview.html.contains("<strong>Skapa ärende</strong>"), "{}", preview.html);
    assert!(preview.html.contains("<div class=\"kw-preview\" lang=\"en\">"));
    let levels: Vec<&str> = preview.html.split("<h").skip(1).map(|part| &part[..1]).collect();
    let skips = levels.windows(2).any(|pair| {
        pair[1] > pair[0] && pair[0].parse::<u8>().unwrap_or(9) + 1 < pair[1].parse().unwrap_or(0)
    });
    assert!(!skips, "{levels:?}");
    let wrong = editor.submit(&form, SUPPORT, &typed(&[("action", "again"), ("bodyEn", "")])).await;
    wrong.shows(200, "Skriv en text.");
    assert_eq!((app.head().await, versions(&editor, SUPPORT).await), (head, 0));
    assert!(seen(&app, "/support", "").await.contains("Knappval 1: Lön"));
    // What was looked at can be published as it stands.
    let sent = editor.submit(&preview, SUPPORT, &typed(&[])).await;
    editor.done(&sent).await;
    assert_eq!(versions(&editor, SUPPORT).await, 1);
}

#[tokio::test]
async fn what_is_sent_twice_is_one_and_nobody_overwrites_anybody() {
    let app = TestApp::start().await;
    let (dan, doris) =
        (editor(&app).await, Browser::of(&app, identity("doris", Role::SystemAdministrator)).await);
    let (ours, theirs) = (dan.get(SUPPORT).await, doris.get(SUPPORT).await);
    for _ in 0..2 {
        let sent = dan.submit(&ours, SUPPORT, &typed(&[])).await;
        dan.done(&sent).await.shows(200, "Support är publicerad.");
    }
    assert_eq!(versions(&dan, SUPPORT).await, 1);
    let late = typed(&[("bodySv", "Doris text.")]);
    let stale = doris.submit(&theirs, SUPPORT, &late).await;
    stale.shows(412, "Någon annan har publicerat en ändring");
    assert!(stale.html.contains("Doris text."));
    assert!(seen(&app, "/support", "").await.contains("Ring eller skriv."));
    // Whoever has been told may go on.
    let sent = doris.submit(&stale, SUPPORT, &late).await;
    doris.done(&sent).await;
    assert!(seen(&app, "/support", "").await.contains("Doris text."));
    // The first form, found again by the back button and changed, replaces nothing unseen.
    let back = dan.submit(&ours, SUPPORT, &typed(&[("bodySv", "Något annat")])).await;
    back.shows(412, "Någon annan har publicerat en ändring");
}

#[tokio::test]
async fn a_form_that_is_sent_in_another_role_keeps_its_text_and_tells_of_changes_meanwhile() {
    let app = TestApp::start().await;
    let employee = identity("dan", Role::Employee);
    let dan = Browser::of_roles(&app, identity("dan", Role::StatusEditor), vec![employee]).await;
    let form = dan.get(SUPPORT).await;
    let (dan, _) = dan.in_role("/roll", Role::Employee).await;
    let refused = dan.submit(&form, SUPPORT, &typed(&[("bodySv", "Dans text.")])).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let doris = Browser::of(&app, identity("doris", Role::SystemAdministrator)).await;
    publish(&doris, &[]).await;
    let (dan, _) = dan.in_role("/roll", Role::StatusEditor).await;
    let again = dan.get(SUPPORT).await;
    again.shows(200, "Någon annan har publicerat en ändring");
    assert!(again.html.contains("Dans text."));
    let sent = dan.submit(&again, SUPPORT, &typed(&[("bodySv", "Dans text.")])).await;
    dan.done(&sent).await;
    let anew = dan.get(SUPPORT).await;
    assert!(anew.html.contains("Dans text.") && !anew.says("Någon annan"), "{}", anew.text());
}

#[tokio::test]
async fn every_version_stays_and_can_be_used_again() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    publish(&editor, &[]).await;
    publish(&editor, &[("bodySv", "Den andra texten.")]).await;
    let history = editor.get("/redaktion/support/historik").await;
    history.shows(200, "Version 2 2026-11-23 09.36 Dan Provsson Version 1");
    let shown = editor.get("/redaktion/support/historik?version=1").await;
    shown.shows(200, "Ring eller skriv.");
    let use_again = shown.links("/redaktion/support?version=").remove(0);
    let form = editor.get(&use_again).await;
    form.shows(200, "En tidigare version ligger i formuläret.");
    assert!(form.html.contains("Ring eller skriv."));
    assert!(seen(&app, "/support", "").await.contains("Den andra texten."), "nothing is published yet");
    let sent = editor.submit(&form, SUPPORT, &typed(&[])).await;
    editor.done(&sent).await;
    assert!(seen(&app, "/support", "").await.contains("Ring eller skriv."));
    assert_eq!(versions(&editor, SUPPORT).await, 3);
    let first = editor.get("/redaktion/support?version=0").await;
    assert!(first.html.contains("Knappval 1: Lön"));
    // Auditors read it all in the log.
    let auditor = Browser::of(&app, identity("rut", Role::Auditor)).await;
    auditor.get("/revision?kind=ContentPublished").await.shows(200, "Text på en sida publicerades");
}

#[tokio::test]
async fn what_means_no_good_is_shown_as_it_stands() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    let evil = "<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n[hit](javascript:alert(1)) \
                ![x](https://evil.example/x.png)\n\n</div></main><h1>Fel</h1>";
    let fields = [("bodySv", evil), ("bodyEn", evil), ("titleSv", "<b>Hej</b>"), ("titleEn", evil)];
    let fields = &fields[..3];
    let form = editor.get(SUPPORT).await;
    let preview = editor.submit(&form, SUPPORT, &typed(&[fields, &[("action", "again")]].concat())).await;
    publish(&editor, fields).await;
    let page = seen(&app, "/support", "").await;
    for html in [page, preview.html, editor.get("/redaktion/support/historik?version=1").await.html] {
        assert!(html.contains("&#60;script&#62;alert(1)"), "{html}");
        for wrong in ["<script>", "<img src=x", "href=\"javascript", "evil.example/x.png\"", "<h1>Fel", "<b>"]
        {
            assert!(!html.contains(wrong), "{wrong}: {html}");
        }
        assert_eq!(html.matches("<h1").count(), 1);
    }
}

#[tokio::test]
async fn the_catalogue_is_changed_but_keeps_what_employers_use() {
    let app = TestApp::start().await;
    let editor = editor(&app).await;
    let form = editor.get(CATALOGUE).await;
    assert!(form.html.contains("value=\"Löneadministration\"") && form.html.contains("value=\"Systemfel\""));
    let services: Vec<(String, String)> = fields(&form);
    let send = async |form: &Page, changes: &[(&str, &str)]| {
        let kept = services.iter().filter(|(name, _)| changes.iter().all(|(own, _)| own != name));
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        editor.submit(form, CATALOGUE, &kept.chain(changes.iter().copied()).collect::<Vec<_>>()).await
    };
    let gone = send(&form, &[("lon-0-sv", "Löner"), ("ekonomi-3-sv", "Bara svenska")]).await;
    gone.shows(422, "Löneadministration används av Demoinspektionen, Exempelverket");
    gone.shows(422, "Skriv namnet på båda språken.");
    assert!(gone.html.contains("value=\"Löner\"") && gone.html.contains("value=\"Bara svenska\""));
    let twice = send(&form, &[("ekonomi-3-sv", "systemfel"), ("ekonomi-3-en", "Faults")]).await;
    twice.shows(422, "Systemfel finns redan.");

    let more = send(&form, &[("action", "again"), ("ekonomi-5-sv", "Sist"), ("ekonomi-5-en", "Last")]).await;
    assert!(more.html.contains("name=\"ekonomi-8-en\"") && more.html.contains("value=\"Sist\""));
    assert_eq!(versions(&editor, CATALOGUE).await, 0);
    let changes = [("lon-0-en", "Pay & more"), ("ekonomi-3-sv", "Budget"), ("ekonomi-3-en", "Budgeting")];
    let sent = send(&form, &changes).await;
    editor.done(&sent).await.shows(200, "Tjänstekatalogen är publicerad.");
    let start = seen(&app, "/", "kundwebb_language=en").await;
    assert!(start.contains("<li>Pay &#38; more</li>") && start.contains("<li>Budgeting</li>"), "{start}");
    assert!(seen(&app, "/", "").await.contains("<li>Budget</li>"));
    let own =
        seen(&app, "/tjanster", &format!("kundwebb_employer={EXEMPELVERKET}; kundwebb_language=en")).await;
    // No employer uses it yet.
    assert!(own.contains("<li>Pay &#38; more</li>") && !own.contains("Budgeting"), "{own}");
    // What nobody uses can go, and come again.
    let form = editor.get(CATALOGUE).await;
    let sent = send(&form, &[("lon-0-en", "Pay")]).await;
    editor.done(&sent).await;
    assert!(!seen(&app, "/", "").await.contains("Budget"));
    let old = editor.get(&format!("{CATALOGUE}/historik?version=1")).await;
    old.shows(200, "Budget – Budgeting");
    let again = editor.get(&format!("{CATALOGUE}?version=1")).await;
    assert!(again.html.contains("value=\"Budgeting\""));
}

/// The filled fields of the catalogue's form.
fn fields(form: &Page) -> Vec<(String, String)> {
    let inputs = form.form(CATALOGUE).split("<input class=\"ds-input\"").skip(1);
    let filled = inputs.map(|input| {
        let of = |name: &str| {
            let rest = input.split(&format!(" {name}=\"")).nth(1).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        (of("name"), of("value"))
    });
    filled.filter(|(_, value)| !value.is_empty()).collect()
}
