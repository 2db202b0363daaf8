//! Mails written to a folder, one `.eml` file each: for the demo, and wherever there is no mail server.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::mail::Message;
use crate::mail::post::Answer;

/// The folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder `mail` in the data folder.
    pub fn new(data: &Path) -> Self {
        Self { path: data.join("mail") }
    }

    /// Whether mails can be written, in words.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<String, String> {
        let probe = self.path.join(".check");
        self.write(&probe, b"")
            .and_then(|()| fs::remove_file(&probe))
            .map(|()| format!("mails are written to {}", self.path.display()))
            .map_err(|error| self.trouble(&error))
    }

    /// Writes a mail, the same mail to the same file.
    pub(super) async fn send(&self, message: &Message) -> Answer {
        let path = self.path.join(&message.file_name);
        let folder = Self { path: self.path.clone() };
        let bytes = message.bytes.clone();
        let written = tokio::task::spawn_blocking(move || {
            folder.write(&path, &bytes).map_err(|error| folder.trouble(&error))
        });
        match written.await {
            Ok(Ok(())) => Answer::Accepted(format!("written to {}", message.file_name)),
            Ok(Err(reply)) => Answer::Trouble { reply, uncertain: false },
            Err(error) => Answer::Trouble { reply: error.to_string(), uncertain: false },
        }
    }

    /// Writes aside, then renames: whoever looks in the folder sees whole mails only.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        // Two may find at once that it is not there.
        match fs::create_dir(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let aside = path.with_extension("part");
        let mut file = File::create(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        File::open(&self.path)?.sync_all()
    }

    fn trouble(&self, error: &io::Error) -> String {
        format!("{} cannot be written: {error}", self.path.display())
    }
}
