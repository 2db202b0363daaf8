//! The end of a campaign: everybody finishes, every mail ends, every node shows everything; then it is judged.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use checker::Tally;

use crate::faults::wait_until_shown;
use crate::nodes::front::Front;
use crate::nodes::{Fault, LOOK, NODES, Report, Town, blocking};
use crate::service;

/// How long no mail may end while some are due.
const MAILED: Duration = Duration::from_secs(60);

pub(super) async fn end(mut town: Town, fault: Fault, rounds: usize) -> anyhow::Result<Report> {
    town.stop.send_replace(true);
    for writer in std::mem::take(&mut town.writing) {
        writer.await?.with_context(|| town.told())?;
    }
    town.everybody_writes()?;
    let mails = until_mailed(&town).await?;
    for node in 0..NODES {
        wait_until_shown(town.node(node)?.address()).await?;
    }
    for service in town.nodes.iter_mut().filter_map(Option::take) {
        let mut service = service;
        let status = blocking(move || service.stop()).await?;
        ensure!(status.success(), "a node did not stop as it should: {status}");
    }
    let tally = judge(&town).await?;
    let twice = twice(&town)?;
    let (longest_outage, requests) = (town.pulse.longest_pause(), town.front.as_ref().map(Front::counts));
    Ok(Report { fault, rounds, mails, twice, longest_outage, requests, tally })
}

/// The checker's verdict, and where that is clean the program's own proofs of the log and of every node's read models.
async fn judge(town: &Town) -> anyhow::Result<Tally> {
    let log = town.log(town.cluster.port());
    let events = checker::log::postgres::read(&log).await?;
    let tally = checker::check(&events, &checker::records::read(&town.records())?);
    if tally.violations.is_empty() {
        let program = service::program()?;
        prove(program, &log, &town.data(0), ["log", "verify"]).await?;
        for node in 0..NODES {
            prove(program, &log, &town.data(node), ["read-model", "verify"]).await?;
        }
    }
    Ok(tally)
}

/// Has a program prove something of a node's data.
pub(super) async fn prove(
    program: &Path,
    log: &str,
    data: &Path,
    proof: [&'static str; 2],
) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(proof).env("KUNDWEBB_LOG", log).arg("--data").arg(data);
    let output = blocking(move || Ok(command.output()?)).await?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{proof:?} of {}: {said}", data.display());
    Ok(())
}

/// Waits until every mail that is due has ended, and gives how many: the receipt of a case, and what its officer writes and
/// answers.
async fn until_mailed(town: &Town) -> anyhow::Result<usize> {
    let sql = "SELECT count(*) FILTER (WHERE type LIKE 'Notification%') || ' ' || \
               count(*) FILTER (WHERE type IN ('CaseReceived', 'MessageAdded', 'CaseClosed')) FROM kundwebb.event";
    let (mut moved, mut before) = (Instant::now(), 0);
    loop {
        let counts = town.sql(sql).await?;
        let (ended, due) = counts.split_once(' ').context("no counts")?;
        let (ended, due): (usize, usize) = (ended.parse()?, due.parse()?);
        ensure!(ended <= due, "{ended} mails have ended, of {due} that are due");
        if ended == due {
            return Ok(ended);
        }
        if ended > before {
            (moved, before) = (Instant::now(), ended);
        }
        ensure!(
            moved.elapsed() < MAILED,
            "{ended} of {due} mails have ended, and no more do\n{}",
            town.told()
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// How many mails left two nodes, each as the same mail.
fn twice(town: &Town) -> anyhow::Result<usize> {
    let mut seen: BTreeMap<std::ffi::OsString, String> = BTreeMap::new();
    let mut twice = 0;
    for node in 0..NODES {
        for entry in std::fs::read_dir(town.data(node).join("mail")).into_iter().flatten() {
            let entry = entry?;
            if entry.path().extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let text = std::fs::read_to_string(entry.path())?;
            let id = text.lines().find(|line| line.starts_with("Message-ID:")).unwrap_or_default().to_owned();
            if let Some(before) = seen.insert(entry.file_name(), id.clone()) {
                ensure!(before == id, "two mails of one cause: {before} and {id}");
                twice += 1;
            }
        }
    }
    Ok(twice)
}
