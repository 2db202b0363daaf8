//! Rows that live beside the events and are no part of history: sessions, staged files, drafts, deliveries, leases.
//! They too are written by the committer only, in its batches.

use chrono::{DateTime, Utc};
use domain::{AttachmentId, PersonId};
use uuid::Uuid;

use crate::log::{Delivery, Kept};

/// Under this name it is kept why no mail leaves; without it they do.
pub const HELD: &str = "deliveries_held";

/// Under this name it is kept at what time what has expired was forgotten last (RFC 3339).
pub const CLEANED: &str = "cleaned_at";

/// A change of such rows.
#[derive(Clone, Debug)]
pub enum Upkeep {
    /// Keeps a sealed row, in place of an older one.
    Keep {
        /// Which row.
        which: Kept,
        /// Whose it is; pseudonym.
        owner: PersonId,
        /// Its content.
        sealed: Vec<u8>,
        /// When it may be forgotten.
        expires_at: DateTime<Utc>,
    },
    /// Forgets a sealed row.
    Forget(Kept),
    /// Puts expired uploads out of every command's reach, before their objects are deleted.
    Doom {
        /// The time.
        now: DateTime<Utc>,
    },
    /// Forgets what has expired.
    Purge {
        /// The time.
        now: DateTime<Utc>,
        /// Uploads whose objects are deleted.
        uploads: Vec<AttachmentId>,
    },
    /// Takes or renews a lease. The reply is the epoch, or [`UpkeepReply::Refused`] while another holds it.
    TakeLease {
        /// What is leased.
        name: String,
        /// Who takes it.
        holder: Uuid,
        /// The time.
        now: DateTime<Utc>,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Inserts deliveries and moves the position of a reaction, if the epoch of its lease is still the holder's.
    PlanDeliveries {
        /// The reaction.
        reaction: String,
        /// The epoch of the lease.
        epoch: u64,
        /// The position up to which events were looked at.
        position: u64,
        /// What became due.
        deliveries: Vec<Delivery>,
    },
    /// Records that sending begins, before it does.
    BeginAttempt {
        /// The delivery.
        delivery: Uuid,
        /// The reaction.
        reaction: String,
        /// The epoch of the lease.
        epoch: u64,
        /// When it is tried again if nothing more is heard.
        next_attempt_at: DateTime<Utc>,
    },
    /// Records that an attempt failed and when the next is.
    Postpone {
        /// The delivery.
        delivery: Uuid,
        /// When it is tried again.
        next_attempt_at: DateTime<Utc>,
        /// What the server said.
        reply: String,
    },
    /// Lets the mails leave that were held since the log was put back.
    ReleaseDeliveries,
    /// Takes a token back, until it would have expired.
    RevokeToken {
        /// Its id.
        id: String,
        /// When it would have expired.
        expires_at: DateTime<Utc>,
        /// The time.
        now: DateTime<Utc>,
    },
    /// Ends a delivery; stands in the same batch as its event.
    EndDelivery {
        /// The delivery.
        delivery: Uuid,
        /// Whether it was accepted.
        sent: bool,
        /// What the server said.
        reply: String,
    },
}

/// The answer to an [`Upkeep`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpkeepReply {
    /// Done.
    Done,
    /// The epoch of the lease taken.
    Epoch(u64),
    /// Somebody else holds the lease.
    Refused,
}
