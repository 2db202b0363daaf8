//! A node is paused while it holds the log's lock, as by a machine that is moved: the database frees the lock, the others
//! go on, and when it wakes it has done nothing. Or it is paused when its commit is done and it has not heard so.

use anyhow::{Context as _, ensure};
use rand::Rng;

use crate::nodes::line::{Moment, Way};
use crate::nodes::{BETWEEN, NODES, RECOVERY, Town};

pub(super) async fn once(town: &mut Town, round: usize) -> anyhow::Result<()> {
    let node = town.random.random_range(0..NODES);
    let moment = [Moment::Lock, Moment::Commit][round % 2];
    let reached = tokio::time::timeout(RECOVERY, town.lines[node].at(moment, Way::Withhold)).await;
    let answer = reached.context("the node does not come so far")??;
    town.node(node)?.signal("STOP")?;
    // It is answered now, and does not hear it.
    drop(answer);
    let paused = paused(town, moment).await;
    town.node(node)?.signal("CONT")?;
    paused
}

async fn paused(town: &Town, moment: Moment) -> anyhow::Result<()> {
    if moment == Moment::Lock {
        let held = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' \
                    AND granted AND state = 'idle in transaction'";
        ensure!(town.sql(held).await? == "1", "the paused node does not hold the lock");
    }
    town.until_done(BETWEEN).await?;
    tokio::time::sleep(town.time).await;
    town.until_done(BETWEEN).await
}
