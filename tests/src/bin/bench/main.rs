//! The benchmark: what the service does, beside a bare ceiling measured in the same run. Prints tables and writes the
//! same figures as JSON. Nothing here asserts a time.
#![expect(clippy::print_stdout, reason = "this is a command")]

mod cases;
mod ceiling;
mod committing;
mod filling;
mod joining;
mod nodes;
mod reading;
mod report;
mod serving;
mod times;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use std::sync::Arc;

use clap::Parser;
use cluster::Cluster;
use infrastructure::log::sqlite::SqliteLog;
use serde_json::{Map, Value, json};
use tests::service::{self, Service};

/// Everything that is measured, in order.
const PARTS: [&str; 7] = [
    "committer",
    "postgres-committer",
    "http",
    "postgres-http",
    "postgres-visible",
    "cases",
    "postgres-joining",
];
/// On how many nodes the service is measured on PostgreSQL.
const NODES: [usize; 2] = [1, 3];
/// Cases created a second while it is measured how soon another node shows one.
const PACES: [u32; 3] = [0, 200, 1000];

/// Measures the committer, the whole service over HTTP, and logs with many cases, on SQLite and on PostgreSQL.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the data is written, and removed again: a folder on the disk that is to be measured
    #[arg(long, default_value = "target/benchmark")]
    folder: PathBuf,
    /// Only these parts
    #[arg(long, value_delimiter = ',', default_values_t = PARTS.map(str::to_owned))]
    only: Vec<String>,
    /// How many commands each measurement does at most
    #[arg(long, default_value_t = 60_000)]
    commands: usize,
    /// Sizes of the logs with many cases
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
    // PostgreSQL runs under another account than root and must get through to its data.
    std::fs::create_dir_all(&arguments.folder)?;
    std::fs::set_permissions(&arguments.folder, PermissionsExt::from_mode(0o755))?;
    for part in &arguments.only {
        anyhow::ensure!(PARTS.contains(&part.as_str()), "there is no part `{part}`: {}", PARTS.join(", "));
        if part.starts_with("postgres") && !cluster::is_installed() {
            println!("\nPostgreSQL is not installed: {part} is left out.");
            continue;
        }
        let folder = std::path::absolute(arguments.folder.join(part))?;
        empty(&folder)?;
        let value = match part.as_str() {
            "committer" => committer(&folder, arguments.commands).await?,
            "http" => http(&folder, arguments.commands).await?,
            "cases" => cases(&folder, &arguments.cases).await?,
            _ => postgres(part, &folder, &arguments).await?,
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
    for (in_flight, count) in in_flight(commands) {
        pairs.push(committing::pair(folder, in_flight, count).await?);
    }
    Ok(report::pairs("SQLite", &pairs))
}

/// Commands in flight, and how many of them are done.
fn in_flight(commands: usize) -> [(usize, usize); 4] {
    [(1, commands / 10), (8, commands / 3), (64, commands), (256, commands)]
}

async fn http(folder: &Path, commands: usize) -> anyhow::Result<Value> {
    // Mails are decided on and planned; the way out is closed, so that the disk is not measured by writing them.
    let mut program = Command::new(service::program()?);
    program.env("KUNDWEBB_MAIL__TRANSPORT", "smtp").env("KUNDWEBB_MAIL__PORT", "9");
    let mut service = Service::start_with(program, folder)?;
    let loads = serving::loads(std::slice::from_ref(&service), commands).await?;
    service.stop()?;
    Ok(report::loads("SQLite", &loads))
}

async fn cases(folder: &Path, sizes: &[u64]) -> anyhow::Result<Value> {
    let mut reads = Vec::new();
    for size in sizes {
        let folder = folder.join(size.to_string());
        let filled = filling::fill(Arc::new(SqliteLog::open(&folder)?), &folder, *size).await?;
        reads.push(reading::read(&folder, filled).await?);
    }
    Ok(report::reads(&reads))
}

/// A part on a cluster of its own, with the settings that PostgreSQL comes with: every commit is synced.
async fn postgres(part: &str, folder: &Path, arguments: &Arguments) -> anyhow::Result<Value> {
    std::fs::create_dir_all(folder)?;
    let cluster = Cluster::start_in(folder, &[])?;
    match part {
        "postgres-committer" => {
            let mut pairs = Vec::new();
            for (in_flight, count) in in_flight(arguments.commands) {
                pairs.push(ceiling::pair(&cluster, folder, in_flight, count).await?);
            }
            Ok(report::pairs("PostgreSQL", &pairs))
        }
        "postgres-http" => {
            let mut all = Vec::new();
            for count in NODES {
                let (loads, connections) = nodes::loads(&cluster, folder, count, arguments.commands).await?;
                let loads = report::loads(&format!("PostgreSQL, nodes: {count}"), &loads);
                println!("connections to the database, most a node: {connections}");
                all.push(json!({"nodes": count, "connectionsANode": connections, "loads": loads}));
            }
            Ok(all.into())
        }
        "postgres-visible" => Ok(report::seen(&nodes::seen(&cluster, folder, &PACES).await?)),
        _ => {
            let mut joined = Vec::new();
            for size in &arguments.cases {
                joined.push(joining::join(&cluster, &folder.join(size.to_string()), *size).await?);
            }
            Ok(report::joined(&joined))
        }
    }
}
