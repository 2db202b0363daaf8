//! The five systems (K8), and decisions and supporting documents that need a file (K7).

use domain::access::Role;
use domain::{Area, SubArea, System};
use infrastructure::tokens::Identity;
use serde_json::{Value, json};

use crate::support::{EXEMPELVERKET, PDF, TESTBYRAN, TestApp, TestCaller, new_key};

const SYSTEMS: [System; 5] =
    [System::PolMintid, System::Palasso, System::Primula, System::Agresso, System::VismaProceedo];

#[tokio::test]
async fn each_of_the_five_systems_creates_a_case_with_its_token() {
    let app = TestApp::start().await;
    for (count, system) in SYSTEMS.iter().enumerate() {
        let caller = app.system(system.code());
        let body = json!({
            "employer": EXEMPELVERKET, "area": "it-tjanstestod", "system": system.code(),
            "subject": format!("Fel i {}", system.name()), "message": "Överföringen stannade.",
        });
        let case = caller.create(&body).await;
        assert!(case.number.starts_with(&format!("2026-00000{}-", count + 1)), "{}", case.number);
        let read = caller.read(&case.id).await;
        assert_eq!((&read["system"], &read["channel"]), (&json!(system.code()), &json!("api")));
        assert_eq!((&read["reporter"], &read["status"]), (&Value::Null, &json!("received")));
        assert_eq!(caller.list("").await, [case.number.as_str()]);
        assert!(app.officer("olle").list("scope=queue").await.contains(&case.number));
    }
    // Each sees its own only.
    for system in SYSTEMS {
        assert_eq!(app.system(system.code()).list("scope=mine").await.len(), 1);
    }
}

#[tokio::test]
async fn a_system_reports_on_behalf_of_a_person_who_then_sees_the_case() {
    let app = TestApp::start().await;
    let primula = app.system("primula");
    let mut body = primula.body("Löneutbetalning");
    body["reporter"] =
        json!({"subject": "anna", "name": "Anna Provsson", "email": "anna@exempelverket.example"});
    let case = primula.create(&body).await;
    assert_eq!(app.employee("anna").list("").await, [case.number.as_str()]);
    let read = primula.read(&case.id).await;
    assert_eq!(read["reporter"], json!({"name": "Anna Provsson", "email": "anna@exempelverket.example"}));
}

/// What a person's own login says is none of a system's business, nor may it say more of one who is known.
#[tokio::test]
async fn a_system_neither_reads_nor_changes_what_is_known_of_a_person() {
    let app = TestApp::start().await;
    let (primula, olle, anna) = (app.system("primula"), app.officer("olle"), app.employee("anna"));
    anna.list("").await;
    let said = anna.identity.clone().unwrap();
    let report = async |caller: &TestCaller<'_>, reporter: Value| {
        let mut body = caller.body("A");
        body["reporter"] = reporter;
        caller.create(&body).await
    };
    let told = json!({"subject": "anna", "name": "Gissat Namn", "email": "gissning@example.com"});
    let case = report(&primula, told).await;
    assert_eq!(primula.read(&case.id).await["reporter"], json!({"name": null, "email": null}));
    assert_eq!(olle.read(&case.id).await["reporter"], json!({"name": said.name, "email": said.email}));
    // A caller whom an officer has heard is not renamed.
    let heard = json!({"name": "Ring Are", "email": "ring.are@example.com"});
    let case = report(&olle, heard.clone()).await;
    report(&primula, json!({"name": "Helt Annan", "email": "Ring.Are@example.com"})).await;
    assert_eq!(olle.read(&case.id).await["reporter"], heard);
}

/// Of a person who has said nothing, each case shows what was told for its employer.
#[tokio::test]
async fn what_was_told_of_a_person_shows_where_it_was_told() {
    let app = TestApp::start().await;
    let (olle, rut) = (app.officer("olle"), app.auditor());
    let mut cases = Vec::new();
    for (employer, name) in [(EXEMPELVERKET, "Här"), (TESTBYRAN, "Där")] {
        cases.push((app.told_of("offy", name, employer).await, name));
    }
    for (case, name) in &cases {
        assert_eq!(rut.read(&case.id).await["reporter"]["name"], *name);
    }
    // It turns out to be an officer, whose token says no address: known as one from now on.
    let said = app.officer("offy").identity.unwrap();
    app.caller(Identity { email: None, ..said }).list("").await;
    olle.change(&cases[0].0, "assign", &json!({"officer": "offy"})).await;
}

#[tokio::test]
async fn who_will_work_on_a_case_is_no_filter_of_those_who_are_not_told() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let older = anna.case("A").await;
    let newer = anna.case("B").await;
    let older = olle.change(&older, "assign", &json!({"officer": "olle"})).await;
    assert_eq!(olle.list("officer=olle").await, [older.number.as_str()]);
    for scope in ["mine", "employer"] {
        assert_eq!(anna.list(&format!("scope={scope}&officer=olle")).await, [] as [String; 0]);
        let changed = anna.list(&format!("scope={scope}&sort=last-changed")).await;
        assert_eq!(changed, [newer.number.as_str(), older.number.as_str()], "{scope}");
    }
    let older = olle.change(&older, "start-processing", &json!({})).await;
    assert_eq!(anna.list("officer=olle").await, [older.number.as_str()]);
}

#[tokio::test]
async fn the_service_status_has_a_row_for_each_system_and_needs_no_token() {
    let app = TestApp::start().await;
    let status = app.nobody().get("/service-status").send().await.ok();
    let rows = status["systems"].as_array().unwrap();
    let systems: Vec<&Value> = rows.iter().map(|row| &row["system"]).collect();
    assert_eq!(
        systems,
        [
            &Value::Null,
            &json!("pol-mintid"),
            &json!("palasso"),
            &json!("primula"),
            &json!("agresso"),
            &json!("visma-proceedo")
        ]
    );
    assert!(rows.iter().all(|row| row["state"] == "normal"));
}

#[tokio::test]
async fn a_decision_needs_a_file_from_whomever_it_comes() {
    let app = TestApp::start().await;
    let head = app.head().await;
    for caller in [app.employee("anna"), app.officer("olle"), app.system("palasso")] {
        let mut body = caller.body("Beslut");
        body["area"] = json!(Area::Lon.code());
        body["subArea"] = json!(SubArea::BeslutUnderlag.code());
        let answer = caller.post("/cases").key(&new_key()).json(&body).send().await;
        assert_eq!(answer.fields(), ["/attachments file.required"]);
        body["system"] = json!("primula");
        let answer = caller.post("/cases").key(&new_key()).json(&body).send().await;
        assert_eq!(answer.fields(), ["/system system.refused", "/attachments file.required"], "all at once");
        body["system"] = Value::Null;
        for wrong in [json!([]), json!(["0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f"])] {
            body["attachments"] = wrong;
            assert_eq!(caller.post("/cases").key(&new_key()).json(&body).send().await.status, 422);
        }
        body["attachments"] = json!([caller.upload("beslut.pdf", PDF).await]);
        assert_eq!(caller.create(&body).await.status, "received");
    }
    // Nor can an officer make one of a case without a file.
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("Utan fil").await;
    let reclassify = json!({"area": "lon", "subArea": "beslut-underlag", "reason": "x"});
    assert_eq!(olle.try_change(&case, "reclassify", &reclassify).await.fields().len(), 1);
    assert!(app.head().await > head);
}

#[tokio::test]
async fn a_case_can_only_be_about_what_the_employer_uses() {
    let app = TestApp::start().await;
    let testbyran = app.employee_of("tea", TESTBYRAN);
    let mut body = testbyran.body("Lön");
    body["area"] = json!("lon");
    body["subArea"] = json!("supportarende");
    let answer = testbyran.post("/cases").key(&new_key()).json(&body).send().await;
    assert_eq!(answer.fields(), ["/area area.not_available"]);
}

#[tokio::test]
async fn an_officer_registers_a_call_and_the_caller_s_first_login_joins_it() {
    let app = TestApp::start().await;
    let olle = app.officer("olle");
    let mut body = olle.body("Ringde om semester");
    body["channel"] = json!("telefon");
    let case = olle.create(&body).await;
    let mut karin = crate::support::identity("karin", Role::Employee);
    karin.employers = app.employee("x").identity.unwrap().employers;
    let karin = app.caller(karin);
    assert_eq!(karin.list("").await, [case.number]);
    let read = karin.read(&case.id).await;
    assert_eq!(read["channel"], "telefon");
    // Only officers take calls.
    for caller in [app.employee("anna"), app.system("primula")] {
        let mut body = caller.body("x");
        body["channel"] = json!("telefon");
        let answer = caller.post("/cases").key(&new_key()).json(&body).send().await;
        assert_eq!(answer.fields(), ["/channel channel.refused"]);
    }
}
