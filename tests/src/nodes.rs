//! Three nodes of the real program on one database, behind a balancer, and many who write to them. What is done to them is
//! in the modules beside; the checker judges what came of it.

pub mod balancer;
pub mod clock;
pub mod cut;
mod end;
pub mod front;
pub mod full;
pub mod kill;
pub mod line;
pub mod next;
pub mod partition;
pub mod pause;
pub mod restart;
pub mod upgrade;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use checker::Tally;
use cluster::Cluster;
use infrastructure::keys::KEY_FILES;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::service::{self, Service};
use crate::writers::{Pulse, Tokens, Writer};
use balancer::Balancer;
use front::{Counts, Front};
use line::Line;

/// How many nodes.
pub const NODES: usize = 3;
/// How long a writer waits for an answer before it asks another node.
const ANSWER: Duration = Duration::from_secs(10);
/// How long everything may take to be well again after a fault.
const RECOVERY: Duration = Duration::from_secs(60);
/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);
/// How much is done after a fault before the next.
const BETWEEN: u64 = 50;

/// What is done to the nodes, their database or the network between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fault {
    /// A node is killed (SIGKILL) and started again
    Kill,
    /// The database is restarted: ended at once (`immediate`) and killed (SIGKILL), in turn
    Restart,
    /// Connections to the database are cut: in the middle of a commit, and all of a node at once
    Cut,
    /// A node is parted from the database: nothing comes through, in either direction
    Partition,
    /// A node is paused (SIGSTOP) while it holds the log's lock, or has committed and not heard so, and goes on (SIGCONT)
    Pause,
    /// The disk of the database is full, and has room again
    Full,
    /// The clock of a node is wrong by an hour: ahead and behind, in turn
    Clock,
    /// The nodes are replaced by the next version of the program, one after the other, and back again
    Upgrade,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 8] = [
        Self::Kill,
        Self::Restart,
        Self::Cut,
        Self::Partition,
        Self::Pause,
        Self::Full,
        Self::Clock,
        Self::Upgrade,
    ];

    async fn once(self, town: &mut Town, round: usize) -> anyhow::Result<()> {
        match self {
            Self::Kill => kill::once(town).await,
            Self::Restart => restart::once(town, round).await,
            Self::Cut => cut::once(town, round).await,
            Self::Partition => partition::once(town).await,
            Self::Pause => pause::once(town, round).await,
            Self::Full => full::once(town).await,
            Self::Clock => clock::once(town, round).await,
            Self::Upgrade => upgrade::once(town).await,
        }
    }
}

/// How much of it is done.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How often.
    pub count: usize,
    /// How many write at the same time.
    pub writers: usize,
    /// How long a node is parted, paused, or has another time, and how long the disk is full.
    pub time: Duration,
    /// From what chance is drawn.
    pub seed: u64,
}

/// What came of a fault.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which fault.
    pub fault: Fault,
    /// How often it was done.
    pub rounds: usize,
    /// How many mails have ended: all that are due.
    pub mails: usize,
    /// How many of them left twice, as the same mail.
    pub twice: usize,
    /// The longest time in which nobody was told that anything was done.
    pub longest_outage: Duration,
    /// What came of the requests, where they were counted.
    pub requests: Option<Counts>,
    /// What the checker found.
    pub tally: Tally,
}

/// Does a fault again and again under many writers; `tell` hears of every round. An error is a failure too.
///
/// # Errors
/// When the nodes are not well again in time, refuse what they must accept, or their proofs fail.
pub async fn run(
    fault: Fault,
    folder: &Path,
    rounds: Rounds,
    tell: impl Fn(usize),
) -> anyhow::Result<Report> {
    let mut town = Town::begin(fault, folder, rounds).await?;
    for round in 0..rounds.count {
        town.until_done(BETWEEN).await?;
        fault.once(&mut town, round).await.with_context(|| format!("round {round}\n{}", town.told()))?;
        town.until_well().await.with_context(|| format!("after round {round}\n{}", town.told()))?;
        tell(round + 1);
    }
    town.until_done(BETWEEN).await?;
    end::end(town, fault, rounds.count).await
}

/// The nodes, what lies between them, and who writes.
struct Town {
    cluster: Arc<Cluster>,
    database: String,
    folder: PathBuf,
    lines: Vec<Line>,
    nodes: Vec<Option<Service>>,
    balancer: Balancer,
    /// What writers go to in its place, where their requests are counted.
    front: Option<Front>,
    pulse: Pulse,
    stop: watch::Sender<bool>,
    writing: Vec<JoinHandle<anyhow::Result<u64>>>,
    /// What writers were refused that must be accepted.
    refused: Arc<Mutex<Vec<String>>>,
    time: Duration,
    random: StdRng,
    /// Last, for the database lies on it.
    _disk: Option<full::Disk>,
}

impl Town {
    /// Starts everything in a folder.
    async fn begin(fault: Fault, folder: &Path, rounds: Rounds) -> anyhow::Result<Self> {
        let folder = std::path::absolute(folder)?;
        std::fs::create_dir_all(folder.join("records"))?;
        let disk = (fault == Fault::Full).then(|| full::Disk::mount(&folder.join("disk"))).transpose()?;
        let place = disk.as_ref().map_or_else(std::env::temp_dir, |disk| disk.folder().to_path_buf());
        let settings: &[&str] = if disk.is_some() { &full::SMALL } else { &[] };
        let cluster = blocking(move || Cluster::start_in(&place, settings)).await?;
        let (cluster, mut lines) = (Arc::new(cluster), Vec::new());
        for _ in 0..NODES {
            lines.push(Line::to(SocketAddr::from(([127, 0, 0, 1], cluster.port()))).await?);
        }
        let its = Arc::clone(&cluster);
        let url = blocking(move || its.database()).await?;
        let database = url.rsplit('/').next().unwrap_or_default().to_owned();
        let front = if fault == Fault::Upgrade {
            // It takes long; nobody writes yet.
            blocking(|| next::program().map(drop)).await?;
            Some(Front::before(NODES).await?)
        } else {
            None
        };
        let mut town = Self {
            cluster,
            database,
            folder,
            lines,
            nodes: (0..NODES).map(|_| None).collect(),
            balancer: Balancer::before(NODES).await?,
            front,
            pulse: Pulse::default(),
            stop: watch::Sender::new(false),
            writing: Vec::new(),
            refused: Arc::default(),
            time: rounds.time,
            random: StdRng::seed_from_u64(rounds.seed),
            _disk: disk,
        };
        for node in 0..NODES {
            town.start(node, fault == Fault::Clock).await?;
        }
        town.until_well().await?;
        town.write(rounds.writers)?;
        Ok(town)
    }

    /// Lets everybody begin to write.
    fn write(&mut self, writers: usize) -> anyhow::Result<()> {
        let address = self.front.as_ref().map_or_else(|| self.balancer.address(), Front::address);
        let (_, address) = watch::channel(Some(address));
        let tokens = Tokens::of(&self.data(0), "anna")?;
        for number in 0..writers {
            let name = format!("writer-{number}");
            let writer = Writer::new(name, tokens.clone(), address.clone(), &self.records())?;
            let writer = writer.with_patience(ANSWER).with_pulse(self.pulse.clone());
            let (stop, refused) = (self.stop.subscribe(), Arc::clone(&self.refused));
            self.writing.push(tokio::spawn(async move {
                let written = writer.write(stop).await;
                if let Err(error) = &written {
                    refused.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{error:#}"));
                }
                written
            }));
        }
        Ok(())
    }

    /// Starts a node, with the keys of the first; with a clock of its own where asked for.
    async fn start(&mut self, node: usize, own_clock: bool) -> anyhow::Result<()> {
        self.start_program(node, service::program()?, own_clock).await
    }

    /// As [`Town::start`], of a version of the program.
    async fn start_program(&mut self, node: usize, program: &Path, own_clock: bool) -> anyhow::Result<()> {
        let data = self.data(node);
        std::fs::create_dir_all(&data)?;
        for key in KEY_FILES.iter().filter(|_| node > 0) {
            std::fs::copy(self.data(0).join(key), data.join(key))?;
        }
        let mut command = Command::new(program);
        command.env("KUNDWEBB_LOG", self.log(self.lines[node].port()));
        if own_clock {
            clock::own(&mut command, &data)?;
        }
        let service = blocking(move || Service::start_with(command, &data)).await?;
        let address = service.address();
        self.balancer.set(node, address);
        self.nodes[node] = Some(service);
        if let Some(front) = &self.front {
            self.until_trouble(node, Option::is_none).await?;
            front.put_in(node, address);
        }
        Ok(())
    }

    /// Where the log lies, through a port.
    fn log(&self, port: u16) -> String {
        format!("postgres://{}@127.0.0.1:{port}/{}", cluster::OWNER, self.database)
    }

    fn data(&self, node: usize) -> PathBuf {
        self.folder.join(format!("node-{node}"))
    }

    fn records(&self) -> PathBuf {
        self.folder.join("records")
    }

    fn node(&self, node: usize) -> anyhow::Result<&Service> {
        self.nodes[node].as_ref().context("the node does not run")
    }

    /// Asks the database something, beside the nodes.
    async fn sql(&self, sql: &str) -> anyhow::Result<String> {
        let (cluster, database, sql) = (Arc::clone(&self.cluster), self.database.clone(), sql.to_owned());
        blocking(move || cluster.sql(&database, &sql)).await
    }

    /// Waits until so many commands more are acknowledged.
    async fn until_done(&self, count: u64) -> anyhow::Result<()> {
        let enough = self.pulse.count() + count;
        let done = until(RECOVERY, || self.pulse.count() >= enough).await;
        done.context("nothing more is acknowledged")?;
        self.everybody_writes()
    }

    /// Nobody was refused what must be accepted.
    fn everybody_writes(&self) -> anyhow::Result<()> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).join("\n");
        ensure!(
            refused.is_empty(),
            "a writer was refused what must be accepted:\n{refused}\n{}",
            self.told()
        );
        self.front.as_ref().map_or(Ok(()), Front::all_done).with_context(|| self.told())
    }

    /// Waits until every node says that it is ready.
    async fn until_well(&self) -> anyhow::Result<()> {
        for node in 0..NODES {
            self.until_trouble(node, Option::is_none).await?;
        }
        Ok(())
    }

    /// Waits until a node is in a trouble like this.
    async fn until_trouble(&self, node: usize, so: impl Fn(&Option<String>) -> bool) -> anyhow::Result<()> {
        let mut trouble = self.balancer.trouble(node);
        let found = tokio::time::timeout(RECOVERY, trouble.wait_for(|trouble| so(trouble))).await;
        if found.is_err() {
            bail!("node {node} stays so: {:?}", *self.balancer.trouble(node).borrow());
        }
        Ok(())
    }

    /// Whether any node is ready.
    fn is_any_well(&self) -> bool {
        (0..NODES).any(|node| self.balancer.trouble(node).borrow().is_none())
    }

    /// The last words of each node.
    fn told(&self) -> String {
        let mut told = String::new();
        for (node, service) in self.nodes.iter().enumerate() {
            let mut said = service.as_ref().map(Service::said).unwrap_or_default();
            said.retain(|line| !line.contains("/readyz"));
            let last = said.len().saturating_sub(12);
            told += &format!("node {node} said:\n{}\n", said[last..].join("\n"));
        }
        told
    }
}

/// Waits until something holds.
async fn until(patience: Duration, holds: impl Fn() -> bool) -> anyhow::Result<()> {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::time::timeout(patience, waiting).await.context("it does not come to hold in time")
}

/// Does on a thread of its own what would hold others up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await?
}
