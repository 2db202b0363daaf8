//! The process is killed at a random moment under many writers and started again on the same folder, again and again.

use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::faults::{Crowd, Report};

/// How long the service lives at most before it is killed, from when it is ready.
const LIFE: Duration = Duration::from_millis(700);

/// Kills the service `rounds` times; `tell` hears how far it is.
///
/// # Errors
/// When the service does not start again, refuses what it must accept, or its proofs fail.
pub async fn kill(folder: &Path, rounds: usize, seed: u64, tell: impl Fn(usize)) -> anyhow::Result<Report> {
    let mut random = StdRng::seed_from_u64(seed);
    let (crowd, mut service) = Crowd::begin(folder).await?;
    for round in 1..=rounds {
        tokio::time::sleep(random.random_range(Duration::ZERO..LIFE)).await;
        crowd.down();
        service.kill()?;
        service = crowd.up().await?;
        tell(round);
    }
    tokio::time::sleep(LIFE).await;
    Ok(Report { fault: "kill", rounds, tally: crowd.end(service).await? })
}
