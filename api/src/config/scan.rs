//! The virus scanner that looks at attached files.

use std::time::Duration;

use infrastructure::scanner::Scanner;
use serde::Deserialize;

/// The virus scanner.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scan {
    /// Where ClamAV's daemon listens: `unix:/run/clamav/clamd.ctl` or, on a network that nobody else reads,
    /// `tcp:HOST:3310`. When absent, files are not scanned.
    pub address: Option<String>,
    /// How long an upload waits for what the scanner says of it, seconds. A file that it did not come to is taken all the
    /// same, and can be opened once it has been scanned.
    pub wait_seconds: u64,
    /// How long the scanner may take for a file that waits, seconds.
    pub longest_seconds: u64,
    /// How often it is tried again with files that it could not scan, seconds.
    pub again_seconds: u64,
}

impl Default for Scan {
    fn default() -> Self {
        Self { address: None, wait_seconds: 10, longest_seconds: 180, again_seconds: 60 }
    }
}

impl Scan {
    /// The scanner, where there is one.
    ///
    /// # Errors
    /// When the address is none, in words.
    pub fn scanner(&self) -> Result<Option<Scanner>, String> {
        let scanner = self.address.as_deref().filter(|address| !address.is_empty()).map(Scanner::parse);
        scanner.transpose().map_err(|error| format!("scan.address: {error}"))
    }

    /// How long an upload waits.
    pub const fn wait(&self) -> Duration {
        Duration::from_secs(self.wait_seconds)
    }
}
