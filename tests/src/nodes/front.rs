//! What stands in front of the nodes when requests are counted: it reads every request whole and passes it on to a node,
//! each on a connection of its own. A request is tried at another node only where the connection was refused, so before
//! anything of it was sent; whatever else comes of it is counted. A node that is taken out gets nothing more, and is free
//! when what it has begun is answered.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::ensure;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::Connection;

/// Most headers of a request.
const HEADERS: usize = 32;
/// How much is read at once, bytes.
const READ: usize = 16 * 1024;

/// What came of the requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answered with success.
    pub done: u64,
    /// Answered with another status.
    pub refused: u64,
    /// Sent to a node, or for no node to take, and not answered.
    pub lost: u64,
    /// Tried at another node, for one did not take the connection.
    pub tried_again: u64,
}

/// The front. When it is dropped, nothing is passed on any more.
pub struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    nodes: Mutex<Vec<Option<SocketAddr>>>,
    /// How many requests each has begun and not answered.
    under_way: Vec<watch::Sender<usize>>,
    turn: Mutex<usize>,
    counts: Mutex<Counts>,
}

impl Front {
    /// Stands in front of so many nodes, none of which is there yet.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn before(count: usize) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            nodes: Mutex::new(vec![None; count]),
            under_way: (0..count).map(|_| watch::Sender::new(0)).collect(),
            turn: Mutex::default(),
            counts: Mutex::default(),
        });
        let its = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let its = Arc::clone(&its);
                // A client that goes away is no matter of the nodes.
                tokio::spawn(async move { its.serve(client).await });
            }
        });
        Ok(Self { address, shared, accepting })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A node listens here now and gets its share.
    pub fn put_in(&self, node: usize, address: SocketAddr) {
        held(&self.shared.nodes)[node] = Some(address);
    }

    /// Takes a node out and waits until it has answered what it has begun.
    ///
    /// # Errors
    /// Never: the front lives as long as this.
    pub async fn take_out(&self, node: usize) -> anyhow::Result<()> {
        held(&self.shared.nodes)[node] = None;
        self.shared.under_way[node].subscribe().wait_for(|count| *count == 0).await?;
        Ok(())
    }

    /// What came of the requests so far.
    pub fn counts(&self) -> Counts {
        *held(&self.shared.counts)
    }

    /// Every request so far was answered with success.
    ///
    /// # Errors
    /// When one was not.
    pub fn all_done(&self) -> anyhow::Result<()> {
        let counts = self.counts();
        ensure!(counts.refused == 0 && counts.lost == 0, "requests were refused or lost: {counts:?}");
        Ok(())
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    async fn serve(&self, mut client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        let mut buffer = Vec::with_capacity(READ);
        loop {
            let end = loop {
                if let Some(end) = whole(&buffer)? {
                    break end;
                }
                buffer.reserve(READ);
                if client.read_buf(&mut buffer).await? == 0 {
                    return Ok(());
                }
            };
            let request: Vec<u8> = buffer.drain(..end).collect();
            match self.ask(&request).await {
                Some(answer) => client.write_all(&answer).await?,
                None => return Ok(()),
            }
        }
    }

    /// The answer of a node.
    async fn ask(&self, request: &[u8]) -> Option<Vec<u8>> {
        for _ in 0..=self.under_way.len() {
            let Some((node, address)) = self.next() else { break };
            let _begun = Begun(&self.under_way[node]);
            let Ok(mut connection) = Connection::open(address).await else {
                held(&self.counts).tried_again += 1;
                continue;
            };
            let Ok(answer) = connection.send(request).await else { break };
            let mut counts = held(&self.counts);
            if (200..300).contains(&answer.status) {
                counts.done += 1;
            } else {
                counts.refused += 1;
            }
            return Some([answer.head, answer.body].concat());
        }
        held(&self.counts).lost += 1;
        None
    }

    /// The next node in turn; the request counts as begun there before the node can be taken out.
    fn next(&self) -> Option<(usize, SocketAddr)> {
        let nodes = held(&self.nodes);
        let mut turn = held(&self.turn);
        let count = nodes.len();
        let order = (*turn..*turn + count).map(|node| node % count);
        let (node, address) = order.filter_map(|node| Some((node, nodes[node]?))).next()?;
        *turn = node + 1;
        self.under_way[node].send_modify(|count| *count += 1);
        Some((node, address))
    }
}

/// A request that a node has begun, until this is dropped.
struct Begun<'a>(&'a watch::Sender<usize>);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// How long the request at the beginning is, once it is there whole.
fn whole(bytes: &[u8]) -> std::io::Result<Option<usize>> {
    let wrong = |error: httparse::Error| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = request.parse(bytes).map_err(wrong)? else { return Ok(None) };
    let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok()).unwrap_or(0);
    let end = head + length;
    Ok((bytes.len() >= end).then_some(end))
}

fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
