//! The description of the API (API-01, API-02): a golden file, the same routes as the server, the national profile.

use std::path::{Path, PathBuf};
use std::process::Command;

use api::v1::scopes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn golden() -> PathBuf {
    root().join("tests/golden/openapi.json")
}

/// The description with its members in order.
fn described() -> String {
    let document = serde_json::to_value(api::v1::openapi()).unwrap();
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

#[test]
fn the_golden_file_is_the_description() {
    let described = described();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden(), &described).unwrap();
    }
    let stored = std::fs::read_to_string(golden()).unwrap_or_default();
    assert!(
        stored == described,
        "the description of the API has changed; if it should, run the tests with UPDATE_GOLDEN=1 and commit {}",
        golden().display()
    );
}

#[test]
fn the_rules_of_the_national_profile_find_no_error() {
    let spectral = root().join("tests/lint/node_modules/.bin/spectral");
    assert!(
        spectral.exists(),
        "Spectral is missing: install Node.js, then run `npm ci --prefix tests/lint --ignore-scripts`"
    );
    let found = Command::new(spectral)
        .args(["lint", "--fail-severity=error", "--format=text", "--ruleset"])
        .arg(root().join("api/lint/rest-api-profile.spectral.yaml"))
        .arg(golden())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.success(), "{text}{}", String::from_utf8_lossy(&found.stderr));
    let exceptions = std::fs::read_to_string(root().join("docs/api-profile-exceptions.md")).unwrap();
    for line in text.lines().filter(|line| line.contains(" warning ")) {
        let rule = line.split(" warning ").nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(
            exceptions.contains(rule),
            "docs/api-profile-exceptions.md does not give the reason for: {line}"
        );
    }
}

fn operations(document: &Value) -> Vec<(String, Vec<String>)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .map(|(path, item)| {
            (path.clone(), item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect())
        })
        .collect()
}

/// A path of a template that the router knows.
fn example_of(template: &str) -> String {
    let id = "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f";
    template.replace("{caseId}", id).replace("{attachmentId}", id)
}

#[tokio::test]
async fn the_server_has_exactly_the_operations_that_are_described() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    let document: Value = serde_json::from_str(&described()).unwrap();
    let mut described = operations(&document);
    // The description itself is no resource of the API.
    described.extend(["/openapi.json", "/docs"].map(|path| (path.to_owned(), vec!["GET".to_owned()])));
    for (template, methods) in described {
        let path = format!("/api/v1{}", example_of(&template));
        let answer = nobody.ask(Method::OPTIONS, &path).send().await;
        assert_eq!(answer.status, 204, "{path}");
        let mut allowed: Vec<&str> =
            answer.header("allow").split(',').filter(|method| *method != "HEAD").collect();
        allowed.sort_unstable();
        assert_eq!(allowed, methods, "{template}");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH"]
            .iter()
            .filter(|method| !methods.iter().any(|m| m == *method))
        {
            let answer = nobody.ask(method.parse().unwrap(), &path).send().await;
            assert_eq!(answer.problem(405), "method-not-allowed", "{method} {path}");
            assert!(!answer.header("allow").is_empty());
        }
    }
    for unknown in ["", "/case", "/cases/", "/cases/1/2/3", "/log", "/%ff", "/cases/%ff/%00"] {
        for method in [Method::GET, Method::POST] {
            let answer = nobody.ask(method, &format!("/api/v1{unknown}")).send().await;
            assert_eq!(answer.problem(404), "not-found", "{unknown}");
        }
    }
}

/// Every handler is mounted once: what is described is what the files under `api/src/v1/` declare.
#[test]
fn every_declared_route_is_described() {
    let document: Value = serde_json::from_str(&described()).unwrap();
    let described: usize = operations(&document).iter().map(|(_, methods)| methods.len()).sum();
    let mut declared = 0;
    let mut folders = vec![root().join("api/src/v1")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                declared += std::fs::read_to_string(entry).unwrap().matches("#[utoipa::path(").count();
            }
        }
    }
    assert_eq!(declared, described);
}

#[tokio::test]
async fn the_served_description_names_the_address_of_the_installation() {
    let app =
        TestApp::start_with(|config| config.public_url = Some("https://arenden.example/".to_owned())).await;
    let served = app.nobody().get("/openapi.json").send().await;
    let mut served = served.ok();
    assert_eq!(served["servers"][0]["url"], "https://arenden.example/api/v1");
    let golden: Value = serde_json::from_str(&described()).unwrap();
    for member in ["servers", "externalDocs"] {
        served[member] = golden[member].clone();
    }
    assert_eq!(served, golden);
    let info = app.nobody().get("/api-info").send().await.ok();
    assert_eq!(info["apiDocumentation"], "https://arenden.example/api/v1/docs");
}

#[tokio::test]
async fn the_description_is_also_a_page_in_both_languages() {
    let app = TestApp::start().await;
    let document: Value = serde_json::from_str(&described()).unwrap();
    for (language, title) in [("sv", "API för system"), ("en", "API for systems")] {
        let page = app.nobody().get("/docs").with("accept-language", language).send().await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
        let html = String::from_utf8(page.bytes).unwrap();
        assert!(html.contains(&format!("<html lang=\"{language}\"")) && html.contains(title));
        for (path, methods) in operations(&document) {
            for method in methods {
                assert!(html.contains(&format!("<code>{method} {path}</code></h2>")), "{method} {path}");
            }
        }
        let address = format!("{}/api/v1", app.app.config.public_url());
        assert!(html.contains(&format!("curl &#39;{address}/cases&#39;")));
        assert!(!html.contains("<script>") && !html.contains("style="));
    }
}

/// Every operation needs one scope, or nobody needs to be known for it; and the document says which.
#[test]
fn every_operation_has_its_scope_or_is_for_everybody() {
    let document: Value = serde_json::from_str(&described()).unwrap();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scope = scopes::needed(&method.to_uppercase(), path);
            if operation["security"] == json!([{}]) {
                assert_eq!(scope, None, "{method} {path}");
                continue;
            }
            let scope = scope.unwrap_or_else(|| panic!("{method} {path} has no scope")).code();
            assert_eq!(operation["security"], json!([{"bearer": []}, {"oauth": [scope]}]), "{method} {path}");
            seen += 1;
        }
    }
    assert_eq!(seen, scopes::TABLE.len(), "the table has a line for what is not there");
}
