//! The pages of employees over HTTP: what a form keeps when something goes wrong, who may see what, what each page says.

mod followed;
mod kept;
mod schedule;

use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE, COOKIE, SET_COOKIE};
use chrono::TimeDelta;
use domain::access::Role;
use infrastructure::tokens::Identity;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use crate::officer_pages::browser::{Browser, Page};
use crate::support::{EXEMPELVERKET, PDF, TESTBYRAN, TestApp, identity};

const CREATE: &str = "/skapa-arende";
const FILED: [(&str, &str); 3] = [
    ("area", "ekonomi"),
    ("subject", "Omföring mellan projekt"),
    ("message", "Kan ni flytta posten?\r\nTack!"),
];

async fn employee_of<'a>(app: &'a TestApp, login: &str, employers: &[&str]) -> Browser<'a> {
    let employers = employers.iter().map(|number| domain::OrganisationNumber::parse(number).unwrap());
    let employers = Some(employers.collect());
    Browser::of(app, Identity { employers, ..identity(login, Role::Employee) }).await
}

async fn employee<'a>(app: &'a TestApp, login: &str) -> Browser<'a> {
    employee_of(app, login, &[EXEMPELVERKET]).await
}

/// The hidden fields of the form to create a case, with others.
fn filled<'a>(hidden: &'a [(String, String)], fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    hidden.chain(fields.iter().copied()).collect()
}

/// The receipt of a case that was filed without a file.
async fn file_case(browser: &Browser<'_>, fields: &[(&str, &str)]) -> Page {
    let form = browser.get(CREATE).await;
    let sent = browser.submit(&form, CREATE, fields).await;
    browser.done(&sent).await
}

/// The number that a page names first.
fn number(page: &Page) -> String {
    let text = page.text();
    let words = text.split(' ').find(|word| word.len() == 13 && word.starts_with("2026-"));
    words.unwrap_or_else(|| panic!("no number in: {text}")).to_owned()
}

#[tokio::test]
async fn the_employer_is_chosen_first_and_remembered_for_sixty_days() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let get = |path: &str| app.client.get(format!("{}{path}", app.url)).send();
    let away = get("/mina-arenden").await.unwrap();
    assert_eq!(away.headers()["location"], "/valj-arbetsgivare?till=/mina-arenden");
    let form = [("employer", EXEMPELVERKET), ("till", "/mina-arenden")];
    let chosen = app.client.post(format!("{}/valj-arbetsgivare", app.url)).form(&form).send().await.unwrap();
    assert_eq!(chosen.headers()["location"], "/logga-in?till=/mina-arenden");
    let cookie = chosen.headers()[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains(&format!("Max-Age={}", 60 * 24 * 60 * 60)), "{cookie}");
    let straight = app.client.get(format!("{}/mina-arenden", app.url));
    let straight = straight.header(COOKIE, cookie.split(';').next().unwrap()).send().await.unwrap();
    assert_eq!(straight.headers()["location"], "/logga-in?till=/mina-arenden");
    let nothing = app.client.post(format!("{}/valj-arbetsgivare", app.url)).form(&[("till", "/")]).send();
    let nothing = nothing.await.unwrap();
    assert_eq!(nothing.status(), 422);
    assert!(nothing.text().await.unwrap().contains("Välj arbetsgivare."));
}

#[tokio::test]
async fn where_nobody_can_log_in_one_is_told_whom_to_call() {
    let app = TestApp::start().await;
    let away = app.client.get(format!("{}/logga-in", app.url)).send().await.unwrap();
    assert_eq!(away.headers()["location"], "/logga-in/fel");
    let page = app.client.get(format!("{}/logga-in/fel", app.url)).send().await.unwrap();
    assert_eq!(page.status(), 403);
    let words = page.text().await.unwrap();
    assert!(words.contains("välj knappval 3, IT-tjänstestöd") && words.contains("<title>Fel: "), "{words}");
}

#[tokio::test]
async fn a_refused_form_shows_everything_again_with_its_files() {
    let app = TestApp::start_with(|config| config.files.at_once = 2).await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    form.shows(200, "Ärendet skapas för Exempelverket");
    let hidden = form.hidden(CREATE);
    let fields =
        filled(&hidden, &[("area", "lon"), ("subject", " 19811218-9876 "), ("message", "Hej <b>där</b>")]);
    let refused = anna.post_with_file(CREATE, &fields, ("lön.pdf", PDF)).await;
    refused.shows(422, "Välj om du vill få svar på en fråga eller skicka in ett beslut eller underlag.");
    refused.shows(422, "Ta bort personnumret ur ämnet.");
    refused.shows(422, "lön.pdf Bifogad");
    assert!(refused.html.contains("<title>Fel: Skapa ärende – Kundwebben</title>"));
    assert!(refused.html.contains("Hej &#60;b&#62;där&#60;/b&#62;</textarea>"));
    assert!(
        refused.html.contains("href=\"#create-subArea\"") && refused.html.contains("id=\"create-subArea\"")
    );

    let hidden = refused.hidden(CREATE);
    let fields = filled(&hidden, &[("area", "lon"), ("subArea", "beslut-underlag"), FILED[1], FILED[2]]);
    let wrong = anna.post_with_file(CREATE, &fields, ("program.exe", b"MZ")).await;
    wrong.shows(422, "program.exe kan inte bifogas.");
    wrong.shows(422, "lön.pdf Bifogad");
    let two = anna.post_with_file(CREATE, &fields, ("två.pdf", PDF)).await;
    anna.done(&two).await.shows(200, "Bilagor lön.pdf, två.pdf");

    let form = anna.get(CREATE).await;
    let hidden = form.hidden(CREATE);
    let upload = filled(&hidden, &[("action", "upload"), FILED[0]]);
    let one = anna.post_with_file(CREATE, &upload, ("ett.pdf", PDF)).await;
    let hidden = one.hidden(CREATE);
    let two = anna.post_with_file(CREATE, &filled(&hidden, &[("action", "upload")]), ("två.pdf", PDF)).await;
    let hidden = two.hidden(CREATE);
    let three =
        anna.post_with_file(CREATE, &filled(&hidden, &[("action", "upload")]), ("tre.pdf", PDF)).await;
    three.shows(422, "Du kan bifoga högst 2 filer.");
    assert!(three.says("ett.pdf Bifogad") && three.says("två.pdf Bifogad") && !three.says("tre.pdf"));
    app.leaves_staged(2);
}

#[tokio::test]
async fn an_upload_that_is_cut_off_loses_nothing_that_came_before_it() {
    let app = TestApp::start().await;
    let session = app.app.begin_session(identity_of("anna")).await.unwrap();
    let body = "--x\r\nContent-Disposition: form-data; name=\"subject\"\r\n\r\nLeverantör saknas\r\n\
                --x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"brev.pdf\"\r\n\r\n%PDF-1.7 and then";
    let request = app.client.post(format!("{}{CREATE}", app.url));
    let request = request.header(COOKIE, format!("kundwebb_session={session}"));
    let answer =
        request.header(CONTENT_TYPE, "multipart/form-data; boundary=x").body(body).send().await.unwrap();
    assert_eq!(answer.status(), 422);
    let page = answer.text().await.unwrap();
    assert!(page.contains("value=\"Leverantör saknas\""), "{page}");
    assert!(page.contains("brev.pdf gick inte att läsa. Stäng filen om den är öppen i ett annat program"));
    assert_eq!((app.staged(), app.objects()), (0, 0));
}

fn identity_of(login: &str) -> Identity {
    let employer = domain::OrganisationNumber::parse(EXEMPELVERKET).unwrap();
    Identity { employers: Some(vec![employer]), ..identity(login, Role::Employee) }
}

#[tokio::test]
async fn a_form_sent_twice_makes_one_case_and_a_changed_one_tells_the_number() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let hidden = form.hidden(CREATE);
    let fields = filled(&hidden, &FILED);
    let sends = || anna.post_with_file(CREATE, &fields, ("underlag.pdf", PDF));
    let (first, second) = tokio::join!(sends(), sends());
    assert_eq!(first.location.as_ref().unwrap(), second.location.as_ref().unwrap());
    let receipt = anna.done(&first).await;
    let sent = number(&receipt);
    anna.get("/mina-arenden").await.shows(200, "1–1 av 1 ärenden");

    let changed = filled(&hidden, &[FILED[0], ("subject", "En annan fråga"), FILED[2]]);
    let told = anna.post(CREATE, &changed).await;
    told.shows(422, &format!("Ärendet är redan skickat. Ditt ärendenummer är {sent}."));
    let again = anna.submit(&told, CREATE, &[FILED[0], ("subject", "En annan fråga"), FILED[2]]).await;
    anna.done(&again).await.shows(200, "En annan fråga");
    anna.get("/mina-arenden").await.shows(200, "1–2 av 2 ärenden");
    // Of the file that came twice one copy is attached and the other waits for the cleaner.
    app.leaves_staged(1);
}

#[tokio::test]
async fn an_expired_session_keeps_the_form_for_its_owner_alone() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    app.pass(TimeDelta::hours(9));
    let hidden = form.hidden(CREATE);
    let away = anna.post_with_file(CREATE, &filled(&hidden, &FILED), ("underlag.pdf", PDF)).await;
    assert_eq!(away.path(), "/valj-arbetsgivare");
    let bertil = employee(&app, "bertil").await;
    assert!(!bertil.get(CREATE).await.says("underlag.pdf"));

    app.pass(TimeDelta::days(3));
    let anna = employee(&app, "anna").await;
    let back = anna.get(CREATE).await;
    back.shows(200, "Utkastet sparades 23 november 2026 kl. 18.36. Det finns kvar i 27 dagar.");
    back.shows(200, "underlag.pdf Bifogad");
    assert!(back.html.contains("value=\"Omföring mellan projekt\""));
    let sent = anna.submit(&back, CREATE, &FILED).await;
    anna.done(&sent).await.shows(200, "Bilagor underlag.pdf");
    assert!(!anna.get(CREATE).await.says("Utkastet är sparat"));
}

#[tokio::test]
async fn a_form_that_is_no_text_or_is_cut_off_is_told_in_words() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let typed = "application/x-www-form-urlencoded";
    anna.post_raw(CREATE, typed, "area=ekonomi&subject=L%F6n".into())
        .await
        .shows(400, "Begäran går inte att läsa");
    let parts = "multipart/form-data; boundary=b";
    let part = |name: &str, value: &[u8]| {
        let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
        [head.as_bytes(), value, b"\r\n"].concat()
    };
    let latin = [part("subject", b"L\xf6n"), b"--b--\r\n".to_vec()].concat();
    anna.post_raw(CREATE, parts, latin).await.shows(400, "Begäran går inte att läsa");
    let cut_off = [part("subject", "Lön".as_bytes()), part("message", "Hej på".as_bytes())].concat();
    let kept = anna.post_raw(CREATE, parts, cut_off[..cut_off.len() - 3].to_vec()).await;
    kept.shows(422, "Allt som du skickade kom inte fram.");
    assert!(kept.html.contains("value=\"Lön\""), "what came whole is kept");
}

#[tokio::test]
async fn a_draft_is_kept_with_its_files_until_it_is_thrown_away() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let hidden = form.hidden(CREATE);
    let save = filled(&hidden, &[("action", "draft"), FILED[1]]);
    let saved = anna.post_with_file(CREATE, &save, ("brev.pdf", PDF)).await;
    saved.shows(200, "Utkastet är sparat kl. 09.36. Det finns kvar i 30 dagar.");
    app.pass(TimeDelta::days(20));
    app.clean().await.unwrap();
    let anna = employee(&app, "anna").await;
    let back = anna.get(CREATE).await;
    back.shows(200, "brev.pdf Bifogad");
    anna.get("/mina-arenden").await.shows(200, "Du har ett utkast som inte är skickat. Fortsätt skriva");
    let gone = anna.submit(&back, CREATE, &[("action", "discard")]).await;
    assert!(!anna.get("/mina-arenden").await.says("Du har ett utkast"));
    let empty = anna.done(&gone).await;
    assert!(!empty.says("brev.pdf") && !empty.says("Utkastet är sparat"));
    app.leaves_staged(1);
}

#[tokio::test]
async fn auditors_read_a_case_and_are_led_to_its_events() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let receipt = file_case(&anna, &FILED).await;
    let case = receipt.links("/arenden/")[0].clone();
    let auditor = Browser::of(&app, identity("rut", Role::Auditor)).await;
    let page = auditor.get(&case).await;
    page.shows(200, "Omföring mellan projekt");
    assert!(!page.has_form(&format!("{case}/meddelande")));
    let replay = page.links("/revision/arenden/")[0].clone();
    auditor.get(&replay).await.shows(200, "2026-000001-1");
    auditor.get(CREATE).await.shows(403, "");
}

#[tokio::test]
async fn a_supplement_of_an_expired_session_is_found_on_its_case() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let receipt = file_case(&anna, &FILED).await;
    let case = receipt.links("/arenden/")[0].clone();
    let page = anna.get(&case).await;
    app.pass(TimeDelta::hours(9));
    let away = anna.submit(&page, &format!("{case}/meddelande"), &[("text", "En sak till.")]).await;
    assert_eq!(away.location.unwrap(), format!("/valj-arbetsgivare?till={case}%3Fform%3Dmessage"));
    let anna = employee(&app, "anna").await;
    let back = anna.get(&case).await;
    back.shows(200, "Ditt utkast finns kvar här och är inte skickat.");
    assert!(back.html.contains("En sak till.</textarea>"));
    let sent = anna.submit(&back, &format!("{case}/meddelande"), &[("text", "En sak till.")]).await;
    let case_page = anna.done(&sent).await;
    assert!(case_page.says("En sak till.") && !case_page.says("Ditt utkast finns kvar"));
}

#[tokio::test]
async fn while_the_log_cannot_be_written_the_form_keeps_everything_and_its_file() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let other = rusqlite::Connection::open(app.folder().join("log.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let hidden = form.hidden(CREATE);
    let kept = anna.post_with_file(CREATE, &filled(&hidden, &FILED), ("underlag.pdf", PDF)).await;
    kept.shows(503, "underlag.pdf Bifogad");
    assert!(kept.html.contains("value=\"Omföring mellan projekt\"") && kept.html.contains("<title>Fel: "));
    assert_eq!(kept.hidden(CREATE)[0], hidden[0], "the key under which it is sent again");
    other.execute_batch("ROLLBACK").unwrap();
    let sent = anna.submit(&kept, CREATE, &FILED).await;
    anna.done(&sent).await.shows(200, "Bilagor underlag.pdf");
    anna.get("/mina-arenden").await.shows(200, "1–1 av 1 ärenden");
}

#[tokio::test]
async fn a_receipt_is_its_owner_s_and_no_longer_than_the_file() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let upload = async |browser: &Browser<'_>| {
        let form = browser.get(CREATE).await;
        let hidden = form.hidden(CREATE);
        let page = browser
            .post_with_file(CREATE, &filled(&hidden, &[("action", "upload")]), ("brev.pdf", PDF))
            .await;
        page.hidden(CREATE).into_iter().find(|(name, _)| name == "receipt").unwrap().1
    };
    let receipt = upload(&anna).await;
    let bertil = employee(&app, "bertil").await;
    let stolen = bertil.post(CREATE, &[("receipt", &receipt), FILED[0], FILED[1], FILED[2]]).await;
    stolen.shows(422, "En fil finns inte kvar. Bifoga den igen.");
    app.pass(TimeDelta::hours(25));
    app.clean().await.unwrap();
    assert_eq!(app.objects(), 0);
    let anna = employee(&app, "anna").await;
    let late = anna.post(CREATE, &[("receipt", &receipt), FILED[0], FILED[1], FILED[2]]).await;
    late.shows(422, "En fil finns inte kvar. Bifoga den igen.");
    // Looking for it wrote its row again; the cleaner takes it.
    app.leaves_staged(app.staged());
}

#[tokio::test]
async fn what_was_chosen_for_another_area_is_no_error_and_only_the_employer_s_areas_are_offered() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let left = [("subArea", "supportarende"), ("system", "primula")];
    let payroll = [("area", "lon"), left[0], left[1], FILED[1], FILED[2]];
    file_case(&anna, &payroll).await.shows(200, "Område Lön");
    let economy = [FILED[0], left[0], FILED[1], FILED[2]];
    file_case(&anna, &economy).await.shows(200, "Område Ekonomi");

    let test = employee_of(&app, "tove", &[TESTBYRAN]).await;
    let form = test.get(CREATE).await;
    assert!(!form.html.contains("value=\"lon\"") && form.html.contains("value=\"ekonomi\""));
    let refused = test.submit(&form, CREATE, &payroll).await;
    refused.shows(422, "Testbyrån använder inte tjänsten Lön. Välj ett annat område.");
}

#[tokio::test]
async fn with_several_employers_one_says_for_which() {
    let app = TestApp::start().await;
    let both = employee_of(&app, "bo", &[EXEMPELVERKET, TESTBYRAN]).await;
    let form = both.get(CREATE).await;
    form.shows(200, "Var arbetar du?");
    both.submit(&form, CREATE, &FILED).await.shows(422, "Välj arbetsgivare.");
    file_case(&both, &[("employer", TESTBYRAN), FILED[0], FILED[1], FILED[2]]).await;
    both.get(&format!("/mina-arenden?employer={TESTBYRAN}")).await.shows(200, "1–1 av 1 ärenden");
    both.get(&format!("/mina-arenden?employer={EXEMPELVERKET}")).await.shows(200, "Du har inga ärenden");
}

#[tokio::test]
async fn a_case_is_there_for_its_reporter_and_for_nobody_else() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let form = anna.get(CREATE).await;
    let hidden = form.hidden(CREATE);
    let poison =
        [FILED[0], ("subject", "<script>alert(1)</script>"), ("message", "rad 1\r\n<img src=x onerror=y>")];
    let sent = anna.post_with_file(CREATE, &filled(&hidden, &poison), ("\"brev\" å.pdf", PDF)).await;
    let receipt = anna.done(&sent).await;
    let case = receipt.links("/arenden/")[0].clone();
    let page = anna.get(&case).await;
    assert!(page.html.contains("&#60;script&#62;alert(1)") && page.html.contains("rad 1\n&#60;img src=x"));
    assert!(!page.html.contains("<script>alert") && !page.html.contains("<img src=x"));
    let file = page.links(&format!("{case}/filer/"))[0].clone();
    let bertil = employee(&app, "bertil").await;
    for path in [case.clone(), format!("{case}/mottaget"), file.clone()] {
        bertil.get(&path).await.shows(404, "Sidan finns inte");
    }
    let refused = bertil.post(&format!("{case}/meddelande"), &[("text", "Får jag?")]).await;
    assert_eq!(refused.status, 404);

    let session = app.app.begin_session(identity_of("anna")).await.unwrap();
    let request = app.client.get(format!("{}{file}", app.url));
    let answer = request.header(COOKIE, format!("kundwebb_session={session}")).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert!(header("content-disposition").starts_with("attachment; filename*=UTF-8''"));
    assert_eq!(
        (header("x-content-type-options"), header("content-type")),
        ("nosniff".into(), "application/pdf".into())
    );
    assert_eq!(answer.bytes().await.unwrap(), PDF);
}

#[tokio::test]
async fn the_list_has_pages_filters_and_marks() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    for place in 0..21 {
        app.pass(TimeDelta::minutes(1));
        app.employee("anna").case(&format!("Fråga {place}")).await;
    }
    let first = anna.get("/mina-arenden").await;
    first.shows(200, "1–20 av 21 ärenden");
    assert!(first.html.contains("<title>Mina ärenden, sida 1 av 2 – Kundwebben</title>"));
    assert!(first.text().find("Fråga 20").unwrap() < first.text().find("Fråga 19").unwrap(), "newest first");
    let last = anna.get("/mina-arenden?page=2").await;
    assert!(last.says("21–21 av 21 ärenden") && last.says("Fråga 0"));
    anna.get("/mina-arenden?page=9").await.shows(200, "1–20 av 21 ärenden");
    anna.get("/mina-arenden?page=x&status=y&area=z").await.shows(200, "1–20 av 21 ärenden");
    anna.get("/mina-arenden?area=lon").await.shows(200, "Inget ärende passar.");
    anna.get("/mina-arenden?q=finnsinte").await.shows(200, "Inget ärende passar.");

    let officer = app.officer("olle");
    let call = json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": "Ett samtal", "message": "Ring mig.",
        "channel": "telefon", "reporter": {"subject": "anna", "name": "Anna Provsson", "email": "anna@exempelverket.example"}});
    let case = officer.create(&call).await;
    let case = officer.start_processing(&case).await;
    let asked = json!({"text": "Vilket konto gäller det?", "dueDate": "2026-12-01"});
    let asked = officer.change(&case, "request-information", &asked).await;
    app.app.shown_position(asked.position).await.unwrap();
    let list = anna.get("/mina-arenden?status=in-process").await;
    assert!(list.says("Ett samtal") && list.says("Telefon") && list.says("Väntar på dig"), "{}", list.text());
    let page = anna.get(&format!("/arenden/{}", case.id)).await;
    assert!(page.says("Kom in per telefon") && page.says("Vilket konto gäller det?"));
    page.shows(200, "Svara senast 1 december 2026.");
}

#[tokio::test]
async fn out_of_hours_a_case_is_received_all_the_same() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    assert!(!file_case(&anna, &FILED).await.says("Vi läser ärenden vardagar"));
    app.pass(TimeDelta::hours(7));
    let anna = employee(&app, "anna").await;
    let evening = file_case(&anna, &[FILED[0], ("subject", "En sak till"), FILED[2]]).await;
    evening.shows(200, "Ditt ärende räknas ändå som inkommet i dag.");
    evening.shows(200, "Vi skickar en bekräftelse till anna@exempelverket.example.");
    let receipt = format!("{}/mottaget", evening.links("/arenden/")[0]);
    app.pass(TimeDelta::hours(12));
    let next_day = employee(&app, "anna").await.get(&receipt).await;
    next_day.shows(200, "Ditt ärendenummer är");
    assert!(!next_day.says("räknas ändå"), "{}", next_day.text());
    let panel = evening.html.split("kw-panel").nth(1).unwrap().split("</div>").next().unwrap();
    assert!(!panel.contains("<a "), "no link in the green panel");
}

#[tokio::test]
async fn the_public_pages_say_what_they_must_with_help_in_the_same_place() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    for path in ["/", "/support", "/tjanster", "/driftstatus", "/tillganglighet", CREATE, "/mina-arenden"] {
        let page = anna.get(path).await;
        page.shows(200, "Behöver du hjälp? Ring oss på");
        let footer = page.html.split("<footer").nth(1).unwrap();
        assert!(footer.contains("href=\"/tillganglighet\"") && footer.contains("id=\"help\""), "{path}");
        assert!(page.html.starts_with("<!DOCTYPE html>\n<html lang=\"sv\""), "{path}");
        assert!(!page.html.contains("style=\"") && !page.html.contains("<script>"), "{path}");
    }
    let statement = anna.get("/tillganglighet").await;
    for part in [
        "delvis förenlig",
        "Brister som vi känner till",
        "Senaste granskningen",
        "Säg till om något",
        "Digg",
        "uppdaterades den",
    ] {
        statement.shows(200, part);
    }
    let support = anna.get("/support").await;
    for option in ["Knappval 1: Lön", "Knappval 2: Ekonomi och E-handel", "Knappval 3: IT-tjänstestöd"] {
        support.shows(200, option);
    }
    for system in ["Kundwebben", "POL/MinTid", "Palasso", "Primula", "Agresso", "Visma Proceedo"] {
        anna.get("/driftstatus").await.shows(200, &format!("{system} Fungerar som det ska"));
    }
}

#[tokio::test]
async fn an_employer_with_payroll_finds_its_forms_and_its_calendar() {
    let app = TestApp::start().await;
    let of = async |employer: &str| {
        let request = app.client.get(format!("{}/tjanster", app.url));
        let request = request.header(COOKIE, format!("kundwebb_employer={employer}; kundwebb_language=en"));
        request.send().await.unwrap().text().await.unwrap()
    };
    let with = of(EXEMPELVERKET).await;
    assert!(with.contains("L-101") && with.contains("Payroll calendar") && with.contains("2026-12-23"));
    assert!(with.contains("Employment details") && with.contains("Ask your payroll officer for it"));
    let without = of(TESTBYRAN).await;
    assert!(without.contains("Customer invoicing") && !without.contains("L-101"));
    assert!(of("").await.contains("Choose your employer and we will show"));
}

#[tokio::test]
async fn the_whole_first_page_is_small() {
    let app = TestApp::start().await;
    let get = async |path: &str| {
        let request = app.client.get(format!("{}{path}", app.url)).header(ACCEPT_ENCODING, "gzip");
        request.send().await.unwrap().bytes().await.unwrap()
    };
    let page = app.client.get(&app.url).send().await.unwrap().text().await.unwrap();
    let assets = page.split('"').filter(|part| part.starts_with("/assets/"));
    let mut total = get("/").await.len();
    for asset in assets.collect::<std::collections::BTreeSet<_>>() {
        let content = get(asset).await;
        assert!(!content.is_empty(), "{asset}");
        total += content.len();
    }
    assert!((10_000..100_000).contains(&total), "{total} bytes");
}

#[tokio::test]
async fn the_script_s_upload_answers_with_the_row_of_the_file() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let row = anna.post_with_file("/skapa-arende/filer", &[], ("brev.pdf", PDF)).await;
    row.shows(200, "brev.pdf Bifogad");
    assert!(row.html.contains("name=\"receipt\"") && row.html.contains("aria-label=\"Ta bort brev.pdf\""));
    let refused = anna.post_with_file("/skapa-arende/filer", &[], ("tom.pdf", b"")).await;
    refused.shows(422, "tom.pdf är tom. Välj en annan fil.");
    let form = Form::new().part("files", Part::bytes(PDF).file_name("brev.pdf"));
    let nobody =
        app.client.post(format!("{}/skapa-arende/filer", app.url)).multipart(form).send().await.unwrap();
    assert_eq!(nobody.status(), 303);
    app.leaves_staged(1);
}

#[tokio::test]
async fn a_form_from_another_site_or_of_another_kind_is_refused_in_words_and_changes_nothing() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let send = |path: &str| app.client.post(format!("{}{path}", app.url));
    let forged = send("/valj-arbetsgivare").form(&[("employer", EXEMPELVERKET)]);
    let forged = forged.header("sec-fetch-site", "cross-site").send().await.unwrap();
    assert_eq!((forged.status().as_u16(), forged.headers().get(SET_COOKIE)), (403, None));
    assert!(forged.text().await.unwrap().contains("<title>Fel: "));
    let odd = send("/logga-in").header(CONTENT_TYPE, "application/json").body("{}").send().await.unwrap();
    assert_eq!(odd.status(), 415);
    assert!(odd.text().await.unwrap().contains("<title>Fel: "));
    let bare = app.client.get(format!("{}/api/v1/", app.url)).send().await.unwrap();
    assert_eq!(
        (bare.status().as_u16(), &bare.headers()[CONTENT_TYPE]),
        (404, &"application/problem+json".parse().unwrap())
    );
}
