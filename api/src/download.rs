//! The content of an attached file as an answer, for the API and the pages: streamed while it is opened, always as an
//! attachment, never kept by anybody on the way.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use infrastructure::files::FileError;

use crate::app::scanning::OpenFile;
use crate::{App, Failure};

/// SHA-256 of what is sent (RFC 9530).
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");
/// SHA-256 of the whole file (RFC 9530).
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The bytes of a file that are asked for, from the first to before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(u64, u64),
    Impossible,
}

/// Answers with a file, or the part of it that `Range` asks for.
///
/// # Errors
/// As [`App::content_of`]; [`Failure::NoSuchRange`].
pub async fn download(app: &App, file: OpenFile<'_>, asked: &HeaderMap) -> Result<Response, Failure> {
    let card = file.card();
    let tag = format!("\"{}\"", card.sha256);
    let digest = BASE64.encode(hex::decode(&card.sha256).unwrap_or_default());
    let digest = format!("sha-256=:{digest}:");
    let mut headers = HeaderMap::new();
    put(&mut headers, header::ETAG, &tag);
    put(&mut headers, header::CACHE_CONTROL, "no-store");
    put(&mut headers, REPR_DIGEST, &digest);
    if known(asked, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    put(&mut headers, header::CONTENT_TYPE, &card.media_type);
    put(&mut headers, header::CONTENT_DISPOSITION, &disposition(&card.file_name));
    put(&mut headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(&mut headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox; frame-ancestors 'none'");
    put(&mut headers, header::ACCEPT_RANGES, "bytes");
    let (from, to) = match wanted(asked, &tag, card.size) {
        Wanted::Impossible => return Err(Failure::NoSuchRange(card.size)),
        Wanted::Whole => {
            put(&mut headers, CONTENT_DIGEST, &digest);
            (0, card.size)
        }
        Wanted::Part(from, to) => {
            put(&mut headers, header::CONTENT_RANGE, &format!("bytes {from}-{}/{}", to - 1, card.size));
            (from, to)
        }
    };
    put(&mut headers, header::CONTENT_LENGTH, &(to - from).to_string());
    let status = if headers.contains_key(header::CONTENT_RANGE) {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let content = app.content_of(file).await?;
    Ok((status, headers, Body::from_stream(cut(content, from, to))).into_response())
}

/// The bytes of a stream between two places.
fn cut(
    content: impl Stream<Item = Result<Bytes, FileError>> + Send + 'static,
    from: u64,
    to: u64,
) -> impl Stream<Item = Result<Bytes, FileError>> + Send + 'static {
    content.scan(0_u64, move |place, chunk| {
        let start = *place;
        if start >= to {
            return std::future::ready(None);
        }
        let part = chunk.map(|bytes| {
            let length = bytes.len() as u64;
            *place += length;
            let (first, last) = (from.saturating_sub(start).min(length), (to - start).min(length));
            bytes.slice(usize::try_from(first).unwrap_or_default()..usize::try_from(last).unwrap_or_default())
        });
        std::future::ready(Some(part))
    })
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// Whether the caller has what is under a tag already.
pub fn known(asked: &HeaderMap, tag: &str) -> bool {
    let tags = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    tags.split(',')
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == tag || known == "*")
}

/// One range of bytes (RFC 9110 14.2); what is no such range is ignored, and so is a range of an older file.
fn wanted(asked: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let text = |name: HeaderName| asked.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::Whole;
    }
    let range = text(header::RANGE).and_then(|value| value.trim().strip_prefix("bytes="));
    let Some((from, to)) = range.and_then(|range| range.split_once('-')) else { return Wanted::Whole };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (from.trim().is_empty(), number(from), to.trim().is_empty(), number(to)) {
        (true, _, _, Some(0)) => Wanted::Impossible,
        (true, _, _, Some(last)) => Wanted::Part(size.saturating_sub(last), size),
        (_, Some(from), _, _) if from >= size => Wanted::Impossible,
        (_, Some(from), true, _) => Wanted::Part(from, size),
        (_, Some(from), _, Some(to)) if to >= from => Wanted::Part(from, to.saturating_add(1).min(size)),
        _ => Wanted::Whole,
    }
}

/// `attachment` with the name, for old readers in ASCII and for all others as it is (RFC 6266, RFC 8187).
pub fn disposition(name: &str) -> String {
    let plain =
        |c: char| if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' { c } else { '_' };
    let ascii: String = name.chars().map(plain).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(value: &str) -> Wanted {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_str(value).unwrap())]);
        wanted(&headers, "\"a\"", 100)
    }

    #[test]
    fn one_range_is_understood() {
        assert_eq!(range("bytes=0-9"), Wanted::Part(0, 10));
        assert_eq!(range("bytes=90-"), Wanted::Part(90, 100));
        assert_eq!(range("bytes=-5"), Wanted::Part(95, 100));
        assert_eq!(range("bytes=-500"), Wanted::Part(0, 100));
        assert_eq!(range("bytes=50-5000"), Wanted::Part(50, 100));
        assert_eq!(range("bytes=100-"), Wanted::Impossible);
        assert_eq!(range("bytes=-0"), Wanted::Impossible);
        for ignored in ["bytes=9-0", "bytes=", "bytes=a-b", "rows=1-2", "bytes=0-1,3-4", "bytes=-"] {
            assert_eq!(range(ignored), Wanted::Whole, "{ignored}");
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        assert_eq!(
            disposition("lön \"mars\".pdf"),
            "attachment; filename=\"l_n _mars_.pdf\"; filename*=UTF-8''l%C3%B6n%20%22mars%22.pdf"
        );
    }

    #[tokio::test]
    async fn a_part_is_cut_across_chunks() {
        use futures::{TryStreamExt, stream};
        for (from, to) in [(0, 6), (1, 5), (2, 4), (3, 3), (5, 6)] {
            let chunks =
                stream::iter(["ab", "cd", "ef"].map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))));
            let parts: Vec<Bytes> = cut(chunks, from, to).try_collect().await.unwrap();
            let (first, last) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
            assert_eq!(parts.concat(), &b"abcdef"[first..last], "{from}-{to}");
        }
    }
}
