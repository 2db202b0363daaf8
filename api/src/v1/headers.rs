//! The headers of the contract: versions, keys and positions, each read in one place.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::Failure;

/// The key under which a repeated request is the same command.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The position that a query waits for.
pub const READ_AFTER: HeaderName = HeaderName::from_static("read-after");
/// How much of a reason is kept, characters.
pub const REASON_MAX: usize = 200;
/// Why an auditor reads personal content.
pub const REASON: HeaderName = HeaderName::from_static("reason");

/// Longest key, characters.
const KEY_MAX: usize = 255;
/// What no case has as its version: a tag that matches nothing.
const NO_VERSION: u64 = u64::MAX;

/// What `If-Match` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Nothing.
    Absent,
    /// `*`: any version will do.
    Any,
    /// A version.
    Version(u64),
}

impl IfMatch {
    /// Reads it: quoted, bare or weak. A tag that is no version matches nothing.
    pub fn read(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::IF_MATCH).iter();
        let Some(value) = values.next() else { return Self::Absent };
        if values.next().is_some() {
            return Self::Version(NO_VERSION);
        }
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Self::Any;
        }
        let tag = text.strip_prefix("W/").unwrap_or(text);
        let digits = quoted(tag).unwrap_or(tag);
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        Self::Version(plain.then(|| digits.parse().ok()).flatten().unwrap_or(NO_VERSION))
    }
}

/// Reads `Idempotency-Key`, quoted or bare: the same key either way.
///
/// # Errors
/// [`Failure::IdempotencyKeyMissing`] when it is there but no key: empty, longer than 255 characters, or with
/// characters that cannot be seen.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().map_err(|_| Failure::IdempotencyKeyMissing)?.trim();
    let key = quoted(text).unwrap_or(text);
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if values.next().is_some() || key.is_empty() || key.len() > KEY_MAX || !visible {
        return Err(Failure::IdempotencyKeyMissing);
    }
    Ok(Some(key.to_owned()))
}

/// Reads `Read-After`.
///
/// # Errors
/// [`Failure::Syntax`] when it is no position.
pub fn read_after(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let Some(value) = headers.get(READ_AFTER) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Failure::Syntax)?.trim();
    quoted(text).unwrap_or(text).parse().map(Some).map_err(|_| Failure::Syntax)
}

/// Why personal content is read, where that is said.
pub fn reason(headers: &HeaderMap) -> Option<String> {
    let reason = String::from_utf8_lossy(headers.get(REASON)?.as_bytes().trim_ascii()).into_owned();
    Some(reason.chars().take(REASON_MAX).collect()).filter(|reason: &String| !reason.is_empty())
}

/// Whether a caller asks for a media type by name.
pub fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    ranges.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type));
        named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// The media type of a body, without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// The tag of a version.
pub fn tag(version: u64) -> HeaderValue {
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, value: &[u8]) -> HeaderMap {
        HeaderMap::from_iter([(name.clone(), HeaderValue::from_bytes(value).unwrap())])
    }

    #[test]
    fn a_version_is_read_quoted_bare_or_weak() {
        for (value, read) in [
            ("\"3\"", IfMatch::Version(3)),
            ("3", IfMatch::Version(3)),
            ("W/\"3\"", IfMatch::Version(3)),
            (" * ", IfMatch::Any),
            ("\"*\"", IfMatch::Version(NO_VERSION)),
            ("\"abc\"", IfMatch::Version(NO_VERSION)),
            ("\"1\", \"2\"", IfMatch::Version(NO_VERSION)),
            ("+3", IfMatch::Version(NO_VERSION)),
            ("99999999999999999999999", IfMatch::Version(NO_VERSION)),
            ("", IfMatch::Version(NO_VERSION)),
        ] {
            assert_eq!(IfMatch::read(&headers(&header::IF_MATCH, value.as_bytes())), read, "{value}");
        }
        assert_eq!(IfMatch::read(&HeaderMap::new()), IfMatch::Absent);
    }

    #[test]
    fn a_key_is_the_same_quoted_or_bare() {
        let key = |value: &[u8]| idempotency_key(&headers(&IDEMPOTENCY_KEY, value));
        assert_eq!(key(b"\"k-1\""), Ok(Some("k-1".to_owned())));
        assert_eq!(key(b"k-1"), Ok(Some("k-1".to_owned())));
        assert_eq!(idempotency_key(&HeaderMap::new()), Ok(None));
        for wrong in [&b""[..], b"\"\"", b"a b", "nyckel-å".as_bytes(), &[b'x'; 256]] {
            assert_eq!(key(wrong), Err(Failure::IdempotencyKeyMissing));
        }
        assert!(key(&[b'x'; 255]).is_ok());
    }

    #[test]
    fn a_media_type_is_asked_for_by_name() {
        let asks = |value: &str| accepts(&headers(&header::ACCEPT, value.as_bytes()), "application/x-ndjson");
        assert!(asks("application/x-ndjson"));
        assert!(asks("application/json;q=0.5, Application/X-NDJSON; q=0.9"));
        assert!(!asks("*/*"));
        assert!(!asks("application/x-ndjson;q=0"));
    }
}
