//! `checker --log data/log.db --records FOLDER`: prints what was counted and everything that is wrong; fails if anything is.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Decides whether a log holds, once, what clients were told.
#[derive(Debug, Parser)]
struct Arguments {
    /// The log file
    #[arg(long)]
    log: PathBuf,
    /// The folder with what clients wrote down; without it the log alone is looked at
    #[arg(long)]
    records: Option<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "this is a command")]
fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let records = arguments.records.as_deref().map(checker::records::read).transpose()?.unwrap_or_default();
    let tally = checker::check(&checker::log::read(&arguments.log)?, &records);
    println!(
        "{} events; {} acknowledged, {} unknown; {} lost, {} doubled",
        tally.events, tally.acknowledged, tally.unknown, tally.lost, tally.doubled
    );
    tally.violations.iter().for_each(|violation| println!("WRONG {violation}"));
    Ok(if tally.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
