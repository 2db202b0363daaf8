//! The real program in a process of its own, on a data folder: started, stopped, held and killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

/// How long the program may take to be ready.
const READY: Duration = Duration::from_secs(120);
/// What it says then, before its address.
const READY_LINE: &str = "Kundwebb is ready: http://";

/// The program, running. When it is dropped, it is killed.
pub struct Service {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
    said: Arc<Mutex<Vec<String>>>,
    listening: Option<JoinHandle<()>>,
}

/// The program itself, built as this program was built (with or without `--release`).
///
/// # Errors
/// When it cannot be built.
pub fn program() -> anyhow::Result<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| build().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

/// The folder in which this program was built, with or without `--release`.
pub(crate) fn build_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own
        .ancestors()
        .find(|folder| folder.file_name().is_some_and(|name| name == "debug" || name == "release"));
    let folder = folder.with_context(|| format!("{} lies in no folder of a build", own.display()))?;
    Ok(folder.to_path_buf())
}

fn build() -> anyhow::Result<PathBuf> {
    let folder = build_folder()?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--locked"]);
    if folder.ends_with("release") {
        command.args(["--release", "--package", "kundwebb", "--bin", "kundwebb"]);
    } else {
        // Of all that `cargo test` has built with the same features only the program itself is left to link.
        command.args(["--workspace", "--all-targets"]);
    }
    command.arg("--target-dir").arg(folder.parent().unwrap_or(&folder));
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().context("cargo cannot be run")?;
    ensure!(status.success(), "the program cannot be built");
    Ok(folder.join("kundwebb"))
}

/// Runs a subcommand on a data folder and gives what it printed; its exit code is the caller's to judge.
///
/// # Errors
/// When it cannot be run.
pub fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
    let mut command = Command::new(program()?);
    command.args(arguments).arg("--data").arg(folder);
    command.output().context("the program cannot be run")
}

/// A bearer token for a subject, with further flags.
///
/// # Errors
/// When none is given.
pub fn token(folder: &Path, role: &str, subject: &str, flags: &[&str]) -> anyhow::Result<String> {
    let mut arguments = vec!["token", "--as", role, "--subject", subject, "--ttl", "24h"];
    arguments.extend(flags);
    let output = run(folder, &arguments)?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Service {
    /// Starts it as an empty demo on a folder and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before, with what it said.
    pub fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::start_with(Command::new(program()?), folder)
    }

    /// As [`Service::start`], by a command that ends where the program's flags begin: the program itself with other
    /// environment variables, or another program that runs it.
    ///
    /// # Errors
    /// As [`Service::start`].
    pub fn start_with(command: Command, folder: &Path) -> anyhow::Result<Self> {
        let (mut service, ready) = Self::launch(command, folder)?;
        match ready.recv_timeout(READY) {
            Ok(address) => service.address = address,
            Err(_) => bail!("the program did not get ready:\n{}", service.said().join("\n")),
        }
        Ok(service)
    }

    /// Starts it on a folder and kills it after `life`, mostly before it is ready. Gives whether it was not ready yet.
    ///
    /// # Errors
    /// When it cannot be run, or ends by itself before.
    pub fn cut_start(folder: &Path, life: Duration) -> anyhow::Result<bool> {
        let (mut service, ready) = Self::launch(Command::new(program()?), folder)?;
        let early = match ready.recv_timeout(life) {
            Ok(_) => false,
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the program ended while it started:\n{}", service.said().join("\n"))
            }
        };
        service.kill()?;
        Ok(early)
    }

    /// The program on its way, and where its address is told once it is ready.
    fn launch(mut command: Command, folder: &Path) -> anyhow::Result<(Self, Receiver<SocketAddr>)> {
        let flags: [&OsStr; 7] = [
            "serve".as_ref(),
            "--listen".as_ref(),
            "127.0.0.1:0".as_ref(),
            "--demo-cases".as_ref(),
            "0".as_ref(),
            "--data".as_ref(),
            folder.as_ref(),
        ];
        command.args(flags).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().context("the program cannot be run")?;
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let (ready, listening) = listen(&mut child, &said)?;
        let service = Self {
            child,
            address: SocketAddr::from(([0; 4], 0)),
            folder: folder.to_path_buf(),
            said,
            listening: Some(listening),
        };
        Ok((service, ready))
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said on standard error so far.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a signal, by name: `STOP`, `CONT`, `TERM`.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status()?;
        ensure!(sent.success(), "the signal {name} was not taken");
        Ok(())
    }

    /// Kills it at once, as a loss of power to the process.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.wait().map(drop)
    }

    /// Tells it to stop and waits until it has.
    ///
    /// # Errors
    /// When it cannot be told or waited for.
    pub fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.signal("TERM")?;
        self.wait()
    }

    /// Waits until it has ended and all that it said is known.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        let status = self.child.wait()?;
        if let Some(listening) = self.listening.take() {
            drop(listening.join());
        }
        Ok(status)
    }

    /// A figure of `/proc/<pid>/status`, kB: `VmRSS`, `VmHWM`.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn memory(&self, figure: &str) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.with_context(|| format!("no {figure} in the status of the process"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Keeps what the program says, and tells its address once it is ready.
fn listen(
    child: &mut Child,
    said: &Arc<Mutex<Vec<String>>>,
) -> anyhow::Result<(Receiver<SocketAddr>, JoinHandle<()>)> {
    let stderr = child.stderr.take().context("standard error is not at hand")?;
    let (ready, wait) = channel();
    let said = Arc::clone(said);
    let listening = std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if let Some(address) = line.strip_prefix(READY_LINE).and_then(|address| address.parse().ok()) {
                let _ = ready.send(address);
            }
            said.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    Ok((wait, listening))
}
