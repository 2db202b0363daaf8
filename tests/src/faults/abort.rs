//! Clients go away at a random moment of their request: before it is sent, in its middle, before or in its answer.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::faults::{LOOK, Report, WRITERS, gauge, judge, start, wait_until_mailed, wait_until_shown};
use crate::http::Connection;
use crate::service::Service;
use crate::writers::{Command, Tokens};

/// How long a client waits at most before it goes away.
const PATIENCE: Duration = Duration::from_millis(8);
/// How long the service may take to let go of everybody who went away.
const LET_GO: Duration = Duration::from_secs(20);

/// Sends `requests` new cases whose clients go away, then one whose client stays.
///
/// # Errors
/// When something stays behind: a connection, a command in the queue; or when the one that stays is not served.
pub async fn abort(folder: &Path, requests: usize, seed: u64) -> anyhow::Result<Report> {
    let (data, records) = (folder.join("data"), folder.join("records"));
    std::fs::create_dir_all(&records)?;
    let mut service = start(&data).await?;
    let tokens = Tokens::of(&data, "anna")?;
    let idle = sockets(&service)?;
    let next = Arc::new(AtomicUsize::new(0));
    let clients = (0..WRITERS).map(|client| {
        let (tokens, next, address) = (tokens.clone(), Arc::clone(&next), service.address());
        let file = std::fs::File::create(records.join(format!("client-{client}.jsonl")));
        let random = StdRng::seed_from_u64(seed.wrapping_add(client as u64));
        tokio::spawn(async move {
            go_away(address, &tokens, file?, random, || next.fetch_add(1, Ordering::Relaxed) < requests).await
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await??;
    }
    let let_go = async {
        // The one that asks has a socket of its own.
        while gauge(service.address(), "kundwebb_queue_commands").await? > 0.0
            || sockets(&service)? > idle + 1
        {
            tokio::time::sleep(LOOK).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(LET_GO, let_go).await.context("connections stay open after their clients")??;
    let last = Command::create(&tokens, "the-one-who-stays".to_owned());
    let mut connection = Connection::open(service.address()).await?;
    let answer = connection.send(last.bytes()).await?;
    ensure!(answer.status == 201, "{}", String::from_utf8_lossy(answer.body));
    let acknowledged = last.record(Some(serde_json::from_slice(answer.body)?));
    std::fs::write(records.join("last.jsonl"), serde_json::to_string(&acknowledged)? + "\n")?;
    wait_until_shown(service.address()).await?;
    let mails = wait_until_mailed(&data).await?;
    tokio::task::spawn_blocking(move || service.stop()).await??;
    Ok(Report {
        fault: "client goes away",
        rounds: requests,
        early: 0,
        mails,
        tally: judge(&data, &records)?,
    })
}

/// Sends cases and goes away each time, as long as there is `more`.
async fn go_away(
    address: SocketAddr,
    tokens: &Tokens,
    mut records: std::fs::File,
    mut random: StdRng,
    more: impl Fn() -> bool,
) -> anyhow::Result<()> {
    while more() {
        let command = Command::create(tokens, infrastructure::random::id().to_string());
        writeln!(records, "{}", serde_json::to_string(&command.record(None))?)?;
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let bytes = command.bytes();
        let sent = if random.random_bool(0.5) { bytes.len() } else { random.random_range(0..bytes.len()) };
        let wait = random.random_range(Duration::ZERO..PATIENCE);
        let talk = async {
            stream.write_all(&bytes[..sent]).await?;
            let mut answer = [0; 64];
            stream.read(&mut answer).await
        };
        // Whatever came of it: the client is gone.
        let _ = tokio::time::timeout(wait, talk).await;
    }
    Ok(())
}

/// How many sockets the process holds open.
fn sockets(service: &Service) -> anyhow::Result<usize> {
    let open = std::fs::read_dir(format!("/proc/{}/fd", service.id()))?.flatten();
    let names = open.filter_map(|file| std::fs::read_link(file.path()).ok());
    Ok(names.filter(|name| name.to_string_lossy().starts_with("socket:")).count())
}
