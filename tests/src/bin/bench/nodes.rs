//! Nodes of the real program on one database: under load over HTTP, and how soon one shows what was written at another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use cluster::Cluster;
use infrastructure::keys::KEY_FILES;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row, query};
use tests::http::{Connection, request};
use tests::service::{self, Service};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::serving::{self, Load};
use crate::times::Times;

/// How often it is looked how many connections there are.
const LOOK: Duration = Duration::from_millis(100);
/// How many answers are waited for at another node.
const SEEN: usize = 300;
/// The connections that bring the load beside them.
const BESIDE: usize = 16;
/// Who looks for the connections of nodes.
const COUNT: &str =
    "SELECT usename::text, count(*) FROM pg_stat_activity WHERE usename LIKE 'node_' GROUP BY usename";

/// The program, not started yet, on the log of a database. Mails are decided on and planned; the way out is closed, so
/// that the disk is not measured by writing them.
pub(crate) fn program(url: &str) -> anyhow::Result<Command> {
    let mut program = Command::new(service::program()?);
    program.env("KUNDWEBB_LOG", url);
    program.env("KUNDWEBB_MAIL__TRANSPORT", "smtp").env("KUNDWEBB_MAIL__PORT", "9");
    Ok(program)
}

/// Gives a folder the keys of another.
pub(crate) fn share_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for key in KEY_FILES {
        std::fs::copy(from.join(key), to.join(key))?;
    }
    Ok(())
}

/// Starts nodes on an empty database, each with a login of its own.
fn start(cluster: &Cluster, folder: &Path, count: usize) -> anyhow::Result<Vec<Service>> {
    let url = cluster.database()?;
    let mut nodes = Vec::new();
    for node in 0..count {
        let (data, login) = (folder.join(format!("{count}-{node}")), format!("node{node}"));
        let there = format!("SELECT count(*) FROM pg_roles WHERE rolname = '{login}'");
        if cluster.sql("postgres", &there)? == "0" {
            cluster.sql("postgres", &format!("CREATE ROLE {login} LOGIN SUPERUSER"))?;
        }
        if node > 0 {
            share_keys(&folder.join(format!("{count}-0")), &data)?;
        }
        nodes.push(Service::start_with(program(&url.replace(cluster::OWNER, &login))?, &data)?);
    }
    Ok(nodes)
}

fn stop(nodes: Vec<Service>) -> anyhow::Result<()> {
    for mut node in nodes {
        ensure!(node.stop()?.success(), "a node did not stop well:\n{}", node.said().join("\n"));
    }
    Ok(())
}

/// What nodes did over HTTP, and how many connections to the database the busiest of them had at most.
pub(crate) async fn loads(
    cluster: &Cluster,
    folder: &Path,
    count: usize,
    commands: usize,
) -> anyhow::Result<(Vec<Load>, i64)> {
    let nodes = start(cluster, folder, count)?;
    cluster.sql("postgres", "CHECKPOINT")?;
    let (stop_counting, stopped) = watch::channel(false);
    let counting = tokio::spawn(most(cluster.url("postgres"), stopped));
    let loads = serving::loads(&nodes, commands).await?;
    stop_counting.send_replace(true);
    let most = counting.await??;
    stop(nodes)?;
    Ok((loads, most.into_values().max().unwrap_or_default()))
}

/// The most connections that each login had at once.
async fn most(url: String, mut stopped: watch::Receiver<bool>) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut connection = PgConnection::connect(&url).await?;
    let mut most = BTreeMap::new();
    while tokio::time::timeout(LOOK, stopped.wait_for(|stopped| *stopped)).await.is_err() {
        for row in query(COUNT).fetch_all(&mut connection).await? {
            let seen = most.entry(row.try_get(0)?).or_default();
            *seen = row.try_get::<i64, _>(1)?.max(*seen);
        }
    }
    Ok(most)
}

/// How soon a node shows what was answered at another.
pub(crate) struct Seen {
    /// Cases created beside, a second, over all nodes.
    pub(crate) beside: f64,
    /// From the answer at node one until node two answers that it shows it.
    pub(crate) times: Times,
}

/// Creates cases at node one and asks node two for each; beside that so many are created at all nodes.
pub(crate) async fn seen(cluster: &Cluster, folder: &Path, paces: &[u32]) -> anyhow::Result<Vec<Seen>> {
    let nodes = start(cluster, folder, 3)?;
    let mut all = Vec::new();
    for pace in paces {
        all.push(seen_beside(&nodes, *pace).await?);
    }
    stop(nodes)?;
    Ok(all)
}

async fn seen_beside(nodes: &[Service], pace: u32) -> anyhow::Result<Seen> {
    let creates = serving::creates(&nodes[0], 1, SEEN)?;
    let (stop, beside) = beside(nodes, pace)?;
    let (mut one, mut two) =
        (Connection::open(nodes[0].address()).await?, Connection::open(nodes[1].address()).await?);
    let (mut times, began) = (Times::default(), Instant::now());
    for create in &creates {
        let answer = one.send(create).await?;
        let answered = Instant::now();
        let outcome: Value = serde_json::from_slice(answer.body)?;
        let position = outcome["position"].as_u64().context("an outcome without position")?.to_string();
        let get = request("GET", "/api/v1/service-status", &[("read-after", &position)], b"");
        let shown = two.send(&get).await?;
        ensure!(shown.status == 200, "node two answers {}", shown.status);
        times.add(answered.elapsed());
        // Not in step with anything that happens every so many milliseconds.
        let rest = u64::from(infrastructure::random::id().as_bytes()[15] % 20);
        tokio::time::sleep(Duration::from_millis(rest)).await;
    }
    let took = began.elapsed();
    stop.send_replace(true);
    let mut count = 0;
    for task in beside {
        count += task.await??;
    }
    Ok(Seen { beside: crate::times::a_second(count, took), times })
}

/// How many cases a task has created.
type Creating = JoinHandle<anyhow::Result<usize>>;

/// Creates cases at all nodes, so many a second, until told to stop.
fn beside(nodes: &[Service], pace: u32) -> anyhow::Result<(watch::Sender<bool>, Vec<Creating>)> {
    let (stop, stopped) = watch::channel(false);
    if pace == 0 {
        return Ok((stop, Vec::new()));
    }
    let requests = usize::try_from(pace)? * 120;
    let creates = Arc::new(serving::creates(&nodes[0], BESIDE, requests)?);
    let tasks = (0..BESIDE).map(|number| {
        let (creates, stopped) = (Arc::clone(&creates), stopped.clone());
        let address = nodes[number % nodes.len()].address();
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut turn = tokio::time::interval(Duration::from_secs(1) * u32::try_from(BESIDE)? / pace);
            turn.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let mut count = 0;
            for create in creates.iter().skip(number).step_by(BESIDE) {
                turn.tick().await;
                if *stopped.borrow() {
                    break;
                }
                let answer = connection.send(create).await?;
                ensure!(answer.status == 201, "a create beside was answered {}", answer.status);
                count += 1;
            }
            Ok(count)
        })
    });
    Ok((stop, tasks.collect()))
}
