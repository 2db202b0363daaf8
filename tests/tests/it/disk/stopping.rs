//! Point 6: told to stop, the program finishes what it has acknowledged within ten seconds, refuses new work clearly, and
//! ends with success, also while an upload hangs.

use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::program::{Acknowledged, Program};
use crate::support::{EXEMPELVERKET, new_key, until};

/// How long stopping may take.
const STOPPING: Duration = Duration::from_secs(10);
/// How many write at the same time.
const WRITERS: usize = 16;
/// How many commands are acknowledged before it is told to stop.
const BEFORE: usize = 200;
/// How many stand at the door when it is closed.
const AT_THE_DOOR: usize = 100;

/// Files cases until the program does not take them any more. What was refused must be refused clearly.
async fn write(program: &Program, count: &std::sync::atomic::AtomicUsize) -> Acknowledged {
    let anna = program.anna();
    let mut known = Acknowledged::default();
    loop {
        let answer = anna.try_create(&new_key(), &[]).await;
        // The listener is closed, or a connection that was idle.
        let Ok(answer) = answer else { return known };
        if !answer.status().is_success() {
            assert_eq!(answer.status(), 503);
            assert!(answer.headers().contains_key("retry-after"));
            return known;
        }
        known.note(Ok(answer)).await.unwrap();
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

/// An upload that stands still after its first bytes.
async fn hanging(program: &Program, token: &str) -> TcpStream {
    let mut stream = TcpStream::connect(program.url.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /api/v1/uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: 1000000\r\n\r\n--x\r\n\
         content-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_under_load_it_finishes_what_it_acknowledged_and_no_upload_holds_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path()).await;
    let mut upload = hanging(&program, &program.anna().token).await;
    let count = std::sync::atomic::AtomicUsize::new(0);
    let stopping = async {
        until(|| count.load(std::sync::atomic::Ordering::Relaxed) >= BEFORE).await;
        program.signal("TERM");
        Instant::now()
    };
    let (told, written) = tokio::join!(stopping, join_all((0..WRITERS).map(|_| write(&program, &count))));
    let refused = TcpStream::connect(program.url.trim_start_matches("http://")).await;
    assert!(refused.is_err(), "nobody is let in any more");
    let (status, said) = program.ended().await;
    let took = told.elapsed();
    assert!(status.success(), "{status}: {said}");
    assert!(took < STOPPING, "{took:?}");
    let mut rest = Vec::new();
    drop(upload.read_to_end(&mut rest).await);
    let answer = String::from_utf8_lossy(&rest);
    assert!(!answer.starts_with("HTTP/1.1 2"), "what was cut off is not acknowledged: {answer}");

    let program = Program::start(folder.path()).await;
    let acknowledged: usize = written.iter().map(|known| known.commands).sum();
    for known in &written {
        known.is_in(&program).await;
    }
    let received = program.events().await.iter().filter(|event| event["type"] == "CaseReceived").count();
    assert!(received >= acknowledged && acknowledged >= BEFORE, "{received} {acknowledged}");
    let numbers = program.rut().get("/cases?scope=queue&limit=1").await;
    assert!(numbers.status().is_success());
    println!("stopped after {took:?}; {acknowledged} acknowledged, {received} in the log of {EXEMPELVERKET}");
    program.until_empty("files").await;
}

/// Who has connected before the door is closed is let in and answered: nobody else can know that nothing was begun.
#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_answers_whoever_stands_at_its_door() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::start(folder.path()).await;
    let address = program.url.trim_start_matches("http://");
    program.signal("STOP");
    let mut waiting = Vec::new();
    for _ in 0..AT_THE_DOOR {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        waiting.push(stream);
    }
    program.signal("TERM");
    program.signal("CONT");
    let mut answered = 0;
    for mut stream in waiting {
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer).await;
        answered += usize::from(read.is_ok() && answer.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(answered, AT_THE_DOOR);
    let (status, said) = program.ended().await;
    assert!(status.success(), "{status}: {said}");
}
