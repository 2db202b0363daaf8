//! The payroll forms and the payroll schedule: published by those who write content, found under Tjänster by employees of
//! employers with payroll, each version kept.

mod kept;
mod schedule;

use domain::access::Role;
use reqwest::header::{COOKIE, IF_NONE_MATCH};
use reqwest::{Method, Response, StatusCode};

use crate::officer_pages::browser::{Browser, Page};
use crate::support::{EXEMPELVERKET, PDF, TESTBYRAN, TestApp, identity};

const FORMS: &str = "/redaktion/blanketter";
const NEW: &str = "/redaktion/blanketter/ny";
const FEES: &str = "/redaktion/blanketter/L-120";
const NAMES: [(&str, &str); 2] = [("nameSv", "Arvode"), ("nameEn", "Fees")];

async fn editor<'a>(app: &'a TestApp, login: &str) -> Browser<'a> {
    Browser::of(app, identity(login, Role::StatusEditor)).await
}

/// Sends the form of a page with these fields, and a file if there is one.
async fn send(
    by: &Browser<'_>,
    page: &Page,
    address: &str,
    fields: &[(&str, &str)],
    file: Option<(&str, &[u8])>,
) -> Page {
    let hidden = page.hidden(address);
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = hidden.chain(fields.iter().copied()).collect();
    match file {
        Some(file) => by.post_with_file(address, &all, file).await,
        None => by.post(address, &all).await,
    }
}

/// Publishes a file of the form for fees; the page of the form.
async fn fees(by: &Browser<'_>, name: &str, content: &[u8]) -> Page {
    let page = by.get(FEES).await;
    by.done(&send(by, &page, FEES, &NAMES, Some((name, content))).await).await
}

/// A PDF that is told from others by its text.
fn pdf(text: &str) -> Vec<u8> {
    [PDF, text.as_bytes()].concat()
}

/// What somebody at an employer gets, who is not logged in.
async fn at(app: &TestApp, employer: &str, language: &str, path: &str) -> Response {
    let request = app.client.get(format!("{}{path}", app.url));
    let cookies = format!("kundwebb_employer={employer}; kundwebb_language={language}");
    request.header(COOKIE, cookies).send().await.unwrap()
}

async fn services(app: &TestApp, language: &str) -> String {
    at(app, EXEMPELVERKET, language, "/tjanster").await.text().await.unwrap().replace('\u{a0}', " ")
}

#[tokio::test]
async fn a_form_is_published_downloaded_replaced_and_withdrawn() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    assert!(services(&app, "sv").await.contains("Finns hos din lönehandläggare"));
    let file = "/tjanster/blanketter/L-120";
    assert_eq!(at(&app, EXEMPELVERKET, "sv", file).await.status(), 404);

    fees(&dan, "Kopia av blankett (3).pdf", &pdf("ett")).await.shows(200, "Dan Provsson");
    let page = services(&app, "sv").await;
    assert!(page.contains(&format!("href=\"{file}\">Arvode (PDF, 41 byte)</a>")), "{page}");
    assert!(page.contains("Version 23 november 2026"));
    assert!(services(&app, "en").await.contains("Fees (PDF, 41 bytes)"));
    let answer = at(&app, EXEMPELVERKET, "sv", file).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"L-120 Arvode.pdf\"; filename*=UTF-8''L-120%20Arvode.pdf"
    );
    assert_eq!(
        (header("content-type"), header("x-content-type-options")),
        ("application/pdf".into(), "nosniff".into())
    );
    let tag = header("etag");
    assert_eq!(answer.bytes().await.unwrap(), pdf("ett"));
    let again = app.client.get(format!("{}{file}", app.url)).header(IF_NONE_MATCH, tag);
    let again = again.header(COOKIE, format!("kundwebb_employer={EXEMPELVERKET}")).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    // Whoever is to choose an employer first is led there; who has no payroll has no forms.
    let chosen = at(&app, "", "sv", file).await;
    assert_eq!(chosen.headers()["location"], "/valj-arbetsgivare?till=/tjanster");
    assert_eq!(at(&app, TESTBYRAN, "sv", file).await.status(), 404);

    // A new name keeps the file, and a new file the history.
    let names = [("nameSv", "Arvode/timlön"), ("nameEn", "Fees")];
    let page = dan.get(FEES).await;
    dan.done(&send(&dan, &page, FEES, &names, None).await).await;
    app.pass(chrono::TimeDelta::days(2));
    let dan = editor(&app, "dan").await;
    let page = dan.get(FEES).await;
    let page = dan.done(&send(&dan, &page, FEES, &names, Some(("ny.pdf", &pdf("två")))).await).await;
    page.shows(200, "filen från 25 november 2026");
    let answer = at(&app, EXEMPELVERKET, "sv", file).await;
    assert!(
        answer.headers()["content-disposition"].to_str().unwrap().contains("\"L-120 Arvode-timl_n.pdf\"")
    );
    assert_eq!(answer.bytes().await.unwrap(), pdf("två"));
    assert!(services(&app, "sv").await.contains("Version 25 november 2026"));
    for (version, content) in [(1, "ett"), (2, "ett"), (3, "två")] {
        let answer = dan.request(Method::GET, &format!("{FEES}/versioner/{version}")).send().await.unwrap();
        assert_eq!(answer.bytes().await.unwrap(), pdf(content), "{version}");
    }
    for nothing in ["4", "0", "x"] {
        assert_eq!(dan.get(&format!("{FEES}/versioner/{nothing}")).await.status, 404);
    }

    let out = format!("{FEES}/dra-in");
    let page = dan.get(FEES).await;
    let page = dan.done(&dan.submit(&page, &out, &[]).await).await;
    page.shows(200, "Blanketten är indragen.");
    assert!(!page.has_form(&out) && !services(&app, "sv").await.contains("Arvode"));
    assert_eq!(at(&app, EXEMPELVERKET, "sv", file).await.status(), 404);
    dan.done(&send(&dan, &page, FEES, &NAMES, None).await).await;
    assert_eq!(at(&app, EXEMPELVERKET, "sv", file).await.bytes().await.unwrap(), pdf("två"));
}

#[tokio::test]
async fn a_form_that_ships_can_be_withdrawn_and_a_new_one_made() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    let page = dan.get(FEES).await;
    dan.done(&dan.submit(&page, &format!("{FEES}/dra-in"), &[]).await).await.shows(200, "är indragen");
    assert!(!services(&app, "sv").await.contains("Arvode"));
    let page = dan.get(FEES).await;
    let file = Some(("a.pdf", PDF));
    dan.done(&send(&dan, &page, FEES, &NAMES, file).await).await;
    assert!(services(&app, "sv").await.contains("Arvode"), "it has a file, though nothing was sealed before");

    let typed = [("code", "b-7"), ("nameSv", "Bilersättning"), ("nameEn", "Car allowance")];
    let form = dan.get(NEW).await;
    let sent = send(&dan, &form, NEW, &typed, file).await;
    assert_eq!(sent.path(), "/redaktion/blanketter/B-7");
    dan.done(&sent).await.shows(200, "B-7 Bilersättning");
    // The same form once more is the same, and leaves no file behind.
    assert_eq!(send(&dan, &form, NEW, &typed, file).await.path(), sent.path());
    assert_eq!((app.objects(), app.staged()), (2, 0));
    let other = [("code", "B-7"), ("nameSv", "Något annat"), ("nameEn", "Car allowance")];
    send(&dan, &form, NEW, &other, None).await.shows(422, "Det finns redan en blankett med koden B-7.");
    let shipped = [("code", "L-101"), ("nameSv", "Något annat"), ("nameEn", "Car allowance")];
    send(&dan, &form, NEW, &shipped, None).await.shows(422, "med koden L-101");
    dan.get(FORMS).await.shows(200, "B-7 Bilersättning PDF, 38 byte");
}

#[tokio::test]
async fn what_is_wrong_is_told_and_the_file_and_everything_typed_stay() {
    let app = TestApp::start().await;
    app.leaves_staged(2);
    let dan = editor(&app, "dan").await;
    let form = dan.get(NEW).await;
    let fields = [("code", "../x"), ("nameSv", "Förmånsbil"), ("nameEn", "")];
    let refused = send(&dan, &form, NEW, &fields, Some(("bil.pdf", PDF))).await;
    for words in ["Skriv en kod med", "Skriv ett namn.", "bil.pdf Bifogad"] {
        refused.shows(422, words);
    }
    assert!(refused.html.contains("value=\"Förmånsbil\"") && refused.html.contains("value=\"../x\""));
    let right = [("code", "L-200"), ("nameSv", "Förmånsbil"), ("nameEn", "Company car")];
    // A picture is no form, though it may be attached to a case; a program is neither.
    let picture = [&[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a][..], &[0; 60]].concat();
    let page = send(&dan, &form, NEW, &right, Some(("bild.png", &picture))).await;
    page.shows(422, "bild.png kan inte publiceras. Blanketten måste vara PDF, Word eller Excel.");
    let page = send(&dan, &form, NEW, &right, Some(("bil.pdf", b"MZ\x90"))).await;
    page.shows(422, "bil.pdf kan inte bifogas.");
    // The file that was refused with the rest need not be sent again; of two the last one is meant.
    let removed = send(&dan, &refused, NEW, &[("remove", "none")], None).await;
    removed.shows(200, "bil.pdf Bifogad");
    let sent = send(&dan, &refused, NEW, &right, Some(("ny.pdf", &pdf("ny")))).await;
    dan.done(&sent).await.shows(200, "L-200 Förmånsbil");
    assert_eq!(
        at(&app, EXEMPELVERKET, "sv", "/tjanster/blanketter/l-200").await.bytes().await.unwrap(),
        pdf("ny")
    );
    assert_eq!(dan.get("/redaktion/blanketter/L-999").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_overwrites_anybody_and_who_may_not_publishes_nothing() {
    let app = TestApp::start().await;
    let (dan, doris) = (editor(&app, "dan").await, editor(&app, "doris").await);
    let (ours, theirs) = (dan.get(FEES).await, doris.get(FEES).await);
    dan.done(&send(&dan, &ours, FEES, &NAMES, Some(("a.pdf", &pdf("dan")))).await).await;
    let stale = send(&doris, &theirs, FEES, &NAMES, Some(("b.pdf", &pdf("doris")))).await;
    stale.shows(412, "Någon annan har ändrat blanketten");
    stale.shows(412, "b.pdf Bifogad");
    let file = "/tjanster/blanketter/L-120";
    assert_eq!(at(&app, EXEMPELVERKET, "sv", file).await.bytes().await.unwrap(), pdf("dan"));
    // Whoever has been told may go on, with the file that is there; an old page takes nothing out of use.
    doris.done(&send(&doris, &stale, FEES, &NAMES, None).await).await;
    assert_eq!(at(&app, EXEMPELVERKET, "sv", file).await.bytes().await.unwrap(), pdf("doris"));
    let late = dan.submit(&theirs, &format!("{FEES}/dra-in"), &[]).await;
    assert!(!dan.done(&late).await.says("är indragen"));

    let head = app.head().await;
    for role in Role::ALL
        .iter()
        .filter(|role| !matches!(role, Role::StatusEditor | Role::SystemAdministrator | Role::System))
    {
        let browser = Browser::of(&app, identity(&format!("eva-{role}"), *role)).await;
        for path in [FORMS, NEW, FEES, &format!("{FEES}/versioner/1")] {
            assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
        for path in [NEW, FEES, &format!("{FEES}/dra-in")] {
            let fields = [("version", "2"), ("code", "L-9"), NAMES[0], NAMES[1]];
            assert_eq!(browser.post(path, &fields).await.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    let events = app.auditor().get(&format!("/events?offset={head}&limit=1000")).send().await.ok();
    let types = events["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
    assert!(types.clone().all(|kind| kind == "PersonSeen"), "{:?}", types.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_form_that_is_sent_in_another_role_is_found_again_with_its_file() {
    let app = TestApp::start().await;
    app.leaves_staged(1);
    let (writes, reads) = (identity("dan", Role::StatusEditor), identity("dan", Role::Auditor));
    let dan = Browser::of_roles(&app, writes, vec![reads]).await;
    let form = dan.get(NEW).await;
    let (dan, _) = dan.in_role("/roll", Role::Auditor).await;
    let typed = [("code", "L-200"), ("nameSv", "Förmånsbil"), ("nameEn", "Company car")];
    let sent = send(&dan, &form, NEW, &typed, Some(("bil.pdf", PDF))).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN);
    let (dan, _) = dan.in_role("/roll", Role::StatusEditor).await;
    let found = dan.get(NEW).await;
    found.shows(200, "bil.pdf Bifogad");
    assert!(found.html.contains("value=\"Förmånsbil\""));
}

#[tokio::test]
async fn the_audit_tells_of_it_in_words() {
    let app = TestApp::start().await;
    let dan = editor(&app, "dan").await;
    fees(&dan, "a.pdf", PDF).await;
    let page = dan.get(FEES).await;
    dan.done(&dan.submit(&page, &format!("{FEES}/dra-in"), &[]).await).await;
    let rut = Browser::of(&app, identity("rut", Role::Auditor)).await;
    rut.get("/revision?kind=PayrollFormPublished").await.shows(200, "Löneblankett publicerades");
    rut.get("/revision").await.shows(200, "Löneblankett drogs in");
    let feed =
        app.auditor().get("/events?limit=1000").with("reason", "Tillsyn").send().await.ok().to_string();
    assert!(feed.contains("\"fileName\":\"a.pdf\"") && !feed.contains("\"key\""), "no key of a file is told");
}
