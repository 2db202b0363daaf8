//! A case as lists show it, how events change its row, and how lists are asked for. *Mina ärenden* and the queue
//! are two tables of these rows, each with the indices that its readers need.

use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Reach;
use domain::vocabulary::Party;
use domain::{
    Area, CaseId, CaseNumber, Channel, Event, OrganisationNumber, PersonId, Status, SubArea, System,
};
use infrastructure::Recorded;
use infrastructure::clock::from_micros;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use crate::narrowing::{Conditions, blob, text};
use crate::{ReadError, search, timeline};

/// Totals above this are not counted out.
pub const COUNTED: u64 = 10_000;

/// The columns of a table of case rows.
macro_rules! case_row_table {
    ($name:literal) => {
        concat!(
            "CREATE TABLE ",
            $name,
            " (case_id BLOB PRIMARY KEY, number TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
              status TEXT NOT NULL, channel TEXT NOT NULL, employer TEXT NOT NULL, area TEXT NOT NULL, sub_area TEXT,
              system TEXT, subject TEXT, received_at INTEGER NOT NULL, started_at INTEGER, closed_at INTEGER,
              last_at INTEGER NOT NULL, due_date TEXT, officer BLOB, reporter BLOB, registered_by BLOB NOT NULL,
              follows_up TEXT) STRICT;"
        )
    };
}
pub(crate) use case_row_table;

const COLUMNS: &str = "case_id, number, version, position, status, channel, employer, area, sub_area, system, subject, \
                       received_at, started_at, closed_at, last_at, due_date, officer, reporter, registered_by, follows_up";

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

impl Sort {
    const fn sql(self) -> &'static str {
        match self {
            Self::Newest => "received_at DESC, number DESC",
            Self::Oldest => "received_at, number",
            Self::LastChanged => "last_at DESC, number DESC",
            // By year and running number; the text alone puts number 1 000 000 before 999 999.
            Self::Number => "substr(number, 1, 4), length(number), number",
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

/// A page of a table of case rows: the cases within a reach, filtered, in order; `page` from 1.
///
/// # Errors
/// When the read models cannot be read.
pub(crate) fn find(
    tables: &Connection,
    table: &str,
    reach: &Reach,
    filter: &Filter,
    (sort, page, limit): (Sort, u64, u64),
) -> Result<Page, ReadError> {
    let mut conditions = Conditions::of(reach);
    narrow(&mut conditions, filter);
    let found = filter.q.as_deref().map(search::expressions);
    if let Some(Some(found)) = &found {
        conditions.with(search::CONDITION, Value::Text(found.prefix.clone()));
    } else if found.is_some() {
        return Ok(Page { rows: Vec::new(), total: 0, exact: true });
    }
    let wheres = conditions.sql();
    let mut values: Vec<Value> = conditions.values().cloned().collect();
    let count = format!("SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {wheres} LIMIT {})", COUNTED + 1);
    let total: u64 = tables.prepare_cached(&count)?.query_row(params_from_iter(&values), |row| row.get(0))?;
    let exact_first = match found.flatten() {
        Some(found) => {
            values.push(Value::Text(found.exact));
            format!("({}) DESC, ", search::CONDITION.replace('?', &format!("?{}", values.len())))
        }
        None => String::new(),
    };
    let offset = page.saturating_sub(1).saturating_mul(limit);
    let sql = format!(
        "SELECT {COLUMNS} FROM {table} WHERE {wheres} ORDER BY {exact_first}{} LIMIT {limit} OFFSET {offset}",
        sort.sql()
    );
    let rows = tables
        .prepare(&sql)?
        .query_and_then(params_from_iter(&values), read_row)?
        .collect::<Result<_, _>>()?;
    Ok(Page { rows, total: total.min(COUNTED), exact: total <= COUNTED })
}

fn narrow(conditions: &mut Conditions, filter: &Filter) {
    if !filter.status.is_empty() {
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
        conditions.none("officer");
    }
}

/// Whose list a table is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Everything shows when it happened.
    Centre,
    /// What the reporter does not see does not show when it happened either.
    Reporter,
}

/// What an event does to the row of its case.
pub(crate) fn apply(
    tables: &Connection,
    (table, readers): (&str, Readers),
    event: &Recorded,
) -> Result<(), ReadError> {
    if let Event::CaseReceived { .. } = &event.event {
        return insert(tables, table, event);
    }
    let hidden = readers == Readers::Reporter && timeline::for_customer(&event.event) == Some(false);
    let last_at = if hidden { "last_at" } else { "?3" };
    let (set, value): (&str, Option<Value>) = match &event.event {
        Event::ProcessingStarted { officer } => {
            ("status = 'in-process', started_at = ?3, officer = ?5", Some(blob(officer.0)))
        }
        Event::CaseAssigned { officer } => ("officer = ?5", Some(blob(officer.0))),
        Event::InformationRequested { due_date, .. } => ("due_date = ?5", Some(text(due_date))),
        Event::AttachmentAdded { from: Party::Customer, .. }
        | Event::MessageAdded { from: Party::Customer, .. } => ("due_date = NULL", None),
        Event::AttachmentAdded { .. } | Event::MessageAdded { .. } | Event::NoteAdded { .. } => {
            ("due_date = due_date", None)
        }
        Event::CaseReclassified { area, sub_area, system, .. } => {
            return reclassify(tables, (table, last_at), event, (*area, *sub_area, *system));
        }
        Event::CaseClosed { .. } => ("status = 'closed', closed_at = ?3, due_date = NULL", None),
        _ => return Ok(()),
    };
    let sql = format!(
        "UPDATE {table} SET {set}, version = ?1, position = ?2, last_at = {last_at} WHERE case_id = ?4"
    );
    let at = event.recorded_at.timestamp_micros();
    let mut statement = tables.prepare_cached(&sql)?;
    match value {
        Some(value) => {
            statement.execute(params![event.version, event.position, at, event.stream.0, value])?
        }
        None => statement.execute(params![event.version, event.position, at, event.stream.0])?,
    };
    Ok(())
}

fn reclassify(
    tables: &Connection,
    (table, last_at): (&str, &str),
    event: &Recorded,
    (area, sub_area, system): (Area, Option<SubArea>, Option<System>),
) -> Result<(), ReadError> {
    let sql = format!(
        "UPDATE {table} SET area = ?5, sub_area = ?6, system = ?7, version = ?1, position = ?2, \
         last_at = {last_at} WHERE case_id = ?4"
    );
    tables.prepare_cached(&sql)?.execute(params![
        event.version,
        event.position,
        event.recorded_at.timestamp_micros(),
        event.stream.0,
        area.code(),
        sub_area.map(SubArea::code),
        system.map(System::code),
    ])?;
    Ok(())
}

fn insert(tables: &Connection, table: &str, event: &Recorded) -> Result<(), ReadError> {
    let Event::CaseReceived {
        case_number,
        employer,
        area,
        sub_area,
        system,
        channel,
        follows_up,
        reporter,
        registered_by,
        personal,
        ..
    } = &event.event
    else {
        return Ok(());
    };
    let at = event.recorded_at.timestamp_micros();
    let sql = format!(
        "INSERT INTO {table} ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, 'received', ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL, NULL, \
         ?11, NULL, NULL, ?12, ?13, ?14)"
    );
    tables.prepare_cached(&sql)?.execute(params![
        event.stream.0,
        case_number.to_string(),
        event.version,
        event.position,
        channel.code(),
        employer.as_str(),
        area.code(),
        sub_area.map(SubArea::code),
        system.map(System::code),
        personal.open().map(|question| question.subject.as_str()),
        at,
        reporter.map(|person| person.0),
        registered_by.0,
        follows_up.map(|number| number.to_string()),
    ])?;
    Ok(())
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
