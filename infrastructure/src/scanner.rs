//! A virus scanner: ClamAV's daemon over its socket. It is given the plain bytes of a file and says what it found.
//! Whatever is not an answer in so many words is no answer: never is a file clean because something went wrong.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clamav_client::tokio::{Socket, Tcp, get_version, ping, scan_stream};
use domain::files::Scan;
use futures::Stream;

/// How long the daemon may take to say that it is there.
const PING: Duration = Duration::from_secs(5);
/// What it calls what it cannot look into for a password.
const ENCRYPTED: &str = "Heuristics.Encrypted";
/// What it calls what has more packed in it than it looks at.
const LIMITS: &str = "Heuristics.Limits.Exceeded";

/// Where the daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// A socket of this machine: `unix:/run/clamav/clamd.ctl`.
    Socket(PathBuf),
    /// A host and a port: `tcp:HOST:3310`. What is sent there is not encrypted.
    Tcp(String),
}

/// What the scanner says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What that means; never [`Scan::Waiting`].
    pub outcome: Scan,
    /// What was found, as the scanner names it.
    pub signature: Option<String>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It cannot be reached, or broke off: it is down, or takes no file of this size.
    #[error("the scanner cannot be reached or broke off: {0}")]
    Broken(#[from] io::Error),
    /// It did not answer in time.
    #[error("the scanner did not answer within {} seconds", .0.as_secs())]
    Slow(Duration),
    /// It says that it could not do it.
    #[error("the scanner says: {0}")]
    Refused(String),
}

impl fmt::Display for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

impl Scanner {
    /// The scanner at an address: `unix:PATH` or `tcp:HOST:PORT`.
    ///
    /// # Errors
    /// When the address is neither, in words.
    pub fn parse(address: &str) -> Result<Self, String> {
        match address.split_once(':') {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Socket(path.into())),
            Some(("tcp", host))
                if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) =>
            {
                Ok(Self::Tcp(host.to_owned()))
            }
            _ => {
                Err(format!("\"{address}\" is no scanner; write unix:/run/clamav/clamd.ctl or tcp:HOST:3310"))
            }
        }
    }

    /// What it says of a file that is at its end when `content` is, and not when that ends with an error.
    ///
    /// # Errors
    /// [`ScanError`]; the file is not scanned then.
    pub async fn scan(
        &self,
        content: impl Stream<Item = io::Result<Bytes>>,
        longest: Duration,
    ) -> Result<Verdict, ScanError> {
        let scan = async {
            match self {
                Self::Socket(socket_path) => scan_stream(content, Socket { socket_path }, None).await,
                Self::Tcp(host_address) => scan_stream(content, Tcp { host_address }, None).await,
            }
        };
        verdict(&within(longest, scan).await?)
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// [`ScanError`].
    pub async fn ping(&self) -> Result<(), ScanError> {
        let asked = async {
            match self {
                Self::Socket(socket_path) => ping(Socket { socket_path }).await,
                Self::Tcp(host_address) => ping(Tcp { host_address }).await,
            }
        };
        let said = within(PING, asked).await?;
        if said == clamav_client::PONG { Ok(()) } else { Err(ScanError::Refused(text(&said))) }
    }

    /// Its version and that of its signatures, as it tells them.
    ///
    /// # Errors
    /// [`ScanError`].
    pub async fn version(&self) -> Result<String, ScanError> {
        let asked = async {
            match self {
                Self::Socket(socket_path) => get_version(Socket { socket_path }).await,
                Self::Tcp(host_address) => get_version(Tcp { host_address }).await,
            }
        };
        Ok(text(&within(PING, asked).await?))
    }
}

async fn within(
    longest: Duration,
    asked: impl Future<Output = io::Result<Vec<u8>>>,
) -> Result<Vec<u8>, ScanError> {
    Ok(tokio::time::timeout(longest, asked).await.map_err(|_| ScanError::Slow(longest))??)
}

/// What the daemon said, without the sign that ends it.
fn text(said: &[u8]) -> String {
    String::from_utf8_lossy(said).trim_end_matches(['\0', '\n']).to_owned()
}

/// `stream: OK`, or `stream: NAME FOUND`.
fn verdict(said: &[u8]) -> Result<Verdict, ScanError> {
    let said = text(said);
    let Some(answer) = said.strip_prefix("stream: ") else { return Err(ScanError::Refused(said)) };
    if answer == "OK" {
        return Ok(Verdict { outcome: Scan::Clean, signature: None });
    }
    let Some(name) = answer.strip_suffix(" FOUND") else { return Err(ScanError::Refused(said)) };
    let outcome = match name {
        name if name.starts_with(ENCRYPTED) => Scan::Locked,
        name if name.starts_with(LIMITS) => Scan::TooComplex,
        _ => Scan::Infected,
    };
    Ok(Verdict { outcome, signature: Some(name.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_ok_is_clean() {
        let outcome = |said: &str| verdict(said.as_bytes()).ok().map(|verdict| verdict.outcome);
        assert_eq!(outcome("stream: OK\0"), Some(Scan::Clean));
        assert_eq!(outcome("stream: Win.Test.EICAR_HDB-1 FOUND\0"), Some(Scan::Infected));
        assert_eq!(outcome("stream: OK FOUND\0"), Some(Scan::Infected));
        assert_eq!(outcome("stream: Heuristics.Encrypted.Zip FOUND\0"), Some(Scan::Locked));
        assert_eq!(
            outcome("stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND\0"),
            Some(Scan::TooComplex)
        );
        for none in [
            "",
            "OK",
            "stream:OK",
            "stream: ",
            "INSTREAM size limit exceeded. ERROR\0",
            "stream: OK ERROR",
            "stream: OK\0OK",
        ] {
            assert!(outcome(none).is_none(), "{none}");
        }
    }

    #[test]
    fn an_address_is_a_socket_or_a_host_with_its_port() {
        for address in ["unix:/run/clamav/clamd.ctl", "tcp:scanner.example:3310", "tcp:[::1]:3310"] {
            assert_eq!(Scanner::parse(address).unwrap().to_string(), address);
        }
        for wrong in
            ["", "/run/clamav/clamd.ctl", "unix:clamd.ctl", "tcp:scanner", "tcp:scanner:x", "http://h:1"]
        {
            assert!(Scanner::parse(wrong).is_err(), "{wrong}");
        }
    }
}
