//! The fault campaign: any number of rounds of each fault, on the real program, judged by the checker. Prints the table
//! that README shows.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tests::faults::kill::Rounds;
use tests::faults::{Report, WRITERS, abort, kill, pause};
use tests::nodes;

/// Does a fault to the real program under many writers, again and again, and has the checker judge.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where the data and the records are written; must be empty or missing
    #[arg(long, default_value = "target/faults")]
    folder: PathBuf,
    /// From what chance is drawn
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    fault: Fault,
}

#[derive(Debug, Subcommand)]
enum Fault {
    /// SIGKILL at a random moment, and a start on the same folder
    Kill {
        /// How often
        #[arg(long, default_value_t = 500)]
        rounds: usize,
        /// After how many rounds all is judged, beside the end
        #[arg(long, default_value_t = 50)]
        judged_every: usize,
    },
    /// SIGSTOP for a time, then SIGCONT
    Pause {
        /// How often
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// How long each time, seconds
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Clients that go away at a random moment of their request
    Abort {
        /// How many
        #[arg(long, default_value_t = 10_000)]
        requests: usize,
    },
    /// Faults of three nodes on one database of PostgreSQL, of the database and of the network between
    Nodes {
        /// Which; without it all of them
        #[arg(long, value_enum)]
        fault: Vec<nodes::Fault>,
        /// How often each
        #[arg(long, default_value_t = 20)]
        rounds: usize,
        /// How long a node is parted, paused, or has another time, and how long the disk is full, seconds
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
}

#[expect(clippy::print_stdout, reason = "this is a command")]
#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { folder, seed, fault } = Arguments::parse();
    println!("seed {seed}, folder {}", folder.display());
    let Report { fault, rounds, early, mails, tally } = match fault {
        Fault::Kill { rounds, judged_every } => {
            let tell = |round| {
                if round % 25 == 0 {
                    println!("{round} of {rounds} rounds");
                }
            };
            kill::kill(&folder, Rounds { kills: rounds, judged_every }, seed, tell).await?
        }
        Fault::Pause { rounds, seconds } => {
            pause::pause(&folder, rounds, Duration::from_secs(seconds)).await?
        }
        Fault::Abort { requests } => abort::abort(&folder, requests, seed).await?,
        Fault::Nodes { fault, rounds, seconds } => {
            let time = Duration::from_secs(seconds);
            return many(&folder, fault, nodes::Rounds { count: rounds, writers: WRITERS, time, seed }).await;
        }
    };
    println!(
        "\n| fault | rounds | killed while starting | events | acknowledged | never answered | mails | lost | doubled |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    let checker::Tally { events, acknowledged, unknown, lost, doubled, violations } = tally;
    println!(
        "| {fault} | {rounds} | {early} | {events} | {acknowledged} | {unknown} | {mails} | {lost} | {doubled} |"
    );
    violations.iter().for_each(|violation| println!("WRONG {violation}"));
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Faults of many nodes, a row each; the first that is not clean is the last.
#[expect(clippy::print_stdout, reason = "this is a command")]
async fn many(
    folder: &Path,
    mut faults: Vec<nodes::Fault>,
    rounds: nodes::Rounds,
) -> anyhow::Result<ExitCode> {
    if faults.is_empty() {
        faults.extend(nodes::Fault::ALL);
    }
    println!(
        "| fault | rounds | events | acknowledged | never answered | mails | left twice | lost | doubled | longest outage, s |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for fault in faults {
        let folder = folder.join(format!("{fault:?}").to_lowercase());
        let report = nodes::run(fault, &folder, rounds, |_| {}).await?;
        let checker::Tally { events, acknowledged, unknown, lost, doubled, violations } = report.tally;
        println!(
            "| {fault:?} | {} | {events} | {acknowledged} | {unknown} | {} | {} | {lost} | {doubled} | {:.2} |",
            report.rounds,
            report.mails,
            report.twice,
            report.longest_outage.as_secs_f64()
        );
        violations.iter().for_each(|violation| println!("WRONG {violation}"));
        if !violations.is_empty() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
