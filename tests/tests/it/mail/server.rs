//! A mail server in a process of its own, and the folder where it puts what it receives.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

const MISSING: &str = "these tests talk to a real mail server; install it with: \
                       apt-get install python3-aiosmtpd openssl";

/// What is received survives the server.
pub(crate) struct Mailbox(TempDir);

/// The server; stopped when dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    process: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// A certificate for `localhost` that is its own authority.
pub(crate) struct Certificate {
    folder: TempDir,
}

/// A received mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// Every header with its value on one line, those of the envelope too.
    pub(crate) headers: Vec<(String, String)>,
    /// As received.
    pub(crate) raw: String,
}

impl Mailbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Starts a server on a port; 0 is any.
    pub(crate) fn serve(&self, port: u16, certificate: Option<&Certificate>) -> Server {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mail/smtp_server.py");
        let mut command = Command::new(python());
        command.arg(script).arg(self.0.path()).arg(port.to_string());
        if let Some(certificate) = certificate {
            command.arg(certificate.certificate()).arg(certificate.key());
        }
        let log = self.0.path().join("server.log");
        command.stderr(File::options().create(true).append(true).open(&log).unwrap());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let orders = process.stdin.take().unwrap();
        let mut answers = BufReader::new(process.stdout.take().unwrap());
        let ready = line(&mut answers);
        let port = ready.strip_prefix("ready ").and_then(|port| port.parse().ok());
        let said = || std::fs::read_to_string(&log).unwrap();
        let port = port.unwrap_or_else(|| panic!("the mail server does not start: {}", said()));
        Server { port, process, orders, answers }
    }

    /// What was received, oldest first.
    pub(crate) fn received(&self) -> Vec<Received> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        files.iter().map(|path| Received::parse(&std::fs::read_to_string(path).unwrap())).collect()
    }
}

impl Server {
    /// Tells the server what to do; see `smtp_server.py`.
    pub(crate) fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
        assert_eq!(line(&mut self.answers), "done");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap() };
        let output = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "3650"])
            .arg("-keyout")
            .arg(made.key())
            .arg("-out")
            .arg(made.certificate())
            .output()
            .expect(MISSING);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        made
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }
}

impl Received {
    pub(crate) fn parse(raw: &str) -> Self {
        let head = raw.split_once("\r\n\r\n").unwrap().0.replace("\r\n ", " ").replace("\r\n\t", " ");
        let header =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { headers: head.lines().filter_map(header).collect(), raw: raw.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// The parts in the order they stand, decoded.
    pub(crate) fn text(&self) -> String {
        let joined = self.raw.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let coded = (*first == b'=').then(|| after.get(..2)).flatten();
            let byte = coded.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
            bytes.push(byte.unwrap_or(*first));
            rest = if byte.is_some() { &after[2..] } else { after };
        }
        String::from_utf8(bytes).unwrap().replace('\u{a0}', " ")
    }
}

fn line(answers: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// The Python that has aiosmtpd: the system's, where the package puts it, or the one on the path.
fn python() -> &'static str {
    let has = |python: &&str| {
        let mut command = Command::new(python);
        command.args(["-c", "import aiosmtpd"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    ["/usr/bin/python3", "python3"].into_iter().find(has).expect(MISSING)
}
