//! The main job in a real browser, without JavaScript and with it, on wide and narrow screens: `browser/journey.mjs`
//! does it and looks at every page with axe; here stand the program that it meets, and its clock.

mod every;
mod trouble;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use infrastructure::Clock;

use crate::support::TestApp;

/// How long the whole journey may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1200);

/// What must be there, and how it is installed.
const NEEDED: &str = "The browser's tests need Node.js 20 or newer, Chromium, and packages from npm:\n  \
    apt-get install nodejs npm chromium        (another place than /usr/bin/chromium: set CHROMIUM)\n  \
    cd tests/browser && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from)
}

/// Where the pictures of the pages are kept: `PICTURES`, or else beside what is built.
fn pictures() -> PathBuf {
    std::env::var_os("PICTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures"), PathBuf::from)
}

/// Begins a journey: a script of `browser/` and what it is told.
pub(crate) fn start(arguments: &[&str]) -> Child {
    assert!(chromium().exists() && folder().join("node_modules/playwright-core").exists(), "{NEEDED}");
    let mut command = Command::new("node");
    command.args(arguments).current_dir(folder());
    command.env("PICTURES", pictures());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap_or_else(|error| panic!("{error}\n{NEEDED}"))
}

/// Goes with a journey to its end, and does what it asks for, line by line.
pub(crate) fn talk(mut journey: Child, mut done: impl FnMut(&str) -> String) -> Output {
    let (asks, mut told) = (journey.stdout.take().unwrap(), journey.stdin.take().unwrap());
    for line in BufReader::new(asks).lines() {
        writeln!(told, "{}", done(&line.unwrap())).unwrap();
    }
    drop(told);
    journey.wait_with_output().unwrap()
}

/// Goes with a journey to its end, and moves the clock for it.
pub(crate) fn accompany(journey: Child, clock: &Clock) -> Output {
    talk(journey, |line| {
        let minutes = line.strip_prefix("pass ").unwrap_or_else(|| panic!("the journey says: {line}"));
        clock.set(clock.now() + TimeDelta::minutes(minutes.parse().unwrap()));
        "passed".to_owned()
    })
}

/// A journey through a demo, which must end well.
async fn goes(script: &str) {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    let journey = start(&[script, &app.url]);
    let (clock, process) = (app.clock.clone(), journey.id());
    let journey = tokio::task::spawn_blocking(move || accompany(journey, &clock));
    let output = tokio::time::timeout(PATIENCE, journey).await;
    let output = output.unwrap_or_else(|_| panic!("the journey, process {process}, does not end")).unwrap();
    // Files that were uploaded and taken away again wait for the cleaner.
    app.leaves_staged(app.staged());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_employee_files_a_case_and_reads_the_answer() {
    goes("journey.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_pages_say_is_written() {
    goes("editing.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_status_is_met_drafts_are_kept_and_settings_chosen() {
    goes("news.mjs").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_job_is_done_by_keyboard_alone() {
    goes("keyboard.mjs").await;
}
