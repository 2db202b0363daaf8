//! What cannot be recorded is not shown: only a reporter's own cases are, and lists without content.

use domain::access::Role;
use serde_json::Value;

use super::{ENGINES, World, employee, word};
use crate::officer_pages::browser::Browser;
use crate::support::{TestCaller, identity};

async fn is_withheld(caller: &TestCaller<'_>, path: &str) {
    let answer = caller.get(path).send().await;
    assert_eq!(answer.problem(503), "read-log.unavailable", "{path}");
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!String::from_utf8_lossy(&answer.bytes).contains("Markor"), "{path}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_record_others_are_shown_lists_without_content_and_nothing_more() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let app = &world.app;
        let (olle, rut) = (app.officer("olle"), app.auditor());
        olle.read(&world.anna.id).await;
        // Nor does it come out then where somebody works whose identity is protected.
        let anna = app.app.keys.login("anna");
        app.app.protect(anna, anna, true).await.unwrap();
        world.breaks().await;
        let list = olle.get("/cases").send().await.ok();
        let own = |case: &&Value| case["id"] == world.anna.id.as_str();
        let hers = list["cases"].as_array().unwrap().iter().find(own).unwrap();
        assert_eq!(hers.get("employer"), None, "{hers}");
        let case = format!("/cases/{}", world.anna.id);
        for path in [
            case.clone(),
            format!("{case}?asOf=2026-11-23T09:00:00Z"),
            format!("{case}/timeline"),
            format!("{case}/attachments"),
            format!("{case}/attachments/{}", world.file),
            // What a search finds tells what was written.
            "/cases?q=Kvittning".to_owned(),
        ] {
            is_withheld(&olle, &path).await;
            is_withheld(&rut, &path).await;
        }
        is_withheld(&app.system("lonesystemet"), &format!("/cases/{}", world.system.id)).await;
        let feed = rut.get("/events").with("reason", "Tillsyn").send().await;
        assert_eq!(feed.problem(503), "read-log.unavailable");
        assert!(rut.get("/events").send().await.ok()["events"].as_array().unwrap().len() > 4);
        let lines = rut.get("/events").with("reason", "Tillsyn").with("accept", "application/x-ndjson");
        let told = match lines.try_send().await {
            Ok(answer) => String::from_utf8_lossy(&answer.bytes).into_owned(),
            Err(_) => String::new(),
        };
        assert!(!told.contains("Markor"), "it breaks off before anything is shown");
        is_listed_without_content(&olle.get("/cases").send().await.ok());
        is_listed_without_content(&rut.get("/cases").send().await.ok());
        // The reporter's own are as always, and so is all that shows no content.
        assert_eq!(app.employee("anna").read(&world.anna.id).await["subject"], word("Anna"));
        assert_eq!(app.employee("anna").get("/cases").send().await.ok()["cases"][0]["subject"], word("Anna"));
        olle.get("/statistics").send().await.ok();
        olle.start_processing(&world.kalle).await;

        world.is_mended().await;
        assert_eq!(olle.read(&world.anna.id).await["subject"], word("Anna"));
        assert!(olle.get("/cases").send().await.ok()["_meta"].get("withheld").is_none());
        assert_eq!(world.readings().await.len(), 3);
    }
}

fn is_listed_without_content(list: &Value) {
    assert!(list["_meta"]["withheld"].as_str().unwrap().contains("går inte att visa"), "{list}");
    assert_eq!(list["_meta"]["totalRecords"], 4);
    for case in list["cases"].as_array().unwrap() {
        for known in ["caseNumber", "area", "status", "receivedDate"] {
            assert!(case[known].is_string(), "{known}: {case}");
        }
        for hidden in ["subject", "reporter", "officer"] {
            assert!(case[hidden].is_null(), "{hidden}: {case}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_record_the_pages_say_so() {
    let world = World::new(super::Engine::Sqlite).await;
    let app = &world.app;
    world.readings().await;
    app.officer("olle").read(&world.anna.id).await;
    world.breaks().await;
    let olle = Browser::of(app, identity("olle", Role::Officer)).await;
    let case = format!("/arenden/{}", world.anna.id);
    for path in [case.clone(), format!("{case}/mottaget"), format!("{case}/filer/{}", world.file)] {
        let page = olle.get(&path).await;
        page.shows(503, "Innehållet kan inte visas just nu");
        page.shows(503, "eftersom det inte kan antecknas vem som läser det");
        assert!(!page.says("Markor"), "{path}");
    }
    olle.get("/handlaggare?q=Kvittning").await.shows(503, "Innehållet kan inte visas just nu");
    let queue = olle.get("/handlaggare?status=all").await;
    queue.shows(200, "Ämne och namn visas inte just nu");
    for known in [&world.anna.number, "Inkommit", "Ekonomi", "Exempelverket", "(visas inte just nu)"] {
        queue.shows(200, known);
    }
    assert!(!queue.says("Markor"), "{}", queue.text());
    let english = Browser::of(app, identity("olle", Role::Officer)).await.in_english();
    english.get("/handlaggare").await.shows(200, "Subjects and names are not shown right now");
    english.get(&case).await.shows(503, "The content cannot be shown right now");
    // What an officer has typed is not lost with it.
    let form = format!("/arenden/{}/svar", world.phone.id);
    let key = "01931b2c-0000-7000-8000-000000000001";
    let owner = olle.get("/handlaggare/telefonarende").await.hidden("/handlaggare/telefonarende");
    let owner = owner.iter().find(|(name, _)| name == "owner").unwrap().1.clone();
    let fields = [("form", key), ("owner", &owner), ("version", "9"), ("answer", "Ett långt svar")];
    let refused = olle.post(&form, &fields).await;
    refused.shows(503, "Ett långt svar");
    refused.shows(503, "Innehållet kan inte visas just nu");
    assert!(!refused.says("Markor"), "{}", refused.text());
    let rut = Browser::of(app, identity("rut", Role::Auditor)).await;
    let replay = format!("/revision/arenden/{}", world.anna.id);
    rut.get(&replay).await.shows(200, "Innehållet är förseglat");
    rut.get(&format!("{replay}?reason=Tillsyn")).await.shows(503, "Innehållet kan inte visas just nu");
    let anna = Browser::of(app, employee("anna")).await;
    anna.get(&case).await.shows(200, &word("Anna"));
    anna.get("/mina-arenden").await.shows(200, &word("Anna"));
}
