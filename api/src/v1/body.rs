//! Bodies as they come in: JSON of a bounded size, and files as a stream that is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use serde_json::Value;

use crate::Failure;
use crate::v1::headers::media_type;

/// Largest JSON body: the longest message with every character escaped, and room for the rest.
pub const JSON_BYTES: u64 = 256 * 1024;
/// How much of a body that is too large is still read, so that the sender comes to read the answer.
const DRAINED_BYTES: u64 = 64 * 1024 * 1024;

/// Reads a JSON body; `None` when it is empty.
///
/// # Errors
/// [`Failure::UnsupportedMediaType`], [`Failure::TooLarge`], [`Failure::Syntax`], in this order.
pub async fn json(headers: &HeaderMap, body: Body) -> Result<Option<Value>, Failure> {
    let declared = media_type(headers);
    let mut content = body.into_data_stream();
    if declared.as_deref().is_some_and(|declared| declared != "application/json") {
        drain(&mut content).await;
        return Err(Failure::UnsupportedMediaType);
    }
    let bytes = whole(headers, content).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if declared.is_none() {
        return Err(Failure::UnsupportedMediaType);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|_| Failure::Syntax)
}

async fn whole(headers: &HeaderMap, mut content: BodyDataStream) -> Result<Bytes, Failure> {
    if announced(headers) > JSON_BYTES {
        // Whoever waits for "100 Continue" has not begun to send.
        if !headers.contains_key(header::EXPECT) {
            drain(&mut content).await;
        }
        return Err(Failure::TooLarge);
    }
    let mut whole = BytesMut::new();
    while let Some(part) = content.next().await {
        whole.extend_from_slice(&part.map_err(|_| Failure::Syntax)?);
        if whole.len() as u64 > JSON_BYTES {
            drain(&mut content).await;
            return Err(Failure::TooLarge);
        }
    }
    Ok(whole.freeze())
}

/// How long a body says that it is; 0 when it does not.
pub fn announced(headers: &HeaderMap) -> u64 {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|value| value.parse().ok()).unwrap_or_default()
}

/// Reads on without keeping anything, up to `DRAINED_BYTES`.
pub async fn drain(content: &mut BodyDataStream) {
    let mut read = 0;
    while let Some(Ok(part)) = content.next().await {
        read += part.len() as u64;
        if read > DRAINED_BYTES {
            break;
        }
    }
}

/// A body that ends with an error when it grows past `most` bytes; the flag tells that it did.
pub fn counted(body: Body, most: u64) -> (Body, Arc<AtomicBool>) {
    let exceeded = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&exceeded);
    let mut read = 0_u64;
    let content = body.into_data_stream().map(move |part| {
        let part = part.map_err(|error| error.to_string())?;
        read += part.len() as u64;
        if read > most {
            told.store(true, Ordering::Relaxed);
            return Err("the body is too large".to_owned());
        }
        Ok(part)
    });
    (Body::from_stream(stop_at_error(content)), exceeded)
}

/// Nothing is asked of a stream after its first error.
fn stop_at_error<S: Stream<Item = Result<Bytes, String>>>(
    content: S,
) -> impl Stream<Item = Result<Bytes, String>> {
    content.scan(false, |ended, part| {
        let next = if *ended { None } else { Some(part) };
        *ended = next.as_ref().is_none_or(Result::is_err);
        std::future::ready(next)
    })
}
