//! A node that joins others on a log in PostgreSQL: by replaying it, and by copying the read models of another.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cluster::Cluster;
use infrastructure::log::postgres::PostgresLog;
use tests::service::Service;
use tokio::time::Instant;

use crate::filling::{self, Filled};
use crate::nodes::{program, share_keys};
use crate::times::a_second;

/// How long it took a node to join.
pub(crate) struct Joined {
    pub(crate) filled: Filled,
    /// From the start of a process without read models until it is ready.
    pub(crate) replay: Duration,
    /// Events a second into all read models.
    pub(crate) events: f64,
    /// Copying the files of another node's read models.
    pub(crate) copy: Duration,
    /// From the start of a process on them until it is ready.
    pub(crate) start: Duration,
    /// Sizes of the database and of the read models, bytes.
    pub(crate) log_bytes: u64,
    pub(crate) read_bytes: u64,
}

/// Fills a database and starts nodes on it.
pub(crate) async fn join(cluster: &Cluster, folder: &Path, cases: u64) -> anyhow::Result<Joined> {
    let url = cluster.database()?;
    let (one, two) = (folder.join("one"), folder.join("two"));
    std::fs::create_dir_all(&one)?;
    let filled = filling::fill(Arc::new(PostgresLog::open(&url, true).await?), &one, cases).await?;
    // As it is some time after it was written.
    let database = url.rsplit('/').next().unwrap_or_default();
    cluster.sql(database, "VACUUM ANALYZE")?;
    cluster.sql(database, "CHECKPOINT")?;
    program(&url)?;
    let began = Instant::now();
    Service::start_with(program(&url)?, &one)?.stop()?;
    let replay = began.elapsed();
    share_keys(&one, &two)?;
    let began = Instant::now();
    let read_bytes = copy(&one, &two)?;
    let copy = began.elapsed();
    let began = Instant::now();
    let mut joined = Service::start_with(program(&url)?, &two)?;
    let start = began.elapsed();
    joined.stop()?;
    let log_bytes = cluster.sql(database, "SELECT pg_database_size(current_database())")?.parse()?;
    let events = a_second(usize::try_from(filled.events)?, replay.saturating_sub(start));
    Ok(Joined { filled, replay, events, copy, start, log_bytes, read_bytes })
}

/// Copies the read models of a node that is stopped.
fn copy(from: &Path, to: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("read-") {
            bytes += std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(bytes)
}
