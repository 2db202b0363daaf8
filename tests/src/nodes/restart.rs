//! The database ends without a word to anybody, and is started again: by itself it finds what was committed.

use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;

use crate::nodes::{RECOVERY, Town, blocking};

pub(super) async fn once(town: &mut Town, round: usize) -> anyhow::Result<()> {
    let signal = ["QUIT", "KILL"][round % 2];
    let cluster = Arc::clone(&town.cluster);
    blocking(move || cluster.end(signal)).await?;
    up(town).await
}

/// Starts the database, as often as it takes: what a killed one has left runs for a moment without it.
pub(super) async fn up(town: &Town) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let cluster = Arc::clone(&town.cluster);
        match blocking(move || cluster.run()).await {
            Ok(()) => return Ok(()),
            Err(error) if began.elapsed() > RECOVERY => bail!("the database does not start again: {error:#}"),
            Err(_) => {}
        }
    }
}
