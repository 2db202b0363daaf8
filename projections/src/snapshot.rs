//! A copy of a node's read models at one moment, for another node to begin with. It is one file whose name tells the version
//! of the projections and the SHA-256 of what is in it: another version and any damage are seen before anything is shown.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use infrastructure::{LeafHash, random};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use sha2::{Digest, Sha256};

use crate::building::name;
use crate::read_models::{Found, beside, file_name, leave_unproven, look, proven, remove};
use crate::{ALL, ReadError, ReadModels};

/// Ends the name of a snapshot.
const ENDING: &str = ".snapshot";
/// Ends the name of a file that is not whole yet.
const UNFINISHED: &str = ".new";
/// Pages copied at a time.
const PAGES: i32 = 4096;
/// Bytes read at a time.
const PIECE: usize = 1 << 20;

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its file.
    pub file: PathBuf,
    /// The position that it shows.
    pub position: u64,
}

/// Why there is no snapshot, or why one is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is nothing to copy.
    #[error("there are no read models of this version yet; they are built when the server starts")]
    Nothing,
    /// The read models, or the copy of them, cannot be used.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its name is not that of a snapshot.
    #[error(
        "{0} is not called as snapshots are; give the file the name under which `read-model snapshot` made it"
    )]
    Name(PathBuf),
    /// It was made by a version of the program with other projections.
    #[error("{0} was made by another version of kundwebb; make one with this version")]
    OtherVersion(PathBuf),
    /// It does not hold what its name says.
    #[error("{0} is damaged: it does not hold what was written; copy it again")]
    Damaged(PathBuf),
    /// There are read models already.
    #[error("{0} is there already: this node has read models; nothing is changed")]
    There(PathBuf),
    /// A file cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
}

/// Copies the read models of a data folder to a new file in the folder `to`, beside whoever writes them. The file is whole
/// and on the disk when it has its name; nothing else is ever overwritten.
///
/// # Errors
/// When there are none, they are damaged, or the file cannot be written; then nothing is left.
pub fn write(data: &Path, to: &Path) -> Result<Snapshot, SnapshotError> {
    let path = data.join(file_name(ALL));
    match ReadModels::examine(data)? {
        Found::At { .. } => {}
        Found::Damaged(reason) => return Err(ReadError::Damaged(reason).into()),
        Found::Nothing | Found::OtherVersion => return Err(SnapshotError::Nothing),
    }
    std::fs::create_dir_all(to).map_err(|error| at(to, error))?;
    let unfinished = to.join(format!("{}{UNFINISHED}", random::id()));
    let written = write_to(&path, &unfinished, to);
    if written.is_err() {
        remove(&unfinished)?;
    }
    written
}

fn write_to(path: &Path, unfinished: &Path, to: &Path) -> Result<Snapshot, SnapshotError> {
    copy(path, unfinished)?;
    let position = match proven(unfinished)? {
        Found::At { position, .. } if position > 0 => position,
        _ => return Err(SnapshotError::Nothing),
    };
    let mut hash = Sha256::new();
    let mut source = File::open(unfinished).map_err(|error| at(unfinished, error))?;
    pieces(&mut source, |piece| {
        hash.update(piece);
        Ok(())
    })
    .map_err(|error| at(unfinished, error))?;
    let file = to.join(format!("{}{}{ENDING}", beginning(), hex::encode(hash.finalize())));
    // A file of that name holds the same, or is damaged.
    name(unfinished, &file).map_err(|error| at(&file, error))?;
    Ok(Snapshot { file, position })
}

/// Copies the file as it is at one moment.
fn copy(path: &Path, to: &Path) -> Result<(), ReadError> {
    let source = look(path)?;
    let moment = source.unchecked_transaction()?;
    // The first read chooses the moment.
    moment.query_row("SELECT position FROM position", [], |_| Ok(()))?;
    let mut target = Connection::open(to)?;
    target.execute_batch("PRAGMA synchronous=OFF;")?;
    {
        let backup = Backup::new(&moment, &mut target)?;
        while backup.step(PAGES)? != StepResult::Done {}
    }
    // Whoever reads the copy finds nothing beside it and leaves nothing there.
    target.execute_batch("PRAGMA journal_mode=DELETE;")?;
    Ok(target.close().map_err(|(_, error)| error)?)
}

/// A snapshot that has come to a data folder whole, but has not its name there yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Arrived {
    unfinished: PathBuf,
    path: PathBuf,
    /// The position that it shows.
    pub position: u64,
    /// The hash of the event at the position: the log must hold it.
    pub leaf_hash: LeafHash,
}

impl Arrived {
    /// Copies a snapshot to a data folder, and proves that it is whole and of this version. For the owner of the folder.
    ///
    /// # Errors
    /// When it is not, the folder has read models, or a file cannot be read or written; then nothing is left.
    pub fn from(file: &Path, data: &Path) -> Result<Self, SnapshotError> {
        let hash = named(file)?;
        let path = data.join(file_name(ALL));
        if path.exists() {
            return Err(SnapshotError::There(path));
        }
        // What is left beside a file that is gone would be taken for a part of the new one.
        remove(&path)?;
        let unfinished = beside(&path, UNFINISHED);
        remove(&unfinished)?;
        let mut arrived = Self { unfinished, path, position: 0, leaf_hash: LeafHash::default() };
        arrived.bring(file, &hash)?;
        match proven(&arrived.unfinished)? {
            Found::At { position, leaf_hash, .. } if position > 0 => {
                (arrived.position, arrived.leaf_hash) = (position, leaf_hash);
                Ok(arrived)
            }
            _ => Err(SnapshotError::Damaged(file.to_path_buf())),
        }
    }

    fn bring(&self, file: &Path, hash: &str) -> Result<(), SnapshotError> {
        let mut source = File::open(file).map_err(|error| at(file, error))?;
        let mut target = File::create(&self.unfinished).map_err(|error| at(&self.unfinished, error))?;
        let mut found = Sha256::new();
        pieces(&mut source, |piece| {
            found.update(piece);
            target.write_all(piece)
        })
        .map_err(|error| at(file, error))?;
        if hex::encode(found.finalize()) == hash {
            return Ok(());
        }
        Err(SnapshotError::Damaged(file.to_path_buf()))
    }

    /// Gives it its name: the server shows it when it starts, and compares it with the log beside the work.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn keep(self) -> Result<(), SnapshotError> {
        leave_unproven(&self.path)?;
        name(&self.unfinished, &self.path).map_err(|error| at(&self.path, error))
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.unfinished) {
            tracing::warn!(%error, "what is left of a snapshot cannot be removed");
        }
    }
}

/// How the names of the snapshots of this version begin.
fn beginning() -> String {
    let name = file_name(ALL);
    format!("{}-", name.trim_end_matches(".db"))
}

/// The hash that the name of a snapshot tells.
fn named(file: &Path) -> Result<String, SnapshotError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let parts = name.strip_suffix(ENDING).and_then(|name| name.rsplit_once('-'));
    match parts {
        Some((version, hash)) if version.starts_with("read-") && hash.len() == 64 => {
            if format!("{version}-") == beginning() {
                Ok(hash.to_owned())
            } else {
                Err(SnapshotError::OtherVersion(file.to_path_buf()))
            }
        }
        _ => Err(SnapshotError::Name(file.to_path_buf())),
    }
}

/// Reads all of it, piece by piece.
fn pieces(
    source: &mut File,
    mut each: impl FnMut(&[u8]) -> Result<(), std::io::Error>,
) -> Result<(), std::io::Error> {
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => each(&piece[..read])?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn at(path: &Path, error: std::io::Error) -> SnapshotError {
    SnapshotError::File(path.to_path_buf(), error)
}
