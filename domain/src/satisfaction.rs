//! Whether a closed case was of help: its reporter is asked once, for some time after it was closed.

use chrono::{DateTime, TimeDelta, Utc};

use crate::vocabulary::vocabulary;

vocabulary! {
    /// Whether somebody got help.
    Helped {
        /// Yes.
        Yes = "yes",
        /// In part.
        Partly = "partly",
        /// No.
        No = "no",
    }
}

/// How long it is asked after a case was closed.
const ASKED: TimeDelta = TimeDelta::days(30);

/// Whether it is asked at a moment of a case that was closed then; never of one that is open.
pub fn is_asked(closed_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    closed_at.is_some_and(|closed_at| now.signed_duration_since(closed_at) < ASKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_asked_for_thirty_days_after_the_case_was_closed() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let closed = Some(at("2026-11-01T10:00:00Z"));
        assert!(is_asked(closed, at("2026-11-01T10:00:00Z")) && is_asked(closed, at("2026-12-01T09:59:59Z")));
        assert!(!is_asked(closed, at("2026-12-01T10:00:00Z")), "too late");
        assert!(!is_asked(None, at("2026-11-01T10:00:00Z")), "still open");
    }
}
