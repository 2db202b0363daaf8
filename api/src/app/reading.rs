//! The one door through which content of cases comes out: what others than a case's reporter are shown is recorded in the
//! read log before they are (LAW-20).

use std::collections::HashMap;

use chrono::{DateTime, Months, Utc};
use domain::reading::What;
use domain::{AttachmentId, CaseId, Event, PersonId, Reading, StreamId};
use infrastructure::committer::{Append, Expected};
use infrastructure::log::LogError;
use infrastructure::read_log::binding::{self, Bound};
use infrastructure::read_log::{StoredRead, Token, Unrecorded, month_of, open_month, token};
use infrastructure::sealing::Key;
use infrastructure::{CommandError, Receipt};
use projections::Unread;

use crate::app::{App, Caller};
use crate::reactions::lease::Lease;
use crate::{Config, Failure};

/// How often the log binds what is new in the read log, at most.
const BOUND_EVERY: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// What is to be shown, and why.
#[derive(Clone, Debug)]
pub struct Purpose {
    what: What,
    attachment: Option<AttachmentId>,
    positions: Option<(u64, u64)>,
    reason: Option<String>,
}

impl From<What> for Purpose {
    fn from(what: What) -> Self {
        Self { what, attachment: None, positions: None, reason: None }
    }
}

impl Purpose {
    /// A file.
    pub const fn file(id: AttachmentId) -> Self {
        Self { what: What::Attachment, attachment: Some(id), positions: None, reason: None }
    }

    /// A list of cases, or what a search among them has found.
    pub fn list(searched: bool) -> Self {
        if searched { What::Search.into() } else { What::List.into() }
    }

    /// For a reason that the reader gave.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..self }
    }

    /// Of these positions of the feed.
    #[must_use]
    pub fn at(self, first: u64, last: u64) -> Self {
        Self { positions: Some((first, last)), ..self }
    }
}

impl App {
    /// Records that a caller is shown content of cases, each with its reporter, unless all of them are the caller's own.
    ///
    /// # Errors
    /// [`Failure::ReadLogAway`] when that cannot be recorded: then it may not be shown.
    pub async fn recorded(
        &self,
        caller: &Caller,
        purpose: impl Into<Purpose>,
        cases: &[(CaseId, Option<PersonId>)],
    ) -> Result<Receipt, Failure> {
        let Purpose { what, attachment, positions, reason } = purpose.into();
        let own = |reporter: &Option<PersonId>| {
            reporter.is_some_and(|reporter| caller.actor.identities.contains(&reporter))
        };
        let (own, others): (Vec<_>, Vec<_>) = cases.iter().partition(|(_, reporter)| own(reporter));
        let own: Vec<CaseId> = own.into_iter().map(|(case, _)| case).collect();
        // The feed shows persons too, who has read what is nobody's own, and that a search finds nothing tells something.
        let nothing_found = what == What::Search && own.is_empty() && caller.actor.role.sees_all();
        if others.is_empty() && !matches!(what, What::Feed | What::ReadLog) && !nothing_found {
            return Ok(Receipt::of_own(own));
        }
        let reading = Reading {
            who: caller.actor.person,
            role: caller.actor.role.code().to_owned(),
            what,
            cases: others.into_iter().map(|(case, _)| case).collect(),
            attachment,
            positions,
            reason,
        };
        Ok(self.recorder.record(reading).await?.and_own(own))
    }

    /// What was found, to be shown to a caller, once that is recorded.
    ///
    /// # Errors
    /// As [`App::recorded`].
    pub async fn shown_to<T>(
        &self,
        caller: &Caller,
        purpose: impl Into<Purpose>,
        found: Unread<T>,
    ) -> Result<T, Failure> {
        let receipt = self.recorded(caller, purpose, found.cases()).await?;
        Ok(found.shown(&receipt)?)
    }

    /// A page of a list, to be shown to a caller. While nothing can be recorded it comes without what was written and
    /// without persons, and false; what a search finds would tell what was written, so there is nothing then.
    ///
    /// # Errors
    /// As [`App::recorded`], for a search.
    pub async fn list_shown_to(
        &self,
        caller: &Caller,
        searched: bool,
        found: Unread<projections::Page>,
    ) -> Result<(projections::Page, bool), Failure> {
        match self.recorded(caller, Purpose::list(searched), found.cases()).await {
            Ok(receipt) => Ok((found.shown(&receipt)?, true)),
            Err(Failure::ReadLogAway) if !searched => Ok((found.without_content(), false)),
            Err(failure) => Err(failure),
        }
    }
}

/// A row of the read log, opened.
#[derive(Clone, Debug)]
pub struct OpenedRead {
    /// Its place.
    pub position: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// What; none where it was disposed of.
    pub reading: Option<Reading>,
}

impl App {
    /// Who has read, newest first, before a position; with a case, who has read that. One more than `limit` where there
    /// is more.
    ///
    /// # Errors
    /// When the read log cannot be read.
    pub async fn readings(
        &self,
        case: Option<CaseId>,
        before: u64,
        limit: usize,
    ) -> Result<Vec<OpenedRead>, LogError> {
        let keys = self.read_keys().await?;
        let tokens: Option<Vec<Token>> = case.map(|case| keys.values().map(|key| token(key, case)).collect());
        let rows = self.log.reads().reads_before(before, tokens.as_deref(), limit + 1).await?;
        let open = |row: StoredRead| {
            let reading = match keys.get(&row.month) {
                Some(key) => Some(row.open(key).map_err(|_| {
                    LogError::Damaged(format!("row {} of the read log does not open", row.position))
                })?),
                None => None,
            };
            Ok(OpenedRead { position: row.position, at: row.at(), reading })
        };
        rows.into_iter().map(open).collect()
    }

    /// The keys of the months that are not destroyed.
    async fn read_keys(&self) -> Result<HashMap<String, Key>, LogError> {
        let open = |(month, wrapped): (String, Vec<u8>)| match open_month(&self.keys, &month, &wrapped) {
            Ok(key) => Ok((month, key)),
            Err(_) => Err(LogError::Damaged(format!(
                "the key of the read log for {month} is of another master key"
            ))),
        };
        self.log.reads().read_keys().await?.into_iter().map(open).collect()
    }

    /// Binds what is new in the read log, where that is due, and destroys the keys of months whose retention has ended;
    /// on one node at a time.
    ///
    /// # Errors
    /// When the log or the read log cannot be read or written; it is done the next time.
    pub async fn keep_reads(&self, lease: &mut Lease) -> Result<(), KeepError> {
        let head = self.log.reads().reads_head().await?;
        let old = self.months_to_destroy().await?;
        if (head.position == 0 && old.is_empty()) || lease.hold(self).await?.is_none() {
            return Ok(());
        }
        let events = self.log.stream(StreamId::of_read_log()).await?;
        let mut bound = Bound::default();
        let mut last = None;
        for event in &events {
            let told = event.facts_only().map_err(|error| LogError::Damaged(error.to_string()))?;
            bound.see(&told);
            if matches!(told, Event::ReadLogSealed { .. }) {
                last = Some(event.recorded_at);
            }
        }
        let now = self.log_time().await?;
        let due = last.is_none_or(|last| now.timestamp_micros() >= last + micros(BOUND_EVERY));
        if due && head.position > bound.last() {
            let (from, to) = (bound.last() + 1, head.position);
            let root = binding::root(self.log.reads(), from, to).await?;
            self.tell_of_reads(Event::ReadLogSealed { from, to, root: hex::encode(root) }).await?;
        }
        for month in old {
            // The log tells of it first: a key that is missing is in order only there.
            if !bound.destroyed.contains(&month) {
                self.tell_of_reads(Event::ReadLogKeyDestroyed { month: month.clone() }).await?;
            }
            self.recorder.destroy(month.clone()).await?;
            tracing::info!(month, "the key of a month of the read log is destroyed: its retention has ended");
        }
        Ok(())
    }

    /// The months that have a key though their retention has ended.
    async fn months_to_destroy(&self) -> Result<Vec<String>, LogError> {
        let now = self.log_time().await?;
        let first_kept = oldest_kept(&self.config, now);
        let keys = self.log.reads().read_keys().await?;
        Ok(keys.into_iter().map(|(month, _)| month).filter(|month| *month < first_kept).collect())
    }

    async fn tell_of_reads(&self, event: Event) -> Result<(), CommandError> {
        let append = Append {
            stream: StreamId::of_read_log(),
            actor: PersonId(self.keys.derived_id("installation", &[])),
            employer: None,
            event,
            expected: Expected::Any,
            upkeep: None,
        };
        self.committer.append(append).await.map(drop)
    }
}

/// The oldest month that is still kept.
fn oldest_kept(config: &Config, now: DateTime<Utc>) -> String {
    let months = Months::new(config.read_log.retention_months);
    month_of(now.checked_sub_months(months).unwrap_or_default())
}

fn micros(time: chrono::TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX)
}

/// Why the read log was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The log, or the read log, cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log cannot be written.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The read log cannot be written.
    #[error(transparent)]
    Recorder(#[from] Unrecorded),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_kept_until_the_retention_of_its_last_day_has_ended() {
        let oldest = |months: u32, now: &str| {
            let config = Config::parse(&format!("[read_log]\nretention_months = {months}")).unwrap();
            oldest_kept(&config, now.parse().unwrap())
        };
        assert_eq!(
            oldest(24, "2026-11-30T12:00:00Z"),
            "2024-11",
            "October 2024 has ended more than 24 months ago"
        );
        assert_eq!(oldest(24, "2026-12-01T12:00:00Z"), "2024-12");
        assert_eq!(oldest(1, "2026-03-31T12:00:00Z"), "2026-02");
        assert_eq!(oldest_kept(&Config::default(), "2026-11-30T12:00:00Z".parse().unwrap()), "2024-11");
    }
}
