//! Tokens that are revoked: the ids of those that have not expired yet, in one value about the installation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// Under this name they are kept.
pub const REVOKED: &str = "revoked_tokens";

/// The ids of revoked tokens, each with when it would have expired, seconds since 1970 UTC.
pub type Tokens = BTreeMap<String, i64>;

/// What is kept, read; nothing where nothing was ever revoked.
///
/// # Errors
/// When it cannot be read: then nobody knows which tokens are revoked.
pub fn read(kept: Option<&str>) -> Result<Tokens, serde_json::Error> {
    kept.map_or_else(|| Ok(Tokens::new()), serde_json::from_str)
}

/// What is kept when one more is revoked; those that have expired by now are left out.
pub(crate) fn with(
    kept: Option<&str>,
    id: &str,
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<String, serde_json::Error> {
    let mut tokens = read(kept)?;
    tokens.retain(|_, expires| *expires > now.timestamp());
    let expires = tokens.entry(id.to_owned()).or_default();
    *expires = (*expires).max(expires_at.timestamp());
    serde_json::to_string(&tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_expired_is_left_out_and_the_rest_is_kept() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let one = with(None, "one", at(100), at(1)).unwrap();
        let two = with(Some(&one), "two", at(200), at(50)).unwrap();
        assert_eq!(
            read(Some(&two)).unwrap(),
            Tokens::from([("one".to_owned(), 100), ("two".to_owned(), 200)])
        );
        let three = with(Some(&two), "two", at(150), at(100)).unwrap();
        assert_eq!(read(Some(&three)).unwrap(), Tokens::from([("two".to_owned(), 200)]));
        assert!(read(Some("damaged")).is_err() && with(Some("damaged"), "one", at(2), at(1)).is_err());
    }
}
