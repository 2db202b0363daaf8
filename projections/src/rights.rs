//! P8 over the read side: whatever a list, a count, a search or the statistics tell anybody equals filtering all cases
//! by the one pure function of rights.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Action, Duty, Role, Verdict, may};
use domain::vocabulary::Party;
use domain::{Actor, Area, Case, CaseId, Event, OrganisationNumber, PersonId, Status, calendar};
use infrastructure::Recorded;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::case_row::{Filter, Page, Sort};
use crate::testing::*;
use crate::{ReadModels, case_page, directory, my_cases, queue, statistics};

/// A case as the events alone tell it.
struct Known {
    case: Case,
    events: Vec<Recorded>,
    texts: String,
}

fn known(events: &[Recorded]) -> BTreeMap<CaseId, Known> {
    let mut cases = BTreeMap::new();
    for event in events {
        let id = CaseId(event.stream.0);
        if matches!(event.event, Event::CaseReceived { .. }) {
            cases.insert(id, Known { case: Case::New, events: Vec::new(), texts: String::new() });
        }
        let Some(known) = cases.get_mut(&id) else { continue };
        known.case = std::mem::take(&mut known.case).evolve(&event.event);
        known.events.push(event.clone());
        let personal = event.event.personal_json().unwrap_or_default();
        match &event.event {
            Event::NoteAdded { .. } | Event::CaseReclassified { .. } | Event::AttachmentAdded { .. } => {}
            _ => known.texts.push_str(&personal),
        }
    }
    cases
}

fn reads(actor: &Actor, case: &Case) -> bool {
    let base = case.base().unwrap();
    may(actor, Action::Read, &base.standing) == Verdict::Allowed
}

fn knows(actor: &Actor, case: &Case) -> bool {
    may(actor, Action::Know, &case.base().unwrap().standing) == Verdict::Allowed
}

/// A random caller with random limits.
fn caller([role, number, narrowing, employer, area, ..]: [u8; 6], read: &ReadModels) -> Actor {
    let role = Role::ALL[usize::from(role) % Role::ALL.len()];
    let person = person(u128::from(number % 7) + 1);
    let identities = read.read(|tables| directory::identities(tables, person)).unwrap();
    let narrowed = |bit: u8| narrowing & bit == bit;
    Actor {
        person,
        role,
        identities,
        // Nobody administrates no employer.
        employers: ((narrowed(1) && role.has_employers()) || role == Role::EmployerAdministrator)
            .then(|| employers()[..usize::from(employer) % 3].to_vec()),
        areas: (narrowed(2) && role.has_areas())
            .then(|| Area::ALL.iter().copied().filter(|one| area >> (*one as u8) & 1 == 1).collect()),
    }
}

fn filter([status, area, employer, channel, officer, q]: [u8; 6]) -> Filter {
    let some = |byte: u8| byte.is_multiple_of(3);
    // The second of the days that a town lives through.
    let second = NaiveDate::from_ymd_opt(2026, 12, 1);
    Filter {
        status: Status::ALL.iter().copied().filter(|one| status >> (*one as u8) & 1 == 1).collect(),
        area: some(area).then(|| Area::ALL[usize::from(area) / 3 % 4]),
        employer: some(employer).then(|| employers()[usize::from(employer) / 3 % 2]),
        channel: some(channel).then(|| domain::Channel::ALL[usize::from(channel) / 3 % 3]),
        unassigned: q % 5 == 4,
        without_protected: false,
        from: second.filter(|_| channel % 8 == 7),
        to: second.filter(|_| area % 8 == 7),
        unseen: employer % 8 == 7,
        officer: some(officer).then(|| person(u128::from(officer / 3 % 2) + 4)),
        q: some(q).then(|| WORDS[usize::from(q) / 3 % 4].to_owned()),
    }
}

fn passes(filter: &Filter, known: &Known) -> bool {
    let base = known.case.base().unwrap();
    let Event::CaseReceived { channel, .. } = &known.events[0].event else { return false };
    (filter.status.is_empty() || filter.status.contains(&known.case.status().unwrap()))
        && filter.area.is_none_or(|area| area == base.standing.area)
        && filter.employer.is_none_or(|employer| employer == base.standing.employer)
        && filter.channel.is_none_or(|one| one == *channel)
        && filter.officer.is_none_or(|officer| known.case.officer() == Some(officer))
        && (!filter.unassigned || known.case.officer().is_none())
        && filter.from.is_none_or(|from| from <= calendar::day(known.events[0].recorded_at))
        && filter.to.is_none_or(|to| calendar::day(known.events[0].recorded_at) <= to)
        && (!filter.unseen || known.events.iter().any(|event| is_answer(&event.event)))
        && filter.q.as_ref().is_none_or(|word| known.texts.contains(word.as_str()))
}

/// Whether an event is something that the reporter has to open the case for; nobody opens one in a town.
fn is_answer(event: &Event) -> bool {
    match event {
        Event::InformationRequested { .. } | Event::CaseClosed { .. } => true,
        Event::MessageAdded { from, .. } | Event::AttachmentAdded { from, .. } => *from == Party::Officer,
        _ => false,
    }
}

/// All pages of a list, three cases a page.
fn all_pages(mut page: impl FnMut(u64) -> Page) -> (Vec<CaseId>, u64) {
    let (mut ids, mut number) = (Vec::new(), 1);
    loop {
        let Page { rows, total, exact } = page(number);
        assert!(exact);
        if rows.is_empty() {
            return (ids, total);
        }
        ids.extend(rows.into_iter().map(|row| row.id));
        number += 1;
    }
}

type Counts = BTreeMap<(OrganisationNumber, Area, Status), u64>;

/// What the dashboard must say of the end of a day.
fn counted(actor: &Actor, cases: &BTreeMap<CaseId, Known>, day: NaiveDate) -> Counts {
    let mut counts = Counts::new();
    for known in cases.values() {
        let until = known.events.iter().filter(|event| calendar::day(event.recorded_at) <= day);
        let case = until.fold(Case::New, |case, event| case.evolve(&event.event));
        let Some(base) = case.base() else { continue };
        if actor.role.may(Duty::Statistics) && knows(actor, &case) {
            *counts
                .entry((base.standing.employer, base.standing.area, case.status().unwrap()))
                .or_default() += 1;
        }
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: (ProptestConfig::default().cases / 16).max(4), ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_more_or_less_than_the_rights_say(
        steps in prop::collection::vec(any::<[u8; 8]>(), 16..96),
        asks in prop::collection::vec((any::<[u8; 6]>(), any::<[u8; 6]>()), 40),
    ) {
        let (town, events) = Runtime::new().unwrap().block_on(Town::lived(&steps));
        let read = ReadModels::open(town.folder.path()).unwrap();
        read.apply(&events).unwrap();
        let cases = known(&events);
        for (who, how) in asks {
            let (actor, filter) = (caller(who, &read), filter(how));
            let reach = actor.reach();
            let sort = [Sort::Newest, Sort::Oldest, Sort::LastChanged, Sort::Number][usize::from(how[5]) % 4];
            let expected: BTreeSet<CaseId> = cases.iter()
                .filter(|(_, known)| reads(&actor, &known.case) && passes(&filter, known))
                .map(|(id, _)| *id)
                .collect();
            let (ids, total) = all_pages(|page| {
                read.read(|tables| queue::find(tables, &reach, &filter, (sort, page, 3))).unwrap().content()
            });
            prop_assert_eq!(ids.len() as u64, total, "the count is that of the list");
            prop_assert_eq!(ids.iter().copied().collect::<BTreeSet<_>>(), expected.clone(), "{:?} {:?}", actor, filter);
            prop_assert_eq!(ids.len(), expected.len(), "nothing twice");
            // To its reporter nobody works on a case that has not begun.
            let shown: BTreeSet<CaseId> = expected.into_iter()
                .filter(|id| filter.officer.is_none() || cases[id].case.status() != Some(Status::Received))
                .collect();
            let (ids, total) = all_pages(|page| {
                read.read(|tables| queue::find_shown(tables, &reach, &filter, (sort, page, 3))).unwrap().content()
            });
            prop_assert_eq!(ids.len() as u64, total);
            prop_assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), shown.clone());
            let with_reporter = shown.into_iter()
                .filter(|id| cases[id].case.base().unwrap().standing.reporter.is_some());
            let (ids, total) = all_pages(|page| {
                read.read(|tables| my_cases::find(tables, &reach, &filter, (sort, page, 3))).unwrap().content()
            });
            prop_assert_eq!(ids.len() as u64, total);
            prop_assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), with_reporter.collect());
            let known: BTreeSet<CaseId> =
                cases.iter().filter(|(_, known)| knows(&actor, &known.case)).map(|(id, _)| *id).collect();
            let (register, any) = (actor.register(), Filter::default());
            let (ids, total) = all_pages(|page| {
                read.read(|tables| queue::find_shown(tables, &register, &any, (sort, page, 3))).unwrap().content()
            });
            prop_assert_eq!(ids.len() as u64, total);
            prop_assert_eq!(ids.into_iter().collect::<BTreeSet<_>>(), known);
            same_statistics(&read, &actor, &cases, &events);
        }
        for (id, known) in &cases {
            let standing = known.case.base().unwrap().standing;
            prop_assert_eq!(read.read(|tables| queue::standing(tables, *id)).unwrap(), Some(standing));
            let view = read.read(|tables| case_page::by_id(tables, *id)).unwrap().unwrap().content();
            prop_assert_eq!(view.standing(), standing);
            prop_assert_eq!(view.version, known.case.version());
            prop_assert_eq!(Some(view.status), known.case.status());
        }
    }
}

fn same_statistics(read: &ReadModels, actor: &Actor, cases: &BTreeMap<CaseId, Known>, events: &[Recorded]) {
    let reach = actor.register();
    let days: BTreeSet<NaiveDate> = events.iter().map(|event| calendar::day(event.recorded_at)).collect();
    for day in &days {
        let found = read.read(|tables| statistics::standings(tables, &reach, *day)).unwrap();
        let found: Counts =
            found.into_iter().map(|row| ((row.employer, row.area, row.status), row.count)).collect();
        assert_eq!(found, counted(actor, cases, *day), "{actor:?} {day}");
    }
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let flows = read.read(|tables| statistics::flows(tables, &reach, (*first, *last), None, None)).unwrap();
    let (received, closed) = flows.iter().fold((0, 0), |sum, day| (sum.0 + day.received, sum.1 + day.closed));
    assert_eq!((received, closed), flowed(actor, cases));
    let times = read.read(|tables| statistics::times(tables, &reach, (*first, *last))).unwrap();
    assert_eq!(times.iter().map(|time| time.closed).sum::<u64>(), closed);
}

/// What came in and was closed in the areas of the caller, each counted where the case stood at that moment.
fn flowed(actor: &Actor, cases: &BTreeMap<CaseId, Known>) -> (u64, u64) {
    let (mut received, mut closed) = (0, 0);
    if !actor.role.may(Duty::Statistics) {
        return (0, 0);
    }
    for known in cases.values() {
        let mut case = Case::New;
        for event in &known.events {
            case = case.evolve(&event.event);
            let seen = u64::from(knows(actor, &case));
            match event.event {
                Event::CaseReceived { .. } => received += seen,
                Event::CaseClosed { .. } => closed += seen,
                _ => {}
            }
        }
    }
    (received, closed)
}

/// Somebody whose employers have become none sees nothing, not everything.
#[test]
fn an_empty_reach_is_nothing() {
    let mut told = Told::nothing();
    let at: DateTime<Utc> = time("2026-11-23T10:00:00Z");
    told.tell("2026-11-23T10:00:00Z", case(1), received(1, 1, "Omföring"));
    let nobody: Vec<PersonId> = Vec::new();
    for actor in [
        Actor { identities: nobody, ..actor(Role::Employee, 1) },
        Actor { employers: Some(vec![]), ..actor(Role::Employee, 1) },
        Actor { employers: Some(vec![]), ..actor(Role::System, 1) },
        Actor { areas: Some(vec![]), ..actor(Role::Officer, 2) },
    ] {
        let reach = actor.reach();
        let find = |tables: &rusqlite::Connection| {
            queue::find(tables, &reach, &Filter::default(), (Sort::Newest, 1, 20))
        };
        assert_eq!(told.read.read(find).unwrap().content().total, 0, "{actor:?}");
        let day = calendar::day(at);
        assert_eq!(told.read.read(|tables| statistics::standings(tables, &reach, day)).unwrap(), []);
    }
}
