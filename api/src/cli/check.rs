//! `kundwebb check`: settings, keys, log and connections, in words. Works beside a running server.

use std::process::ExitCode;

use infrastructure::{Keys, Log, startup};

use crate::cli::{print, read_only};
use crate::{Config, mail};

pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let findings = [
        ("log", log(&config).await),
        ("keys", keys(&config).await),
        ("mail", post(&config).await),
        ("files", files(&config)),
    ];
    for (what, finding) in &findings {
        match finding {
            Ok(words) => print(format_args!("ok    {what}: {words}")),
            Err(error) => print(format_args!("FAIL  {what}: {error:#}")),
        }
    }
    let whole = findings.iter().all(|(_, finding)| finding.is_ok());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn log(config: &Config) -> anyhow::Result<String> {
    let head = read_only(config)?.head().await?;
    Ok(format!("{} events in {}", head.position, config.data.join("log.db").display()))
}

async fn keys(config: &Config) -> anyhow::Result<String> {
    let log = read_only(config)?;
    let keys = Keys::open(&config.data, false)?;
    startup::check(&log, &keys).await?;
    Ok(format!("master key {} opens the log; its last events are whole", keys.master_fingerprint()))
}

/// Whether the way out is open, what waits and what has failed.
async fn post(config: &Config) -> anyhow::Result<String> {
    let way = mail::post::check(config).await;
    let counts = read_only(config)?.delivery_counts().await?;
    let waiting = format!("{} sent, {} waiting, {} given up", counts.sent, counts.due, counts.failed);
    let trouble = counts.last_trouble.map(|reply| format!("; the last trouble: {reply}")).unwrap_or_default();
    let way = way.map_err(|reason| anyhow::anyhow!("{reason}; {waiting}{trouble}"))?;
    anyhow::ensure!(counts.retrying == 0, "{} could not be sent yet ({waiting}){trouble}", counts.retrying);
    Ok(format!("{way}; {waiting}{trouble}"))
}

fn files(config: &Config) -> anyhow::Result<String> {
    let folder = config.data.join("files");
    std::fs::read_dir(&folder)?;
    Ok(format!("attachments in {}", folder.display()))
}
