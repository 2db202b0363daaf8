//! Every page with content, in every role; the page of those who have read, for the reporter and for auditors.

use std::collections::BTreeSet;
use std::path::Path;

use domain::access::Role;
use domain::reading::What;

use super::{Engine, World, employee, id, word};
use crate::officer_pages::browser::Browser;
use crate::support::identity;

/// The pages that people read, as the routes have them. One that is not named here was added by somebody: say what it shows.
const PAGES: [&str; 42] = [
    "/",
    "/arenden/{id}",
    "/arenden/{id}/allt",
    "/arenden/{id}/filer/{attachment}",
    "/arenden/{id}/lasningar",
    "/arenden/{id}/mottaget",
    "/driftstatus",
    "/driftstatus/atom",
    "/driftstatus/ny",
    "/driftstatus/{id}",
    "/driftstatus/{id}/andra",
    "/handlaggare",
    "/handlaggare/telefonarende",
    "/installningar",
    "/kakor",
    "/logga-in",
    "/logga-in/fel",
    "/logga-ut",
    "/mina-arenden",
    "/personuppgifter",
    "/redaktion",
    "/redaktion/{page}",
    "/redaktion/{page}/historik",
    "/redaktion/blanketter",
    "/redaktion/blanketter/ny",
    "/redaktion/blanketter/{code}",
    "/redaktion/blanketter/{code}/versioner/{version}",
    "/redaktion/tidplan",
    "/redaktion/tidplan/ny",
    "/redaktion/tidplan/{period}",
    "/register",
    "/revision",
    "/revision/arenden/{id}",
    "/revision/lasningar",
    "/roll",
    "/skapa-arende",
    "/statistik",
    "/support",
    "/tillganglighet",
    "/tjanster",
    "/tjanster/blanketter/{code}",
    "/tjanster/tidplan.ics",
];
/// Those that lead elsewhere and show nothing.
const LEADING: [&str; 4] = ["/logga-in/svar", "/session", "/sprak", "/valj-arbetsgivare"];

/// The routes of the sources.
fn routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for route in text.split(".route(").skip(1) {
            let route = route.trim_start();
            let (address, rest) = route.split_once(',').unwrap();
            let address = match address.trim().strip_prefix('"') {
                Some(literal) => literal.trim_end_matches('"').to_owned(),
                // A constant of the file.
                None => {
                    let constant = format!("const {}: &str = \"", address.trim());
                    text.split(&constant).nth(1).unwrap().split('"').next().unwrap().to_owned()
                }
            };
            if rest.trim_start().starts_with("get(") {
                found.insert(address);
            }
        }
    }
}

#[test]
fn no_page_is_forgotten() {
    let mut found = BTreeSet::new();
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("api/src/pages");
    routes(&pages, &mut found);
    let known = PAGES.into_iter().chain(LEADING).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(found, known);
}

/// Handlers open what is sealed in the log in few places, each of which records it first.
#[test]
fn nothing_opens_the_log_past_the_read_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut opening = BTreeSet::new();
    let mut folders = vec![root.join("api/src/pages"), root.join("api/src/v1"), root.join("api/src/app")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let opens = ["reader.stream(", "reader.open(", "reader.after(", "Receipt::of_own("];
            if opens.iter().any(|call| text.contains(call)) {
                assert!(
                    ["recorded(", "unread", "shown_to("].iter().any(|door| text.contains(door)),
                    "{} shows content without a record",
                    path.display()
                );
                opening.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    let known = [
        "api/src/app/reading.rs",
        "api/src/pages/audit/replay.rs",
        "api/src/v1/cases/case.rs",
        "api/src/v1/events.rs",
    ];
    assert_eq!(opening, known.map(str::to_owned).into());
}

fn addresses(world: &World, template: &str) -> Vec<String> {
    let each = |query: &str| {
        world.cases().map(|(_, case)| format!("{}{query}", template.replace("{id}", &case.id))).to_vec()
    };
    match template {
        "/arenden/{id}/filer/{attachment}" => {
            each("").iter().map(|path| path.replace("{attachment}", &world.file)).collect()
        }
        "/revision/arenden/{id}" => [each(""), each("?version=1&reason=Tillsyn")].concat(),
        _ if template.contains("{id}") => each(""),
        "/handlaggare" => {
            vec![
                "/handlaggare".to_owned(),
                "/handlaggare?status=all".to_owned(),
                "/handlaggare?q=Kvittning".to_owned(),
            ]
        }
        "/mina-arenden" => vec!["/mina-arenden".to_owned(), "/mina-arenden?q=Svar".to_owned()],
        "/revision/lasningar" => vec!["/revision/lasningar".to_owned()],
        _ => vec![template.to_owned()],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_with_content_is_recorded_once_with_the_cases_that_it_showed() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    for (who, own) in [
        (employee("anna"), vec!["Anna"]),
        (employee("kalle"), vec!["Kalle"]),
        (identity("olle", Role::Officer), vec![]),
        (identity("lina", Role::TeamLead), vec![]),
        (identity("rita", Role::Registrar), vec![]),
        (identity("arvid", Role::Archivist), vec![]),
        (identity("rut", Role::Auditor), vec![]),
    ] {
        let browser = Browser::of(app, who.clone()).await;
        let mut recorded = 0;
        for path in PAGES.iter().flat_map(|template| addresses(&world, template)) {
            let before = world.readings().await.len();
            let page = browser.get(&path).await;
            let shown = world.shown(&page.html, &own);
            let mut new = world.readings().await;
            new.truncate(new.len() - before);
            let told = format!("{} {path}: {} {new:?}", who.subject, page.status);
            // Where protected people work stands there, for the few who see it.
            if path == "/register" && who.role.sees_protected() {
                assert_eq!(new.len(), 1, "{told}");
                continue;
            }
            assert_eq!(new.len(), usize::from(!shown.is_empty()), "{told}");
            if let Some(read) = new.first() {
                let reading = read.reading.as_ref().unwrap();
                assert_eq!(reading.cases.iter().copied().collect::<BTreeSet<_>>(), shown, "{told}");
                assert_eq!(reading.who, app.app.keys.pseudonym(who.role, &who.subject));
                assert_eq!(reading.reason.is_some(), path.contains("reason="), "{told}");
            }
            recorded += new.len();
        }
        // The cases, all that is in them, their receipts, a file, three lists; of auditors also the replays with a reason.
        let expected = match who.role {
            Role::Officer | Role::TeamLead | Role::Registrar => 4 + 4 + 4 + 1 + 3,
            Role::Auditor => 4 + 4 + 4 + 1 + 3 + 4,
            _ => 0,
        };
        assert_eq!(recorded, expected, "{}", who.subject);
    }
}

/// A form that comes back with what others did meanwhile shows the case again.
#[tokio::test]
async fn a_form_that_is_refused_shows_the_case_and_is_a_reading() {
    let world = World::new(Engine::Sqlite).await;
    let olle = Browser::of(&world.app, identity("olle", Role::Officer)).await;
    let case = format!("/arenden/{}", world.kalle.id);
    let page = olle.get(&case).await;
    world.app.officer("rita").start_processing(&world.kalle).await;
    let before = world.readings().await.len();
    let refused = olle.submit(&page, &format!("{case}/starta"), &[]).await;
    assert!(refused.status.is_client_error() && refused.html.contains(&word("Kalle")), "{}", refused.text());
    let readings = world.readings().await;
    assert_eq!(readings.len(), before + 1);
    assert_eq!(readings[0].reading.as_ref().unwrap().cases, [id(&world.kalle)]);
}

#[tokio::test]
async fn the_reporter_is_told_who_has_read_the_case() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    let anna = Browser::of(app, employee("anna")).await;
    let case = format!("/arenden/{}", world.anna.id);
    let page = anna.get(&case).await;
    assert_eq!(page.links(&format!("{case}/lasningar")).len(), 1);
    let address = format!("{case}/lasningar");
    anna.get(&address).await.shows(200, "Ingen annan än du har läst ärendet.");
    let olle = app.officer("olle");
    olle.read(&world.anna.id).await;
    olle.get(&format!("/cases/{}/attachments/{}", world.anna.id, world.file)).send().await;
    olle.list("").await;
    olle.read(&world.kalle.id).await;
    let rut = Browser::of(app, identity("rut", Role::Auditor)).await;
    rut.get(&format!("/revision/arenden/{}?reason=Hemligt+sk%C3%A4l", world.anna.id))
        .await
        .shows(200, "Hemligt skäl");
    let page = anna.get(&address).await;
    for words in [
        "Vem har läst mitt ärende",
        "Handläggare",
        "Öppnade ärendet",
        "Öppnade en fil",
        &format!("Fil: {}.pdf", word("Anna")),
        "Såg ärendet i en lista",
        "Revisor",
        "Gick igenom ärendet händelse för händelse",
        "24 månader",
    ] {
        page.shows(200, words);
    }
    assert!(
        page.html.contains("<th scope=\"col\"") && page.html.matches("<tr>").count() == 5,
        "{}",
        page.html
    );
    for hidden in ["Olle", "Rut", "Hemligt"] {
        assert!(!page.text().contains(hidden), "{hidden}: {}", page.text());
    }
    let english = Browser::of(app, employee("anna")).await.in_english();
    english.get(&address).await.shows(200, "Who has read my case");
    english.get(&address).await.shows(200, "Opened the case");
    english.get(&case).await.shows(200, "Who has read my case");
    // It is the reporter's alone.
    for other in [employee("kalle"), identity("olle", Role::Officer), identity("rut", Role::Auditor)] {
        assert_eq!(Browser::of(app, other).await.get(&address).await.status.as_u16(), 404);
    }
}

#[tokio::test]
async fn an_auditor_reads_the_read_log_for_a_reason_and_that_is_a_reading() {
    let world = World::new(Engine::Sqlite).await;
    let app = &world.app;
    app.officer("olle").read(&world.anna.id).await;
    app.officer("rita").read(&world.kalle.id).await;
    let rut = Browser::of(app, identity("rut", Role::Auditor)).await;
    rut.get("/revision").await.shows(200, "Läslogg");
    let page = rut.get("/revision/lasningar").await;
    page.shows(200, "Varför behöver du läsa läsloggen?");
    assert!(!page.says("Olle Provsson"));
    rut.get("/revision/lasningar?show=1&case=&reason=")
        .await
        .shows(200, "Skriv varför du behöver läsa läsloggen.");
    assert_eq!(world.readings().await.len(), 2, "nothing was shown");
    let address = format!("/revision/lasningar?show=1&case={}&reason=Tillsyn+12", world.anna.number);
    let page = rut.get(&address).await;
    for words in ["Olle Provsson, Handläggare", "Öppnade ärendet", &world.anna.number] {
        page.shows(200, words);
    }
    assert!(!page.says("Rita") && !page.says(&world.kalle.number), "{}", page.text());
    let reading = world.readings().await.remove(0).reading.unwrap();
    assert_eq!((reading.what, reading.cases.as_slice()), (What::ReadLog, [id(&world.anna)].as_slice()));
    assert_eq!(reading.reason.as_deref(), Some("Tillsyn 12"));
    // All of it, newest first; the reading before is there too.
    let page = rut.get("/revision/lasningar?show=1&reason=Tillsyn+12").await;
    page.shows(200, "Rita Provsson");
    page.shows(200, "Rut Provsson, Revisor");
    page.shows(200, "Såg vem som har läst ärendet");
    page.shows(200, "Tillsyn 12");
    let text = page.text();
    assert!(text.find("Rut Provsson, Revisor") < text.find("Rita Provsson, Handläggare"), "{text}");
    let wrong = rut.get("/revision/lasningar?show=1&case=2026-000001-9&reason=x").await;
    wrong.shows(200, "Kontrollera ärendenumret.");
    let english = Browser::of(app, identity("rut", Role::Auditor)).await.in_english();
    english.get(&address).await.shows(200, "Saw who has read the case");
    for other in [employee("anna"), identity("olle", Role::Officer)] {
        assert_eq!(Browser::of(app, other).await.get(&address).await.status.as_u16(), 403);
    }
}

#[tokio::test]
async fn the_read_log_is_paged() {
    let world = World::new(Engine::Sqlite).await;
    for _ in 0..60 {
        world.app.officer("olle").read(&world.anna.id).await;
    }
    let anna = Browser::of(&world.app, employee("anna")).await;
    let address = format!("/arenden/{}/lasningar", world.anna.id);
    let page = anna.get(&address).await;
    assert_eq!(page.html.matches("<tr>").count(), 51);
    let older = page.links(&format!("{address}?before=")).remove(0);
    assert_eq!(anna.get(&older).await.html.matches("<tr>").count(), 11);
    let rut = Browser::of(&world.app, identity("rut", Role::Auditor)).await;
    let page = rut.get("/revision/lasningar?show=1&reason=Tillsyn").await;
    let older = page.links("/revision/lasningar?case=").remove(0);
    let page = rut.get(&older).await;
    assert_eq!(page.html.matches("Öppnade ärendet").count(), 10);
    assert_eq!(world.readings().await.len(), 62, "each page is a reading");
}
