//! `kundwebb log`: verify, export and show, beside a running server.

use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Subcommand;

use crate::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check every event: dense positions, hashes, time
    Verify,
    /// Print every event as a line of JSON, without personal content
    Export,
    /// Show a case as it is, or as it was known at a time
    Show {
        /// The case number, with or without hyphens, or the id
        case: String,
        /// The time, RFC 3339, for example 2026-11-23T08:36:08Z
        #[arg(long, value_name = "T")]
        as_of: Option<DateTime<Utc>>,
    },
}

pub(super) async fn run(_config: &Config, _command: Command) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::SUCCESS)
}
