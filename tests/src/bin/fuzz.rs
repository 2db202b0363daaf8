//! Tries every parser that meets the outside on many inputs; prints how many and how long.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use tests::parsers::{PARSERS, run};

/// Tries every parser that meets the outside on inputs at random.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many inputs for each
    #[arg(long, default_value_t = 10_000_000)]
    runs: u32,
    /// Only parsers with this in their name
    #[arg(long, default_value = "")]
    only: String,
}

#[expect(clippy::print_stdout, reason = "this is a command")]
fn main() -> ExitCode {
    let Arguments { runs, only } = Arguments::parse();
    println!("| parser | inputs | seconds | found |\n|---|---:|---:|---|");
    let mut whole = true;
    for parser in PARSERS.iter().filter(|parser| parser.name.contains(&only)) {
        let began = Instant::now();
        let found = run(parser, runs);
        whole &= found.is_ok();
        let (seconds, found) =
            (began.elapsed().as_secs(), found.err().unwrap_or_else(|| "nothing".to_owned()));
        println!("| {} | {runs} | {seconds} | {found} |", parser.name);
    }
    if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
