//! The centre's own pages: an officer works on cases by forms alone, a manager reads the dashboard, an auditor the log.

pub(crate) mod browser;
mod roles;

use browser::{Browser, Page};
use chrono::TimeDelta;
use domain::access::Role;
use domain::{Area, CaseId};
use infrastructure::tokens::Identity;
use reqwest::StatusCode;

use crate::support::{EXEMPELVERKET, PDF, PROVMYNDIGHETEN, TESTBYRAN, TestApp, identity};

const PHONE: &str = "/handlaggare/telefonarende";

async fn officer<'a>(app: &'a TestApp, login: &str) -> Browser<'a> {
    Browser::of(app, identity(login, Role::Officer)).await
}

async fn officer_of<'a>(app: &'a TestApp, login: &str, areas: &[Area]) -> Browser<'a> {
    Browser::of(app, Identity { areas: Some(areas.to_vec()), ..identity(login, Role::Officer) }).await
}

async fn auditor(app: &TestApp) -> Browser<'_> {
    Browser::of(app, identity("rut", Role::Auditor)).await
}

async fn employee<'a>(app: &'a TestApp, login: &str) -> Browser<'a> {
    let employers = Some(vec![EXEMPELVERKET.parse_number()]);
    Browser::of(app, Identity { employers, ..identity(login, Role::Employee) }).await
}

trait ParseNumber {
    fn parse_number(&self) -> domain::OrganisationNumber;
}

impl ParseNumber for &str {
    fn parse_number(&self) -> domain::OrganisationNumber {
        domain::OrganisationNumber::parse(self).unwrap()
    }
}

/// The fields of a call about the economy.
fn call<'a>(subject: &'a str, employer: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("reporter-name", "Karin Kund"),
        ("reporter-email", "karin@exempelverket.example"),
        ("employer", employer),
        ("language", "sv"),
        ("area", "ekonomi"),
        ("subject", subject),
        ("message", "Fakturan kom två gånger."),
    ]
}

/// Registers a call and gives the address of its case.
async fn registered(officer: &Browser<'_>, fields: &[(&str, &str)]) -> String {
    let sent = officer.submit(&officer.get(PHONE).await, PHONE, fields).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    sent.path()
}

/// Sends a form of a case's page as it stands now.
async fn act(officer: &Browser<'_>, case: &str, what: &str, fields: &[(&str, &str)]) -> Page {
    let page = officer.get(case).await;
    officer.submit(&page, &format!("{case}/{what}"), fields).await
}

#[tokio::test]
async fn a_call_becomes_the_callers_own_case() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let form = olle.get(PHONE).await;
    let hidden = form.hidden(PHONE);
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend(call("Dubbel faktura", EXEMPELVERKET));
    let sent = olle.post_with_file(PHONE, &fields, ("faktura.pdf", PDF)).await;
    let case = olle.done(&sent).await;
    for words in [
        "Ärendet är registrerat.",
        "Dubbel faktura",
        "Inkommit",
        "Karin Kund",
        "karin@exempelverket.example",
        "Telefon",
        "Registrerat av Olle Provsson",
        "Exempelverket",
        "faktura.pdf",
    ] {
        case.shows(200, words);
    }
    // A double click is one case.
    let again = olle.post_with_file(PHONE, &fields, ("faktura.pdf", PDF)).await;
    assert_eq!(again.path(), sent.path());
    app.leaves_staged(1);

    // The caller logs in for the first time, with the same address and employer.
    let karin = employee(&app, "karin").await;
    karin.get(&sent.path()).await.shows(200, "Dubbel faktura");
}

#[tokio::test]
async fn a_phone_form_with_errors_keeps_everything() {
    let app = TestApp::start().await;
    app.leaves_staged(1);
    let olle = officer(&app, "olle").await;
    let form = olle.get(PHONE).await;
    let key = form.hidden(PHONE);
    let fields = [
        (&*key[0].0, &*key[0].1),
        ("reporter-name", "Karin Kund"),
        ("reporter-email", "karin"),
        ("employer", TESTBYRAN),
        ("area", "it-tjanstestod"),
        ("subject", "Inloggning"),
        ("message", "Det går inte att logga in."),
    ];
    let refused = olle.post_with_file(PHONE, &fields, ("bild.pdf", PDF)).await;
    refused.shows(422, "Det finns ett problem");
    refused.shows(422, "Skriv en e-postadress");
    refused.shows(422, "Välj vilket system ärendet gäller.");
    assert!(refused.html.contains("<title>Fel:"), "{}", refused.html);
    for kept in [
        "value=\"Karin Kund\"",
        "value=\"karin\"",
        "value=\"Inloggning\"",
        "Det går inte att logga in.",
        "bild.pdf",
    ] {
        assert!(refused.html.contains(kept), "{kept}");
    }
    // The same form, put right, takes its file along.
    let hidden = refused.hidden(PHONE);
    assert_eq!(hidden[0], key[0]);
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend([
        ("reporter-name", "Karin Kund"),
        ("reporter-email", "karin@testbyran.example"),
        ("employer", TESTBYRAN),
        ("area", "it-tjanstestod"),
        ("system", "primula"),
        ("subject", "Inloggning"),
        ("message", "Det går inte att logga in."),
    ]);
    let sent = olle.post(PHONE, &fields).await;
    app.leaves_staged(0);
    olle.done(&sent).await.shows(200, "bild.pdf");
}

#[tokio::test]
async fn an_officer_works_on_a_case_from_beginning_to_end() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;

    let started = act(&olle, &case, "starta", &[]).await;
    olle.done(&started).await.shows(200, "Under bearbetning");

    let page = olle.get(&case).await;
    let due = page.form(&format!("{case}/komplettering"));
    assert!(due.contains("value=\"2026-12-07\""), "ten working days after 23 November: {due}");
    let asked = [("text", "Vilket fakturanummer?"), ("dueDate", "2026-12-04")];
    let asked = act(&olle, &case, "komplettering", &asked).await;
    let page = olle.done(&asked).await;
    page.shows(200, "Väntar på komplettering till 2026-12-04");
    page.shows(200, "Vilket fakturanummer?");

    let message = [("text", "Vi har hittat fakturan.")];
    let page = olle.done(&act(&olle, &case, "meddelande", &message).await).await;
    page.shows(200, "Meddelandet är skickat.");
    page.shows(
        200,
        "Meddelande till kunden 23 november 2026 kl. 09.36 · Olle Provsson Vi har hittat fakturan.",
    );

    let note = [("kind", "working"), ("text", "Kolla med ekonomi")];
    olle.done(&act(&olle, &case, "anteckning", &note).await).await.shows(200, "Arbetsanteckning");
    let note = [("kind", "official"), ("text", "Karin ringde och tackade")];
    olle.done(&act(&olle, &case, "anteckning", &note).await).await.shows(200, "Tjänsteanteckning");

    let topic =
        [("area", "e-handel"), ("subArea", ""), ("system", "visma-proceedo"), ("reason", "Gäller Proceedo")];
    let page = olle.done(&act(&olle, &case, "omrade", &topic).await).await;
    page.shows(200, "E-handel, Visma Proceedo");
    page.shows(200, "Gäller Proceedo");

    let answer = [("answer", "Den ena är makulerad.")];
    let page = olle.done(&act(&olle, &case, "svar", &answer).await).await;
    page.shows(200, "Svaret är skickat och ärendet är avslutat.");
    page.shows(200, "Den ena är makulerad.");
    for action in ["starta", "komplettering", "meddelande", "anteckning", "tilldela", "omrade", "svar"] {
        assert!(!page.has_form(&format!("{case}/{action}")), "{action} after the end");
    }

    // The customer sees what belongs to the case, not how the centre works on it.
    let karin = employee(&app, "karin").await;
    let own = karin.get(&case).await;
    own.shows(200, "Den ena är makulerad.");
    own.shows(200, "Karin ringde och tackade");
    assert!(!own.says("Kolla med ekonomi") && !own.says("Gäller Proceedo"), "{}", own.text());
}

#[tokio::test]
async fn a_case_is_given_to_another_officer() {
    let app = TestApp::start().await;
    let (olle, petra) = (officer(&app, "olle").await, officer(&app, "petra").await);
    petra.get("/handlaggare").await.shows(200, "Ärendekö");
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    let petras = app.app.keys.login("petra").to_string();
    let given = act(&olle, &case, "tilldela", &[("officer", &petras)]).await;
    olle.done(&given).await.shows(200, "till Petra Provsson");
    petra.get("/handlaggare?officer=mine").await.shows(200, "Dubbel faktura");
    assert!(!olle.get("/handlaggare?officer=mine").await.says("Dubbel faktura"));
    assert!(!olle.get("/handlaggare?officer=none").await.says("Dubbel faktura"));

    let nobody = act(&olle, &case, "tilldela", &[("officer", "")]).await;
    nobody.shows(422, "Välj vem som ska arbeta med ärendet.");
    let customer = app.app.keys.login("karin").to_string();
    act(&olle, &case, "tilldela", &[("officer", &customer)]).await.shows(422, "Välj vem");
}

#[tokio::test]
async fn nobody_overwrites_what_another_has_done_and_nothing_typed_is_lost() {
    let app = TestApp::start().await;
    let (olle, petra) = (officer(&app, "olle").await, officer(&app, "petra").await);
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    let petras = petra.get(&case).await;
    olle.done(&act(&olle, &case, "starta", &[]).await).await;

    // Petra begins on the page that she has had open.
    let taken = petra.submit(&petras, &format!("{case}/starta"), &[]).await;
    taken.shows(409, "En annan handläggare arbetar med ärendet. Tilldela det till dig om du ska ta över.");

    let olles = olle.get(&case).await;
    let note = [("kind", "working"), ("text", "Jag hjälper till")];
    petra.done(&act(&petra, &case, "anteckning", &note).await).await;
    let answer = [("answer", "Den ena är makulerad.")];
    let stale = olle.submit(&olles, &format!("{case}/svar"), &answer).await;
    stale.shows(412, "Någon annan har ändrat ärendet sedan du öppnade det.");
    stale.shows(412, "Det här har hänt sedan du öppnade sidan: Anteckning skrevs.");
    stale.shows(412, "Jag hjälper till");
    stale.shows(412, "Den ena är makulerad.");
    // Having seen it, Olle sends the same form again.
    let sent = olle.submit(&stale, &format!("{case}/svar"), &answer).await;
    olle.done(&sent).await.shows(200, "Svaret är skickat");

    // Petra had the case open all the while; what she typed is shown, the case is closed.
    let late = petra
        .submit(&petras, &format!("{case}/anteckning"), &[("kind", "working"), ("text", "För sent")])
        .await;
    assert_eq!(late.status, StatusCode::PRECONDITION_FAILED);
    late.shows(412, "Det här skrev du. Det är inte sparat.");
    late.shows(412, "För sent");
    // Sending the accepted answer once more is the same answer.
    olle.done(&olle.submit(&stale, &format!("{case}/svar"), &answer).await).await;
}

#[tokio::test]
async fn wrong_fields_are_told_where_they_stand() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    act(&olle, &case, "anteckning", &[("text", "x")])
        .await
        .shows(422, "Välj arbetsanteckning eller tjänsteanteckning.");
    act(&olle, &case, "omrade", &[("area", "lon"), ("reason", "")])
        .await
        .shows(422, "Skriv varför ärendet byter område.");
    olle.done(&act(&olle, &case, "starta", &[]).await).await;
    let past = act(&olle, &case, "komplettering", &[("text", "Vad?"), ("dueDate", "2026-11-20")]).await;
    past.shows(422, "Skriv en dag som inte har varit");
    assert!(past.form(&format!("{case}/komplettering")).contains("Vad?"));
    let empty = act(&olle, &case, "svar", &[("answer", " ")]).await;
    empty.shows(422, "Skriv ett svar.");
    assert!(empty.html.contains("href=\"#close-answer\"") && empty.html.contains("id=\"close-answer\""));
    // Without its version no form changes anything.
    assert_eq!(olle.post(&format!("{case}/svar"), &answer_only()).await.status, StatusCode::BAD_REQUEST);
}

fn answer_only() -> [(&'static str, &'static str); 1] {
    [("answer", "Svar")]
}

#[tokio::test]
async fn an_answer_takes_a_file_in_two_steps_without_a_script() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    olle.done(&act(&olle, &case, "starta", &[]).await).await;
    let (page, address) = (olle.get(&case).await, format!("{case}/svar"));
    let hidden = page.hidden(&address);
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend([("answer", "Se bilagan."), ("action", "upload")]);
    let shown = olle.post_with_file(&address, &fields, ("kvitto.pdf", PDF)).await;
    shown.shows(200, "kvitto.pdf");
    assert!(shown.form(&address).contains("Se bilagan."));
    let sent = olle.submit(&shown, &address, &[("answer", "Se bilagan.")]).await;
    let closed = olle.done(&sent).await;
    closed.shows(200, "Svar Ärendet är avslutat 23 november 2026 kl. 09.36 Se bilagan. kvitto.pdf");
    let file = &closed.links(&format!("{case}/filer/"))[0];
    assert_eq!(olle.get(file).await.status, StatusCode::OK);
    // Going back and writing something else changes nothing.
    let again = olle.submit(&page, &address, &[("answer", "Ett annat svar")]).await;
    assert!(again.status.is_client_error());
    again.shows(again.status.as_u16(), "Ett annat svar");
    assert!(!olle.get(&case).await.says("Ett annat svar"));
}

#[tokio::test]
async fn the_session_ends_and_the_answer_is_still_there() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    olle.done(&act(&olle, &case, "starta", &[]).await).await;
    let page = olle.get(&case).await;
    app.pass(TimeDelta::hours(9));
    let sent = olle.submit(&page, &format!("{case}/svar"), &[("answer", "Ett långt svar")]).await;
    let way = sent.location.clone().unwrap();
    assert!(way.contains(&format!("{case}%3Fform%3Dclose")), "the way leads back to the form: {way}");
    let again = officer(&app, "olle").await;
    let page = again.get(&format!("{case}?form=close")).await;
    assert!(page.form(&format!("{case}/svar")).contains("Ett långt svar"), "{}", page.text());
    let sent = again.submit(&page, &format!("{case}/svar"), &[("answer", "Ett långt svar")]).await;
    again.done(&sent).await.shows(200, "Ett långt svar");
}

#[tokio::test]
async fn who_may_see_what() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;

    // An officer of another area knows of nothing.
    let sara = officer_of(&app, "sara", &[Area::ItTjanstestod]).await;
    assert_eq!(sara.get(&case).await.status, StatusCode::NOT_FOUND);
    let foreign = sara.post(&format!("{case}/starta"), &[("version", "1")]).await;
    foreign.shows(404, "Sidan finns inte");
    assert!(!sara.get("/handlaggare").await.says("Dubbel faktura"));
    assert!(!sara.get("/handlaggare?q=faktura&status=all").await.says("Dubbel faktura"));
    let areas = sara.get("/handlaggare").await;
    assert!(areas.html.contains("value=\"it-tjanstestod\"") && !areas.html.contains("value=\"ekonomi\""));

    let karin = employee(&app, "karin").await;
    for path in ["/handlaggare", PHONE, "/statistik", "/revision", &format!("/revision{case}")] {
        assert_eq!(karin.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(
        karin.post(&format!("{case}/starta"), &[("version", "1")]).await.status,
        StatusCode::FORBIDDEN
    );

    let rut = auditor(&app).await;
    rut.get("/handlaggare").await.shows(200, "Dubbel faktura");
    let read = rut.get(&case).await;
    read.shows(200, "Fakturan kom två gånger.");
    assert!(!read.has_form(&format!("{case}/starta")));
    assert_eq!(rut.post(&format!("{case}/starta"), &[("version", "1")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(rut.get(PHONE).await.status, StatusCode::FORBIDDEN);
    assert_eq!(olle.get("/revision").await.status, StatusCode::FORBIDDEN);
    assert_eq!(olle.get(&format!("/revision{case}")).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_case_shows_of_its_reporter_what_was_told_for_its_employer() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    for (employer, name) in
        [(EXEMPELVERKET, "Rosa Här"), (TESTBYRAN, "Rosa Där"), (EXEMPELVERKET, "Rosa Här")]
    {
        let case = app.told_of("rosa", name, employer).await;
        olle.get(&format!("/arenden/{}", case.id)).await.shows(200, name);
    }
}

#[tokio::test]
async fn a_case_that_leaves_an_officers_areas_leads_back_to_the_queue() {
    let app = TestApp::start().await;
    let rashid = officer_of(&app, "rashid", &[Area::Ekonomi]).await;
    let case = registered(&rashid, &call("Dubbel faktura", EXEMPELVERKET)).await;
    let topic = [("area", "e-handel"), ("subArea", ""), ("system", ""), ("reason", "Gäller Proceedo")];
    let moved = act(&rashid, &case, "omrade", &topic).await;
    assert_eq!(moved.path(), "/handlaggare");
    rashid.done(&moved).await.shows(200, "finns nu i en annan kö");
    assert_eq!(rashid.get(&case).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_answer_to_a_case_that_was_moved_away_meanwhile_is_shown_again() {
    let app = TestApp::start().await;
    let rashid = officer_of(&app, "rashid", &[Area::Ekonomi]).await;
    let case = registered(&rashid, &call("Dubbel faktura", EXEMPELVERKET)).await;
    rashid.done(&act(&rashid, &case, "starta", &[]).await).await;
    let page = rashid.get(&case).await;
    let olle = officer(&app, "olle").await;
    let topic = [("area", "e-handel"), ("subArea", ""), ("system", ""), ("reason", "Gäller Proceedo")];
    olle.done(&act(&olle, &case, "omrade", &topic).await).await;
    let answer = [("answer", "Fakturan är makulerad.")];
    let refused = rashid.submit(&page, &format!("{case}/svar"), &answer).await;
    refused.shows(404, "Det här skrev du.");
    refused.shows(404, "Fakturan är makulerad.");
}

#[tokio::test]
async fn the_queue_is_filtered_sorted_and_paged() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let mut cases = Vec::new();
    for number in 1..=21 {
        let subject = format!("Faktura nummer {number:02}");
        cases.push(registered(&olle, &call(&subject, EXEMPELVERKET)).await);
        app.pass(TimeDelta::minutes(1));
    }
    app.pass(TimeDelta::days(3));
    let olle = officer(&app, "olle").await;
    let first = olle.get("/handlaggare").await;
    first.shows(200, "1–20 av 21 ärenden");
    first.shows(200, "3 dagar");
    assert!(first.html.contains("<title>Ärendekö, sida 1 av 2"), "{}", first.html);
    assert_eq!(first.links("/arenden/")[0], cases[0], "oldest first");
    let second = olle.get("/handlaggare?page=2").await;
    assert_eq!(second.links("/arenden/"), [cases[20].clone()]);
    assert_eq!(olle.get("/handlaggare?page=99").await.links("/arenden/")[0], cases[0]);
    assert_eq!(olle.get("/handlaggare?sort=newest").await.links("/arenden/")[0], cases[20]);
    assert_eq!(olle.get("/handlaggare?q=nummer+07").await.links("/arenden/")[0], cases[6]);
    olle.get(&format!("/handlaggare?employer={PROVMYNDIGHETEN}"))
        .await
        .shows(200, "Inga ärenden passar urvalet.");
    olle.get("/handlaggare?channel=webb").await.shows(200, "Inga ärenden passar urvalet.");
    olle.done(&act(&olle, &cases[3], "starta", &[]).await).await;
    assert_eq!(olle.get("/handlaggare?status=in-process").await.links("/arenden/"), [cases[3].clone()]);
    assert_eq!(olle.get("/handlaggare?officer=mine").await.links("/arenden/"), [cases[3].clone()]);
    olle.get("/handlaggare?officer=none").await.shows(200, "1–20 av 20 ärenden");
    olle.done(&act(&olle, &cases[3], "svar", &answer_only()).await).await;
    olle.get("/handlaggare").await.shows(200, "1–20 av 20 ärenden");
    olle.get("/handlaggare?status=all").await.shows(200, "1–20 av 21 ärenden");
}

#[tokio::test]
async fn the_dashboard_shows_what_was_done() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let mut cases = Vec::new();
    for employer in [EXEMPELVERKET, EXEMPELVERKET, PROVMYNDIGHETEN] {
        cases.push(registered(&olle, &call("Dubbel faktura", employer)).await);
    }
    olle.done(&act(&olle, &cases[0], "starta", &[]).await).await;
    app.pass(TimeDelta::days(1));
    let olle = officer(&app, "olle").await;
    olle.done(&act(&olle, &cases[0], "svar", &answer_only()).await).await;
    olle.done(&act(&olle, &cases[1], "starta", &[]).await).await;

    let lead = Browser::of(&app, identity("lena", Role::TeamLead)).await;
    let today = lead.get("/statistik").await;
    today.shows(200, "Ärenden nu Inkommit 1 Under bearbetning 1 Avslutat 1");
    today.shows(
        200,
        "Exempelverket 0 0 0 1 0 0 0 0 1 Provmyndigheten 0 0 1 0 0 0 0 0 1 Summa 0 0 1 1 0 0 0 0 2",
    );
    today.shows(200, "3 inkomna och 1 avslutade.");
    today.shows(200, "2026-11-23 3 0 2026-11-24 0 1 Summa 3 1");
    today.shows(200, "Ekonomi 1 1 dygn");

    let yesterday = olle.get("/statistik?dag=2026-11-23&dagar=7").await;
    yesterday.shows(200, "Ärenden 23 november 2026 Inkommit 2 Under bearbetning 1 Avslutat 0");
    yesterday.shows(200, "3 inkomna och 0 avslutade.");
    yesterday.shows(200, "Inga ärenden avslutades under perioden.");

    let one = lead.get(&format!("/statistik?employer={PROVMYNDIGHETEN}")).await;
    one.shows(200, "Inkommit 1 Under bearbetning 0 Avslutat 0");
    let sara = officer_of(&app, "sara", &[Area::ItTjanstestod]).await;
    sara.get("/statistik").await.shows(200, "Det finns inga öppna ärenden i urvalet.");
    sara.get("/statistik?area=ekonomi").await.shows(200, "0 inkomna och 0 avslutade.");
    // What the policy of the page forbids.
    assert!(!today.html.contains(" style=") && today.html.contains("role=\"img\""));
}

#[tokio::test]
async fn the_log_is_read_by_case_time_and_kind() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let first = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    olle.done(&act(&olle, &first, "starta", &[]).await).await;
    app.pass(TimeDelta::hours(2));
    let olle = officer(&app, "olle").await;
    let second = registered(&olle, &call("En till", EXEMPELVERKET)).await;
    let rut = auditor(&app).await;
    let log = rut.get("/revision").await;
    let head = app.head().await;
    log.shows(200, &format!("Loggen har {head} händelser."));
    log.shows(200, "Ärendet inkom CaseReceived");
    let received = rut.get("/revision?kind=CaseReceived").await;
    received.shows(200, "2 händelser på sidan");
    assert_eq!(
        received.links("/revision/arenden"),
        [format!("/revision{second}?version=1"), format!("/revision{first}?version=1")]
    );
    // The first came in at 09.36 Swedish time.
    let early = rut.get("/revision?kind=CaseReceived&to=2026-11-23T09:36").await;
    assert_eq!(early.links("/revision/arenden"), [format!("/revision{first}?version=1")]);
    let late = rut.get("/revision?kind=CaseReceived&from=2026-11-23T09:37").await;
    assert_eq!(late.links("/revision/arenden"), [format!("/revision{second}?version=1")]);

    let one = rut.get("/revision?case=2026-000001-1").await;
    one.shows(200, "2 händelser på sidan");
    one.shows(200, "Handläggningen startade ProcessingStarted");
    rut.get("/revision?case=20260000011&kind=ProcessingStarted").await.shows(200, "1 händelse på sidan");
    let wrong = rut.get("/revision?case=2026-000001-2").await;
    wrong.shows(200, "Kontrollera ärendenumret. Den sista siffran stämmer inte.");
    assert!(wrong.html.contains("href=\"#audit-case\""));
    rut.get("/revision?case=2026-000099-5").await.shows(200, "Vi hittar inget sådant ärende.");
}

#[tokio::test]
async fn the_log_is_paged_without_gaps() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    for number in 0..12 {
        let case = registered(&olle, &call(&format!("Faktura {number}"), EXEMPELVERKET)).await;
        olle.done(&act(&olle, &case, "starta", &[]).await).await;
    }
    let rut = auditor(&app).await;
    rut.get("/revision").await;
    let head = app.head().await;
    let mut positions = Vec::new();
    let mut next = Some("/revision".to_owned());
    while let Some(address) = next {
        let page = rut.get(&address).await;
        let cells = page.html.split("data-label=\"Plats\">").skip(1);
        positions.extend(cells.map(|rest| rest.split('<').next().unwrap().parse::<u64>().unwrap()));
        next = page.links("/revision?before=").first().cloned();
    }
    assert_eq!(positions, (1..=head).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_case_is_replayed_event_by_event() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let form = olle.get(PHONE).await;
    let hidden = form.hidden(PHONE);
    let mut fields: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.extend(call("Dubbel faktura", EXEMPELVERKET));
    let case = olle.post_with_file(PHONE, &fields, ("faktura.pdf", PDF)).await.path();
    app.pass(TimeDelta::minutes(5));
    olle.done(&act(&olle, &case, "starta", &[]).await).await;
    app.pass(TimeDelta::minutes(5));
    olle.done(&act(&olle, &case, "svar", &[("answer", "Den ena är makulerad.")]).await).await;

    let rut = auditor(&app).await;
    let steps = [
        ("Inkommit", "CaseReceived"),
        ("Under bearbetning", "ProcessingStarted"),
        ("Avslutat", "CaseClosed"),
    ];
    for (version, (status, kind)) in (1..).zip(steps) {
        let page = rut.get(&format!("/revision{case}?version={version}")).await;
        page.shows(200, &format!("Version {version} av 3"));
        page.shows(200, kind);
        page.shows(200, &format!("Ärendet efter händelsen Status {status}"));
        assert!(!page.says("Dubbel faktura") && !page.says("makulerad"), "sealed: {}", page.text());
        assert_eq!(page.links(&format!("/revision{case}?version={}", version + 1)).is_empty(), version == 3);
    }
    let first = rut.get(&format!("/revision{case}?version=1")).await;
    first.shows(200, "Innehållet är förseglat.");
    first.shows(200, "kundwebb log show 2026-000001-1 --as-of 2026-11-23T08:36:08.000000Z");
    // With a reason the content is shown as it was, and never the key of a file.
    let opened = rut.get(&format!("/revision{case}?version=1&reason=tillsyn")).await;
    opened.shows(200, "Dubbel faktura");
    opened.shows(200, "faktura.pdf");
    assert!(!opened.says("makulerad"));
    let id = CaseId::parse(case.trim_start_matches("/arenden/")).unwrap();
    let events = app.app.reader.stream(id.into()).await.unwrap();
    let key = &events[0].event.files()[0].key;
    for version in 1..=3 {
        let page = rut.get(&format!("/revision{case}?version={version}&reason=tillsyn")).await;
        assert!(!page.html.contains(key.as_str()) && !page.html.contains("&#34;key&#34;"));
    }
    assert_eq!(rut.get("/revision/arenden/nonsense").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_page_in_english() {
    let app = TestApp::start().await;
    let olle = officer(&app, "olle").await;
    let case = registered(&olle, &call("Dubbel faktura", EXEMPELVERKET)).await;
    let (olle, rut) = (olle.in_english(), auditor(&app).await.in_english());
    for (browser, path, words) in [
        (&olle, "/handlaggare", "Oldest first"),
        (&olle, PHONE, "Who is calling?"),
        (&olle, &*case, "Start processing"),
        (&olle, "/statistik", "Cases received and closed per day"),
        (&rut, "/revision", "None of them can be changed or removed."),
        (&rut, &*format!("/revision{case}"), "Event by event"),
    ] {
        let page = browser.get(path).await;
        page.shows(200, words);
        assert!(page.html.contains("<html lang=\"en\""));
    }
}
