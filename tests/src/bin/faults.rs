//! The fault campaign: any number of rounds of each fault, on the real program, judged by the checker. Prints the table
//! that README shows.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tests::faults::kill::Rounds;
use tests::faults::{Report, abort, kill, pause};

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
