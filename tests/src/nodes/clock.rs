//! The clock of a node is wrong by an hour. The database's clock counts: no time in the log is of the other. The node says
//! why it is not ready, the others go on, and with the right time it is ready again.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use rand::Rng;

use crate::nodes::{BETWEEN, NODES, Town};

/// What is wrong, seconds.
const WRONG: [&str; 2] = ["+3600", "-3600"];
/// Timers and the times of files stay as they are.
const ONLY_THE_CLOCK: [(&str, &str); 2] = [("FAKETIME_DONT_FAKE_MONOTONIC", "1"), ("NO_FAKE_STAT", "1")];
/// What the node says of it.
const TOLD: &str = "the clock of this machine is";
/// The file with what is wrong, beside the node's data.
const FILE: &str = "clock";

/// Gives a program a clock that can be set (libfaketime), right at first.
///
/// # Errors
/// When libfaketime is not there.
pub(super) fn own(command: &mut Command, data: &Path) -> anyhow::Result<()> {
    set(data, "+0")?;
    command.env("LD_PRELOAD", library()?).env("FAKETIME_TIMESTAMP_FILE", file(data));
    command.env("FAKETIME_CACHE_DURATION", "1").envs(ONLY_THE_CLOCK);
    Ok(())
}

/// Sets the clock of the node with this data folder: what it is wrong by.
///
/// # Errors
/// When its file cannot be written.
pub fn set(data: &Path, offset: &str) -> anyhow::Result<()> {
    // In one step: it is read at any time.
    let aside = file(data).with_extension("new");
    std::fs::write(&aside, offset)?;
    Ok(std::fs::rename(aside, file(data))?)
}

/// The file that tells the node with this data folder what its clock is wrong by.
pub fn file(data: &Path) -> PathBuf {
    data.with_extension(FILE)
}

/// The library (libfaketime) that gives a program a clock of its own, where Debian puts it.
///
/// # Errors
/// When it is not there.
pub fn library() -> anyhow::Result<PathBuf> {
    let places = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let mut places = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
    places
        .find(|library| library.exists())
        .context("a clock that can be set needs libfaketime: install it (Debian: apt-get install faketime)")
}

pub(super) async fn once(town: &mut Town, round: usize) -> anyhow::Result<()> {
    let node = town.random.random_range(0..NODES);
    set(&town.data(node), WRONG[round % WRONG.len()])?;
    let wrong = wrong(town, node).await;
    set(&town.data(node), "+0")?;
    wrong
}

async fn wrong(town: &Town, node: usize) -> anyhow::Result<()> {
    let said = |trouble: &Option<String>| trouble.as_ref().is_some_and(|words| words.contains(TOLD));
    town.until_trouble(node, said).await?;
    town.until_done(BETWEEN).await?;
    tokio::time::sleep(town.time).await;
    town.until_done(BETWEEN).await?;
    let ahead = "SELECT count(*) FROM kundwebb.event \
                 WHERE recorded_at > extract(epoch FROM clock_timestamp()) * 1000000";
    ensure!(town.sql(ahead).await? == "0", "the log holds times that have not come");
    Ok(())
}
