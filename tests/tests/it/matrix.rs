//! P8 over HTTP: every route × every role × cases that stand to the caller in every way. What a route needs is spelled out
//! in `matrix/routes.rs`; a route that is missing there fails. What a role may is spelled out beside `domain::access::may`.

pub(crate) mod routes;
mod town;

use std::collections::BTreeSet;

use domain::access::{Action, Duty, Role, Verdict, may};
use reqwest::Method;
use serde_json::Value;

use routes::{API, Needs, PAGES};
use town::{Known, Town, Visitor};

/// The answer of a route that shows or changes a case.
fn status(verdict: Verdict, allowed: u16) -> u16 {
    match verdict {
        Verdict::Allowed => allowed,
        Verdict::Forbidden => 403,
        Verdict::Unknown => 404,
    }
}

#[test]
fn no_route_is_missing() {
    let written: BTreeSet<(String, String)> = routes::of_the_pages();
    let told = |(method, path, _): &(&str, &str, Needs)| ((*method).to_owned(), (*path).to_owned());
    assert_eq!(written, PAGES.iter().map(told).collect(), "the pages' routes, and those of the matrix");
    let mut described = BTreeSet::new();
    for (path, item) in api::v1::openapi().paths.paths {
        let path = path.strip_prefix("/api/v1").unwrap_or(&path).to_owned();
        for (method, operation) in [("GET", &item.get), ("POST", &item.post)] {
            described.extend(operation.as_ref().map(|_| (method.to_owned(), path.clone())));
        }
        let others = [&item.put, &item.delete, &item.patch].into_iter().flatten().count();
        assert_eq!(others, 0, "{path} has a method that the matrix does not know");
    }
    assert_eq!(described, API.iter().map(told).collect(), "the API's routes, and those of the matrix");
}

/// Every route that names a case.
#[tokio::test]
async fn every_route_to_a_case_by_every_role_and_relation() {
    let town = Town::new().await;
    for visitor in town.visitors().await {
        for known in &town.cases {
            for (method, path, needs) in API {
                if let Needs::Case(action) = needs {
                    let verdict = may(&visitor.actor, *action, &known.standing);
                    let answer = visitor.api(method, path, known).await;
                    let expected = status(verdict, if *method == "GET" { 200 } else { 412 });
                    assert_eq!(answer.status, expected, "{} {method} {path} {}", visitor.name, known.secret);
                    town.tells_no_secret(&visitor, &answer.bytes, path);
                }
            }
            for (method, path, needs) in PAGES {
                let expected = match needs {
                    Needs::Case(action) => status(may(&visitor.actor, *action, &known.standing), 200),
                    Needs::CaseWork(action) if visitor.actor.role.may(Duty::CaseWork) => {
                        status(may(&visitor.actor, *action, &known.standing), 200)
                    }
                    Needs::Own => visitor.own(known),
                    Needs::CaseOf(duty) if visitor.actor.role.may(*duty) => 200,
                    Needs::CaseWork(_) | Needs::CaseOf(_) => 403,
                    _ => continue,
                };
                let (found, text) = visitor.page(method, path, known).await;
                let refused = [403, 404].contains(&found);
                // A form that is sent on an old version comes back with what stands against it.
                let fits = if expected == 200 { !refused } else { found == expected };
                assert!(fits, "{} {method} {path} {}: {found}, not {expected}", visitor.name, known.secret);
                town.tells_no_secret(&visitor, text.as_bytes(), path);
            }
        }
    }
    town.nothing_changed().await;
}

/// Lists, searches, counts, exports, feeds and statistics.
#[tokio::test]
async fn every_read_path_by_every_role_tells_what_the_rights_say() {
    let town = Town::new().await;
    for visitor in town.visitors().await {
        let numbers = |action: Action| -> BTreeSet<String> {
            let allowed = |known: &&Known| may(&visitor.actor, action, &known.standing) == Verdict::Allowed;
            town.cases.iter().filter(allowed).map(|known| known.number.clone()).collect()
        };
        let (known, read) = (numbers(Action::Know), numbers(Action::Read));
        let role = visitor.actor.role;
        lists(&town, &visitor, &known, &read).await;
        for case in &town.cases {
            let found = visitor.numbers(&format!("scope=employer&q={}", case.secret)).await;
            assert_eq!(
                found.contains(&case.number),
                read.contains(&case.number),
                "{} searches",
                visitor.name
            );
            assert!(found.len() <= 1);
        }
        let feed = visitor.get("/events?limit=1000").await;
        let feed = String::from_utf8(feed.bytes).unwrap();
        for case in &town.cases {
            let expected = read.contains(&case.number) || role == Role::Auditor;
            assert_eq!(feed.contains(&case.id), expected, "{} feed", visitor.name);
        }
        town.tells_no_secret(&visitor, feed.as_bytes(), "the feed");
        let counted: Value = visitor.get("/statistics?by=status").await.json();
        let rows = counted["standing"].as_array().unwrap();
        let counted: u64 = rows.iter().map(|row| row["count"].as_u64().unwrap()).sum();
        let expected = if role.may(Duty::Statistics) { known.len() as u64 } else { 0 };
        assert_eq!(counted, expected, "{} statistics", visitor.name);
        pages(&town, &visitor, &known, &read).await;
    }
}

async fn lists(town: &Town, visitor: &Visitor<'_>, known: &BTreeSet<String>, read: &BTreeSet<String>) {
    let queue = visitor.get("/cases?scope=queue&limit=100").await;
    let allowed = visitor.actor.role.may(Duty::Queue);
    assert_eq!(queue.status, if allowed { 200 } else { 403 }, "{} queue", visitor.name);
    if allowed {
        assert_eq!(visitor.numbers("scope=queue&limit=100").await, *read, "{} queue", visitor.name);
    }
    let register = visitor.get("/cases?scope=employer&limit=100").await;
    town.tells_no_secret(visitor, &register.bytes, "the register");
    let register = register.json();
    assert_eq!(register["_meta"]["totalRecords"], known.len(), "{} counts", visitor.name);
    for case in register["cases"].as_array().unwrap() {
        let number = case["caseNumber"].as_str().unwrap();
        assert_eq!(case.get("subject").is_some(), read.contains(number), "{} {number}", visitor.name);
        assert!(read.contains(number) || (case["reporter"].is_null() && case["officer"].is_null()));
    }
    assert_eq!(visitor.numbers("scope=employer&limit=100").await, *known, "{} register", visitor.name);
    assert!(visitor.numbers("scope=mine&limit=100").await.is_subset(read), "{} own", visitor.name);
}

/// The pages that name no case.
async fn pages(town: &Town, visitor: &Visitor<'_>, known: &BTreeSet<String>, read: &BTreeSet<String>) {
    for (method, path, needs) in PAGES {
        let expected = match needs {
            Needs::LoggedIn => 200,
            Needs::Duty(duty) if visitor.actor.role.may(*duty) => 200,
            Needs::Notice(duty) if visitor.actor.role.may(*duty) => 404,
            Needs::Duty(_) | Needs::Notice(_) => 403,
            _ => continue,
        };
        let (found, text) = visitor.page(method, path, &town.cases[0]).await;
        let fits = if expected == 200 { ![403, 404].contains(&found) } else { found == expected };
        assert!(fits, "{} {method} {path}: {found}, not {expected}", visitor.name);
        town.tells_no_secret(visitor, text.as_bytes(), path);
        let shown = match *path {
            "/register" => known,
            "/handlaggare" => read,
            _ => continue,
        };
        for case in town.cases.iter().filter(|_| found == 200) {
            let there = text.contains(&case.number);
            assert_eq!(there, shown.contains(&case.number), "{} {path} {}", visitor.name, case.number);
        }
    }
}

/// Without a login every page but the open ones leads to the login, and the API answers 401.
#[tokio::test]
async fn nobody_gets_nowhere() {
    let town = Town::new().await;
    let nobody = town.nobody();
    let case = &town.cases[0];
    for (method, path, _) in API.iter().filter(|(_, _, needs)| !matches!(needs, Needs::Anybody)) {
        let answer = nobody.api(method, path, case).await;
        assert_eq!(answer.status, 401, "{method} {path}");
        town.tells_no_secret(&nobody, &answer.bytes, path);
    }
    for (method, path, needs) in PAGES {
        let (found, text) = nobody.page(method, path, case).await;
        if !matches!(needs, Needs::Anybody) && Method::GET.as_str() == *method {
            assert_eq!(found, 303, "{method} {path}");
        }
        town.tells_no_secret(&nobody, text.as_bytes(), path);
    }
    town.nothing_changed().await;
}
