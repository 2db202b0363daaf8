//! A filled folder in the real program: building the read models, starting, and what a reader waits for.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tests::http::{Connection, request};
use tests::service::{self, Service};
use tokio::time::Instant;

use crate::cases;
use crate::filling::Filled;
use crate::times::{Times, a_second};

/// How often each thing is read.
const READS: u64 = 1000;

/// What was measured on a folder.
pub(crate) struct Read {
    pub(crate) filled: Filled,
    /// Events a second into all read models, from an empty file.
    pub(crate) replay: f64,
    /// From the start of the process until it is ready, with everything built.
    pub(crate) start: Duration,
    /// Memory of the process when nothing is asked of it, kB.
    pub(crate) idle: u64,
    /// Memory after all reads, kB.
    pub(crate) after: u64,
    /// Sizes of the files, bytes.
    pub(crate) log_bytes: u64,
    pub(crate) read_bytes: u64,
    /// How long each kind of read took.
    pub(crate) times: Vec<(&'static str, Times)>,
}

/// Starts the program on a folder without read models, then with them, and reads.
pub(crate) async fn read(folder: &Path, filled: Filled) -> anyhow::Result<Read> {
    service::program()?;
    let began = Instant::now();
    Service::start(folder)?.stop()?;
    let built = began.elapsed();
    let began = Instant::now();
    let mut service = Service::start(folder)?;
    let start = began.elapsed();
    let idle = service.memory("VmRSS")?;
    let times = times(&service, filled.cases).await?;
    let after = service.memory("VmRSS")?;
    service.stop()?;
    let (log_bytes, read_bytes) = sizes(folder)?;
    let events = usize::try_from(filled.events)?;
    let replay = a_second(events, built.saturating_sub(start));
    Ok(Read { filled, replay, start, idle, after, log_bytes, read_bytes, times })
}

fn sizes(folder: &Path) -> anyhow::Result<(u64, u64)> {
    let (mut log, mut read) = (0, 0);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (name, bytes) = (entry.file_name().to_string_lossy().into_owned(), entry.metadata()?.len());
        log += if name.starts_with("log.db") { bytes } else { 0 };
        read += if name.starts_with("read-") { bytes } else { 0 };
    }
    Ok((log, read))
}

/// A path, and the header that says who asks.
type Asked<'a> = (String, &'static str, &'a str);

/// A kind of read, and what is asked for each time.
type Kind<'a> = (&'static str, &'a dyn Fn(u64) -> Asked<'a>);

async fn times(service: &Service, cases: u64) -> anyhow::Result<Vec<(&'static str, Times)>> {
    let mut connection = Connection::open(service.address()).await?;
    let officer = service::token(service.folder(), "officer", "officer-1", &["--name", "Olle Provsson"])?;
    let officer = format!("Bearer {officer}");
    let login = cases::login(cases / 2);
    let employer = cases::employer(cases / 2).to_string();
    let employee = service::token(
        service.folder(),
        "employee",
        &login,
        &[
            "--name",
            &format!("{login} Provsson"),
            "--email",
            &format!("{login}@exempel.example"),
            "--employer",
            &employer,
        ],
    )?;
    let employee = format!("Bearer {employee}");
    let cookie = log_in(&mut connection).await?;
    let ids = ids(&mut connection, &officer).await?;
    let id = |number: u64| &ids[usize::try_from(number).unwrap_or_default() % ids.len()];
    let (officer, employee, cookie) = (officer.as_str(), employee.as_str(), cookie.as_str());
    let kinds: [Kind<'_>; 9] = [
        ("mina ärenden, API", &|_| ("/api/v1/cases?scope=mine".to_owned(), "authorization", employee)),
        ("queue, API", &|number| {
            (format!("/api/v1/cases?scope=queue&page={}", number % 50 + 1), "authorization", officer)
        }),
        ("queue by status and area, API", &|_| {
            ("/api/v1/cases?scope=queue&status=received&area=ekonomi".to_owned(), "authorization", officer)
        }),
        ("case, API", &|number| (format!("/api/v1/cases/{}", id(number)), "authorization", officer)),
        ("queue, page", &|_| ("/handlaggare".to_owned(), "cookie", cookie)),
        ("case, page", &|number| (format!("/arenden/{}", id(number)), "cookie", cookie)),
        ("dashboard, API", &|_| ("/api/v1/statistics".to_owned(), "authorization", officer)),
        ("search, a common word", &|_| {
            ("/api/v1/cases?scope=queue&q=fakturan".to_owned(), "authorization", officer)
        }),
        ("search, a number", &|number| {
            let word = number % cases;
            (format!("/api/v1/cases?scope=queue&q=lönen{word}"), "authorization", officer)
        }),
    ];
    let mut all = Vec::new();
    for (what, asked) in kinds {
        let mut times = Times::default();
        for number in 0..READS {
            let (path, name, value) = asked(number);
            let path = path.replace('ö', "%C3%B6");
            let get = request("GET", &path, &[(name, value)], b"");
            let began = Instant::now();
            let answer = connection.send(&get).await?;
            times.add(began.elapsed());
            ensure!(
                answer.status == 200,
                "{what}: {} {}",
                answer.status,
                String::from_utf8_lossy(answer.body)
            );
            if began.elapsed() > Duration::from_millis(300) && number > 20 {
                break;
            }
        }
        all.push((what, times));
    }
    Ok(all)
}

/// Logs in as the demo's officer; gives the cookie.
async fn log_in(connection: &mut Connection) -> anyhow::Result<String> {
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let post = request("POST", "/logga-in", &headers, b"person=olle.handlaggare&till=/");
    let answer = connection.send(&post).await?;
    ensure!(answer.status == 303, "login: {}", answer.status);
    let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
    Ok(cookie.context("no session")?.to_owned())
}

/// The ids of some cases, from all over the queue.
async fn ids(connection: &mut Connection, officer: &str) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    for page in [1, 20, 50, 80, 100] {
        for sort in ["newest", "oldest"] {
            let path = format!("/api/v1/cases?scope=queue&limit=100&page={page}&sort={sort}");
            let answer = connection.send(&request("GET", &path, &[("authorization", officer)], b"")).await?;
            let list: Value = serde_json::from_slice(answer.body)?;
            let cases = list["cases"].as_array().context("no cases")?;
            ids.extend(cases.iter().filter_map(|case| case["id"].as_str().map(str::to_owned)));
        }
    }
    Ok(ids)
}
