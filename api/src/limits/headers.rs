//! How a quota is told (draft-ietf-httpapi-ratelimit-headers, as of its tenth version). It is a draft: nothing else knows it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::quota::{Counted, WINDOW};

/// What the quota is.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// What is left of it, and in how many seconds it is whole again.
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes both.
pub(super) fn write(headers: &mut HeaderMap, counted: Counted) {
    let Counted { limit, left, seconds } = counted;
    let both = [
        (POLICY, format!("\"default\";q={limit};w={}", WINDOW.as_secs())),
        (LEFT, format!("\"default\";r={left};t={seconds}")),
    ];
    headers.extend(
        both.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))),
    );
}
