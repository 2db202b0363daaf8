//! Protected identity (LAW-12): name, contact and employer are shown to the few who need them, and to nobody else in any way;
//! and people who have several roles.

mod met;
mod told;

use domain::access::Role;
use domain::{Area, OrganisationNumber};
use infrastructure::tokens::Identity;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::officer_pages::browser::{Browser, Page};
use crate::support::{Done, EXEMPELVERKET, PROVMYNDIGHETEN, TestApp, TestCaller, identity, new_key};

const NAME: &str = "Anna Provsson";
const ADDRESS: &str = "anna@exempelverket.example";
const EMPLOYER: &str = "Exempelverket";

fn of_the_centre(app: &TestApp, role: Role) -> (Identity, TestCaller<'_>) {
    let areas = role.has_areas().then(|| vec![Area::Ekonomi]);
    let identity = Identity { areas, ..identity(&format!("eva-{role}"), role) };
    (identity.clone(), app.caller(identity))
}

/// A case of Anna's, and the registrar who has marked her.
async fn marked(app: &TestApp) -> Done {
    let case = app.employee("anna").case("En faktura").await;
    app.officer("olle").list("").await;
    let (registrar, _) = of_the_centre(app, Role::Registrar);
    let browser = Browser::of(app, registrar).await;
    let address = format!("/arenden/{}", case.id);
    let page = browser.get(&address).await;
    page.shows(200, "Märk som skyddade personuppgifter");
    assert!(page.says(NAME) && page.says(EMPLOYER));
    let sent = browser.post(&format!("{address}/skydd"), &[("protected", "yes")]).await;
    browser.done(&sent).await.shows(200, "Ta bort märkningen");
    case
}

#[tokio::test]
async fn who_is_protected_is_known_to_a_few_only() {
    let app = TestApp::start().await;
    let case = marked(&app).await;
    for role in [Role::Officer, Role::Auditor, Role::TeamLead, Role::Registrar] {
        let sees = matches!(role, Role::TeamLead | Role::Registrar);
        let (identity, caller) = of_the_centre(&app, role);
        let read = caller.read(&case.id).await;
        assert_eq!(read["reporter"]["name"] == NAME, sees, "{role}");
        assert_eq!(read["reporter"]["email"] == ADDRESS, sees, "{role}");
        assert_eq!(read["reporter"]["protected"], true, "{role}");
        assert_eq!(read["employer"] == EXEMPELVERKET, sees, "{role}");
        let list = caller.get("/cases?scope=queue").send().await.ok();
        assert_eq!(list.to_string().contains(NAME), sees, "{role}");
        assert_eq!(list["cases"][0]["employer"] == EXEMPELVERKET, sees, "{role}");
        // Nor can it be found out by asking for the cases of an employer.
        let asked = caller.list(&format!("scope=queue&employer={EXEMPELVERKET}")).await;
        assert_eq!(asked.contains(&case.number), sees, "{role}");
        let timeline = caller.get(&format!("/cases/{}/timeline", case.id)).send().await.ok();
        assert_eq!(timeline["events"][0]["facts"]["employer"] == EXEMPELVERKET, sees, "{role}");
        let feed = caller.get("/events?limit=1000").with("reason", "En granskning").send().await.ok();
        assert!(!feed.to_string().contains(NAME) && !feed.to_string().contains(ADDRESS), "{role}");
        let received =
            feed["events"].as_array().unwrap().iter().find(|event| event["streamId"] == case.id.as_str());
        assert_eq!(received.unwrap()["facts"]["employer"] == EXEMPELVERKET, role == Role::Auditor, "{role}");
        let browser = Browser::of(&app, identity).await;
        for address in [format!("/arenden/{}", case.id), "/handlaggare".to_owned(), "/register".to_owned()] {
            let page = browser.get(&address).await;
            assert!(sees || !(page.says(NAME) || page.says(ADDRESS)), "{role} {address}");
            let row = page.text();
            let told = row.replace("Alla arbetsgivare", "").matches(EMPLOYER).count();
            // In a list it stands among the employers to choose from.
            let chosen = usize::from(!address.starts_with("/arenden"));
            assert_eq!(told > chosen, sees, "{role} {address}: {row}");
        }
    }
}

#[tokio::test]
async fn whoever_is_protected_sees_their_own_and_the_mark_can_be_taken_away() {
    let app = TestApp::start().await;
    let case = marked(&app).await;
    let anna = app.employee("anna");
    let own: Value = anna.read(&case.id).await;
    assert_eq!((&own["reporter"]["name"], &own["employer"]), (&json!(NAME), &json!(EXEMPELVERKET)));
    let (officer, caller) = of_the_centre(&app, Role::Officer);
    let address = format!("/arenden/{}", case.id);
    let refused =
        Browser::of(&app, officer).await.post(&format!("{address}/skydd"), &[("protected", "no")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(caller.read(&case.id).await["reporter"]["name"], Value::Null);
    let (lead, _) = of_the_centre(&app, Role::TeamLead);
    let lead = Browser::of(&app, lead).await;
    let sent = lead.post(&format!("{address}/skydd"), &[("protected", "no")]).await;
    lead.done(&sent).await;
    assert_eq!(caller.read(&case.id).await["reporter"], json!({"name": NAME, "email": ADDRESS}));
}

/// Nor is an officer with protected identity, in the lists of those whom one can choose.
#[tokio::test]
async fn an_officer_who_is_protected_is_named_to_a_few_only() {
    let app = TestApp::start().await;
    let (olle, petra) = (app.officer("olle"), app.officer("petra"));
    petra.list("").await;
    let case = app.employee("anna").case("En faktura").await;
    let case = petra.start_processing(&case).await;
    let person = app.app.keys.login("petra");
    app.app.protect(person, person, true).await.unwrap();
    let browser = Browser::of(&app, olle.identity.clone().unwrap()).await;
    let page = browser.get(&format!("/arenden/{}", case.id)).await;
    page.shows(200, "Tilldela handläggare");
    assert!(!page.says("Petra"), "{}", page.text());
    let (lead, _) = of_the_centre(&app, Role::TeamLead);
    Browser::of(&app, lead).await.get(&format!("/arenden/{}", case.id)).await.shows(200, "Petra");
    for caller in [&olle, &app.employee("anna")] {
        assert_eq!(caller.list("officer=petra").await, [] as [String; 0]);
    }
}

/// That a search finds nothing on this page tells whether it finds something: it is on record too.
#[tokio::test]
async fn whoever_searches_is_on_record_whatever_is_found() {
    let app = TestApp::start().await;
    let case = app.employee("anna").case("Kontorsmaterial").await;
    let olle = app.officer("olle");
    let readings = async || app.app.readings(None, u64::MAX, 100).await.unwrap().len();
    for (searches, query) in ["kontorsmaterial&page=2", "något helt annat"].into_iter().enumerate() {
        let path = format!("/cases?q={} {query}", case.number).replace(' ', "%20");
        olle.get(&path).send().await.ok();
        assert_eq!(readings().await, searches + 1, "{path}");
    }
}

/// Who called was marked before the login was known to be the same person.
#[tokio::test]
async fn the_mark_follows_from_a_call_to_the_login() {
    let app = TestApp::start().await;
    let olle = app.officer("olle");
    let mut body = olle.body("Telefon");
    body["reporter"] = json!({"name": NAME, "email": ADDRESS});
    let called = olle.create(&body).await;
    let (registrar, _) = of_the_centre(&app, Role::Registrar);
    let browser = Browser::of(&app, registrar).await;
    browser.post(&format!("/arenden/{}/skydd", called.id), &[("protected", "yes")]).await;
    let case = app.employee("anna").case("Från webben").await;
    assert_eq!(
        olle.read(&case.id).await["reporter"],
        json!({"name": null, "email": null, "protected": true})
    );
}

/// A requester sends a decision for Anna.
async fn sends_a_document(requester: &Browser<'_>) -> Page {
    let mut fields = requester.get("/skapa-arende").await.hidden("/skapa-arende");
    let more = [
        ("action", "send"),
        ("area", "lon"),
        ("subArea", "beslut-underlag"),
        ("subject", "Ny lön"),
        ("message", "Beslutet bifogas."),
        ("reporter-name", NAME),
        ("reporter-email", ADDRESS),
    ];
    fields.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    requester.post_with_file("/skapa-arende", &fields, ("beslut.pdf", crate::support::PDF)).await
}

/// Who is authorised sends a decision for somebody else at the employer; both see it.
#[tokio::test]
async fn a_requester_sends_a_document_for_another_by_the_form() {
    let app = TestApp::start().await;
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let in_role =
        |login: &str, role: Role| Identity { employers: employers.clone(), ..identity(login, role) };
    let vera = Browser::of(&app, in_role("vera", Role::Requester)).await;
    let form = vera.get("/skapa-arende").await;
    form.shows(200, "Gäller det någon annan hos arbetsgivaren?");
    let sent = sends_a_document(&vera).await;
    vera.done(&sent).await;
    let anna = Browser::of(&app, in_role("anna", Role::Employee)).await;
    anna.get("/mina-arenden").await.shows(200, "Ny lön");
    vera.get("/mina-arenden").await.shows(200, "Ny lön");
    let bo = Browser::of(&app, in_role("bo", Role::Employee)).await;
    assert!(!bo.get("/mina-arenden").await.says("Ny lön"));
    assert!(!bo.get("/skapa-arende").await.says("Gäller det någon annan"));
}

#[tokio::test]
async fn a_login_with_several_roles_acts_in_one_at_a_time() {
    let app = TestApp::start().await;
    let case = app.employee("bo").case("En faktura").await;
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let in_role = |role: Role| Identity { employers: employers.clone(), ..identity("anna", role) };
    let session = app
        .app
        .begin_session_as(in_role(Role::Employee), vec![in_role(Role::EmployerAdministrator)], None)
        .await
        .unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let cookie = |session: &str| format!("{}={session}", api::pages::cookies::SESSION);
    let get = async |path: &str, session: &str| {
        client.get(format!("{}{path}", app.url)).header("cookie", cookie(session)).send().await.unwrap()
    };
    let change = async |role: &str, session: &str| {
        let sent = client.post(format!("{}/roll", app.url)).header("cookie", cookie(session));
        sent.header("origin", &app.url).form(&[("roll", role)]).send().await.unwrap()
    };
    assert_eq!(get("/register", &session).await.status(), 403);
    let roles = get("/roll", &session).await.text().await.unwrap();
    assert!(roles.contains("Arbeta som Arbetsgivarens administratör"), "{roles}");
    assert_eq!(change("auditor", &session).await.status(), 403, "a role that the login does not have");
    let changed = change("employer-administrator", &session).await;
    let told = changed.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let prefix = format!("{}=", api::pages::cookies::SESSION);
    let next =
        told.filter_map(|told| told.strip_prefix(&prefix)?.split(';').next()).next().unwrap().to_owned();
    assert_ne!(next, session);
    // The session before is over.
    assert_eq!(get("/roll", &session).await.status(), 303);
    let register = get("/register", &next).await.text().await.unwrap();
    assert!(register.contains(&case.number) && !register.contains("En faktura"), "{register}");
    assert_eq!(get(&format!("/arenden/{}", case.id), &next).await.status(), 403);
    assert!(get("/roll", &next).await.text().await.unwrap().contains("Arbeta som Anställd"));
}

/// As the requester that an officer is, too, one knows nothing of the calls that one has registered.
#[tokio::test]
async fn a_call_is_no_case_that_whoever_registered_it_has_sent() {
    let app = TestApp::start().await;
    let officer = app.officer("rita");
    let mut body = officer.body("En fråga");
    body["employer"] = json!(EXEMPELVERKET);
    body["reporter"] = json!({"name": NAME, "email": ADDRESS});
    body["channel"] = json!("telefon");
    let call = officer.create(&body).await;
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let requester = app.caller(Identity { employers, ..identity("rita", Role::Requester) });
    let own = requester.case("En egen fråga").await;
    assert_eq!(requester.get(&format!("/cases/{}", call.id)).send().await.status, StatusCode::NOT_FOUND);
    let listed = requester.list("").await;
    assert!(listed.contains(&own.number) && !listed.contains(&call.number), "{listed:?}");
}

/// Counts name nobody; by the difference between employers it could be told all the same.
#[tokio::test]
async fn where_somebody_protected_works_is_not_told_by_counts() {
    let app = TestApp::start().await;
    marked(&app).await;
    for role in [Role::Officer, Role::Auditor, Role::Archivist, Role::TeamLead, Role::Registrar] {
        let sees = matches!(role, Role::TeamLead | Role::Registrar);
        let (identity, caller) = of_the_centre(&app, role);
        let all = caller.get("/statistics").send().await.ok();
        let mut expected = json!({"status": "received", "area": "ekonomi", "count": 1});
        if sees {
            expected["employer"] = json!(EXEMPELVERKET);
        }
        assert_eq!(all["standing"], json!([expected]), "{role}");
        assert_eq!(all["perDay"][0]["received"], 1, "{role}");
        let asked = caller.get("/statistics?by=status,employer").send().await;
        if sees {
            assert_eq!(asked.ok()["standing"][0]["employer"], EXEMPELVERKET, "{role}");
        } else {
            assert_eq!(asked.problem(403), "permission", "{role}");
        }
        let browser = Browser::of(&app, identity).await;
        let page = browser.get("/statistik").await;
        page.shows(200, if role.has_areas() { "Summa 1 0 1" } else { "Summa 0 0 1 0 0 0 0 0 1" });
        assert_eq!((page.says(EMPLOYER), page.html.contains("employer")), (sees, sees), "{role}");
        // Nor by an address that is written by hand.
        let other = browser.get(&format!("/statistik?employer={PROVMYNDIGHETEN}")).await;
        other.shows(200, if sees { "Inkommit 0" } else { "Inkommit 1" });
        other.shows(200, if sees { "0 inkomna" } else { "1 inkomna" });
        assert_eq!(other.says("Provmyndigheten"), sees, "{role}");
    }
}

#[tokio::test]
async fn an_employer_s_administrator_is_offered_their_own_employers_alone() {
    let app = TestApp::start().await;
    marked(&app).await;
    let employers = [EXEMPELVERKET, PROVMYNDIGHETEN].map(|number| OrganisationNumber::parse(number).unwrap());
    let identity =
        Identity { employers: Some(employers.to_vec()), ..identity("ada", Role::EmployerAdministrator) };
    let counted = app.caller(identity.clone()).get("/statistics?by=employer").send().await.ok();
    assert_eq!(counted["standing"], json!([{"employer": EXEMPELVERKET, "count": 1}]));
    let browser = Browser::of(&app, identity).await;
    for address in ["/statistik", "/register"] {
        let page = browser.get(address).await;
        let form = page.text().split("Alla arbetsgivare ").nth(1).unwrap().to_owned();
        assert!(form.starts_with("Exempelverket Provmyndigheten Visa"), "{address}: {form}");
    }
}

/// Whether a page tells the employer, by its number or its name.
#[track_caller]
fn tells_the_employer(page: &Page) -> bool {
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    [EXEMPELVERKET, "402100-0007", EMPLOYER].iter().any(|word| page.html.contains(word))
}

/// With a reason, which is recorded, an auditor reads the facts as they are hashed.
#[tokio::test]
async fn the_log_does_not_tell_an_auditor_where_somebody_protected_works() {
    let app = TestApp::start().await;
    let case = marked(&app).await;
    let rut = Browser::of(&app, of_the_centre(&app, Role::Auditor).0).await;
    for kind in ["CaseReceived", "PersonSeen", "ProtectionChanged"] {
        let page = rut.get(&format!("/revision?kind={kind}")).await;
        assert!(page.html.contains("<tbody>") && !tells_the_employer(&page), "{kind}: {}", page.text());
    }
    let other = app.employee("bo").case("En faktura till").await;
    for (case, told) in [(&case, false), (&other, true)] {
        let found = rut.get(&format!("/revision?case={}", case.number)).await;
        found.shows(200, &case.number);
        assert_eq!(tells_the_employer(&found), told, "{}", found.text());
        let replay = rut.get(&format!("/revision/arenden/{}?version=1", case.id)).await;
        assert_eq!(tells_the_employer(&replay), told, "{}", replay.text());
        let readings = app.app.readings(None, u64::MAX, 100).await.unwrap().len();
        let open = rut.get(&format!("/revision/arenden/{}?version=1&reason=tillsyn", case.id)).await;
        assert!(open.html.contains(EXEMPELVERKET) && open.says("En faktura"), "{}", open.text());
        assert_eq!(open.says(EMPLOYER), told, "{}", open.text());
        assert!(!open.says(NAME) && !open.says(ADDRESS), "{}", open.text());
        assert_eq!(app.app.readings(None, u64::MAX, 100).await.unwrap().len(), readings + 1);
    }
}

/// Whoever may not assign is not told by the answer who is an officer.
#[tokio::test]
async fn who_is_an_officer_is_told_to_those_alone_who_may_assign() {
    let app = TestApp::start().await;
    let (olle, anna) = (app.officer("olle"), app.employee("anna"));
    olle.list("").await;
    let case = anna.case("En faktura").await;
    let (registrar, of_the_register) = of_the_centre(&app, Role::Registrar);
    let bo = app.employee("bo");
    for (caller, status) in [(&anna, 403), (&of_the_register, 403), (&bo, 404)] {
        for officer in ["olle", "nobody"] {
            let answer = caller.try_change(&case, "assign", &json!({"officer": officer})).await;
            answer.problem(status);
        }
    }
    assert_eq!(
        olle.try_change(&case, "assign", &json!({"officer": "nobody"})).await.fields(),
        ["/officer officer.missing"]
    );
    let browser = Browser::of(&app, registrar).await;
    let version = case.version.to_string();
    let mut statuses = Vec::new();
    for officer in ["olle", "nobody"] {
        let officer = app.app.keys.login(officer).to_string();
        let form = [
            ("form", new_key()),
            ("version", version.clone()),
            ("action", "send".to_owned()),
            ("officer", officer),
        ];
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        statuses.push(browser.post(&format!("/arenden/{}/tilldela", case.id), &form).await.status);
    }
    assert_eq!(statuses, [StatusCode::FORBIDDEN; 2]);
}

/// Neither what is refused, nor who registered it, nor trying every employer tells where somebody protected works.
#[tokio::test]
async fn nothing_else_tells_where_somebody_protected_works() {
    let app = TestApp::start().await;
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let rita =
        Identity { employers, name: Some("Rita Rekvirent".to_owned()), ..identity("rita", Role::Requester) };
    let case = marked(&app).await;
    let (olle, lead) = (of_the_centre(&app, Role::Officer), of_the_centre(&app, Role::TeamLead));
    // A case that somebody at the employer sent for her.
    let browser = Browser::of(&app, rita).await;
    let sent = sends_a_document(&browser).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    let sent = sent.path().split('/').nth(2).unwrap().to_owned();
    let pseudonym = app.app.keys.login("rita").to_string();
    let payroll = |role| {
        let areas = Some(vec![Area::Lon]);
        app.caller(Identity { areas, ..identity(&format!("lena-{role}"), role) })
    };
    for (role, sees) in [(Role::Officer, false), (Role::TeamLead, true)] {
        let caller = payroll(role);
        let page =
            Browser::of(&app, caller.identity.clone().unwrap()).await.get(&format!("/arenden/{sent}")).await;
        assert_eq!(
            (page.status.as_u16(), page.says("Rita Rekvirent")),
            (200, sees),
            "{role}: {}",
            page.text()
        );
        for path in [format!("/cases/{sent}/timeline"), "/events?limit=1000".to_owned()] {
            let told = caller.get(&path).send().await.ok().to_string();
            assert!(told.contains(&sent), "{role} {path}");
            assert_eq!(told.contains(&pseudonym), sees && path.contains("timeline"), "{role} {path}: {told}");
        }
    }
    // Which area is used there.
    let move_it = json!({"area": "e-handel", "reason": "Fel kö"});
    olle.1.try_change(&case, "reclassify", &move_it).await.problem(403);
    let page = Browser::of(&app, olle.0).await.get(&format!("/arenden/{}", case.id)).await;
    assert!(!page.has_form(&format!("/arenden/{}/omrade", case.id)));
    let page = Browser::of(&app, lead.0).await.get(&format!("/arenden/{}", case.id)).await;
    assert_eq!(page.status, StatusCode::OK);
    // A call is that of a protected person at whichever employer it is registered.
    for employer in [EXEMPELVERKET, PROVMYNDIGHETEN] {
        let call = json!({
            "employer": employer, "area": "ekonomi", "subject": "Ringde", "message": "Om en faktura.",
            "channel": "telefon", "language": "sv", "reporter": {"name": NAME, "email": ADDRESS.to_uppercase()},
        });
        let call = olle.1.create(&call).await;
        let read = olle.1.read(&call.id).await;
        assert_eq!((&read["employer"], &read["reporter"]["name"]), (&Value::Null, &Value::Null), "{read}");
        assert_eq!(read["reporter"]["protected"], true);
    }
}

/// Another login with the same address is the same person, whichever comes first; an address that others told of somebody is
/// nobody's own word.
#[tokio::test]
async fn a_mark_goes_with_the_address_to_every_login_and_back_by_ones_own_word_alone() {
    let app = TestApp::start().await;
    let case = marked(&app).await;
    let olle = app.officer("olle");
    let named = async |case: &Done| olle.read(&case.id).await["reporter"]["name"] != Value::Null;
    let second =
        app.caller(Identity { email: Some(ADDRESS.to_owned()), ..identity("anna-2", Role::Employee) });
    let second = second.case("Från ny inloggning").await;
    assert!(!named(&second).await);
    // Somebody else, of whom that address was told by mistake.
    let mut told = json!({
        "employer": EXEMPELVERKET, "area": "ekonomi", "subject": "Ett", "message": "Två", "language": "sv",
        "reporter": {"subject": "zelda", "name": "Zelda Z", "email": ADDRESS},
    });
    let mistaken = app.system("hr").create(&told).await;
    assert!(!named(&mistaken).await);
    let (registrar, _) = of_the_centre(&app, Role::Registrar);
    let browser = Browser::of(&app, registrar).await;
    let unmark = async |case: &Done| {
        let sent = browser.post(&format!("/arenden/{}/skydd", case.id), &[("protected", "no")]).await;
        browser.done(&sent).await;
    };
    unmark(&mistaken).await;
    assert!(named(&mistaken).await && !named(&case).await && !named(&second).await);
    let again = app.system("hr").create(&told).await;
    assert!(named(&again).await, "nothing new is told");
    told["reporter"]["subject"] = json!("zacharias");
    let another = app.system("hr").create(&told).await;
    assert!(!named(&another).await);
    let page = browser.get(&format!("/arenden/{}", another.id)).await;
    page.shows(200, "en e-postadress knyter ärendet till någon med skyddade personuppgifter");
    assert!(page.says("Märk som skyddade personuppgifter") && page.says("Ta bort märkningen"));
    unmark(&second).await;
    assert!(named(&case).await && named(&second).await, "the same person by their own word");
    assert!(named(&another).await, "nothing leads there any more");
    // Of whom it is told by mistake anew brings the mark back to nobody.
    told["reporter"]["subject"] = json!("zilla");
    let last = app.system("hr").create(&told).await;
    let third =
        app.caller(Identity { email: Some(ADDRESS.to_owned()), ..identity("anna-3", Role::Employee) });
    let third = third.case("Från en tredje inloggning").await;
    assert!(named(&third).await && named(&case).await && named(&last).await);
}

/// What was done before somebody was marked is answered as it was then; and no more.
#[tokio::test]
async fn a_case_that_was_moved_before_the_mark_was_moved() {
    let app = TestApp::start().await;
    let case = app.employee("anna").case("En faktura").await;
    let (_, officer) = of_the_centre(&app, Role::Officer);
    let asked = |key: &'static str| {
        let body = json!({"area": "e-handel", "reason": "Fel kö"});
        officer.post(&format!("/cases/{}/reclassify", case.id)).version(case.version).key(key).json(&body)
    };
    let moved = asked("once").send().await.ok();
    let anna = app.app.keys.login("anna");
    app.app.protect(anna, anna, true).await.unwrap();
    assert_eq!(asked("once").send().await.ok(), moved);
    asked("again").send().await.problem(403);
}

/// A decision for a colleague is not sent as one's own because the role was changed in another window.
#[tokio::test]
async fn a_document_for_another_is_sent_by_a_requester_alone() {
    let app = TestApp::start().await;
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let in_role = |role: Role| Identity { employers: employers.clone(), ..identity("vera", role) };
    let administrator = vec![in_role(Role::EmployerAdministrator)];
    let vera = Browser::of_roles(&app, in_role(Role::Requester), administrator).await;
    let open = vera.get("/skapa-arende").await;
    let (other, _) = vera.in_role("/roll", Role::EmployerAdministrator).await;
    let typed = [
        ("area", "lon"),
        ("subArea", "beslut-underlag"),
        ("subject", "Ny lön"),
        ("message", "Beslutet."),
        ("reporter-email", ADDRESS),
    ];
    let again = other.get("/skapa-arende").await;
    let head = app.head().await;
    for page in [&open, &again] {
        let refused = other.submit(page, "/skapa-arende", &typed).await;
        refused.shows(403, "Det du skrev är sparat.");
        // In this role too it is found again with whom it is for, so that one sees it.
        let found = other.get("/skapa-arende").await;
        assert!(found.form("/skapa-arende").contains(ADDRESS), "{}", found.text());
    }
    assert_eq!(app.head().await, head, "nothing was sent");
    let (vera, changed) = other.in_role("/roll?till=/skapa-arende", Role::Requester).await;
    let found = vera.done(&changed).await;
    assert!(found.form("/skapa-arende").contains(ADDRESS), "{}", found.text());
}

/// What is not said takes no protection away.
#[tokio::test]
async fn a_mark_is_taken_away_by_saying_so_alone() {
    let app = TestApp::start().await;
    let case = marked(&app).await;
    let (registrar, _) = of_the_centre(&app, Role::Registrar);
    let browser = Browser::of(&app, registrar).await;
    for fields in [&[][..], &[("protected", "nej")]] {
        let answer = browser.post(&format!("/arenden/{}/skydd", case.id), fields).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    browser.get(&format!("/arenden/{}", case.id)).await.shows(200, "Ta bort märkningen");
}

#[tokio::test]
async fn a_time_beyond_all_times_is_no_fault() {
    let app = TestApp::start().await;
    let rut = Browser::of(&app, of_the_centre(&app, Role::Auditor).0).await;
    for asked in ["from=-262143-01-01T00:00:00Z", "to=%2B262142-12-31T23:59:59Z"] {
        assert_eq!(rut.get(&format!("/revision?{asked}")).await.status, StatusCode::OK, "{asked}");
    }
}

/// A system is refused at an employer that is not its own before anything is written, and names nobody out of protection.
#[tokio::test]
async fn a_system_neither_writes_elsewhere_nor_names_somebody_out_of_protection() {
    let app = TestApp::start().await;
    marked(&app).await;
    let system = app.system("hr");
    let of = |employer: &str, reporter: Value| {
        json!({
            "employer": employer, "area": "ekonomi", "subject": "Ett", "message": "Två", "language": "sv",
            "reporter": reporter,
        })
    };
    let head = app.head().await;
    let planted = json!({"name": "Någon", "email": ADDRESS});
    let refused = system.post("/cases").key("elsewhere").json(&of(PROVMYNDIGHETEN, planted)).send().await;
    refused.problem(403);
    let events = app.auditor().get(&format!("/events?offset={head}&limit=100")).send().await.ok();
    let told = events.to_string();
    assert!(!told.contains("ProtectionChanged") && !told.contains(PROVMYNDIGHETEN), "{told}");
    // Nor is anything where the command is refused for what it asks.
    for wrong in [("followsUp", "2026-999999-7"), ("area", "it-tjanstestod")] {
        let mut body = of(EXEMPELVERKET, json!({"name": "Någon Annan", "email": ADDRESS}));
        body[wrong.0] = json!(wrong.1);
        let before = app.head().await;
        system.post("/cases").key(wrong.0).json(&body).send().await.problem(422);
        assert_eq!(app.head().await, before, "{wrong:?}");
    }
    let named = json!({"subject": "hr-4711", "name": NAME, "email": ADDRESS});
    let case = system.create(&of(EXEMPELVERKET, named)).await;
    let read = app.officer("olle").read(&case.id).await;
    assert_eq!((&read["employer"], &read["reporter"]["name"]), (&Value::Null, &Value::Null), "{read}");
    // Nor does the read log, when the system has read the case.
    system.read(&case.id).await;
    let (auditor, _) = of_the_centre(&app, Role::Auditor);
    let rut = Browser::of(&app, auditor).await;
    let page = rut.get(&format!("/revision/lasningar?show=1&case={}&reason=Tillsyn", case.number)).await;
    page.shows(200, "Olle Provsson, Handläggare");
    page.shows(200, "System");
    let pseudonym = app.app.keys.pseudonym(Role::System, "hr").to_string();
    assert!(
        !page.says(&pseudonym) && !page.html.contains(&pseudonym) && !page.says("hr,"),
        "{}",
        page.text()
    );
    // Nor does the stream of the person tell whose system it was.
    let feed = app.auditor().get(&format!("/events?offset={head}&limit=100")).send().await.ok();
    for event in feed["events"].as_array().unwrap() {
        let of_the_system = event["actor"] == pseudonym.as_str();
        assert!(!of_the_system || event["streamId"] == pseudonym.as_str(), "{event}");
    }
}
