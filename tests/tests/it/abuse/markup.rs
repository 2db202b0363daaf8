//! Markup in every field that is shown, read as a browser reads it: what was typed stands there as text, and no element and
//! no attribute comes of it.

use std::collections::BTreeSet;
use std::time::Duration;

use api::reactions;
use domain::access::Role;
use reqwest::{Method, Url};
use scraper::{Html, Selector};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{employee, routes};
use crate::browser::{Journey, passing};
use crate::officer_pages::browser::Browser;
use crate::support::{EXEMPELVERKET, PDF, TestApp, identity};

/// How long the mails may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is typed in a field: it would leave an attribute, quoted in either way or not at all, a text, a title, a field, a
/// script, a comment.
fn typed(field: &str) -> String {
    format!("kw-{field} x\"'`--></textarea></title></script></style><kw-evil kw-evil=1 onclick=kwEvil()>")
}

/// The page as a browser reads it: nothing of what was typed is in its tree. Gives the fields that it shows as they were
/// typed.
#[track_caller]
fn read(html: &str, what: &str) -> BTreeSet<String> {
    let page = Html::parse_document(html);
    let mut shown = BTreeSet::new();
    let mut note = |text: &str| {
        for part in text.split("kw-").skip(1) {
            let field = part.split(' ').next().unwrap();
            if text.contains(&typed(field)) {
                shown.insert(field.to_owned());
            }
        }
    };
    for element in page.select(&Selector::parse("*").unwrap()) {
        let own = element.value();
        assert!(own.name() != "kw-evil", "{what}: {}", element.html());
        for (name, value) in own.attrs() {
            let leads = ["href", "src", "action", "formaction"].contains(&name);
            let runs = leads && value.trim().to_lowercase().starts_with("javascript:");
            let runs = runs || name.starts_with("on");
            assert!(!runs && name != "kw-evil" && name != "style", "{what}: {}", element.html());
            note(value);
        }
        let ours = |source: &str| source.starts_with("/assets/");
        assert!(own.name() != "script" || own.attr("src").is_some_and(ours), "{what}: {}", element.html());
        assert!(!["iframe", "object", "embed", "base", "style"].contains(&own.name()), "{what}");
        note(&element.text().collect::<String>());
    }
    shown
}

/// A case in which everything that may be written is markup.
struct Written {
    app: TestApp,
    case: String,
    number: String,
    reacting: Option<(JoinHandle<()>, CancellationToken)>,
}

impl Written {
    async fn new() -> Self {
        let app = TestApp::start_with(|config| config.demo.enabled = true).await;
        let stop = CancellationToken::new();
        let reacting = Some((reactions::start(&app.app, &stop), stop));
        let mut who = identity("anna", Role::Employee);
        who.name = Some(typed("name"));
        who.employers = app.employee("x").identity.unwrap().employers;
        let anna = app.caller(who);
        let mut olle = identity("olle", Role::Officer);
        olle.name = Some(typed("officer"));
        let olle = app.caller(olle);
        let mut body = anna.body(&typed("subject"));
        body["message"] = json!(typed("message"));
        body["attachments"] =
            json!([anna.upload(&format!("{}.pdf", typed("file").replace('/', "")), PDF).await]);
        let case = anna.create(&body).await;
        let number = case.number.clone();
        let case = olle.start_processing(&case).await;
        let note = json!({"kind": "official", "text": typed("note")});
        let case = olle.change(&case, "notes", &note).await;
        let asked = json!({"text": typed("request"), "dueDate": "2026-12-01"});
        let case = olle.change(&case, "request-information", &asked).await;
        let case = anna.message(&case, &typed("more")).await;
        let moved = json!({"area": "e-handel", "reason": typed("reason")});
        let case = olle.change(&case, "reclassify", &moved).await;
        let case = olle.close(&case, &typed("answer")).await;
        app.app.shown_position(case.position).await.unwrap();
        Self { app, case: case.id, number, reacting }
    }

    /// The mails about it, when all have left.
    async fn mails(&mut self) -> Vec<String> {
        let mut status = self.app.app.reactions.mail();
        let sent = status.wait_for(|status| status.counts.sent >= 3 && status.counts.due == 0);
        let sent = tokio::time::timeout(PATIENCE, sent).await.map(drop);
        assert!(sent.is_ok(), "{:?}", *self.app.app.reactions.mail().borrow());
        let (reacting, stop) = self.reacting.take().unwrap();
        stop.cancel();
        reacting.await.unwrap();
        let files = std::fs::read_dir(self.app.folder().join("mail")).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }
}

#[tokio::test]
async fn what_is_stored_is_shown_as_text_wherever_it_is_shown() {
    let written = Written::new().await;
    let app = &written.app;
    let mut anna = identity("anna", Role::Employee);
    anna.name = Some(typed("name"));
    anna.employers = app.employee("x").identity.unwrap().employers;
    let anna = Browser::of(app, anna).await;
    let mut olle = identity("olle", Role::Officer);
    olle.name = Some(typed("officer"));
    let olle = Browser::of(app, olle).await;
    let rut = Browser::of(app, identity("rut", Role::Auditor)).await;
    let mut shown = BTreeSet::new();
    for (who, browser) in [("anna", &anna), ("olle", &olle), ("rut", &rut)] {
        // An archive is no page: it is downloaded, and never shown.
        for (template, _) in routes().into_iter().filter(|(path, _)| !path.ends_with("/allt")) {
            let path = template.replace("{id}", &written.case).replace("{attachment}", &written.case);
            for query in ["", "?q=evil", "?steg=1", "?steg=3", "?skal=granskning", "?status=closed"] {
                let page = browser.get(&format!("{path}{query}")).await;
                shown.extend(read(&page.html, &format!("{path}{query} by {who}")));
            }
        }
    }
    let fields = ["subject", "message", "name", "note", "request", "more", "reason", "answer", "officer"];
    let missing: Vec<_> = fields.iter().filter(|field| !shown.contains(**field)).collect();
    assert!(missing.is_empty(), "never shown, so not tried: {missing:?}; shown {shown:?}");
    // A file's name, which no slash is part of.
    let page = anna.get(&format!("/arenden/{}", written.case)).await;
    assert!(page.says(&written.number));
    let seen = Html::parse_document(&page.html).root_element().text().collect::<String>();
    assert!(seen.contains(&typed("file").replace('/', "")), "{seen}");
}

/// Every parameter that any page reads.
const PARAMETERS: [&str; 30] = [
    "q",
    "status",
    "area",
    "employer",
    "channel",
    "officer",
    "sort",
    "page",
    "done",
    "case",
    "from",
    "to",
    "kind",
    "limit",
    "before",
    "dag",
    "dagar",
    "till",
    "kod",
    "centret",
    "igen",
    "vidare",
    "state",
    "code",
    "error",
    "error_description",
    "steg",
    "skal",
    "follows",
    "foljer",
];

#[tokio::test]
async fn what_is_asked_is_shown_as_text_again() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let (anna, olle) =
        (employee(&app, "anna").await, Browser::of(&app, identity("olle", Role::Officer)).await);
    let rut = Browser::of(&app, identity("rut", Role::Auditor)).await;
    let mut shown = BTreeSet::new();
    for (template, _) in routes() {
        for (who, browser) in [("anna", &anna), ("olle", &olle), ("rut", &rut)] {
            for name in PARAMETERS {
                for value in [typed(name), format!("/{}", typed(name)), "javascript:kwEvil()".to_owned()] {
                    let path = template.replace("{id}", "<kw-evil>").replace("{attachment}", "x");
                    let query = Url::parse_with_params("http://x/", [(name, value)]).unwrap();
                    let query = query.query().unwrap();
                    let request = browser.request(Method::GET, &format!("{path}?{query}"));
                    let answer = request.send().await.unwrap();
                    let html = answer
                        .headers()
                        .get("content-type")
                        .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
                    let body = answer.text().await.unwrap();
                    if html {
                        shown.extend(read(&body, &format!("{path} {query} by {who}")));
                    } else {
                        assert!(!body.contains("<kw-evil"), "{path}: {body}");
                    }
                }
            }
        }
    }
    assert!(shown.contains("q"), "{shown:?}");
}

#[tokio::test]
async fn a_form_that_is_refused_shows_again_as_text_what_was_typed() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let anna = employee(&app, "anna").await;
    let olle = Browser::of(&app, identity("olle", Role::Officer)).await;
    let case = app.employee("anna").case("Fakturan").await;
    let case = app.officer("olle").start_processing(&case).await;
    app.app.shown_position(case.position).await.unwrap();
    let names = [
        "subject",
        "message",
        "text",
        "answer",
        "reason",
        "followsUp",
        "reporter-name",
        "reporter-email",
        "reporter-subject",
        "employer",
        "area",
        "subArea",
        "system",
        "dueDate",
        "officer",
        "till",
        "person",
        "kind",
        "form",
        "owner",
        "receipt",
        "version",
        "remove",
        "language",
        "channel",
    ];
    let fields: Vec<(&str, String)> = names.iter().map(|name| (*name, typed(name))).collect();
    // The same on the right version, and shown again before anything is done.
    let kept =
        fields.iter().filter(|(name, _)| !["form", "owner", "receipt", "version", "remove"].contains(name));
    let mut again: Vec<(&str, String)> = kept.cloned().collect();
    again.extend([("version", case.version.to_string()), ("action", "upload".to_owned())]);
    let mut shown = BTreeSet::new();
    for (template, _) in routes().into_iter().filter(|(_, takes_a_form)| *takes_a_form) {
        let path = template.replace("{id}", &case.id);
        for (who, browser) in [("anna", &anna), ("olle", &olle)] {
            for fields in [&fields, &again] {
                let answer = browser.request(Method::POST, &path).form(fields).send().await.unwrap();
                let html = answer
                    .headers()
                    .get("content-type")
                    .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
                let body = answer.text().await.unwrap();
                if html {
                    shown.extend(read(&body, &format!("{path} by {who}")));
                }
            }
            // A file that is refused is told by its name.
            let named = format!("{}.exe", typed("refused"));
            let file = browser.post_with_file(&path, &[("area", "x")], (&named, b"MZ")).await;
            if file.html.starts_with("<!DOCTYPE") {
                read(&file.html, &format!("{path} with a file by {who}"));
            }
        }
    }
    for field in ["subject", "message", "text", "answer", "followsUp", "reporter-name", "reporter-email"] {
        assert!(shown.contains(field), "{field} is never shown, so not tried: {shown:?}");
    }
    app.leaves_staged(app.staged());
}

/// What the parser above cannot tell: that nothing runs, and that nothing would but for the policy of the pages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_real_browser_nothing_of_it_runs() {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    Journey::start(&["markup.mjs", &app.url]).ends_well(passing(&app.clock)).await;
    app.leaves_staged(app.staged());
}

#[tokio::test]
async fn mails_and_answers_of_the_api_hold_no_markup_either() {
    let mut written = Written::new().await;
    for mail in written.mails().await {
        assert!(!mail.contains("base64\r\n\r\n") && !mail.replace("=\r\n", "").contains("kw-evil"), "{mail}");
        assert!(mail.contains("text/html"), "{mail}");
    }
    let app = &written.app;
    let (anna, olle) = (app.employee("anna"), app.officer("olle"));
    for template in api::v1::openapi().paths.paths.keys() {
        let path = template.replace("{id}", &written.case).replace("{caseId}", &written.case);
        for caller in [&anna, &olle] {
            let answer = caller.get(&format!("{path}?q={EXEMPELVERKET}")).raw().await;
            let kind = answer.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
            let safe =
                ["application/json", "application/problem+json", "application/x-ndjson", "application/pdf"];
            let safe = kind.as_deref().is_none_or(|kind| safe.iter().any(|safe| kind.starts_with(safe)));
            assert!(safe && answer.headers()["x-content-type-options"] == "nosniff", "{path}: {kind:?}");
        }
    }
}
