//! `/cases`: the list, and a new case.

pub mod assign;
pub mod attachments;
pub mod case;
pub mod close;
pub mod messages;
pub mod notes;
pub mod reclassify;
pub mod request_information;
pub mod start_processing;
pub mod timeline;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use domain::access::{Duty, Reach, Role};
use domain::{Area, CaseCommand, Channel, OrganisationNumber, Status};
use projections::case_row::CaseRow;
use projections::{Filter, Page, Sort, my_cases, protection, queue};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Caller;
use crate::requests::CreateRequest;
use crate::v1::bearer::Reader;
use crate::v1::case_body::{CaseSummary, Mentioned, People, Readership};
use crate::v1::command::{Incoming, Stop, settle};
use crate::v1::outcome::OutcomeBody;
use crate::v1::paging::{LIMIT, LIMIT_MAX, Meta, READ_MAX, links};
use crate::v1::query::Parameters;
use crate::v1::{personal, words};
use crate::{App, Failure};

/// The routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .merge(case::routes())
        .merge(timeline::routes())
        .merge(attachments::routes())
        .merge(messages::routes())
        .merge(notes::routes())
        .merge(start_processing::routes())
        .merge(request_information::routes())
        .merge(assign::routes())
        .merge(reclassify::routes())
        .merge(close::routes())
}

/// A page of a list of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseList {
    /// The cases.
    pub cases: Vec<CaseSummary>,
    /// Where in the list the page is.
    #[serde(rename = "_meta")]
    pub meta: Meta,
}

/// How a list of cases is asked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the description of what `Asked::read` reads")]
struct CaseQuery {
    /// `mine` (an employee's own, a system's own, an officer's assigned; when absent, also for systems), `employer`
    /// (what one may know of at one's employers; in a register, where it is the answer when absent, cases come without what
    /// is in them, and neither `q` nor `officer` finds them) or `queue` (those who work with cases, and auditors; when
    /// absent, for them).
    #[param(required = false)]
    scope: String,
    /// Only with this status; several, with commas between or repeated.
    #[param(required = false)]
    status: String,
    /// Only in this area.
    #[param(required = false)]
    area: String,
    /// Only of this employer, by organisation number.
    #[param(required = false)]
    employer: String,
    /// Only those that came in this way.
    #[param(required = false)]
    channel: String,
    /// Only those of this officer, by login.
    #[param(required = false)]
    officer: String,
    /// Only those with these words in number, subject, messages or answer.
    #[param(required = false)]
    q: String,
    /// Which page; page × limit is at most 10 000.
    #[param(required = false, minimum = 1, default = 1)]
    page: u64,
    /// How many cases a page has.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    limit: u64,
    /// `newest` (when absent), `oldest`, `last-changed` or `number`.
    #[param(required = false)]
    sort: String,
}

/// Whose cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Mine,
    Employer,
    Queue,
}

/// A list as it is asked for.
#[derive(Debug)]
struct Asked {
    scope: Scope,
    filter: Filter,
    page: u64,
    limit: u64,
    sort: Sort,
}

impl Asked {
    fn read(app: &App, caller: &Caller, mut query: Parameters) -> Result<Self, Failure> {
        let scope = query.one("scope", |code| match code {
            "mine" => Some(Scope::Mine),
            "employer" => Some(Scope::Employer),
            "queue" => Some(Scope::Queue),
            _ => None,
        });
        let sort = query.one("sort", |code| match code {
            "newest" => Some(Sort::Newest),
            "oldest" => Some(Sort::Oldest),
            "last-changed" => Some(Sort::LastChanged),
            "number" => Some(Sort::Number),
            _ => None,
        });
        let filter = Filter {
            status: query.many("status", Status::parse),
            area: query.one("area", Area::parse),
            employer: query.one("employer", OrganisationNumber::parse),
            channel: query.one("channel", Channel::parse),
            officer: query.text("officer").map(|login| app.keys.login(&login)),
            q: query.text("q"),
            ..Filter::default()
        };
        let page = query.number("page", (1, READ_MAX), 1);
        let limit = query.number("limit", (1, LIMIT_MAX), LIMIT);
        if page * limit > READ_MAX {
            query.wrong("page");
        }
        query.finish()?;
        let role = caller.actor.role;
        let usual = match (role.may(Duty::Queue), role == Role::Archivist) {
            (true, _) => Scope::Queue,
            (_, true) => Scope::Employer,
            _ => Scope::Mine,
        };
        Ok(Self { scope: scope.unwrap_or(usual), filter, page, limit, sort: sort.unwrap_or_default() })
    }

    /// Finds the page. Every list is narrowed by the caller's reach (P8).
    async fn find(&self, app: &App, caller: &Caller) -> Result<(Page, People, bool), Failure> {
        let actor = &caller.actor;
        let centre = actor.role.may(Duty::Queue);
        if self.scope == Scope::Queue && !centre {
            return Err(Failure::Forbidden);
        }
        let own = self.scope == Scope::Mine && actor.role.is_customer();
        let mut filter = self.filter.clone();
        if self.scope == Scope::Mine
            && centre
            && filter.officer.replace(actor.person).is_some_and(|asked| asked != actor.person)
        {
            // Mine and somebody else's at once: there is no such case.
            return Ok((Page { rows: Vec::new(), total: 0, exact: true }, People::default(), true));
        }
        // Only what may be read is searched.
        let searched = filter.q.is_some();
        let own_only = self.scope == Scope::Mine || searched || filter.officer.is_some();
        let reach = if own_only { actor.reach() } else { actor.register() };
        filter.without_protected = filter.employer.is_some() && actor.role.hides_protected();
        let (reader, order) = (actor.clone(), (self.sort, self.page, self.limit));
        let asking = reader.clone();
        let found = app.query(move |tables| {
            let find = match own {
                true => my_cases::find,
                false if centre => queue::find,
                false => queue::find_shown,
            };
            // Who works on a case may be hidden too.
            let hidden = match filter.officer.filter(|officer| !asking.identities.contains(officer)) {
                Some(officer) => !asking.role.sees_protected() && protection::is_protected(tables, officer)?,
                None => false,
            };
            let reach = if hidden { Reach::nothing() } else { reach };
            find(tables, &reach, &filter, order)
        });
        let found = found.await?.in_register(&actor.reach());
        let (page, whole) = app.list_shown_to(caller, searched, found).await?;
        let cases: Vec<Mentioned> = page.rows.iter().map(Mentioned::from).collect();
        let people = app.query(move |tables| People::load(tables, &reader, &cases)).await?;
        Ok((page, people, whole))
    }
}

/// List cases.
///
/// The cases within the caller's rights, a page at a time, with `Link` (RFC 8288) to the first, previous, next and last
/// page. Employees see their own; systems what they created; officers and auditors the queue. Totals are counted up to
/// 10 000.
#[utoipa::path(
    get,
    path = "/cases",
    tag = "cases",
    params(CaseQuery),
    responses((status = 200, description = "A page of cases.", body = CaseList, headers(("Link", description = "The first, previous, next and last page."))))
)]
async fn list(
    State(app): State<App>,
    reader: Reader,
    OriginalUri(address): OriginalUri,
    query: Parameters,
) -> Result<Response, Failure> {
    let asked = Asked::read(&app, &reader.caller, query)?;
    let (page, people, whole) = asked.find(&app, &reader.caller).await?;
    let readership = Readership { role: reader.caller.actor.role, language: reader.language };
    let mut meta = Meta::of(&page, asked.page, asked.limit);
    meta.withheld = (!whole).then(|| Failure::ReadLogAway.detail(reader.language));
    let mut headers = HeaderMap::new();
    headers.extend(links(&address, &meta));
    let reach = reader.caller.actor.reach();
    let summary = |row: CaseRow| match reach.covers(&row.standing()) {
        true => readership.summary(row, &people),
        false => readership.known(row, &people),
    };
    let mut cases: Vec<CaseSummary> = page.rows.into_iter().map(summary).collect();
    if !whole {
        cases.iter_mut().for_each(|case| case.reporter = None);
    }
    Ok((personal(), words(reader.language), headers, Json(CaseList { cases, meta })).into_response())
}

/// Create a case.
///
/// The case gets its number and is *Inkommit*. Files are staged first with `POST /uploads`. Employees create their own
/// cases, officers on behalf of a caller, systems with or without a reporter; without one no mail goes out. The same
/// request with the same `Idempotency-Key` has the same answer for thirty days.
#[utoipa::path(
    post,
    path = "/cases",
    tag = "cases",
    request_body(content = CreateRequest, content_type = "application/json"),
    responses((status = 201, description = "The case is created.", body = OutcomeBody, headers(
        ("ETag", description = "The version of the case."),
        ("Location", description = "The case."),
    )))
)]
async fn create(State(app): State<App>, incoming: Incoming) -> Result<Response, Stop> {
    let (pending, mut fields) = incoming.begin_case()?;
    let request = CreateRequest::read(&mut fields);
    let staged = pending.staged(&app, &request.attachments).await?;
    let created = settle(fields, staged, |files| request.parse(&app, pending.caller(), files, Channel::Api))?;
    let followed = match created.command.follows_up {
        Some(number) => app.case_of_number(number).await?,
        None => None,
    };
    let see = created.see.into_iter().collect();
    pending.run_with(&app, CaseCommand::Create(created.command), see, followed).await
}
