//! Ids and numbers that are guessed: what is another's is answered as what is not there, in the same words.

use reqwest::Method;
use serde_json::json;

use super::{Town, employee, routes};
use crate::support::TestCaller;

/// An id that no case has.
const NONE: &str = "019ab000-0000-7000-8000-000000000000";

/// Status and body of an answer, without the id that was asked for.
async fn told(caller: &TestCaller<'_>, method: &Method, path: &str, id: &str) -> (u16, String) {
    let asking = caller.ask(method.clone(), path).version(1);
    let asking = if *method == Method::POST { asking.json(&json!({"text": "x", "answer": "x", "officer": "x"})) } else { asking };
    let answer = asking.raw().await;
    let status = answer.status().as_u16();
    (status, answer.text().await.unwrap().replace(id, "ID"))
}

#[tokio::test]
async fn a_case_of_another_is_answered_by_the_api_as_one_that_is_not_there() {
    let town = Town::new().await;
    let mallory = town.app.employee_of("mallory", crate::support::PROVMYNDIGHETEN);
    let paths = api::v1::openapi().paths.paths;
    let mut walked = 0;
    for (template, item) in paths.iter().filter(|(template, _)| template.contains("{id}")) {
        let method = if item.get.is_some() { Method::GET } else { Method::POST };
        let path = |id: &str| format!("/api/v1{}", template.replace("{id}", id)).replace("{attachmentId}", &town.attachment);
        let theirs = told(&mallory, &method, &path(&town.case), &town.case).await;
        let nobodys = told(&mallory, &method, &path(NONE), NONE).await;
        assert_eq!(theirs, nobodys, "{method} {template}");
        assert_eq!(theirs.0, 404, "{method} {template}: {}", theirs.1);
        walked += 1;
    }
    assert!(walked > 5, "{walked}");
}

#[tokio::test]
async fn the_same_holds_for_the_pages() {
    let town = Town::new().await;
    let mallory = employee(&town.app, "mallory").await;
    for (template, takes_a_form) in routes().into_iter().filter(|(template, _)| template.contains("{id}")) {
        let method = if takes_a_form { Method::POST } else { Method::GET };
        let ask = async |id: &str| {
            let path = template.replace("{id}", id).replace("{attachment}", &town.attachment);
            let request = mallory.request(method.clone(), &path).form(&[("text", "x"), ("answer", "x")]);
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap().replace(id, "ID"))
        };
        let (theirs, nobodys) = (ask(&town.case).await, ask(NONE).await);
        assert_eq!(theirs, nobodys, "{method} {template}");
        assert!(matches!(theirs.0, 403 | 404), "{method} {template}: {}", theirs.0);
    }
}

#[tokio::test]
async fn numbers_that_are_guessed_find_nothing() {
    let town = Town::new().await;
    let olle = town.app.officer("olle");
    let number = olle.read(&town.case).await["caseNumber"].as_str().unwrap().to_owned();
    let mallory = town.app.employee("mallory");
    for query in ["limit=100".to_owned(), format!("q={number}"), "q=hemlighet".to_owned(), "q=Omf%C3%B6ring".to_owned()] {
        assert_eq!(mallory.list(&query).await, Vec::<String>::new(), "{query}");
    }
    // To go on from a case that is another's is refused as going on from one that is not there.
    let mut refused = Vec::new();
    for follows in [number.as_str(), "2026-999999-3"] {
        let mut body = mallory.body("Vidare");
        body["followsUp"] = json!(follows);
        let answer = mallory.post("/cases").key(&crate::support::new_key()).json(&body).send().await;
        refused.push((answer.status.as_u16(), answer.fields()));
    }
    assert_eq!(refused[0].0, 422);
    assert!(refused[0].1.iter().all(|field| field.starts_with("/followsUp")), "{refused:?}");
    let page = employee(&town.app, "mallory").await.get(&format!("/mina-arenden?q={number}")).await;
    assert!(!page.says("Omföring mellan projekt"));
}
