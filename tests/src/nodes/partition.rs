//! A node is parted from the database: what is sent is neither heard nor refused. It says that it is not ready, the others
//! go on, and when the network is whole again it is ready by itself.

use rand::Rng;

use crate::nodes::{BETWEEN, NODES, Town};

/// What the node says while it is parted: it answers all the same.
fn told(trouble: &Option<String>) -> bool {
    trouble.as_ref().is_some_and(|words| words.contains("the log does not answer"))
}

pub(super) async fn once(town: &mut Town) -> anyhow::Result<()> {
    let node = town.random.random_range(0..NODES);
    town.lines[node].hold();
    let parted = async {
        town.until_trouble(node, told).await?;
        // The lock that it may have held is free again soon.
        town.until_done(BETWEEN).await?;
        tokio::time::sleep(town.time).await;
        town.until_done(BETWEEN).await
    };
    let parted = parted.await;
    town.lines[node].resume();
    parted
}
