//! What holds for every case, proven with random sequences of commands against an oracle that a person can read.
//! `PROPTEST_CASES=100000 cargo test -p domain case::properties` runs a hundred thousand sequences; failing seeds are
//! kept in `domain/proptest-regressions/`.

use chrono::{DateTime, Days, TimeDelta, Utc};
use proptest::prelude::*;

use crate::access::Role;
use crate::calendar;
use crate::case::commands::{
    AddMessage, AddNote, Assign, Attach, Close, Create, Reclassify, RequestInformation, StartProcessing,
};
use crate::case::testing::{body, create, file, now, number, person, replay};
use crate::case::{Case, CaseCommand, decide};
use crate::files::{FileLimits, UploadedFile};
use crate::{
    Actor, Area, Channel, Context, Event, NoteKind, OrganisationNumber, PersonId, Refusal, Status, SubArea,
    System, Topic,
};

/// What rights and phase alone say, written out. The columns of each text are the phases
/// New, Received, `InProcess` by the caller, `InProcess` by another, Closed.
///
/// `+` the rule of the command decides, `.` nothing happens, `p` wrong phase, `t` taken by another, `f` forbidden,
/// `u` unknown to the caller.
///
/// | caller | |
/// |---|---|
/// | 0 | the reporter |
/// | 1 | an employee who is not |
/// | 2 | an officer of the area |
/// | 3 | an officer of other areas |
/// | 4 | an auditor |
/// | 5 | the system that filed the case |
/// | 6 | another system |
/// | 7 | the employer's administrator, who is not the reporter |
/// | 8 | a team lead of the area |
/// | 9 | somebody who has nothing to do with it |
/// | 10 | a registrar |
const TABLE: [(&str, [&str; 11]); 9] = [
    (
        "Create",
        ["+pppp", "+pppp", "+pppp", "+pppp", "fffff", "+pppp", "+pppp", "+pppp", "fffff", "fffff", "fffff"],
    ),
    (
        "Attach",
        ["u+++p", "uuuuu", "u+++p", "uuuuu", "uffff", "u+++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff"],
    ),
    (
        "AddMessage",
        ["u+++p", "uuuuu", "u+++p", "uuuuu", "uffff", "u+++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff"],
    ),
    (
        "AddNote",
        ["uffff", "uuuuu", "u+++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff", "u+++p", "uuuuu", "u+++p"],
    ),
    (
        "Assign",
        ["uffff", "uuuuu", "u+++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff", "u+++p", "uuuuu", "uffff"],
    ),
    (
        "Reclassify",
        ["uffff", "uuuuu", "u+++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff", "u+++p", "uuuuu", "uffff"],
    ),
    (
        "StartProcessing",
        ["uffff", "uuuuu", "u+.tp", "uuuuu", "uffff", "uffff", "uuuuu", "uffff", "uffff", "uuuuu", "uffff"],
    ),
    (
        "RequestInformation",
        ["uffff", "uuuuu", "up++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff", "uffff", "uuuuu", "uffff"],
    ),
    (
        "Close",
        ["uffff", "uuuuu", "up++p", "uuuuu", "uffff", "uffff", "uuuuu", "uffff", "uffff", "uuuuu", "uffff"],
    ),
];

/// The case as a person would keep it on paper.
#[derive(Clone, Debug, Default, PartialEq)]
struct Paper {
    phase: Option<Status>,
    events: Vec<&'static str>,
    officer: Option<PersonId>,
    reporter: Option<PersonId>,
    filed_by: Option<PersonId>,
    is_call: bool,
    employer: Option<OrganisationNumber>,
    topic: Option<Topic>,
    files: usize,
    bytes: u64,
}

/// One command with its caller and surroundings.
#[derive(Clone, Debug)]
struct Step {
    actor: Actor,
    command: CaseCommand,
    expected_version: Option<u64>,
    now: DateTime<Utc>,
    employer_areas: Option<Vec<Area>>,
    followed: Option<Case>,
}

/// What the oracle expects.
#[derive(Debug, PartialEq)]
enum Expected {
    Unknown,
    Forbidden,
    Stale,
    WrongPhase,
    Taken,
    Fields,
    Nothing,
    Event(&'static str),
}

const LIMITS: FileLimits = FileLimits { file_bytes: 40, files_at_once: 2, case_bytes: 100 };

fn employers() -> [OrganisationNumber; 2] {
    ["4021000007", "4021010006"].map(|text| OrganisationNumber::parse(text).unwrap())
}

/// Up to 24 steps; three sequences of four begin with a case that comes in.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any::<[u8; 12]>(), 1..24).prop_map(|mut steps| {
        if let Some(first) = steps.first_mut().filter(|first| first[11] % 4 != 3) {
            (first[0], first[1], first[10]) = (1, 0, 1);
            if first[2] % 6 == 0 {
                first[3] |= 2;
            }
        }
        steps.into_iter().map(step).collect()
    })
}

/// Reads a step from twelve bytes: quick to make, and it shrinks towards small numbers.
fn step(bytes: [u8; 12]) -> Step {
    let [who, what, topic, files, size, version, narrowing, uses, day, other, reporter, follows] = bytes;
    let now = now() + TimeDelta::minutes(i64::from(day));
    Step {
        actor: caller(who, narrowing),
        command: command(what, topic, (files, size), (other, reporter, follows), now),
        expected_version: (version % 8 == 0).then_some(u64::from(version / 16)),
        now,
        employer_areas: (uses % 8 < 1).then(|| Area::ALL[..usize::from(uses / 8) % 5].to_vec()),
        followed: (follows % 16 == 1).then(|| replay(&crate::case::testing::in_closed())),
    }
}

fn caller(who: u8, narrowing: u8) -> Actor {
    let [usual, one] = [usize::from(who % 5), usize::from(who / 15)];
    let role = match usual {
        0 | 2 => Role::Officer,
        1 => Role::Employee,
        3 => Role::System,
        _ => Role::ALL[one % Role::ALL.len()],
    };
    let me = person(u128::from(who / 5 % 3) + 1);
    let joined = (narrowing & 1 == 1).then(|| person(1));
    let narrowed = narrowing & 14 == 14;
    Actor {
        person: me,
        role,
        identities: std::iter::once(me).chain(joined).collect(),
        employers: (narrowed && role.has_employers())
            .then(|| employers()[..usize::from(narrowing >> 4) % 3].to_vec()),
        areas: (narrowed && role.has_areas()).then(|| Area::ALL[usize::from(narrowing >> 4) % 4..].to_vec()),
    }
}

fn topic(byte: u8) -> Topic {
    let systems = [None, Some(System::Agresso)];
    match byte % 6 {
        0 => Topic::new(Area::Lon, Some(SubArea::BeslutUnderlag), None),
        1 => Topic::new(Area::Lon, Some(SubArea::Supportarende), None),
        2 | 3 => Topic::new(Area::Ekonomi, None, systems[usize::from(byte % 2)]),
        4 => Topic::new(Area::EHandel, None, None),
        _ => Topic::new(Area::ItTjanstestod, None, Some(System::Annat)),
    }
    .unwrap()
}

fn command(
    what: u8,
    of: u8,
    (count, size): (u8, u8),
    (other, reporter, follows): (u8, u8, u8),
    now: DateTime<Utc>,
) -> CaseCommand {
    let files: Vec<UploadedFile> =
        (0..count % 8 / 2).map(|number| file(u128::from(number), u64::from(size % 40))).collect();
    let text = body("text");
    match what % 12 {
        0 => CaseCommand::Create(Create {
            employer: employers()[usize::from(other % 2)],
            channel: Channel::ALL[usize::from(other / 2 % 3)],
            on_behalf_of: (reporter % 3 == 0).then(|| person(u128::from(reporter / 3 % 4) + 1)),
            follows_up: (follows % 8 == 1).then(|| number(7)),
            ..create(topic(of), files)
        }),
        3 => CaseCommand::Attach(Attach { files }),
        4 => CaseCommand::AddMessage(AddMessage { text, files }),
        5 => CaseCommand::AddNote(AddNote { kind: NoteKind::ALL[usize::from(other % 2)], text }),
        6 => CaseCommand::Assign(Assign { officer: person(u128::from(other % 4) + 1) }),
        7 => CaseCommand::Reclassify(Reclassify { topic: topic(of), reason: text }),
        8..=10 => CaseCommand::StartProcessing(StartProcessing {}),
        1 => {
            let due_date = calendar::day(now) + Days::new(u64::from(other) * 2) - Days::new(20);
            CaseCommand::RequestInformation(RequestInformation { text, due_date })
        }
        _ => CaseCommand::Close(Close { answer: text, files }),
    }
}

/// The oracle: the table, then the version, then the few rules of fields.
fn oracle(paper: &Paper, step: &Step) -> Expected {
    let (name, row) = TABLE[row(&step.command)];
    let sign = row[column(paper, &step.actor)].as_bytes()[phase(paper, &step.actor)];
    let create = matches!(step.command, CaseCommand::Create(_));
    let stale = step.expected_version.is_some_and(|version| version != paper.events.len() as u64);
    match sign {
        b'u' => Expected::Unknown,
        b'f' => Expected::Forbidden,
        _ if create && outside(&step.actor, &step.command) => Expected::Forbidden,
        _ if stale && !create => Expected::Stale,
        b'p' => Expected::WrongPhase,
        b't' => Expected::Taken,
        b'.' => Expected::Nothing,
        b'+' if fields_are_wrong(paper, step) => Expected::Fields,
        b'+' => match (&step.command, paper.officer) {
            (CaseCommand::Assign(assign), Some(officer)) if assign.officer == officer => Expected::Nothing,
            _ => Expected::Event(event_of(name)),
        },
        _ => panic!("the table holds a foreign sign"),
    }
}

fn row(command: &CaseCommand) -> usize {
    let name = format!("{command:?}");
    TABLE.iter().position(|(row, _)| name.starts_with(&format!("{row}("))).unwrap()
}

/// The column of the caller, as the case stands.
fn column(paper: &Paper, actor: &Actor) -> usize {
    let employer_is_mine = actor
        .employers
        .as_ref()
        .is_none_or(|mine| paper.employer.is_some_and(|employer| mine.contains(&employer)));
    let area_is_mine =
        actor.areas.as_ref().is_none_or(|mine| paper.topic.is_some_and(|topic| mine.contains(&topic.area())));
    let reported = paper.reporter.is_some_and(|reporter| actor.identities.contains(&reporter));
    let filed = paper.filed_by == Some(actor.person) && !paper.is_call;
    match actor.role {
        Role::Employee | Role::EmployerAdministrator if reported && employer_is_mine => 0,
        Role::Requester if employer_is_mine && (reported || filed) => 0,
        Role::EmployerAdministrator if employer_is_mine && actor.employers.is_some() => 7,
        Role::Employee | Role::Requester | Role::EmployerAdministrator => 1,
        Role::Officer if area_is_mine => 2,
        Role::Officer => 3,
        Role::TeamLead if area_is_mine => 8,
        Role::TeamLead | Role::StatusEditor | Role::SystemAdministrator => 9,
        Role::Registrar => 10,
        Role::Auditor | Role::Archivist => 4,
        Role::System if filed && employer_is_mine => 5,
        Role::System => 6,
    }
}

fn phase(paper: &Paper, actor: &Actor) -> usize {
    match paper.phase {
        None => 0,
        Some(Status::Received) => 1,
        Some(Status::InProcess) => {
            if paper.officer == Some(actor.person) {
                2
            } else {
                3
            }
        }
        Some(Status::Closed) => 4,
    }
}

/// Whether a new case would lie outside what narrows its caller.
fn outside(actor: &Actor, command: &CaseCommand) -> bool {
    let CaseCommand::Create(create) = command else { return false };
    actor.employers.as_ref().is_some_and(|mine| !mine.contains(&create.employer))
        || actor.areas.as_ref().is_some_and(|mine| !mine.contains(&create.topic.area()))
}

fn fields_are_wrong(paper: &Paper, step: &Step) -> bool {
    let files = step.command.files();
    let too_much =
        files.len() > 2 || paper.bytes + files.iter().map(|file| file.card.size).sum::<u64>() > 100;
    let not_used =
        |topic: &Topic| step.employer_areas.as_ref().is_some_and(|areas| !areas.contains(&topic.area()));
    let needs_file = |topic: &Topic| topic.sub_area() == Some(SubArea::BeslutUnderlag);
    match &step.command {
        CaseCommand::Create(create) => {
            let reporter_is_wrong = match step.actor.role {
                Role::Employee | Role::EmployerAdministrator => create.on_behalf_of.is_some(),
                Role::Requester => create.on_behalf_of.is_some() && !needs_file(&create.topic),
                Role::Officer => create.on_behalf_of.is_none(),
                _ => false,
            };
            // The case to go on from is Anna's (person 1), in economy, at the first employer.
            let sees_followed = step.followed.is_some()
                && match step.actor.role {
                    Role::Employee | Role::Requester | Role::EmployerAdministrator => {
                        step.actor.identities.contains(&person(1))
                            && step.actor.employers.as_ref().is_none_or(|mine| mine.contains(&employers()[0]))
                    }
                    Role::Officer => {
                        step.actor.areas.as_ref().is_none_or(|mine| mine.contains(&Area::Ekonomi))
                    }
                    Role::System => {
                        step.actor.person == person(1)
                            && step.actor.employers.as_ref().is_none_or(|mine| mine.contains(&employers()[0]))
                    }
                    // No other role creates cases.
                    _ => true,
                };
            reporter_is_wrong
                || (create.channel == Channel::Telefon && step.actor.role != Role::Officer)
                || not_used(&create.topic)
                || (needs_file(&create.topic) && files.is_empty())
                || too_much
                || (create.follows_up.is_some() && !sees_followed)
        }
        CaseCommand::Attach(_) => files.is_empty() || too_much,
        CaseCommand::AddMessage(_) | CaseCommand::Close(_) => too_much,
        CaseCommand::Reclassify(command) => {
            not_used(&command.topic) || (needs_file(&command.topic) && paper.files == 0)
        }
        CaseCommand::RequestInformation(command) => {
            let days = (command.due_date - calendar::day(step.now)).num_days();
            !(0..=366).contains(&days)
        }
        _ => false,
    }
}

fn event_of(command: &str) -> &'static str {
    match command {
        "Create" => "CaseReceived",
        "Attach" => "AttachmentAdded",
        "AddMessage" => "MessageAdded",
        "AddNote" => "NoteAdded",
        "Assign" => "CaseAssigned",
        "Reclassify" => "CaseReclassified",
        "StartProcessing" => "ProcessingStarted",
        "RequestInformation" => "InformationRequested",
        "Close" => "CaseClosed",
        _ => panic!("no such command"),
    }
}

/// Writes what was accepted on the paper.
fn write(paper: &mut Paper, step: &Step, event: &'static str) {
    paper.events.push(event);
    paper.files += step.command.files().len();
    paper.bytes += step.command.files().iter().map(|file| file.card.size).sum::<u64>();
    match &step.command {
        CaseCommand::Create(create) => {
            let me = step.actor.person;
            paper.phase = Some(Status::Received);
            paper.reporter = create.on_behalf_of.or(step.actor.role.is_customer().then_some(me));
            paper.filed_by = Some(me);
            paper.is_call = create.channel == Channel::Telefon;
            paper.employer = Some(create.employer);
            paper.topic = Some(create.topic);
        }
        CaseCommand::Assign(assign) => paper.officer = Some(assign.officer),
        CaseCommand::Reclassify(command) => paper.topic = Some(command.topic),
        CaseCommand::StartProcessing(_) => {
            paper.phase = Some(Status::InProcess);
            paper.officer = Some(step.actor.person);
        }
        CaseCommand::Close(_) => paper.phase = Some(Status::Closed),
        _ => {}
    }
}

fn decided(step: &Step, case: &Case) -> Result<Vec<Event>, Refusal> {
    let context = Context {
        actor: &step.actor,
        now: step.now,
        next_number: number(1),
        expected_version: step.expected_version,
        employer_areas: step.employer_areas.as_deref(),
        followed: step.followed.as_ref(),
        limits: LIMITS,
    };
    decide(&step.command, case, &context)
}

fn kind(result: &Result<Vec<Event>, Refusal>) -> Expected {
    match result {
        Ok(events) if events.is_empty() => Expected::Nothing,
        Ok(events) => {
            assert_eq!(events.len(), 1);
            Expected::Event(events[0].type_name())
        }
        Err(Refusal::NotFound) => Expected::Unknown,
        Err(Refusal::Forbidden) => Expected::Forbidden,
        Err(Refusal::Stale { .. }) => Expected::Stale,
        Err(Refusal::WrongPhase(_)) => Expected::WrongPhase,
        Err(Refusal::TakenByAnother) => Expected::Taken,
        Err(Refusal::Fields(errors)) => {
            assert!(!errors.is_empty());
            Expected::Fields
        }
    }
}

/// The state shows what the paper says.
fn same(case: &Case, paper: &Paper) {
    assert_eq!(case.status(), paper.phase);
    assert_eq!(case.officer(), paper.officer);
    assert_eq!(case.version(), paper.events.len() as u64);
    let Some(base) = case.base() else { return assert_eq!(*paper, Paper::default()) };
    let happened: Vec<_> = base.history.iter().map(|happened| happened.event).collect();
    assert_eq!(happened, paper.events);
    assert_eq!((base.file_count, base.file_bytes), (paper.files, paper.bytes));
    assert_eq!(base.standing.reporter, paper.reporter);
    assert_eq!(Some(base.standing.registered_by), paper.filed_by);
    assert_eq!(base.standing.channel == Channel::Telefon, paper.is_call);
    assert_eq!(Some(base.standing.employer), paper.employer);
    assert_eq!(Some(base.standing.area), paper.topic.map(Topic::area));
}

fn order(status: Option<Status>) -> usize {
    match status {
        None => 0,
        Some(Status::Received) => 1,
        Some(Status::InProcess) => 2,
        Some(Status::Closed) => 3,
    }
}

/// What the log keeps of an event: type, facts, personal part.
type Stored = (&'static str, String, Option<String>);

fn stored(event: &Event) -> Stored {
    (event.type_name(), event.facts_json(), event.personal_json())
}

fn read((type_name, facts, personal): &Stored) -> Event {
    Event::from_stored(type_name, facts, personal.as_deref().map(str::as_bytes)).unwrap()
}

proptest! {
    /// Any sequence of any commands by anybody: the rules say what the oracle says; phases follow one another without
    /// skips; what is refused changes nothing; what is stored replays to the same state, also with its content gone.
    #[test]
    fn any_sequence_of_commands(steps in steps()) {
        let (mut case, mut paper) = (Case::New, Paper::default());
        let (mut live, mut log) = (Vec::new(), Vec::new());
        for step in steps {
            let result = decided(&step, &case);
            prop_assert_eq!(kind(&result), oracle(&paper, &step), "{:?} {:?}", paper, step);
            let before = case.clone();
            for event in result.unwrap_or_default() {
                log.push(stored(&event));
                write(&mut paper, &step, event.type_name());
                case = case.evolve(&event);
                live.push(event);
            }
            let moved = order(case.status()) - order(before.status());
            prop_assert!(moved <= 1, "a phase was skipped");
            prop_assert!(case != before || log.len() as u64 == before.version(), "a refusal changed something");
            same(&case, &paper);
            let needs_file = paper.topic.is_some_and(Topic::needs_file);
            prop_assert!(!needs_file || paper.files > 0, "K7");
        }
        let events: Vec<Event> = log.iter().map(read).collect();
        prop_assert_eq!(&replay(&events), &case);
        prop_assert_eq!(&events, &live);
        let gone: Vec<Event> = events.into_iter().map(Event::gone).collect();
        prop_assert_eq!(&replay(&gone), &case);
    }

    /// `evolve` is total: whatever events come in whatever order, it neither panics nor leaves the order of phases.
    #[test]
    fn any_sequence_of_events(kinds in prop::collection::vec((0_usize..9, any::<[u8; 12]>()), 1..24)) {
        let mut case = Case::New;
        for (which, bytes) in kinds {
            let event = any_event(which, bytes);
            let before = case.clone();
            case = case.evolve(&event);
            let (from, to) = (order(before.status()), order(case.status()));
            prop_assert!(to == from || to == from + 1, "{:?} after {:?}", event, before);
            let counted = u64::from(before != Case::New || which == 0);
            prop_assert_eq!(case.version(), before.version() + counted);
        }
    }
}

/// An event of a case, whether it belongs there or not.
fn any_event(which: usize, bytes: [u8; 12]) -> Event {
    let phases = crate::case::testing::in_process();
    let case = replay(&phases);
    let officer = crate::case::testing::officer();
    let context = Context {
        actor: &officer,
        now: now(),
        next_number: number(1),
        expected_version: None,
        employer_areas: None,
        followed: None,
        limits: FileLimits::default(),
    };
    let text = body("text");
    let files = vec![file(u128::from(bytes[0]), u64::from(bytes[1]))];
    let command = match which {
        0 | 1 => return phases[which].clone(),
        2 => CaseCommand::Attach(Attach { files }),
        3 => CaseCommand::AddMessage(AddMessage { text, files }),
        4 => CaseCommand::AddNote(AddNote { kind: NoteKind::Working, text }),
        5 => CaseCommand::Assign(Assign { officer: person(u128::from(bytes[2]) + 100) }),
        6 => CaseCommand::Reclassify(Reclassify { topic: topic(bytes[3] % 5 + 1), reason: text }),
        7 => CaseCommand::RequestInformation(RequestInformation { text, due_date: calendar::day(now()) }),
        _ => CaseCommand::Close(Close { answer: text, files }),
    };
    decide(&command, &case, &context).unwrap().remove(0)
}
