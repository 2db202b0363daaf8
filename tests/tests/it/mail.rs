//! Mails as they leave, to a real mail server in a process of its own: nothing is lost, nothing is doubled, whatever
//! the server does.

mod chosen;
mod proxy;
pub(crate) mod server;
mod world;

use std::collections::HashSet;

use api::mail::post;
use domain::access::Role;
use domain::case::commands::{AddMessage, AddNote, RequestInformation, StartProcessing};
use domain::text::{Email, PersonName};
use domain::vocabulary::{NoteKind, Template};
use domain::{CaseCommand, CaseId, Channel, Event, Language, OrganisationNumber};
use projections::ReadModels;

use proxy::{How, Proxy, Step};
use server::{Certificate, Mailbox, Received};
use world::{Place, World, body, close, create, employee, employer, to};

const ANNA: &str = "anna@myndighet.example";
const BERIT: &str = "berit@myndighet.example";

/// A whole life of a case in which everything that a mail must not hold is marked.
async fn poisoned_life(world: &World) -> (CaseId, String) {
    let (anna, officer) = (world.employee("anna", Some(ANNA)).await, world.other(Role::Officer).await);

    let file = futures::stream::iter([Ok::<_, std::io::Error>(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n".as_slice().into(),
    )]);
    let file = world.app.stage(&anna, "POISON-file.pdf", file).await.unwrap();
    let mut new = create(Language::Sv);
    new.files = vec![file];
    let case = world.run(&anna, None, CaseCommand::Create(new), Vec::new()).await;
    let (id, number) = (case.id, case.case_number.to_string());
    world.sent(1).await;
    let message = |text: &str| CaseCommand::AddMessage(AddMessage { text: body(text), files: Vec::new() });
    let request =
        RequestInformation { text: body("POISON-request"), due_date: "2026-12-01".parse().unwrap() };
    let note = AddNote { kind: NoteKind::Working, text: body("POISON-note") };
    let commands = [
        (&officer, CaseCommand::StartProcessing(StartProcessing {}), 1),
        (&officer, CaseCommand::RequestInformation(request), 2),
        (&anna, message("POISON-reply"), 2),
        (&officer, message("POISON-letter"), 3),
        (&officer, CaseCommand::AddNote(note), 3),
        (&officer, close(), 4),
    ];
    for (version, (caller, command, mails)) in (1..).zip(commands) {
        // Each command is decided on the version of the one before it, with a mail sent in between.
        let outcome = world.run(caller, Some((id, version)), command, Vec::new()).await;
        assert_eq!(outcome.version, version + 1);
        world.sent(mails).await;
    }
    (id, number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mail_of_a_case_comes_once_says_no_more_than_it_may_and_moves_no_version() {
    let mailbox = Mailbox::new();
    let server = mailbox.serve(0, None);
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let (id, number) = poisoned_life(&world).await;
    assert_eq!(world.events(id).await.len(), 7);
    let mails = mailbox.received();
    let subjects = [
        "vi har tagit emot ditt ärende",
        "vi behöver mer information",
        "du har ett nytt meddelande",
        "ditt ärende är avslutat",
    ];
    assert_eq!(mails.len(), subjects.len());
    let first = mails[0].header("Message-ID").to_owned();
    for (mail, subject) in mails.iter().zip(subjects) {
        let text = mail.text();
        assert!(text.contains(&format!("<title>Ärende {number}: {subject}</title>")), "{text}");
        assert!(text.contains(&format!("https://kundwebb.example/arenden/{id}")));
        assert!(!text.contains("POISON"), "{text}");
        assert_eq!(mail.header("X-Test-To"), ANNA);
        assert_eq!(mail.header("X-Test-From"), "<>");
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    }
    assert!(first.starts_with(&format!("<{id}-1.")) && first.ends_with("@kundwebb.example>"), "{first}");
    assert_eq!(mails[0].header("References"), "");
    assert!(
        mails[1..]
            .iter()
            .all(|mail| mail.header("References") == first && mail.header("In-Reply-To") == first)
    );
    let ids: HashSet<&str> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert_eq!(ids.len(), 4);

    let ends = world.ends().await;
    let streams: HashSet<_> = ends.iter().map(|(stream, _)| *stream).collect();
    assert_eq!((ends.len(), streams.len()), (4, 4));
    for ((_, end), mail) in ends.iter().zip(&mails) {
        let Event::NotificationSent { case_id, message_id, attempts, reply, .. } = end else {
            panic!("{end:?}")
        };
        assert_eq!(
            (*case_id, *attempts, format!("<{message_id}>")),
            (id, 1, mail.header("Message-ID").to_owned())
        );
        assert!(reply.contains("queued as") && !reply.contains('@'), "{reply}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_written_in_the_language_of_its_case() {
    let place = Place::files();
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    let case = world.create(&anna, Language::En).await;
    world.sent(1).await;
    let mails = place.mails();
    assert_eq!(mails.len(), 1);
    let name = format!("{}-1-received.eml", case.case_number);
    assert_eq!(mails[0].file_name().unwrap().to_str(), Some(name.as_str()));
    let mail = Received::parse(&std::fs::read_to_string(&mails[0]).unwrap());
    assert_eq!(mail.header("Subject"), format!("Case {}: we have received your case", case.case_number));
    assert_eq!(mail.header("Content-Language"), "en");
    assert!(mail.text().contains("It arrived on 23 November 2026 at 08:36."));
    assert!(post::check(&place.config).await.unwrap().contains("mails are written to"));
    assert_eq!(place.mails().len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_loses_nothing_and_is_seen() {
    let mailbox = Mailbox::new();
    let port = mailbox.serve(0, None).port;
    let place = Place::smtp(port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    for _ in 0..3 {
        world.create(&anna, Language::Sv).await;
    }
    // The oldest is tried and tells of the trouble; the others wait without being tried in vain.
    let status = world.until(|status| status.counts.retrying == 1 && status.counts.due == 3).await;
    assert!(status.counts.last_trouble.unwrap().contains(&format!("localhost:{port}")));
    assert!(post::check(&place.config).await.unwrap_err().contains(&format!("localhost:{port}")));

    let _server = mailbox.serve(port, None);
    assert!(post::check(&place.config).await.unwrap().contains("not encrypted"));
    world.pass(5);
    world.sent(3).await;
    assert_eq!(mailbox.received().len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_greets_with_a_refusal_is_not_the_recipients_fault() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order("greet 554 5.3.2 closed for today");
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    let status = world.until(|status| status.counts.retrying == 1).await;
    assert!(status.counts.last_trouble.unwrap().contains("554 5.3.2 closed for today"));
    server.order("well");
    world.pass(5);
    world.sent(1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_address_blocks_nobody() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order(&format!("recipient {ANNA} 550 5.1.1 <{ANNA}>: no such user"));
    server.order("recipient full@myndighet.example 452 4.2.2 mailbox full");
    let place = Place::smtp(server.port);
    let world = place.start().await;
    for (subject, email) in [("anna", ANNA), ("full", "full@myndighet.example"), ("berit", BERIT)] {
        let caller = world.employee(subject, Some(email)).await;
        world.create(&caller, Language::Sv).await;
    }
    world
        .until(|status| status.counts.failed == 1 && status.counts.sent == 1 && status.counts.retrying == 1)
        .await;
    let received = mailbox.received();
    assert_eq!(received.iter().map(|mail| mail.header("X-Test-To")).collect::<Vec<_>>(), [BERIT]);
    let failed = world.ends().await.into_iter().find_map(|(_, end)| match end {
        Event::NotificationFailed { template, attempts, reply, .. } => Some((template, attempts, reply)),
        _ => None,
    });
    assert_eq!(failed, Some((Template::Received, 1, "550 5.1.1 <…> no such user".to_owned())));

    server.order("well");
    world.pass(5);
    world
        .until(|status| status.counts.sent == 2 && status.counts.due == 0 && status.counts.failed == 1)
        .await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_never_taken_is_given_up_after_five_days() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order(&format!("recipient {ANNA} 452 4.2.2 mailbox full"));
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let began = place.clock.now();
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    let mut status = world.until(|status| status.counts.retrying == 1).await;
    for _ in 0..200 {
        if status.counts.failed == 1 {
            break;
        }
        let mut seen = world.app.reactions.mail();
        world.pass(3600);
        tokio::time::timeout(std::time::Duration::from_secs(30), seen.changed()).await.unwrap().unwrap();
        status = seen.borrow().clone();
    }
    assert_eq!((status.counts.failed, status.counts.due), (1, 0));
    assert!((place.clock.now() - began).num_days() >= 5);
    let ends = world.ends().await;
    assert!(matches!(&ends[..], [(_, Event::NotificationFailed { attempts: 100.., .. })]), "{ends:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cut_off_in_the_middle_comes_once() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order("drop 1");
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    world.until(|status| status.counts.retrying == 1).await;
    assert_eq!(mailbox.received(), []);
    world.pass(5);
    world.sent(1).await;
    assert_eq!(mailbox.received().len(), 1);
    assert!(matches!(&world.ends().await[..], [(_, Event::NotificationSent { attempts: 2, .. })]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_whose_answer_was_lost_comes_again_as_the_same_mail() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order("lose 1");
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    world.until(|status| status.counts.retrying == 1).await;
    world.pass(5);
    world.sent(1).await;
    let received = mailbox.received();
    let message = |mail: &Received| mail.raw.split_once("Message-ID").unwrap().1.to_owned();
    assert_eq!(received.len(), 2);
    assert_eq!(message(&received[0]), message(&received[1]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_dies_between_sending_and_recording_sends_the_same_mail_once_more() {
    let mailbox = Mailbox::new();
    let mut server = mailbox.serve(0, None);
    server.order("hang 1");
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    server.order("await 1");
    world.cut_off().await;

    // The attempt was recorded before the mail left; until it cannot be under way any more it is left alone.
    let world = place.start().await;
    world.until(|status| status.counts.retrying == 1).await;
    world.pass(600);
    world.sent(1).await;
    let received = mailbox.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("Message-ID"), received[1].header("Message-ID"));
    assert!(matches!(&world.ends().await[..], [(_, Event::NotificationSent { attempts: 2, .. })]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_and_starting_neither_loses_nor_doubles() {
    let mailbox = Mailbox::new();
    let port = mailbox.serve(0, None).port;
    let place = Place::smtp(port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    world.until(|status| status.counts.retrying == 1).await;
    world.stop().await;

    let _server = mailbox.serve(port, None);
    let world = place.start().await;
    world.pass(5);
    world.sent(1).await;
    world.stop().await;

    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    world.sent(2).await;
    world.stop().await;
    assert_eq!(mailbox.received().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_mail_is_not_running_is_told_when_it_runs() {
    let place = Place::files();
    place.start().await.stop().await;
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    world.sent(1).await;
    world.stop().await;

    let app = place.open().await;
    app.run(&anna, to(None, CaseCommand::Create(create(Language::Sv)))).await.unwrap();
    app.close().await;

    let world = place.start().await;
    world.sent(2).await;
    assert_eq!(place.mails().len(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_of_the_read_models_repeats_no_mail() {
    let mailbox = Mailbox::new();
    let server = mailbox.serve(0, None);
    let place = Place::smtp(server.port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    let first = world.create(&anna, Language::Sv).await;
    world.sent(1).await;
    world.stop().await;

    ReadModels::delete(place.folder.path()).unwrap();
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    let second = world.create(&anna, Language::Sv).await;
    world.sent(2).await;
    let received = mailbox.received();
    assert_eq!(received.len(), 2);
    for (mail, case) in received.iter().zip([first, second]) {
        assert!(mail.text().contains(&case.case_number.to_string()));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_reaction_does_not_answer_the_past() {
    let place = Place::files();
    let app = place.open().await;
    let anna = employee(&app, "anna", Some(ANNA)).await;
    app.run(&anna, to(None, CaseCommand::Create(create(Language::Sv)))).await.unwrap();
    app.close().await;

    let world = place.start().await;
    let new = world.create(&anna, Language::Sv).await;
    world.sent(1).await;
    let mails = place.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].to_str().unwrap().contains(&new.case_number.to_string()));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_no_address_gets_no_mail_and_a_system_without_reporter_needs_none() {
    let place = Place::files();
    let world = place.start().await;
    let system = world.other(Role::System).await;
    let mut filed = create(Language::Sv);
    filed.channel = Channel::Api;
    world.run(&system, None, CaseCommand::Create(filed), Vec::new()).await;
    let nobody = world.employee("nobody", None).await;
    world.create(&nobody, Language::Sv).await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    let status = world.until(|status| status.counts.sent == 1 && status.counts.failed == 1).await;
    assert_eq!((status.counts.due, status.counts.last_trouble.as_deref()), (0, Some("no address")));
    assert_eq!(world.ends().await.len(), 2);
    assert_eq!(place.mails().len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_turns_out_to_have_a_login_gets_mail_where_the_login_is() {
    let place = Place::files();
    let world = place.start().await;
    let officer = world.other(Role::Officer).await;
    let name = PersonName::parse("Anna", "/name").unwrap();
    let email = Email::parse(ANNA, "/email").unwrap();
    let reporter = world.app.reporter(Role::Officer, employer(), None, name, email);
    let mut taken = create(Language::Sv);
    (taken.channel, taken.on_behalf_of) = (Channel::Telefon, Some(reporter.id));
    let case = world.run(&officer, None, CaseCommand::Create(taken), vec![reporter]).await;
    world.sent(1).await;
    // The first login has the address of the call and is linked to it; later the login gets another address.
    world.employee("anna", Some(ANNA)).await;
    world.employee("anna", Some("anna.ny@myndighet.example")).await;
    let start = CaseCommand::StartProcessing(StartProcessing {});
    let case = world.run(&officer, Some((case.id, case.version)), start, Vec::new()).await;
    world.run(&officer, Some((case.id, case.version)), close(), Vec::new()).await;
    world.sent(2).await;
    let recipient = |file: &std::path::PathBuf| {
        Received::parse(&std::fs::read_to_string(file).unwrap()).header("To").to_owned()
    };
    assert_eq!(place.mails().iter().map(recipient).collect::<Vec<_>>(), [ANNA, "anna.ny@myndighet.example"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_others_tell_counts_for_the_employer_for_which_it_is_told() {
    let place = Place::files();
    let world = place.start().await;
    let officer = world.other(Role::Officer).await;
    let elsewhere = OrganisationNumber::parse("4021010006").unwrap();
    // Nobody has seen Cecilia: what is told of her now, she says herself later.
    for (login, told_for) in [("anna", elsewhere), ("bo", employer()), ("cecilia", elsewhere)] {
        if login != "cecilia" {
            world.employee(login, None).await;
        }
        let (name, email) = (PersonName::parse("Anna", "/name"), Email::parse(ANNA, "/email"));
        let reporter =
            world.app.reporter(Role::Officer, told_for, Some(login), name.unwrap(), email.unwrap());
        let mut taken = create(Language::Sv);
        (taken.channel, taken.on_behalf_of) = (Channel::Telefon, Some(reporter.id));
        world.run(&officer, None, CaseCommand::Create(taken), vec![reporter]).await;
    }
    world.until(|status| status.counts.sent == 1 && status.counts.failed == 2).await;
    // What a system tells helps as well, where nothing was told.
    let system = world.other(Role::System).await;
    world.employee("david", None).await;
    for (login, told_for) in [("david", employer()), ("david", employer()), ("anna", employer())] {
        let (name, email) = (PersonName::parse("X", "/name"), Email::parse(ANNA, "/email"));
        let reporter = world.app.reporter(Role::System, told_for, Some(login), name.unwrap(), email.unwrap());
        let mut filed = create(Language::Sv);
        (filed.channel, filed.on_behalf_of) = (Channel::Api, Some(reporter.id));
        world.run(&system, None, CaseCommand::Create(filed), vec![reporter]).await;
    }
    let status = world.until(|status| status.counts.sent == 4 && status.counts.failed == 2).await;
    assert_eq!(status.counts.last_trouble.as_deref(), Some("no address"));
    let cecilia = world.employee("cecilia", Some(ANNA)).await;
    world.create(&cecilia, Language::Sv).await;
    world.until(|status| status.counts.sent == 5).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_connection_is_encrypted_as_the_settings_say() {
    let mailbox = Mailbox::new();
    let (ours, theirs) = (Certificate::new(), Certificate::new());
    let server = mailbox.serve(0, Some(&ours));
    let plain = mailbox.serve(0, None);
    let mut place = Place::smtp(server.port);
    // Anybody's certificate will do where none is asked for.
    assert!(post::check(&place.config).await.unwrap().contains(", encrypted"));
    place.config.mail.starttls = "required".to_owned();
    assert!(post::check(&place.config).await.unwrap_err().contains("STARTTLS failed"));
    place.config.mail.ca_file = Some(theirs.certificate());
    assert!(post::check(&place.config).await.unwrap_err().contains("STARTTLS failed"));
    place.config.mail.ca_file = Some(ours.certificate());
    assert!(post::check(&place.config).await.unwrap().contains(", encrypted"));
    let mut open = place.config.clone();
    open.mail.port = plain.port;
    assert!(post::check(&open).await.unwrap_err().contains("does not offer STARTTLS"));

    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    world.sent(1).await;
    assert_eq!(mailbox.received()[0].header("X-Test-Encrypted"), "True");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_of_mails_uses_few_connections_and_each_comes_once() {
    let mailbox = Mailbox::new();
    let port = mailbox.serve(0, None).port;
    let place = Place::smtp(port);
    let world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    for _ in 0..200 {
        world.create(&anna, Language::Sv).await;
    }
    world.until(|status| status.counts.due == 200).await;
    let _server = mailbox.serve(port, None);
    world.pass(120);
    world.sent(200).await;
    let received = mailbox.received();
    let distinct = |name: &str| received.iter().map(|mail| mail.header(name)).collect::<HashSet<_>>().len();
    assert_eq!((received.len(), distinct("Message-ID")), (200, 200));
    assert!(distinct("X-Test-Peer") <= 8, "{} connections", distinct("X-Test-Peer"));
    world.stop().await;
}

/// One case, whose mail meets a disturbance; gives what the server has received in the end.
async fn disturbed(step: Step, how: How) -> Vec<Received> {
    let mailbox = Mailbox::new();
    let server = mailbox.serve(0, None);
    let proxy = Proxy::to(server.port, step, how).await;
    let place = Place::smtp(proxy.port);
    let mut world = place.start().await;
    let anna = world.employee("anna", Some(ANNA)).await;
    world.create(&anna, Language::Sv).await;
    proxy.reached().await;
    if how == How::Hold {
        // The program is killed at this very step, and started again.
        world.cut_off().await;
        world = place.start().await;
    }
    world.until(|status| status.counts.retrying + status.counts.sent == 1 || how == How::Hold).await;
    world.pass(600);
    world.sent(1).await;
    let ends = world.ends().await;
    assert!(matches!(&ends[..], [(_, Event::NotificationSent { .. })]), "{step:?} {how:?}: {ends:?}");
    world.stop().await;
    mailbox.received()
}

/// Each mail is delivered once, whatever is cut or killed, except where SMTP itself cannot tell: the mail was taken and
/// the answer lost. There it comes again as the same mail.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_or_killed_at_any_step_a_mail_comes_once_or_as_the_same_mail_again() {
    for step in Step::ALL {
        for how in [How::Cut, How::Hold] {
            let received = disturbed(step, how).await;
            let copies = if step == Step::Taken { 2 } else { 1 };
            assert_eq!(received.len(), copies, "{step:?} {how:?}");
            let ids: HashSet<&str> = received.iter().map(|mail| mail.header("Message-ID")).collect();
            assert_eq!(ids.len(), 1, "{step:?} {how:?}");
        }
    }
}
