//! Paths that mean another than they say, as they stand on the line: no client tidies them up first.

use std::time::Duration;

use api::pages::cookies;
use domain::access::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Town;
use crate::support::{TestApp, identity};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer to a request whose path stands as it is.
async fn asked(app: &TestApp, path: &[u8], headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = [
        b"GET ",
        path,
        b" HTTP/1.1\r\nhost: kundwebb.example\r\nconnection: close\r\n",
        headers.as_bytes(),
        b"\r\n",
    ];
    stream.write_all(&head.concat()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("it is answered").unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.get(9..12).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no answer to {path:?}: {answer}")), answer)
}

/// Detours to a place: dots, slashes, semicolons, encodings of them, twice too, and what is no text.
fn detours(place: &str) -> Vec<Vec<u8>> {
    let plain = place.trim_start_matches('/');
    let texts = [
        format!("//{plain}"),
        format!("/./{plain}"),
        format!("/%2e/{plain}"),
        format!("/assets/../{plain}"),
        format!("/assets/%2e%2e/{plain}"),
        format!("/assets/..%2f{plain}"),
        format!("/assets/%2e%2e%2f{plain}"),
        format!("/assets/%252e%252e%252f{plain}"),
        format!("/assets/..;/{plain}"),
        format!("/assets/..%5c{plain}"),
        format!("/support/..\\{plain}"),
        format!("/support;/../{plain}"),
        format!("/{plain};a=b"),
        format!("/{plain}%00"),
        format!("/{plain}%00.css"),
        format!("/{plain}%20"),
        format!("/{plain}%0d%0ax-planted:%201"),
        format!("/{plain}/"),
        format!("/{plain}//"),
        format!("/{plain}/."),
        format!("/{plain}%2f"),
        format!("/%c0%ae%c0%ae/{plain}"),
        format!("/%c0%af{plain}"),
        format!("/%e0%80%af{plain}"),
        format!("/%ff/{plain}"),
        format!("/{}", plain.to_uppercase()),
    ];
    let mut all: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    all.push([b"/\xc0\xae\xc0\xae/", plain.as_bytes()].concat());
    all
}

#[tokio::test]
async fn no_detour_leads_to_what_is_not_ones_own() {
    let town = Town::new().await;
    let app = &town.app;
    let session = app.app.begin_session(identity("mallory", Role::Employee)).await.unwrap();
    let token = app.employee("mallory").token.unwrap();
    let callers = [
        String::new(),
        format!("cookie: {}={session}\r\n", cookies::SESSION),
        format!("authorization: Bearer {token}\r\n"),
    ];
    let places = [
        format!("/arenden/{}", town.others),
        format!("/arenden/{}/filer/{}", town.case, town.attachment),
        format!("/api/v1/cases/{}", town.others),
        format!("/api/v1/cases/{}/timeline", town.others),
        "/handlaggare".to_owned(),
        "/revision".to_owned(),
        "/statistik".to_owned(),
        "/master.key".to_owned(),
        "/log.db".to_owned(),
        "/etc/passwd".to_owned(),
    ];
    for place in &places {
        for path in detours(place).into_iter().chain([place.as_bytes().to_vec()]) {
            for caller in &callers {
                let (status, answer) = asked(app, &path, caller).await;
                let what = format!("{}: {answer}", String::from_utf8_lossy(&path));
                assert!(matches!(status, 303 | 400 | 401 | 403 | 404), "{what}");
                assert!(!answer.contains("Bertils hemlighet") && !answer.contains("root:"), "{what}");
                assert!(!answer.to_lowercase().contains("\r\nx-planted"), "{what}");
            }
        }
    }
    others_are_served(app).await;
}

/// They are told so, and the next is served.
async fn others_are_served(app: &TestApp) {
    for path in [&b"*"[..], b"http://evil.example/", b"/a b", b"/\0", b"no-slash", b"/#x"] {
        let mut stream = TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap();
        let head = [b"GET ", path, b" HTTP/1.1\r\nhost: kundwebb.example\r\nconnection: close\r\n\r\n"];
        stream.write_all(&head.concat()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.expect("it is answered").unwrap();
    }
    let (status, _) = asked(app, b"/support", "").await;
    assert_eq!(status, 200);
}

/// What a host calls itself is not believed: no link or redirect is made of it.
#[tokio::test]
async fn the_host_that_a_request_names_stands_nowhere() {
    let town = Town::new().await;
    let session = town.app.app.begin_session(identity("anna", Role::Employee)).await.unwrap();
    let foreign = format!(
        "x-forwarded-host: evil.example\r\nforwarded: host=evil.example\r\ncookie: {}={session}\r\n",
        cookies::SESSION
    );
    for path in ["/", "/mina-arenden", "/logga-in", "/sprak?kod=en&till=/", "/finns-inte", "/api/v1/cases"] {
        let mut stream = TcpStream::connect(town.app.url.strip_prefix("http://").unwrap()).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n{foreign}\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
            .await
            .expect("it is answered")
            .unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains("evil.example"), "{path}");
    }
}
