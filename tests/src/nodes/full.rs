//! The disk of the database is full, to the last byte, until there is room again. The database may end itself over it: then
//! it is started again, as by whoever runs it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::nodes::{LOOK, RECOVERY, Town, restart, until};

/// How large the disk is, for the database and what fills it.
const SIZE: &str = "size=640m";
/// A database that stays small.
pub(super) const SMALL: [&str; 2] = ["max_wal_size=64MB", "min_wal_size=32MB"];
/// What fills the disk.
const BALLAST: &str = "ballast";

/// A small file system, for as long as this lives.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// Mounts one in a folder that is made.
    ///
    /// # Errors
    /// When the rights do not allow it.
    pub(super) fn mount(folder: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "none"]).arg(folder).output()?;
        let said = String::from_utf8_lossy(&mounted.stderr);
        ensure!(
            mounted.status.success(),
            "a file system that can be filled needs the right to mount one: {said}"
        );
        Ok(Self(folder.to_path_buf()))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}

/// Whether the rights allow a file system that can be filled.
pub fn is_possible() -> bool {
    tempfile::tempdir().is_ok_and(|folder| Disk::mount(folder.path()).is_ok())
}

pub(super) async fn once(town: &mut Town) -> anyhow::Result<()> {
    let disk = town.folder.join("disk");
    let ballast = disk.join(BALLAST);
    fill(&ballast)?;
    let full = full(town).await;
    std::fs::remove_file(&ballast)?;
    full?;
    // A database that is about to end over it has its time to do so.
    let well = until(RECOVERY, || !town.cluster.is_running() || town.is_any_well());
    well.await.context("the database neither recovers nor ends")?;
    if !town.cluster.is_running() {
        restart::up(town).await?;
    }
    Ok(())
}

/// Waits until the nodes say what is the matter, and for as long as was asked for.
async fn full(town: &Town) -> anyhow::Result<()> {
    let troubled = until(RECOVERY, || !town.is_any_well());
    troubled.await.context("the nodes do not notice that the disk is full")?;
    tokio::time::sleep(town.time.max(LOOK)).await;
    town.everybody_writes()
}

fn fill(ballast: &Path) -> anyhow::Result<()> {
    let mut file = std::fs::File::create(ballast)?;
    for length in [1 << 20, 1 << 12, 1] {
        while file.write_all(&vec![7; length]).is_ok() {}
    }
    Ok(())
}
