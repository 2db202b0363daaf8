//! Point 9: the demo is made by the real commands, holds cases in every state, is the same for the same seed, and is
//! whole or not there.

use api::{App, Config, demo};
use chrono::{DateTime, Utc};
use domain::Status;
use domain::access::Reach;
use infrastructure::{Clock, Receipt};
use projections::{CaseRow, Filter, Sort, queue};
use serde_json::{Value, json};
use tests::service::{Service, token};

use crate::support::EXEMPELVERKET;

const CASES: u32 = 100;

fn now() -> DateTime<Utc> {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn config(data: &std::path::Path) -> Config {
    let mut config = Config { data: data.to_path_buf(), ..Config::default() };
    config.demo.enabled = true;
    config.demo.cases = Some(CASES);
    config
}

async fn cases(app: &App) -> Vec<CaseRow> {
    let everything =
        |tables: &_| queue::find(tables, &Reach::default(), &Filter::default(), (Sort::Number, 1, 1000));
    let found = app.query(everything).await.unwrap();
    let all = Receipt::of_own(found.cases().iter().map(|(case, _)| *case).collect());
    found.shown(&all).unwrap().rows
}

/// What a reader sees of a case, without what is drawn anew each time.
fn seen(rows: &[CaseRow]) -> Vec<String> {
    let one = |row: &CaseRow| {
        format!(
            "{} {} {} {:?} {:?} {} {}",
            row.id, row.number, row.status, row.subject, row.system, row.received_at, row.employer
        )
    };
    rows.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn point_9_the_demo_has_cases_in_every_state_and_comes_out_the_same() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut shown = Vec::new();
    for folder in [&one, &two] {
        let config = config(folder.path());
        demo::fill(&config, &Clock::fixed(now()), |_| {}).await.unwrap();
        let app = App::start(config, Clock::fixed(now())).await.unwrap();
        let rows = cases(&app).await;
        assert_eq!(rows.len(), CASES as usize);
        for status in Status::ALL {
            assert!(rows.iter().any(|row| row.status == *status), "{status}");
        }
        assert!(rows.iter().all(|row| (now() - row.received_at).num_days() <= 90 && row.received_at < now()));
        // Whoever has answered has read, and is told to have.
        let closed = rows.iter().find(|row| row.status == Status::Closed).unwrap();
        let readings = app.readings(Some(closed.id), u64::MAX, 10).await.unwrap();
        assert!(readings.iter().any(|read| read.reading.as_ref().is_some_and(|read| read.role == "officer")));
        shown.push(seen(&rows));
        app.close().await;
    }
    assert_eq!(shown[0], shown[1]);
}

/// Two programs are started at once on an empty folder: one has it, and what it acknowledges stays.
#[tokio::test(flavor = "multi_thread")]
async fn two_first_starts_at_once_are_one_demo() {
    let folder = tempfile::tempdir().unwrap();
    let starts = [(); 4].map(|()| {
        let data = folder.path().to_owned();
        std::thread::spawn(move || Service::start(&data))
    });
    let started = starts.map(|start| start.join().unwrap());
    let refused: Vec<_> = started.iter().filter_map(|start| start.as_ref().err()).collect();
    assert_eq!(refused.len(), 3);
    for error in refused {
        let said = format!("{error:#}");
        assert!(said.contains("another kundwebb process uses the data folder"), "{said}");
    }
    let mut service = started.into_iter().flatten().next().unwrap();
    let flags = ["--name", "Anna", "--email", "anna@exempelverket.example", "--employer", EXEMPELVERKET];
    let token = token(folder.path(), "employee", "anna", &flags).unwrap();
    let body = json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": "Kvar", "message": "Hej"});
    let asked = |path: String| {
        reqwest::Client::new()
            .post(path)
            .bearer_auth(&token)
            .header("idempotency-key", "k")
            .json(&body)
            .send()
    };
    let first = asked(format!("http://{}/api/v1/cases", service.address())).await.unwrap();
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    service.kill().unwrap();
    let service = Service::start(folder.path()).unwrap();
    let again = asked(format!("http://{}/api/v1/cases", service.address())).await.unwrap();
    assert_eq!(again.json::<Value>().await.unwrap(), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_was_cut_off_is_made_anew_and_a_whole_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    std::fs::create_dir_all(folder.path().join("filling/files")).unwrap();
    std::fs::write(folder.path().join("filling/log.db"), b"cut off").unwrap();
    demo::fill(&config, &Clock::fixed(now()), |_| {}).await.unwrap();
    assert!(!folder.path().join("filling").exists());
    let before = std::fs::read(folder.path().join("log.db")).unwrap();
    demo::fill(&config, &Clock::fixed(now()), |_| panic!("made again")).await.unwrap();
    assert_eq!(std::fs::read(folder.path().join("log.db")).unwrap(), before);
}
