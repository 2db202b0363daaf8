//! `kundwebb log`: verify, export, copy and show, beside a running server. What is found goes to the writer that is given,
//! how far the work is to the teller.

mod copy;
mod export;
mod show;
pub mod verify;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::Subcommand;
use infrastructure::{Keys, Reader};

use crate::Config;
use crate::cli::read_only;

/// How many events are read at a time.
const BATCH: usize = 1_000;

/// What is to be done with the log.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Check every event: dense positions and versions, hashes, time, sealed parts; and the read log against what the log tells of it
    Verify,
    /// Print every event as a line of JSON, without personal content
    Export,
    /// Make the tables of the log, or bring them to the newest schema; in a database, for the login that owns it
    Create,
    /// Move the log to another place, with everything that lies beside its events; stop every node before
    Copy {
        /// Where it lies: `sqlite` (in the data folder), sqlite:FOLDER or postgres://USER@HOST/DATABASE
        #[arg(long)]
        from: String,
        /// Where it shall lie: empty, or what an earlier try has left
        #[arg(long)]
        to: String,
    },
    /// Show a case as it is, or as it was known at a time
    Show {
        /// The case number, with or without hyphens, or the id
        case: String,
        /// The time, RFC 3339, for example 2026-11-23T08:36:08Z
        #[arg(long, value_name = "T")]
        as_of: Option<DateTime<Utc>>,
    },
}

/// Does it. The code tells whether the log is whole.
///
/// # Errors
/// When the log cannot be read, or there is no such case; in words.
pub async fn run(
    config: &Config,
    command: Command,
    out: &mut dyn Write,
    tell: &dyn Fn(&str),
) -> anyhow::Result<ExitCode> {
    let done = match command {
        Command::Verify => verify::run(config, out, tell).await,
        Command::Export => export::run(config, out).await,
        Command::Create => {
            let place = config.log_place()?;
            drop(place.open_without_node().await?);
            writeln!(out, "{place} is there, and of this version")
                .map_err(Into::into)
                .map(|()| ExitCode::SUCCESS)
        }
        Command::Copy { from, to } => copy::run(config, (&from, &to), out, tell).await,
        Command::Show { case, as_of } => show::run(config, &case, as_of, out).await,
    };
    match done {
        // Whoever reads has read enough.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        done => done,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = match error.downcast_ref::<serde_json::Error>() {
        Some(error) => error.io_error_kind(),
        None => error.downcast_ref::<std::io::Error>().map(std::io::Error::kind),
    };
    kind == Some(ErrorKind::BrokenPipe)
}

/// The log with its keys, for reading what is sealed.
async fn reader(config: &Config) -> anyhow::Result<Reader> {
    let log = read_only(config).await?;
    let keys = Keys::open(config.keys_folder(), false)
        .context("the keys of the log are needed to open what is sealed; put the key files back")?;
    Ok(Reader { log, keys: Arc::new(keys) })
}
