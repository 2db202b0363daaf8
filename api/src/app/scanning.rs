//! The doors through which attached files come in and go out: past the virus scanner, where there is one. A file that it
//! finds fault with when it comes is refused; one that it cannot look at then is taken as waiting, and nobody can open it
//! before it has been found clean.

use std::fmt::Display;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::AttachmentId;
use domain::files::{FileCard, Scan, UploadedFile};
use domain::refusal::FieldError;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use infrastructure::files::FileError;
use infrastructure::scanner::{ScanError, Scanner, Verdict};
use projections::payroll_forms::FormFile;
use projections::{CaseView, Unread};
use tokio::time::Instant;

use crate::app::App;
use crate::{Config, Failure};

/// How long uploads do not ask a scanner that has failed one of them.
const REST: Duration = Duration::from_secs(10);

/// The scanner as uploads use it.
#[derive(Debug)]
pub struct Scanning {
    scanner: Option<Scanner>,
    /// Until when it is left alone.
    rests: Mutex<Option<Instant>>,
}

/// Why a stored file was not scanned.
#[derive(Debug, thiserror::Error)]
pub enum Unscanned {
    /// The scanner is the trouble.
    #[error(transparent)]
    Scanner(#[from] ScanError),
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Scanning {
    /// The scanner of the settings.
    ///
    /// # Errors
    /// When its address is none, in words.
    pub fn new(config: &Config) -> Result<Self, String> {
        Ok(Self { scanner: config.scan.scanner()?, rests: Mutex::default() })
    }

    /// The scanner, where there is one.
    pub const fn scanner(&self) -> Option<&Scanner> {
        self.scanner.as_ref()
    }

    /// The file as one that waits, if it came before there was a scanner.
    pub(super) fn known(&self, mut file: UploadedFile) -> UploadedFile {
        file.stored.scan = file.stored.scan.or(self.scanner.as_ref().map(|_| Scan::Waiting));
        file
    }

    /// The scanner, unless it has just failed.
    fn ready(&self) -> Option<&Scanner> {
        let rests = *self.rests.lock().unwrap_or_else(PoisonError::into_inner);
        self.scanner.as_ref().filter(|_| rests.is_none_or(|until| until <= Instant::now()))
    }

    /// Uploads need not wait for it for a while.
    fn failed(&self, error: &Unscanned) {
        tracing::warn!(%error, "a file could not be scanned when it came; it waits");
        *self.rests.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + REST);
    }
}

/// A file of a case or a payroll form that may be opened: what is stored is handed out by this alone.
#[derive(Clone, Copy, Debug)]
pub struct OpenFile<'a>(&'a FileCard);

impl<'a> OpenFile<'a> {
    /// A file of a case.
    ///
    /// # Errors
    /// [`Failure::NotFound`] where there is no such file; [`Failure::FileClosed`].
    pub fn of(view: &'a CaseView, file: AttachmentId) -> Result<Self, Failure> {
        may_open(view.scan(file))?;
        let mut cards = view.attachments.iter().map(|attached| &attached.card);
        cards.find(|card| card.attachment_id == file).map(Self).ok_or(Failure::NotFound)
    }

    /// The file of a payroll form.
    ///
    /// # Errors
    /// [`Failure::FileClosed`].
    pub fn of_form(file: &'a FormFile) -> Result<Self, Failure> {
        may_open(file.scan)?;
        Ok(Self(&file.card))
    }

    /// What is known of it.
    pub const fn card(self) -> &'a FileCard {
        self.0
    }
}

/// Whether a file may be opened of which this is known.
///
/// # Errors
/// [`Failure::FileClosed`].
const fn may_open(scan: Option<Scan>) -> Result<(), Failure> {
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
    /// The content of a file, after its first chunk was opened: what cannot be read at all is a failure, not half an answer.
    ///
    /// # Errors
    /// [`Failure::FilesAway`] when no file can be read now, [`Failure::Internal`] when this one cannot; both are logged.
    pub async fn content_of(
        &self,
        file: OpenFile<'_>,
    ) -> Result<BoxStream<'static, Result<Bytes, FileError>>, Failure> {
        let mut content = self.files.read(file.card()).await?.boxed();
        let first = content.next().await.transpose()?;
        Ok(stream::iter(first.map(Ok)).chain(content).boxed())
    }

    /// What the scanner says of a stored file.
    ///
    /// # Errors
    /// [`Unscanned`].
    pub async fn scan(
        &self,
        scanner: &Scanner,
        card: &FileCard,
        longest: Duration,
    ) -> Result<Verdict, Unscanned> {
        let content = self.files.read(card).await?.map_err(io::Error::other);
        let verdict = scanner.scan(content, longest).await?;
        metrics::counter!("kundwebb_scanned_total", "outcome" => verdict.outcome.code()).increment(1);
        Ok(verdict)
    }

    /// Stores a file that comes in, and has it scanned. It is scanned when it has come whole: who sends it slowly would
    /// keep the scanner from others.
    ///
    /// # Errors
    /// [`FileError`]; also when the scanner finds fault with it. Nothing stays behind.
    pub(super) async fn take_in<E: Display>(
        &self,
        file_name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
    ) -> Result<UploadedFile, FileError> {
        let file = self.files.store(file_name, content, self.config.limits()).await?;
        let mut file = self.scanning.known(file);
        let Some(scanner) = self.scanning.ready() else { return Ok(file) };
        match self.scan(scanner, &file.card, self.config.scan.wait()).await {
            Ok(Verdict { outcome, signature }) => {
                if let Some(code) = outcome.refusal() {
                    tracing::warn!(signature, "a file was refused when it came");
                    self.files.delete(file.card.attachment_id).await?;
                    let error = FieldError::new("", code).with("file", file.card.file_name);
                    return Err(FileError::Refused(error));
                }
                file.stored.scan = Some(outcome);
            }
            Err(error) => self.scanning.failed(&error),
        }
        Ok(file)
    }
}
