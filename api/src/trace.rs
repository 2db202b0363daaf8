//! The trace of a request across systems (W3C Trace Context): taken from `traceparent`, made where it is missing,
//! given back with the answer, and recorded with every event that the request causes.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use infrastructure::random;
use uuid::Uuid;

/// The header.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Length of a header of version 00.
const LENGTH: usize = 55;
/// The flag that says that the caller may have recorded its part.
const SAMPLED: u8 = 1;

/// The trace that a request belongs to, and the request's own place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub id: [u8; 16],
    /// The request's own place.
    pub span: [u8; 8],
    /// The caller's place, where the caller told of it.
    pub parent: Option<[u8; 8]>,
    /// 1 where it is to be recorded.
    pub flags: u8,
}

impl Trace {
    /// A new trace.
    pub fn begin() -> Self {
        Self { id: *random::id().as_bytes(), span: random::bytes(), parent: None, flags: SAMPLED }
    }

    /// The next place in the trace of a header; `None` when the header is none that we may use.
    pub fn go_on(header: &str) -> Option<Self> {
        let text = header.trim();
        let (version, rest) = (text.get(..2)?, text.get(2..LENGTH)?);
        let longer = text.get(LENGTH..)?;
        // Later versions may add parts at the end; of ours nothing follows.
        let fits = longer.is_empty() || (version != "00" && longer.starts_with('-'));
        let lower = text[..LENGTH].chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-'));
        let parts: Vec<&str> = rest.split('-').collect();
        let ["", id, parent, flags] = parts.as_slice() else { return None };
        let (id, parent): ([u8; 16], [u8; 8]) = (bytes(id)?, bytes(parent)?);
        let [flags] = bytes(flags)?;
        let [version] = bytes(version)?;
        let valid = fits && lower && version != 0xff && id != [0; 16] && parent != [0; 8];
        valid.then(|| Self { id, span: random::bytes(), parent: Some(parent), flags: flags & SAMPLED })
    }

    /// The id of the trace, as events keep it.
    pub const fn correlation(self) -> Uuid {
        Uuid::from_bytes(self.id)
    }

    /// The header that tells of this place.
    pub fn header(self) -> String {
        format!("00-{}-{}-{:02x}", hex::encode(self.id), hex::encode(self.span), self.flags)
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The layer that finds or begins the trace of every request and gives it back.
pub async fn trace(mut request: Request, next: Next) -> Response {
    let header = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let trace = header.and_then(Trace::go_on).unwrap_or_else(Trace::begin);
    request.extensions_mut().insert(trace);
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::try_from(trace.header()) {
        response.headers_mut().insert(TRACEPARENT, value);
    }
    response
}

impl<S: Sync> FromRequestParts<S> for Trace {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().copied().unwrap_or_else(Self::begin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on_under_its_id_with_a_new_span() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = Trace::go_on(header).unwrap();
        assert_eq!(trace.correlation().simple().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(trace.header().starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert_ne!(trace.header(), header);
        assert_eq!(
            Trace::go_on(&format!("01{}-more", &header[2..])).map(Trace::correlation),
            Some(trace.correlation())
        );
    }

    #[test]
    fn what_is_no_trace_is_not_used() {
        for header in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473åååååååååååååååååååååå-01",
            "zz-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::go_on(header), None, "{header}");
        }
    }
}
