//! `kundwebb deliveries`: how the mails stand, and letting those leave that are held since a restore. Works beside
//! running servers; the one whose data folder holds the log is asked by a file in it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::ensure;
use clap::Subcommand;
use infrastructure::Log;
use infrastructure::log::sqlite;
use infrastructure::upkeep::{HELD, Upkeep};

use crate::Config;
use crate::cli::{print, read_only};
use crate::reactions::mail::RELEASE;

/// How long a running server may take to let them leave.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// How many wait, were sent or were given up, and whether they are held
    Status,
    /// Let those leave that are held since a restore
    Release,
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let log = read_only(config).await?;
    let counts = log.delivery_counts().await?;
    let Some(reason) = log.meta(HELD).await? else {
        print(format_args!(
            "{} sent, {} waiting, {} given up; none held",
            counts.sent, counts.due, counts.failed
        ));
        return Ok(ExitCode::SUCCESS);
    };
    match command {
        Command::Status => {
            print(format_args!(
                "{} sent, {} held, {} given up: {reason}",
                counts.sent, counts.due, counts.failed
            ));
        }
        Command::Release => {
            release(config, log.as_ref()).await?;
            print(format_args!("{} mails may leave now", counts.due));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn release(config: &Config, log: &dyn Log) -> anyhow::Result<()> {
    let place = config.log_place()?;
    // A database is written beside its nodes; whichever of them sends the mails sees that they are free.
    if place.is_shared() || sqlite::own(&config.data).is_ok() {
        let log = place.open_without_node().await?;
        let mut writer = log.writer().await?;
        writer.begin().await?;
        writer.upkeep(&Upkeep::ReleaseDeliveries).await?;
        return Ok(writer.commit().await?);
    }
    let asked = config.data.join(RELEASE);
    std::fs::write(&asked, [])?;
    let released = async {
        while log.meta(HELD).await?.is_some() {
            tokio::time::sleep(LOOK).await;
        }
        anyhow::Ok(())
    };
    let released = tokio::time::timeout(PATIENCE, released).await;
    if released.is_err() {
        std::fs::remove_file(&asked)?;
    }
    ensure!(released.is_ok(), "the server has not let them leave; look at its log and try again");
    released?
}
