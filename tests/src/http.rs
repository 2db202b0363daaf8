//! A light HTTP/1.1 client on one kept connection: requests are made once as bytes and sent again and again, so that
//! the load costs little beside what it measures.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Most headers of an answer.
const HEADERS: usize = 64;
/// How much is read at once, bytes.
const READ: usize = 16 * 1024;

/// One connection, kept open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    answered: usize,
}

/// An answer, read to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    /// The lines before the content.
    pub head: &'a [u8],
    /// The content.
    pub body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The first header of a name, if it is text.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(self.head).ok()?;
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    }
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: kundwebb\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if method != "GET" {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(READ), answered: 0 })
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is none of HTTP/1.1 with a length.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>, Error> {
        self.buffer.drain(..self.answered);
        self.answered = 0;
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(head) = head(&self.buffer)? {
                break head;
            }
            self.read().await?;
        };
        let end = head.length + head.body;
        while self.buffer.len() < end {
            self.read().await?;
        }
        self.answered = end;
        let (head_bytes, body) = self.buffer[..end].split_at(head.length);
        Ok(Answer { status: head.status, head: head_bytes, body })
    }

    async fn read(&mut self) -> Result<(), Error> {
        self.buffer.reserve(READ);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")),
            _ => Ok(()),
        }
    }
}

/// The head of an answer.
struct Head {
    status: u16,
    /// Its own length, bytes.
    length: usize,
    /// The length of the content, bytes.
    body: usize,
}

/// The head of an answer, once it is there whole.
fn head(bytes: &[u8]) -> Result<Option<Head>, Error> {
    let wrong = |what: String| Error::new(ErrorKind::InvalidData, what);
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| wrong(error.to_string()))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let value = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let value = value.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    let body = value.ok_or_else(|| wrong("the answer has no length".to_owned()))?;
    Ok(Some(Head { status: response.code.unwrap_or_default(), length, body }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn answers_are_told_apart_however_they_are_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            for answer in [
                "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nabc",
                "HTTP/1.1 204 No\r\ncontent-length: 0\r\n\r\n",
            ] {
                assert!(stream.read(&mut request).await.unwrap() > 0);
                for byte in answer.as_bytes() {
                    stream.write_all(&[*byte]).await.unwrap();
                    stream.flush().await.unwrap();
                }
            }
            assert!(stream.read(&mut request).await.unwrap() > 0);
        });
        let mut connection = Connection::open(address).await.unwrap();
        let get = request("GET", "/", &[("accept", "*/*")], b"");
        assert_eq!(get, b"GET / HTTP/1.1\r\nhost: kundwebb\r\naccept: */*\r\n\r\n");
        let answer = connection.send(&get).await.unwrap();
        assert_eq!(
            (answer.status, answer.body, answer.header("CONTENT-LENGTH")),
            (201, &b"abc"[..], Some("3"))
        );
        let answer = connection.send(&get).await.unwrap();
        assert_eq!((answer.status, answer.body, answer.header("x")), (204, &b""[..], None));
        assert_eq!(connection.send(&get).await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
        serving.await.unwrap();
    }
}
