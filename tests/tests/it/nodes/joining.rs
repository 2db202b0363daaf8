//! A case by phone and the login of who called, which meet at different nodes.

use api::demo::persons::{PERSONS, Person};
use reqwest::Method;
use serde_json::{Value, json};

use super::Town;
use crate::program::{Program, log_in};
use crate::support::new_key;

/// When the login calls.
#[derive(Clone, Copy, PartialEq)]
enum Met {
    /// At the other node, before the call and after it.
    Before,
    /// At both nodes, before the call and after it.
    Everywhere,
    /// After the call, for the first time.
    After,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_registered_at_one_node_is_joined_to_the_login_that_comes_to_another() {
    let town = Town::new().await;
    let [one, two] = town.nodes().await;
    let mut persons = PERSONS.iter().filter(|person| person.employer().is_some());
    for met in [Met::Before, Met::Everywhere, Met::After] {
        is_joined(&one, &two, met, persons.next().unwrap()).await;
        is_joined(&two, &one, met, persons.next().unwrap()).await;
    }
}

/// An officer at one node registers what the person told by phone; the person comes to the other.
async fn is_joined(telephone: &Program, web: &Program, met: Met, person: &Person) {
    let nodes: &[&Program] = match met {
        Met::Before => &[web],
        Met::Everywhere => &[web, telephone],
        Met::After => &[],
    };
    for node in nodes {
        assert_eq!(cases(node, person, 0).await, [] as [String; 0]);
    }
    let employer = person.employer().unwrap();
    let body = json!({
        "employer": employer, "area": "ekonomi", "subject": "Ett samtal", "message": "Vem betalar?",
        "channel": "telefon", "reporter": {"name": person.name, "email": person.email()},
    });
    let olle = telephone.olle();
    let sent = olle.request(Method::POST, "/cases").header("idempotency-key", new_key()).json(&body);
    let case: Value = sent.send().await.unwrap().json().await.unwrap();
    let id = case["id"].as_str().unwrap();

    let seen = case["position"].as_u64().unwrap_or_else(|| panic!("{case}"));
    assert_eq!(cases(web, person, seen).await, [id], "{}", person.subject);
    // The other node shows it when it shows that they are joined.
    let joined = telephone.events().await;
    let newest = joined.iter().rfind(|event| event["type"] == "PersonLinked").unwrap();
    let newest = newest["position"].as_u64().unwrap();
    assert_eq!(cases(telephone, person, newest).await, [id], "{}", person.subject);
    let cookies = log_in(web, person.subject).await;
    for node in [web, telephone] {
        let page = node.client.get(format!("{}/mina-arenden", node.url)).header("cookie", &cookies);
        let page = page.send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("/arenden/{id}")), "{}: {page}", person.subject);
    }
}

/// The ids of a person's cases at a node, once it shows a position.
async fn cases(node: &Program, person: &Person, position: u64) -> Vec<String> {
    let user = node.user(&person.identity());
    let answer = user.request(Method::GET, "/cases").header("read-after", position).send().await.unwrap();
    let list: Value = answer.json().await.unwrap();
    let cases = list["cases"].as_array().unwrap_or_else(|| panic!("{list}"));
    cases.iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect()
}
