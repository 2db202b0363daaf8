//! A node whose clock is wrong does no harm to what the others keep: in a shared log the database's clock counts.

use std::cell::Cell;

use serde_json::Value;
use tests::nodes::clock;

use super::{Town, until};
use crate::program::{Program, Start, User};
use crate::support::{PDF, new_key};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_days_ahead_removes_no_file_that_is_still_kept() {
    let town = Town::new().await;
    let variables = [("KUNDWEBB_LOG", town.url.as_str())];
    let right =
        Program::start_with(&town.data(0), &Start { variables: &variables, ..Start::default() }).await;
    let (kept, expired) = (upload(&right.anna()).await, upload(&right.anna()).await);
    let sql = |sql: &str| town.cluster.sql(&town.database, sql).unwrap();
    let lasts = |upload: &str, until: &str| {
        sql(&format!("UPDATE kundwebb.upload SET expires_at = {until} WHERE upload_id = '{upload}'"));
    };
    lasts(&expired, "1");
    // What is kept for a time grows old by two hours at most per cleaning.
    lasts(&kept, "extract(epoch FROM clock_timestamp() + interval '1 hour') * 1000000");
    let (library, data) = (clock::library().unwrap(), town.data(1));
    let file = clock::file(&data);
    clock::set(&data, "+0").unwrap();
    let own = [
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
        ("FAKETIME_CACHE_DURATION", "1"),
        ("NO_FAKE_STAT", "1"),
    ];
    let variables = [&variables[..], &own].concat();
    let wrong = right.beside(&data, &Start { variables: &variables, ..Start::default() }).await;
    // When it has removed what has expired, it has looked at the other too. All its time leaps, day by day, so that it
    // cleans at once and not in ten minutes.
    let days = Cell::new(30);
    until(|| {
        days.set(days.get() + 1);
        clock::set(&data, &format!("+{}d", days.get())).unwrap();
        sql(&format!("SELECT count(*) FROM kundwebb.upload WHERE upload_id = '{expired}'")) == "0"
    })
    .await;
    assert!(wrong.until_ready(false).await.contains("the clock of this machine is"));
    let answer = right.anna().try_create(&new_key(), &[kept]).await.unwrap();
    assert_eq!(answer.status(), 201, "{}", answer.text().await.unwrap());
}

/// Uploads a file and gives what it is called until it is attached.
async fn upload(anna: &User<'_>) -> String {
    let upload: Value = anna.try_upload(PDF).await.unwrap().json().await.unwrap();
    upload["uploadId"].as_str().unwrap().to_owned()
}
