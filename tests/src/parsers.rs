//! Every parser that meets the outside, each with what must hold for any bytes: no panic, what is accepted keeps its
//! limits, and what is read is written the same again. `./check` tries some inputs of each; `cargo run --release -p tests
//! --bin fuzz` as many as one likes.

use std::path::Path;
use std::sync::LazyLock;

use api::Config;
use api::fields::Fields;
use api::identity::machines::token::{self, Token};
use api::requests::{
    AddMessageRequest, AddNoteRequest, AssignRequest, AttachRequest, ChangeRequest, CloseRequest,
    CreateRequest, ReclassifyRequest, RequestInformationRequest,
};
use api::trace::{TRACEPARENT, Trace};
use api::v1::headers::{IfMatch, accepts, idempotency_key, media_type, read_after, reason};
use api::v1::query::Parameters;
use axum::body::Body as HttpBody;
use axum::extract::{FromRequest, FromRequestParts, Multipart, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use domain::refusal::Code;
use domain::text::{BODY_MAX, Body, Email, PersonName, SUBJECT_MAX, Subject};
use domain::{CaseNumber, Event, OrganisationNumber};
use futures::FutureExt;
use infrastructure::files::content::Content;
use infrastructure::files::safe_name;
use infrastructure::tokens::Tokens;
use infrastructure::{Clock, Keys};
use jsonwebtoken::Algorithm;
use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestCaseError, TestError, TestRunner};

/// A parser, samples of what it takes, and what must hold for any bytes.
pub struct Parser {
    /// What it reads.
    pub name: &'static str,
    samples: &'static [&'static str],
    holds: fn(&[u8]),
}

/// All of them.
pub const PARSERS: &[Parser] = &[
    Parser {
        name: "JSON bodies",
        samples: &[
            r#"{"employer":"4021000007","area":"lon","subArea":"supportarende","system":null,"subject":"å","message":"ä","attachments":["01931b2c-7a10-7c3e-9f00-00000000a001"],"language":"sv","followsUp":"2026-000123-3","channel":"telefon","reporter":{"subject":"a","name":"b","email":"c@d.example"}}"#,
            r#"{"text":"Hej","attachments":[],"dueDate":"2026-12-01","kind":"working","answer":"Klart","officer":"olle","area":"ekonomi","reason":"fel","uploadId":"01931b2c-7a10-7c3e-9f00-00000000a001"}"#,
        ],
        holds: json_bodies,
    },
    Parser {
        name: "multipart",
        samples: &[
            "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"lön.pdf\"\r\ncontent-type: application/pdf\r\n\r\n%PDF-1.7\r\n--b--\r\n",
        ],
        holds: multipart,
    },
    Parser {
        name: "file names and Content-Disposition",
        samples: &["lönebesked mars.pdf", "..\\..\\a/b\u{202e}fdp.exe", "\"a\r\nb%\".pdf"],
        holds: file_names,
    },
    Parser {
        name: "access tokens of authorization servers",
        samples: &[
            "eyJhbGciOiJSUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.eyJpc3MiOiJodHRwczovL3Rva2Vucy5leGFtcGxlIn0.AAAA",
        ],
        holds: foreign_tokens,
    },
    Parser {
        name: "case numbers",
        samples: &["2026-000123-3", "20260001233", "2026-1000000-4"],
        holds: case_numbers,
    },
    Parser {
        name: "organisation numbers",
        samples: &["402100-0007", "2021006453"],
        holds: organisation_numbers,
    },
    Parser {
        name: "texts of people",
        samples: &["Anna Öberg", "anna@exempel.example", "Rad ett\r\nrad två"],
        holds: texts,
    },
    Parser {
        name: "query strings",
        samples: &[
            "scope=queue&status=received,closed&area=lon&q=l%C3%B6n&page=2&limit=100&sort=newest&asOf=2026-11-23T12:00:00Z",
        ],
        holds: query_strings,
    },
    Parser {
        name: "headers",
        samples: &[
            "\"3\"",
            "W/\"7\"",
            "*",
            "6f1c0a4e-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "en;q=0.5, sv",
            "application/x-ndjson, */*;q=0.1",
            "multipart/form-data; boundary=b",
            "bytes=0-9",
        ],
        holds: headers,
    },
    Parser {
        name: "tokens",
        samples: &[
            "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJpc3MiOiJrdW5kd2ViYiIsImF1ZCI6Imt1bmR3ZWJiIiwiZXhwIjoxfQ.AAAA",
        ],
        holds: tokens,
    },
    Parser {
        name: "stored events",
        samples: &[
            r#"CaseReceived {"caseNumber":"2026-000123-3","employer":"4021000007","area":"lon","subArea":"beslut-underlag","system":null,"channel":"webb","followsUp":null,"reporter":null,"registeredBy":"6f1d2c3b-4a59-8e70-8d11-000000000001","language":"sv","attachmentIds":[],"storedFiles":[{"size":48213,"storedSha256":"00"}]}"#,
            r#"CaseAssigned {"officer":"6f1d2c3b-4a59-8e70-8d11-000000000001"}"#,
            r#"NotificationSent {"caseId":"01931b2c-7a10-7c3e-9f00-0000000000c1","cause":"x-1","template":"received","messageId":"a@b","attempts":1,"reply":"250"}"#,
        ],
        holds: stored_events,
    },
    Parser {
        name: "configuration",
        samples: &[
            "listen = \"127.0.0.1:8080\"\nphone = \"1\"\n[mail]\ntransport = \"smtp\"\nport = 25\n[files]\nfile_mb = 25\n[web]\nhead_seconds = 5\n",
        ],
        holds: configuration,
    },
];

/// Tries a parser on so many inputs: any bytes, any text, and samples changed at random.
///
/// # Errors
/// The smallest input found for which something does not hold.
pub fn run(parser: &Parser, runs: u32) -> Result<(), String> {
    let config = Runs { cases: runs, failure_persistence: None, max_shrink_iters: 10_000, ..Runs::default() };
    let tried = TestRunner::new(config).run(&inputs(parser.samples), |bytes| {
        let held = std::panic::catch_unwind(|| (parser.holds)(&bytes));
        held.map_err(|_| TestCaseError::fail("a panic"))
    });
    tried.map_err(|error| match error {
        TestError::Fail(_, bytes) => {
            format!("{}: {bytes:?} {}", parser.name, String::from_utf8_lossy(&bytes))
        }
        TestError::Abort(reason) => format!("{}: {reason}", parser.name),
    })
}

/// Any bytes, any text, and samples with some bytes changed, left out, put in or said again.
fn inputs(samples: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<u8>(), any::<u16>(), any::<u8>());
    let changed = (proptest::sample::select(samples), prop::collection::vec(change, 0..6)).prop_map(
        |(sample, changes)| {
            let mut bytes = sample.as_bytes().to_vec();
            for (how, place, byte) in changes {
                let place = usize::from(place) % (bytes.len() + 1);
                match how % 5 {
                    0 if place < bytes.len() => bytes[place] = byte,
                    1 if place < bytes.len() => drop(bytes.remove(place)),
                    2 => bytes.truncate(place),
                    3 => bytes.extend_from_within(place..),
                    _ => bytes.insert(place, byte),
                }
            }
            bytes
        },
    );
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..64),
        1 => ".{0,40}".prop_map(String::into_bytes),
        6 => changed,
    ]
}

fn json_bodies(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let change = |parse: fn(&mut Fields)| {
        if let Ok(mut fields) = Fields::new(value.clone()) {
            parse(&mut fields);
            let _ = fields.finish();
        }
    };
    change(|fields| drop(CreateRequest::read(fields)));
    change(|fields| drop(AssignRequest::read(fields)));
    change(|fields| drop(AddMessageRequest::read(fields).parse(Vec::new())));
    change(|fields| drop(AddNoteRequest::read(fields).parse(Vec::new())));
    change(|fields| drop(AttachRequest::read(fields).parse(Vec::new())));
    change(|fields| drop(CloseRequest::read(fields).parse(Vec::new())));
    change(|fields| drop(ReclassifyRequest::read(fields).parse(Vec::new())));
    change(|fields| drop(RequestInformationRequest::read(fields).parse(Vec::new())));
}

fn multipart(bytes: &[u8]) {
    let request = Request::builder()
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(HttpBody::from(bytes.to_vec()));
    let Ok(request) = request else { return };
    let read = async {
        let mut form = Multipart::from_request(request, &()).await.ok()?;
        let mut total = 0;
        while let Ok(Some(mut field)) = form.next_field().await {
            let _ = safe_name(field.file_name().unwrap_or_default());
            while let Ok(Some(part)) = field.chunk().await {
                total += part.len();
            }
        }
        Some(total)
    };
    let total = read.now_or_never().expect("the whole body is there");
    assert!(total.unwrap_or_default() <= bytes.len());
}

fn file_names(bytes: &[u8]) {
    let name = String::from_utf8_lossy(bytes);
    let safe = safe_name(&name);
    assert!(!safe.is_empty() && safe.chars().count() <= 150 && safe != "." && safe != "..");
    assert!(!safe.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '\u{202a}'..='\u{202e}')));
    assert_eq!(safe_name(&safe), safe, "what is safe stays as it is");
    let disposition = api::download::disposition(&name);
    assert!(HeaderValue::from_str(&disposition).is_ok() && disposition.starts_with("attachment; "));
    assert_eq!(disposition.matches('"').count(), 2, "the name cannot end its quotes");
    let mut content = Content::default();
    content.take(bytes);
    let _ = content.media_type(&safe);
}

fn case_numbers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(number) = CaseNumber::parse(&text) {
        assert_eq!(CaseNumber::parse(&number.to_string()), Ok(number));
    }
}

fn organisation_numbers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(number) = OrganisationNumber::parse(&text) {
        assert_eq!(number.as_str().len(), 10);
        assert_eq!(OrganisationNumber::parse(&number.display()), Some(number));
    }
}

fn texts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(subject) = Subject::parse(&text, "") {
        assert!(subject.as_str().chars().count() <= SUBJECT_MAX && !subject.as_str().contains('\n'));
    }
    if let Ok(body) = Body::parse(&text, "", Code::MessageMissing) {
        assert!(body.as_str().chars().count() <= BODY_MAX);
    }
    if let Ok(email) = Email::parse(&text, "") {
        assert!(email.as_str().contains('@') && !email.as_str().chars().any(char::is_control));
    }
    let _ = PersonName::parse(&text, "");
}

fn query_strings(bytes: &[u8]) {
    let Ok(uri) = format!("/cases?{}", String::from_utf8_lossy(bytes)).parse::<axum::http::Uri>() else {
        return;
    };
    let (mut parts, ()) = Request::new(()).into_parts();
    parts.uri = uri;
    let read = Parameters::from_request_parts(&mut parts, &()).now_or_never();
    let Ok(mut query) = read.expect("nothing is waited for");
    let page = query.number("page", (1, 1000), 1);
    assert!((1..=1000).contains(&page));
    let _ = query.many("status", |code| Some(code.len()));
    let _ = query.one("asOf", |text| text.parse::<chrono::DateTime<chrono::Utc>>().ok());
    let _ = query.text("q");
    let _ = query.finish();
}

fn headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let names = [
        header::IF_MATCH,
        header::ACCEPT,
        header::ACCEPT_LANGUAGE,
        header::CONTENT_TYPE,
        header::RANGE,
        TRACEPARENT,
        header::HeaderName::from_static("idempotency-key"),
        header::HeaderName::from_static("read-after"),
        header::HeaderName::from_static("reason"),
    ];
    let headers: HeaderMap = names.into_iter().map(|name| (name, value.clone())).collect();
    let _ = (IfMatch::read(&headers), reason(&headers), accepts(&headers, "application/json"));
    let _ = (media_type(&headers), read_after(&headers), api::texts::accepted_language(&headers));
    if let Ok(Some(key)) = idempotency_key(&headers) {
        assert!(!key.is_empty() && key.len() <= 255 && key.bytes().all(|byte| byte.is_ascii_graphic()));
    }
    if let Some(trace) = value.to_str().ok().and_then(Trace::go_on) {
        assert_eq!(Trace::go_on(&trace.header()).map(Trace::correlation), Some(trace.correlation()));
    }
}

fn tokens(bytes: &[u8]) {
    static TOKENS: LazyLock<Tokens> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("kundwebb-{}", infrastructure::random::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let keys = Keys::open(Path::new(&folder), true).expect("keys");
        std::fs::remove_dir_all(&folder).expect("a folder");
        Tokens::new(&keys).expect("tokens")
    });
    let token = String::from_utf8_lossy(bytes);
    assert!(TOKENS.check(&token, Clock::System.now()).is_err(), "nobody signed it");
}

fn foreign_tokens(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let said = token::issuer(&text);
    if let Ok(read) = Token::read(&text, &[Algorithm::RS256, Algorithm::ES256]) {
        assert!(read.verify(&[]).is_ok_and(|claims| claims.is_none()), "there is no key");
    }
    assert!(said.is_none() || text.split('.').count() == 3, "a token has three parts");
}

fn stored_events(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((type_name, facts)) = text.split_once(' ') else { return };
    if let Ok(event) = Event::from_stored(type_name, facts, None) {
        let again = Event::from_stored(event.type_name(), &event.facts_json(), None);
        assert_eq!(again.expect("what is written is read"), event);
    }
    let _ = Event::from_stored(
        "MessageAdded",
        r#"{"from":"customer","attachmentIds":[],"storedFiles":[]}"#,
        Some(bytes),
    );
}

fn configuration(bytes: &[u8]) {
    if let Ok(config) = Config::parse(&String::from_utf8_lossy(bytes)) {
        let _ = (config.public_url(), config.limits());
    }
}
