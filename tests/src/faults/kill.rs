//! The process is killed at a random moment under many writers and started again on the same folder, again and again:
//! while it works, and while it starts and takes in what the kill before has left.

use std::path::Path;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::faults::{Crowd, Report};

/// How long the service lives at most before it is killed, from when it is ready.
const LIFE: Duration = Duration::from_millis(700);
/// How long a start lives at most before it is killed.
const START: Duration = Duration::from_millis(150);

/// How much of it is done.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How often the service is killed at work; before every other start it is also killed while it starts.
    pub kills: usize,
    /// After how many kills all is judged, beside the end.
    pub judged_every: usize,
}

/// Kills the service again and again; `tell` hears how far it is. Ends at the first verdict that is not clean.
///
/// # Errors
/// When the service does not start again, refuses what it must accept, or its proofs fail.
pub async fn kill(folder: &Path, rounds: Rounds, seed: u64, tell: impl Fn(usize)) -> anyhow::Result<Report> {
    let mut random = StdRng::seed_from_u64(seed);
    let (crowd, mut service) = Crowd::begin(folder).await?;
    let mut early = 0;
    for round in 1..=rounds.kills {
        tokio::time::sleep(random.random_range(Duration::ZERO..LIFE)).await;
        crowd.down();
        service.kill()?;
        if round % 2 == 0 && crowd.cut_start(random.random_range(Duration::ZERO..START)).await? {
            early += 1;
        }
        if round % rounds.judged_every == 0 {
            let tally = crowd.judge()?;
            if !tally.violations.is_empty() {
                return Ok(Report { fault: "kill", rounds: round, early, mails: 0, tally });
            }
        }
        service = crowd.up().await?;
        tell(round);
    }
    tokio::time::sleep(LIFE).await;
    let (mails, tally) = crowd.end(service).await?;
    Ok(Report { fault: "kill", rounds: rounds.kills, early, mails, tally })
}
