//! The connection to the database is cut: before a commit is heard, while it is on its way, when it is done and the answer
//! is not heard; and all connections of a node at any moment.

use anyhow::Context as _;
use rand::Rng;

use crate::nodes::line::{Moment, Way};
use crate::nodes::{NODES, RECOVERY, Town};

const WAYS: [Option<Way>; 4] = [Some(Way::CutAfter), Some(Way::CutBetween), Some(Way::CutBefore), None];

pub(super) async fn once(town: &mut Town, round: usize) -> anyhow::Result<()> {
    let line = &town.lines[town.random.random_range(0..NODES)];
    match WAYS[round % WAYS.len()] {
        Some(way) => {
            let cut = tokio::time::timeout(RECOVERY, line.at(Moment::Commit, way)).await;
            cut.context("the node does not commit")?.map(drop)
        }
        None => {
            line.cut();
            Ok(())
        }
    }
}
