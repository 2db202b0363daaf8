//! What somebody would try who means no good: sessions and forms of others, addresses and headers made up, markup in every
//! field, ids that are guessed, fields that nobody may set. SECURITY.md names these tests beside what they prove.

mod assignment;
mod forgery;
mod guessing;
mod headers;
mod lines;
mod logins;
mod markup;
mod paths;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use domain::OrganisationNumber;
use domain::access::Role;
use infrastructure::tokens::Identity;

use crate::officer_pages::browser::Browser;
use crate::support::{EXEMPELVERKET, PDF, TestApp, identity};

/// An employee of Exempelverket in a browser.
async fn employee<'a>(app: &'a TestApp, login: &str) -> Browser<'a> {
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    Browser::of(app, Identity { employers, ..identity(login, Role::Employee) }).await
}

/// Every route that is not the API's, as it stands in the source, with whether it takes a POST.
fn routes() -> BTreeMap<String, bool> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("api/src");
    let mut found = BTreeMap::new();
    for file in rust_files(&source) {
        let text = std::fs::read_to_string(&file).unwrap();
        if file.starts_with(source.join("v1")) {
            continue;
        }
        for route in text.split(".route(").skip(1) {
            let (path, handlers) = route.split_once(',').unwrap();
            let end = handlers.find(['\n', ';']).unwrap_or(handlers.len());
            let takes_a_form = handlers[..end].contains("post(");
            let path = match path.trim().strip_prefix('"') {
                Some(path) => path.trim_end_matches('"').to_owned(),
                None => constant(&text, path.trim()),
            };
            found.insert(path, takes_a_form);
        }
    }
    assert!(found.len() > 30 && found.contains_key("/skapa-arende"), "{found:?}");
    found
}

/// The text of a constant.
fn constant(source: &str, name: &str) -> String {
    let start = format!("const {name}: &str = \"");
    let rest = source.split(&start).nth(1).unwrap_or_else(|| panic!("{name} is no constant"));
    rest.split('"').next().unwrap().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|ending| ending == "rs")).collect()
}

/// A case of Anna's with a file, and one of Bertil's.
struct Town {
    app: TestApp,
    case: String,
    attachment: String,
    others: String,
}

impl Town {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut api::Config)) -> Self {
        let app = TestApp::start_with(change).await;
        let anna = app.employee("anna");
        let mut body = anna.body("Omföring mellan projekt");
        body["attachments"] = serde_json::json!([anna.upload("underlag.pdf", PDF).await]);
        let case = anna.create(&body).await.id;
        let read = anna.read(&case).await;
        let attachment =
            read["attachments"][0]["attachmentId"].as_str().unwrap_or_else(|| panic!("{read}")).to_owned();
        let others = app.employee("bertil").case("Bertils hemlighet").await;
        app.app.shown_position(others.position).await.unwrap();
        let others = others.id;
        Self { app, case, attachment, others }
    }

    /// A path in place of its template, about Anna's case.
    fn path(&self, template: &str) -> String {
        template.replace("{id}", &self.case).replace("{attachment}", &self.attachment)
    }
}
