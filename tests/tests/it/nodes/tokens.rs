//! Tokens on many nodes: one that is revoked is refused by all, and another key goes from node to node.

use infrastructure::keys::ALL_KEY_FILES;

use super::*;
use crate::tokens::{does, refuses, status, system, until_refused};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_is_refused_by_every_node() {
    let town = Town::new().await;
    let [one, two] = town.nodes().await;
    let (gone, other) = (system(&one.data, &[]).await, system(&one.data, &[]).await);
    for node in [&one, &two] {
        assert_eq!([status(node, &gone).await, status(node, &other).await], [200, 200]);
    }
    does(&one.data, &["token", "--revoke", &gone, "--log", &town.url]).await;
    for node in [&one, &two] {
        until_refused(node, &gone).await;
        assert_eq!(status(node, &other).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_goes_from_node_to_node_and_one_that_lacks_it_does_not_start() {
    let town = Town::new().await;
    let [one, two] = town.nodes().await;
    let old = system(&one.data, &[]).await;
    let said = does(&one.data, &["keys", "rotate", "--log", &town.url]).await;
    assert!(said.contains("copy token.key and token.former") && said.contains("restart the nodes"), "{said}");
    let new = system(&one.data, &[]).await;
    // Whoever is not restarted goes on with what it has.
    for node in [&one, &two] {
        assert_eq!([status(node, &old).await, status(node, &new).await], [200, 401]);
    }
    two.stop().await;
    let variables = [("KUNDWEBB_LOG", town.url.as_str())];
    let start = Start { variables: &variables, ..Start::default() };
    let refused = Program::try_start(&town.data(1), &start).await.err().unwrap();
    assert!(refused.contains("copy token.key and token.former"), "{refused}");
    // Nor may it replace what it does not have.
    refuses(&town.data(1), &["keys", "rotate", "--log", &town.url], "token.key is not the key of this log")
        .await;
    for name in ALL_KEY_FILES {
        std::fs::copy(one.data.join(name), town.data(1).join(name)).unwrap();
    }
    let two = Program::start_with(&town.data(1), &start).await;
    assert_eq!([status(&two, &old).await, status(&two, &new).await], [200, 200]);
}
