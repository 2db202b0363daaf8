//! Faults of the process while many write: each is done to the real program on a real folder, and judged by the checker.

pub mod abort;
pub mod kill;
pub mod pause;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use checker::Tally;
use rusqlite::OpenFlags;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::{Connection, request};
use crate::service::{self, Service};
use crate::writers::{Tokens, Writer};

/// How many write at the same time.
pub const WRITERS: usize = 32;
/// How long the read models may take to show everything.
const SHOWN: Duration = Duration::from_secs(60);
/// How long no mail may end while some are due.
const MAILED: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(10);

/// What came of a fault.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which fault.
    pub fault: &'static str,
    /// How often it was done.
    pub rounds: usize,
    /// How often the process was killed before it was ready.
    pub early: usize,
    /// How many mails have ended: all that are due.
    pub mails: u64,
    /// What the checker found in the end.
    pub tally: Tally,
}

/// Many writers on a folder, and the service that comes and goes.
struct Crowd {
    data: PathBuf,
    records: PathBuf,
    address: watch::Sender<Option<SocketAddr>>,
    stop: watch::Sender<bool>,
    writing: Vec<JoinHandle<anyhow::Result<u64>>>,
}

impl Crowd {
    /// Begins to write to a service that runs on an own folder inside `folder`.
    async fn begin(folder: &Path) -> anyhow::Result<(Self, Service)> {
        let (data, records) = (folder.join("data"), folder.join("records"));
        std::fs::create_dir_all(&records)?;
        let service = start(&data).await?;
        let (address, listening) = watch::channel(Some(service.address()));
        let (stop, stopped) = watch::channel(false);
        let tokens = Tokens::of(&data, "anna")?;
        let writers = (0..WRITERS).map(|number| {
            Writer::new(format!("writer-{number}"), tokens.clone(), listening.clone(), &records)
        });
        let writers = writers.collect::<Result<Vec<_>, _>>()?;
        let writing = writers.into_iter().map(|writer| tokio::spawn(writer.write(stopped.clone()))).collect();
        Ok((Self { data, records, address, stop, writing }, service))
    }

    /// The service is down.
    fn down(&self) {
        self.address.send_replace(None);
    }

    /// Starts the service again.
    async fn up(&self) -> anyhow::Result<Service> {
        let service = start(&self.data).await?;
        self.address.send_replace(Some(service.address()));
        Ok(service)
    }

    /// Begins to start the service and kills it; gives whether it was not ready yet.
    async fn cut_start(&self, life: Duration) -> anyhow::Result<bool> {
        let data = self.data.clone();
        tokio::task::spawn_blocking(move || Service::cut_start(&data, life)).await?
    }

    /// The verdict over what there is, while the service is down and everybody waits for it.
    fn judge(&self) -> anyhow::Result<Tally> {
        judge(&self.data, &self.records)
    }

    /// Lets everybody finish and every mail end, stops the service and looks at everything.
    async fn end(self, mut service: Service) -> anyhow::Result<(u64, Tally)> {
        self.stop.send_replace(true);
        for writer in self.writing {
            writer.await??;
        }
        let mails = wait_until_mailed(&self.data).await?;
        wait_until_shown(service.address()).await?;
        tokio::task::spawn_blocking(move || service.stop()).await??;
        Ok((mails, judge(&self.data, &self.records)?))
    }
}

/// The checker's verdict, and where that is clean the program's own proofs. The checker comes first: it sees what the
/// fault has left before anything of the service has opened it, and what it finds is told whatever else is wrong.
fn judge(data: &Path, records: &Path) -> anyhow::Result<Tally> {
    let tally = checker::check(&checker::log::read(&data.join("log.db"))?, &checker::records::read(records)?);
    if tally.violations.is_empty() {
        prove(data)?;
    }
    Ok(tally)
}

/// The program's own proofs of log and read models.
fn prove(data: &Path) -> anyhow::Result<()> {
    for proof in [["log", "verify"], ["read-model", "verify"]] {
        let output = service::run(data, &proof)?;
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{proof:?}: {said}");
    }
    Ok(())
}

async fn start(data: &Path) -> anyhow::Result<Service> {
    let data = data.to_path_buf();
    tokio::task::spawn_blocking(move || Service::start(&data)).await?
}

/// Waits until the read models show the whole log.
///
/// # Errors
/// When they do not in time.
pub async fn wait_until_shown(address: SocketAddr) -> anyhow::Result<()> {
    let whole = async {
        loop {
            if gauge(address, "kundwebb_read_position").await?
                == gauge(address, "kundwebb_log_position").await?
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(SHOWN, whole).await.context("the read models did not follow in time")?
}

/// Waits until every mail that is due has ended, and gives how many. Due are the receipt of a case, and what its officer
/// writes and answers: all that writers make happen.
async fn wait_until_mailed(data: &Path) -> anyhow::Result<u64> {
    let log = rusqlite::Connection::open_with_flags(data.join("log.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    log.busy_timeout(SHOWN)?;
    let (mut seen, mut due, mut ended, mut moved) = (0, 0, 0, Instant::now());
    loop {
        let more = mails_after(&log, seen)?;
        (seen, due, ended) = (more.seen, due + more.due, ended + more.ended);
        if more.ended > 0 {
            moved = Instant::now();
        }
        ensure!(ended <= due, "{ended} mails have ended, of {due} that are due");
        if ended == due {
            return Ok(ended);
        }
        ensure!(moved.elapsed() < MAILED, "{ended} of {due} mails have ended, and no more do");
        tokio::time::sleep(LOOK).await;
    }
}

/// How mails stand in a part of the log.
struct Mails {
    seen: u64,
    due: u64,
    ended: u64,
}

fn mails_after(log: &rusqlite::Connection, position: u64) -> anyhow::Result<Mails> {
    let mut statement = log.prepare_cached(
        "SELECT coalesce(max(position), ?1), count(*) FILTER (WHERE type LIKE 'Notification%'),
            count(*) FILTER (WHERE type IN ('CaseReceived', 'MessageAdded', 'CaseClosed'))
         FROM event WHERE position > ?1",
    )?;
    let mails =
        |row: &rusqlite::Row<'_>| Ok(Mails { seen: row.get(0)?, ended: row.get(1)?, due: row.get(2)? });
    Ok(statement.query_row([position], mails)?)
}

/// A figure that the service measures.
///
/// # Errors
/// When it does not answer or measures no such thing.
pub async fn gauge(address: SocketAddr, name: &str) -> anyhow::Result<f64> {
    let mut connection = Connection::open(address).await?;
    let answer = connection.send(&request("GET", "/metrics", &[], b"")).await?;
    let text = String::from_utf8_lossy(answer.body);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.with_context(|| format!("no {name} is measured"))
}
