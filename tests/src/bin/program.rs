//! The program `kundwebb` as it is, built beside the tests so that they can run it as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    api::cli::main()
}
