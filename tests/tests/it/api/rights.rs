//! Rights (P8, API-09): every path × every kind of caller. What one may not know of is not there.

use domain::{Area, OrganisationNumber};
use infrastructure::tokens::Identity;
use serde_json::{Value, json};

use crate::support::{Done, EXEMPELVERKET, PDF, PROVMYNDIGHETEN, TESTBYRAN, TestApp, TestCaller};

/// What a kind of caller is answered: to reading, to what customers write, to what officers do.
type Answers = (u16, u16, u16);

#[tokio::test]
async fn every_path_by_every_kind_of_caller() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    app.officer("olle").list("").await;
    let callers: [(&str, TestCaller<'_>, Answers); 9] = [
        ("own", anna.clone(), (200, 200, 403)),
        ("colleague", app.employee("bo"), (404, 404, 404)),
        ("other employer", app.employee_of("per", PROVMYNDIGHETEN), (404, 404, 404)),
        ("own, at another employer", app.employee_of("anna", PROVMYNDIGHETEN), (404, 404, 404)),
        ("a system that did not create it", app.system("primula"), (404, 404, 404)),
        ("officer", app.officer("olle"), (200, 200, 200)),
        ("officer of the area", app.officer_of("eva", &[Area::Ekonomi]), (200, 200, 200)),
        ("officer of other areas", app.officer_of("lena", &[Area::Lon, Area::EHandel]), (404, 404, 404)),
        ("auditor", app.auditor(), (200, 403, 403)),
    ];
    for (name, caller, (read, write, process)) in &callers {
        let mut body = anna.body(name);
        body["attachments"] = json!([anna.upload("a.pdf", PDF).await]);
        let case = anna.create(&body).await;
        reads(caller, &case, *read, name).await;
        writes(&app, caller, case, (*write, *process), name).await;
    }
}

async fn reads(caller: &TestCaller<'_>, case: &Done, status: u16, name: &str) {
    let list = caller.app.officer("olle").get(&format!("/cases/{}/attachments", case.id)).send().await.ok();
    let file = list["attachments"][0]["attachmentId"].as_str().unwrap().to_owned();
    for path in
        ["", "/timeline", "/attachments", "?asOf=2026-12-01T00:00:00Z", &format!("/attachments/{file}")]
    {
        let answer = caller.get(&format!("/cases/{}{path}", case.id)).send().await;
        assert_eq!(answer.status, status, "{name}: {path}");
        if status != 200 {
            assert_eq!(answer.problem(status), "not-found");
        }
    }
    for query in ["", "scope=employer", "q=Fakturan"] {
        let numbers = caller.list(query).await;
        let query_finds = query != "q=Fakturan" && status == 200;
        assert_eq!(numbers.contains(&case.number), query_finds, "{name}: {query}");
    }
    let feed = caller.get("/events?limit=1000").send().await;
    assert_eq!(String::from_utf8(feed.bytes).unwrap().contains(&case.id), status == 200, "{name}");
}

async fn writes(
    app: &TestApp,
    caller: &TestCaller<'_>,
    mut case: Done,
    (write, process): (u16, u16),
    name: &str,
) {
    let upload = caller.upload("b.pdf", PDF).await;
    let commands: [(&str, Value, u16); 8] = [
        ("attachments", json!({ "uploadId": upload }), write),
        ("messages", json!({"text": "x"}), write),
        ("notes", json!({"kind": "working", "text": "x"}), process),
        ("assign", json!({"officer": "olle"}), process),
        ("reclassify", json!({"area": "ekonomi", "reason": "x"}), process),
        ("start-processing", json!({}), process),
        ("request-information", json!({"text": "x", "dueDate": "2026-12-24"}), process),
        ("close", json!({"answer": "x"}), process),
    ];
    if write != 200 {
        app.leaves_staged(app.staged());
    }
    for (command, body, status) in commands {
        let head = app.head().await;
        let answer = caller.try_change(&case, command, &body).await;
        assert_eq!(answer.status, status, "{name}: {command}");
        match status {
            200 => case = answer.done(),
            404 => assert_eq!(answer.problem(404), "not-found"),
            _ => assert_eq!(answer.problem(403), "permission"),
        }
        assert!(status == 200 || app.head().await == head);
    }
}

#[tokio::test]
async fn who_may_create() {
    let app = TestApp::start().await;
    for (caller, employer, area, status) in [
        (app.employee("anna"), "4021000007", "ekonomi", 201),
        (app.employee("anna"), PROVMYNDIGHETEN, "ekonomi", 403),
        (app.system("agresso"), "4021000007", "ekonomi", 201),
        (app.system("agresso"), PROVMYNDIGHETEN, "ekonomi", 403),
        (app.officer("olle"), PROVMYNDIGHETEN, "e-handel", 201),
        (app.officer_of("eva", &[Area::Ekonomi]), PROVMYNDIGHETEN, "e-handel", 403),
        (app.auditor(), "4021000007", "ekonomi", 403),
    ] {
        let mut body = caller.body("A");
        (body["employer"], body["area"]) = (json!(employer), json!(area));
        let answer = caller.post("/cases").key(&crate::support::new_key()).json(&body).send().await;
        assert_eq!(answer.status, status);
    }
}

#[tokio::test]
async fn a_case_can_only_follow_one_that_its_creator_may_know_of() {
    let app = TestApp::start().await;
    let (anna, bo) = (app.employee("anna"), app.employee("bo"));
    let first = anna.case("A").await;
    let follow = async |caller: &TestCaller<'_>| {
        let mut body = caller.body("Igen");
        body["followsUp"] = json!(first.number);
        caller.post("/cases").key(&crate::support::new_key()).json(&body).send().await
    };
    let next = follow(&anna).await.done();
    assert_eq!(anna.read(&next.id).await["followsUp"], first.number);
    assert_eq!(follow(&bo).await.fields(), ["/followsUp number.unknown"]);
}

/// Mails about a case go to the address that its reporter gave, where the login told none.
#[tokio::test]
async fn an_address_that_is_told_for_a_login_without_one_is_kept() {
    let app = TestApp::start().await;
    let olle = app.officer("olle");
    let said = app.employee("anna").identity.unwrap();
    let bare = app.caller(Identity { name: None, email: None, ..said.clone() });
    bare.case("A").await;
    let told = |email: &str| {
        let mut body = bare.body("Telefon");
        body["reporter"] = json!({"subject": "anna", "name": "Anna", "email": email});
        body
    };
    let case = olle.create(&told("anna@exempelverket.example")).await;
    let reporter = json!({"name": "Anna", "email": "anna@exempelverket.example"});
    assert_eq!(olle.read(&case.id).await["reporter"], reporter);
    // What an officer hears later replaces it; the login's own word does so for good.
    let case = olle.create(&told("annan@exempelverket.example")).await;
    assert_eq!(olle.read(&case.id).await["reporter"]["email"], "annan@exempelverket.example");
    app.employee("anna").list("").await;
    let case = olle.create(&told("en.gang.till@exempelverket.example")).await;
    assert_eq!(olle.read(&case.id).await["reporter"], json!({"name": said.name, "email": said.email}));
}

/// One login may come with other employers from one day to the next.
#[tokio::test]
async fn a_phone_case_is_joined_to_its_login_when_that_comes_with_the_employer() {
    let app = TestApp::start().await;
    let olle = app.officer("olle");
    let said = app.employee("anna").identity.unwrap();
    let at = |employer: &str| {
        let employers = Some(vec![OrganisationNumber::parse(employer).unwrap()]);
        app.caller(Identity { employers, ..said.clone() })
    };
    let (here, there) = (at(EXEMPELVERKET), at(TESTBYRAN));
    here.list("").await;
    let mut body = there.body("Telefon");
    body["employer"] = json!(TESTBYRAN);
    body["reporter"] = json!({"name": "Anna", "email": said.email});
    let case = olle.create(&body).await;
    assert_eq!(here.list("").await, [] as [String; 0]);
    assert_eq!(there.list("").await, [case.number.as_str()]);
}

#[tokio::test]
async fn two_roles_of_one_login_are_recorded_once_and_neither_takes_the_other_away() {
    let app = TestApp::start().await;
    let said = app.employee("olle").identity.unwrap();
    let (employee, officer) = (app.caller(said.clone()), app.officer("olle"));
    for caller in [&employee, &officer] {
        caller.list("").await;
    }
    let head = app.head().await;
    for caller in [&employee, &officer, &employee, &officer, &employee] {
        caller.list("").await;
    }
    assert_eq!(app.head().await, head);
    let case = app.employee("anna").case("A").await;
    let case = officer.change(&case, "start-processing", &json!({})).await;
    officer.change(&case, "assign", &json!({"officer": "olle"})).await;
}

/// The name of a system may be somebody's login too: it is another caller all the same.
#[tokio::test]
async fn a_system_named_like_a_login_is_not_that_person() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    let upload = anna.upload("a.pdf", crate::support::PDF).await;
    let system = app.system("anna");
    assert_eq!(system.list("").await, [] as [String; 0]);
    assert_eq!(system.get(&format!("/cases/{}", case.id)).send().await.problem(404), "not-found");
    let mut body = system.body("B");
    body["attachments"] = json!([upload]);
    let refused = system.post("/cases").key(&crate::support::new_key()).json(&body).send().await;
    assert_eq!(refused.fields(), ["/attachments/0 upload.unknown"]);
    app.leaves_staged(1);
}

/// A token that says less than what is known takes nothing away: mails go to the address on record.
#[tokio::test]
async fn a_token_without_name_and_address_leaves_what_is_known_of_a_person() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let case = anna.case("A").await;
    let said = anna.identity.clone().unwrap();
    let bare = app.caller(Identity { name: None, email: None, ..said.clone() });
    bare.case("B").await;
    bare.read(&case.id).await;
    let reporter = app.officer("olle").read(&case.id).await["reporter"].clone();
    assert_eq!(reporter, json!({"name": said.name, "email": said.email}));
}
