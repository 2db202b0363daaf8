//! A line to the mail server that is cut, or held, at one step of one conversation; the conversations after it pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Where a conversation is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Before the server has greeted.
    Greeting,
    /// After EHLO was sent.
    Ehlo,
    /// After MAIL was sent.
    Mail,
    /// After RCPT was sent.
    Rcpt,
    /// After DATA was sent.
    Data,
    /// In the middle of the message.
    Message,
    /// After the last full stop, when the server has taken the mail and its answer is on the way.
    Taken,
}

impl Step {
    pub(super) const ALL: [Self; 7] =
        [Self::Greeting, Self::Ehlo, Self::Mail, Self::Rcpt, Self::Data, Self::Message, Self::Taken];

    /// Whether a line of the client is where this step is.
    fn is_at(self, line: &str, in_message: bool) -> bool {
        match self {
            Self::Greeting => false,
            Self::Ehlo => line.starts_with("EHLO"),
            Self::Mail => line.starts_with("MAIL"),
            Self::Rcpt => line.starts_with("RCPT"),
            Self::Data => line.starts_with("DATA"),
            Self::Message => in_message && line.starts_with("Subject:"),
            Self::Taken => in_message && line == ".\r\n",
        }
    }
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The connection is cut.
    Cut,
    /// Nothing comes through any more, until the client goes away.
    Hold,
}

/// The line.
pub(super) struct Proxy {
    pub(super) port: u16,
    reached: Arc<Notify>,
}

impl Proxy {
    /// A line to the server on a port, disturbed once.
    pub(super) async fn to(server: u16, step: Step, how: How) -> Self {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let reached = Arc::new(Notify::new());
        let told = Arc::clone(&reached);
        let done = Arc::new(AtomicBool::new(false));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = Line { step, how, told: Arc::clone(&told), done: Arc::clone(&done) };
                tokio::spawn(line.talk(client, server));
            }
        });
        Self { port, reached }
    }

    /// Waits until the step is reached.
    pub(super) async fn reached(&self) {
        self.reached.notified().await;
    }
}

/// One conversation.
struct Line {
    step: Step,
    how: How,
    told: Arc<Notify>,
    done: Arc<AtomicBool>,
}

impl Line {
    async fn talk(self, client: TcpStream, server: u16) {
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = TcpStream::connect(("localhost", server)).await.unwrap().into_split();
        if self.step == Step::Greeting && self.is_first() {
            return self.disturb(from_client).await;
        }
        let silent = Arc::new(AtomicBool::new(false));
        let answers = tokio::spawn(pass_answers(from_server, to_client, Arc::clone(&silent)));
        if let Some(client) = self.pass_lines(from_client, to_server, &silent).await {
            if self.step == Step::Taken {
                // The server has answered; nobody hears it.
                answers.await.unwrap();
            } else {
                answers.abort();
            }
            self.disturb(client).await;
        }
    }

    fn is_first(&self) -> bool {
        !self.done.swap(true, Ordering::AcqRel)
    }

    /// Passes the client's lines on; gives the client's side back where it is to be disturbed.
    async fn pass_lines(
        &self,
        client: OwnedReadHalf,
        mut server: OwnedWriteHalf,
        silent: &AtomicBool,
    ) -> Option<OwnedReadHalf> {
        let mut lines = BufReader::new(client);
        let (mut line, mut in_message) = (Vec::new(), false);
        while lines.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            let here = self.step.is_at(&text, in_message) && self.is_first();
            silent.store(here, Ordering::Release);
            in_message = text.starts_with("DATA") || in_message && text != ".\r\n";
            server.write_all(&line).await.ok()?;
            if here {
                return Some(lines.into_inner());
            }
            line.clear();
        }
        None
    }

    async fn disturb(&self, mut client: OwnedReadHalf) {
        self.told.notify_one();
        if self.how == How::Hold {
            let mut rest = Vec::new();
            let _ = client.read_to_end(&mut rest).await;
        }
    }
}

/// Passes the server's answers on; when they must not be heard, ends with the first that is held back.
async fn pass_answers(mut server: OwnedReadHalf, mut client: OwnedWriteHalf, silent: Arc<AtomicBool>) {
    let mut bytes = [0; 4096];
    while let Ok(read) = server.read(&mut bytes).await
        && read > 0
        && !silent.load(Ordering::Acquire)
        && client.write_all(&bytes[..read]).await.is_ok()
    {}
    // The client's side is closed by whoever holds its other half.
    client.forget();
}
