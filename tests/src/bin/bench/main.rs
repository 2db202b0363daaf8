//! The benchmark: what the service does, beside a bare ceiling measured in the same run. Prints tables and writes the
//! same figures as JSON. Nothing here asserts a time.
#![expect(clippy::print_stdout, reason = "this is a command")]

mod cases;
mod committing;
mod filling;
mod reading;
mod report;
mod serving;
mod times;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use serde_json::{Map, Value};
use tests::service::{self, Service};

/// Measures the committer, the whole service over HTTP, and folders with many cases.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the data is written, and removed again: a folder on the disk that is to be measured
    #[arg(long, default_value = "target/benchmark")]
    folder: PathBuf,
    /// Only these parts
    #[arg(long, value_delimiter = ',', default_values_t = ["committer".to_owned(), "http".to_owned(), "cases".to_owned()])]
    only: Vec<String>,
    /// How many commands each measurement does at most
    #[arg(long, default_value_t = 60_000)]
    commands: usize,
    /// Sizes of the folders with many cases
    #[arg(long, value_delimiter = ',', default_values_t = [10_000, 100_000])]
    cases: Vec<u64>,
    /// Leave the folders as they are in the end
    #[arg(long)]
    keep: bool,
    /// Where the figures are written as JSON
    #[arg(long, default_value = "target/benchmark.json")]
    json: PathBuf,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut figures = Map::new();
    for part in &arguments.only {
        let folder = arguments.folder.join(part);
        empty(&folder)?;
        let value = match part.as_str() {
            "committer" => committer(&folder, arguments.commands).await?,
            "http" => http(&folder, arguments.commands).await?,
            "cases" => cases(&folder, &arguments.cases).await?,
            other => anyhow::bail!("there is no part `{other}`: committer, http, cases"),
        };
        figures.insert(part.clone(), value);
        if !arguments.keep {
            empty(&folder)?;
        }
    }
    std::fs::write(&arguments.json, serde_json::to_string_pretty(&figures)?)?;
    println!("\nThe figures as JSON: {}", arguments.json.display());
    Ok(())
}

/// Removes what an earlier run has left.
fn empty(folder: &Path) -> std::io::Result<()> {
    if folder.exists() { std::fs::remove_dir_all(folder) } else { Ok(()) }
}

async fn committer(folder: &Path, commands: usize) -> anyhow::Result<Value> {
    let mut pairs = Vec::new();
    for (in_flight, share) in [(1, 10), (8, 3), (64, 1), (256, 1)] {
        pairs.push(committing::pair(folder, in_flight, commands / share).await?);
    }
    Ok(report::pairs(&pairs))
}

async fn http(folder: &Path, commands: usize) -> anyhow::Result<Value> {
    // Mails are decided on and planned; the way out is closed, so that the disk is not measured by writing them.
    let mut program = Command::new(service::program()?);
    program.env("KUNDWEBB_MAIL__TRANSPORT", "smtp").env("KUNDWEBB_MAIL__PORT", "9");
    let mut service = Service::start_with(program, folder)?;
    let loads = serving::loads(&service, commands).await?;
    service.stop()?;
    Ok(report::loads(&loads))
}

async fn cases(folder: &Path, sizes: &[u64]) -> anyhow::Result<Value> {
    let mut reads = Vec::new();
    for size in sizes {
        let folder = folder.join(size.to_string());
        let filled = filling::fill(&folder, *size).await?;
        reads.push(reading::read(&folder, filled).await?);
    }
    Ok(report::reads(&reads))
}
