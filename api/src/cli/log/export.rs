//! `kundwebb log export`: every event as a line of JSON, as in the feed, without personal content.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use super::BATCH;
use crate::Config;
use crate::cli::read_only;
use crate::v1::event_body::EventBody;

pub(super) async fn run(config: &Config, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let log = read_only(config).await?;
    let mut out = BufWriter::new(out);
    let mut position = 0;
    loop {
        let events = log.events_after(position, BATCH).await?;
        let Some(last) = events.last() else { break };
        position = last.position;
        for event in &events {
            serde_json::to_writer(&mut out, &EventBody::of_stored(event, None))?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
