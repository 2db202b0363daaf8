//! The read log (LAW-20): who is shown content of cases that are not their own is recorded before they are, whichever way
//! they come; what cannot be recorded is not shown.

mod keeping;
mod pages;
mod paths;
mod program;
mod withheld;

use std::collections::BTreeSet;
use std::sync::Arc;

use api::app::reading::OpenedRead;
use api::reactions::lease::Lease;
use api::tasks;
use cluster::Cluster;
use domain::access::Role;
use domain::{CaseId, OrganisationNumber};
use infrastructure::tokens::Identity;
use serde_json::json;

use crate::support::{Done, EXEMPELVERKET, TestApp, identity};

/// Where the log lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// Cases of several people, each with a word of its own in all that was written in it.
struct World {
    app: TestApp,
    /// The database, where the log lies in one.
    database: Option<(Arc<Cluster>, String)>,
    /// Anna's, closed, with a file.
    anna: Done,
    file: String,
    /// Of a colleague.
    kalle: Done,
    /// Of a system, on nobody's behalf.
    system: Done,
    /// By phone.
    phone: Done,
}

/// A word that stands in a case and nowhere else.
fn word(of: &str) -> String {
    format!("Markor{of}")
}

impl World {
    async fn new(engine: Engine) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let made = tokio::task::spawn_blocking(|| {
                    let cluster = Cluster::shared().unwrap();
                    let url = cluster.database().unwrap();
                    (cluster, url)
                });
                Some(made.await.unwrap())
            }
        };
        let url = database.as_ref().map(|(_, url)| url.clone());
        let app = TestApp::start_with(|config| {
            if let Some(url) = url {
                config.log = url;
            }
        })
        .await;
        let (anna, olle, rita) = (app.employee("anna"), app.officer("olle"), app.officer("rita"));
        let pdf = format!("%PDF-1.7\n% {}\n%%EOF\n", word("Anna"));
        let upload = anna.upload(&format!("{}.pdf", word("Anna")), pdf.as_bytes()).await;
        let mut body = anna.body(&word("Anna"));
        body["attachments"] = json!([upload]);
        let case = anna.create(&body).await;
        let case = olle.start_processing(&case).await;
        let case = olle.close(&case, &format!("Svar: {}", word("Anna"))).await;
        let kalle = app.employee("kalle").case(&format!("{} Kvittning", word("Kalle"))).await;
        let system = app.system("lonesystemet").case(&word("System")).await;
        let phone = rita.case(&word("Phone")).await;
        rita.get("/employers").send().await.ok();
        let this = Self { app, database, anna: case, file: upload, kalle, system, phone };
        assert_eq!(this.readings().await.len(), 0, "commands show nothing");
        this
    }

    fn cases(&self) -> [(&'static str, &Done); 4] {
        [("Anna", &self.anna), ("Kalle", &self.kalle), ("System", &self.system), ("Phone", &self.phone)]
    }

    /// All that is recorded, newest first.
    async fn readings(&self) -> Vec<OpenedRead> {
        self.app.app.readings(None, u64::MAX, 10_000).await.unwrap()
    }

    /// The cases whose words stand in an answer, but those that are the reader's own.
    fn shown(&self, text: &str, own: &[&str]) -> BTreeSet<CaseId> {
        let cases = self.cases().into_iter().filter(|(of, _)| text.contains(&word(of)) && !own.contains(of));
        cases.map(|(_, case)| id(case)).collect()
    }

    /// Runs SQL where the read log lies, past everything of ours.
    async fn intrude(&self, sql: &str) {
        match &self.database {
            None => {
                let reads = rusqlite::Connection::open(self.app.folder().join("reads.db")).unwrap();
                reads.execute_batch(&format!("PRAGMA busy_timeout=5000; {sql}")).unwrap();
            }
            Some((cluster, url)) => {
                let cluster = Arc::clone(cluster);
                let database = url.rsplit('/').next().unwrap().to_owned();
                let sql = format!("SET search_path = kundwebb_reads; {sql}");
                tokio::task::spawn_blocking(move || cluster.sql(&database, &sql).unwrap()).await.unwrap();
            }
        }
    }

    /// From now on nothing can be recorded, until it is mended.
    async fn breaks(&self) {
        self.intrude("ALTER TABLE read_log RENAME TO away").await;
    }

    async fn is_mended(&self) {
        self.intrude("ALTER TABLE away RENAME TO read_log").await;
    }

    /// What a node does now and then: binds what is new, and disposes of what is old.
    async fn keeps(&self) {
        let mut lease = Lease::new(&self.app.app, tasks::READS);
        self.app.app.keep_reads(&mut lease).await.unwrap();
    }
}

fn id(case: &Done) -> CaseId {
    CaseId::parse(&case.id).unwrap()
}

/// An employee of Exempelverket, as the pages meet them.
fn employee(login: &str) -> Identity {
    let employers = Some(vec![OrganisationNumber::parse(EXEMPELVERKET).unwrap()]);
    Identity { employers, ..identity(login, Role::Employee) }
}
