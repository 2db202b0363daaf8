//! `/mina-arenden`: one's cases, previous and current, newest first (K11). Calls that the centre registered are there
//! too. Those with an answer that one has not opened are marked.

mod asked;

use std::collections::HashSet;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::{Duty, Reach};
use domain::{Area, CaseId, Channel, Status};
use projections::services::Employer;
use projections::{CaseRow, Filter, Page, Sort, Unread, my_cases, seen};

use crate::app::reading::Purpose;
use crate::pages::components::{Choice, Pager};
use crate::pages::{Form, Frame, Visitor, create_case, employer, render};
use crate::texts::Text;
use crate::{App, Failure};
use asked::Asked;

/// Rows on a page.
const LIMIT: u64 = 20;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/mina-arenden", get(show))
}

#[derive(Template)]
#[template(path = "pages/my_cases.html")]
struct MyCasesPage {
    frame: Frame,
    form: Form,
    mismatch: Option<String>,
    rows: Vec<CaseRow>,
    /// Of the rows, those with an answer that is not opened.
    unseen: HashSet<CaseId>,
    /// How many such cases there are in all.
    new: u64,
    pager: Pager,
    statuses: Vec<Choice>,
    areas: Vec<Choice>,
    /// To choose from, for those who have more than one.
    employers: Vec<Choice>,
    /// How many new cases are begun and not sent.
    drafts: u64,
    /// The employer whose cases are shown; none when all are.
    employer: Option<String>,
    filtered: bool,
}

/// What the read models hold of the list.
struct Found {
    page: Unread<Page>,
    unseen: HashSet<CaseId>,
    new: u64,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::OwnCases)?;
    visitor.shown(&app).await?;
    let own = employer::of_caller(&app, &visitor).await?;
    let chosen = asked.employer(&visitor, &own);
    let filter = asked.filter(chosen.map(|employer| employer.number));
    let number = asked.page();
    let searched = filter.q.is_some();
    let Found { page, unseen, new } = find(&app, caller.actor.reach(), filter, number).await?;
    let page = app.shown_to(caller, Purpose::list(searched), page).await?;
    let query = asked.query(chosen);
    let pager = Pager::new(number, LIMIT, (page.total, page.exact), ("/mina-arenden", &query));
    let language = visitor.language;
    let mut title = Text::new(language, "list-title").to_string();
    if pager.pages() > 1 {
        let text = Text::new(language, "list-title-page").with("page", pager.page);
        title = text.with("pages", pager.pages()).to_string();
    }
    let filtered = asked.is_narrowed();
    let form = asked.form(&visitor, chosen);
    let frame = Frame::new(&app, &visitor, title).await?.with_error(!form.errors.is_empty());
    let word = |list: &str, code: &str| Choice::new(code, Text::new(language, format!("{list}-{code}")));
    let named =
        |employer: &Employer| Choice::new(employer.number.as_str(), employer::name_of(employer, language));
    let mismatch = employer::mismatch(&visitor, frame.employer.as_deref(), &own);
    render(&MyCasesPage {
        frame,
        mismatch,
        rows: page.rows,
        unseen,
        new,
        pager,
        statuses: Status::ALL.iter().map(|status| word("status", status.code())).collect(),
        areas: Area::ALL.iter().map(|area| word("area", area.code())).collect(),
        employers: if own.len() > 1 { own.iter().map(named).collect() } else { Vec::new() },
        drafts: Form::count_left(&app, caller.actor.person, create_case::ADDRESS).await.unwrap_or_default(),
        employer: chosen.map(|employer| employer::name_of(employer, language)),
        filtered,
        form,
    })
}

/// A page of the list; one that is not there is the first. What is not opened is told of one's own cases: that others have
/// not opened theirs is nobody's business.
async fn find(app: &App, reach: Reach, filter: Filter, number: u64) -> Result<Found, Failure> {
    let own = Reach { sent_by: None, ..reach.clone() };
    let reach = if filter.unseen { own.clone() } else { reach };
    let found = app.query(move |tables| {
        let find = |number| my_cases::find(tables, &reach, &filter, (Sort::Newest, number, LIMIT));
        let mut page = find(number.clamp(1, 500))?;
        if page.is_empty() && number > 1 {
            page = find(1)?;
        }
        let reporters = own.reporters.as_deref().unwrap_or_default();
        let is_own = |(case, reporter): &(CaseId, Option<_>)| {
            reporter.filter(|who| reporters.contains(who)).map(|_| *case)
        };
        let unseen = seen::unseen(tables, page.cases().iter().filter_map(is_own))?;
        Ok(Found { page, unseen, new: seen::count(tables, &own)? })
    });
    Ok(found.await?)
}

impl MyCasesPage {
    /// Whether a case came in by phone.
    fn by_phone(&self, row: &CaseRow) -> bool {
        row.channel == Channel::Telefon
    }

    fn is_new(&self, row: &CaseRow) -> bool {
        self.unseen.contains(&row.id)
    }

    /// How many cases have an answer that is not opened; nothing for none.
    fn answers(&self) -> Option<Text> {
        (self.new > 0).then(|| self.frame.t("list-new-count").number("n", self.new))
    }

    /// That new cases are begun and not sent; nothing for none.
    fn left(&self) -> Option<Text> {
        (self.drafts > 0).then(|| self.frame.t("list-draft").number("n", self.drafts))
    }

    fn heading(&self) -> Text {
        self.frame.t("list-title")
    }
}
