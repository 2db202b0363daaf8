//! The line between a node and the database: it can be cut, also in the middle of a commit, or held as a network does that
//! lets nothing through and says nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// How much is passed on at once, bytes.
const PIECE: usize = 64 * 1024;

/// A moment of the committer's transaction, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// It takes the log's lock.
    Lock,
    /// It commits.
    Commit,
    /// Somebody prepares to read events in their order.
    Read,
}

impl Moment {
    /// What the node sends then, in a message of its own.
    const fn words(self) -> &'static [u8] {
        match self {
            Self::Lock => b"pg_advisory_xact_lock",
            Self::Commit => b"COMMIT\0",
            Self::Read => b"FROM event WHERE position > $1",
        }
    }
}

/// What happens at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The connection is cut before the database hears anything.
    CutBefore,
    /// The connection is cut when the words are on their way to the database.
    CutBetween,
    /// The connection is cut when the database has answered and the node has not heard it.
    CutAfter,
    /// The database has answered; the node hears it when the [`Sprung`] is dropped.
    Withhold,
}

/// A moment that has come. What is withheld is passed on when this is dropped.
pub struct Sprung {
    _go_on: oneshot::Sender<()>,
}

struct Trap {
    moment: Moment,
    way: Way,
    reached: oneshot::Sender<Sprung>,
}

/// The line. When it is dropped, nobody can connect any more.
pub struct Line {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    database: SocketAddr,
    held: watch::Sender<bool>,
    cuts: watch::Sender<u64>,
    trap: Mutex<Option<Trap>>,
}

impl Line {
    /// A line to a database.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to(database: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (held, cuts) = (watch::Sender::new(false), watch::Sender::new(0));
        let shared = Arc::new(Shared { database, held, cuts, trap: Mutex::default() });
        let its = Arc::clone(&shared);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&its).serve(client));
            }
        });
        Ok(Self { port, shared, accepting })
    }

    /// Its port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection; new ones are made as before.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Nothing comes through any more, in either direction, until [`Line::resume`]: nobody is told.
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// What was held comes through, in order, and everything that follows.
    pub fn resume(&self) {
        self.shared.held.send_replace(false);
    }

    /// Waits for the next such moment and does this to it.
    ///
    /// # Errors
    /// When another is waited for in its place.
    pub async fn at(&self, moment: Moment, way: Way) -> anyhow::Result<Sprung> {
        let (reached, sprung) = oneshot::channel();
        *self.shared.trap.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Trap { moment, way, reached });
        sprung.await.context("another moment is waited for")
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, client: TcpStream) {
        let mut cuts = self.cuts.subscribe();
        tokio::select! {
            // Whoever is left sees that the connection is closed.
            _ = self.pass(client) => {}
            _ = cuts.changed() => {}
        }
    }

    /// Passes everything on until one side closes, or the connection is cut at a moment that was waited for.
    async fn pass(&self, client: TcpStream) -> std::io::Result<()> {
        self.open().await;
        client.set_nodelay(true)?;
        let database = TcpStream::connect(self.database).await?;
        database.set_nodelay(true)?;
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_database, mut to_database) = database.into_split();
        let (mut asked, mut answered) = (vec![0; PIECE], vec![0; PIECE]);
        loop {
            tokio::select! {
                read = from_client.read(&mut asked) => {
                    let piece = &asked[..some(read?)?];
                    self.open().await;
                    match self.sprung(piece) {
                        None => to_database.write_all(piece).await?,
                        Some(trap) => spring(trap, piece, &mut to_database, &mut from_database, &mut to_client).await?,
                    }
                }
                read = from_database.read(&mut answered) => {
                    let piece = &answered[..some(read?)?];
                    self.open().await;
                    to_client.write_all(piece).await?;
                }
            }
        }
    }

    /// Waits while it is held.
    async fn open(&self) {
        // The sender lives as long as this.
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }

    /// The trap, if these words spring it.
    fn sprung(&self, piece: &[u8]) -> Option<Trap> {
        let mut trap = self.trap.lock().unwrap_or_else(PoisonError::into_inner);
        let words = trap.as_ref()?.moment.words();
        if piece.windows(words.len()).any(|window| window == words) { trap.take() } else { None }
    }
}

/// Nothing read is the end.
fn some(read: usize) -> std::io::Result<usize> {
    if read == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}

/// Does what was asked for; an error cuts the connection.
async fn spring(
    Trap { way, reached, .. }: Trap,
    words: &[u8],
    to_database: &mut OwnedWriteHalf,
    from_database: &mut OwnedReadHalf,
    to_client: &mut OwnedWriteHalf,
) -> std::io::Result<()> {
    let (go_on, wait) = oneshot::channel();
    let sprung = Sprung { _go_on: go_on };
    let cut = || std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
    if way != Way::CutBefore {
        to_database.write_all(words).await?;
    }
    let mut answer = vec![0; PIECE];
    let mut read = 0;
    if matches!(way, Way::CutAfter | Way::Withhold) {
        read = some(from_database.read(&mut answer).await?)?;
    }
    if way == Way::Withhold {
        let _ = reached.send(sprung);
        let _ = wait.await;
        return to_client.write_all(&answer[..read]).await;
    }
    let _ = reached.send(sprung);
    Err(cut())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database that says everything again.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.into_split();
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    async fn hears(client: &mut TcpStream, words: &[u8]) {
        let mut heard = vec![0; words.len()];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, words);
    }

    #[tokio::test]
    async fn a_line_passes_holds_withholds_and_cuts() {
        let line = Line::to(echo().await).await.unwrap();
        let connect = async || TcpStream::connect(("127.0.0.1", line.port())).await.unwrap();
        let mut client = connect().await;
        client.write_all(b"SELECT").await.unwrap();
        hears(&mut client, b"SELECT").await;

        line.hold();
        client.write_all(b"HELD").await.unwrap();
        let mut one = [0];
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(50), client.peek(&mut one)).await.is_err()
        );
        line.resume();
        hears(&mut client, b"HELD").await;

        let words = b"COMMIT\0";
        let (sprung, sent) = tokio::join!(line.at(Moment::Commit, Way::Withhold), client.write_all(words));
        sent.unwrap();
        assert!(
            tokio::time::timeout(std::time::Duration::from_millis(50), client.peek(&mut one)).await.is_err()
        );
        drop(sprung.unwrap());
        hears(&mut client, words).await;

        for way in [Way::CutBefore, Way::CutBetween, Way::CutAfter] {
            let (sprung, sent) = tokio::join!(line.at(Moment::Commit, way), client.write_all(words));
            sent.unwrap();
            sprung.unwrap();
            assert_eq!(client.read(&mut one).await.unwrap_or_default(), 0, "{way:?}");
            client = connect().await;
        }
        client.write_all(b"x").await.unwrap();
        hears(&mut client, b"x").await;
        line.cut();
        assert_eq!(client.read(&mut one).await.unwrap_or_default(), 0);
    }
}
