//! `kundwebb keys`: replacing the keys of the installation.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;
use infrastructure::{Clock, startup};

use crate::Config;
use crate::cli::print;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Sign tokens with another key from now on; those that the former one signed hold until they expire
    Rotate,
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Rotate => rotate(config).await,
    }
}

async fn rotate(config: &Config) -> anyhow::Result<ExitCode> {
    let (place, folder, now) = (config.log_place()?, config.keys_folder(), Clock::System.now());
    let shared = place.is_shared();
    anyhow::ensure!(
        shared || config.data.join("log.db").exists(),
        "there is no log in {}; name the data folder of the installation with --data",
        config.data.display()
    );
    let log = place
        .open_without_node()
        .await
        .context("the keys can be replaced only while no server runs on them")?;
    let keys = startup::rotate_token(log.as_ref(), folder, now).await?;
    let until = keys.former().iter().map(|former| former.until).max().unwrap_or(now);
    print(format_args!(
        "{} is another key from now on. Tokens that the former one signed hold until they expire, on {} at the latest",
        folder.join("token.key").display(),
        until.format("%Y-%m-%d")
    ));
    if shared {
        print(format_args!(
            "Where nodes have keys folders of their own, copy token.key and token.former from {} into each. Then restart the \
             nodes one by one: one that is not restarted takes no token of the new key, and one that starts with the old keys \
             is refused",
            folder.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
