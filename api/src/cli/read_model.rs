//! `kundwebb read-model`: status, verify and snapshot work beside a running server; rebuild and take refuse while one runs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::ensure;
use clap::Subcommand;
use infrastructure::log::sqlite;
use infrastructure::{Keys, Reader, startup};
use projections::ReadModels;
use projections::read_models::Found;
use projections::snapshot::{self, Arrived};
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
    /// Copy them as they are at one moment, for a new node; the copy holds personal content, unsealed
    Snapshot {
        /// The folder in which the copy is made, under a name that tells its version and its content
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Begin with the copy of another node instead of building them from the log
    Take {
        /// The copy, called as it was made
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Status => status(config).await,
        Command::Verify => verify(config).await,
        Command::Rebuild => rebuild(config).await,
        Command::Snapshot { to } => snapshot(config, to).await,
        Command::Take { from } => take(config, &from).await,
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
        Found::At { position, unproven, .. } => {
            print(format_args!("position  {position} of {head}"));
            if *unproven {
                print("not compared with the log yet; the server does it beside its work");
            }
        }
    }
    for projection in projections::ALL {
        print(format_args!("  {} version {}", projection.name(), projection.version()));
    }
    Ok(if matches!(found, Found::Damaged(_)) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn verify(config: &Config) -> anyhow::Result<ExitCode> {
    let log = read_only(config).await?;
    let keys = Arc::new(Keys::open(config.keys_folder(), false)?);
    startup::keys(log.as_ref(), &keys).await.map_err(|error| anyhow::anyhow!("{error}"))?;
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
    // They may be all that tells that the log has lost its end: they go when it is proven.
    drop(config.log_place()?.open(&config.data, false).await?);
    ReadModels::delete(&config.data)?;
    let app = App::start(config.clone(), infrastructure::Clock::System).await?;
    say(format_args!("rebuilt up to position {}", app.read_models.position()));
    print(app.read_models.digest()?);
    Ok(ExitCode::SUCCESS)
}

async fn snapshot(config: &Config, to: PathBuf) -> anyhow::Result<ExitCode> {
    let data = config.data.clone();
    let made = tokio::task::spawn_blocking(move || snapshot::write(&data, &to)).await??;
    say(format_args!("the read models at position {}; they hold personal content, unsealed", made.position));
    print(made.file.display());
    Ok(ExitCode::SUCCESS)
}

async fn take(config: &Config, from: &Path) -> anyhow::Result<ExitCode> {
    // Owning the folder proves that no server runs on it.
    let _owned = sqlite::own(&config.data)?;
    let log = read_only(config).await?;
    let (file, data) = (from.to_path_buf(), config.data.clone());
    let arrived = tokio::task::spawn_blocking(move || Arrived::from(&file, &data)).await??;
    let position = arrived.position;
    let events = log.events_after(position.saturating_sub(1), 1).await?;
    ensure!(
        events.first().is_some_and(|event| event.leaf_hash == arrived.leaf_hash),
        "{} is of another log, or has seen more than this one holds: the event that it shows at position {position} is not \
         there; nothing is taken. Without it the server builds the read models from the log when it starts",
        from.display()
    );
    arrived.keep()?;
    let head = log.head().await?.position;
    print(format_args!("taken at position {position} of {head}; the server reads the rest when it starts"));
    Ok(ExitCode::SUCCESS)
}
