//! Cases that stand to a caller in every way, and a caller of every role.

use domain::access::{Action, Role, Standing, Verdict, may};
use domain::{Actor, Area, Channel, OrganisationNumber};
use infrastructure::tokens::Identity;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::support::{Answer, EXEMPELVERKET, PDF, PROVMYNDIGHETEN, TestApp, TestCaller, identity, new_key};
use api::pages::cookies;
use reqwest::Method;
use reqwest::header::COOKIE;

/// No case has so many events.
const STALE: u64 = 99;

/// A case.
pub(super) struct Known {
    pub(super) id: String,
    pub(super) number: String,
    /// A word that stands in subject, message and file name.
    pub(super) secret: &'static str,
    pub(super) standing: Standing,
    attachment: String,
    version: u64,
}

/// The application with the cases.
pub(super) struct Town {
    app: TestApp,
    pub(super) cases: Vec<Known>,
}

/// Somebody who asks, over the API and in a browser; with no identity, nobody.
pub(super) struct Visitor<'a> {
    pub(super) name: String,
    pub(super) actor: Actor,
    caller: TestCaller<'a>,
    cookie: String,
    owner: String,
    upload: Option<String>,
}

fn number(employer: &str) -> OrganisationNumber {
    OrganisationNumber::parse(employer).unwrap()
}

impl Town {
    pub(super) async fn new() -> Self {
        let app = TestApp::start().await;
        let mut cases = Vec::new();
        let told: [(TestCaller<'_>, &str, Area, &'static str); 5] = [
            (app.employee("anna"), EXEMPELVERKET, Area::Ekonomi, "Egenhemlighet"),
            (app.employee("bo"), EXEMPELVERKET, Area::Ekonomi, "Kollegehemlighet"),
            (app.employee_of("per", PROVMYNDIGHETEN), PROVMYNDIGHETEN, Area::Ekonomi, "Grannhemlighet"),
            (app.employee("bo"), EXEMPELVERKET, Area::Lon, "Lönehemlighet"),
            (app.system("primula"), EXEMPELVERKET, Area::Ekonomi, "Systemhemlighet"),
        ];
        for (caller, employer, area, secret) in &told {
            let file = caller.upload(&format!("{secret}.pdf"), PDF).await;
            let mut body = caller.body(secret);
            (body["employer"], body["area"], body["attachments"]) =
                (json!(employer), json!(area.code()), json!([file]));
            if *area == Area::Lon {
                body["subArea"] = json!("supportarende");
            }
            let case = caller.create(&body).await;
            let identity = caller.identity.clone().unwrap();
            let person = app.app.keys.pseudonym(identity.role, &identity.subject);
            let standing = Standing {
                employer: number(employer),
                area: *area,
                reporter: (identity.role == Role::Employee).then_some(person),
                registered_by: person,
                channel: Channel::Api,
            };
            let files = caller.get(&format!("/cases/{}/attachments", case.id)).send().await.ok();
            let attachment = files["attachments"][0]["attachmentId"].as_str().unwrap().to_owned();
            let (id, number, version) = (case.id, case.number, case.version);
            cases.push(Known { id, number, secret, standing, attachment, version });
        }
        Self { app, cases }
    }

    /// A visitor of every role, and the customers once more at another employer. Who has areas has the economy.
    pub(super) async fn visitors(&self) -> Vec<Visitor<'_>> {
        let mut visitors = Vec::new();
        for role in Role::ALL {
            let subject = match role {
                Role::System => "primula".to_owned(),
                role if role.is_customer() => "anna".to_owned(),
                role => format!("olle-{role}"),
            };
            let employers = role.has_employers().then_some(EXEMPELVERKET);
            visitors.push(self.visitor(*role, &subject, employers).await);
            if role.has_employers() {
                visitors.push(self.visitor(*role, &subject, Some(PROVMYNDIGHETEN)).await);
            }
        }
        visitors
    }

    async fn visitor(&self, role: Role, subject: &str, employer: Option<&str>) -> Visitor<'_> {
        let identity = Identity {
            employers: employer.map(|employer| vec![number(employer)]),
            areas: role.has_areas().then(|| vec![Area::Ekonomi]),
            ..identity(subject, role)
        };
        let app = &self.app.app;
        let person = app.keys.pseudonym(role, subject);
        let caller = self.app.caller(identity.clone());
        let actor = app.caller(identity.clone()).await.unwrap().actor;
        let session = app.begin_session(identity).await.unwrap();
        let upload = caller.upload("ny.pdf", PDF).await;
        self.app.leaves_staged(self.app.staged());
        Visitor {
            name: format!("{role} {}", employer.unwrap_or_default()),
            actor,
            caller,
            cookie: format!("{}={session}", cookies::SESSION),
            owner: app.sealed_owner(person),
            upload: Some(upload),
        }
    }

    pub(super) fn nobody(&self) -> Visitor<'_> {
        let person = self.app.app.keys.login("nobody");
        Visitor {
            name: "nobody".to_owned(),
            actor: Actor {
                person,
                role: Role::SystemAdministrator,
                identities: vec![person],
                employers: None,
                areas: None,
            },
            caller: self.app.nobody(),
            cookie: String::new(),
            owner: self.app.app.sealed_owner(person),
            upload: None,
        }
    }

    /// An answer holds no word of a case that the visitor may not read.
    pub(super) fn tells_no_secret(&self, visitor: &Visitor<'_>, answer: &[u8], what: &str) {
        let text = String::from_utf8_lossy(answer);
        for case in &self.cases {
            if may(&visitor.actor, Action::Read, &case.standing) != Verdict::Allowed {
                assert!(!text.contains(case.secret), "{} reads {} in {what}", visitor.name, case.secret);
            }
        }
    }

    /// No case has got an event.
    pub(super) async fn nothing_changed(&self) {
        let auditor = self.app.auditor();
        for case in &self.cases {
            let found = auditor.read(&case.id).await;
            assert_eq!(found["version"], case.version, "{}", case.secret);
        }
        self.app.leaves_staged(self.app.staged());
    }
}

impl Visitor<'_> {
    pub(super) async fn get(&self, path: &str) -> Answer {
        self.caller.get(path).send().await
    }

    /// The answer where only whose case it is may look: to others it is not there.
    pub(super) fn own(&self, case: &Known) -> u16 {
        let reported = case.standing.reporter.is_some_and(|who| self.actor.identities.contains(&who));
        let read = may(&self.actor, Action::Read, &case.standing);
        match read {
            Verdict::Allowed if reported => 200,
            Verdict::Forbidden => 403,
            _ => 404,
        }
    }

    /// The numbers of a list.
    pub(super) async fn numbers(&self, query: &str) -> BTreeSet<String> {
        self.caller.list(query).await.into_iter().collect()
    }

    /// A route of the API with a case: commands are sent on a version that the case has not.
    pub(super) async fn api(&self, method: &str, route: &str, case: &Known) -> Answer {
        let path = route.replace("{caseId}", &case.id).replace("{attachmentId}", &case.attachment);
        if method == "GET" {
            return self.get(&path).await;
        }
        let body = match route.rsplit('/').next().unwrap() {
            "attachments" => json!({ "uploadId": self.upload.as_ref().unwrap_or(&case.attachment) }),
            "messages" => json!({"text": "x"}),
            "notes" => json!({"kind": "working", "text": "x"}),
            "assign" => json!({"officer": "olle-officer"}),
            "reclassify" => json!({"area": "ekonomi", "reason": "x"}),
            "request-information" => json!({"text": "x", "dueDate": "2026-12-24"}),
            "close" => json!({"answer": "x"}),
            _ => Value::Object(serde_json::Map::new()),
        };
        self.caller.post(&path).version(STALE).key(&new_key()).json(&body).send().await
    }

    /// A page, or a form sent on a version that the case has not: its status and what it says.
    pub(super) async fn page(&self, method: &str, route: &str, case: &Known) -> (u16, String) {
        let path = route.replace("{id}", &case.id).replace("{attachment}", &case.attachment);
        let app = self.caller.app;
        let url = format!("{}{path}", app.url);
        let request = if method == "GET" {
            app.client.request(Method::GET, url)
        } else {
            let version = STALE.to_string();
            let key = infrastructure::random::id().to_string();
            let officer = app.app.keys.login("olle-officer").to_string();
            let fields = [
                ("officer", officer.as_str()),
                ("owner", self.owner.as_str()),
                ("form", &key),
                ("version", &version),
                ("action", "send"),
                ("text", "x"),
                ("answer", "x"),
                ("kind", "working"),
                ("dueDate", "2026-12-24"),
                ("area", "ekonomi"),
                ("reason", "x"),
            ];
            app.client.request(Method::POST, url).header("origin", &app.url).form(&fields)
        };
        let answer = request.header(COOKIE, &self.cookie).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}
