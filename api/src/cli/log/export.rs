//! `kundwebb log export`: every event as a line of JSON, as in the feed, without personal content.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use chrono::SecondsFormat;
use infrastructure::Log;
use infrastructure::clock::from_micros;
use infrastructure::stored::StoredEvent;
use serde::Serialize;
use serde_json::value::RawValue;

use super::BATCH;
use crate::Config;
use crate::cli::read_only;

/// An event as a line.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    position: u64,
    stream_id: String,
    version: u64,
    #[serde(rename = "type")]
    type_name: &'a str,
    recorded_at: String,
    actor: String,
    /// The stored text, byte for byte.
    facts: &'a RawValue,
    personal: Option<()>,
    leaf_hash: String,
}

pub(super) async fn run(config: &Config, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let log = read_only(config)?;
    let mut out = BufWriter::new(out);
    let mut position = 0;
    loop {
        let events = log.events_after(position, BATCH).await?;
        let Some(last) = events.last() else { break };
        position = last.position;
        for event in &events {
            writeln!(out, "{}", line(event)?)?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn line(event: &StoredEvent) -> anyhow::Result<String> {
    Ok(serde_json::to_string(&Line {
        position: event.position,
        stream_id: event.stream.to_string(),
        version: event.version,
        type_name: &event.type_name,
        recorded_at: from_micros(event.recorded_at).to_rfc3339_opts(SecondsFormat::Micros, true),
        actor: event.actor.to_string(),
        facts: serde_json::from_str(&event.facts)?,
        personal: None,
        leaf_hash: hex::encode(event.leaf_hash),
    })?)
}
