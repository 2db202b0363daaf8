//! Some inputs for every parser that meets the outside; more with `cargo run --release -p tests --bin fuzz`.

use tests::parsers::{PARSERS, run};

/// Inputs for each parser.
const RUNS: u32 = 3000;

#[test]
fn no_input_breaks_a_parser() {
    let found: Vec<String> = PARSERS.iter().filter_map(|parser| run(parser, RUNS).err()).collect();
    assert_eq!(found, [] as [String; 0]);
}
