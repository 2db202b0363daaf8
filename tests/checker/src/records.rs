//! What clients wrote down: one JSON object a line, one file a client. A line for every time that a command was sent:
//! with the answer where there was one, without where none came.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
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
/// When a file cannot be read, a line is no record, or there are none: what is not understood must not pass for nothing
/// having been acknowledged. A last line without an end was cut off, and is none.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Record>> {
    let mut records = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            match serde_json::from_str::<Record>(line) {
                Ok(record) => records.push(record),
                Err(_) if !line.ends_with('\n') => {}
                Err(error) => bail!("{}, line {number}: {error}", path.display()),
            }
        }
    }
    ensure!(!records.is_empty(), "{} holds no records", folder.display());
    Ok(records)
}
