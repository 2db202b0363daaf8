//! A case as lists show it, and how lists are asked for: *Mina ärenden* and the queue are two lists over the rows of the
//! queue.

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::{Reach, Standing};
use domain::{
    Area, CaseId, CaseNumber, Channel, OrganisationNumber, PersonId, Status, SubArea, System, calendar,
};
use infrastructure::clock::from_micros;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::narrowing::{Conditions, blob, text};
use crate::seen::UNSEEN;
use crate::{ReadError, Unread, search, statistics};

/// Totals above this are not counted out.
pub const COUNTED: u64 = 10_000;

const COLUMNS: &str = "case_id, number, version, position, status, channel, employer, area, sub_area, system, subject, \
                       received_at, started_at, closed_at, {last_at}, due_date, officer, reporter, registered_by, follows_up";

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the case in the API")]
pub struct CaseRow {
    pub id: CaseId,
    pub number: CaseNumber,
    pub version: u64,
    pub position: u64,
    pub status: Status,
    pub channel: Channel,
    pub employer: OrganisationNumber,
    pub area: Area,
    pub sub_area: Option<SubArea>,
    pub system: Option<System>,
    pub subject: Option<String>,
    pub received_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub closed_at: Option<DateTime<Utc>>,
    /// The time of its last event.
    pub last_at: DateTime<Utc>,
    /// The day by which the reporter is asked to answer.
    pub due_date: Option<NaiveDate>,
    pub officer: Option<PersonId>,
    pub reporter: Option<PersonId>,
    pub registered_by: PersonId,
    pub follows_up: Option<CaseNumber>,
}

impl CaseRow {
    /// What rights depend on.
    pub fn standing(&self) -> Standing {
        Standing {
            employer: self.employer,
            area: self.area,
            reporter: self.reporter,
            registered_by: self.registered_by,
            channel: self.channel,
        }
    }
}

/// What a list is narrowed to, beyond rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the query parameters")]
pub struct Filter {
    pub status: Vec<Status>,
    pub area: Option<Area>,
    pub employer: Option<OrganisationNumber>,
    pub channel: Option<Channel>,
    pub officer: Option<PersonId>,
    /// Only cases that nobody works on and that were given to nobody.
    pub unassigned: bool,
    /// Without the cases of persons with protected identity: for who must not learn where they work.
    pub without_protected: bool,
    /// Only cases received on this Swedish day or later.
    pub from: Option<NaiveDate>,
    /// Only cases received on this Swedish day or earlier.
    pub to: Option<NaiveDate>,
    /// Only cases with something of the centre's that their reporter has not opened yet.
    pub unseen: bool,
    /// Words to find.
    pub q: Option<String>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// What has changed last comes first.
    LastChanged,
    /// By number.
    Number,
}

/// Whose list it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    /// Every case; everything shows when it happened.
    Queue,
    /// Every case, as its reporter sees it: what the reporter does not see does not show when it happened, nor who will
    /// work on what has not begun.
    Shown,
    /// *Mina ärenden*: of these, the cases that somebody reported.
    Mine,
}

impl List {
    /// The column with the time of the last event.
    const fn last_at(self) -> &'static str {
        match self {
            Self::Queue => "last_at",
            Self::Shown | Self::Mine => "shown_at",
        }
    }

    fn columns(self) -> String {
        COLUMNS.replace("{last_at}", self.last_at())
    }

    /// Cases get their numbers in the order in which they are received.
    fn order(self, sort: Sort) -> String {
        match sort {
            Sort::Newest => "place DESC".to_owned(),
            Sort::Oldest | Sort::Number => "place".to_owned(),
            Sort::LastChanged => format!("{} DESC, place DESC", self.last_at()),
        }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its rows.
    pub rows: Vec<CaseRow>,
    /// How many there are in all, at most [`COUNTED`].
    pub total: u64,
    /// Whether the total is exact.
    pub exact: bool,
}

/// A page of a list: the cases within a reach, filtered, in order; `page` from 1.
///
/// # Errors
/// When the read models cannot be read.
pub(crate) fn find(
    tables: &Connection,
    list: List,
    reach: &Reach,
    filter: &Filter,
    (sort, page, limit): (Sort, u64, u64),
) -> Result<Unread<Page>, ReadError> {
    let (from, mut conditions) = cases(list, reach, filter);
    let mut order = list.order(sort);
    let (total, exact) = match &filter.q {
        None if is_kept(list, reach, filter) => known(statistics::count(tables, &conditions)?),
        None => count(tables, from, &conditions)?,
        Some(typed) => {
            let found = search::found(tables, typed, &conditions)?;
            conditions.with("place IN (SELECT value FROM json_each(?))", Value::Text(found.all()));
            let exactly = conditions.value(Value::Text(found.exactly()));
            order = format!("place IN (SELECT value FROM json_each({exactly})) DESC, {order}");
            (found.count(), !found.more)
        }
    };
    let sql = page_sql(list, from, &mut conditions, &order, (page, limit));
    let rows = tables
        .prepare_cached(&sql)?
        .query_and_then(params_from_iter(conditions.values()), read_row)?
        .collect::<Result<Vec<_>, _>>()?;
    let cases = rows.iter().map(|row| (row.id, row.reporter)).collect();
    Ok(Unread::new(Page { rows, total, exact }, cases))
}

/// Where a list is read from, and which cases are in it.
fn cases(list: List, reach: &Reach, filter: &Filter) -> (&'static str, Conditions) {
    let mut conditions = Conditions::of(reach);
    narrow(&mut conditions, filter);
    if list != List::Queue && filter.officer.is_some() {
        conditions.is("status <> 'received'");
    }
    if list == List::Mine {
        conditions.is("reporter IS NOT NULL");
    }
    let by_person = reach.reporters.is_some() || reach.sent_by.is_some() || filter.officer.is_some();
    let nothing = reach.areas.as_ref().is_some_and(Vec::is_empty);
    let is_queue =
        is_open(filter) && !by_person && !nothing && filter.employer.is_none() && filter.q.is_none();
    // Without being told, SQLite counts the open cases among the closed ones.
    (if is_queue { "queue INDEXED BY queue_open" } else { "queue" }, conditions)
}

/// Whether a filter asks for exactly the cases that are not closed.
fn is_open(filter: &Filter) -> bool {
    let has = |status| filter.status.contains(&status);
    has(Status::Received) && has(Status::InProcess) && !has(Status::Closed)
}

fn page_sql(
    list: List,
    from: &str,
    conditions: &mut Conditions,
    order: &str,
    (page, limit): (u64, u64),
) -> String {
    let wheres = conditions.sql();
    let integer = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    let offset = conditions.value(integer(page.saturating_sub(1).saturating_mul(limit)));
    let limit = conditions.value(integer(limit));
    let columns = list.columns();
    format!("SELECT {columns} FROM {from} WHERE {wheres} ORDER BY {order} LIMIT {limit} OFFSET {offset}")
}

fn count_sql(from: &str, conditions: &Conditions) -> String {
    let (wheres, most) = (conditions.sql(), COUNTED + 1);
    format!("SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {wheres} LIMIT {most})")
}

/// How many cases fulfil the conditions, and whether that is all of them.
fn count(tables: &Connection, from: &str, conditions: &Conditions) -> Result<(u64, bool), ReadError> {
    let values = params_from_iter(conditions.values());
    let sql = count_sql(from, conditions);
    let total: u64 = tables.prepare_cached(&sql)?.query_row(values, |row| row.get(0))?;
    Ok(known(total))
}

/// A total as it is told, and whether it is exact.
fn known(total: u64) -> (u64, bool) {
    (total.min(COUNTED), total <= COUNTED)
}

/// Whether the total of a list is kept in the counters: it asks for nothing but employer, area and status.
fn is_kept(list: List, reach: &Reach, filter: &Filter) -> bool {
    let by_person = reach.reporters.is_some() || reach.sent_by.is_some();
    list != List::Mine
        && !by_person
        && filter.channel.is_none()
        && filter.officer.is_none()
        && !filter.unassigned
        && !filter.without_protected
        && filter.from.is_none()
        && filter.to.is_none()
        && !filter.unseen
}

fn narrow(conditions: &mut Conditions, filter: &Filter) {
    if is_open(filter) {
        conditions.is("status <> 'closed'");
    } else if !filter.status.is_empty() {
        conditions.any_of("status", filter.status.iter().map(text));
    }
    if let Some(area) = &filter.area {
        conditions.equal("area", text(area));
    }
    if let Some(employer) = &filter.employer {
        conditions.equal("employer", text(employer));
    }
    if let Some(channel) = &filter.channel {
        conditions.equal("channel", text(channel));
    }
    if let Some(officer) = filter.officer {
        conditions.equal("officer", blob(officer.0));
    }
    if filter.unassigned {
        conditions.is("officer IS NULL");
    }
    let start = |day| Value::Integer(calendar::day_start(day).timestamp_micros());
    if let Some(from) = filter.from {
        conditions.with("received_at >= ?", start(from));
    }
    if let Some(after) = filter.to.and_then(|to| to.succ_opt()) {
        conditions.with("received_at < ?", start(after));
    }
    if filter.unseen {
        conditions.is(UNSEEN);
    }
    if filter.without_protected {
        conditions.is("(reporter IS NULL OR reporter NOT IN (SELECT person_id FROM person_protected))");
    }
}

fn read_row(row: &Row<'_>) -> Result<CaseRow, ReadError> {
    let wrong = |what: &str| ReadError::Row(format!("a case row holds no {what}"));
    let time = |value: Option<i64>| value.map(from_micros);
    let code = |column: usize| row.get::<_, Option<String>>(column);
    let required = |column: usize| row.get::<_, String>(column);
    Ok(CaseRow {
        id: CaseId(row.get(0)?),
        number: CaseNumber::parse(&required(1)?).map_err(|_| wrong("number"))?,
        version: row.get(2)?,
        position: row.get(3)?,
        status: Status::parse(&required(4)?).ok_or_else(|| wrong("status"))?,
        channel: Channel::parse(&required(5)?).ok_or_else(|| wrong("channel"))?,
        employer: OrganisationNumber::parse(&required(6)?).ok_or_else(|| wrong("employer"))?,
        area: Area::parse(&required(7)?).ok_or_else(|| wrong("area"))?,
        sub_area: code(8)?.as_deref().and_then(SubArea::parse),
        system: code(9)?.as_deref().and_then(System::parse),
        subject: row.get(10)?,
        received_at: from_micros(row.get(11)?),
        started_at: time(row.get(12)?),
        closed_at: time(row.get(13)?),
        last_at: from_micros(row.get(14)?),
        due_date: code(15)?.and_then(|day| day.parse().ok()),
        officer: row.get::<_, Option<_>>(16)?.map(PersonId),
        reporter: row.get::<_, Option<_>>(17)?.map(PersonId),
        registered_by: PersonId(row.get(18)?),
        follows_up: code(19)?.and_then(|number| CaseNumber::parse(&number).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Told, case, employers, person, received};

    /// How SQLite means to count and to read a page of a list.
    fn plans(told: &Told, list: List, reach: &Reach, filter: &Filter, sort: Sort) -> [String; 2] {
        let (from, mut conditions) = cases(list, reach, filter);
        let count = (count_sql(from, &conditions), conditions.clone());
        let page = page_sql(list, from, &mut conditions, &list.order(sort), (1, 20));
        [count, (page, conditions)].map(|(sql, conditions)| {
            let read = |tables: &Connection| {
                let mut statement = tables.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
                let steps = statement
                    .query_map(params_from_iter(conditions.values()), |row| row.get::<_, String>("detail"))?;
                Ok(steps.collect::<Result<Vec<_>, _>>()?.join("; "))
            };
            told.read.read(read).unwrap()
        })
    }

    fn assert_plans(told: &Told) {
        let all = Reach::default();
        let areas = Reach { areas: Some(vec![Area::Lon, Area::Ekonomi]), ..Reach::default() };
        let employer = Some(employers().to_vec());
        let mine = Reach {
            reporters: Some(vec![person(1), person(30)]),
            employers: employer.clone(),
            ..Reach::default()
        };
        let system = Reach { sent_by: Some(person(9)), employers: employer, ..Reach::default() };
        let any = Filter::default();
        let open = Filter { status: vec![Status::Received, Status::InProcess], ..Filter::default() };
        let closed = Filter { status: vec![Status::Closed], ..Filter::default() };
        let officer = Filter { officer: Some(person(4)), ..open.clone() };
        let at = Filter { employer: Some(employers()[0]), ..Filter::default() };
        let lists = [
            (List::Mine, &mine, &any, Sort::Newest, "queue_by_reporter"),
            (List::Mine, &mine, &open, Sort::Newest, "queue_by_reporter"),
            (List::Queue, &system, &any, Sort::Newest, "queue_by_creator"),
            (List::Queue, &all, &open, Sort::Oldest, "queue_open"),
            (List::Queue, &areas, &open, Sort::Oldest, "queue_open"),
            (List::Queue, &areas, &closed, Sort::Newest, "queue_by_status (status=?)"),
            (List::Queue, &areas, &officer, Sort::Oldest, "queue_by_officer"),
            (List::Queue, &areas, &at, Sort::Newest, "queue_by_employer"),
        ];
        for (list, reach, filter, sort, index) in lists {
            let [count, page] = plans(told, list, reach, filter, sort);
            assert!(count.contains(index), "counts {filter:?}: {count}");
            assert!(page.contains(index) || page == "SCAN queue", "reads {filter:?}: {page}");
            // One person's cases are few; all others are read in order, not sorted.
            assert!(list == List::Mine || !page.contains("TEMP B-TREE"), "sorts {filter:?}: {page}");
        }
        let [_, page] = plans(told, List::Queue, &all, &any, Sort::LastChanged);
        assert_eq!(page, "SCAN queue USING INDEX queue_by_change");
        let [_, page] = plans(told, List::Queue, &areas, &any, Sort::Newest);
        assert_eq!(page, "SCAN queue", "from the newest on");
    }

    #[test]
    fn lists_are_read_by_index_on_an_empty_and_on_a_full_file() {
        let mut told = Told::nothing();
        assert_plans(&told);
        for number in 1..=500 {
            let reporter = u128::from(number % 50);
            told.tell(
                "2026-11-23T10:00:00Z",
                case(u128::from(number)),
                received(number, reporter, "Omföring"),
            );
        }
        assert_plans(&told);
    }
}
