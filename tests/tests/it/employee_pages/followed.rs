//! *Mina ärenden* and the case: what is new, what is found, what belongs together, all of it to take along, and what the
//! reporter thinks of it afterwards.

use std::io::{Cursor, Read};
use std::time::Duration;

use domain::{Area, Event};
use reqwest::Method;
use serde_json::Value;
use zip::ZipArchive;

use super::*;
use crate::browser::{Journey, passing};
use crate::support::{Done, PROVMYNDIGHETEN};

const LIST: &str = "/mina-arenden";

/// Waits until the pages show what was told.
async fn shown(app: &TestApp, done: Done) -> Done {
    app.app.shown_position(done.position).await.unwrap();
    done
}

/// A case of Anna's that an officer has begun with.
async fn begun(app: &TestApp, subject: &str) -> (String, Done) {
    let case = app.employee("anna").case(subject).await;
    let case = app.officer("olle").start_processing(&case).await;
    (format!("/arenden/{}", case.id), shown(app, case).await)
}

async fn closed(app: &TestApp, subject: &str, answer: &str) -> (String, Done) {
    let (address, case) = begun(app, subject).await;
    (address, shown(app, app.officer("olle").close(&case, answer).await).await)
}

/// How many events of a kind the log holds.
async fn told(app: &TestApp, wanted: impl Fn(&Event) -> bool) -> usize {
    let events = app.app.reader.after(0, 10_000).await.unwrap();
    events.iter().filter(|event| wanted(&event.event)).count()
}

async fn marks(app: &TestApp) -> usize {
    told(app, |event| matches!(event, Event::CaseSeen { .. })).await
}

#[tokio::test]
async fn an_answer_is_marked_until_its_reporter_has_opened_the_case() {
    let app = TestApp::start().await;
    let (anna, olle) = (employee(&app, "anna").await, app.officer("olle"));
    let (address, case) = begun(&app, "Omföring").await;
    assert!(!anna.get(LIST).await.says("Nytt svar") && !anna.get(&address).await.says("Nytt svar"));
    assert_eq!(marks(&app).await, 0, "there was nothing to see");

    let case = shown(&app, olle.message(&case, "Vi letar.").await).await;
    let list = anna.get(LIST).await;
    assert!(
        list.says("Under bearbetning Nytt svar") && list.says("1 ärende har ett nytt svar"),
        "{}",
        list.text()
    );
    let english = employee(&app, "anna").await.in_english().get(LIST).await;
    assert!(english.says("In progress New answer") && english.says("1 case has a new answer"));
    let others = [employee(&app, "bertil").await, Browser::of(&app, identity("olle", Role::Officer)).await];
    others[1].get(&address).await.shows(200, "Vi letar.");
    let theirs = others[0].get(LIST).await;
    assert!(!theirs.says("Nytt svar") && !theirs.says("har ett nytt svar"), "that is nobody else's");
    assert!(anna.get(LIST).await.says("Nytt svar"), "an officer who opens it is not the reporter");

    anna.get(&address).await.shows(200, "Vi letar.");
    let list = anna.get(LIST).await;
    assert!(list.says("Omföring") && !list.says("Nytt svar") && !list.says("har ett nytt svar"));
    let before = app.head().await;
    anna.get(&address).await;
    assert_eq!((marks(&app).await, app.head().await), (1, before), "to load it again is nothing new");

    let due = json!({"text": "Vilken månad?", "dueDate": "2026-12-01"});
    let case = olle.change(&case, "request-information", &due).await;
    let version = case.version;
    shown(&app, olle.close(&case, "Det är ordnat.").await).await;
    assert!(anna.get(LIST).await.says("Avslutat Nytt svar"));
    let both = [anna.get(&address), anna.get(&address)];
    futures::future::join_all(both).await;
    assert!(!anna.get(LIST).await.says("Nytt svar"));
    assert_eq!(marks(&app).await, 2, "two windows at once tell it once");
    assert_eq!(app.auditor().read(&case.id).await["version"], version + 1, "no mark moves the case");
}

#[tokio::test]
async fn a_case_opens_while_the_log_cannot_be_written_and_is_marked_the_next_time() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (address, _) = closed(&app, "Omföring", "Det är ordnat.").await;
    let other = rusqlite::Connection::open(app.folder().join("log.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    anna.get(&address).await.shows(200, "Det är ordnat.");
    other.execute_batch("ROLLBACK").unwrap();
    anna.get(&address).await.shows(200, "Det är ordnat.");
    // A page does not wait long for the log; that it was opened is told all the same.
    let told = async { while marks(&app).await == 0 {} };
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("it is never told");
    app.app.shown_position(app.head().await).await.unwrap();
    assert!(!anna.get(LIST).await.says("Nytt svar"));
    assert_eq!(marks(&app).await, 1, "also when the first attempt came through late");
}

#[tokio::test]
async fn what_somebody_else_has_not_opened_is_not_told_to_who_sent_it_for_them() {
    let app = TestApp::start().await;
    let requester = |login: &str| Identity {
        employers: Some(vec![domain::OrganisationNumber::parse(EXEMPELVERKET).unwrap()]),
        ..identity(login, Role::Requester)
    };
    let rut = app.caller(requester("rut"));
    let file = rut.upload("beslut.pdf", PDF).await;
    let mut body = rut.body("Tjänstledighet");
    body["area"] = json!("lon");
    body["subArea"] = json!("beslut-underlag");
    body["attachments"] = json!([file]);
    body["reporter"] = json!({"name": "Karin Kund", "email": "karin@exempelverket.example"});
    let sent = rut.create(&body).await;
    let (own, olle) = (rut.case("Egen fråga").await, app.officer("olle"));
    for case in [&sent, &own] {
        let case = olle.start_processing(case).await;
        shown(&app, olle.close(&case, "Klart.").await).await;
    }
    let browser = Browser::of(&app, requester("rut")).await;
    let list = browser.get(LIST).await;
    assert!(list.says("Tjänstledighet") && list.says("1 ärende har ett nytt svar"), "{}", list.text());
    assert_eq!(list.html.matches(">Nytt svar<").count(), 1);
    browser.get(&format!("/arenden/{}", sent.id)).await.shows(200, "Klart.");
    assert_eq!(marks(&app).await, 0, "nor does it count as opened");
    let new = browser.get(&format!("{LIST}?employer=alla&nya=ja")).await;
    assert!(new.says("Egen fråga") && !new.says("Tjänstledighet"));
}

#[tokio::test]
async fn the_list_is_narrowed_by_a_form_without_script() {
    let app = TestApp::start().await;
    let both = [EXEMPELVERKET, PROVMYNDIGHETEN];
    let anna = employee_of(&app, "anna", &both).await;
    closed(&app, "Gammal fråga", "Svaret handlar om semesterskulden.").await;
    app.pass(TimeDelta::days(3));
    let anna_api = app.employee("anna");
    let second = anna_api.case("Senare fråga").await;
    let second = shown(&app, anna_api.message(&second, "Det gäller resekostnaden.").await).await;
    let elsewhere = app.employee_of("anna", PROVMYNDIGHETEN).case("På annat håll").await;
    let bertil = app.employee("bertil").case("Bertils resekostnaden").await;
    shown(&app, shown(&app, elsewhere).await).await;
    shown(&app, bertil).await;
    let anna_later = employee_of(&app, "anna", &both).await;
    drop(anna);
    let found = async |query: &str| {
        let page = anna_later.get(&format!("{LIST}?{query}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        ["Gammal fråga", "Senare fråga", "På annat håll", "Bertils"].map(|subject| page.says(subject))
    };
    assert_eq!(found("").await, [true, true, true, false], "of all employers, of nobody else");
    assert_eq!(found(&format!("employer={PROVMYNDIGHETEN}")).await, [false, false, true, false]);
    assert_eq!(found("q=semesterskuld").await, [true, false, false, false], "in answers");
    assert_eq!(found("q=resekostnaden").await, [false, true, false, false], "in messages, one's own only");
    assert_eq!(found(&format!("q={}", second.number)).await, [false, true, false, false]);
    assert_eq!(found("till=2026-11-23").await, [true, false, false, false]);
    assert_eq!(found("fran=2026-11-24&till=2026-11-26").await, [false, true, true, false]);
    assert_eq!(found("nya=ja").await, [true, false, false, false]);
    assert_eq!(found("status=closed&area=ekonomi&fran=2026-11-23").await, [true, false, false, false]);

    let page = anna_later.get(&format!("{LIST}?fran=i+g%C3%A5r&q=resekostnaden")).await;
    page.shows(200, "Det finns ett problem Skriv datumet så här: 2026-11-23.");
    assert!(page.html.contains("<title>Fel: Mina") && page.html.contains("value=\"i går\""));
    let page = anna_later.get(&format!("{LIST}?fran=2026-11-26&till=2026-11-24")).await;
    page.shows(200, "Till och med-datumet kan inte vara före från och med-datumet.");
    page.shows(200, "Inget ärende passar.");
    assert_eq!(
        page.links(LIST).iter().filter(|link| *link == LIST).count(),
        2,
        "the menu, and to see all again"
    );
}

#[tokio::test]
async fn the_first_list_is_of_the_chosen_employer_and_all_are_a_choice() {
    let app = TestApp::start().await;
    let anna = employee_of(&app, "anna", &[EXEMPELVERKET, PROVMYNDIGHETEN]).await;
    shown(&app, app.employee("anna").case("Här").await).await;
    shown(&app, app.employee_of("anna", PROVMYNDIGHETEN).case("Där").await).await;
    let chosen = format!("kundwebb_employer={EXEMPELVERKET}");
    let session =
        anna.request(Method::GET, LIST).build().unwrap().headers()["cookie"].to_str().unwrap().to_owned();
    let get = async |path: &str| {
        let request =
            app.client.get(format!("{}{path}", app.url)).header(COOKIE, format!("{session}; {chosen}"));
        request.send().await.unwrap().text().await.unwrap()
    };
    let first = get(LIST).await;
    assert!(first.contains(">Här<") && !first.contains(">Där<") && first.contains("hos Exempelverket"));
    assert!(first.contains(&format!("<option value=\"{EXEMPELVERKET}\" selected>")));
    for all in ["employer=", "employer=alla"] {
        let all = get(&format!("{LIST}?{all}")).await;
        assert!(all.contains(">Här<") && all.contains(">Där<") && !all.contains("hos Exempelverket"));
    }
}

#[tokio::test]
async fn a_case_says_what_happens_next() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let case = shown(&app, app.employee("anna").case("Omföring").await).await;
    let address = format!("/arenden/{}", case.id);
    let page = anna.get(&address).await;
    page.shows(200, "Vad händer nu? En handläggare tar hand om ditt ärende");
    page.shows(200, "Kom in via API");
    assert!(page.says("· Inkommit") && !page.says("· Under bearbetning"), "{}", page.text());
    let olle = app.officer("olle");
    let case = shown(&app, olle.start_processing(&case).await).await;
    let page = anna.get(&address).await;
    page.shows(200, "En handläggare arbetar med ditt ärende.");
    assert!(page.says("· Inkommit") && page.says("· Under bearbetning"));
    let asked = json!({"text": "Vilket konto?", "dueDate": "2026-12-01"});
    let case = shown(&app, olle.change(&case, "request-information", &asked).await).await;
    let page = anna.get(&address).await;
    assert!(page.says("Svara senast 1 december 2026.") && !page.says("Vad händer nu?"));
    shown(&app, olle.close(&case, "Klart.").await).await;
    let page = anna.get(&address).await;
    assert!(page.says("· Avslutat") && page.says("Vad händer nu? Har du en ny fråga?"));
    assert!(!page.has_form(&format!("{address}/meddelande")));
    let form = anna.get(&page.links("/skapa-arende?foljer=")[0]).await;
    assert!(form.html.contains(&format!("value=\"{}\"", case.number)));
    assert!(form.html.contains("value=\"ekonomi\" checked"), "it is likely about the same");
    let bertil = employee(&app, "bertil").await;
    let form = bertil.get(&format!("/skapa-arende?foljer={}", case.number)).await;
    assert!(!form.html.contains(" checked"), "what another's case is about is not told");
}

#[tokio::test]
async fn cases_that_belong_together_lead_to_each_other_where_both_may_be_seen() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (first, done) = closed(&app, "Omföring", "Klart.").await;
    let caller = app.employee("anna");
    let mut body = caller.body("En gång till");
    (body["followsUp"], body["area"], body["subArea"]) =
        (json!(done.number), json!("lon"), json!("supportarende"));
    let second = shown(&app, caller.create(&body).await).await;
    let later = format!("/arenden/{}", second.id);
    let page = anna.get(&first).await;
    page.shows(200, &format!("Fortsätter i ärende {}", second.number));
    assert_eq!(page.links(&later), [later.as_str()]);
    let page = anna.get(&later).await;
    page.shows(200, &format!("Fortsätter på ärende {}", done.number));
    assert!(page.links("/arenden/").contains(&first));

    let in_area = async |area| {
        let areas = Some(vec![area]);
        Browser::of(&app, Identity { areas, ..identity("lars", Role::Officer) }).await
    };
    let payroll = in_area(Area::Lon).await.get(&later).await;
    assert!(payroll.says(&done.number) && !payroll.links("/arenden/").contains(&first), "who may not see it");
    let economy = in_area(Area::Ekonomi).await.get(&first).await;
    assert!(!economy.says(&second.number) && !economy.html.contains(&later));
    let all = Browser::of(&app, identity("olle", Role::Officer)).await;
    assert!(all.get(&first).await.links("/arenden/").contains(&later));
}

/// The files of an archive, by name.
fn unpacked(bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let files = archive.len();
    let read = |place| {
        let mut file = archive.by_index(place).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        (file.name().unwrap().into_owned(), content)
    };
    (0..files).map(read).collect()
}

/// As the heading of the form says.
#[tokio::test]
async fn files_are_added_to_a_case_without_a_word() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (address, case) = begun(&app, "Omföring").await;
    let message = format!("{address}/meddelande");
    let form = anna.get(&address).await.hidden(&message);
    let send = filled(&form, &[("text", " "), ("action", "send")]);
    anna.post(&message, &send).await.shows(422, "Skriv ett meddelande eller bifoga en fil.");
    let refused = anna.post_with_file(&message, &send, ("program.exe", b"MZ")).await;
    refused.shows(422, "program.exe kan inte bifogas.");
    assert!(!refused.says("Skriv ett meddelande"), "{}", refused.text());
    let sent = anna.post_with_file(&message, &send, ("beslut.pdf", PDF)).await;
    let page = anna.done(&sent).await;
    page.shows(200, "Det du bifogade finns nu i ärendet.");
    page.shows(200, "Meddelanden Du 23 november 2026 kl. 09.36 beslut.pdf Bifogad");
    assert!(!page.says("Ditt utkast finns kvar"), "{}", page.text());
    // However often it is sent, it is attached once.
    anna.post_with_file(&message, &send, ("beslut.pdf", PDF)).await;
    assert_eq!(told(&app, |event| matches!(event, Event::AttachmentAdded { .. })).await, 1);
    // They stand where they came, those of one sending together.
    let case = Done { version: case.version + 1, ..case };
    shown(&app, app.officer("olle").message(&case, "Vi letar.").await).await;
    let form = anna.get(&address).await.hidden(&message);
    let upload = filled(&form, &[("action", "upload")]);
    let page = anna.post_with_file(&message, &upload, ("ett.pdf", PDF)).await;
    let form = page.hidden(&message);
    let sent = anna.post_with_file(&message, &filled(&form, &[("action", "send")]), ("tva.pdf", PDF)).await;
    let text = anna.done(&sent).await.text();
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("»{words}« is missing in: {text}"));
    assert!(at("beslut.pdf Bifogad") < at("Vi letar."));
    assert!(at("Vi letar.") < at("Du 23 november 2026 kl. 09.36 ett.pdf Bifogad, 38 byte tva.pdf Bifogad"));
    app.leaves_staged(app.staged());
}

#[tokio::test]
async fn everything_in_a_case_is_one_archive() {
    let app = TestApp::start().await;
    let caller = app.employee("anna");
    let large = [PDF, &vec![b'x'; 3_000_000]].concat();
    let mut body = caller.body("Omföring");
    body["attachments"] =
        json!([caller.upload("../brev.pdf", PDF).await, caller.upload("brev.pdf", &large).await]);
    let case = caller.create(&body).await;
    let case = app.officer("olle").start_processing(&case).await;
    let case = shown(&app, app.officer("olle").close(&case, "Det är ordnat.").await).await;
    let anna = employee(&app, "anna").await;
    let address = format!("/arenden/{}/allt", case.id);
    assert_eq!(anna.get(&format!("/arenden/{}", case.id)).await.links(&address), [address.as_str()]);

    let answer = anna.request(Method::GET, &address).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("content-type"), header("cache-control")),
        ("application/zip".into(), "no-store".into())
    );
    assert!(header("content-disposition").contains(&format!("{}.zip", case.number)));
    let files = unpacked(answer.bytes().await.unwrap().to_vec());
    let names: Vec<_> =
        files.iter().map(|(name, _)| name.strip_prefix(&format!("{}/", case.number)).unwrap()).collect();
    assert_eq!(names.len(), 3);
    assert!(names[0] == "arende.json" && names[2] == "brev (2).pdf" || names[1] != names[2], "{names:?}");
    assert!(names.iter().all(|name| !name.contains('/') && !name.starts_with('.')), "{names:?}");
    assert!(files[1].1 == PDF && files[2].1 == large);
    let mut told: Value = serde_json::from_slice(&files[0].1).unwrap();
    let events = told.as_object_mut().unwrap().remove("events").unwrap();
    let happened: Vec<_> = events.as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
    assert_eq!((&happened[0], happened.last().unwrap()), (&json!("CaseReceived"), &json!("CaseClosed")));
    // Who it was at the centre is not said by the pages either.
    let mut shown = caller.read(&case.id).await;
    shown["officer"] = Value::Null;
    assert_eq!(told, shown, "as the API shows it");

    employee(&app, "bertil").await.get(&address).await.shows(404, "Sidan finns inte");
    let nobody = app.client.get(format!("{}{address}", app.url)).send().await.unwrap();
    assert_eq!(nobody.status(), 303);
    let rut = Browser::of(&app, identity("rut", Role::Auditor)).await;
    assert_eq!(rut.get(&address).await.status, 200);
    let readings = anna.get(&format!("/arenden/{}/lasningar", case.id)).await;
    readings.shows(200, "Revisor Laddade ner allt i ärendet");
}

/// A file that cannot be opened breaks the archive off: nobody takes half of it for the whole.
#[tokio::test]
async fn half_an_archive_is_told_from_a_whole_one() {
    let app = TestApp::start().await;
    let caller = app.employee("anna");
    let mut body = caller.body("Omföring");
    body["attachments"] = json!([caller.upload("brev.pdf", PDF).await]);
    let case = shown(&app, caller.create(&body).await).await;
    let anna = employee(&app, "anna").await;
    let mut folders = vec![app.folder().join("files")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { folders.push(entry) } else { std::fs::remove_file(entry).unwrap() }
        }
    }
    let answer = anna.request(Method::GET, &format!("/arenden/{}/allt", case.id)).send().await;
    let whole = match answer {
        Ok(answer) => answer.bytes().await.is_ok(),
        Err(_) => false,
    };
    assert!(!whole);
}

#[tokio::test]
async fn the_reporter_is_asked_once_whether_a_closed_case_was_of_help() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (open, _) = begun(&app, "Öppet").await;
    let (address, _) = closed(&app, "Omföring", "Det är ordnat.").await;
    let action = format!("{address}/omdome");
    assert!(!anna.get(&open).await.says("Fick du hjälp?"), "not while it is open");
    let early = anna.post(&format!("{open}/omdome"), &[("helped", "yes")]).await;
    assert_eq!(early.path(), format!("{open}#opinion"));
    let page = anna.get(&address).await;
    page.shows(200, "Fick du hjälp?");
    let refused = anna.submit(&page, &action, &[("text", "Tack för\r\nhjälpen")]).await;
    refused.shows(422, "Det finns ett problem Välj om du fick den hjälp du behövde.");
    assert!(
        refused.html.contains("Tack för\nhjälpen</textarea>")
            || refused.html.contains("Tack för\r\nhjälpen</textarea>")
    );
    assert!(refused.html.contains("<title>Fel: ") && refused.html.contains("href=\"#opinion-helped\""));
    let long = anna.submit(&page, &action, &[("helped", "no"), ("text", &"x".repeat(10_001))]).await;
    long.shows(422, "Meddelandet får vara högst");
    let bertil = employee(&app, "bertil").await;
    let olle = Browser::of(&app, identity("olle", Role::Officer)).await;
    for other in [&bertil, &olle] {
        assert_eq!(other.post(&action, &[("helped", "no")]).await.status, 404);
    }
    assert!(!olle.get(&address).await.says("Omdöme från den som frågade"));

    let given = anna.submit(&refused, &action, &[("helped", "partly"), ("text", "Bra men långsamt")]).await;
    let page = anna.done(&given).await;
    page.shows(200, "Tack för ditt omdöme Fick hjälp: Delvis. Lämnat 23 november 2026");
    assert!(page.says("Bra men långsamt") && !page.has_form(&action));
    let again = anna.post(&action, &[("helped", "no"), ("text", "Ångrar mig")]).await;
    anna.done(&again).await.shows(200, "Fick hjälp: Delvis.");
    assert_eq!(told(&app, |event| matches!(event, Event::SatisfactionGiven { .. })).await, 1);
    olle.get(&address).await.shows(200, "Omdöme från den som frågade Fick hjälp: Delvis.");
    let log = std::fs::read(app.folder().join("log.db-wal")).unwrap();
    assert!(!log.windows(8).any(|window| window == b"Bra men "), "it is sealed");
}

#[tokio::test]
async fn after_a_month_nobody_is_asked_and_what_was_typed_when_a_login_ended_is_there() {
    let app = TestApp::start().await;
    let anna = employee(&app, "anna").await;
    let (address, _) = closed(&app, "Omföring", "Det är ordnat.").await;
    let action = format!("{address}/omdome");
    let page = anna.get(&address).await;
    app.pass(TimeDelta::hours(9));
    let away = anna.submit(&page, &action, &[("helped", "yes"), ("text", "Toppen")]).await;
    assert_eq!(away.location.unwrap(), format!("/valj-arbetsgivare?till={address}%3Fform%3Dopinion"));
    let anna = employee(&app, "anna").await;
    let back = anna.get(&address).await;
    assert!(back.html.contains("Toppen</textarea>") && back.html.contains("value=\"yes\" checked"));

    app.pass(TimeDelta::days(30));
    let anna = employee(&app, "anna").await;
    let page = anna.get(&address).await;
    assert!(page.says("Det är ordnat.") && !page.says("Fick du hjälp?"));
    let late = anna.submit(&back, &action, &[("helped", "yes")]).await;
    assert!(late.status == 303 || late.status == 404, "{}", late.text());
    assert_eq!(told(&app, |event| matches!(event, Event::SatisfactionGiven { .. })).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_and_the_case_in_a_real_browser() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let (anna, olle) = (app.employee("anna.exempel"), app.officer("olle"));
    let mut cases = Vec::new();
    for subject in ["Omföring mellan projekt", "Felaktig kundfaktura", "Behörighet till Agresso"] {
        let mut body = anna.body(subject);
        body["attachments"] = json!([anna.upload("underlag till ärendet.pdf", PDF).await]);
        cases.push(anna.create(&body).await);
    }
    let closed = olle.start_processing(&cases[0]).await;
    let closed =
        olle.close(&closed, "Beloppet är flyttat till projekt 4711.\n\nHör av dig om något saknas.").await;
    let mut body = anna.body("Omföringen saknas i rapporten");
    body["followsUp"] = json!(closed.number);
    anna.create(&body).await;
    let asked = olle.start_processing(&cases[1]).await;
    let request = json!({"text": "Vilket fakturanummer gäller det?", "dueDate": "2026-12-01"});
    let asked = shown(&app, olle.change(&asked, "request-information", &request).await).await;
    let own = Browser::of(&app, anna.identity.clone().unwrap()).await;
    own.get(&format!("/arenden/{}", asked.id)).await.shows(200, "Vilket fakturanummer");
    let paths = [&cases[2], &asked, &closed].map(|case| format!("/arenden/{}", case.id));
    let journey = Journey::start(&["cases.mjs", &app.url, &paths[0], &paths[1], &paths[2]]);
    journey.ends_well(passing(&app.clock)).await;
    app.leaves_staged(app.staged());
}
