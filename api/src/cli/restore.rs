//! `kundwebb restore`: a backup into an empty data folder or database, proven whole. Refuses while a process uses the folder.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::Config;
use crate::backup;
use crate::cli::{print, say};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of the backup
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// The file of its keys [default: keys.db in the folder]
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

pub(super) async fn run(config: &Config, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let restored =
        backup::restore(config, &arguments.from, arguments.keys.as_deref(), &|words| say(words)).await?;
    let manifest = &restored.manifest;
    print(format_args!(
        "{}: the log up to position {} as of {}, {} files",
        config.log_place()?,
        manifest.position,
        manifest.taken_at.to_rfc3339(),
        manifest.files
    ));
    print(format_args!("last event  {}", manifest.leaf_hash));
    print(
        "No mail leaves until you run `kundwebb deliveries release`: those that wait may have been sent since the \
         backup was taken",
    );
    if let Some(first) = restored.wrong.first() {
        say(format_args!(
            "{} files that cases name are missing in the backup or damaged, the first is {first}",
            restored.wrong.len()
        ));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
