//! Clients that mean no good, on the real socket: whatever they do, they are told so or cut off, and others are served.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tests::crowd::attacks;
use tests::service::{Service, token};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{TestApp, new_key, until};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many rest at the same time.
const RESTING: usize = 2000;
/// How many a crowd has, and the memory that the program may take then, kB.
const CROWD: usize = 100;
const MEMORY: u64 = 150 * 1024;

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
async fn when_there_is_no_room_who_rests_makes_room_and_who_asks_stays() {
    let app = TestApp::start_with(|config| {
        config.web.head_seconds = 3600;
        config.web.connections = Some(3);
    })
    .await;
    let mut asks = TcpStream::connect(address(&app)).await.unwrap();
    let head = "POST /skapa-arende HTTP/1.1\r\nhost: k\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    asks.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; 25];
    asks.read_exact(&mut goes_on).await.unwrap();
    assert_eq!(&goes_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let mut rest = Vec::new();
    for _ in 0..20 {
        rest.push(TcpStream::connect(address(&app)).await.unwrap());
    }
    others_are_served(&app).await;
    for stream in rest.drain(..15) {
        assert_eq!(until_closed(stream).await, "");
    }
    asks.write_all(b"x").await.unwrap();
    let mut status = [0; 12];
    let answer = tokio::time::timeout(PATIENCE, asks.read_exact(&mut status)).await;
    answer.expect("who asked is answered").unwrap();
    assert_eq!(&status, b"HTTP/1.1 303");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_takes_nothing_of_what_is_sent_is_let_go() {
    let app = hurried().await;
    let mut stream = TcpStream::connect(address(&app)).await.unwrap();
    let asks = "GET /api/v1/openapi.json HTTP/1.1\r\nhost: k\r\n\r\n".repeat(1000);
    let refused = async { while stream.write_all(asks.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("the server closes the connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_come_to_its_end_in_time_is_cut_off_and_leaves_nothing() {
    let app = TestApp::start_with(|config| config.web.request_seconds = 1).await;
    let anna = app.employee("anna");
    let file = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\r\n%PDF-1.7";
    for (path, media_type, begun) in
        [("cases", "application/json", "{"), ("uploads", "multipart/form-data; boundary=b", file)]
    {
        let head = format!(
            "POST /api/v1/{path} HTTP/1.1\r\nhost: k\r\nauthorization: Bearer {}\r\nidempotency-key: {}\r\n\
             content-type: {media_type}\r\ncontent-length: 2000\r\n\r\n{begun}",
            anna.token.as_deref().unwrap(),
            new_key(),
        );
        answered(&talk(&app, head.as_bytes()).await, 408);
    }
    until(|| app.objects() == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_share_the_room_that_there_is() {
    let app = TestApp::start_with(|config| config.web.body_mb = 1).await;
    let anna = app.employee("anna");
    let head = format!(
        "POST /api/v1/cases HTTP/1.1\r\nhost: k\r\nauthorization: Bearer {}\r\nidempotency-key: k\r\n\
         content-type: application/json\r\ncontent-length: 250000\r\n\r\n{}",
        anna.token.as_deref().unwrap(),
        " ".repeat(240_000),
    );
    let mut slow = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address(&app)).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // One of them has no room; the others are still waited for.
    let status = slow.iter_mut().map(|stream| {
        Box::pin(async {
            let mut status = [0; 12];
            stream.read_exact(&mut status).await.map(|_| status)
        })
    });
    let (status, _) = tokio::time::timeout(PATIENCE, futures::future::select_ok(status))
        .await
        .expect("it is told")
        .unwrap();
    assert_eq!(&status, b"HTTP/1.1 503");
    drop(slow);
    others_are_served(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn not_everything_that_is_wrong_is_told_when_that_is_without_end() {
    let app = TestApp::start().await;
    let anna = app.employee("anna");
    let query: String = (0..8000).map(|number| format!("{number}&")).collect();
    let told = anna.get(&format!("/cases?{query}")).send().await.fields();
    assert_eq!(told.len(), 100);
    let body = (0..8000).map(|number| (number.to_string(), json!(1))).collect::<serde_json::Map<_, _>>();
    let told = anna.post("/cases").key(&new_key()).json(&body.into()).send().await.fields();
    assert!((100..120).contains(&told.len()), "{}", told.len());
    let mut body = anna.body("Filer");
    body["attachments"] = (0..5000).map(|number| number.to_string()).collect();
    let told = anna.post("/cases").key(&new_key()).json(&body).send().await.fields();
    assert_eq!(told, ["/attachments file.many"]);
    let parts = "--b\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n1\r\n".repeat(5000);
    let told = anna.post("/uploads").body("multipart/form-data; boundary=b", parts).send().await.fields();
    assert_eq!(told.len(), 100);
}

/// Few of each kind here; as many as one likes with `cargo run --release -p tests --bin crowd`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_crowd_takes_much_memory_or_keeps_others_from_being_served() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service::start(folder.path()).unwrap();
    let flags = ["--name", "Anna", "--email", "anna@exempelverket.example", "--employer", "4021000007"];
    let token = token(folder.path(), "employee", "anna", &flags).unwrap();
    for attack in attacks(&token) {
        let seen = attack.meet(&service, &token, CROWD, Duration::from_secs(1)).await.unwrap();
        assert!(!seen.waited.is_empty() && seen.busy == 0, "{}", attack.name);
        assert!(seen.most_memory < MEMORY, "{}: {} kB", attack.name, seen.most_memory);
    }
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
