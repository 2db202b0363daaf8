//! `kundwebb files move`: copies every file that the log knows to another place, proven by its SHA-256; again and again,
//! until nothing is left to copy. Refuses while a process uses the data folder of a SQLite log.

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use domain::AttachmentId;
use futures::{StreamExt, TryStreamExt};
use infrastructure::files::place::Place;
use infrastructure::files::{FileError, FileStore};
use infrastructure::log::sqlite;
use infrastructure::{Clock, Log};

use crate::Config;
use crate::app::uploads::KEPT;
use crate::cli::check::storage;
use crate::cli::{print, read_only, say};
use crate::named_files::NamedFiles;

/// How many files are on their way at once.
const AT_ONCE: usize = 8;
/// Tells of the files after so many.
const TELL: usize = 1_000;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy every file that the log knows to another place and prove each; may be run again and goes on where it was
    Move(Arguments),
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the files lie: `local` (files/ of the data folder), local:FOLDER or s3://BUCKET/PREFIX
    #[arg(long)]
    from: String,
    /// Where they shall lie. How a bucket is reached is told by AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY
    #[arg(long)]
    to: String,
    /// Delete at the old place what is proven at the new one; only after every node was started with the new place
    #[arg(long)]
    delete_source: bool,
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    let Command::Move(arguments) = command;
    let [from, to] = [&arguments.from, &arguments.to].map(|text| Place::parse(text, &config.data));
    let (from, to) = (from?, to?);
    ensure!(from.to_string() != to.to_string(), "--from and --to are the same place");
    let used = config.files_place()?;
    ensure!(
        !arguments.delete_source || used.to_string() != from.to_string(),
        "{from} is the place that is in use (files.store): nothing is deleted there. Copy without --delete-source, set \
         files.store to the new place, start every node with it, and delete then"
    );
    // Who owns the folder of a SQLite log knows that no server stores files meanwhile.
    let _owned = if config.log_place()?.is_shared() { None } else { Some(sqlite::own(&config.data)?) };
    let log = read_only(config).await?;
    let (source, target) = (FileStore::open(&from)?, FileStore::open(&to)?);
    for store in [&source, &target] {
        storage(store).await?;
    }
    let mover = Mover { log: log.as_ref(), source, target, delete: arguments.delete_source };
    let moved = mover.all().await?;
    print(format_args!(
        "{to} holds {} files, each as the log says: {} copied, {} there already, {} deleted in {from}",
        moved.copied + moved.there,
        moved.copied,
        moved.there,
        moved.deleted
    ));
    if let Some(first) = moved.wrong.first() {
        say(format_args!(
            "{} files that cases name are missing or damaged in {from} and not in {to} either, the first is {first}: put \
             them back from a backup and run this again",
            moved.wrong.len()
        ));
        return Ok(ExitCode::FAILURE);
    }
    if used.to_string() == to.to_string() {
        print("This is the place that is in use.");
    } else {
        print(format_args!(
            "Now set files.store = \"{}\" (or KUNDWEBB_FILES__STORE), start every node with it, and run this once more for \
             what came meanwhile",
            arguments.to
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// What was done.
#[derive(Default)]
struct Moved {
    copied: usize,
    there: usize,
    deleted: usize,
    wrong: Vec<AttachmentId>,
    /// How many there were when it was told last.
    told: usize,
}

/// What became of one file.
enum Done {
    Copied,
    There,
    /// The source does not hold it either, or not as it was.
    Wrong,
    /// A staged file that was taken back meanwhile.
    Gone,
}

/// What moves them.
struct Mover<'a> {
    log: &'a dyn Log,
    source: FileStore,
    target: FileStore,
    delete: bool,
}

impl Mover<'_> {
    async fn all(&self) -> anyhow::Result<Moved> {
        let mut moved = Moved::default();
        // Those that are staged come first: what is attached meanwhile is found in the log.
        let staged = self.log.expired_uploads(Clock::System.now() + 2 * KEPT).await?;
        self.some(staged.into_iter().map(|id| (id, None)).collect(), &mut moved).await?;
        let mut named = NamedFiles::of(self.log);
        while let Some(files) = named.next().await? {
            let files = files.into_iter().map(|(id, file)| (id, Some(file.stored_sha256)));
            self.some(files.collect(), &mut moved).await?;
        }
        Ok(moved)
    }

    async fn some(
        &self,
        files: Vec<(AttachmentId, Option<String>)>,
        moved: &mut Moved,
    ) -> anyhow::Result<()> {
        let one = |(id, digest)| async move {
            let (done, deleted) = self.one(id, digest).await.with_context(|| format!("file {id}"))?;
            anyhow::Ok((id, done, deleted))
        };
        let mut ended = futures::stream::iter(files).map(one).buffer_unordered(AT_ONCE);
        while let Some((id, done, deleted)) = ended.try_next().await? {
            match done {
                Done::Copied => moved.copied += 1,
                Done::There => moved.there += 1,
                Done::Wrong => moved.wrong.push(id),
                Done::Gone => {}
            }
            moved.deleted += usize::from(deleted);
            let count = moved.copied + moved.there + moved.wrong.len();
            if count >= moved.told + TELL {
                moved.told = count;
                say(format_args!("files: {count}, {} of them copied", moved.copied));
            }
        }
        Ok(())
    }

    /// Moves a file; tells whether it was deleted at its old place.
    async fn one(&self, id: AttachmentId, digest: Option<String>) -> Result<(Done, bool), FileError> {
        let staged = digest.is_none();
        let wanted = match digest {
            Some(digest) => Some(digest),
            None => self.source.digest(id).await?,
        };
        let Some(wanted) = wanted else { return Ok((Done::Gone, false)) };
        let done = if self.target.digest(id).await?.as_ref() == Some(&wanted) {
            Done::There
        } else {
            match self.target.take(&self.source, id, Some(&wanted)).await {
                Ok(Some(_)) => {}
                Ok(None) | Err(FileError::Damaged(_)) if staged => return Ok((Done::Gone, false)),
                Ok(None) | Err(FileError::Damaged(_)) => return Ok((Done::Wrong, false)),
                Err(error) => return Err(error),
            }
            // What was sent is not what is kept until it has been read.
            if self.target.digest(id).await?.as_ref() != Some(&wanted) {
                return Err(FileError::Store(format!(
                    "{} does not keep what is put into it",
                    self.target.place()
                )));
            }
            Done::Copied
        };
        let deletes = self.delete && self.source.holds(id).await?;
        if deletes {
            self.source.delete(id).await?;
        }
        Ok((done, deletes))
    }
}
