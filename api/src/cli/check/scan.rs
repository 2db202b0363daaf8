//! Whether the virus scanner answers, takes files as large as may be attached, and says so where it cannot look into one.

use std::io;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use domain::files::Scan;
use futures::{StreamExt, stream};
use infrastructure::scanner::Scanner;

use crate::Config;

/// Bytes sent at a time.
const PIECE: usize = 64 * 1024;
/// How deep an archive is packed of which a scanner must say that it does not look at all of it: more than it is ever
/// set to.
const DEEP: usize = 200;
/// What to add to the daemon's settings.
const ALERTS: &str = "set AlertEncrypted yes and AlertExceedsMax yes in clamd.conf and restart clamd; else it calls clean what it \
                      did not look at";

/// What is said of the scanner, or what to do.
pub(super) async fn check(config: &Config) -> anyhow::Result<String> {
    let Some(scanner) = config.scan.scanner().map_err(anyhow::Error::msg)? else {
        return Ok("there is none: attached files are not scanned for malicious code. Where people attach files, set address \
                   in [scan] to the socket of ClamAV's daemon, for example \"unix:/run/clamav/clamd.ctl\""
            .to_owned());
    };
    let version = scanner.version().await.with_context(|| {
        format!("{scanner} does not answer; start clamav-daemon, and let the user that runs kundwebb reach its socket")
    })?;
    let largest = config.limits().file_bytes;
    let said = scan(config, &scanner, &vec![b' '; usize::try_from(largest)?]).await.with_context(|| {
        format!(
            "{scanner} takes no file of {} MB, as files.file_mb allows: set StreamMaxLength, MaxFileSize and MaxScanSize in \
             clamd.conf to more than that and restart clamd",
            config.files.file_mb
        )
    })?;
    ensure!(said == Scan::Clean, "{scanner} says {said} of blanks");
    let locked = scan(config, &scanner, &archive(b"blanks", true)).await?;
    ensure!(
        locked == Scan::Locked,
        "{scanner} says {locked} of an archive that is locked with a password: {ALERTS}"
    );
    let deep = (0..DEEP).fold(b"blanks".to_vec(), |packed, _| archive(&packed, false));
    let deep = scan(config, &scanner, &deep).await?;
    ensure!(
        deep == Scan::TooComplex,
        "{scanner} says {deep} of an archive that is packed {DEEP} times: {ALERTS}"
    );
    Ok(format!("{scanner} answers: {version}; it takes files of {} MB", config.files.file_mb))
}

async fn scan(config: &Config, scanner: &Scanner, content: &[u8]) -> anyhow::Result<Scan> {
    let pieces: Vec<io::Result<Bytes>> =
        content.chunks(PIECE).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let longest = std::time::Duration::from_secs(config.scan.longest_seconds);
    Ok(scanner.scan(stream::iter(pieces).boxed(), longest).await?.outcome)
}

/// A ZIP archive with one file as it is, perhaps said to be locked with a password.
fn archive(content: &[u8], locked: bool) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap_or_default();
    let name = b"a.zip";
    // From the flags to the length of the name: no compression, no time; no scanner looks at the checksum.
    let mut entry = vec![u8::from(locked), 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0];
    entry.extend([size.to_le_bytes(), size.to_le_bytes()].concat());
    entry.extend([5, 0, 0, 0]);
    let local = [b"PK\x03\x04\x14\0".as_slice(), &entry, name, content].concat();
    let central = [b"PK\x01\x02\x14\0\x14\0".as_slice(), &entry, &[0; 14], name].concat();
    let lengths =
        [u32::try_from(central.len()).unwrap_or_default(), u32::try_from(local.len()).unwrap_or_default()];
    let end =
        [b"PK\x05\x06\0\0\0\0\x01\0\x01\0".as_slice(), &lengths.map(u32::to_le_bytes).concat(), &[0, 0]]
            .concat();
    [local, central, end].concat()
}
