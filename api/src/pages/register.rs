//! `/register`: which cases there are, for those who may know that and not what is in them.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::{Duty, Reach};
use domain::reading::What;
use domain::{Area, OrganisationNumber, Status};
use projections::{CaseRow, Filter, Sort, queue};
use serde::Deserialize;

use crate::pages::components::{Choice, Pager};
use crate::pages::officers::areas;
use crate::pages::officers::names::Names;
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

/// Rows on a page.
const LIMIT: u64 = 50;
/// The last page that can be asked for.
const LAST: u64 = 200;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/register", get(show))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    status: String,
    area: String,
    employer: String,
    page: String,
}

#[derive(Template)]
#[template(path = "pages/register.html")]
struct RegisterPage {
    frame: Frame,
    form: Form,
    rows: Vec<Row>,
    pager: Pager,
    statuses: Vec<Choice>,
    areas: Vec<Choice>,
    employers: Vec<Choice>,
}

/// A case as the register tells it.
struct Row {
    case: CaseRow,
    employer: String,
    /// Whether the reader may also read it.
    readable: bool,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Register)?;
    visitor.shown(&app).await?;
    let language = visitor.language;
    let (register, reach) = (caller.actor.register(), caller.actor.reach());
    let filter = Filter {
        status: Status::parse(&wanted.status).into_iter().collect(),
        area: Area::parse(&wanted.area),
        employer: OrganisationNumber::parse(&wanted.employer),
        without_protected: !wanted.employer.is_empty() && caller.actor.role.hides_protected(),
        ..Filter::default()
    };
    let number = wanted.page.parse().unwrap_or(1).clamp(1, LAST);
    let found = app.query(move |tables| {
        let found = queue::find_shown(tables, &register, &filter, (Sort::Newest, number, LIMIT))?;
        if found.is_empty() && number > 1 {
            return queue::find_shown(tables, &register, &filter, (Sort::Newest, 1, LIMIT));
        }
        Ok(found)
    });
    // Who sees where protected people work is recorded.
    let told = if caller.actor.role.sees_protected() { caller.actor.reach() } else { Reach::nothing() };
    let found = found.await?.in_register(&told);
    let found = app.shown_to(caller, What::List, found).await?;
    let persons: Vec<_> = found.rows.iter().filter_map(|row| row.reporter).collect();
    let names = Names::load(&app, language, &caller.actor, None, persons).await?;
    let query = [("status", wanted.status.as_str()), ("area", &wanted.area), ("employer", &wanted.employer)];
    let pager = Pager::new(number, LIMIT, (found.total, found.exact), ("/register", &query));
    let word = |status: &Status| Choice::new(status, Text::new(language, format!("status-{status}")));
    let row = |case: CaseRow| Row {
        employer: names.employer_of(case.employer, case.reporter),
        readable: reach.covers(&case.standing()),
        case,
    };
    render(&RegisterPage {
        frame: Frame::new(&app, &visitor, Text::new(language, "register-title")).await?,
        statuses: Status::ALL.iter().map(word).collect(),
        areas: areas(language, caller),
        employers: names.choices(&caller.actor),
        rows: found.rows.into_iter().map(row).collect(),
        pager,
        form: Form::new("filter")
            .with("status", wanted.status)
            .with("area", wanted.area)
            .with("employer", wanted.employer),
    })
}

impl RegisterPage {
    fn heading(&self) -> Text {
        self.frame.t("register-title")
    }
}
