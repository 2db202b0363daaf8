//! The parts of a multipart body as they come in, for the API and the forms alike. What is handed on is not counted
//! here but by who reads it; what is not a part's content (the head of a part, what stands before the first) must be
//! kept until its end is found, so it must be small.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, BodyDataStream};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use bytes::Bytes;
use futures::{Stream, StreamExt};

/// Most bytes that are no part's content, at a stretch. A piece of the body as it is read from the line, which may hold
/// the end of one part and the whole of others, must fit beside.
const BETWEEN_BYTES: u64 = 256 * 1024;

/// A multipart body.
pub struct Parts {
    multipart: Multipart,
    came: Arc<Came>,
}

/// A part of it: a stream of its content.
pub struct Part<'a> {
    field: Field<'a>,
    came: Arc<Came>,
}

/// What has come of a body.
#[derive(Default)]
struct Came {
    /// Bytes since the last piece of a part was handed on.
    between: AtomicU64,
    /// Whether the body grew past what it may have.
    exceeded: AtomicBool,
}

impl Parts {
    /// The parts of a body of at most `most` bytes; `None` when it is no such body.
    pub async fn of(request: Request, most: u64) -> Option<Self> {
        let came = Arc::new(Came::default());
        let (parts, body) = request.into_parts();
        let stream = Counted {
            body: Some(body.into_data_stream()),
            came: Arc::clone(&came),
            read: 0,
            most,
            paused: false,
        };
        let mut request = Request::from_parts(parts, Body::from_stream(stream));
        DefaultBodyLimit::disable().apply(&mut request);
        let multipart = Multipart::from_request(request, &()).await.ok()?;
        Some(Self { multipart, came })
    }

    /// The next part. What was left unread of the one before must be small: [`Part::read_over`] reads on.
    ///
    /// # Errors
    /// When the body breaks off, is not what it says, or grows too large.
    pub async fn next(&mut self) -> Result<Option<Part<'_>>, MultipartError> {
        let field = self.multipart.next_field().await?;
        Ok(field.map(|field| Part { field, came: Arc::clone(&self.came) }))
    }

    /// Whether an error means that the body grew past what it may have.
    pub fn exceeded(&self) -> bool {
        self.came.exceeded.load(Ordering::Relaxed)
    }
}

impl Part<'_> {
    /// Its name; empty where it has none.
    pub fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The name of the file that it is.
    pub fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// Reads to its end without keeping anything.
    pub async fn read_over(&mut self) {
        while let Some(Ok(_)) = self.next().await {}
    }
}

impl Stream for Part<'_> {
    type Item = Result<Bytes, MultipartError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = self.field.poll_next_unpin(context);
        if matches!(piece, Poll::Ready(Some(Ok(_)))) {
            self.came.between.store(0, Ordering::Relaxed);
        }
        piece
    }
}

/// A body that ends with an error when it grows past `most` bytes, or past what may stand between two parts. It hands on
/// one piece each time that it is asked, for who parses it would take in all that has come before looking at it.
struct Counted {
    body: Option<BodyDataStream>,
    came: Arc<Came>,
    read: u64,
    most: u64,
    paused: bool,
}

impl Stream for Counted {
    type Item = Result<Bytes, String>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.paused) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let piece = std::task::ready!(body.poll_next_unpin(context));
        let piece =
            piece.map(|piece| piece.map_err(|error| error.to_string()).and_then(|piece| self.counted(piece)));
        self.paused = true;
        if !matches!(piece, Some(Ok(_))) {
            // Nothing is asked of a body after its first error.
            self.body = None;
        }
        Poll::Ready(piece)
    }
}

impl Counted {
    fn counted(&mut self, piece: Bytes) -> Result<Bytes, String> {
        let length = piece.len() as u64;
        self.read += length;
        let between = self.came.between.fetch_add(length, Ordering::Relaxed) + length;
        if self.read > self.most {
            self.came.exceeded.store(true, Ordering::Relaxed);
            return Err("the body is too large".to_owned());
        }
        if between > BETWEEN_BYTES {
            return Err("what stands between two parts is too large".to_owned());
        }
        Ok(piece)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    /// A body in pieces of some size, of which it is told how many were asked for.
    async fn parts(body: String, size: usize, most: u64) -> (Parts, Arc<AtomicU64>) {
        let asked = Arc::new(AtomicU64::new(0));
        let counts = Arc::clone(&asked);
        let pieces: Vec<_> = body.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect();
        let stream = futures::stream::iter(pieces).map(move |piece| {
            counts.fetch_add(piece.len() as u64, Ordering::Relaxed);
            Ok::<_, String>(piece)
        });
        let request = Request::builder()
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .body(Body::from_stream(stream));
        (Parts::of(request.unwrap(), most).await.unwrap(), asked)
    }

    fn part(name: &str, content: &str) -> String {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
    }

    #[tokio::test]
    async fn parts_come_whole_however_their_body_comes() {
        let large = "x".repeat(1 << 20);
        let small: String = (0..2000).map(|number| part("s", &number.to_string())).collect();
        let body = format!("{}{small}{}{}--b--", part("a", &large), part("b", &large), part("c", "end"));
        for size in [1000, 64 * 1024] {
            let (mut parts, _) = parts(body.clone(), size, 1 << 30).await;
            let mut lengths = Vec::new();
            while let Some(mut part) = parts.next().await.unwrap() {
                let mut length = 0;
                if part.name() == "b" {
                    part.read_over().await;
                }
                while let Some(piece) = part.next().await {
                    length += piece.unwrap().len();
                }
                lengths.push(length);
            }
            assert_eq!((lengths[0], lengths[1], lengths[2001], lengths[2002]), (1 << 20, 1, 0, 3));
        }
    }

    /// Neither may make us keep, and search again and again, all that it sends.
    #[tokio::test]
    async fn a_head_or_a_beginning_without_end_is_not_taken_in() {
        for begun in ["", "--b\r\nx: ", &(part("a", "b") + "--b\r\nx: ")] {
            let body = format!("{begun}{}", "x".repeat(4 << 20));
            let (mut parts, asked) = parts(body, 16 * 1024, 1 << 30).await;
            while let Some(mut part) = match parts.next().await {
                Ok(Some(part)) => Some(part),
                Ok(None) => panic!("it has no end"),
                Err(_) => None,
            } {
                part.read_over().await;
            }
            assert!(!parts.exceeded() && asked.load(Ordering::Relaxed) < 2 * BETWEEN_BYTES);
        }
    }

    #[tokio::test]
    async fn a_body_may_have_so_many_bytes() {
        let (mut parts, _) = parts(part("a", &"x".repeat(5000)), 100, 4000).await;
        let mut part = parts.next().await.unwrap().unwrap();
        part.read_over().await;
        assert!(parts.next().await.is_err() && parts.exceeded());
    }
}
