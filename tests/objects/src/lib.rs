//! A private S3 server: objects in a folder of its own, under keys that it asks for, thrown away with the last of those
//! who need it. As a process of its own it can be killed and held; as a thread it needs no program beside the test's.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The bucket that there is.
pub const BUCKET: &str = "kundwebb";
/// The region that is asked for.
pub const REGION: &str = "eu-north-1";
/// The name of the key that is asked for.
pub const KEY: &str = "tester";
/// What it opens with.
pub const SECRET: &str = "only for tests";
/// What the program says when it listens.
pub const READY_LINE: &str = "ready";
/// The name of the program.
const PROGRAM: &str = "objects";

/// An S3 server on a port of its own. When it is dropped, it and its objects are gone.
pub struct Objects {
    folder: TempDir,
    program: Option<PathBuf>,
    key: (String, String),
    port: u16,
    server: Mutex<Option<Server>>,
}

/// What serves.
enum Server {
    Process(Child),
    Thread(Runtime),
}

impl Objects {
    /// A server in a process of its own; its program lies beside another that was built with it.
    ///
    /// # Errors
    /// When the program is not there, or does not start.
    pub fn process(beside: &Path) -> anyhow::Result<Self> {
        Self::process_for(beside, (KEY, SECRET))
    }

    /// As [`Objects::process`], for those who have another key: its name, and with what it opens.
    ///
    /// # Errors
    /// As [`Objects::process`].
    pub fn process_for(beside: &Path, key: (&str, &str)) -> anyhow::Result<Self> {
        Self::start(Some(beside.with_file_name(PROGRAM)), key)
    }

    /// A server on threads of this process.
    ///
    /// # Errors
    /// When it does not start.
    pub fn threads() -> anyhow::Result<Self> {
        Self::start(None, (KEY, SECRET))
    }

    fn start(program: Option<PathBuf>, (key, secret): (&str, &str)) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join(BUCKET))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let key = (key.to_owned(), secret.to_owned());
        let objects = Self { folder, program, key, port, server: Mutex::default() };
        objects.run()?;
        Ok(objects)
    }

    /// Starts the server again on its port, with the objects that it had.
    ///
    /// # Errors
    /// When it does not start.
    pub fn run(&self) -> anyhow::Result<()> {
        let server = match &self.program {
            Some(program) => Server::Process(self.run_process(program)?),
            None => Server::Thread(self.run_threads()?),
        };
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        Ok(())
    }

    fn run_process(&self, program: &Path) -> anyhow::Result<Child> {
        let mut command = Command::new(program);
        command.arg(self.folder.path()).arg(format!("127.0.0.1:{}", self.port));
        command.args([&self.key.0, &self.key.1]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("{} cannot be run", program.display()))?;
        let stdout = child.stdout.take().context("standard output is not at hand")?;
        let said = BufReader::new(stdout).lines().next().transpose()?;
        ensure!(said.as_deref() == Some(READY_LINE), "the S3 server does not start");
        Ok(child)
    }

    fn run_threads(&self) -> anyhow::Result<Runtime> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = TcpListener::bind(("127.0.0.1", self.port))?;
        listener.set_nonblocking(true)?;
        let folder = self.folder.path().to_path_buf();
        let guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)?;
        drop(guard);
        let (key, secret) = self.key.clone();
        runtime.spawn(async move { serve(&folder, listener, (&key, &secret)).await });
        Ok(runtime)
    }

    /// Kills the server: what is under way is cut, nobody answers any more.
    ///
    /// # Errors
    /// When it does not run, or cannot be killed.
    pub fn kill(&self) -> anyhow::Result<()> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        match server.context("the server does not run")? {
            Server::Process(mut child) => {
                child.kill()?;
                child.wait()?;
            }
            Server::Thread(runtime) => runtime.shutdown_background(),
        }
        Ok(())
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The environment variables that lead a program to it.
    pub fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.key.0.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.key.1.clone()),
        ]
    }

    /// The folder of the objects of the bucket.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// The objects of the bucket.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn objects(&self) -> anyhow::Result<Vec<PathBuf>> {
        let (mut found, mut folders) = (Vec::new(), vec![self.bucket()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        Ok(found)
    }

    /// What is kept of uploads in parts that have neither been finished nor given up.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn unfinished(&self) -> anyhow::Result<usize> {
        let names = std::fs::read_dir(self.folder.path())?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<std::io::Result<Vec<_>>>()?;
        Ok(names.iter().filter(|name| name.starts_with(".upload")).count())
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Serves the objects of a folder, whose folders are its buckets, to those who have the key.
///
/// # Errors
/// When the folder cannot be used, or nobody can be accepted any more.
pub async fn serve(
    folder: &Path,
    listener: tokio::net::TcpListener,
    (key, secret): (&str, &str),
) -> anyhow::Result<()> {
    let files = FileSystem::new(folder).map_err(|error| anyhow::anyhow!("{error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(key, secret));
    let service = builder.build();
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service.clone());
        tokio::spawn(connection);
    }
}
