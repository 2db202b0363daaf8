//! Rows beside the events, and what is checked at start.

use chrono::{DateTime, TimeDelta, Utc};
use domain::vocabulary::Template;
use domain::{AttachmentId, CaseId, Event, StreamId};
use uuid::Uuid;

use crate::committer::{Append, Expected};
use crate::keys::KEY_FILES;
use crate::log::contract::Engine;
use crate::log::{Delivery, Kept, LogError};
use crate::revocation::{self, REVOKED};
use crate::testing::*;
use crate::upkeep::{Upkeep, UpkeepReply};
use crate::{Keys, startup};

fn now() -> DateTime<Utc> {
    time("2026-11-23T10:00:00Z")
}

fn later(minutes: i64) -> DateTime<Utc> {
    now() + TimeDelta::minutes(minutes)
}

async fn done(node: &Node, upkeep: Upkeep) {
    assert_eq!(node.committer.upkeep(upkeep).await, Ok(UpkeepReply::Done));
}

async fn keep(node: &Node, which: Kept, content: &[u8], expires_at: DateTime<Utc>) {
    done(node, Upkeep::Keep { which, owner: person(1), sealed: content.to_vec(), expires_at }).await;
}

pub(crate) async fn sessions_uploads_and_drafts_are_kept_replaced_and_forgotten<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let form = Uuid::from_u128(8);
    let rows = [
        Kept::Session([7; 32]),
        Kept::Upload(AttachmentId(Uuid::from_u128(7))),
        Kept::Draft(person(1), form),
    ];
    for which in rows {
        assert_eq!(node.log.kept(which).await.unwrap(), None);
        keep(&node, which, b"one", later(1)).await;
        assert_eq!(node.log.kept(which).await.unwrap(), Some((b"one".to_vec(), later(1))));
        keep(&node, which, b"two", later(2)).await;
        assert_eq!(node.log.kept(which).await.unwrap(), Some((b"two".to_vec(), later(2))));
    }
    assert_eq!(node.log.drafts(person(1), now()).await.unwrap(), [(form, b"two".to_vec())]);
    keep(&node, Kept::Draft(person(1), Uuid::from_u128(9)), b"newer", later(3)).await;
    keep(&node, Kept::Draft(person(2), form), b"another's", later(9)).await;
    let newest_first = [(Uuid::from_u128(9), b"newer".to_vec()), (form, b"two".to_vec())];
    assert_eq!(node.log.drafts(person(1), now()).await.unwrap(), newest_first);
    assert_eq!(node.log.drafts(person(1), later(3)).await.unwrap(), [], "expired");
    assert_eq!(node.log.drafts(person(3), now()).await.unwrap(), []);
    for which in rows {
        done(&node, Upkeep::Forget(which)).await;
        assert_eq!(node.log.kept(which).await.unwrap(), None);
        done(&node, Upkeep::Forget(which)).await;
    }
    assert_eq!(node.head().await, 0, "none of it is history");
}

pub(crate) async fn what_has_expired_is_purged<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let uploads = [1, 2].map(|number| AttachmentId(Uuid::from_u128(number)));
    for (minutes, upload) in (1..).zip(uploads) {
        keep(&node, Kept::Upload(upload), b"file", later(minutes)).await;
        keep(&node, Kept::Session([u8::try_from(minutes).unwrap(); 32]), b"session", later(minutes)).await;
        keep(&node, Kept::Draft(person(1), upload.0), b"draft", later(minutes)).await;
    }
    let filed = request(&reporter(), new_case(), create(vec![]));
    node.run(filed.clone()).await.unwrap();
    assert_eq!(node.log.expired_uploads(now()).await.unwrap(), []);
    let expired = node.log.expired_uploads(later(1)).await.unwrap();
    assert_eq!(expired, [uploads[0]]);
    done(&node, Upkeep::Purge { now: later(1), uploads: expired }).await;
    for (upload, stays) in uploads.into_iter().zip([false, true]) {
        let number = if stays { 2 } else { 1 };
        for which in [Kept::Upload(upload), Kept::Session([number; 32]), Kept::Draft(person(1), upload.0)] {
            assert_eq!(node.log.kept(which).await.unwrap().is_some(), stays, "{which:?}");
        }
    }
    assert!(node.log.outcome(filed.command_id).await.unwrap().is_some(), "outcomes are kept 30 days");
    done(&node, Upkeep::Purge { now: later(30 * 24 * 60 - 1), uploads: vec![] }).await;
    assert!(node.log.outcome(filed.command_id).await.unwrap().is_some());
    done(&node, Upkeep::Purge { now: later(30 * 24 * 60), uploads: vec![] }).await;
    assert!(node.log.outcome(filed.command_id).await.unwrap().is_none());
    assert_eq!(node.head().await, 1, "history is not");
}

/// Takes a lease of ten minutes from a minute on.
pub(super) async fn lease(node: &Node, name: &str, holder: u128, minute: i64) -> UpkeepReply {
    let (now, until) = (later(minute), later(minute + 10));
    let holder = Uuid::from_u128(holder);
    node.committer.upkeep(Upkeep::TakeLease { name: name.to_owned(), holder, now, until }).await.unwrap()
}

pub(super) fn delivery(case: CaseId, cause: &str) -> Delivery {
    Delivery {
        id: crate::random::id(),
        cause: cause.to_owned(),
        recipient: person(1),
        template: Template::Received,
        case,
        position: 1,
        attempts: 0,
        next_attempt_at: now(),
        reply: None,
    }
}

pub(crate) async fn a_lease_has_one_holder_and_an_epoch<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let plan = |epoch, position| Upkeep::PlanDeliveries {
        reaction: "mail".to_owned(),
        epoch,
        position,
        deliveries: vec![],
    };
    assert_eq!(node.committer.upkeep(plan(1, 1)).await, Ok(UpkeepReply::Refused), "nobody holds it");
    assert_eq!(lease(&node, "mail", 1, 0).await, UpkeepReply::Epoch(1));
    assert_eq!(lease(&node, "mail", 2, 9).await, UpkeepReply::Refused);
    assert_eq!(lease(&node, "mail", 1, 9).await, UpkeepReply::Epoch(1), "renewed");
    assert_eq!(lease(&node, "mail", 2, 18).await, UpkeepReply::Refused);
    assert_eq!(lease(&node, "webhooks", 2, 18).await, UpkeepReply::Epoch(1), "another lease");
    done(&node, plan(1, 5)).await;
    assert_eq!(lease(&node, "mail", 2, 19).await, UpkeepReply::Epoch(2), "expired");
    assert_eq!(node.committer.upkeep(plan(1, 9)).await, Ok(UpkeepReply::Refused), "a stale holder");
    assert_eq!(node.log.reaction_position("mail").await.unwrap(), Some(5));
    done(&node, plan(2, 7)).await;
    done(&node, plan(2, 6)).await;
    assert_eq!(node.log.reaction_position("mail").await.unwrap(), Some(7), "never back");
    assert_eq!(node.log.reaction_position("webhooks").await.unwrap(), None);
}

pub(crate) async fn a_delivery_is_planned_once_and_ends_once<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await.id;
    lease(&node, "mail", 1, 0).await;
    let plan = |deliveries: &[Delivery]| Upkeep::PlanDeliveries {
        reaction: "mail".to_owned(),
        epoch: 1,
        position: 1,
        deliveries: deliveries.to_vec(),
    };
    let first = delivery(case, "a-1");
    let mut variants = vec![first.clone(), delivery(case, "a-1"), delivery(case, "a-2")];
    variants.push(Delivery { recipient: person(2), ..delivery(case, "a-1") });
    variants.push(Delivery { template: Template::Closed, ..delivery(case, "a-1") });
    done(&node, plan(&variants)).await;
    done(&node, plan(&[delivery(case, "a-1")])).await;
    let due = node.log.deliveries_due(now(), 10).await.unwrap();
    assert_eq!(due.len(), 4, "once per cause, recipient and template");
    assert!(due.contains(&first));
    assert_eq!(node.log.deliveries_due(now(), 3).await.unwrap().len(), 3);
    assert_eq!(node.log.deliveries_due(now() - TimeDelta::seconds(1), 10).await.unwrap(), []);
    let begin = |epoch| Upkeep::BeginAttempt {
        delivery: first.id,
        reaction: "mail".to_owned(),
        epoch,
        next_attempt_at: later(5),
    };
    assert_eq!(node.committer.upkeep(begin(2)).await, Ok(UpkeepReply::Refused), "not the holder");
    done(&node, begin(1)).await;
    assert_eq!(node.log.deliveries_due(now(), 10).await.unwrap().len(), 3);
    let retried = node.log.deliveries_due(later(5), 10).await.unwrap();
    assert!(retried.iter().any(|delivery| delivery.id == first.id && delivery.attempts == 1));
    done(
        &node,
        Upkeep::Postpone { delivery: first.id, next_attempt_at: later(60), reply: "450 later".into() },
    )
    .await;
    let counts = node.log.delivery_counts().await.unwrap();
    assert_eq!((counts.due, counts.retrying, counts.last_trouble.as_deref()), (4, 1, Some("450 later")));
    let end = |sent| Upkeep::EndDelivery { delivery: first.id, sent, reply: "250 OK".to_owned() };
    done(&node, end(true)).await;
    assert_eq!(node.committer.upkeep(end(false)).await, Ok(UpkeepReply::Refused), "it has ended");
    assert_eq!(node.committer.upkeep(begin(1)).await, Ok(UpkeepReply::Refused));
    let counts = node.log.delivery_counts().await.unwrap();
    assert_eq!((counts.due, counts.retrying, counts.sent, counts.failed), (3, 0, 1, 0));
}

pub(crate) async fn an_append_moves_its_row_with_it<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await.id;
    lease(&node, "mail", 1, 0).await;
    let planned = delivery(case, "a-1");
    let plan = Upkeep::PlanDeliveries {
        reaction: "mail".to_owned(),
        epoch: 1,
        position: 1,
        deliveries: vec![planned.clone()],
    };
    done(&node, plan).await;
    let sent = || Append {
        stream: StreamId(planned.id),
        event: Event::NotificationSent {
            case_id: case,
            cause: planned.cause.clone(),
            template: planned.template,
            message_id: "a-1.x@kundwebb.example".to_owned(),
            attempts: 1,
            reply: "250 OK".to_owned(),
        },
        expected: Expected::New,
        upkeep: Some(Upkeep::EndDelivery { delivery: planned.id, sent: true, reply: "250 OK".to_owned() }),
        ..notice()
    };
    let (first, second) = node
        .in_one_batch(async { tokio::join!(node.committer.append(sent()), node.committer.append(sent())) })
        .await;
    assert_eq!((first, second), (Ok(2), Ok(2)), "one outcome on record");
    assert_eq!(node.restart().committer.append(sent()).await, Ok(2));
    let counts = engine.log().delivery_counts().await.unwrap();
    assert_eq!((counts.due, counts.sent), (0, 1));
}

pub(crate) async fn meta_is_kept<E: Engine>(engine: &E) {
    let log = engine.log();
    assert_eq!(log.meta("x").await.unwrap(), None);
    let mut writer = log.writer().await.unwrap();
    for value in ["one", "two"] {
        writer.begin().await.unwrap();
        writer.set_meta("x", value).await.unwrap();
        writer.commit().await.unwrap();
        assert_eq!(log.meta("x").await.unwrap().as_deref(), Some(value));
    }
    writer.begin().await.unwrap();
    writer.set_meta("x", "three").await.unwrap();
    writer.rollback().await;
    assert_eq!(log.meta("x").await.unwrap().as_deref(), Some("two"));
}

pub(crate) async fn tokens_are_revoked_until_they_would_have_expired<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let revoke = |id: &str, expires_at| Upkeep::RevokeToken { id: id.to_owned(), expires_at, now: now() };
    let kept = async || revocation::read(node.log.meta(REVOKED).await.unwrap().as_deref()).unwrap();
    assert!(kept().await.is_empty());
    // In one batch as well as one after the other.
    let [one, two] = node
        .in_one_batch(async {
            let [one, two] = ["one", "two"].map(|id| node.committer.upkeep(revoke(id, later(1))));
            let (one, two) = tokio::join!(one, two);
            [one, two]
        })
        .await;
    assert_eq!((one, two), (Ok(UpkeepReply::Done), Ok(UpkeepReply::Done)));
    done(&node, revoke("three", later(2))).await;
    assert_eq!(kept().await.into_keys().collect::<Vec<_>>(), ["one", "three", "two"]);
    done(&node, Upkeep::RevokeToken { id: "four".to_owned(), expires_at: later(3), now: later(1) }).await;
    assert_eq!(kept().await.into_keys().collect::<Vec<_>>(), ["four", "three"]);
}

pub(crate) async fn another_key_of_tokens_goes_along_with_the_log<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let log = node.log.as_ref();
    startup::check(log, &node.keys).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    for name in KEY_FILES {
        std::fs::copy(node.folder.path().join(name), other.path().join(name)).unwrap();
    }
    let refused = "copy token.key and token.former";
    let rotated = startup::rotate_token(log, other.path(), now()).await.unwrap();
    startup::check(log, &rotated).await.unwrap();
    let error = startup::check(log, &node.keys).await.unwrap_err().to_string();
    assert!(error.contains(refused), "{error}");
    let error = startup::rotate_token(log, node.folder.path(), now()).await.err().unwrap().to_string();
    assert!(error.contains(refused), "{error}");
    // Cut off before the log knew of it: the next start tells it.
    let cut_off = Keys::rotate_token(other.path(), now()).unwrap();
    startup::keys(log, &cut_off).await.unwrap();
    startup::check(log, &rotated).await.unwrap();
    startup::check(log, &cut_off).await.unwrap();
    let error = startup::check(log, &rotated).await.unwrap_err().to_string();
    assert!(error.contains(refused), "{error}");
}

pub(crate) async fn a_missing_key_is_named<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    let case = node.filed().await;
    node.committer.append(notice()).await.unwrap();
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    assert_eq!(node.log.missing_key().await.unwrap(), None);
    engine.intrude("DELETE FROM case_key").await.unwrap();
    assert_eq!(node.log.missing_key().await.unwrap(), Some(case.id.into()));
    let error = startup::check(node.log.as_ref(), &node.keys).await.unwrap_err().to_string();
    assert!(error.contains(&case.id.to_string()) && error.contains("key"), "{error}");
    let error = node.reader().after(0, 10).await.unwrap_err().to_string();
    assert!(error.contains(&case.id.to_string()), "{error}");
    // Nothing can be sealed in that case any more; others go on.
    let node = node.restart();
    let (broken, other) = node
        .in_one_batch(async {
            tokio::join!(
                node.run(request(&reporter(), case.id, message("Hej"))),
                node.run(request(&reporter(), new_case(), create(vec![])))
            )
        })
        .await;
    assert_eq!(broken, Err(crate::CommandError::Internal));
    assert_eq!(other.unwrap().position, 3);
}

pub(crate) async fn keys_that_are_not_the_logs_stop_the_start<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    node.filed().await;
    let folder = tempfile::tempdir().unwrap();
    let foreign = Keys::open(folder.path(), true).unwrap();
    let error = startup::check(node.log.as_ref(), &foreign).await.unwrap_err();
    assert!(matches!(error, LogError::Damaged(_)));
    assert!(error.to_string().contains("master.key is not the key that this log was sealed with"), "{error}");
    // Of a log that does not say yet whose tokens it takes, a node that is refused says nothing.
    engine.intrude("DELETE FROM meta WHERE name = 'token_fingerprint'").await.unwrap();
    startup::check(node.log.as_ref(), &foreign).await.unwrap_err();
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    // A node whose tokens the others refuse, and the other way round, is none of theirs.
    std::fs::copy(node.folder.path().join(KEY_FILES[0]), folder.path().join(KEY_FILES[0])).unwrap();
    let half = Keys::open(folder.path(), false).unwrap();
    let error = startup::check(node.log.as_ref(), &half).await.unwrap_err().to_string();
    assert!(error.contains("token.key is not the key of this log"), "{error}");
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
}

/// Somebody with access to the database can add a row, though not change one: it does not hash to what it says.
pub(crate) async fn a_tail_that_was_tampered_with_stops_the_start<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    node.filed().await;
    let columns = "stream_id, version + 1, type, schema_version, recorded_at, actor, employer, command_id, \
                   correlation, facts, sealed, key_id, leaf_hash";
    engine
        .intrude(&format!("INSERT INTO event SELECT 2, {columns} FROM event WHERE position = 1"))
        .await
        .unwrap();
    let error = startup::check(node.log.as_ref(), &node.keys).await.unwrap_err().to_string();
    assert!(error.contains("position 2") && error.contains("hash"), "{error}");
}
