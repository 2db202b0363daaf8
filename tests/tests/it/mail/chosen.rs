//! What a person has chosen about mails is kept to: which, where, in which language, and news of the systems that one follows.

use api::app::Caller;
use domain::access::Role;
use domain::case::commands::{AddMessage, StartProcessing};
use domain::service_status::WrittenNotice;
use domain::settings::WrittenSettings;
use domain::vocabulary::Template;
use domain::{CaseCommand, Event, Language, PersonId, StreamId};
use infrastructure::committer::Expected;
use infrastructure::random;

use super::server::Received;
use super::world::{Place, World, body, close};

const CHOSEN: &str = "anna@hemma.example";

async fn choose(world: &World, caller: &Caller, written: WrittenSettings<'_>) {
    let person = caller.actor.person;
    world.app.append(person, person.into(), written.choose().unwrap(), Expected::Any).await.unwrap();
}

/// Somebody writes about a system.
async fn news(world: &World, stream: StreamId, system: &str, title: &str) {
    let written = WrittenNotice {
        kind: "disruption",
        system,
        title_sv: title,
        title_en: title,
        body_sv: "Det går inte att logga in.",
        body_en: "Nobody can log in.",
        starts: "2026-11-23T08:00",
        ..WrittenNotice::default()
    };
    let by = PersonId(random::id());
    world.app.append(by, stream, written.publish().unwrap(), Expected::Any).await.unwrap();
}

fn received(place: &Place) -> Vec<Received> {
    let mails = place.mails();
    mails.iter().map(|path| Received::parse(&std::fs::read_to_string(path).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_come_as_they_were_chosen() {
    let place = Place::files();
    let world = place.start().await;
    let (anna, officer) = (world.employee("anna", Some(super::ANNA)).await, world.other(Role::Officer).await);
    let written = WrittenSettings {
        language: "en",
        mails: vec![Template::Closed],
        email: CHOSEN,
        ..WrittenSettings::default()
    };
    choose(&world, &anna, written).await;
    let case = world.create(&anna, Language::Sv).await;
    world.sent(1).await;
    let start = CaseCommand::StartProcessing(StartProcessing {});
    world.run(&officer, Some((case.id, 1)), start, Vec::new()).await;
    let message = CaseCommand::AddMessage(AddMessage { text: body("Hej"), files: Vec::new() });
    world.run(&officer, Some((case.id, 2)), message, Vec::new()).await;
    world.run(&officer, Some((case.id, 3)), close(), Vec::new()).await;
    world.sent(2).await;
    let mails = received(&place);
    assert_eq!(mails.len(), 2, "none for the message");
    for mail in &mails {
        assert!(mail.header("To").contains(CHOSEN), "{}", mail.header("To"));
        assert_eq!(mail.header("Content-Language"), "en");
    }
    // Who takes it back gets them as before.
    choose(
        &world,
        &anna,
        WrittenSettings { mails: vec![Template::NewMessage], ..WrittenSettings::default() },
    )
    .await;
    world.create(&anna, Language::Sv).await;
    world.sent(3).await;
    let swedish = received(&place).into_iter().filter(|mail| mail.header("Content-Language") == "sv");
    let to: Vec<String> = swedish.map(|mail| mail.header("To").to_owned()).collect();
    assert!(to.len() == 1 && to[0].contains(super::ANNA), "{to:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_follows_a_system_hears_of_it_and_nobody_else() {
    let place = Place::files();
    let world = place.start().await;
    let (anna, berit) =
        (world.employee("anna", Some(super::ANNA)).await, world.employee("berit", Some(super::BERIT)).await);
    choose(
        &world,
        &anna,
        WrittenSettings { language: "en", notices: vec!["primula"], ..WrittenSettings::default() },
    )
    .await;
    choose(&world, &berit, WrittenSettings { notices: vec!["agresso"], ..WrittenSettings::default() }).await;
    let notice = StreamId(random::id());
    news(&world, notice, "primula", "Primula går inte att nå").await;
    world.sent(1).await;
    news(&world, StreamId(random::id()), "palasso", "Palasso är långsamt").await;
    let by = PersonId(random::id());
    world.app.append(by, notice, Event::NoticeResolved {}, Expected::Version(1)).await.unwrap();
    world.sent(2).await;
    let mails = received(&place);
    assert!(mails.iter().all(|mail| mail.header("To").contains(super::ANNA)));
    let mut subjects: Vec<&str> = mails.iter().map(|mail| mail.header("Subject")).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["Service status: Primula, Ongoing", "Service status: Primula, Resolved"]);
    let text = mails[0].text();
    assert!(text.contains(&format!("https://kundwebb.example/driftstatus/{notice}")), "{text}");
    // They belong together, and each is accounted for.
    let threads: Vec<&str> = mails.iter().map(|mail| mail.header("References")).collect();
    assert!(threads.iter().any(|first| first.starts_with(&format!("<{notice}-1."))), "{threads:?}");
    let ends = world.ends().await;
    assert!(
        ends.len() == 2
            && ends.iter().all(|(_, end)| matches!(
                end,
                Event::NotificationSent { template: Template::ServiceStatus, .. }
            ))
    );
    // No rebuild repeats them.
    world.stop().await;
    let world = place.start().await;
    world.sent(2).await;
    assert_eq!(place.mails().len(), 2);
    world.stop().await;
}
