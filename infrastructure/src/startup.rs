//! What is checked before a node works on a log: that the keys are the log's own, and that its end is whole.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::from_micros;
use crate::keys::Keys;
use crate::log::{Head, Log, LogError, copying};
use crate::reader::missing;
use crate::stored::StoredEvent;

/// How many events at the end of the log are checked at start; the whole is checked by `log verify`.
const TAIL: u64 = 1000;
/// How far the end of the log may lie ahead of the clock.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// How far the clock of a machine may be from that of the log.
const APART: TimeDelta = TimeDelta::seconds(5);
const MASTER_FINGERPRINT: &str = "master_fingerprint";
const TOKEN_FINGERPRINT: &str = "token_fingerprint";

/// Checks keys and tail; on an empty log, records whose keys it is sealed with.
///
/// # Errors
/// When the master key is not the log's, a key is missing, or the tail does not hash to what it says.
pub async fn check(log: &dyn Log, keys: &Keys) -> Result<Head, LogError> {
    copying::whole(log).await?;
    remember(log, keys).await?;
    let head = end(log).await?;
    self::keys(log, keys).await?;
    Ok(head)
}

/// Checks that the end of the log is whole.
///
/// # Errors
/// When the tail does not hash to what it says, or something of it is missing.
pub async fn end(log: &dyn Log) -> Result<Head, LogError> {
    copying::whole(log).await?;
    let head = log.head().await?;
    tail(log, head).await?;
    Ok(head)
}

/// What there is to say when the clock of the log, where it has one, is not this machine's. Nothing when they agree.
pub fn apart(log: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<String> {
    let apart = (log? - now).abs();
    (apart > APART)
        .then(|| format!("the clock of this machine is {} s from the log's; set it", apart.num_seconds()))
}

/// What there is to say when the last event of a log lies ahead of the clock: one of the two was wrong. Nothing when they
/// agree.
pub fn ahead(head: Head, now: DateTime<Utc>) -> Option<String> {
    let ahead = from_micros(head.recorded_at) - now;
    (ahead > AHEAD).then(|| {
        format!(
            "the last event of the log is {} minutes ahead of this machine's clock. If the clock is wrong, set it; if it was \
             wrong before, new events bear the time of the last one, and new cases its year, until the clock has caught up",
            ahead.num_minutes()
        )
    })
}

/// Checks that the keys are the log's own and that none is missing.
///
/// # Errors
/// When they are not, or one is.
pub async fn keys(log: &dyn Log, keys: &Keys) -> Result<(), LogError> {
    copying::whole(log).await?;
    match log.meta(MASTER_FINGERPRINT).await? {
        Some(fingerprint) if fingerprint == keys.master_fingerprint() => {}
        Some(_) => {
            return Err(LogError::Damaged(
                "master.key is not the key that this log was sealed with; put the right master.key back"
                    .to_owned(),
            ));
        }
        None => return Err(LogError::Damaged("the log does not say which master key is its own".to_owned())),
    }
    // That of a log may be older than the keys: whoever replaced it moves the log's along, or the next start does.
    let ours = |fingerprint: &String| *fingerprint == keys.token_fingerprint() || keys.was_token(fingerprint);
    if log.meta(TOKEN_FINGERPRINT).await?.is_some_and(|fingerprint| !ours(&fingerprint)) {
        return Err(LogError::Unavailable(
            "token.key is not the key of this log, whose tokens its nodes take; put the right token.key back, or, if \
             `kundwebb keys rotate` was run at another node, copy token.key and token.former from its keys folder"
                .to_owned(),
        ));
    }
    match log.missing_key().await? {
        Some(stream) => Err(missing(stream)),
        None => Ok(()),
    }
}

/// Records whose keys a log is sealed with and whose tokens it takes, where it does not say so yet: both at once, under the
/// log's lock. Whose an empty log is, its first node says; a node whose master key is the log's adds the token key's, also
/// where that has replaced the one of the log.
async fn remember(log: &dyn Log, keys: &Keys) -> Result<(), LogError> {
    if log.meta(MASTER_FINGERPRINT).await?.is_some() && !lacks_token(log, keys).await? {
        return Ok(());
    }
    let mut writer = log.writer().await?;
    writer.begin().await?;
    // Another node may have been first.
    let ours = match log.meta(MASTER_FINGERPRINT).await? {
        Some(master) => master == keys.master_fingerprint(),
        None => log.head().await?.position == 0,
    };
    if ours && log.meta(MASTER_FINGERPRINT).await?.is_none() {
        writer.set_meta(MASTER_FINGERPRINT, &keys.master_fingerprint()).await?;
    }
    if ours && lacks_token(log, keys).await? {
        writer.set_meta(TOKEN_FINGERPRINT, &keys.token_fingerprint()).await?;
    }
    writer.commit().await
}

/// Whether a log does not say whose tokens it takes, or says that of a key that ours has replaced.
async fn lacks_token(log: &dyn Log, keys: &Keys) -> Result<bool, LogError> {
    Ok(log.meta(TOKEN_FINGERPRINT).await?.is_none_or(|fingerprint| keys.was_token(&fingerprint)))
}

/// Replaces the key that signs tokens, under the log's lock: in the folder, and in what the log says.
///
/// # Errors
/// When the keys are not the log's, or cannot be written; wherever this is cut off, the next start goes on.
pub async fn rotate_token(log: &dyn Log, folder: &Path, now: DateTime<Utc>) -> Result<Keys, LogError> {
    let file = |error: crate::keys::KeyError| LogError::Unavailable(error.to_string());
    check(log, &Keys::open(folder, false).map_err(file)?).await?;
    let mut writer = log.writer().await?;
    writer.begin().await?;
    // Another may have been first.
    let current = Keys::open(folder, false).map_err(file)?.token_fingerprint();
    if log.meta(TOKEN_FINGERPRINT).await?.is_none_or(|fingerprint| fingerprint != current) {
        return Err(LogError::Unavailable("the keys were rotated elsewhere at the same time".to_owned()));
    }
    let keys = Keys::rotate_token(folder, now).map_err(file)?;
    writer.set_meta(TOKEN_FINGERPRINT, &keys.token_fingerprint()).await?;
    writer.commit().await?;
    Ok(keys)
}

async fn tail(log: &dyn Log, head: Head) -> Result<(), LogError> {
    let first = head.position.saturating_sub(TAIL);
    let events = log.events_after(first, usize::try_from(TAIL).unwrap_or(usize::MAX)).await?;
    verify(&events, first)?;
    // Beside a running server there may be more by now.
    let whole = events.last().map_or(first, |event| event.position) >= head.position;
    if whole { Ok(()) } else { Err(LogError::Damaged("the end of the log is missing".to_owned())) }
}

/// Checks that events follow densely on `after`, that each hashes to what it says, and that time does not go back.
///
/// # Errors
/// [`LogError::Damaged`], naming the first position that is wrong.
pub fn verify(events: &[StoredEvent], after: u64) -> Result<(), LogError> {
    let mut time = i64::MIN;
    for (event, position) in events.iter().zip(after + 1..) {
        let wrong = |what: &str| Err(LogError::Damaged(format!("position {position}: {what}")));
        if event.position != position {
            return wrong("the event is missing");
        }
        if event.leaf_hash != event.compute_leaf_hash() {
            return wrong("the row does not hash to its leaf_hash");
        }
        if event.recorded_at < time {
            return wrong("the time goes back");
        }
        time = event.recorded_at;
    }
    Ok(())
}
