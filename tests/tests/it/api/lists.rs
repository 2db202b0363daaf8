//! Lists: scopes, filters, pages, links, search.

use serde_json::{Value, json};

use crate::support::{EXEMPELVERKET, PROVMYNDIGHETEN, TestApp, TestCaller};

async fn page(caller: &TestCaller<'_>, query: &str) -> (Value, String) {
    let answer = caller.get(&format!("/cases?{query}")).send().await;
    (answer.ok(), answer.header("link").to_owned())
}

#[tokio::test]
async fn pages_have_totals_and_links() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    for count in 1..=7 {
        anna.case(&format!("Fråga {count}")).await;
    }
    let (body, link) = page(&anna, "limit=3&page=2&sort=oldest").await;
    let numbers: Vec<&str> =
        body["cases"].as_array().unwrap().iter().map(|case| case["subject"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["Fråga 4", "Fråga 5", "Fråga 6"]);
    assert_eq!(
        body["_meta"],
        json!({"page": 2, "limit": 3, "count": 3, "totalRecords": 7, "totalPages": 3, "totalRecordsIsExact": true})
    );
    let to = |page: u64, relation: &str| {
        format!("</api/v1/cases?limit=3&sort=oldest&page={page}>; rel=\"{relation}\"")
    };
    assert_eq!(link, [to(1, "first"), to(1, "prev"), to(3, "next"), to(3, "last")].join(", "));
    let (last, link) = page(&anna, "limit=3&page=3").await;
    assert_eq!(last["_meta"]["count"], 1);
    assert!(!link.contains("next"));
    let (beyond, _) = page(&anna, "limit=3&page=9").await;
    assert_eq!((&beyond["cases"], &beyond["_meta"]["count"]), (&json!([]), &json!(0)));
    let (usual, _) = page(&anna, "").await;
    assert_eq!((&usual["_meta"]["page"], &usual["_meta"]["limit"]), (&json!(1), &json!(20)));
    // Lists hold no texts but the subject.
    for absent in ["message", "answer", "messages", "attachments"] {
        assert_eq!(usual["cases"][0].get(absent), None);
    }
}

#[tokio::test]
async fn wrong_parameters_are_all_told() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let query = "page=0&limit=101&status=open&area=x&employer=1&channel=fax&scope=all&sort=up&sida=2&limit=1";
    let mut found = anna.get(&format!("/cases?{query}")).send().await.fields();
    found.sort_unstable();
    let mut expected: Vec<String> =
        ["page", "limit", "status", "area", "employer", "channel", "scope", "sort"]
            .iter()
            .map(|name| format!("?{name} field.value"))
            .collect();
    expected.push("?sida field.unknown".to_owned());
    expected.sort_unstable();
    found.dedup();
    assert_eq!(found, expected);
    assert_eq!(anna.get("/cases?page=101&limit=100").send().await.fields(), ["?page field.value"]);
    anna.get("/cases?page=100&limit=100").send().await.ok();
    for path in [
        "/cases/x?a=1",
        "/cases/x/timeline?a=1",
        "/cases/x/attachments?a=1",
        "/employers?a=1",
        "/services?a=1",
        "/api-info?a=1",
        "/service-status?a=1",
    ] {
        assert_eq!(anna.get(path).send().await.fields(), ["?a field.unknown"], "{path}");
    }
}

#[tokio::test]
async fn scopes_by_role() {
    let app = TestApp::start().await;
    let (anna, bo, olle, rut) =
        (app.employee("anna"), app.employee("bo"), app.officer("olle"), app.auditor());
    let primula = app.system("primula");
    let a = anna.case("A").await;
    let b = bo.case("B").await;
    let s = primula.case("S").await;
    olle.start_processing(&b).await;
    let all = [s.number.clone(), b.number.clone(), a.number.clone()];
    for scope in ["", "scope=mine", "scope=employer"] {
        assert_eq!(anna.list(scope).await, [a.number.as_str()]);
        assert_eq!(primula.list(scope).await, [s.number.as_str()]);
    }
    for caller in [&anna, &primula] {
        assert_eq!(caller.get("/cases?scope=queue").send().await.problem(403), "permission");
    }
    for (caller, scope) in
        [(&olle, ""), (&olle, "scope=queue"), (&olle, "scope=employer"), (&rut, ""), (&rut, "scope=queue")]
    {
        assert_eq!(caller.list(scope).await, all);
    }
    assert_eq!(olle.list("scope=mine").await, [b.number.as_str()]);
    assert_eq!(olle.list("officer=olle").await, [b.number.as_str()]);
    assert_eq!(olle.list("scope=mine&officer=olga").await, [] as [String; 0]);
}

#[tokio::test]
async fn filters_narrow() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let prov = app.employee_of("per", PROVMYNDIGHETEN);
    let received = anna.case("Ett").await;
    let started = olle.start_processing(&prov.case("Två").await).await;
    let closed = olle.close(&olle.start_processing(&anna.case("Tre").await).await, "Svar").await;
    let call = {
        let mut body = olle.body("Fyra");
        body["channel"] = json!("telefon");
        body["area"] = json!("e-handel");
        olle.create(&body).await
    };
    for (query, expected) in [
        ("status=received", vec![&call, &received]),
        ("status=in-process,closed", vec![&closed, &started]),
        ("status=in-process&status=closed", vec![&closed, &started]),
        ("area=e-handel", vec![&call]),
        (&format!("employer={PROVMYNDIGHETEN}"), vec![&started]),
        (&format!("employer={EXEMPELVERKET}&status=closed"), vec![&closed]),
        ("channel=telefon", vec![&call]),
        ("sort=oldest&limit=2", vec![&received, &started]),
        ("sort=number&limit=1", vec![&received]),
        ("sort=last-changed&limit=1", vec![&call]),
    ] {
        let numbers: Vec<String> = expected.iter().map(|case| case.number.clone()).collect();
        assert_eq!(olle.list(query).await, numbers, "{query}");
    }
}

#[tokio::test]
async fn search_finds_words_in_every_text_within_one_s_rights() {
    let app = TestApp::start().await;
    let (anna, bo, olle) = (app.employee("anna"), app.employee("bo"), app.officer("olle"));
    let case = anna.case("Reseräkningen").await;
    let case = olle.start_processing(&case).await;
    let case = anna.message(&case, "Kvittot är borttappat").await;
    let case = olle.close(&case, "Skriv ett intyg i stället").await;
    bo.case("Något helt annat").await;
    for words in ["reser%C3%A4kning", "kvittot", "intyget", &case.number, "KVITTO%20intyg"] {
        assert_eq!(anna.list(&format!("q={words}")).await, [case.number.as_str()], "{words}");
        assert_eq!(olle.list(&format!("q={words}")).await, [case.number.as_str()], "{words}");
        assert_eq!(bo.list(&format!("q={words}")).await, [] as [String; 0]);
    }
    for odd in ["%22", "*", "%00", "a%20OR%20b", "NEAR(", "%F0%9F%92%A9", "%FF%FE"] {
        assert_eq!(anna.list(&format!("q={odd}")).await, [] as [String; 0], "{odd}");
    }
}

#[tokio::test]
async fn employers_and_services_are_the_caller_s() {
    let app = TestApp::start().await;
    let anna = app.employee("anna").get("/employers").send().await.ok();
    assert_eq!(anna["employers"].as_array().unwrap().len(), 1);
    assert_eq!(anna["employers"][0]["number"], EXEMPELVERKET);
    let olle = app.officer("olle").get("/employers").send().await.ok();
    assert_eq!(olle["employers"].as_array().unwrap().len(), 6);
    let services = app.employee("anna").get("/services").send().await.ok();
    assert_eq!(services["areas"].as_array().unwrap().len(), 4);
    assert_eq!(services["employers"][0]["employer"], EXEMPELVERKET);
    assert!(!services["employers"][0]["services"].as_array().unwrap().is_empty());
}
