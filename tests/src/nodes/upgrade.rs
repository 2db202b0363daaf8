//! The nodes are replaced by the next version of the program, one after the other, while everybody writes, and then by this
//! version again. A node that is to be replaced is taken out of the front, told to stop, started on the same data and put
//! in when it is ready. No request may be refused or lost by it.

use std::path::Path;

use anyhow::{Context as _, ensure};
use checker::records::{self, Acknowledged};

use crate::http::{Connection, request};
use crate::nodes::{BETWEEN, NODES, Town, blocking, end, next};
use crate::service;
use crate::writers::Tokens;

/// How many cases every node is asked for when one was replaced.
const CASES: usize = 30;

pub(super) async fn once(town: &mut Town) -> anyhow::Result<()> {
    let (this, next) = (service::program()?, next::program()?);
    for node in 0..NODES {
        replace(town, node, next).await?;
        if node > 0 {
            is_mixed(town).await?;
        }
        // The read models are proven by the version that has made them: those of this node, and of one that comes after.
        for (other, program) in
            [(node, next), (node + 1, this)].into_iter().filter(|(other, _)| *other < NODES)
        {
            end::prove(program, &town.log(town.cluster.port()), &town.data(other), ["read-model", "verify"])
                .await?;
        }
    }
    for node in (0..NODES).rev() {
        replace(town, node, this).await?;
    }
    Ok(())
}

/// Replaces a node's program, and sees that every node then serves what was acknowledged, and more is.
async fn replace(town: &mut Town, node: usize, program: &Path) -> anyhow::Result<()> {
    let front = town.front.as_ref().context("nobody counts the requests")?;
    front.take_out(node).await?;
    if let Some(mut service) = town.nodes[node].take() {
        let status = blocking(move || service.stop()).await?;
        ensure!(status.success(), "node {node} did not stop as it should: {status}");
    }
    // The others go on without it.
    town.until_done(BETWEEN).await?;
    town.start_program(node, program, false).await?;
    town.until_done(BETWEEN).await?;
    serve_all(town).await
}

/// Every node shows cases from the whole time, at least as new as they were acknowledged.
async fn serve_all(town: &Town) -> anyhow::Result<()> {
    let written = records::read(&town.records())?;
    let told: Vec<Acknowledged> = written.into_iter().filter_map(|record| record.acknowledged).collect();
    let tokens = Tokens::of(&town.data(0), "anna")?;
    for node in 0..NODES {
        let mut connection = Connection::open(town.node(node)?.address()).await?;
        for case in told.iter().step_by((told.len() / CASES).max(1)) {
            let (bearer, after) = (format!("Bearer {}", tokens.officer), case.position.to_string());
            let headers = [("authorization", bearer.as_str()), ("read-after", after.as_str())];
            let get = request("GET", &format!("/api/v1/cases/{}", case.id), &headers, b"");
            let answer = connection.send(&get).await?;
            let text = String::from_utf8_lossy(answer.body).into_owned();
            ensure!(answer.status == 200, "node {node} does not serve {case:?}: {} {text}", answer.status);
            let shown: serde_json::Value = serde_json::from_str(&text)?;
            let version = shown["version"].as_u64().unwrap_or_default();
            ensure!(version >= case.version, "node {node} shows version {version} of {case:?}");
        }
    }
    Ok(())
}

/// The log holds events with the new field, and later ones of the same kind without it.
async fn is_mixed(town: &Town) -> anyhow::Result<()> {
    let with = format!("facts::text LIKE '%{}%'", next::FIELD);
    let sql = format!(
        "SELECT count(*) FROM kundwebb.event WHERE type = 'MessageAdded' AND NOT {with} \
         AND position > (SELECT min(position) FROM kundwebb.event WHERE type = 'MessageAdded' AND {with})"
    );
    let later = town.sql(&sql).await?;
    ensure!(later != "0", "the two versions have not written in turn");
    Ok(())
}
