//! The committer where its engine gives trouble: lost answers, panics, data that is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{AttachmentId, CaseNumber, PersonId, StreamId};
use uuid::Uuid;

use super::*;
use crate::log::beside::{Row, Table};
use crate::log::sqlite::SqliteLog;
use crate::log::{Batch, Begun, Delivery, DeliveryCounts, Head, Kept, Loaded, Search, Wanted, Writer};
use crate::outcome::KeptOutcome;
use crate::read_log::{ReadBatch, ReadStore};
use crate::stored::StoredEvent;
use crate::testing::*;

/// What happens to the next commit, and to looking it up.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Trouble {
    None,
    /// It is done, but its answer is lost.
    DoneUnheard,
    /// It is not done, and that is not heard either.
    LostUnheard,
    /// It is done, its answer is lost, and nobody can look it up.
    DoneAndGone,
    /// The rules of this code are broken: the engine panics.
    Panic,
}

/// SQLite behind a line that can be cut.
struct Cut {
    inner: Arc<dyn Log>,
    trouble: Arc<AtomicU8>,
    /// How many commits go well before.
    after: Arc<AtomicU8>,
}

struct CutWriter {
    inner: Box<dyn Writer>,
    trouble: Arc<AtomicU8>,
    after: Arc<AtomicU8>,
}

impl Cut {
    fn next(&self, trouble: Trouble) {
        self.nth(0, trouble);
    }

    fn nth(&self, after: u8, trouble: Trouble) {
        self.after.store(after, Ordering::Release);
        self.trouble.store(trouble as u8, Ordering::Release);
    }

    fn is(trouble: &AtomicU8, which: Trouble) -> bool {
        trouble.load(Ordering::Acquire) == which as u8
    }
}

#[async_trait]
impl Writer for CutWriter {
    async fn begin(&mut self) -> Result<Begun, LogError> {
        self.inner.begin().await
    }

    async fn load(&mut self, wanted: &Wanted) -> Result<Loaded, LogError> {
        assert!(!Cut::is(&self.trouble, Trouble::Panic), "an engine that panics");
        self.inner.load(wanted).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), LogError> {
        self.inner.write(batch).await
    }

    async fn upkeep(&mut self, upkeep: &Upkeep) -> Result<UpkeepReply, LogError> {
        self.inner.upkeep(upkeep).await
    }

    async fn clear(&mut self, table: &'static Table) -> Result<(), LogError> {
        self.inner.clear(table).await
    }

    async fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), LogError> {
        self.inner.put(table, rows).await
    }

    async fn add_reads(&mut self, batch: &ReadBatch) -> Result<(), LogError> {
        self.inner.add_reads(batch).await
    }

    async fn set_meta(&mut self, name: &str, value: &str) -> Result<(), LogError> {
        self.inner.set_meta(name, value).await
    }

    async fn commit(&mut self) -> Result<(), LogError> {
        let trouble = &self.trouble;
        let well =
            self.after.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok();
        if well || Cut::is(trouble, Trouble::None) {
            return self.inner.commit().await;
        }
        if Cut::is(trouble, Trouble::LostUnheard) {
            self.inner.rollback().await;
        } else {
            self.inner.commit().await?;
        }
        if !Cut::is(trouble, Trouble::DoneAndGone) {
            trouble.store(Trouble::None as u8, Ordering::Release);
        }
        Err(LogError::Unknown("the line was cut".to_owned()))
    }

    async fn rollback(&mut self) {
        self.inner.rollback().await;
    }
}

#[async_trait]
impl Log for Cut {
    async fn writer(&self) -> Result<Box<dyn Writer>, LogError> {
        if Self::is(&self.trouble, Trouble::DoneAndGone) && self.inner.head().await?.position > 0 {
            return Err(LogError::Unavailable("the line is cut".to_owned()));
        }
        let (trouble, after) = (Arc::clone(&self.trouble), Arc::clone(&self.after));
        Ok(Box::new(CutWriter { inner: self.inner.writer().await?, trouble, after }))
    }

    fn reads(&self) -> &dyn ReadStore {
        self.inner.reads()
    }

    async fn head(&self) -> Result<Head, LogError> {
        self.inner.head().await
    }

    async fn events_after(&self, position: u64, limit: usize) -> Result<Vec<StoredEvent>, LogError> {
        self.inner.events_after(position, limit).await
    }

    async fn events_before(&self, search: &Search) -> Result<Vec<StoredEvent>, LogError> {
        self.inner.events_before(search).await
    }

    async fn stream(&self, stream: StreamId) -> Result<Vec<StoredEvent>, LogError> {
        self.inner.stream(stream).await
    }

    async fn position_at(&self, at: DateTime<Utc>) -> Result<u64, LogError> {
        self.inner.position_at(at).await
    }

    async fn keys(
        &self,
        streams: &[StreamId],
    ) -> Result<std::collections::HashMap<StreamId, Vec<u8>>, LogError> {
        self.inner.keys(streams).await
    }

    async fn case_by_number(&self, number: CaseNumber) -> Result<Option<StreamId>, LogError> {
        self.inner.case_by_number(number).await
    }

    async fn kept(&self, which: Kept) -> Result<Option<(Vec<u8>, DateTime<Utc>)>, LogError> {
        self.inner.kept(which).await
    }

    async fn drafts(&self, owner: PersonId, now: DateTime<Utc>) -> Result<Vec<(Uuid, Vec<u8>)>, LogError> {
        self.inner.drafts(owner, now).await
    }

    async fn outcome(&self, command: Uuid) -> Result<Option<KeptOutcome>, LogError> {
        self.inner.outcome(command).await
    }

    async fn is_attached(&self, attachment: AttachmentId) -> Result<bool, LogError> {
        self.inner.is_attached(attachment).await
    }

    async fn expired_uploads(&self, now: DateTime<Utc>) -> Result<Vec<AttachmentId>, LogError> {
        self.inner.expired_uploads(now).await
    }

    async fn reaction_position(&self, name: &str) -> Result<Option<u64>, LogError> {
        self.inner.reaction_position(name).await
    }

    async fn deliveries_due(&self, now: DateTime<Utc>, limit: usize) -> Result<Vec<Delivery>, LogError> {
        self.inner.deliveries_due(now, limit).await
    }

    async fn delivery_counts(&self) -> Result<DeliveryCounts, LogError> {
        self.inner.delivery_counts().await
    }

    async fn attached(&self) -> Result<Vec<AttachmentId>, LogError> {
        self.inner.attached().await
    }

    async fn engine_faults(&self) -> Result<Vec<String>, LogError> {
        self.inner.engine_faults().await
    }

    async fn missing_key(&self) -> Result<Option<StreamId>, LogError> {
        self.inner.missing_key().await
    }

    async fn rows(&self, table: &'static Table, offset: u64, limit: u32) -> Result<Vec<Row>, LogError> {
        self.inner.rows(table, offset, limit).await
    }

    async fn meta(&self, name: &str) -> Result<Option<String>, LogError> {
        self.inner.meta(name).await
    }
}

fn cut() -> (tempfile::TempDir, Arc<Cut>, Node) {
    let folder = tempfile::tempdir().unwrap();
    let inner = Arc::new(SqliteLog::open(folder.path()).unwrap());
    let cut =
        Arc::new(Cut { inner, trouble: Arc::new(AtomicU8::new(Trouble::None as u8)), after: Arc::default() });
    let log: Arc<dyn Log> = Arc::<Cut>::clone(&cut);
    let node = Node::start(&log);
    (folder, cut, node)
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_looked_up_and_answered_as_what_it_is() {
    let (_folder, cut, node) = cut();
    cut.next(Trouble::DoneUnheard);
    let outcome = node.filed().await;
    assert_eq!((outcome.version, outcome.position, node.head().await), (1, 1, 1));
    cut.next(Trouble::DoneUnheard);
    let again = node.run(request(&reporter(), outcome.id, message("Hej"))).await.unwrap();
    assert_eq!((again.version, again.position, node.head().await), (2, 2, 2));
}

#[tokio::test]
async fn every_job_of_a_batch_whose_answer_was_lost_is_answered() {
    let (_folder, cut, node) = cut();
    let case = node.filed().await;
    let known = request(&reporter(), case.id, message("Förr"));
    let before = node.run(known.clone()).await.unwrap();
    for (trouble, done) in [(Trouble::DoneUnheard, true), (Trouble::LostUnheard, false)] {
        let head = node.head().await;
        let accepted = request(&reporter(), case.id, message("Hej"));
        let refused = request(&reporter(), case.id, close());
        let (accepted, refused, appended, known, ()) = node
            .in_one_batch(async {
                tokio::join!(
                    node.run(accepted),
                    node.run(refused),
                    node.committer.append(notice()),
                    node.run(known.clone()),
                    // The two batches that go before are none of the trouble.
                    async { cut.nth(2, trouble) },
                )
            })
            .await;
        assert_eq!(known, Ok(before), "its outcome was on record before");
        if done {
            assert_eq!((accepted.unwrap().position, appended), (head + 1, Ok(head + 2)));
            assert_eq!(refused, Err(CommandError::Refused(Refusal::Forbidden)));
        } else {
            assert!(matches!(accepted, Err(CommandError::Unavailable(_))), "{accepted:?}");
            assert!(matches!(appended, Err(CommandError::Unavailable(_))), "{appended:?}");
            assert_eq!(node.head().await, head);
        }
    }
}

#[tokio::test]
async fn a_commit_that_was_not_done_is_said_to_be_not_done_and_leaves_nothing() {
    let (_folder, cut, node) = cut();
    let case = node.filed().await;
    cut.next(Trouble::LostUnheard);
    let asked = request(&reporter(), case.id, message("Hej"));
    let answer = node.run(asked.clone()).await;
    assert!(matches!(answer, Err(CommandError::Unavailable(_))), "{answer:?}");
    assert_eq!(node.head().await, 1);
    assert_eq!(node.run(asked).await.unwrap().version, 2, "the same command may come again");
    let number = node.filed().await.case_number;
    assert_eq!(number.running(), 2, "no hole in the series");
    cut.next(Trouble::LostUnheard);
    assert!(node.run(request(&reporter(), new_case(), create(vec![]))).await.is_err());
    assert_eq!(node.filed().await.case_number.running(), 3, "no hole in the series");
}

#[tokio::test]
async fn an_outcome_that_nobody_can_look_up_is_called_unknown() {
    let (_folder, cut, node) = cut();
    let case = node.filed().await;
    cut.next(Trouble::DoneAndGone);
    let asked = request(&reporter(), case.id, message("Hej"));
    assert_eq!(node.run(asked.clone()).await, Err(CommandError::OutcomeUnknown));
    let meanwhile = node.run(request(&reporter(), case.id, message("Hallå"))).await;
    assert!(matches!(meanwhile, Err(CommandError::Unavailable(_))), "{meanwhile:?}");
    cut.next(Trouble::None);
    assert_eq!(node.run(asked).await.unwrap().version, 2, "the same command tells");
    assert_eq!(node.head().await, 2, "and is not done twice");
}

#[tokio::test]
async fn rows_beside_the_events_leave_no_trace_to_look_up() {
    let (_folder, cut, node) = cut();
    cut.next(Trouble::DoneUnheard);
    let forget = Upkeep::Forget(Kept::Session([1; 32]));
    assert_eq!(node.committer.upkeep(forget).await, Err(CommandError::OutcomeUnknown));
}

#[tokio::test]
async fn a_committer_that_panics_goes_on() {
    let (_folder, cut, node) = cut();
    cut.next(Trouble::Panic);
    let answer = node.run(request(&reporter(), new_case(), create(vec![]))).await;
    assert_eq!(answer, Err(CommandError::OutcomeUnknown));
    cut.next(Trouble::None);
    assert_eq!(node.filed().await.position, 1);
}

#[tokio::test]
async fn a_full_queue_says_come_again_and_loses_nothing() {
    let (_folder, _cut, node) = cut();
    let mut holder = node.log.writer().await.unwrap();
    holder.begin().await.unwrap();
    let mut asked = Vec::new();
    let mut busy = 0;
    while busy < 10 {
        let mut ask = Box::pin(node.run(request(&reporter(), new_case(), create(vec![]))));
        match futures::poll!(&mut ask) {
            std::task::Poll::Ready(answer) => {
                assert_eq!(answer, Err(CommandError::Busy));
                busy += 1;
            }
            std::task::Poll::Pending => asked.push(ask),
        }
    }
    // One batch may have been taken before the queue was full.
    assert!((QUEUE..=QUEUE + BATCH_COMMANDS + 1).contains(&asked.len()), "{}", asked.len());
    assert!(node.committer.waiting() > QUEUE - BATCH_COMMANDS);
    holder.rollback().await;
    let count = asked.len() as u64;
    let mut positions: Vec<u64> = Vec::new();
    for answer in futures::future::join_all(asked).await {
        positions.push(answer.unwrap().position);
    }
    assert_eq!(positions, (1..=count).collect::<Vec<_>>(), "in the order in which they came");
    assert_eq!(node.committer.waiting(), 0);
}

#[test]
fn a_batch_ends_at_its_caps() {
    let size = |command| {
        let (reply, _) = oneshot::channel();
        Job::Case(Box::new(request(&reporter(), new_case(), command)), reply).size()
    };
    let long = "x".repeat(10_000);
    for command in [message(&long), create(vec![])] {
        assert!(size(command) > 1024);
    }
    assert!(size(message(&long)) > 10_000);
    let (reply, _) = oneshot::channel();
    let draft = Upkeep::Keep {
        which: Kept::Session([0; 32]),
        owner: person(1),
        sealed: vec![0; 5000],
        expires_at: time("2026-11-24T10:00:00Z"),
    };
    assert!(Job::Upkeep(Box::new(draft), reply).size() > 5000, "what is kept counts with its length");
}
