//! Ids and numbers that are guessed: what is another's is answered as what is not there, in the same words.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Town, employee, routes};
use crate::support::{PROVMYNDIGHETEN, new_key};

/// An id that no case has.
const NONE: &str = "019ab000-0000-7000-8000-000000000000";

/// What changes of a case are sent with, each right for some.
fn bodies() -> [Value; 6] {
    [
        json!({}),
        json!({"text": "x"}),
        json!({"answer": "x"}),
        json!({"kind": "official", "text": "x"}),
        json!({"text": "x", "dueDate": "2026-12-01"}),
        json!({"area": "e-handel", "reason": "x"}),
    ]
}

#[tokio::test]
async fn a_case_of_another_is_answered_by_the_api_as_one_that_is_not_there() {
    let town = Town::new().await;
    let mallory = town.app.employee_of("mallory", PROVMYNDIGHETEN);
    let told = async |path: &str, id: &str, body: Option<&Value>| {
        let path = path.replace("{caseId}", id).replace("{attachmentId}", &town.attachment);
        let asking = match body {
            Some(body) => mallory.post(&path).version(1).json(body),
            None => mallory.get(&path),
        };
        let answer = asking.raw().await;
        let status = answer.status().as_u16();
        (status, answer.text().await.unwrap().replace(id, "ID"))
    };
    let mut hidden = 0;
    for (template, item) in
        api::v1::openapi().paths.paths.iter().filter(|(path, _)| path.contains("{caseId}"))
    {
        let bodies = bodies();
        let reads = item.get.iter().map(|_| None);
        for body in reads.chain(item.post.iter().flat_map(|_| bodies.iter().map(Some))) {
            let theirs = told(template, &town.case, body).await;
            assert_eq!(theirs, told(template, NONE, body).await, "{template} {body:?}");
            // What is wrong with a body is told of any id.
            assert!(matches!(theirs.0, 403 | 404 | 415 | 422), "{template} {body:?}: {}", theirs.1);
            assert!(theirs.0 == 404 || body.is_some(), "{template}: {}", theirs.1);
            hidden += usize::from(theirs.0 == 404);
        }
    }
    assert!(hidden > 5, "{hidden}");
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
    for query in [
        "limit=100".to_owned(),
        format!("q={number}"),
        "q=hemlighet".to_owned(),
        "q=Omf%C3%B6ring".to_owned(),
    ] {
        assert_eq!(mallory.list(&query).await, Vec::<String>::new(), "{query}");
    }
    // To go on from a case that is another's is refused as going on from one that is not there.
    let mut refused = Vec::new();
    for follows in [number.as_str(), "2026-999999-3"] {
        let mut body = mallory.body("Vidare");
        body["followsUp"] = json!(follows);
        let answer = mallory.post("/cases").key(&new_key()).json(&body).send().await;
        refused.push((answer.status.as_u16(), answer.fields()));
    }
    assert_eq!(refused[0].0, 422);
    assert!(refused[0].1.iter().all(|field| field.starts_with("/followsUp")), "{refused:?}");
    let page = employee(&town.app, "mallory").await.get(&format!("/mina-arenden?q={number}")).await;
    assert!(!page.says("Omföring mellan projekt"));
}
