//! The main job in a real browser, without JavaScript and with it, on wide and narrow screens: `browser/journey.mjs`
//! does it and looks at every page with axe; here stand the program that it meets, and its clock.

mod every;
mod trouble;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use chrono::TimeDelta;
use infrastructure::Clock;

use crate::support::TestApp;

/// How long the whole journey may take.
const PATIENCE: Duration = Duration::from_secs(1200);

/// What must be there, and how it is installed.
const NEEDED: &str = "The browser's tests need Node.js 20 or newer, Chromium, and packages from npm:\n  \
    apt-get install nodejs npm chromium-headless-shell        (or another Chromium: set CHROMIUM)\n  \
    cd tests/browser && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM")
        .map_or_else(|| PathBuf::from("/usr/bin/chromium-headless-shell"), PathBuf::from)
}

/// Where the pictures of the pages are kept: `PICTURES`, or else beside what is built.
fn pictures() -> PathBuf {
    std::env::var_os("PICTURES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pictures"), PathBuf::from)
}

/// A journey under way: a script of `browser/`, and what it is told. It is ended when this is dropped.
pub(crate) struct Journey(Child);

impl Journey {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        assert!(chromium().exists() && folder().join("node_modules/playwright-core").exists(), "{NEEDED}");
        let mut command = Command::new("node");
        command.args(arguments).current_dir(folder());
        command.env("PICTURES", pictures());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap_or_else(|error| panic!("{error}\n{NEEDED}")))
    }

    /// Goes with it to its end, which must be well and come in time, and does what it asks for, line by line.
    pub(crate) async fn ends_well(self, done: impl FnMut(&str) -> String + Send + 'static) {
        let process = self.0.id().to_string();
        let mut talk = tokio::task::spawn_blocking(move || self.talk(done));
        let Ok(ended) = tokio::time::timeout(PATIENCE, &mut talk).await else {
            // Only then the talk ends, too.
            Command::new("kill").args(["-s", "KILL", &process]).status().unwrap();
            panic!("the journey does not end: {}", talk.await.unwrap().1);
        };
        let (status, said) = ended.unwrap();
        assert!(status.success(), "{said}");
    }

    fn talk(mut self, mut done: impl FnMut(&str) -> String) -> (ExitStatus, String) {
        let (asks, mut told) = (self.0.stdout.take().unwrap(), self.0.stdin.take().unwrap());
        let errors = self.0.stderr.take().unwrap();
        let said = std::thread::spawn(move || std::io::read_to_string(errors).unwrap());
        for line in BufReader::new(asks).lines() {
            writeln!(told, "{}", done(&line.unwrap())).unwrap();
        }
        drop(told);
        (self.0.wait().unwrap(), said.join().unwrap())
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Moves a clock for a journey.
pub(crate) fn passing(clock: &Clock) -> impl FnMut(&str) -> String + Send + 'static {
    let clock = clock.clone();
    move |line| {
        let minutes = line.strip_prefix("pass ").unwrap_or_else(|| panic!("the journey says: {line}"));
        clock.set(clock.now() + TimeDelta::minutes(minutes.parse().unwrap()));
        "passed".to_owned()
    }
}

/// A journey through a demo, which must end well.
async fn goes(script: &str) {
    let app = TestApp::start_with(|config| config.demo.enabled = true).await;
    Journey::start(&[script, &app.url]).ends_well(passing(&app.clock)).await;
    // Files that were uploaded and taken away again wait for the cleaner.
    app.leaves_staged(app.staged());
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_is_a_draft_however_one_leaves_and_comes_back() {
    goes("drafts.mjs").await;
}
