//! Building the read models of a whole log: into a file beside, without journal, syncs and readers' indices, by two
//! threads, of which one reads and opens the events and the other applies them. What is whole and on the disk is given
//! its name; anything else is no read model.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use infrastructure::{LogError, Reader, Recorded};
use rusqlite::Connection;
use tokio::runtime::Handle;

use crate::ALL;
use crate::ReadError;
use crate::projector::ProjectorError;
use crate::read_models::{apply, beside, connect, create_indices, create_tables, file_name, remove};

/// Ends the name of the file while it is built.
pub(crate) const UNFINISHED: &str = ".new";
/// Most events handed over at once.
const BATCH: usize = 1000;
/// Most of them that wait to be applied.
const WAITING: usize = 8;
/// How often it is told how far it is, events.
const TOLD: u64 = 100_000;

/// Builds the read models of a folder up to a position of the log, unless they are there already. Blocks: for a thread
/// that may.
///
/// # Errors
/// When the log cannot be read or ends before the position, or the file cannot be written; then no file is left.
pub fn build(folder: &Path, reader: &Reader, runtime: &Handle, until: u64) -> Result<(), ProjectorError> {
    let path = folder.join(file_name(ALL));
    if until == 0 || path.exists() {
        return Ok(());
    }
    let unfinished = beside(&path, UNFINISHED);
    remove(&unfinished)?;
    // What is left beside a file that is gone would be taken for a part of the new one.
    remove(&path)?;
    let (sender, receiver) = sync_channel(WAITING);
    let built = std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut position = 0;
            while position < until {
                let limit = usize::try_from(until - position).unwrap_or(BATCH).min(BATCH);
                let read = runtime.block_on(reader.after(position, limit));
                position =
                    read.as_ref().ok().and_then(|events| Some(events.last()?.position)).unwrap_or(until);
                if sender.send(read).is_err() {
                    break;
                }
            }
        });
        write(&unfinished, &receiver, until)
    });
    if built.is_err() {
        remove(&unfinished)?;
    }
    built?;
    name(&unfinished, &path)
        .map_err(|error| ReadError::Row(format!("{} cannot be named: {error}", path.display())))?;
    Ok(())
}

/// Applies what comes, then makes the indices.
fn write(
    path: &Path,
    events: &Receiver<Result<Vec<Recorded>, LogError>>,
    until: u64,
) -> Result<(), ProjectorError> {
    let connection = connect(path)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; BEGIN;",
        )
        .map_err(ReadError::from)?;
    create_tables(&connection, ALL).map_err(ReadError::from)?;
    let mut position = 0;
    while position < until {
        let Ok(events) = events.recv() else { break };
        let before = position;
        position = apply(&connection, ALL, position, &events?)?.unwrap_or(position);
        if position == before {
            break;
        }
        if position / TOLD > before / TOLD {
            tracing::info!(position, of = until, "building the read models");
        }
    }
    if position < until {
        return Err(ProjectorError::WentBack { position: until });
    }
    finish(&connection)?;
    Ok(())
}

fn finish(connection: &Connection) -> Result<(), ReadError> {
    create_indices(connection, ALL)?;
    Ok(connection.execute_batch("COMMIT;")?)
}

/// Brings the file to the disk and gives it its name.
pub(crate) fn name(unfinished: &Path, path: &Path) -> std::io::Result<()> {
    File::open(unfinished)?.sync_all()?;
    std::fs::rename(unfinished, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
