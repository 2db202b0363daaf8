//! Every way of the API to content, in every role: one reading an answer, with exactly the cases that it showed.

use domain::Area;
use domain::access::Role;
use domain::reading::What;
use reqwest::{Method, StatusCode};

use super::{ENGINES, World, id, word};
use crate::officer_pages::browser::Browser;
use crate::support::TestCaller;

/// The addresses of an operation, each with the kind of reading that it is. An operation that is not named here is one that
/// somebody has added: say what it shows.
fn addresses(world: &World, template: &str) -> Vec<(String, Option<What>)> {
    let each = |form: &dyn Fn(&str) -> String| {
        world.cases().map(|(_, case)| form(&case.id)).into_iter().collect::<Vec<_>>()
    };
    let (paths, what) = match template {
        "/cases" => {
            let lists = ["/cases", "/cases?scope=mine", "/cases?scope=employer", "/cases?limit=2&page=2"];
            let mut all: Vec<_> = lists.into_iter().map(|path| (path.to_owned(), Some(What::List))).collect();
            all.push(("/cases?q=Kvittning".to_owned(), Some(What::Search)));
            all.push(("/cases?q=Finnsinte".to_owned(), Some(What::Search)));
            return all;
        }
        "/cases/{caseId}" => {
            let mut paths = each(&|id| format!("/cases/{id}"));
            paths.extend(each(&|id| format!("/cases/{id}?asOf=2026-11-23T09:00:00Z")));
            (paths, Some(What::Case))
        }
        "/cases/{caseId}/timeline" => (each(&|id| format!("/cases/{id}/timeline")), Some(What::Timeline)),
        "/cases/{caseId}/attachments" => {
            (each(&|id| format!("/cases/{id}/attachments")), Some(What::Attachments))
        }
        "/cases/{caseId}/attachments/{attachmentId}" => {
            (each(&|id| format!("/cases/{id}/attachments/{}", world.file)), Some(What::Attachment))
        }
        "/events" => (vec!["/events?limit=1000".to_owned()], Some(What::Feed)),
        "/statistics" | "/service-status" | "/services" | "/employers" | "/api-info" => {
            (vec![template.to_owned()], None)
        }
        other => panic!("say what {other} shows of cases, and to whom that is recorded"),
    };
    paths.into_iter().map(|path| (path, what)).collect()
}

/// Asks, and holds what was recorded against what was shown.
async fn holds(
    world: &World,
    caller: &TestCaller<'_>,
    own: &[&str],
    (path, what): &(String, Option<What>),
    headers: &[(&str, &str)],
) -> usize {
    let before = world.readings().await.len();
    let mut asking = caller.get(path);
    for (name, value) in headers {
        asking = asking.with(name, value);
    }
    let answer = asking.send().await;
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    let shown = world.shown(&text, own);
    let mut new = world.readings().await;
    new.truncate(new.len() - before);
    let identity = caller.identity.as_ref().unwrap();
    let told = format!("{} {path} {headers:?}: {} {new:?}", identity.subject, answer.status);
    if shown.is_empty() {
        // That a search finds nothing tells something of cases of others.
        let searched = *what == Some(What::Search) && identity.role.sees_all();
        assert_eq!(new.len(), usize::from(searched), "nothing was shown; {told}");
        return 0;
    }
    assert_eq!(answer.status, StatusCode::OK, "{told}");
    assert_eq!(new.len(), 1, "one reading an answer; {told}");
    let reading = new[0].reading.as_ref().unwrap();
    let recorded: std::collections::BTreeSet<_> = reading.cases.iter().copied().collect();
    assert_eq!((recorded, reading.cases.len()), (shown.clone(), shown.len()), "{told}");
    let who = world.app.app.keys.pseudonym(identity.role, &identity.subject);
    assert_eq!((reading.who, reading.role.as_str()), (who, identity.role.code()), "{told}");
    assert_eq!((Some(reading.what), new[0].at), (*what, world.app.clock.now()), "{told}");
    if reading.what == What::Attachment {
        assert_eq!(reading.attachment.unwrap().to_string(), world.file);
    }
    1
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_with_content_is_recorded_once_with_the_cases_that_it_showed() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let app = &world.app;
        let callers = [
            (app.employee("anna"), vec!["Anna"]),
            (app.employee("kalle"), vec!["Kalle"]),
            (app.system("lonesystemet"), vec![]),
            (app.officer("olle"), vec![]),
            (app.officer_of("lotta", &[Area::Lon]), vec![]),
            (app.auditor(), vec![]),
        ];
        let document = api::v1::openapi();
        let reads = document.paths.paths.iter().filter(|(_, item)| item.get.is_some());
        let templates: Vec<&String> = reads.map(|(template, _)| template).collect();
        assert!(templates.len() > 8, "{templates:?}");
        for (caller, own) in &callers {
            let mut recorded = 0;
            for template in &templates {
                for address in addresses(&world, template) {
                    recorded += holds(&world, caller, own, &address, &[]).await;
                }
            }
            let expected = match caller.identity.as_ref().unwrap().subject.as_str() {
                "anna" | "kalle" | "lotta" => 0,
                // Its own case in three lists, twice as a case, and its timeline.
                "lonesystemet" => 3 + 2 + 1,
                // All cases: three lists and a search, twice each as a case, their timelines, and one with a file, read
                // and listed.
                _ => recorded,
            };
            assert_eq!(recorded, expected, "{:?}", caller.identity);
            assert!(expected > 0 || own.len() < 2);
        }
        let feed = ("/events?limit=1000".to_owned(), Some(What::Feed));
        let rut = app.auditor();
        assert_eq!(holds(&world, &rut, &[], &feed, &[("reason", "Tillsyn 7")]).await, 1);
        let reading = world.readings().await.remove(0).reading.unwrap();
        assert_eq!(reading.reason.as_deref(), Some("Tillsyn 7"));
        let (first, last) = reading.positions.unwrap();
        assert!(first >= 1 && last <= app.head().await && first < last);
        let lines = [("reason", "Tillsyn 7"), ("accept", "application/x-ndjson")];
        assert_eq!(holds(&world, &rut, &[], &feed, &lines).await, 1);
        // A reason opens nothing to others.
        assert_eq!(holds(&world, &app.officer("olle"), &[], &feed, &[("reason", "x")]).await, 0);
    }
}

/// An officer who has a case of their own at an employer is its reporter there.
#[tokio::test]
async fn an_officers_own_case_is_their_own() {
    let world = World::new(super::Engine::Sqlite).await;
    let own = world.app.employee("olle").case(&word("Olle")).await;
    let olle = world.app.officer("olle");
    olle.read(&own.id).await;
    assert_eq!(world.readings().await.len(), 0);
    assert!(olle.list("").await.len() == 5);
    let reading = world.readings().await.remove(0).reading.unwrap();
    assert!(reading.cases.len() == 4 && !reading.cases.contains(&id(&own)));
}

#[tokio::test]
async fn a_head_and_a_part_of_a_file_are_readings_too() {
    let world = World::new(super::Engine::Sqlite).await;
    let olle = world.app.officer("olle");
    let path = format!("/cases/{}/attachments/{}", world.anna.id, world.file);
    olle.ask(Method::HEAD, &format!("/api/v1{path}")).send().await;
    assert_eq!(world.readings().await.len(), 1);
    assert_eq!(olle.get(&path).with("range", "bytes=0-3").send().await.status, 206);
    assert_eq!(world.readings().await.len(), 2);
    let page = Browser::of(&world.app, olle.identity.clone().unwrap()).await;
    let page = page.request(Method::HEAD, &format!("/arenden/{}", world.anna.id)).send().await.unwrap();
    assert_eq!((page.status(), world.readings().await.len()), (StatusCode::OK, 3));
    let wrong = path.replace(&world.file, &world.anna.id);
    olle.get(&wrong).send().await.problem(404);
    assert_eq!(world.readings().await.len(), 3, "nothing was shown");
    assert_eq!(identity_role(&olle), Role::Officer);
}

fn identity_role(caller: &TestCaller<'_>) -> Role {
    caller.identity.as_ref().unwrap().role
}
