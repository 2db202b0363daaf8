//! Bodies as they come in: JSON of a bounded size.

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use serde_json::Value;

use crate::Failure;
use crate::app::room::Room;
use crate::v1::headers::media_type;

/// Largest JSON body: the longest message with every character escaped, and room for the rest.
pub const JSON_BYTES: u64 = 256 * 1024;
/// How much of a body that is too large is still read, so that the sender comes to read the answer.
const DRAINED_BYTES: u64 = 64 * 1024 * 1024;

/// Reads a JSON body; `None` when it is empty.
///
/// # Errors
/// [`Failure::UnsupportedMediaType`], [`Failure::TooLarge`], [`Failure::Syntax`], in this order; [`Failure::Busy`] when
/// there is no room for it.
pub async fn json(room: &Room, headers: &HeaderMap, body: Body) -> Result<Option<Value>, Failure> {
    let declared = media_type(headers);
    let mut content = body.into_data_stream();
    if declared.as_deref().is_some_and(|declared| declared != "application/json") {
        drain(&mut content).await;
        return Err(Failure::UnsupportedMediaType);
    }
    if announced(headers) > JSON_BYTES {
        // Whoever waits for "100 Continue" has not begun to send.
        if !headers.contains_key(header::EXPECT) {
            drain(&mut content).await;
        }
        return Err(Failure::TooLarge);
    }
    let bytes = whole(Some(room), content, JSON_BYTES).await?.ok_or(Failure::TooLarge)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    if declared.is_none() {
        return Err(Failure::UnsupportedMediaType);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|_| Failure::Syntax)
}

/// A body that is kept whole, in the room that there is for such; `None` when it has more than `most` bytes, of which
/// nothing is kept then.
///
/// # Errors
/// [`Failure::Syntax`] when it breaks off; [`Failure::Busy`] when there is no room for it.
pub async fn whole(
    room: Option<&Room>,
    mut content: BodyDataStream,
    most: u64,
) -> Result<Option<Bytes>, Failure> {
    let (mut whole, mut taken) = (BytesMut::new(), room.map(Room::begin));
    while let Some(part) = content.next().await {
        let part = part.map_err(|_| Failure::Syntax)?;
        if (whole.len() + part.len()) as u64 > most {
            drain(&mut content).await;
            return Ok(None);
        }
        if let Some(taken) = &mut taken {
            taken.grow(part.len())?;
        }
        whole.extend_from_slice(&part);
    }
    Ok(Some(whole.freeze()))
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
