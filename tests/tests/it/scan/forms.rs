//! The files of payroll forms pass the scanner as those of cases do.

use api::scanning;
use domain::access::Role;
use domain::files::Scan;
use tests::clamd::GOOD;
use tokio_util::task::AbortOnDropHandle;

use super::{PATIENCE, before, clamd, docx, eicar, run};
use crate::officer_pages::browser::{Browser, Page};
use crate::support::{PDF, TestApp, identity};

const FORMS: [&str; 2] = ["L-120", "L-130"];

async fn publish(by: &Browser<'_>, code: &str, file: (&str, &[u8])) -> Page {
    let address = format!("/redaktion/blanketter/{code}");
    let hidden = by.get(&address).await.hidden(&address);
    let hidden = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<_> = hidden.chain([("nameSv", "Blankett"), ("nameEn", "Form")]).collect();
    by.post_with_file(&address, &fields, file).await
}

/// Waits until the scanner has said something of the file of a form.
async fn until_scanned(app: &TestApp, code: &str) -> Option<Scan> {
    let waiting = async {
        let mut position = app.app.read_models.watch();
        loop {
            position.mark_unchanged();
            let form = api::payroll::form(&app.app, code).await.unwrap().unwrap();
            let scan = form.file.unwrap().scan;
            if scan != Some(Scan::Waiting) {
                return scan;
            }
            position.changed().await.unwrap();
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(PATIENCE), waiting).await.expect("it is not scanned")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_payroll_form_waits_for_the_scanner_and_is_closed_where_it_finds_something() {
    let daemon = clamd(None).await;
    let app = before(&daemon, PATIENCE).await;
    let _scan = AbortOnDropHandle::new(tokio::spawn(scanning::run(app.app.clone())));
    let dan = Browser::of(&app, identity("dan", Role::StatusEditor)).await;
    let files = [("ren.pdf", PDF.to_vec()), ("smittad.docx", docx(&eicar(), false))];
    for (code, (name, content)) in FORMS.iter().zip(&files) {
        let page = dan.done(&publish(&dan, code, (name, content)).await).await;
        page.shows(200, "Kontrolleras. Filen går att öppna när kontrollen är klar");
        assert_eq!(dan.get(&format!("/tjanster/blanketter/{code}")).await.status, 409);
    }
    let _daemon = run(daemon, &GOOD).await;
    assert_eq!(until_scanned(&app, FORMS[0]).await, Some(Scan::Clean));
    assert_eq!(until_scanned(&app, FORMS[1]).await, Some(Scan::Infected));
    assert_eq!(dan.get(&format!("/tjanster/blanketter/{}", FORMS[0])).await.status, 200);
    assert_eq!(dan.get(&format!("/tjanster/blanketter/{}", FORMS[1])).await.status, 409);
    dan.get("/redaktion/blanketter/L-130").await.shows(200, "Innehåller skadlig kod och kan inte öppnas");
}
