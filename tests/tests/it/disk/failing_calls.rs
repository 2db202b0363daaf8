//! Point 1 e: every call by which the log is written fails once, with EIO and with ENOSPC, on the real process. A failed
//! sync is never reported as success, the process says that it does not trust the file, goes on by itself, and after a new
//! start everything acknowledged is there once. The calls are counted by thread and by name: the n-th of each fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use infrastructure::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Acknowledged, Program, Start, User, copy_folder};
use crate::support::EXEMPELVERKET;

/// The calls by which a file is written or made durable.
const CALLS: &str = "pwrite64,write,fdatasync,fsync,ftruncate";
/// How many processes are tried at the same time.
const AT_ONCE: usize = 4;
/// How many syncs of a thread are tried.
const SYNCS: usize = 12;
/// How often a caller tries again.
const TRIES: usize = 100;
/// What the scenario leaves in the log, in order of what is done.
const DONE: [&str; 5] =
    ["CaseReceived", "MessageAdded", "ProcessingStarted", "InformationRequested", "CaseClosed"];

/// A data folder in which the program has been once, and the trace of what it does to its log.
struct Place {
    folder: TempDir,
}

impl Place {
    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The calls traced so far, a line each.
    fn trace(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default();
        text.lines().filter(|line| line.contains("log.db")).map(str::to_owned).collect()
    }

    async fn start(&self, inject: Option<&str>) -> Result<Program, String> {
        self.start_injecting(&inject.map(|inject| format!("{CALLS}:{inject}")).unwrap_or_default()).await
    }

    /// Injects faults into calls, `calls:fault`, if any.
    async fn start_injecting(&self, inject: &str) -> Result<Program, String> {
        let files = ["log.db", "log.db-wal", "log.db-shm"].map(|name| self.data().join(name));
        let inject = (!inject.is_empty()).then(|| format!("inject={inject}"));
        let trace = self.folder.path().join("trace");
        let calls = format!("trace={CALLS}");
        let mut under =
            vec!["strace", "-D", "-f", "--seccomp-bpf", "-qq", "-y", "-o", path(&trace), "-e", &calls];
        under.extend(files.iter().flat_map(|file| ["-P", path(file)]));
        under.extend(inject.iter().flat_map(|inject| ["-e", inject]));
        Program::try_start(&self.data(), &Start { under: &under, ..Start::default() }).await
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder with one start behind it, so that its log has its tables.
async fn begun() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    Program::start(folder.path()).await.stop().await;
    folder
}

fn place(begun: &TempDir) -> Place {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    copy_folder(begun.path(), &place.data());
    place
}

/// One command under a key, tried again until it is acknowledged. Every other answer must say that it is not.
async fn insist(
    user: &User<'_>,
    known: &mut Acknowledged,
    refused: &mut Vec<String>,
    (path, version, body): (&str, Option<u64>, Value),
) -> Value {
    for _ in 0..TRIES {
        let mut request = user.request(Method::POST, path).header("idempotency-key", path).json(&body);
        if let Some(version) = version {
            request = request.header("if-match", version);
        }
        match known.note(request.send().await).await {
            Ok(outcome) => return outcome,
            Err((status, problem)) => {
                assert_eq!(status, 503, "{path}: {problem}");
                refused.push(problem["type"].as_str().unwrap().to_owned());
            }
        }
    }
    panic!("{path} was never acknowledged: {refused:?}");
}

/// Five commands of one case. What was refused on the way comes back.
async fn scenario(program: &Program, known: &mut Acknowledged) -> Vec<String> {
    let (anna, olle) = (program.anna(), program.olle());
    let due = (Clock::System.now() + TimeDelta::days(7)).date_naive().to_string();
    let mut refused = Vec::new();
    let body = json!({"employer": EXEMPELVERKET, "area": "ekonomi", "subject": "En faktura", "message": "Vem betalar?"});
    let mut case = insist(&anna, known, &mut refused, ("/cases", None, body)).await;
    for (user, what, body) in [
        (&anna, "messages", json!({"text": "Det brådskar."})),
        (&olle, "start-processing", json!({})),
        (&olle, "request-information", json!({"text": "Vilken faktura?", "dueDate": due})),
        (&olle, "close", json!({"answer": "Ni betalar."})),
    ] {
        let path = format!("/cases/{}/{what}", case["id"].as_str().unwrap());
        case = insist(user, known, &mut refused, (&path, case["version"].as_u64(), body)).await;
    }
    refused
}

/// What came of one try.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// The call never came.
    NotReached,
    /// It failed before the program was ready, which it said and ended.
    RefusedToStart,
    /// Callers were told, and it went on.
    Told,
    /// Nobody was harmed.
    Unharmed,
}

async fn one(begun: &TempDir, call: usize, error: &str) -> Came {
    let at = format!("{error} at call {call}");
    let place = place(begun);
    let mut known = Acknowledged::default();
    let came = match place.start(Some(&format!("error={error}:when={call}"))).await {
        Err(said) => {
            assert!(said.contains("kundwebb: "), "{at}: {said}");
            Came::RefusedToStart
        }
        Ok(program) => {
            let before = place.trace().len();
            let refused = scenario(&program, &mut known).await;
            program.until_ready(true).await;
            let after = place.trace().len();
            let said = program.stop().await;
            let trace = place.trace();
            let injected = trace.iter().position(|line| line.contains("(INJECTED)"));
            let in_work = injected.filter(|place| (before..after).contains(place));
            // What failed while it worked, in the files that hold the commands, is never passed over in silence.
            if in_work.is_some_and(|place| !trace[place].contains("log.db-shm")) {
                let words = ["is not trusted until it has been settled", "the log cannot be written"];
                assert!(words.iter().any(|words| said.contains(words)), "{at}: {said}");
            }
            match injected {
                None => Came::NotReached,
                Some(_) if refused.is_empty() => Came::Unharmed,
                Some(_) => Came::Told,
            }
        }
    };
    let program = Program::start(&place.data()).await;
    if came == Came::RefusedToStart {
        scenario(&program, &mut known).await;
    }
    known.is_in(&program).await;
    let case = known.cases.keys().next().unwrap();
    let events = program.events().await;
    let types: Vec<&str> = events
        .iter()
        .filter(|event| event["streamId"] == **case)
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!((types.as_slice(), known.cases.len()), (DONE.as_slice(), 1), "{at}: done once each");
    let received = events.iter().filter(|event| event["type"] == "CaseReceived").count();
    assert_eq!(received, 1, "{at}: nothing is doubled");
    program.stop().await;
    came
}

/// A command that callers were told was not done is not there, though the process is killed at once and everything that
/// was written, but not made durable, is read again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_not_to_be_done_does_not_come_back_after_a_kill() {
    let begun = begun().await;
    let tries = stream::iter(1..=SYNCS).map(|sync| told_and_killed(&begun, sync));
    let told: Vec<bool> = tries.buffer_unordered(AT_ONCE).collect().await;
    assert!(told.contains(&true), "a sync failed while a command was under way");
}

/// Whether a caller was told that a command was not done.
async fn told_and_killed(begun: &TempDir, sync: usize) -> bool {
    let place = place(begun);
    let inject = format!("fdatasync,fsync:error=EIO:when={sync}");
    let Ok(program) = place.start_injecting(&inject).await else { return false };
    let mut told = Vec::new();
    for key in 0..6 {
        let answer = program.anna().try_create(&format!("key-{key}"), &[]).await.unwrap();
        let status = answer.status();
        let body: Value = answer.json().await.unwrap();
        told.push((status, body));
        if !status.is_success() {
            break;
        }
    }
    program.kill().await;
    let program = Program::start(&place.data()).await;
    let cases = program.events().await.iter().filter(|event| event["type"] == "CaseReceived").count();
    let done = told.iter().filter(|(status, _)| status.is_success()).count();
    let last = &told[told.len() - 1].1["type"];
    let unknown = usize::from(last == "/problems/outcome.unknown");
    assert!((done..=done + unknown).contains(&cases), "sync {sync}: {cases} cases after {told:?}");
    program.stop().await;
    last == "/problems/unavailable"
}

/// How often the call was made that one thread made most often: so are they counted. How many there are in all depends on
/// what comes together in a batch.
fn busiest(trace: &[String]) -> usize {
    let mut calls: BTreeMap<&str, usize> = BTreeMap::new();
    // Each call begins one line: `thread name(…`; its end may stand on another.
    for call in trace.iter().filter_map(|line| line.split_once('(')).map(|(call, _)| call) {
        *calls.entry(call).or_default() += 1;
    }
    calls.into_values().max().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_that_writes_the_log_fails_once() {
    let begun = begun().await;
    let place = place(&begun);
    let program = place.start(None).await.unwrap();
    scenario(&program, &mut Acknowledged::default()).await;
    program.stop().await;
    let calls = busiest(&place.trace());
    assert!(calls > 20, "the calls are traced: {calls}");
    let tries = (1..=calls).flat_map(|call| ["EIO", "ENOSPC"].map(|error| (call, error)));
    let mut came: Vec<Came> = stream::iter(tries)
        .map(|(call, error)| one(&begun, call, error))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    came.sort();
    let count = |kind: Came| came.iter().filter(|came| **came == kind).count();
    println!(
        "{calls} calls, {} tries: {} refused to start, {} told, {} unharmed, {} not reached",
        came.len(),
        count(Came::RefusedToStart),
        count(Came::Told),
        count(Came::Unharmed),
        count(Came::NotReached)
    );
    assert!(count(Came::Told) > calls / 2 && count(Came::NotReached) < calls / 2, "{came:?}");
}
