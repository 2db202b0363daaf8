//! Crowds of clients that mean no good, against the real program, and an honest one among them: what they cost in memory,
//! and how the honest one is served meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::http::{Connection, request};
use crate::service::Service;

/// How many connect at the same time; those who wait to be accepted are no more than the system keeps.
const CONNECTING: usize = 256;
/// How long the honest client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What everybody in a crowd does.
pub struct Attack {
    /// What it is.
    pub name: &'static str,
    start: Arc<[u8]>,
    again: Arc<[u8]>,
    pace: Pace,
}

/// How what comes after the start is sent; nobody reads an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    Never,
    EverySecond,
    AsFastAsItGoes,
}

/// What a crowd has come to.
pub struct Seen {
    /// How many of the crowd the program let go.
    pub let_go: usize,
    /// Most memory of the program at a time, kB.
    pub most_memory: u64,
    /// How long the honest client waited for each answer, shortest first.
    pub waited: Vec<Duration>,
    /// How many of these answers asked it to come again.
    pub busy: usize,
}

/// Every attack; some by an employee who has a token.
pub fn attacks(token: &str) -> Vec<Attack> {
    let own = format!("authorization: Bearer {token}\r\nidempotency-key: crowd\r\n");
    let post = |path: &str, lines: &str, length: &str, body: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: k\r\n{lines}{length}\r\n\r\n{body}").into_bytes()
    };
    let long = "content-length: 2000000";
    let endless = "transfer-encoding: chunked";
    let form = "content-type: application/x-www-form-urlencoded\r\n";
    let json = format!("{own}content-type: application/json\r\n");
    let parts = "content-type: multipart/form-data; boundary=b\r\n";
    let files = format!("{own}{parts}");
    let file = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7";
    let piece = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let filler = "x".repeat(64 * 1024);
    let attack = |name, start: Vec<u8>, again: &str, pace| Attack {
        name,
        start: start.into(),
        again: again.as_bytes().into(),
        pace,
    };
    let deep = post("/api/v1/cases", &json, "content-length: 200000", &"[".repeat(200_000));
    vec![
        attack("resting", Vec::new(), "", Pace::Never),
        attack("a head, a byte a second", b"GET / HTTP/1.1\r\nx: ".to_vec(), "x", Pace::EverySecond),
        attack("heads without end", b"GET / HTTP/1.1\r\nx: ".to_vec(), "x\r\nx: ", Pace::AsFastAsItGoes),
        attack(
            "a stranger's form of 2 MB, then a byte a second",
            post("/skapa-arende", form, long, &"a=x&".repeat(470_000)),
            "x",
            Pace::EverySecond,
        ),
        attack(
            "JSON of 200 kB, then a byte a second",
            post("/api/v1/cases", &json, "content-length: 250000", &" ".repeat(200_000)),
            " ",
            Pace::EverySecond,
        ),
        attack(
            "a file, a byte a second",
            post("/api/v1/uploads", &files, long, file),
            "x",
            Pace::EverySecond,
        ),
        attack("nested JSON", deep.clone(), &String::from_utf8_lossy(&deep), Pace::AsFastAsItGoes),
        attack(
            "JSON without end",
            post("/api/v1/cases", &json, endless, ""),
            &piece(&filler),
            Pace::AsFastAsItGoes,
        ),
        attack(
            "a stranger's part whose head has no end",
            post("/skapa-arende", parts, endless, &piece("--b\r\nx: ")),
            &piece(&filler),
            Pace::AsFastAsItGoes,
        ),
        attack(
            "a part whose head has no end",
            post("/api/v1/uploads", &files, endless, &piece("--b\r\nx: ")),
            &piece(&filler),
            Pace::AsFastAsItGoes,
        ),
        attack(
            "many answers, never read",
            Vec::new(),
            &"GET /api/v1/openapi.json HTTP/1.1\r\nhost: k\r\n\r\n".repeat(100),
            Pace::AsFastAsItGoes,
        ),
    ]
}

impl Attack {
    /// Lets a crowd do this for a while, and an honest employee work meanwhile.
    ///
    /// # Errors
    /// When the honest one is not answered.
    pub async fn meet(
        &self,
        service: &Service,
        token: &str,
        crowd: usize,
        lasting: Duration,
    ) -> anyhow::Result<Seen> {
        let let_go = Arc::new(AtomicUsize::new(0));
        let mut members = JoinSet::new();
        let mut connecting = futures::stream::iter(0..crowd)
            .map(|_| TcpStream::connect(service.address()))
            .buffer_unordered(CONNECTING);
        while let Some(stream) = connecting.next().await {
            let (start, again, pace) = (Arc::clone(&self.start), Arc::clone(&self.again), self.pace);
            let (mut stream, let_go) = (stream?, Arc::clone(&let_go));
            members.spawn(async move {
                if go_on(&mut stream, &start, &again, pace).await.is_err() {
                    let_go.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut seen = Seen { let_go: 0, most_memory: 0, waited: Vec::new(), busy: 0 };
        let began = Instant::now();
        while began.elapsed() < lasting {
            let answer = tokio::time::timeout(PATIENCE, honest(service, token, &mut seen)).await;
            answer.context("the honest client is not answered")??;
            seen.most_memory = seen.most_memory.max(service.memory("VmRSS")?);
        }
        members.shutdown().await;
        seen.waited.sort();
        seen.let_go = let_go.load(Ordering::Relaxed);
        Ok(seen)
    }
}

/// Sends until the other side has had enough.
async fn go_on(stream: &mut TcpStream, start: &[u8], again: &[u8], pace: Pace) -> std::io::Result<()> {
    stream.write_all(start).await?;
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    loop {
        match pace {
            // Who sends nothing hears of the end all the same.
            Pace::Never => {
                stream.readable().await?;
                return Err(std::io::ErrorKind::ConnectionReset.into());
            }
            Pace::EverySecond => drop(seconds.tick().await),
            Pace::AsFastAsItGoes => {}
        }
        stream.write_all(again).await?;
    }
}

/// Creates a case and reads the list, on a connection of its own.
async fn honest(service: &Service, token: &str, seen: &mut Seen) -> anyhow::Result<()> {
    let (authorization, key) = (format!("Bearer {token}"), format!("honest-{}", seen.waited.len()));
    let own = [
        ("authorization", authorization.as_str()),
        ("idempotency-key", &key),
        ("content-type", "application/json"),
    ];
    let body = r#"{"employer":"4021000007","area":"lon","subArea":"supportarende","subject":"Semester","message":"Hej"}"#;
    let create = request("POST", "/api/v1/cases", &own, body.as_bytes());
    let list = request("GET", "/api/v1/cases", &own[..1], b"");
    let began = Instant::now();
    let mut connection = Connection::open(service.address()).await?;
    for request in [create, list] {
        let answer = connection.send(&request).await?;
        match answer.status {
            200 | 201 => {}
            503 => seen.busy += 1,
            status => anyhow::bail!("{status}: {}", String::from_utf8_lossy(answer.body)),
        }
    }
    seen.waited.push(began.elapsed());
    Ok(())
}
