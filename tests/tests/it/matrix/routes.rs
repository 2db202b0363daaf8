//! Every route of the program, with what it needs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use domain::access::{Action, Duty};

/// What a route needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Needs {
    /// Nothing.
    Anybody,
    /// Somebody who is logged in; what is shown follows from the rights.
    LoggedIn,
    /// A role that does this.
    Duty(Duty),
    /// The same with a notice, a payroll form, a period, or with what is edited; the id of a case is none.
    Notice(Duty),
    /// That one may do this with the case.
    Case(Action),
    /// The same, and that one works on cases.
    CaseWork(Action),
    /// That it is one's own case.
    Own,
    /// A role that does this, with whichever case.
    CaseOf(Duty),
}

use Needs::{Anybody, Case, CaseOf, CaseWork, LoggedIn};

/// The routes of the API, below `/api/v1`.
pub(super) const API: &[(&str, &str, Needs)] = &[
    ("GET", "/api-info", Anybody),
    ("GET", "/cases", LoggedIn),
    ("POST", "/cases", LoggedIn),
    ("GET", "/cases/{caseId}", Case(Action::Read)),
    ("POST", "/cases/{caseId}/assign", Case(Action::Assign)),
    ("GET", "/cases/{caseId}/attachments", Case(Action::Read)),
    ("POST", "/cases/{caseId}/attachments", Case(Action::Attach)),
    ("GET", "/cases/{caseId}/attachments/{attachmentId}", Case(Action::Read)),
    ("POST", "/cases/{caseId}/close", Case(Action::Close)),
    ("POST", "/cases/{caseId}/messages", Case(Action::AddMessage)),
    ("POST", "/cases/{caseId}/notes", Case(Action::AddNote)),
    ("POST", "/cases/{caseId}/reclassify", Case(Action::Reclassify)),
    ("POST", "/cases/{caseId}/request-information", Case(Action::RequestInformation)),
    ("POST", "/cases/{caseId}/start-processing", Case(Action::StartProcessing)),
    ("GET", "/cases/{caseId}/timeline", Case(Action::Read)),
    ("GET", "/employers", Anybody),
    ("GET", "/events", LoggedIn),
    ("GET", "/service-status", Anybody),
    ("GET", "/services", Anybody),
    ("GET", "/statistics", LoggedIn),
    ("POST", "/uploads", LoggedIn),
];

/// The routes of the pages.
pub(crate) const PAGES: &[(&str, &str, Needs)] = &[
    ("GET", "/", Anybody),
    ("GET", "/support", Anybody),
    ("GET", "/tjanster", Anybody),
    ("GET", "/tjanster/tidplan.ics", Anybody),
    ("GET", "/tjanster/blanketter/{code}", Anybody),
    ("GET", "/redaktion/blanketter", Needs::Duty(Duty::Content)),
    ("GET", "/redaktion/blanketter/ny", Needs::Duty(Duty::Content)),
    ("POST", "/redaktion/blanketter/ny", Needs::Duty(Duty::Content)),
    ("GET", "/redaktion/blanketter/{code}", Needs::Notice(Duty::Content)),
    ("POST", "/redaktion/blanketter/{code}", Needs::Notice(Duty::Content)),
    ("POST", "/redaktion/blanketter/{code}/dra-in", Needs::Notice(Duty::Content)),
    ("GET", "/redaktion/blanketter/{code}/versioner/{version}", Needs::Notice(Duty::Content)),
    ("GET", "/redaktion/tidplan", Needs::Duty(Duty::Content)),
    ("GET", "/redaktion/tidplan/ny", Needs::Duty(Duty::Content)),
    ("POST", "/redaktion/tidplan/ny", Needs::Duty(Duty::Content)),
    ("GET", "/redaktion/tidplan/{period}", Needs::Notice(Duty::Content)),
    ("POST", "/redaktion/tidplan/{period}", Needs::Notice(Duty::Content)),
    ("POST", "/redaktion/tidplan/{period}/dra-in", Needs::Notice(Duty::Content)),
    ("GET", "/driftstatus", Anybody),
    ("GET", "/driftstatus/atom", Anybody),
    ("GET", "/driftstatus/ny", Needs::Duty(Duty::ServiceStatus)),
    ("POST", "/driftstatus/ny", Needs::Duty(Duty::ServiceStatus)),
    ("GET", "/driftstatus/{id}", Anybody),
    ("GET", "/driftstatus/{id}/andra", Needs::Notice(Duty::ServiceStatus)),
    ("POST", "/driftstatus/{id}/andra", Needs::Notice(Duty::ServiceStatus)),
    ("POST", "/driftstatus/{id}/klart", Needs::Notice(Duty::ServiceStatus)),
    ("GET", "/redaktion", Needs::Duty(Duty::Content)),
    ("GET", "/redaktion/{page}", Needs::Notice(Duty::Content)),
    ("POST", "/redaktion/{page}", Needs::Notice(Duty::Content)),
    ("GET", "/redaktion/{page}/historik", Needs::Notice(Duty::Content)),
    ("GET", "/tillganglighet", Anybody),
    ("GET", "/personuppgifter", Anybody),
    ("GET", "/kakor", Anybody),
    ("GET", "/sprak", Anybody),
    ("GET", "/valj-arbetsgivare", Anybody),
    ("POST", "/valj-arbetsgivare", Anybody),
    ("GET", "/logga-in", Anybody),
    ("POST", "/logga-in", Anybody),
    ("GET", "/logga-in/svar", Anybody),
    ("GET", "/logga-in/fel", Anybody),
    ("GET", "/logga-ut", Anybody),
    ("POST", "/logga-ut", Anybody),
    ("GET", "/session", Anybody),
    ("POST", "/session", Anybody),
    ("GET", "/roll", LoggedIn),
    ("GET", "/installningar", LoggedIn),
    ("POST", "/installningar", LoggedIn),
    ("POST", "/roll", Anybody),
    ("GET", "/skapa-arende", Needs::Duty(Duty::OwnCases)),
    ("POST", "/skapa-arende", Needs::Duty(Duty::OwnCases)),
    ("POST", "/skapa-arende/filer", LoggedIn),
    ("GET", "/mina-arenden", Needs::Duty(Duty::OwnCases)),
    ("GET", "/handlaggare", Needs::Duty(Duty::Queue)),
    ("GET", "/handlaggare/telefonarende", Needs::Duty(Duty::PhoneCases)),
    ("POST", "/handlaggare/telefonarende", Needs::Duty(Duty::PhoneCases)),
    ("GET", "/register", Needs::Duty(Duty::Register)),
    ("GET", "/statistik", Needs::Duty(Duty::Statistics)),
    ("GET", "/revision", Needs::Duty(Duty::Replay)),
    ("GET", "/revision/lasningar", Needs::Duty(Duty::Replay)),
    ("GET", "/revision/arenden/{id}", CaseOf(Duty::Replay)),
    ("GET", "/arenden/{id}", Case(Action::Read)),
    ("GET", "/arenden/{id}/mottaget", Case(Action::Read)),
    ("GET", "/arenden/{id}/filer/{attachment}", Case(Action::Read)),
    ("GET", "/arenden/{id}/allt", Case(Action::Read)),
    ("GET", "/arenden/{id}/lasningar", Needs::Own),
    ("POST", "/arenden/{id}/omdome", Needs::Own),
    ("POST", "/arenden/{id}/meddelande", Case(Action::AddMessage)),
    ("POST", "/arenden/{id}/starta", CaseWork(Action::StartProcessing)),
    ("POST", "/arenden/{id}/komplettering", CaseWork(Action::RequestInformation)),
    ("POST", "/arenden/{id}/anteckning", CaseWork(Action::AddNote)),
    ("POST", "/arenden/{id}/tilldela", CaseWork(Action::Assign)),
    ("POST", "/arenden/{id}/omrade", CaseWork(Action::Reclassify)),
    ("POST", "/arenden/{id}/svar", CaseWork(Action::Close)),
    ("POST", "/arenden/{id}/skydd", CaseWork(Action::Protect)),
];

/// The routes that stand in the source of the pages, by method and path.
pub(super) fn of_the_pages() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src/pages")) {
        let source = std::fs::read_to_string(&file).unwrap();
        let address = source.split("const ADDRESS: &str = \"").nth(1).and_then(|rest| rest.split('"').next());
        for route in source.split(".route(").skip(1) {
            let (path, handlers) = route.split_once(',').unwrap();
            let path = path.trim().trim_matches('"');
            let path = if path == "ADDRESS" { address.unwrap() } else { path };
            assert!(path.starts_with('/'), "{}: {path}", file.display());
            let handlers = handlers.split(".route(").next().unwrap();
            let handlers = handlers.split("\n}").next().unwrap();
            for (name, method) in [("get(", "GET"), ("post(", "POST")] {
                if handlers.contains(name) {
                    routes.insert((method.to_owned(), path.to_owned()));
                }
            }
            let others = ["put(", "delete(", "patch(", "any("].iter().any(|name| handlers.contains(name));
            assert!(!others, "{}: a method that the matrix does not know", file.display());
        }
    }
    routes
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
