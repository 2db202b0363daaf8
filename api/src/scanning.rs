//! Scanning what waits: files that were attached while the virus scanner was away or slow. It runs on one node at a time;
//! what it finds is recorded in a stream of the file, once, so that whoever is killed or loses the lease in the middle
//! loses nothing and repeats nothing.

use std::time::Duration;

use domain::files::FileCard;
use domain::vocabulary::Party;
use domain::{AttachmentId, CaseId, Event, OrganisationNumber, PersonId, StreamId};
use infrastructure::committer::{Append, Expected};
use infrastructure::scanner::{ScanError, Scanner, Verdict};
use infrastructure::{CommandError, LogError};
use projections::ReadError;
use projections::scans::{Place, waiting, waiting_after};
use tokio::time::Instant;

use crate::App;
use crate::app::scanning::Unscanned;
use crate::reactions::lease::Lease;

/// The name of its lease; never changes.
pub const NAME: &str = "scan";
/// How long it waits for a scanner that does not answer, or when it could not do its work.
const AWAY: Duration = Duration::from_secs(5);

/// What keeps a file, or the work, from being done.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(transparent)]
    Scanner(#[from] ScanError),
    #[error(transparent)]
    File(#[from] Unscanned),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// A file that waits, with what the log knows of it.
struct Waiting {
    file: AttachmentId,
    case: CaseId,
    card: FileCard,
    from: Party,
    /// None where it is attached to no case.
    employer: Option<OrganisationNumber>,
}

/// The work.
struct Work {
    app: App,
    scanner: Scanner,
    lease: Lease,
    /// The last file that was looked at in this round.
    place: Place,
    /// When the next round begins, with all that waits.
    again: Instant,
    /// What went wrong last, until a file is scanned.
    fault: Option<String>,
    /// Whether that was with the file that comes next: then it is passed over the second time.
    failed: bool,
}

/// Runs it; ends at once where there is no scanner.
pub async fn run(app: App) {
    let Some(scanner) = app.scanning.scanner().cloned() else {
        if let Ok(files @ 1..) = app.query(waiting).await {
            tracing::warn!(
                files,
                "files wait for the virus scanner and cannot be opened, but scan.address is not set"
            );
        }
        return;
    };
    let lease = Lease::new(&app, NAME);
    let mut position = app.read_models.watch();
    let mut work = Work {
        app,
        scanner,
        lease,
        place: Place::default(),
        again: Instant::now(),
        fault: None,
        failed: false,
    };
    loop {
        position.mark_unchanged();
        let done = work.turn().await;
        let wait = done.unwrap_or_else(|fault| {
            work.tell(&fault);
            AWAY
        });
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            Ok(()) = position.changed(), if work.fault.is_none() => {}
        }
    }
}

impl Work {
    /// Scans the next file that waits. The answer is how long to wait for more.
    async fn turn(&mut self) -> Result<Duration, Fault> {
        if self.again <= Instant::now() {
            (self.place, self.again) = (Place::default(), Instant::now() + self.every());
        }
        let place = self.place;
        let (next, count) =
            self.app.query(move |tables| Ok((waiting_after(tables, place)?, waiting(tables)?))).await?;
        metrics::gauge!("kundwebb_scan_waiting").set(count);
        let Some(next) = next else {
            if count == 0 {
                self.well();
            }
            return Ok(if count == 0 { self.every() } else { self.again - Instant::now() });
        };
        if self.lease.hold(&self.app).await?.is_none() {
            return Ok(self.lease.look());
        }
        if self.fault.is_some() {
            self.scanner.ping().await?;
        }
        if let Err(fault) = self.scan(next).await {
            self.tell(&fault);
            // Whatever is wrong with a file, it must not keep the others waiting.
            if self.failed {
                self.place = next;
            }
            self.failed = !self.failed;
        } else {
            self.well();
            (self.place, self.failed) = (next, false);
        }
        Ok(Duration::ZERO)
    }

    fn every(&self) -> Duration {
        Duration::from_secs(self.app.config.scan.again_seconds.max(1))
    }

    /// Scans a file and records what was said of it.
    async fn scan(&mut self, place: Place) -> Result<(), Fault> {
        let Some((file, case)) = place.file else { return Ok(()) };
        // Without its card its content is disposed of, and nobody can open it any more.
        let Some(waiting) = waiting_file(&self.app, file, case).await? else { return Ok(()) };
        let app = &self.app;
        let longest = Duration::from_secs(app.config.scan.longest_seconds);
        let verdict = tokio::select! {
            verdict = app.scan(&self.scanner, &waiting.card, longest) => verdict?,
            never = self.lease.keep(app) => match never {},
        };
        record(app, waiting, verdict).await?;
        Ok(())
    }

    /// Tells operators what is wrong, once.
    fn tell(&mut self, fault: &Fault) {
        let fault = fault.to_string();
        if self.fault.as_ref() != Some(&fault) {
            tracing::warn!(fault, "a file that waits could not be scanned; it is tried again");
        }
        metrics::gauge!("kundwebb_scan_trouble").set(1.0);
        self.fault = Some(fault);
    }

    fn well(&mut self) {
        if self.fault.take().is_some() {
            tracing::info!("files are scanned again");
        }
        metrics::gauge!("kundwebb_scan_trouble").set(0.0);
    }
}

/// What the log knows of a file of a case or of a payroll form. Nobody is shown it, so no reading is recorded.
async fn waiting_file(app: &App, file: AttachmentId, case: CaseId) -> Result<Option<Waiting>, LogError> {
    let mut found = None;
    let mut employer = None;
    for recorded in app.reader.stream(case.into()).await? {
        employer = employer.or(recorded.employer);
        let card = recorded.event.files().iter().find(|card| card.attachment_id == file);
        found = found.or(card.map(|card| (card.clone(), recorded.event.attached_by())));
    }
    Ok(found.map(|(card, from)| Waiting { file, case, card, from, employer }))
}

/// Records a verdict, unless another node has done so.
async fn record(app: &App, waiting: Waiting, verdict: Verdict) -> Result<(), CommandError> {
    let Waiting { file, case, from, employer, .. } = waiting;
    let Verdict { outcome, signature } = verdict;
    if outcome.refusal().is_some() {
        tracing::warn!(%case, %file, outcome = outcome.code(), signature, "an attached file is closed");
    }
    let append = Append {
        stream: StreamId(file.0),
        actor: PersonId(app.keys.derived_id("installation", &[])),
        employer,
        event: Event::FileScanned { case_id: case, attachment_id: file, from, outcome, signature },
        expected: Expected::New,
        upkeep: None,
    };
    app.committer.append(append).await.map(drop)
}
