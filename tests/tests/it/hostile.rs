//! Clients that mean no good, on the real socket: whatever they do, they are told so or cut off, and others are served.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestApp, new_key};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many rest at the same time.
const RESTING: usize = 2000;

/// The program, in which nobody may take longer than a second.
async fn hurried() -> TestApp {
    TestApp::start_with(|config| {
        config.web.head_seconds = 1;
    })
    .await
}

fn address(app: &TestApp) -> SocketAddr {
    app.url.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Sends bytes and reads until the server closes the connection.
async fn talk(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address(app)).await.unwrap();
    // The server may close before everything is sent.
    let _ = stream.write_all(bytes).await;
    until_closed(stream).await
}

async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&answer).into_owned()
}

#[track_caller]
fn answered(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
}

/// An employee is served as ever.
async fn others_are_served(app: &TestApp) {
    let anna = app.employee("anna");
    tokio::time::timeout(PATIENCE, anna.case("Fakturan")).await.expect("others are served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_does_not_come_to_its_end_is_cut_off() {
    let app = hurried().await;
    let mut slow = TcpStream::connect(address(&app)).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost: kund").await.unwrap();
    others_are_served(&app).await;
    let answer = until_closed(slow).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_whose_body_comes_a_byte_at_a_time_keep_nobody_from_being_served() {
    let app = hurried().await;
    let anna = app.employee("anna");
    let head = format!(
        "POST /api/v1/cases HTTP/1.1\r\nhost: kundwebb\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\n\
         content-type: application/json\r\ncontent-length: 100\r\n\r\n{{\"employer\"",
        anna.token.as_deref().unwrap(),
        new_key(),
    );
    let mut slow = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address(&app)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    for _ in 0..5 {
        for stream in &mut slow {
            stream.write_all(b" ").await.unwrap();
        }
        others_are_served(&app).await;
    }
    // What never came is no case.
    let own = app.employee("anna").list("").await;
    assert_eq!(own.len(), 5, "{own:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_who_only_rest_keep_nobody_from_being_served_and_are_let_go() {
    let app = TestApp::start_with(|config| config.web.head_seconds = 5).await;
    let mut resting = Vec::with_capacity(RESTING);
    for _ in 0..RESTING {
        resting.push(TcpStream::connect(address(&app)).await.unwrap());
    }
    others_are_served(&app).await;
    for stream in resting {
        assert_eq!(until_closed(stream).await, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_there_is_no_room_the_next_ones_wait_for_it() {
    let app = TestApp::start_with(|config| {
        config.web.head_seconds = 1;
        config.web.connections = Some(2);
    })
    .await;
    let _first = TcpStream::connect(address(&app)).await.unwrap();
    let _second = TcpStream::connect(address(&app)).await.unwrap();
    others_are_served(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_and_too_large_headers_are_refused() {
    let app = hurried().await;
    let many: String = (0..1000).map(|number| format!("x-{number}: 1\r\n")).collect();
    answered(&talk(&app, format!("GET / HTTP/1.1\r\nhost: k\r\n{many}\r\n").as_bytes()).await, 431);
    let large = "x".repeat(2 << 20);
    answered(&talk(&app, format!("GET / HTTP/1.1\r\nhost: k\r\nx: {large}\r\n\r\n").as_bytes()).await, 431);
    let address = talk(&app, format!("GET /{large} HTTP/1.1\r\nhost: k\r\n\r\n").as_bytes()).await;
    assert!(address.starts_with("HTTP/1.1 431") || address.starts_with("HTTP/1.1 414"), "{address}");
    others_are_served(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_that_is_nested_without_end_is_a_wrong_body() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    for open in ["[", "{\"a\":"] {
        let answer =
            anna.post("/cases").key(&new_key()).body("application/json", open.repeat(50_000)).send().await;
        assert_eq!(answer.problem(400), "syntax");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_a_gigabyte_is_refused_before_it_is_sent() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let token = anna.token.as_deref().unwrap();
    for path in ["/api/v1/cases", "/api/v1/uploads"] {
        let media_type =
            if path.ends_with("cases") { "application/json" } else { "multipart/form-data; boundary=b" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: kundwebb\r\nauthorization: Bearer {token}\r\nidempotency-key: {}\r\n\
             content-type: {media_type}\r\nexpect: 100-continue\r\ncontent-length: 1073741824\r\n\r\n",
            new_key(),
        );
        answered(&talk(&app, head.as_bytes()).await, 413);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_pieces_without_end_is_cut_off() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
    let sent =
        anna.post("/cases").key(&new_key()).body("application/json", reqwest::Body::wrap_stream(endless));
    let request = tokio::time::timeout(PATIENCE, sent.try_send()).await.expect("it ends");
    if let Ok(answer) = request {
        assert_eq!(answer.problem(413), "too-large");
    }
    others_are_served(&app).await;
}

/// What one server takes for a body and the next for a request of its own is refused or told apart in one way only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_with_two_lengths_is_not_taken_for_two_requests() {
    let app = hurried().await;
    let hidden = "GET /livez HTTP/1.1\r\nhost: k\r\n\r\n";
    for lengths in [
        "content-length: 6\r\ntransfer-encoding: chunked\r\n",
        "content-length: 6\r\ncontent-length: 7\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding : chunked\r\ncontent-length: 6\r\n",
    ] {
        let answer = talk(
            &app,
            format!("POST /logga-in HTTP/1.1\r\nhost: k\r\n{lengths}\r\n0\r\n\r\nX{hidden}").as_bytes(),
        )
        .await;
        assert!(!answer.contains("alive"), "{lengths}: {answer}");
    }
    others_are_served(&app).await;
}

/// Requests that are sent before the one before is answered are answered in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_a_row_are_answered_in_order() {
    let app = hurried().await;
    let row = "GET /livez HTTP/1.1\r\nhost: k\r\n\r\n".repeat(49)
        + "GET /finns-inte HTTP/1.1\r\nhost: k\r\nconnection: close\r\n\r\n";
    let answers = talk(&app, row.as_bytes()).await;
    assert_eq!(answers.matches("alive\n").count(), 49);
    assert!(answers.rfind("alive").unwrap() < answers.find("HTTP/1.1 404").unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_refused() {
    let app = hurried().await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET\r\n\r\n",
    ] {
        let answer = talk(&app, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let answer = app.employee("anna").post("/cases").key(&new_key()).json(&json!({})).send().await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}
