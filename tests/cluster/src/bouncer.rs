//! A PgBouncer in front of a cluster.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::{Cluster, OWNER, READY, free_port, own_folder};

/// What it says when it is ready.
const READY_LINE: &str = "process up";

/// A PgBouncer. When it is dropped, it is gone.
pub struct Bouncer {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Bouncer {
    /// Starts one in front of a cluster, in a mode: `session`, `transaction`.
    ///
    /// # Errors
    /// When PgBouncer is not there (Debian: `pgbouncer`), or does not start.
    pub fn start(cluster: &Cluster, mode: &str) -> anyhow::Result<Self> {
        let (folder, account) = own_folder(&std::env::temp_dir())?;
        let port = free_port()?;
        let (users, settings) = (folder.path().join("users.txt"), folder.path().join("pgbouncer.ini"));
        std::fs::write(&users, format!("\"{OWNER}\" \"\"\n"))?;
        let lines = [
            "[databases]".to_owned(),
            format!("* = host=127.0.0.1 port={}", cluster.port()),
            "[pgbouncer]".to_owned(),
            "listen_addr = 127.0.0.1".to_owned(),
            format!("listen_port = {port}"),
            "unix_socket_dir =".to_owned(),
            "auth_type = trust".to_owned(),
            format!("auth_file = {}", users.display()),
            format!("pool_mode = {mode}"),
            "ignore_startup_parameters = extra_float_digits".to_owned(),
        ];
        std::fs::write(&settings, lines.join("\n"))?;
        // Debian has it where the path of a plain user does not lead.
        let debian = std::path::Path::new("/usr/sbin/pgbouncer");
        let mut command = Command::new(if debian.exists() { debian } else { "pgbouncer".as_ref() });
        if let Some((user, group)) = account {
            command.uid(user).gid(group);
        }
        let mut child = command
            .arg(&settings)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("PgBouncer is missing: install it (Debian: apt-get install pgbouncer)")?;
        let stderr = child.stderr.take().context("standard error is not at hand")?;
        let (said, heard) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let bouncer = Self { child, port, _folder: folder };
        let mut words = Vec::new();
        while let Ok(line) = heard.recv_timeout(READY) {
            if line.contains(READY_LINE) {
                return Ok(bouncer);
            }
            words.push(line);
        }
        bail!("PgBouncer did not get ready:\n{}", words.join("\n"))
    }

    /// The address of a database of the cluster, through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
