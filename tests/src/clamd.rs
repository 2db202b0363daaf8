//! ClamAV's real daemon with signatures of its own: the EICAR test file, and a text that no honest file holds. Only the
//! program must be there (Debian: `clamav-daemon`); nothing is fetched.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

/// How long it may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// What it says last before it answers.
const READY_LINE: &str = "Self checking";
/// A text that is found in whatever holds it, as it stands.
pub const MARKER: &str = "kundwebb-malicious-marker";
/// The EICAR test file in halves, so that no scanner stops at this one.
pub const EICAR: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-", "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
/// The MD5 of the whole, by which it is known, and its size.
const EICAR_SIGNATURE: &str = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test\n";

/// The daemon, running or not. When it is dropped, it is gone.
pub struct Clamd {
    folder: TempDir,
    running: Option<Child>,
}

impl Clamd {
    /// One that does not run yet.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let signatures = folder.path().join("signatures");
        std::fs::create_dir(&signatures)?;
        std::fs::write(signatures.join("test.hdb"), EICAR_SIGNATURE)?;
        let marker: String = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
        std::fs::write(signatures.join("test.ndb"), format!("Kundwebb.Test:0:*:{marker}\n"))?;
        Ok(Self { folder, running: None })
    }

    /// One that runs, as its settings should be.
    ///
    /// # Errors
    /// When the program is not there or does not start.
    pub fn start() -> anyhow::Result<Self> {
        let mut clamd = Self::new()?;
        clamd.run(&GOOD)?;
        Ok(clamd)
    }

    /// Where it listens, as the setting `scan.address` names it.
    pub fn address(&self) -> String {
        format!("unix:{}", self.folder.path().join("socket").display())
    }

    /// Starts it with further settings, and waits until it answers.
    ///
    /// # Errors
    /// As [`Clamd::start`].
    pub fn run(&mut self, settings: &[&str]) -> anyhow::Result<()> {
        let folder = self.folder.path();
        let path = |name: &str| folder.join(name).display().to_string();
        let mut lines = vec![
            format!("DatabaseDirectory {}", path("signatures")),
            format!("TemporaryDirectory {}", path("")),
            format!("LocalSocket {}", path("socket")),
            "Foreground yes".to_owned(),
        ];
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            lines.push("User root".to_owned());
        }
        lines.extend(settings.iter().map(ToString::to_string));
        std::fs::write(folder.join("clamd.conf"), lines.join("\n") + "\n")?;
        let mut command = Command::new(program());
        command.arg("--config-file").arg(folder.join("clamd.conf"));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("clamd cannot be run; on Debian: apt-get install clamav-daemon")?;
        let stdout = child.stdout.take().context("its output is not at hand")?;
        self.running = Some(child);
        let (ready, wait) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.starts_with(READY_LINE) {
                    let _ = ready.send(());
                }
            }
        });
        ensure!(wait.recv_timeout(READY).is_ok(), "clamd did not get ready");
        Ok(())
    }

    /// Sends it a signal, by name: `STOP` makes it hang, `CONT` go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let id = self.running.as_ref().context("it does not run")?.id();
        ensure!(Command::new("kill").args(["-s", name, &id.to_string()]).status()?.success(), "no {name}");
        Ok(())
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// As an installation should be set up: no file that may be attached is too large, and what cannot be looked into is said.
pub const GOOD: [&str; 3] = ["AlertEncrypted yes", "AlertExceedsMax yes", "StreamMaxLength 26M"];

impl Drop for Clamd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// It lies where not everybody's path leads.
fn program() -> PathBuf {
    let usual = Path::new("/usr/sbin/clamd");
    if usual.exists() { usual.to_path_buf() } else { PathBuf::from("clamd") }
}
