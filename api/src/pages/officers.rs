//! `/handlaggare`: the queue of cases. Officers see those of their areas, auditors all of them.

mod filter;
pub mod names;
mod phone;

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use chrono::NaiveDate;
use domain::access::Duty;
use domain::{Language, calendar};
use projections::{CaseRow, queue};

use crate::app::Caller;
use crate::pages::components::Pager;
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, format};
pub use filter::areas;
use filter::{Asked, Choices};
use names::Names;

/// Cases on a page.
const LIMIT: u64 = 20;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/handlaggare", get(show)).merge(phone::routes())
}

#[derive(Template)]
#[template(path = "pages/officers.html")]
struct QueuePage {
    frame: Frame,
    form: Form,
    choices: Choices,
    rows: Vec<Row>,
    count: String,
    pager: Pager,
    /// Whether a case has just left the areas of the reader.
    moved: bool,
    /// Why subjects and names are missing.
    withheld: Option<String>,
}

/// A case in the queue, in words.
struct Row {
    address: String,
    number: String,
    subject: String,
    status: &'static str,
    topic: String,
    employer: String,
    channel: String,
    received: NaiveDate,
    age: String,
    due: Option<String>,
    officer: Option<String>,
}

async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Queue)?;
    visitor.shown(&app).await?;
    let (found, whole) = find(&app, caller, &asked).await?;
    let (path, fields) = asked.address();
    let pager = Pager::new(asked.page(), LIMIT, (found.total, found.exact), (path, &fields));
    let language = visitor.language;
    let persons = found.rows.iter().flat_map(|row| [row.officer, row.reporter]).flatten().collect::<Vec<_>>();
    let names = Names::load(&app, language, &caller.actor, None, persons).await?;
    let today = calendar::day(app.clock.now());
    let rows: Vec<Row> =
        found.rows.iter().map(|row| in_words(language, today, row, (&names, whole))).collect();
    let page = QueuePage {
        frame: Frame::new(&app, &visitor, title(language, &pager)).await?,
        form: asked.form(),
        choices: Choices::load(language, caller, &names),
        count: count(language, &pager),
        moved: asked.moved(),
        withheld: (!whole).then(|| Text::new(language, "queue-withheld").to_string()),
        rows,
        pager,
    };
    render(&page)
}

/// The rows of the page that was asked for; of the first, where there is no such page.
async fn find(app: &App, caller: &Caller, asked: &Asked) -> Result<(projections::Page, bool), Failure> {
    let (reach, filter) = (caller.actor.reach(), asked.filter(caller));
    let (sort, page) = (asked.sort(), asked.page());
    let searched = filter.q.is_some();
    let found = app
        .query(move |tables| {
            let found = queue::find(tables, &reach, &filter, (sort, page, LIMIT))?;
            if found.is_empty() && page > 1 {
                return queue::find(tables, &reach, &filter, (sort, 1, LIMIT));
            }
            Ok(found)
        })
        .await?;
    app.list_shown_to(caller, searched, found).await
}

fn title(language: Language, pager: &Pager) -> Text {
    if pager.pages() > 1 {
        return Text::new(language, "queue-title-page").with("page", pager.page).with("pages", pager.pages());
    }
    Text::new(language, "queue-title")
}

/// How many cases there are, in words; what is not counted out says so.
fn count(language: Language, pager: &Pager) -> String {
    let total = format::number(pager.total) + if pager.exact { "" } else { "+" };
    Text::new(language, "queue-count")
        .with("first", format::number(pager.first()))
        .with("last", format::number(pager.last()))
        .with("total", total)
        .to_string()
}

fn in_words(language: Language, today: NaiveDate, row: &CaseRow, (names, whole): (&Names, bool)) -> Row {
    let received = calendar::day(row.received_at);
    let gone = if whole { "officer-disposed" } else { "queue-withheld-subject" };
    let gone = || Text::new(language, gone).to_string();
    Row {
        address: format!("/arenden/{}", row.id),
        number: row.number.to_string(),
        subject: row.subject.clone().unwrap_or_else(gone),
        status: row.status.code(),
        topic: names::topic(language, row.area, row.sub_area, row.system),
        employer: names.employer_of(row.employer, row.reporter),
        channel: Text::new(language, format!("channel-{}", row.channel)).to_string(),
        received,
        age: age(language, received, today),
        due: row.due_date.map(|due| due_in_words(language, due, today)),
        officer: row.officer.map(|officer| names.person(officer)),
    }
}

/// How old a case is, in days.
pub fn age(language: Language, received: NaiveDate, today: NaiveDate) -> String {
    match u64::try_from(today.signed_duration_since(received).num_days()).unwrap_or_default() {
        0 => Text::new(language, "age-today").to_string(),
        days => Text::new(language, "age-days").number("n", days).to_string(),
    }
}

/// What is waited for, and whether it should have come.
pub fn due_in_words(language: Language, due: NaiveDate, today: NaiveDate) -> String {
    let text =
        if due < today { Text::new(language, "queue-due-passed") } else { Text::new(language, "queue-due") };
    text.with("date", format::date_short(due)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn ages_in_words() {
        let today = day("2026-11-25");
        assert_eq!(age(Language::Sv, today, today), "i dag");
        assert_eq!(age(Language::Sv, day("2026-11-24"), today), "1 dag");
        assert_eq!(age(Language::En, day("2026-11-22"), today), "3 days");
    }

    #[test]
    fn a_day_to_answer_by_passes_at_its_end() {
        let today = day("2026-11-25");
        assert!(due_in_words(Language::Sv, today, today).starts_with("Väntar"));
        assert!(due_in_words(Language::Sv, day("2026-11-24"), today).contains("gick ut"));
    }
}
