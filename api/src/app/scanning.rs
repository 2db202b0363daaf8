//! The doors through which attached files come in and go out: past the virus scanner, where there is one. A file that it
//! finds fault with while it comes in is refused; one that it cannot look at then is taken as waiting, and nobody can
//! open it before it has been found clean.

use std::fmt::Display;
use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use domain::AttachmentId;
use domain::files::{FileCard, Scan, UploadedFile};
use domain::refusal::FieldError;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use infrastructure::files::FileError;
use infrastructure::scanner::{ScanError, Scanner, Verdict};
use projections::{CaseView, Unread};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::app::App;
use crate::{Config, Failure};

/// How long uploads do not wait for a scanner that failed one of them.
const REST: Duration = Duration::from_secs(10);
/// Pieces of a file that wait for the scanner at most.
const AHEAD: usize = 4;

/// The scanner as uploads use it.
#[derive(Debug)]
pub struct Scanning {
    scanner: Option<Scanner>,
    wait: Duration,
    /// Until when it is left alone.
    rests: Mutex<Option<Instant>>,
}

impl Scanning {
    /// The scanner of the settings.
    ///
    /// # Errors
    /// When its address is none, in words.
    pub fn new(config: &Config) -> Result<Self, String> {
        Ok(Self { scanner: config.scan.scanner()?, wait: config.scan.wait(), rests: Mutex::default() })
    }

    /// The scanner, where there is one.
    pub const fn scanner(&self) -> Option<&Scanner> {
        self.scanner.as_ref()
    }

    /// The scanner, unless it has just failed.
    fn ready(&self) -> Option<Scanner> {
        let rests = *self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        self.scanner.clone().filter(|_| rests.is_none_or(|until| until <= Instant::now()))
    }

    /// Uploads need not wait for it for a while.
    fn failed(&self, error: &str) {
        tracing::warn!(error, "a file could not be scanned while it came in; it waits");
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
    }
}

/// Counts what the scanner has said.
pub fn count(outcome: Scan) {
    metrics::counter!("kundwebb_scanned_total", "outcome" => outcome.code()).increment(1);
}

/// Whether a file may be opened of which this is known.
///
/// # Errors
/// [`Failure::FileClosed`].
pub const fn may_open(scan: Option<Scan>) -> Result<(), Failure> {
    match scan {
        Some(scan) if !scan.may_open() => Err(Failure::FileClosed(scan)),
        _ => Ok(()),
    }
}

/// Whether a file of a case may be opened, before it is recorded that it is.
///
/// # Errors
/// [`Failure::NotFound`] where there is no such file; [`Failure::FileClosed`].
pub fn may_open_of(found: &Unread<CaseView>, file: AttachmentId) -> Result<(), Failure> {
    may_open(found.file(file).ok_or(Failure::NotFound)?)
}

impl App {
    /// The content of a file of a case, after its first chunk was opened: what cannot be read at all is a failure, not half
    /// an answer. Nothing else hands out what is stored.
    ///
    /// # Errors
    /// [`Failure::FileClosed`] unless it may be opened; [`Failure::NotFound`]; when it cannot be read.
    pub async fn content_of<'a>(
        &self,
        view: &'a CaseView,
        file: AttachmentId,
    ) -> Result<(&'a FileCard, BoxStream<'static, Result<Bytes, FileError>>), Failure> {
        let mut cards = view.attachments.iter().map(|attached| &attached.card);
        let card = cards.find(|card| card.attachment_id == file).ok_or(Failure::NotFound)?;
        may_open(view.scan(file))?;
        let mut content = self.files.read(card).await?.boxed();
        let first = content.next().await.transpose()?;
        Ok((card, stream::iter(first.map(Ok)).chain(content).boxed()))
    }

    /// Stores a file that comes in, while the scanner looks at it.
    ///
    /// # Errors
    /// [`FileError`]; also when the scanner finds fault with it. Nothing stays behind.
    pub(super) async fn take_in<E: Display + Send>(
        &self,
        file_name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
    ) -> Result<UploadedFile, FileError> {
        let limits = self.config.limits();
        let Some(scanner) = self.scanning.ready() else {
            let mut file = self.files.store(file_name, content, limits).await?;
            file.stored.scan = self.scanning.scanner().map(|_| Scan::Waiting);
            return Ok(file);
        };
        let mut look = Look::begin(scanner, self.scanning.wait);
        let mut file = self.files.store(file_name, look.along(content).boxed(), limits).await?;
        let outcome = match look.verdict().await {
            Ok(Verdict { outcome, signature }) => {
                count(outcome);
                if let Some(signature) = signature {
                    tracing::warn!(signature, "a file was refused while it came in");
                }
                outcome
            }
            Err(error) => {
                self.scanning.failed(&error.to_string());
                Scan::Waiting
            }
        };
        if let Some(code) = outcome.refusal() {
            self.files.delete(file.card.attachment_id).await?;
            return Err(FileError::Refused(FieldError::new("", code).with("file", file.card.file_name)));
        }
        file.stored.scan = Some(outcome);
        Ok(file)
    }
}

/// The scanner looking at a file while it comes in.
struct Look {
    /// To the scanner; none any more when it does not keep up.
    pieces: Option<mpsc::Sender<io::Result<Bytes>>>,
    scan: AbortOnDropHandle<Result<Verdict, ScanError>>,
    wait: Duration,
}

impl Look {
    fn begin(scanner: Scanner, wait: Duration) -> Self {
        let (pieces, mut taken) = mpsc::channel(AHEAD);
        let content = stream::poll_fn(move |context| taken.poll_recv(context));
        // As long as the file takes to come: who sends it decides that, and whether it is scanned is known at its end.
        let scan = tokio::spawn(async move { scanner.scan(content, Duration::MAX).await });
        Self { pieces: Some(pieces), scan: AbortOnDropHandle::new(scan), wait }
    }

    /// The same content, of which each piece goes to the scanner first.
    fn along<'a, E>(
        &'a mut self,
        content: impl Stream<Item = Result<Bytes, E>> + Send + 'a,
    ) -> impl Stream<Item = Result<Bytes, E>> + Send + 'a
    where
        E: Send + 'a,
    {
        stream::unfold((self, Box::pin(content)), |(look, mut content)| async move {
            let piece = content.next().await?;
            if let Ok(bytes) = &piece {
                look.give(bytes.clone()).await;
            }
            Some((piece, (look, content)))
        })
    }

    async fn give(&mut self, bytes: Bytes) {
        let Some(pieces) = &self.pieces else { return };
        if pieces.send_timeout(Ok(bytes), self.wait).await.is_err() {
            // What it has seen is not the file.
            self.scan.abort();
            self.pieces = None;
        }
    }

    /// What it says, when the whole file has come.
    async fn verdict(mut self) -> Result<Verdict, ScanError> {
        if self.pieces.take().is_none() {
            return Err(ScanError::Slow(self.wait));
        }
        match tokio::time::timeout(self.wait, &mut self.scan).await {
            Ok(Ok(said)) => said,
            Ok(Err(_)) | Err(_) => Err(ScanError::Slow(self.wait)),
        }
    }
}
