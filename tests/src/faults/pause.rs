//! The process is stopped in the middle of its work (SIGSTOP), as by a machine that is moved, and goes on (SIGCONT).

use std::path::Path;
use std::time::Duration;

use crate::faults::{Crowd, Report};

/// How long everybody writes before and after.
const WRITE: Duration = Duration::from_millis(500);

/// Holds the service for a time under many writers, `rounds` times.
///
/// # Errors
/// When it refuses what it must accept afterwards, or its proofs fail.
pub async fn pause(folder: &Path, rounds: usize, time: Duration) -> anyhow::Result<Report> {
    let (crowd, service) = Crowd::begin(folder).await?;
    for _ in 0..rounds {
        tokio::time::sleep(WRITE).await;
        service.signal("STOP")?;
        tokio::time::sleep(time).await;
        service.signal("CONT")?;
    }
    tokio::time::sleep(WRITE).await;
    let (mails, tally) = crowd.end(service).await?;
    Ok(Report { fault: "stop and continue", rounds, early: 0, mails, tally })
}
