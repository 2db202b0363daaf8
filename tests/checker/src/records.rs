//! What clients wrote down: one JSON object a line, one file a client. A line for every time that a command was sent:
//! with the answer where there was one, without where none came.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// A command sent once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The `Idempotency-Key`; the same for every repetition.
    pub key: String,
    /// The trace id that the command was sent under, 32 hexadecimal digits; the same for every repetition.
    pub trace: String,
    /// `create`, `start-processing`, `messages` or `close`, as in the path of the API.
    pub command: String,
    /// The outcome, where it was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
}

/// An acknowledged outcome, as the service told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledged {
    /// The case.
    pub id: String,
    /// Its number.
    pub case_number: String,
    /// Its version after the command.
    pub version: u64,
    /// Its phase after the command.
    pub status: String,
    /// The position of the last event of the command.
    pub position: u64,
}

/// All records in a folder.
///
/// # Errors
/// When a file cannot be read; a line that was cut off in the end is no record.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        for line in BufReader::new(File::open(&path)?).lines() {
            records.extend(serde_json::from_str::<Record>(&line?).ok());
        }
    }
    Ok(records)
}
