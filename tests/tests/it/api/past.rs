//! The past: a case as it was, its timeline, statistics as of a day.

use chrono::TimeDelta;
use domain::access::Role;
use serde_json::{Value, json};

use crate::support::{TestApp, identity, monday};

#[tokio::test]
async fn a_case_as_of_a_moment() {
    let app = TestApp::start().await;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("A").await;
    app.pass(TimeDelta::minutes(10));
    let case = olle.start_processing(&case).await;
    app.pass(TimeDelta::minutes(10));
    let case = olle.close(&case, "Svar").await;
    let at = |minutes: i64| (monday() + TimeDelta::minutes(minutes)).to_rfc3339();
    let as_of = |moment: String| {
        let moment = moment.replace('+', "%2B");
        anna.get(&format!("/cases/{}?asOf={moment}", case.id)).send()
    };
    for (minutes, status, version) in
        [(0, "received", 1), (9, "received", 1), (10, "in-process", 2), (25, "closed", 3)]
    {
        let answer = as_of(at(minutes)).await;
        assert_eq!(answer.header("etag"), "");
        let body = answer.ok();
        assert_eq!((&body["status"], &body["version"]), (&json!(status), &json!(version)), "{minutes}");
        assert_eq!(body["answer"].is_null(), version < 3);
    }
    // All zones are read, also where somebody forgot to escape the plus sign.
    let unescaped = anna.get(&format!("/cases/{}?asOf=2026-11-23T09:40:00+01:00", case.id)).send().await.ok();
    assert_eq!(unescaped["status"], "received");
    assert_eq!(as_of(at(-1)).await.problem(404), "not-found");
    for wrong in ["2026-11-23", "i%20g%C3%A5r", "2026-11-23T08:36:08"] {
        let answer = anna.get(&format!("/cases/{}?asOf={wrong}", case.id)).send().await;
        assert_eq!(answer.fields(), ["?asOf field.value"]);
    }
    let now = anna.get(&format!("/cases/{}", case.id)).send().await;
    assert_eq!(now.header("etag"), "\"3\"");
}

#[tokio::test]
async fn rights_in_the_past_are_those_of_now() {
    let app = TestApp::start().await;
    let lena = app.officer_of("lena", &[domain::Area::Ekonomi]);
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    let case = anna.case("A").await;
    lena.read(&case.id).await;
    app.pass(TimeDelta::minutes(10));
    olle.change(&case, "reclassify", &json!({"area": "e-handel", "reason": "x"})).await;
    let path = format!("/cases/{}?asOf=2026-11-23T08:40:00Z", case.id);
    assert_eq!(lena.get(&path).send().await.problem(404), "not-found");
    assert_eq!(olle.get(&path).send().await.ok()["area"], "ekonomi");
}

#[tokio::test]
async fn the_timeline_shows_each_reader_what_is_theirs() {
    let app = TestApp::start().await;
    let (anna, olle, rut) = (app.employee("anna"), app.officer("olle"), app.auditor());
    let case = anna.case("Ämnet").await;
    let case = olle.change(&case, "assign", &json!({"officer": "olle"})).await;
    // What is only assigned is the centre's own.
    assert_eq!(anna.read(&case.id).await["officer"], Value::Null);
    assert_eq!(olle.read(&case.id).await["officer"], "olle");
    let case = olle.start_processing(&case).await;
    let case = olle.change(&case, "notes", &json!({"kind": "working", "text": "Arbetsanteckning"})).await;
    let case = olle.change(&case, "notes", &json!({"kind": "official", "text": "Tjänsteanteckning"})).await;
    let timeline = async |caller: &crate::support::TestCaller<'_>| {
        caller.get(&format!("/cases/{}/timeline", case.id)).send().await.ok()
    };
    let types = |body: &Value| -> Vec<String> {
        body["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect()
    };
    let annas = timeline(&anna).await;
    assert_eq!(types(&annas), ["CaseReceived", "ProcessingStarted", "NoteAdded"]);
    assert_eq!(annas["events"][0]["personal"]["subject"], "Ämnet");
    assert_eq!(annas["events"][2]["personal"]["text"], "Tjänsteanteckning");
    for caller in [&olle, &rut] {
        let body = timeline(caller).await;
        assert_eq!(
            types(&body),
            ["CaseReceived", "CaseAssigned", "ProcessingStarted", "NoteAdded", "NoteAdded"]
        );
    }
    assert_eq!(anna.read(&case.id).await["officer"], "olle");
}

#[tokio::test]
async fn statistics_now_and_as_of_a_past_day() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let first = anna.case("A").await;
    anna.case("B").await;
    app.pass(TimeDelta::days(1));
    // Tokens last an hour.
    let (olle, lena) = (app.officer("olle"), app.caller(identity("lena", Role::TeamLead)));
    olle.close(&olle.start_processing(&first).await, "Svar").await;
    let statistics = |query: &str| {
        let lena = lena.clone();
        let path = format!("/statistics?{query}");
        async move { lena.get(&path).send().await.ok() }
    };
    let now = statistics("by=status").await;
    assert_eq!(
        now["standing"],
        json!([{"status": "closed", "count": 1}, {"status": "received", "count": 1}])
    );
    assert_eq!(now["perDay"], json!([]));
    assert_eq!(now["asOfDate"], "2026-11-24");
    let then = statistics("by=status&asOf=2026-11-23").await;
    assert_eq!(then["standing"], json!([{"status": "received", "count": 2}]));
    let all = statistics("asOf=2026-11-24T10:00:00Z").await;
    assert_eq!(
        all["standing"][0],
        json!({"status": "closed", "area": "ekonomi", "employer": "4021000007", "count": 1})
    );
    assert_eq!(
        all["perDay"],
        json!([{"day": "2026-11-23", "received": 2, "closed": 0}, {"day": "2026-11-24", "received": 0, "closed": 1}])
    );
    assert_eq!(all["times"], json!([{"area": "ekonomi", "closed": 1, "meanSeconds": 86_400}]));
    for (query, found) in [
        ("asOf=nu", "?asOf field.value"),
        ("asOf=9999-12-31T23:59:59Z", "?asOf field.value"),
        ("asOf=0000-01-01", "?asOf field.value"),
        ("from=2026-11-24&to=2026-11-23", "?from field.value"),
        ("by=person", "?by field.value"),
        ("to=2026-13-01", "?to field.value"),
        ("area=lon", "?area field.unknown"),
    ] {
        assert_eq!(lena.get(&format!("/statistics?{query}")).send().await.fields(), [found]);
    }
    // Whose rights follow from a person sees no counts.
    let anna = app.employee("anna").get("/statistics").send().await.ok();
    assert_eq!((&anna["standing"], &anna["perDay"]), (&json!([]), &json!([])));
}
