//! `/revision/lasningar`: the read log for auditors, newest first, by case. It is shown to one who says why, and that is a
//! reading too.

use std::collections::HashMap;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::{Duty, Role};
use domain::reading::{Reading, What};
use domain::{CaseId, CaseNumber, Language, PersonId};
use projections::queue;
use serde::Deserialize;

use super::{asked, times};
use crate::app::reading::{OpenedRead, Purpose};
use crate::format::percent_encoded;
use crate::pages::case::readings::{role, what};
use crate::pages::officers::names::{Names, short};
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::v1::headers::REASON_MAX;
use crate::{App, Failure};

const ADDRESS: &str = "/revision/lasningar";
/// Rows on a page.
const LIMIT: usize = 50;

pub(super) fn routes() -> Router<App> {
    Router::new().route(ADDRESS, get(show))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    case: String,
    reason: String,
    before: String,
    /// Whether the form was sent.
    show: String,
}

impl Asked {
    /// The address of the same question for the rows before a position.
    fn address(&self, before: Option<u64>) -> String {
        let before = before.map_or_else(String::new, |before| format!("&before={before}"));
        let (case, reason) = (percent_encoded(self.case.trim()), percent_encoded(self.reason.trim()));
        format!("{ADDRESS}?case={case}&reason={reason}&show=1{before}")
    }
}

#[derive(Template)]
#[template(path = "pages/audit_readings.html")]
struct ReadingsPage {
    frame: Frame,
    form: Form,
    /// None before somebody has said why.
    rows: Option<Vec<Row>>,
    older: Option<String>,
    newest: Option<String>,
}

/// A reading, in words.
struct Row {
    position: u64,
    /// In tables, and whole.
    at: (String, String),
    /// Name and pseudonym; none where it was disposed of.
    read: Option<Read>,
}

struct Read {
    name: String,
    /// None where it would tell where a protected person works.
    pseudonym: Option<String>,
    role: String,
    what: String,
    /// Each with its number and the address of its replay.
    cases: Vec<(String, String)>,
    /// How many they are, in words.
    count: String,
    reason: Option<String>,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    visitor.caller_for(Duty::Replay)?;
    visitor.shown(&app).await?;
    let language = visitor.language;
    let reason: String = asked.reason.trim().chars().take(REASON_MAX).collect();
    let mut form = Form::new("readings").with("case", asked.case.clone()).with("reason", reason.clone());
    let case = match asked::case(&app, &asked.case).await? {
        Ok(case) => case,
        Err(error) => {
            form.add_field_errors(language, &[error]);
            None
        }
    };
    if reason.is_empty() && !asked.show.is_empty() {
        form.add_error("reason", Text::new(language, "read-log-reason-missing"));
    }
    let (mut rows, mut older) = (None, None);
    if !reason.is_empty() && form.errors.is_empty() {
        let before = asked.before.parse().unwrap_or(u64::MAX);
        let (found, last) = find(&app, &visitor, case, before, &reason).await?;
        older = last.map(|last| asked.address(Some(last)));
        rows = Some(found);
    }
    let frame = Frame::new(&app, &visitor, Text::new(language, "read-log-title")).await?;
    render(&ReadingsPage {
        frame: frame.with_error(!form.errors.is_empty()),
        newest: (rows.is_some() && !asked.before.is_empty()).then(|| asked.address(None)),
        form,
        rows,
        older,
    })
}

/// The rows before a position, once it is recorded that they are shown; and the position from which to go on.
async fn find(
    app: &App,
    visitor: &Visitor,
    case: Option<CaseId>,
    before: u64,
    reason: &str,
) -> Result<(Vec<Row>, Option<u64>), Failure> {
    let mut found = app.readings(case, before, LIMIT).await?;
    let more = found.len() > LIMIT;
    found.truncate(LIMIT);
    let mut cases: Vec<CaseId> =
        found.iter().filter_map(|read| read.reading.as_ref()).flat_map(|read| &read.cases).copied().collect();
    cases.sort_unstable();
    cases.dedup();
    // Of a reading of many cases all are shown.
    let shown: Vec<(CaseId, Option<PersonId>)> = cases.iter().map(|case| (*case, None)).collect();
    app.recorded(visitor.caller()?, Purpose::from(What::ReadLog).because(reason), &shown).await?;
    let read = ReadCase::all(app, cases).await?;
    let readers = found.iter().filter_map(|read| Some(read.reading.as_ref()?.who));
    let persons = readers.chain(read.values().filter_map(|case| case.reporter));
    let names = Names::load(app, visitor.language, &visitor.caller()?.actor, None, persons).await?;
    let last = found.last().filter(|_| more).map(|read| read.position);
    let told = Told { language: visitor.language, case, names, read };
    Ok((found.into_iter().map(|found| told.row(found)).collect(), last))
}

/// What is told of a case that was read.
struct ReadCase {
    number: CaseNumber,
    reporter: Option<PersonId>,
}

impl ReadCase {
    async fn all(app: &App, cases: Vec<CaseId>) -> Result<HashMap<CaseId, Self>, Failure> {
        let all = app.query(move |tables| {
            let mut all = HashMap::new();
            for case in cases {
                let reporter = queue::standing(tables, case)?.and_then(|standing| standing.reporter);
                all.extend(queue::number(tables, case)?.map(|number| (case, Self { number, reporter })));
            }
            Ok(all)
        });
        Ok(all.await?)
    }
}

/// What rows are put into words with.
struct Told {
    language: Language,
    /// The case that was asked for.
    case: Option<CaseId>,
    names: Names,
    read: HashMap<CaseId, ReadCase>,
}

impl Told {
    fn row(&self, read: OpenedRead) -> Row {
        let opened = read.reading.map(|reading| self.reading(reading));
        Row { position: read.position, at: times(read.at.timestamp_micros()), read: opened }
    }

    /// A system or a requester that read the case of a hidden person is at that person's employer: neither who that was nor
    /// what else was read then is told beside such a case.
    fn reading(&self, reading: Reading) -> Read {
        let language = self.language;
        let at_an_employer =
            Role::parse(&reading.role).is_some_and(|role| role.is_customer() || role == Role::System);
        let beside_hidden = at_an_employer
            && self.case.is_none_or(|case| self.is_hidden(&case))
            && reading.cases.iter().any(|case| self.is_hidden(case));
        let is_told = |case: &&CaseId| !at_an_employer || self.is_hidden(case) == beside_hidden;
        let cases: Vec<_> = reading.cases.iter().filter(is_told).map(|case| self.link(case)).collect();
        let hides = beside_hidden || self.names.hides(Some(reading.who));
        Read {
            name: if hides { self.names.hidden_person() } else { self.names.person(reading.who) },
            pseudonym: (!hides).then(|| reading.who.to_string()),
            role: role(language, &reading),
            what: what(language, &reading),
            count: Text::new(language, "read-log-cases").with("n", cases.len()).to_string(),
            cases,
            reason: reading.reason,
        }
    }

    /// Whether a case is that of a hidden person.
    fn is_hidden(&self, case: &CaseId) -> bool {
        self.names.hides(self.read.get(case).and_then(|case| case.reporter))
    }

    /// The number of a case, and the address of its replay.
    fn link(&self, case: &CaseId) -> (String, String) {
        let number = self.read.get(case).map_or_else(|| short(case), |known| known.number.to_string());
        (number, format!("/revision/arenden/{case}"))
    }
}
