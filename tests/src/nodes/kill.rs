//! A node is killed while it works, and started again on what it has left.

use rand::Rng;

use crate::nodes::{BETWEEN, NODES, Town};

pub(super) async fn once(town: &mut Town) -> anyhow::Result<()> {
    let node = town.random.random_range(0..NODES);
    if let Some(mut service) = town.nodes[node].take() {
        service.kill()?;
    }
    // The others go on without it.
    town.until_done(BETWEEN).await?;
    town.start(node, false).await
}
