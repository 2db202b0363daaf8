//! What else would tell where somebody with protected identity works: what a case goes on from, and what they sent for others.

use super::*;

/// A requester, and what the requester has sent for Anna: its id and its number.
async fn sent_for_anna<'a>(app: &'a TestApp) -> (TestCaller<'a>, String, String) {
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    let rita = Identity { employers, ..identity("rita", Role::Requester) };
    let browser = Browser::of(app, rita.clone()).await;
    let sent = sends_a_document(&browser).await;
    let receipt = browser.done(&sent).await;
    let id = sent.path().split('/').nth(2).unwrap().to_owned();
    let number = receipt.text().split(' ').find(|word| word.starts_with("2026-")).unwrap().to_owned();
    (app.caller(rita), id, number)
}

/// Somebody in a role of the centre, for payroll, by the API and in a browser.
async fn of_payroll(app: &TestApp, role: Role) -> (TestCaller<'_>, Browser<'_>) {
    let areas = role.has_areas().then(|| vec![Area::Lon]);
    let identity = Identity { areas, ..identity(&format!("lena-{role}"), role) };
    (app.caller(identity.clone()), Browser::of(app, identity).await)
}

/// A case of somebody else that goes on from one of theirs, or the other way round, is at the same employer.
#[tokio::test]
async fn what_a_case_goes_on_from_does_not_tell_where_somebody_protected_works() {
    let app = TestApp::start().await;
    marked(&app).await;
    let (rita, earlier, number) = sent_for_anna(&app).await;
    let own = json!({
        "employer": EXEMPELVERKET, "area": "lon", "subArea": "supportarende", "subject": "Om beslutet",
        "message": "Hur går det?", "followsUp": number,
    });
    let later = rita.create(&own).await;
    app.app.shown_position(later.position).await.unwrap();
    assert_eq!(rita.read(&later.id).await["followsUp"], json!(number));
    for (role, sees) in [(Role::Officer, false), (Role::TeamLead, true), (Role::Auditor, false)] {
        let (caller, browser) = of_payroll(&app, role).await;
        let case = |id: &str| format!("/arenden/{id}");
        assert_eq!(browser.get(&case(&later.id)).await.says(&number), sees, "{role}");
        assert_eq!(browser.get(&case(&earlier)).await.says(&later.number), sees, "{role}");
        let paths = [
            format!("/cases/{}", later.id),
            format!("/cases/{}/timeline", later.id),
            "/cases?scope=queue".to_owned(),
            "/events?limit=1000".to_owned(),
        ];
        for path in paths {
            let told = caller.get(&path).send().await.ok().to_string();
            assert!(told.contains(&later.id), "{role} {path}");
            let tells = told.contains(&format!("\"followsUp\":\"{number}\""));
            assert_eq!(tells, sees && !path.starts_with("/events"), "{role} {path}: {told}");
        }
    }
    let (_, tora) = of_payroll(&app, Role::Auditor).await;
    for path in
        [format!("/revision?case={}", later.number), format!("/revision/arenden/{}?version=1", later.id)]
    {
        let page = tora.get(&path).await;
        assert!(page.says("Om") || page.says(&later.number), "{path}");
        assert!(!page.html.contains(&number), "{path}: {}", page.text());
    }
}

/// Of the employer of others, that somebody with protected identity sent the case tells as much as of one's own.
#[tokio::test]
async fn what_somebody_protected_sent_for_others_does_not_tell_where_they_work() {
    let app = TestApp::start().await;
    let (_, sent, _) = sent_for_anna(&app).await;
    let rita = app.app.keys.login("rita");
    // That she works at the centre, too, does not make her employer another.
    app.officer("rita").list("").await;
    app.app.protect(rita, rita, true).await.unwrap();
    for (role, sees) in [(Role::Officer, false), (Role::TeamLead, true), (Role::Auditor, false)] {
        let (caller, browser) = of_payroll(&app, role).await;
        for path in [format!("/cases/{sent}/timeline"), "/events?limit=1000".to_owned()] {
            let told: Value = caller.get(&path).send().await.ok();
            let events = told["events"].as_array().unwrap();
            let received = events.iter().find(|event| event["type"] == "CaseReceived").unwrap();
            assert_eq!(received["facts"]["employer"], EXEMPELVERKET, "{role} {path}");
            // Her own stream is hers.
            let by_rita =
                |event: &&Value| event["actor"] == rita.to_string() && event["streamId"] != rita.to_string();
            let told_of_rita = events.iter().any(|event| by_rita(&event));
            assert_eq!(told_of_rita, sees && !path.starts_with("/events"), "{role} {path}: {told}");
            let is_told = received["facts"]["registeredBy"] == rita.to_string();
            assert_eq!(is_told, sees && !path.starts_with("/events"), "{role} {path}: {received}");
        }
        let page = browser.get(&format!("/arenden/{sent}")).await;
        page.shows(200, EMPLOYER);
        assert!(!page.says("Skyddade personuppgifter"), "{role}: {}", page.text());
    }
}

/// What must not be told is looked up in the read models: until an event is there, it is not told at all.
#[tokio::test]
async fn an_auditor_is_shown_nothing_of_which_is_not_known_what_must_not_be_told() {
    let app = TestApp::start().await;
    let early = marked(&app).await;
    let (tora, browser) = of_payroll(&app, Role::Auditor).await;
    let sees = async |case: &Done| {
        let feed = tora.get("/events?limit=1000").at_once().send().await.ok().to_string();
        let whole =
            tora.get("/events?limit=1000").with("reason", "En granskning").at_once().send().await.ok();
        let page = browser.get("/revision").await.html;
        let of_case = browser.get(&format!("/revision?case={}", case.number)).await.html;
        [feed, whole.to_string(), page, of_case].map(|shown| shown.contains(&case.id))
    };
    assert_eq!(sees(&early).await, [true; 4]);
    let held = rusqlite::Connection::open(crate::program::read_models(app.folder())).unwrap();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = app.employee("anna").case("En faktura till").await;
    assert_eq!(sees(&late).await, [false; 4]);
    held.execute_batch("ROLLBACK").unwrap();
    app.app.shown_position(late.position).await.unwrap();
    assert_eq!(sees(&late).await, [true; 4]);
    // They have waited, and say so until they go on.
    let go_on = async {
        while app.app.stopped().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::program::PATIENCE, go_on).await.expect("the read models go on");
}

/// Where somebody protected gets mail is told as little as who it is, also to who gives a reason.
#[tokio::test]
async fn where_somebody_protected_gets_mail_is_not_told() {
    let app = TestApp::start().await;
    let anna = Browser::of(&app, identity("anna", Role::Employee)).await;
    let form = anna.get("/installningar").await;
    let sent = anna.submit(&form, "/installningar", &[("email", "anna@hemma.example")]).await;
    anna.done(&sent).await;
    let tells = async || {
        let feed = app.auditor().get("/events?limit=1000").with("reason", "En granskning").send().await.ok();
        feed.to_string().contains("anna@hemma.example")
    };
    assert!(tells().await);
    marked(&app).await;
    assert!(!tells().await);
}
