//! Moving a log to another place, with everything that lies beside its events: positions, bytes and hashes stay. What was
//! begun goes on where it stopped.

use std::collections::HashMap;

use domain::StreamId;

use crate::log::beside::{Row, TABLES, Table, Value};
use crate::log::{Batch, Head, Log, LogError, Writer};
use crate::read_log::ReadBatch;
use crate::stored::StoredEvent;
use crate::{random, startup};

/// Events in one transaction.
const EVENTS: usize = 1000;
/// Rows beside the events in one transaction.
const ROWS: u32 = 10_000;

/// What a log says while it is being copied, and when that was cut off: which copying it is. Empty when it is whole.
const COPYING: &str = "being_copied";

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The end of both logs.
    pub head: Head,
    /// How many events were there already.
    pub before: u64,
    /// Rows beside the events.
    pub rows: u64,
}

/// Copies a log whole and proves that both are the same. Nobody may write either meanwhile; `tell` hears how far it is.
///
/// # Errors
/// [`LogError::Data`] when the target holds another log, or the source was written meanwhile; or when either fails.
pub async fn copy(from: &dyn Log, to: &dyn Log, tell: &dyn Fn(u64, u64)) -> Result<Moved, LogError> {
    whole(from).await?;
    let (head, before) = (from.head().await?, to.head().await?);
    begins(from, before).await?;
    let copying = hex::encode(random::bytes::<16>());
    mark(to, &copying).await?;
    if from.meta(COPYING).await?.as_ref() == Some(&copying) {
        mark(to, "").await?;
        return Err(LogError::Data("both are the same log".to_owned()));
    }
    let mut position = before.position;
    loop {
        let events = from.events_after(position, EVENTS).await?;
        let Some(last) = events.last() else { break };
        startup::verify(&events, position)?;
        position = last.position;
        let mut writer = to.writer().await?;
        writer.begin().await?;
        add(from, writer.as_mut(), events).await?;
        writer.commit().await?;
        tell(position, head.position);
    }
    let mut writer = to.writer().await?;
    writer.begin().await?;
    reads(from, to, writer.as_mut()).await?;
    let rows = beside(from, writer.as_mut()).await?;
    writer.set_meta(COPYING, &copying).await?;
    writer.commit().await?;
    proven(from, to, head).await?;
    mark(to, "").await?;
    Ok(Moved { head, before: before.position, rows })
}

async fn proven(from: &dyn Log, to: &dyn Log, head: Head) -> Result<(), LogError> {
    if from.head().await? != head || to.head().await? != head {
        return Err(LogError::Data(
            "somebody wrote to a log while it was copied; stop every node and go on".to_owned(),
        ));
    }
    same(from, to).await
}

/// Copies a log whole into an empty one in one transaction, so that all of it is there or nothing; whether both are the same
/// is proven by [`same`]. Nobody may write the source meanwhile; `tell` hears how far it is.
///
/// # Errors
/// [`LogError::Data`] when the target is not empty; or when either fails. Nothing of it is there then, except that after
/// [`LogError::Unknown`] all of it may be.
pub async fn copy_at_once(from: &dyn Log, to: &dyn Log, tell: &dyn Fn(u64, u64)) -> Result<Moved, LogError> {
    let head = from.head().await?;
    let mut writer = to.writer().await?;
    // From here on nobody else writes it.
    writer.begin().await?;
    if !is_empty(to).await? {
        return Err(LogError::Data("the target holds a log already; choose an empty one".to_owned()));
    }
    let mut position = 0;
    loop {
        let events = from.events_after(position, EVENTS).await?;
        let Some(last) = events.last() else { break };
        startup::verify(&events, position)?;
        position = last.position;
        add(from, writer.as_mut(), events).await?;
        tell(position, head.position);
    }
    reads(from, to, writer.as_mut()).await?;
    let rows = beside(from, writer.as_mut()).await?;
    writer.commit().await?;
    Ok(Moved { head, before: 0, rows })
}

/// Checks that a log is no copy that was cut off, or is under way: such a one is nobody's.
///
/// # Errors
/// When it is; or when it cannot be read.
pub async fn whole(log: &dyn Log) -> Result<(), LogError> {
    match log.meta(COPYING).await?.as_deref() {
        None | Some("") => Ok(()),
        Some(_) => Err(LogError::Unavailable(
            "it is being copied from another, or that was cut off, and is not whole; run `kundwebb log copy` again"
                .to_owned(),
        )),
    }
}

/// Whether a log holds nothing: neither events nor anything beside them.
///
/// # Errors
/// When it cannot be read.
pub async fn is_empty(log: &dyn Log) -> Result<bool, LogError> {
    for table in TABLES {
        if !rows(log, table, 0).await?.0.is_empty() {
            return Ok(false);
        }
    }
    Ok(log.head().await?.position == 0 && log.reads().reads_head().await?.position == 0)
}

/// Rows beside the events, at most so many as one transaction has, and the offset after them; without the one that says
/// whether a log is being copied, which is of that log alone.
async fn rows(log: &dyn Log, table: &'static Table, offset: u64) -> Result<(Vec<Row>, u64), LogError> {
    let mut rows = log.rows(table, offset, ROWS).await?;
    let next = offset + rows.len() as u64;
    if table.name == "meta" {
        rows.retain(|row| row.first() != Some(&Value::Text(COPYING.to_owned())));
    }
    Ok((rows, next))
}

/// Says in a log whether it is being copied, so that no node works on it before it is whole.
async fn mark(log: &dyn Log, copying: &str) -> Result<(), LogError> {
    let mut writer = log.writer().await?;
    writer.begin().await?;
    writer.set_meta(COPYING, copying).await?;
    writer.commit().await
}

/// Whether what the target holds is how the source begins.
async fn begins(from: &dyn Log, before: Head) -> Result<(), LogError> {
    let Some(earlier) = before.position.checked_sub(1) else { return Ok(()) };
    let same =
        from.events_after(earlier, 1).await?.first().is_some_and(|event| event.leaf_hash == before.leaf_hash);
    if same {
        Ok(())
    } else {
        Err(LogError::Data("the target holds another log; choose an empty one".to_owned()))
    }
}

async fn add(from: &dyn Log, writer: &mut dyn Writer, events: Vec<StoredEvent>) -> Result<(), LogError> {
    let begun: Vec<StreamId> =
        events.iter().filter(|event| event.version == 1).map(|event| event.stream).collect();
    let keys: HashMap<StreamId, Vec<u8>> = from.keys(&begun).await?;
    let numbers =
        events.iter().filter_map(|event| Some((event.case_number()?, event.stream))).collect::<Vec<_>>();
    // The series of a year is moved to the last number of a batch, so a batch holds one year.
    let years = numbers.chunk_by(|one, other| one.0.year() == other.0.year()).map(<[_]>::to_vec);
    let mut batches: Vec<Batch> = years.map(|numbers| Batch { numbers, ..Batch::default() }).collect();
    batches.push(Batch { events, keys: keys.into_iter().collect(), ..Batch::default() });
    for batch in &batches {
        writer.write(batch).await?;
    }
    Ok(())
}

/// Copies the rows beside the events, in place of those that an earlier try has left.
async fn beside(from: &dyn Log, writer: &mut dyn Writer) -> Result<u64, LogError> {
    let mut count = 0;
    for table in TABLES {
        writer.clear(table).await?;
        let mut offset = 0;
        loop {
            let (rows, next) = rows(from, table, offset).await?;
            if next == offset {
                break;
            }
            writer.put(table, &rows).await?;
            (count, offset) = (count + rows.len() as u64, next);
        }
    }
    Ok(count)
}

/// Copies the read log: what an earlier try has left of it must be how it begins.
async fn reads(from: &dyn Log, to: &dyn Log, writer: &mut dyn Writer) -> Result<(), LogError> {
    let (source, target) = (from.reads(), to.reads());
    let mut position = target.reads_head().await?.position;
    if let Some(earlier) = position.checked_sub(1)
        && source.reads_after(earlier, 1).await? != target.reads_after(earlier, 1).await?
    {
        return Err(LogError::Data("the target holds another read log; choose an empty one".to_owned()));
    }
    let there = target.read_keys().await?;
    let mut keys = source.read_keys().await?;
    keys.retain(|key| !there.contains(key));
    loop {
        let rows = source.reads_after(position, EVENTS).await?;
        let Some(last) = rows.last().map(|row| row.position) else { break };
        let tokens = source.read_tokens(position, last).await?;
        position = last;
        writer.add_reads(&ReadBatch { keys: std::mem::take(&mut keys), rows, tokens }).await?;
    }
    Ok(())
}

/// Whether both hold the same read log.
async fn same_reads(from: &dyn Log, to: &dyn Log) -> Result<bool, LogError> {
    let (source, copy) = (from.reads(), to.reads());
    let mut position = 0;
    loop {
        let rows = source.reads_after(position, EVENTS).await?;
        if rows != copy.reads_after(position, EVENTS).await? {
            return Ok(false);
        }
        let Some(last) = rows.last().map(|row| row.position) else { break };
        if source.read_tokens(position, last).await? != copy.read_tokens(position, last).await? {
            return Ok(false);
        }
        position = last;
    }
    Ok(source.read_keys().await? == copy.read_keys().await?)
}

/// Proves that both hold the same, event by event and row by row.
///
/// # Errors
/// [`LogError::Data`] when they do not; or when either cannot be read.
pub async fn same(from: &dyn Log, to: &dyn Log) -> Result<(), LogError> {
    let differ = |what: String| Err(LogError::Data(format!("the copy is not the same: {what}")));
    let mut position = 0;
    loop {
        let (source, copy) =
            (from.events_after(position, EVENTS).await?, to.events_after(position, EVENTS).await?);
        if let Some((event, _)) = source.iter().zip(&copy).find(|(event, copied)| event != copied) {
            return differ(format!("position {}", event.position));
        }
        if source.len() != copy.len() {
            return differ(format!("the events after position {position}"));
        }
        let streams: Vec<StreamId> = source.iter().map(|event| event.stream).collect();
        if from.keys(&streams).await? != to.keys(&streams).await? {
            return differ(format!("the keys of events after position {position}"));
        }
        let Some(last) = source.last() else { break };
        position = last.position;
    }
    if !same_reads(from, to).await? {
        return differ("the read log".to_owned());
    }
    for table in TABLES {
        let mut places = (0, 0);
        loop {
            let ((source, next), (copy, copy_next)) =
                (rows(from, table, places.0).await?, rows(to, table, places.1).await?);
            if source != copy {
                return differ(format!("the table {}", table.name));
            }
            if places == (next, copy_next) {
                break;
            }
            places = (next, copy_next);
        }
    }
    Ok(())
}
