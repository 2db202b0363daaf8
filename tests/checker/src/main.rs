//! `checker --log data/log.db --records FOLDER`, or with `--log postgres://…`: prints what was counted and everything that
//! is wrong; fails if anything is.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use checker::log;
use clap::Parser;

/// Decides whether a log holds, once, what clients were told.
#[derive(Debug, Parser)]
struct Arguments {
    /// The log: a file, or the address of a database (`postgres://USER@HOST/DATABASE`)
    #[arg(long)]
    log: String,
    /// The folder with what clients wrote down; without it the log alone is looked at
    #[arg(long)]
    records: Option<PathBuf>,
}

#[expect(clippy::print_stdout, reason = "this is a command")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { log, records } = Arguments::parse();
    let records = records.as_deref().map(checker::records::read).transpose()?.unwrap_or_default();
    let in_database = ["postgres://", "postgresql://"].iter().any(|scheme| log.starts_with(scheme));
    let events = if in_database { log::postgres::read(&log).await? } else { log::read(Path::new(&log))? };
    let tally = checker::check(&events, &records);
    println!(
        "{} events; {} acknowledged, {} unknown; {} lost, {} doubled",
        tally.events, tally.acknowledged, tally.unknown, tally.lost, tally.doubled
    );
    tally.violations.iter().for_each(|violation| println!("WRONG {violation}"));
    Ok(if tally.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
