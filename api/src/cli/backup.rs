//! `kundwebb backup`: log, keys and files as they are at one moment, beside running servers.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use infrastructure::Clock;
use tokio::runtime::Handle;

use crate::Config;
use crate::backup;
use crate::cli::{print, say};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of the backup; empty or not there
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// The file of the keys, to be kept apart [default: keys.db in the folder]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let now = Clock::System.now();
    let (to, keys) = (arguments.to.clone(), arguments.keys.clone());
    let source = backup::Source {
        log: config.log_place()?,
        keys: config.keys_folder().to_path_buf(),
        files: config.files_place()?,
        runtime: Handle::current(),
    };
    let take = move || backup::take(&source, &to, keys.as_deref(), now, &|words| say(words));
    let taken = tokio::task::spawn_blocking(take).await??;
    let manifest = &taken.manifest;
    print(format_args!(
        "{}: the log up to position {}, {} files",
        arguments.to.display(),
        manifest.position,
        manifest.files
    ));
    print(format_args!("last event  {}", manifest.leaf_hash));
    print(format_args!(
        "{}: the keys of {} streams and of the installation. Who has it and the folder can read everything; \
         without it nothing personal can be read",
        taken.keys.display(),
        manifest.keys
    ));
    if let Some(first) = taken.missing.first() {
        say(format_args!(
            "{} files that cases name are missing in {}, the first is {first}: put them back from an older backup",
            taken.missing.len(),
            config.files_place()?
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
