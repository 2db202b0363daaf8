//! `/mina-arenden`: one's cases, previous and current, newest first (K11). Calls that the centre registered are there
//! too.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::{Area, Channel, OrganisationNumber, Status};
use projections::services::Employer;
use projections::{CaseRow, Filter, Page, Sort, my_cases};
use serde::Deserialize;

use crate::app::Caller;
use crate::app::reading::Purpose;
use crate::pages::components::{Choice, Pager};
use crate::pages::{Form, Frame, Visitor, employer, render};
use crate::texts::Text;
use crate::{App, Failure};

/// Rows on a page.
const LIMIT: u64 = 20;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/mina-arenden", get(show))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    status: String,
    area: String,
    employer: String,
    q: String,
    page: String,
}

#[derive(Template)]
#[template(path = "pages/my_cases.html")]
struct MyCasesPage {
    frame: Frame,
    form: Form,
    mismatch: Option<String>,
    rows: Vec<CaseRow>,
    pager: Pager,
    statuses: Vec<Choice>,
    areas: Vec<Choice>,
    /// To choose from, for those who have more than one.
    employers: Vec<Choice>,
    /// The employer whose cases are shown; none when all are.
    employer: Option<String>,
    filtered: bool,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::OwnCases)?;
    visitor.shown(&app).await?;
    let own = employer::of_caller(&app, &visitor).await?;
    let chosen = chosen_employer(&wanted, &visitor, &own);
    let filter = filter(&wanted, chosen.map(|employer| employer.number));
    let number = wanted.page.parse().unwrap_or(1);
    let (page, pager) = find(&app, caller, filter, number, &wanted).await?;
    let language = visitor.language;
    let mut title = Text::new(language, "list-title").to_string();
    if pager.pages() > 1 {
        let text = Text::new(language, "list-title-page").with("page", pager.page);
        title = text.with("pages", pager.pages()).to_string();
    }
    let frame = Frame::new(&app, &visitor, title).await?;
    let word = |list: &str, code: &str| Choice::new(code, Text::new(language, format!("{list}-{code}")));
    let named =
        |employer: &Employer| Choice::new(employer.number.as_str(), employer::name_of(employer, language));
    let mismatch = employer::mismatch(&visitor, frame.employer.as_deref(), &own);
    render(&MyCasesPage {
        frame,
        mismatch,
        rows: page.rows,
        pager,
        statuses: Status::ALL.iter().map(|status| word("status", status.code())).collect(),
        areas: Area::ALL.iter().map(|area| word("area", area.code())).collect(),
        employers: if own.len() > 1 { own.iter().map(named).collect() } else { Vec::new() },
        employer: chosen.map(|employer| employer::name_of(employer, language)),
        filtered: [&wanted.status, &wanted.area, &wanted.q].iter().any(|value| !value.trim().is_empty()),
        form: Form::new("filter")
            .with("status", wanted.status)
            .with("area", wanted.area)
            .with("employer", wanted.employer)
            .with("q", wanted.q),
    })
}

/// The employer asked for; where none is, the one chosen in this browser comes first, or the only one.
fn chosen_employer<'a>(wanted: &Wanted, visitor: &Visitor, own: &'a [Employer]) -> Option<&'a Employer> {
    let numbered = |number: &str| own.iter().find(|employer| employer.number.as_str() == number);
    match wanted.employer.as_str() {
        "alla" => None,
        number => numbered(number)
            .or_else(|| numbered(visitor.employer.as_ref().map_or("", OrganisationNumber::as_str)))
            .or_else(|| own.first().filter(|_| own.len() == 1)),
    }
}

/// What the list is narrowed to; a code that is none narrows nothing.
fn filter(wanted: &Wanted, employer: Option<OrganisationNumber>) -> Filter {
    Filter {
        status: Status::parse(&wanted.status).into_iter().collect(),
        area: Area::parse(&wanted.area),
        employer,
        q: Some(wanted.q.trim().to_owned()).filter(|q| !q.is_empty()),
        ..Filter::default()
    }
}

/// The page of the list and its place among the others; a page that is not there is the first.
async fn find(
    app: &App,
    caller: &Caller,
    filter: Filter,
    number: u64,
    wanted: &Wanted,
) -> Result<(Page, Pager), Failure> {
    let query = [
        ("status", wanted.status.as_str()),
        ("area", &wanted.area),
        ("employer", &wanted.employer),
        ("q", &wanted.q),
    ];
    let (reach, searched) = (caller.actor.reach(), filter.q.is_some());
    let found = app
        .query(move |tables| {
            let page = my_cases::find(tables, &reach, &filter, (Sort::Newest, number.clamp(1, 500), LIMIT))?;
            if page.is_empty() && number > 1 {
                return my_cases::find(tables, &reach, &filter, (Sort::Newest, 1, LIMIT));
            }
            Ok(page)
        })
        .await?;
    let found = app.shown_to(caller, Purpose::list(searched), found).await?;
    let pager = Pager::new(number, LIMIT, (found.total, found.exact), ("/mina-arenden", &query));
    Ok((found, pager))
}

impl MyCasesPage {
    /// Whether a case came in by phone.
    fn by_phone(&self, row: &CaseRow) -> bool {
        row.channel == Channel::Telefon
    }

    fn heading(&self) -> Text {
        self.frame.t("list-title")
    }
}
