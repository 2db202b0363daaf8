//! Commands through the committer: each done once, on the newest state, and hurting nobody else.

use std::collections::HashMap;

use domain::access::Role;
use domain::case::commands::{Assign, Create, Reclassify};
use domain::event::Profile;
use domain::files::{FileLimits, UploadedFile};
use domain::payroll_form::WrittenForm;
use domain::person::{Counts, SeePerson};
use domain::refusal::{Code, FieldError};
use domain::text::{Email, PersonName};
use domain::{
    Actor, Area, AttachmentId, Case, CaseCommand, CaseId, CaseNumber, Channel, Context, Event, PersonId,
    Refusal, Status, StreamId, SubArea, Topic,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use uuid::Uuid;

use crate::committer::{Append, Expected};
use crate::log::contract::Engine;
use crate::outcome::Outcome;
use crate::startup;
use crate::testing::*;
use crate::upkeep::{Upkeep, UpkeepReply};
use crate::{CaseRequest, CommandError};

pub(crate) async fn a_case_lives_from_received_to_closed_and_is_read_back_opened<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    let case = node.filed().await;
    assert_eq!((case.case_number, case.version, case.position), (CaseNumber::new(2026, 1), 1, 1));
    let started = CaseRequest { expected_version: Some(1), ..request(&officer(), case.id, start()) };
    assert_eq!(node.run(started).await.unwrap().status, Status::InProcess);
    let closed = CaseRequest { expected_version: Some(2), ..request(&officer(), case.id, close()) };
    assert_eq!(node.run(closed).await.unwrap().status, Status::Closed);
    let events = node.reader().stream(case.id.into()).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| event.event.type_name()).collect();
    assert_eq!(types, ["CaseReceived", "ProcessingStarted", "CaseClosed"]);
    assert!(events[0].event.personal_json().unwrap().contains("Omföring"));
    assert!(events[2].event.personal_json().unwrap().contains("Klart."));
    for stored in node.log.stream(case.id.into()).await.unwrap() {
        let bytes = [stored.facts.as_bytes(), stored.sealed.as_deref().unwrap_or_default()].concat();
        for content in ["Omföring", "Klart."] {
            let found = bytes.windows(content.len()).any(|window| window == content.as_bytes());
            assert!(!found, "P7: {content} stands in the log");
        }
    }
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
}

/// P4.
pub(crate) async fn a_stale_version_changes_nothing<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    node.run(request(&officer(), case.id, start())).await.unwrap();
    let stale = CaseRequest { expected_version: Some(1), ..request(&officer(), case.id, close()) };
    let since = vec!["ProcessingStarted"];
    let refusal = Refusal::Stale { current: 2, since };
    assert_eq!(node.run(stale.clone()).await, Err(CommandError::Refused(refusal)));
    assert_eq!(node.head().await, 2);
    assert_eq!(node.log.outcome(stale.command_id).await.unwrap(), None, "only what is accepted is kept");
    // Of two who decided on the same version, one comes first.
    let other = actor(Role::Officer, 3);
    let (first, second) = node
        .in_one_batch(async {
            let close = |officer: &Actor| CaseRequest {
                expected_version: Some(2),
                ..request(officer, case.id, close())
            };
            tokio::join!(node.run(close(&officer())), node.run(close(&other)))
        })
        .await;
    assert_eq!(first.unwrap().version, 3);
    let refusal = Refusal::Stale { current: 3, since: vec!["CaseClosed"] };
    assert_eq!(second, Err(CommandError::Refused(refusal)));
}

/// P3.
pub(crate) async fn the_same_command_again_has_the_same_outcome<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let filed = request(&reporter(), new_case(), create(vec![]));
    let outcome = node.run(filed.clone()).await.unwrap();
    node.run(request(&officer(), outcome.id, start())).await.unwrap();
    // Whatever has happened since, and under whatever id the handler would have made the case this time.
    let again = CaseRequest { case: new_case(), ..filed.clone() };
    assert_eq!(node.run(again.clone()).await, Ok(outcome));
    let node = node.restart();
    assert_eq!(node.run(again).await, Ok(outcome));
    let twice = request(&reporter(), outcome.id, message("Hej"));
    let (first, second) =
        node.in_one_batch(async { tokio::join!(node.run(twice.clone()), node.run(twice.clone())) }).await;
    assert_eq!((first.clone().unwrap().version, second), (3, first));
    assert_eq!(node.head().await, 3);
    let kept = node.log.outcome(filed.command_id).await.unwrap().unwrap();
    assert_eq!((kept.outcome, kept.request), (outcome, filed.request));
}

pub(crate) async fn the_same_id_with_another_request_is_refused<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let filed = request(&reporter(), new_case(), create(vec![]));
    let outcome = node.run(filed.clone()).await.unwrap();
    let other = CaseRequest { request: [1; 32], command: message("Hej"), case: outcome.id, ..filed };
    assert_eq!(node.run(other.clone()).await, Err(CommandError::KeyReused));
    assert_eq!(node.restart().run(other).await, Err(CommandError::KeyReused));
    assert_eq!(engine.log().head().await.unwrap().position, 1);
}

pub(crate) async fn refused_commands_do_not_hurt_their_neighbours<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    let write = |text: &str| request(&reporter(), case.id, message(text));
    let stale = CaseRequest { expected_version: Some(9), ..write("för sent") };
    let unknown = request(&reporter(), new_case(), message("vart?"));
    let (first, forbidden, second, stale, unknown, third) = node
        .in_one_batch(async {
            tokio::join!(
                node.run(write("ett")),
                node.run(request(&reporter(), case.id, close())),
                node.run(write("två")),
                node.run(stale),
                node.run(unknown),
                node.run(write("tre")),
            )
        })
        .await;
    let versions = [first, second, third].map(|outcome| outcome.unwrap().version);
    assert_eq!(versions, [2, 3, 4]);
    assert_eq!(forbidden, Err(CommandError::Refused(Refusal::Forbidden)));
    assert!(matches!(stale, Err(CommandError::Refused(Refusal::Stale { current: 3, .. }))));
    assert_eq!(unknown, Err(CommandError::Refused(Refusal::NotFound)));
    let events = node.log.events_after(0, 100).await.unwrap();
    assert_eq!(events.len(), 4);
    assert!(
        events[1..].windows(2).all(|pair| pair[0].recorded_at == pair[1].recorded_at),
        "one batch, one time"
    );
}

pub(crate) async fn a_rule_that_panics_hurts_nobody_else<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
    let case = node.filed().await;
    // The persons met by it were staged already when the rule panicked.
    let faulty = CaseRequest {
        correlation: FAULTY_RULE,
        see: vec![meeting(5, "Fia", &[])],
        ..request(&reporter(), new_case(), create(vec![]))
    };
    let (before, panicked, after) = node
        .in_one_batch(async {
            tokio::join!(
                node.run(request(&reporter(), case.id, message("före"))),
                node.run(faulty),
                node.run(request(&reporter(), new_case(), create(vec![]))),
            )
        })
        .await;
    assert_eq!(before.unwrap().position, 2);
    assert_eq!(panicked, Err(CommandError::Internal));
    let after = after.unwrap();
    assert_eq!((after.position, after.case_number.running()), (3, 2), "no hole");
    let node = node.restart();
    assert_eq!(node.filed().await.position, 4);
    startup::check(node.log.as_ref(), &node.keys).await.unwrap();
}

/// A batch whose write fails because of its data is tried command by command.
pub(crate) async fn data_that_is_refused_hurts_nobody_else<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    let lease = super::rows::lease(&node, "mail", 1, 0).await;
    assert_eq!(lease, UpkeepReply::Epoch(1));
    // Two deliveries under one id.
    let mut twice = super::rows::delivery(case.id, "a");
    let mut deliveries = vec![twice.clone()];
    twice.cause = "b".to_owned();
    deliveries.push(twice);
    let faulty = Upkeep::PlanDeliveries { reaction: "mail".to_owned(), epoch: 1, position: 1, deliveries };
    let (before, refused, after) = node
        .in_one_batch(async {
            tokio::join!(
                node.run(request(&reporter(), case.id, message("före"))),
                node.committer.upkeep(faulty),
                node.run(request(&reporter(), case.id, message("efter"))),
            )
        })
        .await;
    assert_eq!((before.unwrap().version, after.unwrap().version), (2, 3));
    assert_eq!(refused, Err(CommandError::Internal));
    assert_eq!(node.log.reaction_position("mail").await.unwrap(), None, "nothing of it stays");
    assert_eq!(node.log.delivery_counts().await.unwrap().due, 0);
}

pub(crate) async fn a_file_is_attached_once<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let [one, two] = [(); 2].map(|()| file(AttachmentId(crate::random::id())));
    for staged in [&one, &two] {
        node.stage(staged.card.attachment_id).await;
    }
    let unknown = |places: &[usize]| {
        let error = |place: &usize| FieldError::new(format!("/attachments/{place}"), Code::UploadUnknown);
        Err(CommandError::Refused(Refusal::Fields(places.iter().map(error).collect())))
    };
    let twice = create(vec![one.clone(), two.clone(), one.clone()]);
    assert_eq!(node.run(request(&reporter(), new_case(), twice)).await, unknown(&[2]));
    assert!(!node.log.is_attached(one.card.attachment_id).await.unwrap());
    let filed = node.run(request(&reporter(), new_case(), create(vec![one.clone()]))).await.unwrap();
    assert!(node.log.is_attached(one.card.attachment_id).await.unwrap());
    let again = attach(vec![two.clone(), one.clone()]);
    assert_eq!(node.run(request(&reporter(), filed.id, again)).await, unknown(&[1]));
    assert!(!node.log.is_attached(two.card.attachment_id).await.unwrap());
    let give = || request(&reporter(), filed.id, attach(vec![two.clone()]));
    let (first, second) = node.in_one_batch(async { tokio::join!(node.run(give()), node.run(give())) }).await;
    assert_eq!((first.unwrap().version, second), (2, unknown(&[0])));
    let node = node.restart();
    assert_eq!(node.run(give()).await, unknown(&[0]));
    let never_staged = file(AttachmentId(crate::random::id()));
    let doomed = file(AttachmentId(crate::random::id()));
    node.stage(doomed.card.attachment_id).await;
    let later = crate::clock::from_micros(i64::MAX / 2);
    node.committer.upkeep(Upkeep::Doom { now: later }).await.unwrap();
    for gone in [never_staged, doomed] {
        assert_eq!(node.run(request(&reporter(), filed.id, attach(vec![gone]))).await, unknown(&[0]));
    }
}

pub(crate) async fn an_event_beside_the_cases_attaches_its_files_once_and_seals_them<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let [one, two] = [(); 2].map(|()| file(AttachmentId(crate::random::id())));
    let publish = |stream, file: Option<&UploadedFile>, version| Append {
        stream: StreamId(Uuid::from_u128(stream)),
        event: WrittenForm { code: "L-101", name_sv: "Timlön", name_en: "Hourly pay", file }
            .publish()
            .unwrap(),
        expected: Expected::Version(version),
        ..notice()
    };
    let unknown = Err(CommandError::Refused(FieldError::new("/attachments/0", Code::UploadUnknown).into()));
    let stale = Err(CommandError::Refused(Refusal::Stale { current: 1, since: Vec::new() }));
    let append = |append| node.committer.append(append);
    assert_eq!(append(publish(1, Some(&one), 0)).await, unknown, "it was never staged");
    for staged in [&one, &two] {
        node.stage(staged.card.attachment_id).await;
    }
    assert_eq!(append(publish(1, None, 0)).await, Ok(1));
    assert_eq!(append(publish(1, Some(&one), 0)).await, stale);
    assert!(!node.log.is_attached(one.card.attachment_id).await.unwrap());
    let give = || append(publish(1, Some(&one), 1));
    let (first, second) = node.in_one_batch(async { tokio::join!(give(), give()) }).await;
    let stale = Err(CommandError::Refused(Refusal::Stale { current: 2, since: Vec::new() }));
    assert_eq!((first, second), (Ok(2), stale));
    assert!(node.log.is_attached(one.card.attachment_id).await.unwrap());
    assert_eq!(append(publish(2, Some(&one), 0)).await, unknown, "it is another's");
    let both = async { tokio::join!(append(publish(3, Some(&two), 0)), append(publish(4, Some(&two), 0))) };
    assert_eq!(node.in_one_batch(both).await, (Ok(3), unknown.clone()));
    let node = node.restart();
    assert_eq!(node.committer.append(publish(5, Some(&two), 0)).await, unknown);
    let events = node.reader().stream(StreamId(Uuid::from_u128(1))).await.unwrap();
    assert_eq!(events[1].event.files(), std::slice::from_ref(&one.card));
    let stored = node.log.events_after(1, 1).await.unwrap().remove(0);
    assert!(stored.sealed.is_some() && !stored.facts.contains(&one.card.key));
}

/// Somebody met, with a name of their own, who may have called before.
fn meeting(id: u128, name: &str, callers: &[u128]) -> SeePerson {
    SeePerson {
        id: person(id),
        employer: Some(employer()),
        role: Role::Employee,
        fingerprint: name.to_owned(),
        profile: Profile {
            subject: None,
            name: Some(PersonName::parse(name, "").unwrap()),
            email: Some(Email::parse("fia@exempelverket.example", "").unwrap()),
        },
        counts: Counts::Always,
        callers: callers.iter().map(|caller| person(*caller)).collect(),
    }
}

pub(crate) async fn persons_are_seen_and_linked_once<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let by_phone = CaseCommand::Create(Create {
        channel: Channel::Telefon,
        on_behalf_of: Some(person(50)),
        ..match create(vec![]) {
            CaseCommand::Create(create) => create,
            _ => unreachable!(),
        }
    });
    let call =
        CaseRequest { see: vec![meeting(50, "Fia", &[])], ..request(&officer(), new_case(), by_phone) };
    let case = node.run(call).await.unwrap();
    assert_eq!((case.version, case.position), (1, 2), "the caller was met first");
    let login = actor(Role::Employee, 5);
    let look = || request(&login, case.id, message("Mitt ärende?"));
    assert_eq!(node.run(look()).await, Err(CommandError::Refused(Refusal::NotFound)));
    assert_eq!(node.committer.see(meeting(5, "Fia", &[50, 50])).await, Ok(5));
    assert_eq!(node.run(look()).await.unwrap().version, 2, "the call is the login's case");
    // Met again, also after a restart and by another login: nothing new.
    let node = node.restart();
    assert_eq!(node.committer.see(meeting(5, "Fia", &[50])).await, Ok(6));
    let stranger = node.committer.see(meeting(6, "Siv", &[50])).await;
    assert_eq!(stranger, Ok(7), "seen, not linked");
    let of = |stream: PersonId| {
        let reader = node.reader();
        async move {
            let events = reader.stream(stream.into()).await.unwrap();
            events.into_iter().map(|event| event.event.type_name()).collect::<Vec<_>>()
        }
    };
    assert_eq!(of(person(5)).await, ["PersonSeen", "PersonLinked"]);
    assert_eq!(of(person(50)).await, ["PersonSeen", "PersonLinked"]);
    assert_eq!(of(person(6)).await, ["PersonSeen"]);
}

pub(crate) async fn what_a_refused_command_would_have_met_is_not_recorded<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    let refused = || CaseRequest {
        see: vec![meeting(5, "Fia", &[])],
        ..request(&actor(Role::Auditor, 4), case.id, message("Hej"))
    };
    let ask = async { tokio::join!(node.run(refused()), node.run(refused())) };
    let forbidden = Err(CommandError::Refused(Refusal::Forbidden));
    assert_eq!(node.in_one_batch(ask).await, (forbidden.clone(), forbidden));
    assert_eq!(node.head().await, 1);
    assert_eq!(node.log.keys(&[person(5).into()]).await.unwrap().len(), 0, "no key without an event");
    assert_eq!(node.committer.see(meeting(5, "Fia", &[])).await, Ok(2));
    assert_eq!(node.reader().stream(person(5).into()).await.unwrap().len(), 1);
}

pub(crate) async fn the_services_of_an_employer_bind_its_cases<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    let register = |areas: &[Area]| Append {
        stream: StreamId::of_employer(employer()),
        employer: Some(employer()),
        event: Event::EmployerRegistered {
            employer: employer(),
            name_sv: "Exempelverket".to_owned(),
            name_en: "The Example Agency".to_owned(),
            areas: areas.to_vec(),
            services: Vec::new(),
        },
        ..notice()
    };
    node.committer.append(register(&[Area::Lon])).await.unwrap();
    let refused = node.run(request(&reporter(), new_case(), create(vec![]))).await;
    assert!(
        matches!(&refused, Err(CommandError::Refused(Refusal::Fields(errors)))
        if errors[0].code == Code::AreaNotAvailable),
        "{refused:?}"
    );
    let topic = |area| match area {
        Area::Lon => Topic::new(area, Some(SubArea::Supportarende), None).unwrap(),
        _ => Topic::new(area, None, None).unwrap(),
    };
    let to = |area| CaseCommand::Reclassify(Reclassify { topic: topic(area), reason: body("Fel kö.") });
    // The employer is known through the case only, and nothing is cached.
    let node = node.restart();
    let refused = node.run(request(&officer(), case.id, to(Area::EHandel))).await;
    assert!(matches!(refused, Err(CommandError::Refused(Refusal::Fields(_)))), "{refused:?}");
    assert_eq!(node.run(request(&officer(), case.id, to(Area::Lon))).await.unwrap().version, 2);
    let once = Append { expected: Expected::New, ..register(&[]) };
    assert_eq!(node.committer.append(once).await, Ok(3), "the stream has events already");
    let on = |version| Append { expected: Expected::Version(version), ..register(&[Area::Lon]) };
    let stale = Refusal::Stale { current: 1, since: Vec::new() };
    assert_eq!(node.committer.append(on(0)).await, Err(CommandError::Refused(stale)));
    assert_eq!(node.committer.append(on(1)).await, Ok(4));
}

pub(crate) async fn a_restart_forgets_nothing<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let case = node.filed().await;
    node.run(request(&officer(), case.id, start())).await.unwrap();
    let node = node.restart();
    let other = actor(Role::Officer, 3);
    let taken = node.run(request(&other, case.id, start())).await;
    assert_eq!(taken, Err(CommandError::Refused(Refusal::TakenByAnother)));
    let answered = node.run(request(&officer(), case.id, close())).await.unwrap();
    assert_eq!((answered.version, answered.position), (3, 3));
    assert_eq!(node.filed().await.case_number.running(), 2);
    assert_eq!(node.reader().stream(case.id.into()).await.unwrap().len(), 3, "sealed with the same key");
}

/// What one node has cached, another may have changed: the cache is completed under the lock.
pub(crate) async fn two_nodes_decide_on_the_newest_state<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let other = node.beside();
    let case = node.filed().await;
    let seen = request(&reporter(), case.id, message("Hej"));
    assert_eq!(other.run(seen.clone()).await.unwrap().version, 2);
    assert_eq!(node.run(seen).await.unwrap().version, 2, "done by the other node");
    assert_eq!(node.run(request(&officer(), case.id, start())).await.unwrap().version, 3);
    let stale = CaseRequest { expected_version: Some(2), ..request(&officer(), case.id, close()) };
    let stale = other.run(stale).await;
    assert!(matches!(stale, Err(CommandError::Refused(Refusal::Stale { current: 3, .. }))), "{stale:?}");
    assert_eq!(other.run(request(&officer(), case.id, close())).await.unwrap().version, 4);
    let late = node.run(request(&reporter(), case.id, message("Hallå"))).await;
    assert_eq!(late, Err(CommandError::Refused(Refusal::WrongPhase(Status::Closed))));
    let mut numbers = Vec::new();
    for _ in 0..3 {
        numbers.push(node.filed().await.case_number.running());
        let filed = other.run(request(&reporter(), new_case(), create(vec![]))).await.unwrap();
        numbers.push(filed.case_number.running());
    }
    assert_eq!(numbers, [2, 3, 4, 5, 6, 7]);
    let events = node.log.events_after(0, 100).await.unwrap();
    startup::verify(&events, 0).unwrap();
}

/// What a caller of the property does: which caller, which case, what, and on which version.
type Ask = (u8, u8, u8, Option<u8>);

const CASES: usize = 3;

/// Several callers at once, each with a random list of commands on the same few cases: the log is as if the accepted
/// commands had come one after the other, in the order of their positions, to the rules alone.
pub(crate) async fn any_interleaving_is_as_if_one_came_after_the_other<E: Engine>(engine: &E) {
    let node = Node::start(&engine.log());
    let cases = (Config::default().cases / 8).max(8);
    let mut runner = TestRunner::new(Config { cases, ..Config::with_source_file(file!()) });
    let ask = (any::<u8>(), any::<u8>(), any::<u8>(), proptest::option::weighted(0.3, 0_u8..8));
    let asks = prop::collection::vec(prop::collection::vec(ask, 1..12), 1..6);
    let ran = tokio::task::block_in_place(|| {
        runner.run(&asks, |callers| {
            tokio::runtime::Handle::current().block_on(interleave(&node, callers));
            Ok(())
        })
    });
    ran.unwrap();
}

async fn interleave(node: &Node, callers: Vec<Vec<Ask>>) {
    let ids: [CaseId; CASES] = [(); CASES].map(|()| new_case());
    let (before, number) = (node.head().await, last_number(node).await);
    let callers: Vec<_> =
        callers.into_iter().map(|asks| asks.into_iter().map(|ask| asked(ask, ids))).collect();
    let each = callers.into_iter().map(|requests| async move {
        let mut done = Vec::new();
        for request in requests {
            let answer = node.run(request.clone()).await;
            done.push((request, answer));
        }
        done
    });
    let done: Vec<_> = futures::future::join_all(each).await.into_iter().flatten().collect();
    let events = node.log.events_after(before, 10_000).await.unwrap();
    startup::verify(&events, before).unwrap();
    let of =
        |request: &CaseRequest| events.iter().filter(|event| event.command_id == request.command_id).count();
    let refused = done.iter().filter(|(_, answer)| answer.is_err());
    assert!(refused.clone().all(|(request, _)| of(request) == 0), "a refused command left an event");
    let mut accepted: Vec<(&CaseRequest, Outcome)> =
        done.iter().filter_map(|(request, answer)| Some((request, answer.clone().ok()?))).collect();
    // What changed nothing came after the event that it saw last.
    accepted.sort_by_key(|(request, outcome)| (outcome.position, of(request) == 0));
    model(&accepted, before, number);
    assert_eq!(accepted.iter().map(|(request, _)| of(request)).sum::<usize>(), events.len());
}

/// The rules, one command after the other.
fn model(accepted: &[(&CaseRequest, Outcome)], mut position: u64, mut number: u64) {
    let mut cases: HashMap<CaseId, Case> = HashMap::new();
    for (request, outcome) in accepted {
        let case = cases.entry(request.case).or_default();
        let context = Context {
            actor: &request.actor,
            now: time("2026-11-23T10:00:00Z"),
            next_number: CaseNumber::new(2026, number + 1),
            expected_version: request.expected_version,
            employer_areas: None,
            followed: None,
            limits: FileLimits::default(),
        };
        let events = domain::case::decide(&request.command, case, &context).unwrap();
        for event in &events {
            position += 1;
            number += u64::from(matches!(event, Event::CaseReceived { .. }));
            *case = std::mem::take(case).evolve(event);
        }
        let expected = Outcome {
            id: request.case,
            case_number: case.base().unwrap().number,
            version: case.version(),
            status: case.status().unwrap(),
            position,
        };
        assert_eq!(*outcome, expected);
    }
}

async fn last_number(node: &Node) -> u64 {
    let mut writer = node.log.writer().await.unwrap();
    writer.begin().await.unwrap();
    let wanted = crate::log::Wanted { year: 2026, ..Default::default() };
    let last = writer.load(&wanted).await.unwrap().last_number;
    writer.rollback().await;
    last
}

fn asked((who, case, what, expected_version): Ask, cases: [CaseId; CASES]) -> CaseRequest {
    let command = match what % 8 {
        0 | 1 => create(vec![]),
        2 => message("Hej"),
        3 => add_note(),
        4 | 5 => start(),
        6 => CaseCommand::Assign(Assign { officer: person(u128::from(who % 2) + 2) }),
        _ => close(),
    };
    let actor = match who % 4 {
        0 | 1 => actor(Role::Officer, u128::from(who % 2) + 2),
        _ => reporter(),
    };
    CaseRequest {
        expected_version: expected_version.map(u64::from),
        request: [0; 32],
        correlation: Uuid::nil(),
        ..request(&actor, cases[usize::from(case) % CASES], command)
    }
}
