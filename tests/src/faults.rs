//! Faults of the process while many write: each is done to the real program on a real folder, and judged by the checker.

pub mod abort;
pub mod kill;
pub mod pause;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use checker::Tally;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::{Connection, request};
use crate::service::{self, Service};
use crate::writers::{Tokens, Writer};

/// How many write at the same time.
pub const WRITERS: usize = 32;
/// How long the read models may take to show everything.
const SHOWN: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(10);

/// What came of a fault.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which fault.
    pub fault: &'static str,
    /// How often it was done.
    pub rounds: usize,
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

    /// Lets everybody finish, stops the service and looks at everything.
    async fn end(self, mut service: Service) -> anyhow::Result<Tally> {
        self.stop.send_replace(true);
        for writer in self.writing {
            writer.await??;
        }
        wait_until_shown(service.address()).await?;
        tokio::task::spawn_blocking(move || service.stop()).await??;
        judge(&self.data, &self.records)
    }
}

/// The checker's verdict, after the program's own proofs of log and read models.
fn judge(data: &Path, records: &Path) -> anyhow::Result<Tally> {
    for proof in [["log", "verify"], ["read-model", "verify"]] {
        let output = service::run(data, &proof)?;
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{proof:?}: {said}");
    }
    Ok(checker::check(&checker::log::read(&data.join("log.db"))?, &checker::records::read(records)?))
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
