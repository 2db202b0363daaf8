//! Every page of the program in a browser: `browser/every.mjs` is told the routes, and goes to each of them in every state
//! that is made here.

use std::path::{Path, PathBuf};

use api::scanning;
use domain::OrganisationNumber;
use domain::access::Role;
use infrastructure::tokens::Identity;
use serde_json::{Value, json};
use tests::clamd::Clamd;
use tokio_util::task::AbortOnDropHandle;

use super::Journey;
use crate::matrix::routes::PAGES;
use crate::officer_pages::browser::Browser;
use crate::program::read_models;
use crate::scan::{clamd, docx, infected_pdf, run, until_scanned};
use crate::service_status;
use crate::support::{Done, EXEMPELVERKET, PDF, TestApp, identity};

/// Who is logged in, by the names that `browser/kinds.mjs` has for them.
const LOGINS: [(&str, &str, Role); 11] = [
    ("employee", "anna", Role::Employee),
    ("newcomer", "nils", Role::Employee),
    ("other", "bo", Role::Employee),
    ("requester", "vera", Role::Requester),
    ("administrator", "vera", Role::EmployerAdministrator),
    ("officer", "olle", Role::Officer),
    ("lead", "lina", Role::TeamLead),
    ("registrar", "rita", Role::Registrar),
    ("archivist", "arvid", Role::Archivist),
    ("auditor", "rut", Role::Auditor),
    ("editor", "dan", Role::StatusEditor),
];
/// A scanner that does not take files of more than a megabyte: those wait for ever.
const SMALL: [&str; 3] = ["AlertEncrypted yes", "AlertExceedsMax yes", "StreamMaxLength 1M"];

fn of(login: &str, role: Role) -> Identity {
    let employer = OrganisationNumber::parse(EXEMPELVERKET).unwrap();
    Identity { employers: role.has_employers().then(|| vec![employer]), ..identity(login, role) }
}

async fn logins(app: &TestApp) -> Value {
    let mut cookies = serde_json::Map::new();
    for (name, login, role) in LOGINS {
        let others = if name == "lead" { vec![of(login, Role::Officer)] } else { Vec::new() };
        let session = app.app.begin_session_as(of(login, role), others, None).await.unwrap();
        cookies.insert(name.to_owned(), json!(session));
    }
    Value::Object(cookies)
}

/// What is told of the service status: a disruption, and maintenance to come. Gives the address of the first.
async fn notices(app: &TestApp) -> String {
    let dan = service_status::editor(app).await;
    let mut addresses = Vec::new();
    for other in [
        &[][..],
        &[
            ("kind", "maintenance"),
            ("system", "agresso"),
            ("starts", "2026-11-28T18:00"),
            ("ends", "2026-11-28T22:00"),
            ("nextUpdate", ""),
            ("titleSv", "Agresso är stängt på lördag"),
            ("titleEn", "Agresso is closed on Saturday"),
        ],
    ] {
        let form = dan.get("/driftstatus/ny").await;
        let sent = dan.submit(&form, "/driftstatus/ny", &service_status::typed(other)).await;
        dan.done(&sent).await;
        addresses.push(sent.path());
    }
    addresses.remove(0)
}

/// A case with files that were attached while the scanner was away: clean, infected, locked, and one that still waits.
async fn scanned(app: &TestApp, daemon: Clamd) -> (Done, Clamd, AbortOnDropHandle<()>) {
    let anna = app.employee("anna");
    let large = [PDF, &vec![b' '; 1_500_000]].concat();
    let files: [(&str, &[u8]); 4] = [
        ("underlag.pdf", PDF),
        ("bilaga med ett långt namn som inte får plats på en rad i smala fönster.pdf", &infected_pdf()),
        ("låst.docx", &docx(b"x", true)),
        ("stor.pdf", &large),
    ];
    let mut body = anna.body("Fyra filer");
    let mut ids = Vec::new();
    for (name, content) in files {
        ids.push(anna.upload(name, content).await);
    }
    body["attachments"] = json!(ids);
    let case = anna.create(&body).await;
    let daemon = run(daemon, &SMALL).await;
    let scan = AbortOnDropHandle::new(tokio::spawn(scanning::run(app.app.clone())));
    until_scanned(&app.app, &anna, &case.id, &["clean", "infected", "locked", "waiting"]).await;
    (case, daemon, scan)
}

/// Cases in every state. Gives the addresses that `browser/kinds.mjs` knows.
async fn cases(app: &TestApp) -> Value {
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    for place in 0..20 {
        anna.case(&format!("Faktura {place}: fel kostnadsställe")).await;
    }
    let mut cases = Vec::new();
    let mut file = String::new();
    for subject in ["Behörighet till Agresso", "Felaktig kundfaktura", "Omföring mellan projekt"] {
        file = anna.upload("underlag till ärendet.pdf", PDF).await;
        let mut body = anna.body(subject);
        body["attachments"] = json!([file]);
        cases.push(anna.create(&body).await);
    }
    let asked = olle.start_processing(&cases[1]).await;
    let request = json!({"text": "Vilket fakturanummer gäller det?", "dueDate": "2026-12-01"});
    let asked = olle.change(&asked, "request-information", &request).await;
    let closed = olle.message(&cases[2], "Vi tittar på det.").await;
    let closed = olle.start_processing(&closed).await;
    let closed = olle.close(&closed, "Beloppet är flyttat.\n\nHör av dig om något saknas.").await;
    let mut body = anna.body("Omföringen saknas i rapporten");
    body["followsUp"] = json!(closed.number);
    anna.create(&body).await;
    let unread = app.employee("bo").case("Vem har läst").await;
    app.app.shown_position(unread.position).await.unwrap();
    let place = |case: &Done| format!("/arenden/{}", case.id);
    json!({
        "received": place(&cases[0]), "asked": place(&asked), "closed": place(&closed), "unread": place(&unread),
        "file": file, "employer": EXEMPELVERKET,
    })
}

/// Makes the program fail: nothing can be written, nothing that is read can be recorded, the service status is gone.
fn breaks(folder: &Path) -> rusqlite::Connection {
    let open = |file: PathBuf| rusqlite::Connection::open(file).unwrap();
    for (file, sql) in [
        (read_models(folder), "ALTER TABLE notice RENAME TO away"),
        (folder.join("reads.db"), "ALTER TABLE read_log RENAME TO away"),
    ] {
        open(file).execute_batch(&format!("PRAGMA busy_timeout=5000; {sql}")).unwrap();
    }
    let log = open(folder.join("log.db"));
    log.execute_batch("PRAGMA busy_timeout=5000; BEGIN IMMEDIATE").unwrap();
    log
}

/// The program with something on every page, and all that `browser/every.mjs` has to know of it.
struct Town {
    app: TestApp,
    facts: Value,
    _daemon: Clamd,
    _scan: AbortOnDropHandle<()>,
}

impl Town {
    async fn new() -> Self {
        let daemon = clamd(None).await;
        let address = daemon.address();
        let app = TestApp::start_with(|config| {
            config.demo.enabled = true;
            config.scan.address = Some(address);
            config.scan.again_seconds = 1;
        })
        .await;
        let mut at = cases(&app).await;
        let (scanned, daemon, scan) = scanned(&app, daemon).await;
        at["scanned"] = json!(format!("/arenden/{}", scanned.id));
        at["notice"] = json!(notices(&app).await);
        // Somebody has read what is closed.
        let olle = Browser::of(&app, identity("olle", Role::Officer)).await;
        olle.get(at["closed"].as_str().unwrap()).await.shows(200, "Beloppet är flyttat.");
        let routes: Vec<_> =
            PAGES.iter().filter(|(method, ..)| *method == "GET").map(|(_, path, _)| path).collect();
        let facts = json!({"address": app.url, "routes": routes, "logins": logins(&app).await, "at": at});
        Self { app, facts, _daemon: daemon, _scan: scan }
    }

    /// Goes with a journey through it to its end.
    async fn goes(self, script: &str) {
        let Self { app, facts, .. } = &self;
        let journey = Journey::start(&[script, &facts.to_string()]);
        let folder = app.folder().to_owned();
        let mut locks = Vec::new();
        let end = move |asked: &str| {
            assert_eq!(asked, "break", "the journey says: {asked}");
            locks.push(breaks(&folder));
            "broken".to_owned()
        };
        journey.ends_well(end).await;
        app.leaves_staged(app.staged());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_valid_accessible_and_its_own() {
    Town::new().await.goes("every.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_colour_says_is_said_without_it_and_the_focus_is_seen() {
    Town::new().await.goes("forced.mjs").await;
}
