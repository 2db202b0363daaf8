//! What stands in front of the nodes: passes connections on to those that say they are ready, in turn, skips those that
//! refuse, and ends the connections of those that are not ready any more.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::{Connection, request};

/// How often each node is asked whether it is ready.
const ASKED: Duration = Duration::from_millis(100);
/// How long its answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a node may take to take a connection.
const CONNECT: Duration = Duration::from_millis(500);

/// The balancer. When it is dropped, nothing is passed on any more.
pub struct Balancer {
    address: SocketAddr,
    nodes: Arc<Nodes>,
    working: Vec<JoinHandle<()>>,
}

struct Nodes {
    addresses: Mutex<Vec<Option<SocketAddr>>>,
    /// Why each is not ready; nothing when it is.
    ready: Vec<watch::Sender<Option<String>>>,
    turn: AtomicUsize,
}

impl Balancer {
    /// Stands in front of so many nodes, none of which is there yet.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn before(count: usize) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let ready = (0..count).map(|_| watch::Sender::new(Some("not asked yet".to_owned()))).collect();
        let (addresses, turn) = (Mutex::new(vec![None; count]), AtomicUsize::default());
        let nodes = Arc::new(Nodes { addresses, ready, turn });
        let its = Arc::clone(&nodes);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&its).serve(client));
            }
        });
        let asking = (0..count).map(|node| tokio::spawn(Arc::clone(&nodes).ask(node)));
        let working = asking.chain([accepting]).collect();
        Ok(Self { address, nodes, working })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// A node listens here now.
    pub fn set(&self, node: usize, address: SocketAddr) {
        self.nodes.addresses.lock().unwrap_or_else(PoisonError::into_inner)[node] = Some(address);
    }

    /// Why a node is not ready, as it says itself or as is seen from outside, told anew with every change; nothing when it
    /// is ready.
    pub fn trouble(&self, node: usize) -> watch::Receiver<Option<String>> {
        self.nodes.ready[node].subscribe()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.working.iter().for_each(JoinHandle::abort);
    }
}

impl Nodes {
    fn address(&self, node: usize) -> Option<SocketAddr> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)[node]
    }

    /// Asks a node again and again whether it is ready.
    async fn ask(self: Arc<Self>, node: usize) {
        let get = request("GET", "/readyz", &[], b"");
        loop {
            let asked = tokio::time::timeout(PATIENCE, self.ask_once(node, &get)).await;
            let trouble = asked.unwrap_or_else(|_| Some("it does not answer".to_owned()));
            self.ready[node].send_if_modified(|last| {
                let changed = *last != trouble;
                *last = trouble;
                changed
            });
            tokio::time::sleep(ASKED).await;
        }
    }

    async fn ask_once(&self, node: usize, get: &[u8]) -> Option<String> {
        let Some(address) = self.address(node) else { return Some("it is not there".to_owned()) };
        let answer = async {
            let mut connection = Connection::open(address).await?;
            let answer = connection.send(get).await?;
            let told = String::from_utf8_lossy(answer.body).trim().to_owned();
            Ok::<_, std::io::Error>((answer.status != 200).then_some(told))
        };
        answer.await.unwrap_or_else(|error| Some(error.to_string()))
    }

    /// Passes a connection on until either side ends it, or its node is not ready any more while another is.
    async fn serve(self: Arc<Self>, mut client: TcpStream) {
        let Some((node, mut server)) = self.connect().await else { return };
        let _ = client.set_nodelay(true);
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
            () = self.another_is_better(node) => {}
        }
    }

    /// Waits until a node is not ready any more and another is.
    async fn another_is_better(&self, node: usize) {
        let mut trouble = self.ready[node].subscribe();
        loop {
            // Nothing is borrowed while the others are looked at: they are borrowed too.
            let troubled = trouble.borrow_and_update().is_some();
            if troubled && self.is_any_ready() || trouble.changed().await.is_err() {
                return;
            }
        }
    }

    fn is_any_ready(&self) -> bool {
        self.ready.iter().any(|ready| ready.borrow().is_none())
    }

    /// Connects to the next node that is ready, or, where none is, to any that takes the connection.
    async fn connect(&self) -> Option<(usize, TcpStream)> {
        let count = self.ready.len();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut order: Vec<usize> = (turn..turn + count).map(|node| node % count).collect();
        let troubled: Vec<bool> = self.ready.iter().map(|ready| ready.borrow().is_some()).collect();
        order.sort_by_key(|&node| troubled[node]);
        for node in order {
            let Some(address) = self.address(node) else { continue };
            if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                let _ = stream.set_nodelay(true);
                return Some((node, stream));
            }
        }
        None
    }
}
