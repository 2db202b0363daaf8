//! The lease of the mails: a node that was paused (SIGSTOP) and wakes (SIGCONT) when another has done its work, and one
//! that waits for its mail server.

use serde_json::Value;

use super::{Town, until};
use crate::mail::server::{Mailbox, Received};
use crate::program::{Program, Start};
use crate::support::new_key;

/// The mail server has a mail and its answer is on the way when the node is paused. Another node takes over and, when the
/// mail cannot be under way any more, sends it again, as the same mail. Then the first wakes and hears that it was taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_wakes_with_a_mail_that_another_has_sent_records_no_second_outcome() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order("hold 1");
    let town = Town::new().await;
    let port = server.port.to_string();
    let variables = variables(&town, &port);
    let start = Start { variables: &variables, ..Start::default() };
    let one = Program::start_with(&town.data(0), &start).await;
    let two = one.beside(&town.data(1), &start).await;
    // The first to start has the lease.
    one.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    server.order("await 1");
    one.signal("STOP");
    server.order("release");

    let epoch = "SELECT epoch FROM kundwebb.lease WHERE name = 'mail'";
    let sql = |sql: &'static str| town.cluster.sql(&town.database, sql).unwrap();
    until(|| sql(epoch) == "2").await;
    // As if the time had passed in which it may still be under way.
    sql("UPDATE kundwebb.delivery SET next_attempt_at = 0");
    server.order("await 2");
    until(|| sql("SELECT state FROM kundwebb.delivery") == "sent").await;
    one.signal("CONT");
    until(|| one.said().contains("another node has taken over the mails")).await;

    let received = mailbox.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("Message-ID"), received[1].header("Message-ID"));
    let ends = ends(&one).await;
    assert_eq!(ends.len(), 1, "{ends:?}");
    assert_eq!(ends[0]["facts"]["attempts"], 2, "{ends:?}");
    assert_eq!(uncertain(&two).await, 1, "who sends what may have left counts it");

    // What happens at the one that woke is told by the other, once.
    one.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    server.order("await 3");
    until(|| sql("SELECT count(*) FROM kundwebb.delivery WHERE state = 'sent'") == "2").await;
    let ids = |mails: &[Received]| {
        mails.iter().map(|mail| mail.header("Message-ID").to_owned()).collect::<Vec<_>>()
    };
    let all = ids(&mailbox.received());
    assert!(all.len() == 3 && all[2] != all[0], "{all:?}");
    one.stop().await;
    two.stop().await;
}

/// A mail server that takes its time does not cost the lease: it is renewed while a mail is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_waits_for_the_mail_server_keeps_the_lease() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order("hold 1");
    let town = Town::new().await;
    let port = server.port.to_string();
    let variables = variables(&town, &port);
    let start = Start { variables: &variables, ..Start::default() };
    let one = Program::start_with(&town.data(0), &start).await;
    let _two = one.beside(&town.data(1), &start).await;
    one.anna().try_create(&new_key(), &[]).await.unwrap().error_for_status().unwrap();
    server.order("await 1");
    let sql = |sql: &str| town.cluster.sql(&town.database, sql).unwrap();
    let lasts = sql("SELECT expires_at FROM kundwebb.lease WHERE name = 'mail'");
    // It would have ended by then, and another would have taken it.
    let later = format!("SELECT expires_at > {lasts} + 6000000 FROM kundwebb.lease WHERE name = 'mail'");
    until(|| sql(&later) == "t").await;
    assert_eq!(sql("SELECT epoch FROM kundwebb.lease WHERE name = 'mail'"), "1");
    server.order("release");
    until(|| sql("SELECT state FROM kundwebb.delivery") == "sent").await;
    assert_eq!(mailbox.received().len(), 1);
}

/// Nodes on the log of a town that hand their mails to a server.
fn variables<'a>(town: &'a Town, port: &'a str) -> [(&'a str, &'a str); 3] {
    [("KUNDWEBB_LOG", &town.url), ("KUNDWEBB_MAIL__TRANSPORT", "smtp"), ("KUNDWEBB_MAIL__PORT", port)]
}

/// How mails ended.
async fn ends(program: &Program) -> Vec<Value> {
    let mut events = program.events().await;
    events.retain(|event| event["type"].as_str().unwrap().starts_with("Notification"));
    events
}

/// How many mails a node counts that may have left before.
async fn uncertain(program: &Program) -> u64 {
    let text = program.metrics().await;
    let count =
        text.lines().find_map(|line| line.strip_prefix("kundwebb_mail_uncertain_total ")?.parse().ok());
    count.unwrap_or_default()
}
