//! A private PostgreSQL: a cluster in a folder of its own, run by the tests that need it and thrown away with the last of
//! them. Nothing must run beforehand; only the programs must be there (Debian: `postgresql`, `pgbouncer`).

mod bouncer;

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

pub use bouncer::Bouncer;

/// The role that owns every database of a cluster.
pub const OWNER: &str = "owner";
/// How long the server may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// What it says then.
const READY_LINE: &str = "database system is ready to accept";
/// How long a process that was killed may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// A PostgreSQL server with a data folder of its own. When it is dropped, both are gone.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// User and group under which it runs: PostgreSQL refuses root.
    account: Option<(u32, u32)>,
    port: u16,
    settings: Vec<String>,
    server: Mutex<Option<Child>>,
    databases: AtomicUsize,
}

impl Cluster {
    /// The cluster of this process for tests that ask nothing of it but SQL: it need not survive anything.
    ///
    /// # Errors
    /// When PostgreSQL is not there, or does not start.
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let quick = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=400"];
        let made = Arc::new(Self::start(&quick)?);
        *shared = Arc::downgrade(&made);
        Ok(made)
    }

    /// A new cluster, running, with further settings (`name=value`).
    ///
    /// # Errors
    /// As [`Cluster::shared`].
    pub fn start(settings: &[&str]) -> anyhow::Result<Self> {
        Self::start_in(&std::env::temp_dir(), settings)
    }

    /// As [`Cluster::start`], with its folder inside another: on a file system of the caller's choice.
    ///
    /// # Errors
    /// As [`Cluster::shared`].
    pub fn start_in(parent: &Path, settings: &[&str]) -> anyhow::Result<Self> {
        let cluster = Self::empty(parent, settings)?;
        let made = cluster
            .program("initdb")
            .args(["--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync", "--username", OWNER])
            .arg("--pgdata")
            .arg(cluster.data())
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.run()?;
        Ok(cluster)
    }

    /// A standby of this server, running, under a name; the server goes on alone until [`Cluster::wait_for`] is called.
    ///
    /// # Errors
    /// As [`Cluster::shared`].
    pub fn standby(&self, name: &str, settings: &[&str]) -> anyhow::Result<Self> {
        let cluster_name = format!("cluster_name={name}");
        let standby = Self::empty(&std::env::temp_dir(), &[settings, &[cluster_name.as_str()]].concat())?;
        let copied = standby
            .program("pg_basebackup")
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--dbname"])
            .arg(self.url("postgres"))
            .arg("--pgdata")
            .arg(standby.data())
            .output()?;
        ensure!(copied.status.success(), "pg_basebackup: {}", String::from_utf8_lossy(&copied.stderr));
        standby.run()?;
        Ok(standby)
    }

    /// From now on every commit waits until the standby of this name has it on its disk, too.
    ///
    /// # Errors
    /// When the standby does not follow.
    pub fn wait_for(&self, standby: &str) -> anyhow::Result<()> {
        self.set("synchronous_standby_names", standby)?;
        let follows = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        let until = Instant::now() + READY;
        while self.sql("postgres", follows)? != "1" {
            ensure!(Instant::now() < until, "the standby {standby} does not follow");
        }
        Ok(())
    }

    /// Changes a setting of the running server.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn set(&self, setting: &str, value: &str) -> anyhow::Result<()> {
        self.sql("postgres", &format!("ALTER SYSTEM SET {setting} = '{value}'"))?;
        self.sql("postgres", "SELECT pg_reload_conf()").map(drop)
    }

    /// Makes a standby the server that is written.
    ///
    /// # Errors
    /// When it is none.
    pub fn promote(&self) -> anyhow::Result<()> {
        let promoted = self.sql("postgres", "SELECT pg_promote(true, 60)")?;
        ensure!(promoted == "t", "the standby was not promoted");
        Ok(())
    }

    /// A cluster without data.
    fn empty(parent: &Path, settings: &[&str]) -> anyhow::Result<Self> {
        let programs = programs()?;
        let (folder, account) = own_folder(parent)?;
        Ok(Self {
            folder,
            programs,
            account,
            port: free_port()?,
            settings: settings.iter().map(|&setting| setting.to_owned()).collect(),
            server: Mutex::default(),
            databases: AtomicUsize::default(),
        })
    }

    /// Starts the server, where it does not run, and waits until it is ready.
    ///
    /// # Errors
    /// When it ends before, with what it said.
    pub fn run(&self) -> anyhow::Result<()> {
        let mut command = self.program("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()])
            .arg("-k")
            .arg(self.folder.path());
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "timezone=UTC"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let stderr = child.stderr.take().context("standard error is not at hand")?;
        let (said, heard) = channel();
        std::thread::spawn(move || {
            // Read to the end, also when nobody listens any more: a full pipe would stop the server.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(child);
        let mut words = Vec::new();
        while let Ok(line) = heard.recv_timeout(READY) {
            let ready = line.contains(READY_LINE);
            words.push(line);
            if ready {
                return Ok(());
            }
        }
        bail!("PostgreSQL did not get ready:\n{}", words.join("\n"))
    }

    /// Sends the server a signal and waits until it has ended: `INT` stops it, `QUIT` ends it at once, `KILL` kills it.
    ///
    /// # Errors
    /// When it does not run.
    pub fn end(&self, signal: &str) -> anyhow::Result<()> {
        let child = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut child = child.context("the server does not run")?;
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status()?;
        ensure!(sent.success(), "the signal {signal} was not taken");
        child.wait()?;
        Ok(())
    }

    /// Whether the server runs; it may have ended by itself.
    pub fn is_running(&self) -> bool {
        let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Kills the server with all its processes, as a loss of power does: none is left that could write.
    ///
    /// # Errors
    /// When it does not run, or something of it is left.
    pub fn kill(&self) -> anyhow::Result<()> {
        let child = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut child = child.context("the server does not run")?;
        let id = child.id().to_string();
        // Stopped, it starts no more processes while they are listed.
        ensure!(Command::new("kill").args(["-s", "STOP", &id]).status()?.success(), "it cannot be stopped");
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let children: Vec<&str> = children.split_whitespace().collect();
        child.kill()?;
        Command::new("kill").args(["-s", "KILL"]).args(&children).stderr(Stdio::null()).status()?;
        child.wait()?;
        let until = Instant::now() + GONE;
        while children.iter().any(|id| runs(id)) {
            ensure!(Instant::now() < until, "processes of the server are left");
            std::thread::yield_now();
        }
        Ok(())
    }

    /// A new, empty database; gives its address.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn database(&self) -> anyhow::Result<String> {
        let name = format!("d{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// The address of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }

    /// The TCP port on 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the cluster's data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Runs SQL as the owner, and gives what it says.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn sql(&self, database: &str, sql: &str) -> anyhow::Result<String> {
        let output = self
            .program("psql")
            .args(["-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql])
            .output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A program of PostgreSQL, run under the account of the cluster.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.end("QUIT");
    }
}

/// Whether a process is there and not dead.
fn runs(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// The address of a database that several servers hold.
pub fn several(servers: &[&Cluster], database: &str) -> String {
    let hosts: Vec<String> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    format!("postgres://{OWNER}@{}/{database}?target_session_attrs=read-write", hosts.join(","))
}

/// A TCP port on 127.0.0.1 that is free.
/// A port that nothing else of this process is given: a server that was killed still has its own. It is below those that
/// the system gives to whoever asks for any.
fn free_port() -> anyhow::Result<u16> {
    static GIVEN: AtomicUsize = AtomicUsize::new(0);
    let first = usize::try_from(std::process::id())? * 100;
    for _ in 0..1000 {
        let port = u16::try_from(10_000 + (first + GIVEN.fetch_add(1, Ordering::Relaxed)) % 20_000)?;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// A folder for a server, and the account under which it runs.
fn own_folder(parent: &Path) -> anyhow::Result<(TempDir, Option<(u32, u32)>)> {
    let folder = tempfile::tempdir_in(parent)?;
    let account = account()?;
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755))?;
    if let Some((user, group)) = account {
        chown(folder.path(), Some(user), Some(group))?;
    }
    Ok((folder, account))
}

/// Whether PostgreSQL is there.
pub fn is_installed() -> bool {
    programs().is_ok()
}

/// The folder of PostgreSQL's programs: `KUNDWEBB_POSTGRES_BIN`, what `pg_config` says, or Debian's newest.
fn programs() -> anyhow::Result<PathBuf> {
    let named = std::env::var_os("KUNDWEBB_POSTGRES_BIN").map(PathBuf::from);
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut debian: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    debian.sort_by_key(|folder| version_of(folder));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::split_paths(&path).collect::<Vec<_>>();
    let found = named.into_iter().chain(debian.into_iter().rev()).chain(path);
    let found =
        found.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    found.context("PostgreSQL is missing: install it (Debian: apt-get install postgresql), or name the folder of its programs in KUNDWEBB_POSTGRES_BIN")
}

fn version_of(folder: &Path) -> u32 {
    let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

/// Root runs the server as somebody else.
fn account() -> anyhow::Result<Option<(u32, u32)>> {
    let id = |arguments: &[&str]| -> anyhow::Result<Option<u32>> {
        let output = Command::new("id").args(arguments).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok().filter(|_| output.status.success()))
    };
    if id(&["-u"])? != Some(0) {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let (Some(user), Some(group)) = (id(&["-u", name])?, id(&["-g", name])?) {
            return Ok(Some((user, group)));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither an account postgres nor nobody")
}
