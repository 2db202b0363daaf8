//! `/arenden/{id}` as officers meet it: the whole case, and what can be done with it now.
//! Each action is a form with its own key and the version of the case that it decides on.

mod actions;
mod entries;
mod forms;

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::{Action, Actor, Duty, Verdict, may};
use domain::reading::What;
use domain::{CaseId, Language, PersonId, Status, calendar};
use infrastructure::Receipt;
use projections::directory::{self, Person};
use projections::protection::{self, Mark};
use projections::satisfaction::{self, Given};
use projections::timeline::{self, Entry};
use projections::{CaseView, case_page};

use crate::app::Caller;
use crate::pages::case::opinion::Said;
use crate::pages::case::related::Related;
use crate::pages::components::{Choice, FileLink, TimelineEntry};
use crate::pages::form::files_hint;
use crate::pages::officers::names::{Names, topic};
use crate::pages::officers::{age, due_in_words};
use crate::pages::{Form, Frame, Visitor, failures, render, render_with};
use crate::texts::Text;
use crate::{App, Failure};
pub use actions::message;
pub use forms::Forms;

pub(super) fn routes() -> Router<App> {
    actions::routes()
}

#[derive(Template)]
#[template(path = "pages/officer_case.html")]
struct CasePage {
    frame: Frame,
    address: String,
    facts: CaseInWords,
    /// What the reporter has said of the closed case.
    said: Option<Said>,
    question: Option<String>,
    question_files: Vec<FileLink>,
    answer: Option<String>,
    answer_files: Vec<FileLink>,
    entries: Vec<TimelineEntry>,
    forms: Forms,
    choices: Choices,
    files_hint: String,
    stage: Stage,
    /// What the reader may do with it.
    actions: Vec<Action>,
    /// Whether whose case it is has protected identity; none when it is nobody's.
    protected: Option<Option<Mark>>,
    /// What the reader has just done.
    done: Option<String>,
    /// What was typed in a form that is not there any more.
    typed: Option<String>,
}

/// What can be done with the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing but reading.
    Reading,
    /// Nobody has begun.
    Received,
    /// The reader works on it.
    Mine,
    /// Another officer works on it.
    Others,
}

/// The facts at the head of the page.
struct CaseInWords {
    number: String,
    subject: String,
    status: &'static str,
    topic: String,
    employer: String,
    channel: String,
    received: String,
    age: Option<String>,
    closed: Option<String>,
    reporter: Option<String>,
    email: Option<String>,
    registered_by: Option<String>,
    officer: Option<String>,
    related: Related,
    /// What the reporter is asked for: by when, and what.
    request: Option<(String, String)>,
}

/// What can be chosen in the forms.
struct Choices {
    officers: Vec<Choice>,
    areas: Vec<Choice>,
    sub_areas: Vec<Choice>,
    systems: Vec<Choice>,
    note_kinds: Vec<Choice>,
}

/// What the read models know beside the case.
struct Around {
    timeline: Vec<Entry>,
    officers: Vec<Person>,
    related: Related,
    given: Option<Given>,
    protected: Option<Option<Mark>>,
}

/// The page of a case that the visitor may read.
///
/// # Errors
/// [`Failure::Forbidden`] for others than officers; when something cannot be read.
pub async fn show(
    app: &App,
    visitor: &Visitor,
    view: CaseView,
    receipt: &Receipt,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::CaseWork)?;
    let mut forms = Forms::new(calendar::day(app.clock.now()), caller.actor.person, &view);
    forms.restore(app, visitor, caller.actor.person).await?;
    let page = page(app, visitor, caller, (view, receipt), forms).await?;
    render(&page)
}

/// The page with a form that was refused, or that is to be seen again, as it was filled in.
///
/// # Errors
/// [`Failure::NotFound`] when the case is not the visitor's to know; else as [`show`].
pub async fn show_again(
    app: &App,
    visitor: &Visitor,
    case: CaseId,
    form: Form,
    status: StatusCode,
) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::CaseWork)?;
    newest(app).await?;
    let found = app.query(move |tables| case_page::by_id(tables, case)).await?;
    let Some(found) = found.filter(|view| caller.actor.reach().covers(&view.standing())) else {
        return failures::with_typed(app, visitor, Failure::NotFound, forms::typed(&form)).await;
    };
    let receipt = match app.recorded(caller, What::Case, found.cases()).await {
        Ok(receipt) => receipt,
        // What was typed is shown in any case: it is the visitor's own.
        Err(failure) => return failures::with_typed(app, visitor, failure, forms::typed(&form)).await,
    };
    let view = found.shown(&receipt)?;
    let mut forms = Forms::new(calendar::day(app.clock.now()), caller.actor.person, &view);
    forms.put(form, view.version);
    let page = page(app, visitor, caller, (view, &receipt), forms).await?;
    render_with(status, &page)
}

/// Waits until the read models show the whole log: whoever was refused for what others did must see what they did. While
/// the log does not answer, nobody does anything.
async fn newest(app: &App) -> Result<(), Failure> {
    let Ok(head) = app.log.head().await else { return Ok(()) };
    Ok(app.shown_position(head.position).await?)
}

async fn page(
    app: &App,
    visitor: &Visitor,
    caller: &Caller,
    (view, receipt): (CaseView, &Receipt),
    forms: Forms,
) -> Result<CasePage, Failure> {
    let language = visitor.language;
    let around = around(app, &caller.actor, &view, receipt).await?;
    let persons = entries::persons(&around.timeline).chain(view.reporter).chain(view.officer);
    let persons: Vec<_> = persons.chain([view.registered_by]).collect();
    let mut names = Names::load(app, language, &caller.actor, Some(view.employer), persons).await?;
    names.hide_registrar(view.reporter, view.registered_by);
    let address = format!("/arenden/{}", view.id);
    let stage = stage(caller, &view);
    let title = format!("{} {}", view.number, subject(language, &view));
    let question =
        around.timeline.first().map(|first| entries::files(&view.scans, &address, first)).unwrap_or_default();
    let entry = |entry: &Entry| entries::in_words(language, (&view.scans, &address), entry, &names);
    let frame = Frame::new(app, visitor, title).await?.with_error(forms.failed());
    Ok(CasePage {
        said: around.given.as_ref().map(|given| Said::new(&frame, given)),
        frame,
        facts: in_words(language, app, &view, &around, &names),
        question: view.message.clone(),
        question_files: question,
        answer: (view.status == Status::Closed).then(|| view.answer.clone().unwrap_or_default()),
        answer_files: view
            .answer_files
            .iter()
            .map(|card| FileLink::new(&view.scans, &address, card))
            .collect(),
        entries: around.timeline.iter().map(entry).collect(),
        choices: Choices::new(language, caller.actor.person, &around.officers),
        files_hint: files_hint(language, app),
        done: done(visitor),
        typed: forms.typed().filter(|_| stage == Stage::Reading),
        forms,
        actions: actions(&caller.actor, &view, names.hides(view.reporter)),
        protected: around.protected,
        stage,
        address,
    })
}

async fn around(app: &App, reader: &Actor, view: &CaseView, receipt: &Receipt) -> Result<Around, Failure> {
    let hides = reader.role.hides_protected();
    let (case, reporter) = (view.id, view.reporter);
    let related = Related::of(app, reader, view).await?;
    let found = app.query(move |tables| {
        let protected = reporter.map(|reporter| protection::mark(tables, reporter)).transpose()?;
        let mut officers = directory::officers(tables)?;
        if hides {
            let protected = protection::protected(tables)?;
            officers.retain(|officer| !protected.contains(&officer.id));
        }
        Ok((
            timeline::of_case(tables, case, true)?,
            officers,
            protected,
            satisfaction::of_case(tables, case)?,
        ))
    });
    let (timeline, officers, protected, given) = found.await?;
    let (timeline, given) = (timeline.shown(receipt)?, given.shown(receipt)?);
    Ok(Around { timeline, officers, protected, related, given })
}

/// What the reader may do. Which areas are used there would tell where somebody protected works: others move such a case.
fn actions(actor: &Actor, view: &CaseView, hidden: bool) -> Vec<Action> {
    let allowed = |action: &&Action| {
        may(actor, **action, &view.standing()) == Verdict::Allowed
            && !(hidden && **action == Action::Reclassify)
    };
    Action::ALL.iter().filter(allowed).copied().collect()
}

fn stage(caller: &Caller, view: &CaseView) -> Stage {
    match view.status {
        Status::Received => Stage::Received,
        Status::InProcess if view.officer == Some(caller.actor.person) => Stage::Mine,
        Status::InProcess => Stage::Others,
        Status::Closed => Stage::Reading,
    }
}

fn subject(language: Language, view: &CaseView) -> String {
    view.subject.clone().unwrap_or_else(|| Text::new(language, "officer-disposed").to_string())
}

fn in_words(language: Language, app: &App, view: &CaseView, around: &Around, names: &Names) -> CaseInWords {
    let today = calendar::day(app.clock.now());
    let moment = |at| crate::format::moment(language, at);
    let reporter = view.reporter.and_then(|reporter| names.of(reporter));
    let others = view.reporter != Some(view.registered_by);
    CaseInWords {
        number: view.number.to_string(),
        subject: subject(language, view),
        status: view.status.code(),
        topic: topic(language, view.area, view.sub_area, view.system),
        employer: names.employer_of(view.employer, view.reporter),
        channel: Text::new(language, format!("channel-{}", view.channel)).to_string(),
        received: moment(view.received_at),
        age: (view.status != Status::Closed).then(|| age(language, view.received_date, today)),
        closed: view.closed_at.map(moment),
        reporter: view.reporter.map(|reporter| names.person(reporter)),
        email: reporter.and_then(|reporter| reporter.email.clone()),
        // That somebody hidden registered it would tell where that person works.
        registered_by: (others && !names.hides(Some(view.registered_by)))
            .then(|| names.person(view.registered_by)),
        officer: view.officer.map(|officer| names.person(officer)),
        related: around.related.clone(),
        request: view.request.as_ref().map(|request| {
            (due_in_words(language, request.due_date, today), request.text.clone().unwrap_or_default())
        }),
    }
}

impl Choices {
    fn new(language: Language, me: PersonId, officers: &[Person]) -> Self {
        let word = |list: &str, code: &str| Text::new(language, format!("{list}-{code}"));
        let all = |list: &str, codes: Vec<&str>| {
            codes.into_iter().map(|code| Choice::new(code, word(list, code))).collect()
        };
        let kind = |code: &str| {
            Choice::new(code, word("note-kind", code)).with_hint(word("officer-note-kind", code))
        };
        let mut officers: Vec<&Person> = officers.iter().collect();
        officers.sort_by_key(|officer| officer.id != me);
        let officer = |officer: &Person| {
            let name = officer.name.as_ref().or(officer.subject.as_ref());
            let name = name.map_or_else(|| officer.id.to_string(), Clone::clone);
            let own = Text::new(language, "officer-assign-me").with("name", &name);
            Choice::new(officer.id, if officer.id == me { own.to_string() } else { name })
        };
        Self {
            officers: officers.into_iter().map(officer).collect(),
            areas: all("area", domain::Area::ALL.iter().map(|area| area.code()).collect()),
            sub_areas: all("sub-area", domain::SubArea::ALL.iter().map(|code| code.code()).collect()),
            systems: all("system", domain::System::ALL.iter().map(|system| system.code()).collect()),
            note_kinds: domain::NoteKind::ALL.iter().map(|code| kind(code.code())).collect(),
        }
    }
}

/// What the reader has just done, in words.
fn done(visitor: &Visitor) -> Option<String> {
    let done = forms::asked(&visitor.address, "done")?;
    let form = Forms::IDS.into_iter().chain(["phone"]).find(|id| *id == done)?;
    Some(Text::new(visitor.language, format!("officer-done-{form}")).to_string())
}

impl CasePage {
    /// Whether the reader may do this, by its code.
    fn may(&self, action: &str) -> bool {
        self.actions.iter().any(|own| own.code() == action)
    }

    /// What marking the person means, or taking the mark away.
    fn mark_hint(&self) -> &'static str {
        match self.protected.flatten() {
            None => "protected-mark-hint",
            Some(Mark::Own) => "protected-unmark-hint",
            Some(Mark::Led) => "protected-led-hint",
        }
    }

    /// Whether the page is in this stage, by name.
    fn is(&self, stage: &str) -> bool {
        let name = match self.stage {
            Stage::Reading => "reading",
            Stage::Received => "received",
            Stage::Mine => "mine",
            Stage::Others => "others",
        };
        name == stage
    }
}
