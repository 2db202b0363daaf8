//! `kundwebb log copy`: moves a log to another place, so that a small installation grows without loss.

use std::io::Write;
use std::process::ExitCode;

use infrastructure::log::copying::copy;
use infrastructure::log::place::Place;

use crate::Config;

pub(super) async fn run(
    config: &Config,
    (from, to): (&str, &str),
    out: &mut dyn Write,
    tell: &dyn Fn(&str),
) -> anyhow::Result<ExitCode> {
    let (from, to) = (Place::parse(from, &config.data)?, Place::parse(to, &config.data)?);
    anyhow::ensure!(from != to, "--from and --to are the same log");
    // Whoever owns the folder of a SQLite log knows that no server writes it.
    let source = from.open_without_node().await?;
    let target = to.open_without_node().await?;
    let far = |position, head| tell(&format!("{position} of {head} events"));
    let moved = copy(source.as_ref(), target.as_ref(), &far).await?;
    writeln!(
        out,
        "{from} and {to} are the same now: {} events ({} were there already), and {} rows beside them",
        moved.head.position, moved.before, moved.rows
    )?;
    Ok(ExitCode::SUCCESS)
}
