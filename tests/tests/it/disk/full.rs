//! Point 1 b: the disk of the log is full. Clear 503, nothing acknowledged is lost, and it goes on by itself when there is
//! room. Where the rights allow it on a small file system that is really full; and everywhere with a program under
//! which every write of the log finds no space.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::{Acknowledged, Program, Start, live, read_models};
use crate::support::{PDF, new_key};

/// The size of the small file system.
const SMALL: &str = "size=6m";

/// A small file system, for as long as this lives.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// `None` where the rights do not allow it.
    fn new(folder: &'a Path) -> Option<Self> {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", SMALL, "none"]).arg(folder).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(self.0).status());
    }
}

/// Fills the file system to the last byte.
fn fill(ballast: &Path) {
    let mut file = fs::File::create(ballast).unwrap();
    for length in [1 << 16, 1 << 12, 1] {
        while std::io::Write::write_all(&mut file, &vec![7; length]).is_ok() {}
    }
}

/// Files cases until one is not acknowledged; that one is told clearly.
async fn until_refused(program: &Program, known: &mut Acknowledged) {
    loop {
        let answer = program.anna().try_create(&new_key(), &[]).await;
        if let Ok(answer) = &answer
            && !answer.status().is_success()
        {
            assert!(answer.headers().contains_key("retry-after"));
            assert_eq!(answer.headers()["content-type"], "application/problem+json");
        }
        if let Err((status, problem)) = known.note(answer).await {
            assert_eq!(status, 503, "{problem}");
            assert_eq!(
                problem["type"], "/problems/unavailable",
                "it was not done, and that is known: {problem}"
            );
            return;
        }
    }
}

/// It works again, and everything that was acknowledged is there, once, also after a new start.
async fn is_well(program: Program, mut known: Acknowledged, said: &str) {
    live(&program, &mut known).await;
    known.is_in(&program).await;
    assert!(program.until_ready(true).await.contains("ready"));
    let data = program.data.clone();
    let words = program.stop().await;
    assert!(words.contains(said) && words.contains("the log can be written again"), "{words}");
    let program = Program::start(&data).await;
    known.is_in(&program).await;
    let verdict = crate::program::run(&data, &["read-model", "verify"]);
    assert!(verdict.status.success(), "{}", crate::program::words(&verdict));
}

/// On a small file system where the rights allow one. (Elsewhere the test below shows the same.)
#[tokio::test(flavor = "multi_thread")]
async fn a_file_system_that_is_full_refuses_clearly_and_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_mounted) = Mounted::new(folder.path()) else {
        return no_space_for_any_write_of_the_log().await;
    };
    let data = folder.path().join("data");
    let program = Program::start(&data).await;
    let mut known = Acknowledged::default();
    live(&program, &mut known).await;
    let ballast = folder.path().join("ballast");
    for _ in 0..2 {
        // Whoever has written waits for what was written to be shown, which takes room too.
        let shown = program.olle().request(reqwest::Method::GET, "/cases?scope=queue");
        let shown = shown.header("read-after", known.position).send().await.unwrap();
        assert!(shown.status().is_success());
        fill(&ballast);
        until_refused(&program, &mut known).await;
        assert!(program.until_ready(false).await.contains("disk is full"));
        let upload = program.anna().try_upload(PDF).await.unwrap();
        assert_eq!(upload.status(), 503, "nor is a file taken");
        let read = program.olle().get("/cases?scope=queue").await;
        assert!(read.status().is_success(), "reading goes on");
        let check = crate::program::run(&data, &["check"]);
        let words = crate::program::words(&check);
        assert!(words.contains("FAIL  disk: 0 MB free") && words.contains("FAIL  folder: "), "{words}");
        fs::remove_file(&ballast).unwrap();
        program.until_ready(true).await;
        known.note(program.anna().try_create(&new_key(), &[]).await).await.unwrap();
    }
    is_well(program, known, "disk is full").await;
}

/// From its sixtieth write on, and for five writes, the log finds no space; then there is room.
async fn no_space_for_any_write_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let (log, wal) = (folder.path().join("log.db"), folder.path().join("log.db-wal"));
    let trace = folder.path().join("trace");
    let under = [
        "strace",
        "-D",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        trace.to_str().unwrap(),
        "-P",
        log.to_str().unwrap(),
        "-P",
        wal.to_str().unwrap(),
        "-e",
        "trace=pwrite64",
        "-e",
        "inject=pwrite64:error=ENOSPC:when=60..64",
    ];
    let program = Program::start_with(folder.path(), &Start { under: &under, ..Start::default() }).await;
    let mut known = Acknowledged::default();
    until_refused(&program, &mut known).await;
    program.until_ready(true).await;
    is_well(program, known, "disk is full").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_writes_find_no_space_refuses_clearly_and_goes_on_when_there_is_room() {
    no_space_for_any_write_of_the_log().await;
}

/// The read models find no space while the log does: they are behind, the node says so, and they catch up by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn read_models_whose_writes_find_no_space_catch_up_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let wal = read_models(folder.path()).with_extension("db-wal");
    let under = [
        "strace",
        "-D",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-o",
        "/dev/null",
        "-P",
        wal.to_str().unwrap(),
        "-e",
        "inject=pwrite64:error=ENOSPC:when=60..62",
    ];
    let program = Program::start_with(folder.path(), &Start { under: &under, ..Start::default() }).await;
    let mut known = Acknowledged::default();
    let behind = async { program.until_ready(false).await };
    let writing = async {
        loop {
            known.note(program.anna().try_create(&new_key(), &[]).await).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let reason = tokio::select! {
        reason = behind => reason,
        () = writing => unreachable!(),
    };
    assert!(reason.contains("the read models") && reason.contains("disk is full"), "{reason}");
    program.until_ready(true).await;
    live(&program, &mut known).await;
    let list = program.olle().request(reqwest::Method::GET, "/cases?scope=queue");
    let list = list.header("read-after", known.position).send().await.unwrap();
    let list: serde_json::Value = list.json().await.unwrap();
    let shown = list["_meta"]["totalRecords"].as_u64().unwrap();
    assert!(shown >= known.cases.len() as u64, "{shown} of {}", known.cases.len());
    let said = program.stop().await;
    assert!(said.contains("the read models follow the log again"), "{said}");
}
