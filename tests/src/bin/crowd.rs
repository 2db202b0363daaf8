//! Lets crowds of clients that mean no good at the real program; prints what they cost, and how others are served.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tests::crowd::attacks;
use tests::service::{Service, token};

/// Lets crowds of clients that mean no good at the real program, one kind after the other.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many clients a crowd has
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// How long each crowd goes on, seconds
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// Only kinds with this in their name
    #[arg(long, default_value = "")]
    only: String,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is a command")]
async fn main() -> anyhow::Result<ExitCode> {
    let Arguments { clients, seconds, only } = Arguments::parse();
    rlimit::increase_nofile_limit(u64::MAX)?;
    let folder = std::env::temp_dir().join(format!("kundwebb-crowd-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    println!(
        "| {clients} clients, {seconds} s | let go | memory at most, MB | honest requests | busy | p50 ms | slowest ms |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let mut all = true;
    for kind in
        attacks("").iter().enumerate().filter(|(_, kind)| kind.name.contains(&only)).map(|(kind, _)| kind)
    {
        // Each against a program of its own, for memory that was taken once is not always given back.
        let folder = folder.join(kind.to_string());
        let service = Service::start(&folder)?;
        let flags = ["--name", "Anna", "--email", "anna@exempelverket.example", "--employer", "4021000007"];
        let token = token(&folder, "employee", "anna", &flags)?;
        let attack = &attacks(&token)[kind];
        match attack.meet(&service, &token, clients, Duration::from_secs(seconds)).await {
            Ok(seen) => {
                let milliseconds =
                    |place: usize| seen.waited.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3);
                let (served, last) = (seen.waited.len(), seen.waited.len().saturating_sub(1));
                let (megabytes, busy) = (seen.most_memory / 1024, seen.busy);
                let (middle, slowest) = (milliseconds(served / 2), milliseconds(last));
                let (name, let_go) = (attack.name, seen.let_go);
                println!(
                    "| {name} | {let_go} | {megabytes} | {} | {busy} | {middle:.1} | {slowest:.0} |",
                    2 * served
                );
            }
            Err(error) => {
                all = false;
                println!("| {} | {error:#} |", attack.name);
            }
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
