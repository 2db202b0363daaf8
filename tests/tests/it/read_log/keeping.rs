//! The log binds the read log; what was changed is named; and what is old is disposed of.

use std::process::ExitCode;

use api::cli::log::{self, Command};
use chrono::TimeDelta;
use domain::Event;
use domain::reading::OPERATOR;

use super::{ENGINES, Engine, World, id};

/// What the command line says, and its code.
async fn say(world: &World, command: Command) -> (ExitCode, String) {
    let mut out = Vec::new();
    let code = log::run(&world.app.app.config, command, &mut out, &|_| {}).await.unwrap();
    (code, String::from_utf8(out).unwrap())
}

/// What the events of the log say of the read log.
async fn told(world: &World) -> Vec<Event> {
    let events = world.app.app.log.events_after(0, 10_000).await.unwrap();
    let own = events.into_iter().filter(|event| event.type_name.starts_with("ReadLog"));
    own.map(|event| event.facts_only().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn once_an_hour_the_log_binds_what_is_new_and_proves_it() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let olle = world.app.officer("olle");
        world.keeps().await;
        assert_eq!(told(&world).await, [], "there is nothing");
        let (code, said) = say(&world, Command::Verify).await;
        assert!(code == ExitCode::SUCCESS && said.contains("Nobody has read a case"), "{said}");
        for _ in 0..3 {
            olle.read(&world.anna.id).await;
        }
        world.keeps().await;
        olle.read(&world.anna.id).await;
        world.app.pass(TimeDelta::minutes(59));
        world.keeps().await;
        let [Event::ReadLogSealed { from: 1, to: 3, .. }] = &told(&world).await[..] else {
            panic!("{:?}", told(&world).await)
        };
        world.app.pass(TimeDelta::minutes(1));
        world.keeps().await;
        world.app.pass(TimeDelta::hours(2));
        let olle = world.app.officer("olle");
        world.keeps().await;
        let [_, Event::ReadLogSealed { from: 4, to: 4, root }] = &told(&world).await[..] else {
            panic!("only what is new: {:?}", told(&world).await)
        };
        let leaf = world.app.app.log.reads().reads_after(3, 1).await.unwrap()[0].leaf_hash;
        let leaf: String = leaf.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(*root, leaf, "the root of one leaf is the leaf");
        olle.read(&world.anna.id).await;
        let (code, said) = say(&world, Command::Verify).await;
        assert_eq!(code, ExitCode::SUCCESS, "{said}");
        assert!(
            said.contains("The read log is whole: 5 readings without a gap, 4 of them bound by 2 events"),
            "{said}"
        );
        assert!(said.contains("5 open with the keys of their months"), "{said}");

        world
            .intrude(past(engine, "UPDATE read_log SET recorded_at = recorded_at + 1 WHERE position = 2"))
            .await;
        world.intrude(past(engine, "DELETE FROM read_log WHERE position >= 4")).await;
        let (code, said) = say(&world, Command::Verify).await;
        assert_eq!(code, ExitCode::from(log::verify::ONLY_READS), "{said}");
        for words in [
            "The log is whole",
            "FAIL  read log: row 2 does not hash to its leaf hash",
            "FAIL  read log: the rows from 1 to 3 are not those that the log has bound",
            "FAIL  read log: the rows from 4 to 4, which the log has bound, are missing",
            "The read log is damaged",
        ] {
            assert!(said.contains(words), "»{words}« is missing: {said}");
        }
    }
}

/// The same by one whom no trigger keeps from anything.
fn past(engine: Engine, sql: &'static str) -> &'static str {
    let before = match engine {
        Engine::Sqlite => {
            "DROP TRIGGER IF EXISTS read_log_is_never_changed; DROP TRIGGER IF EXISTS read_log_is_never_deleted; "
        }
        Engine::Postgres => "SET session_replication_role = replica; ",
    };
    format!("{before}{sql}").leak()
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_its_retention_nothing_of_a_month_can_be_read() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let olle = world.app.officer("olle");
        olle.read(&world.anna.id).await;
        world.keeps().await;
        let keys = world.app.app.log.reads().read_keys().await.unwrap();
        let [(month, wrapped)] = &keys[..] else { panic!("{keys:?}") };
        assert_eq!(month, "2026-11");
        world.app.clock.set("2028-11-30T12:00:00Z".parse().unwrap());
        world.app.officer("olle").read(&world.kalle.id).await;
        world.keeps().await;
        assert_eq!(world.app.app.log.reads().read_keys().await.unwrap().len(), 2, "24 months are not over");
        world.app.clock.set("2028-12-01T12:00:00Z".parse().unwrap());
        world.keeps().await;
        world.keeps().await;
        let destroyed = Event::ReadLogKeyDestroyed { month: "2026-11".to_owned() };
        assert_eq!(told(&world).await.iter().filter(|event| **event == destroyed).count(), 1);
        let left = world.app.app.log.reads().read_keys().await.unwrap();
        assert_eq!(left.iter().map(|(month, _)| month.as_str()).collect::<Vec<_>>(), ["2028-11"]);
        let readings = world.readings().await;
        assert!(readings[1].reading.is_none() && readings[0].reading.is_some(), "{readings:?}");
        assert!(world.app.app.readings(Some(id(&world.anna)), u64::MAX, 10).await.unwrap().is_empty());
        if engine == Engine::Sqlite {
            for name in ["reads.db", "reads.db-wal"] {
                let bytes = std::fs::read(world.app.folder().join(name)).unwrap_or_default();
                assert!(
                    !bytes.windows(wrapped.len()).any(|window| window == wrapped),
                    "the key stands in {name}"
                );
            }
        }
        let (code, said) = say(&world, Command::Verify).await;
        assert!(
            code == ExitCode::SUCCESS
                && said.contains("1 open with the keys of their months, 1 months disposed of"),
            "{said}"
        );
    }
}

/// Whoever works on the machine is recorded like anybody.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_records_what_it_shows() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let show = || Command::Show { case: world.anna.number.clone(), as_of: None };
        say(&world, show()).await;
        let reading = world.readings().await.remove(0).reading.unwrap();
        assert_eq!((reading.role.as_str(), reading.cases), (OPERATOR, vec![id(&world.anna)]));
        let reason = reading.reason.unwrap();
        assert!(reason.contains(&format!("kundwebb log show {}", world.anna.number)), "{reason}");
        say(&world, Command::Export).await;
        assert_eq!(world.readings().await.len(), 1, "an export has no content");
        world.breaks().await;
        let mut out = Vec::new();
        let error = log::run(&world.app.app.config, show(), &mut out, &|_| {}).await.unwrap_err().to_string();
        assert!(error.contains("only when it is recorded who reads it"), "{error}");
        assert!(out.is_empty(), "{}", String::from_utf8_lossy(&out));
    }
}
