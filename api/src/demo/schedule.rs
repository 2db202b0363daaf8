//! What happens in the demo and when: pure, the same for the same seed, moment and number of cases.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::access::Role;
use domain::{Area, CaseId, NoteKind, calendar};
use rand::prelude::IndexedRandom;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Builder;

use crate::demo::catalogue::{self, Entry};
use crate::demo::employers::EMPLOYERS;
use crate::demo::persons::{PERSONS, Person};

/// How far back the cases go.
const DAYS: u64 = 90;
/// How many of these have more cases than the others.
const RECENT: u64 = 10;
/// How many of a hundred cases come in by phone, and by phone or through a system.
const PHONE: u32 = 15;
const PHONE_OR_SYSTEM: u32 = 22;

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// In which case.
    pub case: CaseId,
    /// Who is asked for, and what the case is about.
    pub plot: Plot,
    /// What.
    pub what: What,
}

/// Who and what a case is about.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Whose case it is.
    pub customer: &'static Person,
    /// Who answers.
    pub officer: &'static Person,
    /// What it is about.
    pub entry: &'static Entry,
    /// How it comes in.
    pub door: Door,
}

/// How a case comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Through the pages.
    Pages,
    /// By phone; the officer registers it.
    Phone,
    /// From another system.
    System,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the commands")]
pub enum What {
    Create,
    StartProcessing,
    RequestInformation,
    Reply,
    AddNote(NoteKind),
    Close,
    /// The customer reads the answer.
    Open,
}

/// All that happens in `cases` cases up to `now`, in order of time.
pub fn steps(seed: u64, now: DateTime<Utc>, cases: u32) -> Vec<Step> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut steps: Vec<Step> = (0..cases).flat_map(|_| life(&mut random, now)).collect();
    steps.retain(|step| step.at <= now);
    steps.sort_by_key(|step| step.at);
    steps
}

/// The life of one case, perhaps beyond `now`.
fn life(random: &mut StdRng, now: DateTime<Utc>) -> Vec<Step> {
    let plot = plot(random);
    let received = received(random, now);
    let millis = u64::try_from(received.timestamp_millis()).unwrap_or_default();
    let case = CaseId(Builder::from_unix_timestamp_millis(millis, &random.random()).into_uuid());
    let mut at = received;
    let mut steps = vec![Step { at, case, plot, what: What::Create }];
    let mut add = |random: &mut StdRng, what: What, hours: std::ops::Range<i64>| {
        at = later(random, at, hours);
        steps.push(Step { at, case, plot, what });
    };
    if plot.door == Door::Phone {
        add(random, What::AddNote(NoteKind::Official), 0..1);
    }
    add(random, What::StartProcessing, 0..100);
    let asks = if plot.entry.is_unclear() { 75 } else { 25 };
    if random.random_ratio(asks, 100) {
        add(random, What::RequestInformation, 0..8);
        // Some never answer, and the case waits.
        if random.random_ratio(1, 5) {
            return steps;
        }
        add(random, What::Reply, 2..60);
    }
    if random.random_ratio(1, 5) {
        add(random, What::AddNote(NoteKind::Working), 0..8);
    }
    add(random, What::Close, 1..50);
    // Some have not come to it yet, and it is seen by nobody who called. By a chance of its own, so that the cases stay
    // those that they were.
    let mut own = StdRng::seed_from_u64(millis);
    if plot.door == Door::Pages && own.random_ratio(9, 10) {
        add(&mut own, What::Open, 1..50);
    }
    steps
}

fn plot(random: &mut StdRng) -> Plot {
    let employees: Vec<&'static Person> =
        PERSONS.iter().filter(|person| person.role == Role::Employee).collect();
    let customer = employees.choose(random).copied().unwrap_or(&PERSONS[0]);
    let used = EMPLOYERS.iter().find(|employer| Some(employer.number) == customer.employer());
    let weights = [(Area::Lon, 50), (Area::Ekonomi, 20), (Area::EHandel, 15), (Area::ItTjanstestod, 15)];
    let used: Vec<_> =
        weights.into_iter().filter(|(area, _)| used.is_some_and(|used| used.areas.contains(area))).collect();
    let area =
        used.choose_weighted(random, |(_, weight)| *weight).map_or(Area::ItTjanstestod, |(area, _)| *area);
    let entries = catalogue::entries(area);
    let entry = entries[random.random_range(0..entries.len())];
    let officers: Vec<&'static Person> = PERSONS
        .iter()
        .filter(|person| person.role == Role::Officer)
        .filter(|officer| officer.areas().is_empty() || officer.areas().contains(&area))
        .collect();
    let officer = officers[random.random_range(0..officers.len())];
    let door = match random.random_range(0..100) {
        0..PHONE if entry.file.is_none() => Door::Phone,
        PHONE..PHONE_OR_SYSTEM if entry.system.as_deref().is_some_and(|system| system != "annat") => {
            Door::System
        }
        _ => Door::Pages,
    };
    Plot { customer, officer, entry, door }
}

/// A moment within the last [`DAYS`], on a working day between seven and six; a fourth of them within [`RECENT`], so
/// that the queue has something in it.
fn received(random: &mut StdRng, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = calendar::day(now);
    loop {
        let most = if random.random_ratio(1, 4) { RECENT } else { DAYS };
        let days = random.random_range(0..most);
        let day = today - Days::new(days);
        let minute = random.random_range(7 * 60..18 * 60);
        let at = moment(day, minute) + TimeDelta::seconds(random.random_range(0..60));
        if !calendar::is_holiday(day) && at < now {
            return at;
        }
    }
}

/// A moment some working hours later: what falls in the evening or on a holiday waits until the next morning.
fn later(random: &mut StdRng, at: DateTime<Utc>, hours: std::ops::Range<i64>) -> DateTime<Utc> {
    let minutes = random.random_range(hours.start * 60 + 3..hours.end * 60 + 4);
    let at = at + TimeDelta::minutes(minutes) + TimeDelta::seconds(random.random_range(0..60));
    let mut day = calendar::day(at);
    let mut minute = (at - moment(day, 0)).num_minutes();
    if minute >= i64::from(calendar::CLOSES_MINUTE) || calendar::is_holiday(day) {
        day = day + Days::new(1);
        while calendar::is_holiday(day) {
            day = day + Days::new(1);
        }
        minute = i64::from(calendar::OPENS_MINUTE) + minute % 180;
    }
    moment(day, minute.max(i64::from(calendar::OPENS_MINUTE))).max(at)
        + TimeDelta::milliseconds(random.random_range(0..60_000))
}

fn moment(day: NaiveDate, minute: i64) -> DateTime<Utc> {
    calendar::day_start(day) + TimeDelta::minutes(minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_same_seed_gives_the_same_history_in_order_of_time_with_every_state() {
        let now: DateTime<Utc> = "2026-11-23T12:00:00Z".parse().unwrap();
        let (one, two) = (steps(1, now, 200), steps(1, now, 200));
        let shown = |steps: &[Step]| {
            format!("{:?}", steps.iter().map(|s| (s.at, s.case, s.what)).collect::<Vec<_>>())
        };
        assert_eq!(shown(&one), shown(&two));
        assert_ne!(shown(&one), shown(&steps(2, now, 200)));
        assert!(one.windows(2).all(|pair| pair[0].at <= pair[1].at) && one.iter().all(|step| step.at <= now));
        let with = |what: What| {
            one.iter().filter(|step| step.what == what).map(|step| step.case).collect::<HashSet<_>>()
        };
        let (received, started, closed) =
            (with(What::Create), with(What::StartProcessing), with(What::Close));
        assert_eq!(received.len(), 200);
        assert!((now - one[0].at).num_days() >= 80, "the oldest is of {}", one[0].at);
        assert!(received.len() - started.len() >= 5, "{} have been taken", started.len());
        assert!(started.len() - closed.len() >= 15 && closed.len() >= 100, "{} are closed", closed.len());
    }
}
