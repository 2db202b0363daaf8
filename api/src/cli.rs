//! The command line: one file a subcommand. Flags over environment (`KUNDWEBB_…`) over the file of `--config`.

mod backup;
mod check;
mod deliveries;
mod files;
mod keys;
pub mod log;
mod read_model;
mod restore;
mod serve;
mod token;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use infrastructure::log::copying;
use infrastructure::{Log, LogError};
use projections::projector::ProjectorError;
use rustix::fs::Mode;

use crate::Config;
use crate::config::words;

/// How long work on other threads may still take at the end.
const ENDING: Duration = Duration::from_millis(500);
/// How many cases the demo has when nobody says.
const DEMO_CASES: u32 = 200;

/// What to do about a log that is damaged.
const DAMAGE: &str = "Nobody should work on this folder as it is. Keep a copy of it; `kundwebb check` says what is \
                      wrong with it, `kundwebb log verify` what of the log is whole. Put a backup into an empty folder \
                      with `kundwebb restore --from BACKUP`.";

/// Kundwebb: customer web and case system of a shared-service centre. Without arguments: the demo.
#[derive(Debug, Parser)]
#[command(name = "kundwebb", version, about)]
struct CommandLine {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What holds for every subcommand.
#[derive(Debug, Args)]
struct Flags {
    /// Where the web listens [default: 127.0.0.1:8080]
    #[arg(long, global = true)]
    listen: Option<SocketAddr>,
    /// The data folder [default: ./data]
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// The log: `sqlite` (in the data folder), or postgres://USER@HOST/DATABASE
    #[arg(long, global = true)]
    log: Option<String>,
    /// Serve a demo: fictional data, and anybody on this machine may choose who to be
    #[arg(long, global = true)]
    demo: bool,
    /// How many cases an empty demo is filled with [default: 200]; means --demo too
    #[arg(long, global = true, value_name = "N")]
    demo_cases: Option<u32>,
    /// A TOML file with settings
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the web (what happens without a subcommand)
    Serve,
    /// Print a bearer token for the API
    Token(token::Arguments),
    /// Check settings, keys, log and connections, and say in words what is wrong
    Check,
    /// Verify, export and show the log
    #[command(subcommand)]
    Log(log::Command),
    /// State, proof and rebuilding of the read models
    #[command(subcommand)]
    ReadModel(read_model::Command),
    /// Copy log, keys and files as they are at one moment, beside running servers
    Backup(backup::Arguments),
    /// Put a backup into an empty data folder, and its log into an empty database where --log names one; its mails are held until `deliveries release`
    Restore(restore::Arguments),
    /// Replace the keys of the installation
    #[command(subcommand)]
    Keys(keys::Command),
    /// Move the attached files to another place
    #[command(subcommand)]
    Files(files::Command),
    /// How the mails stand, and letting those leave that are held since a restore
    #[command(subcommand)]
    Deliveries(deliveries::Command),
}

/// Runs the program.
pub fn main() -> ExitCode {
    // Whatever is written (log, read models, mails, files, backups) is for the owner alone.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let bare = std::env::args_os().len() <= 1;
    let line = CommandLine::parse();
    match run(line, bare) {
        Ok(code) => code,
        Err(error) => {
            say(format_args!("kundwebb: {error:#}"));
            if is_damage(&error) {
                say(DAMAGE);
            }
            ExitCode::FAILURE
        }
    }
}

/// Whether the log itself is the trouble.
fn is_damage(error: &anyhow::Error) -> bool {
    let log = match error.downcast_ref::<ProjectorError>() {
        Some(error) if error.went_back() => return true,
        Some(ProjectorError::Log(error)) => Some(error),
        _ => error.downcast_ref::<LogError>(),
    };
    matches!(log, Some(LogError::Damaged(_) | LogError::WentBack(_)))
}

fn run(line: CommandLine, bare: bool) -> anyhow::Result<ExitCode> {
    let config = settings(&line.flags, bare)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        match line.command.unwrap_or(Command::Serve) {
            Command::Serve => serve::run(config).await,
            Command::Token(arguments) => token::run(&config, arguments).await,
            Command::Check => check::run(config).await,
            Command::Log(command) => {
                log::run(&config, command, &mut std::io::stdout(), &|words| say(words)).await
            }
            Command::ReadModel(command) => read_model::run(&config, command).await,
            Command::Backup(arguments) => backup::run(&config, &arguments).await,
            Command::Restore(arguments) => restore::run(&config, &arguments).await,
            Command::Keys(command) => keys::run(&config, command).await,
            Command::Files(command) => files::run(&config, command).await,
            Command::Deliveries(command) => deliveries::run(&config, command).await,
        }
    });
    // A query that still runs must not hold up the end.
    runtime.shutdown_timeout(ENDING);
    done
}

/// The settings, with the flags on top.
fn settings(flags: &Flags, bare: bool) -> anyhow::Result<Config> {
    let read = Config::read(flags.config.as_deref());
    let mut config = read.map_err(|error| anyhow::anyhow!("{}", words::in_words(&error)))?;
    if let Some(listen) = flags.listen {
        config.listen = listen;
    }
    if let Some(data) = &flags.data {
        config.data.clone_from(data);
    }
    if let Some(log) = &flags.log {
        config.log.clone_from(log);
    }
    config.demo.enabled |= flags.demo || flags.demo_cases.is_some() || bare;
    config.demo.cases = flags.demo_cases.or(config.demo.cases).or(Some(DEMO_CASES));
    Ok(config)
}

/// The log of the data folder, for reading beside a server that may run.
async fn read_only(config: &Config) -> anyhow::Result<Arc<dyn Log>> {
    let log = config.log_place()?.open_read_only().await?;
    copying::whole(log.as_ref()).await?;
    Ok(log)
}

/// What the caller asked for, on standard output. Whoever reads no further has what they wanted.
fn print(text: impl std::fmt::Display) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() != ErrorKind::BrokenPipe
    {
        say(format_args!("kundwebb: standard output cannot be written: {error}"));
        std::process::exit(1);
    }
}

/// What goes beside it, on standard error.
fn say(text: impl std::fmt::Display) {
    // That it cannot be said cannot be said either.
    drop(writeln!(std::io::stderr(), "{text}"));
}
