//! `kundwebb log copy`: moves a log to another place, so that a small installation grows without loss.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use infrastructure::log::copying::copy;
use infrastructure::log::place::Place;
use infrastructure::log::postgres::PostgresLog;
use infrastructure::log::sqlite::SqliteLog;
use infrastructure::{Log, LogError};

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
    let source = open(&from).await?;
    let target = open(&to).await?;
    let far = |position, head| tell(&format!("{position} of {head} events"));
    let moved = copy(source.as_ref(), target.as_ref(), &far).await?;
    writeln!(
        out,
        "{from} and {to} are the same now: {} events ({} were there already), and {} rows beside them",
        moved.head.position, moved.before, moved.rows
    )?;
    Ok(ExitCode::SUCCESS)
}

async fn open(place: &Place) -> Result<Arc<dyn Log>, LogError> {
    Ok(match place {
        Place::Sqlite(folder) => Arc::new(SqliteLog::open(folder)?),
        Place::Postgres(url) => Arc::new(PostgresLog::open(url, true).await?),
    })
}
