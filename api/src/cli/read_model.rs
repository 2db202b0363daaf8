//! `kundwebb read-model`: status and verify work beside a running server; rebuild refuses while one runs.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use infrastructure::log::sqlite;
use infrastructure::{Keys, Reader};
use projections::ReadModels;
use projections::read_models::Found;
use tokio::runtime::Handle;

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
    let head = read_only(config).await?.head().await?.position;
    let file = config.data.join(projections::read_models::file_name(projections::ALL));
    print(format_args!("file      {}", file.display()));
    let found = ReadModels::examine(&config.data)?;
    match &found {
        Found::Nothing | Found::OtherVersion => print("not built yet; this happens when the server starts"),
        Found::Damaged(reason) => {
            print(format_args!(
                "damaged: {reason}. Start the server (again); it builds them anew from the log"
            ));
        }
        Found::At { position, .. } => print(format_args!("position  {position} of {head}")),
    }
    for projection in projections::ALL {
        print(format_args!("  {} version {}", projection.name(), projection.version()));
    }
    Ok(if matches!(found, Found::Damaged(_)) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn verify(config: &Config) -> anyhow::Result<ExitCode> {
    let log = read_only(config).await?;
    let keys = Arc::new(Keys::open(config.keys_folder(), false)?);
    let (data, runtime) = (config.data.clone(), Handle::current());
    say("building the read models anew from the log, to compare");
    let compare = move || projections::verify(&data, &Reader { log, keys }, &runtime);
    let Some(verdict) = tokio::task::spawn_blocking(compare).await?? else {
        say("there are no read models of this version yet; they are built when the server starts");
        return Ok(ExitCode::FAILURE);
    };
    print(format_args!("position  {}", verdict.position));
    print(format_args!("in use    {}", verdict.shown));
    print(format_args!("rebuilt   {}", verdict.rebuilt));
    if verdict.is_same() {
        print("the same");
        return Ok(ExitCode::SUCCESS);
    }
    print("NOT the same: stop the server and run `kundwebb read-model rebuild`");
    Ok(ExitCode::FAILURE)
}

async fn rebuild(config: &Config) -> anyhow::Result<ExitCode> {
    // Owning the folder proves that no server runs on it.
    drop(sqlite::own(&config.data)?);
    ReadModels::delete(&config.data)?;
    let app = App::start(config.clone(), infrastructure::Clock::System).await?;
    say(format_args!("rebuilt up to position {}", app.read_models.position()));
    print(app.read_models.digest()?);
    Ok(ExitCode::SUCCESS)
}
