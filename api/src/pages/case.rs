//! `/arenden/{id}`: the case with its status, question, messages, files and, when it is closed, the answer (K12).

mod everything;
mod file;
pub mod mark;
mod message;
pub mod opinion;
pub mod readings;
pub mod related;
pub mod reply_target;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::{DateTime, Utc};
use domain::access::{Action, Duty, Verdict, may};
use domain::files::{FileCard, Scan};
use domain::reading::What;
use domain::satisfaction::is_asked;
use domain::text::BODY_MAX;
use domain::vocabulary::{Party, Template as Mail};
use domain::{CaseId, Channel, PersonId, Status};
use infrastructure::Receipt;
use projections::case_page::{self, Attached};
use projections::timeline::{self, Entry};
use projections::{CaseView, Unread, protection, satisfaction, services};

use self::opinion::Said;
use self::related::Related;
use crate::app::Caller;
use crate::pages::components::{Choice, FileLink, TimelineEntry};
use crate::pages::form::files_hint;
use crate::pages::{Form, Frame, Visitor, cookies, employer, officer_case, render_with, settings};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/arenden/{id}", get(show))
        .route("/arenden/{id}/meddelande", post(message::send))
        .route("/arenden/{id}/filer/{attachment}", get(file::fetch))
        .route("/arenden/{id}/lasningar", get(readings::show))
        .route("/arenden/{id}/allt", get(everything::fetch))
        .route("/arenden/{id}/omdome", post(opinion::give))
}

/// The address of a case's page.
pub fn address(id: CaseId) -> String {
    format!("/arenden/{id}")
}

/// The address of a case's page with what was left in one of its forms; the same for customers and officers.
pub fn form_address(id: CaseId, form: &str) -> String {
    format!("/arenden/{id}?form={form}")
}

#[derive(Template)]
#[template(path = "pages/case.html")]
struct CaseTemplate {
    frame: Frame,
    view: CaseView,
    form: Form,
    /// Whether what was written in the form has just been added.
    notice: Option<String>,
    /// What the reporter has said of the closed case.
    said: Option<Said>,
    /// The form in which the reporter says so, while it is asked.
    opinion: Option<Form>,
    opinions: Vec<Choice>,
    related: Related,
    employer: String,
    question_files: Vec<FileLink>,
    answer_files: Vec<FileLink>,
    messages: Vec<Message>,
    entries: Vec<TimelineEntry>,
    may_write: bool,
    is_auditor: bool,
    files_hint: String,
    body_max: u64,
    /// Until when an answer is aimed at, where that is said.
    target: Option<Text>,
    /// Whether malicious code was found in a file that the reader attached.
    infected: bool,
    /// Whether a mail tells the reader when something has come.
    told: bool,
    /// What has just been added, in words.
    sent: Option<Text>,
    /// Whether what was written has just been thrown away.
    discarded: bool,
}

/// A message as the page shows it.
struct Message {
    from_customer: bool,
    at: String,
    /// Empty where files came without a word; none where it was disposed of.
    text: Option<String>,
    files: Vec<FileLink>,
}

/// The case of a page, when the visitor may know of it.
///
/// # Errors
/// [`Failure::NotFound`] when it is not there or not the visitor's to know; when nobody is logged in.
pub async fn readable(app: &App, visitor: &Visitor, id: &str) -> Result<Unread<CaseView>, Failure> {
    let caller = visitor.caller()?;
    visitor.shown(app).await?;
    let id = CaseId::parse(id).ok_or(Failure::NotFound)?;
    let view = app.query(move |tables| case_page::by_id(tables, id)).await?.ok_or(Failure::NotFound)?;
    match may(&caller.actor, Action::Read, &view.standing()) {
        Verdict::Allowed => Ok(view),
        Verdict::Forbidden => Err(Failure::Forbidden),
        Verdict::Unknown => Err(Failure::NotFound),
    }
}

async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    let (view, receipt) = shown(&app, &visitor, &id).await?;
    if visitor.may(Duty::CaseWork) {
        return officer_case::show(&app, &visitor, view, &receipt).await;
    }
    let caller = visitor.caller()?;
    let left = async |form| {
        let address = form_address(view.id, form);
        Form::left(&app, caller.actor.person, form, &address).await.unwrap_or_default()
    };
    let mut form = left("message").await;
    if form.is_none() && view.status == Status::Closed {
        form = left(opinion::FORM).await;
    }
    let form = form.unwrap_or_else(|| Form::new("message"));
    let (case, version, is_own) = (view.id, view.version, is_own(caller, view.reporter));
    let page = page(&app, &visitor, (view, &receipt), form, StatusCode::OK).await?;
    if is_own && let Some(position) = mark::seen(&app, caller, case, version).await {
        return Ok((cookies::told(&app, visitor.jar.clone(), position), page).into_response());
    }
    Ok(page)
}

/// Whether a case is the caller's own.
fn is_own(caller: &Caller, reporter: Option<PersonId>) -> bool {
    reporter.is_some_and(|reporter| caller.actor.identities.contains(&reporter))
}

/// A case of the visitor's own.
///
/// # Errors
/// [`Failure::NotFound`] when it is another's, for to others it is not there; as [`readable`].
pub(super) async fn own(app: &App, visitor: &Visitor, id: &str) -> Result<(CaseView, Receipt), Failure> {
    let found = readable(app, visitor, id).await?;
    let caller = visitor.caller()?;
    if !found.cases().iter().all(|(_, reporter)| is_own(caller, *reporter)) {
        return Err(Failure::NotFound);
    }
    let receipt = app.recorded(caller, What::Case, found.cases()).await?;
    Ok((found.shown(&receipt)?, receipt))
}

/// The case of a page, when the visitor may know of it, once it is recorded that it is shown.
async fn shown(app: &App, visitor: &Visitor, id: &str) -> Result<(CaseView, Receipt), Failure> {
    let found = readable(app, visitor, id).await?;
    let receipt = app.recorded(visitor.caller()?, What::Case, found.cases()).await?;
    Ok((found.shown(&receipt)?, receipt))
}

async fn page(
    app: &App,
    visitor: &Visitor,
    (view, receipt): (CaseView, &Receipt),
    form: Form,
    status: StatusCode,
) -> Result<Response, Failure> {
    let language = visitor.language;
    let caller = visitor.caller()?;
    let title = Text::new(language, "case-title").with("number", view.number);
    let frame = Frame::new(app, visitor, title).await?.with_error(!form.errors.is_empty());
    let own = is_own(caller, view.reporter);
    let (form, opinion) = if form.id == opinion::FORM {
        (Form::new("message"), form)
    } else {
        (form, Form::new(opinion::FORM))
    };
    let related = Related::of(app, &caller.actor, &view).await?;
    let (id, number) = (view.id, view.employer);
    let reporter = view.reporter.filter(|_| caller.actor.role.hides_protected());
    let (entries, known, hidden, given) = app
        .query(move |tables| {
            let hidden = reporter.map(|reporter| protection::is_protected(tables, reporter)).transpose()?;
            let given = satisfaction::of_case(tables, id)?;
            Ok((timeline::of_case(tables, id, false)?, services::employer(tables, number)?, hidden, given))
        })
        .await?;
    let address = address(id);
    let employer = match hidden {
        Some(true) => Some(Text::new(language, "protected-employer").to_string()),
        _ => known.map(|known| employer::name_of(&known, language)),
    };
    let may_write = view.status != Status::Closed
        && may(&caller.actor, Action::AddMessage, &view.standing()) == Verdict::Allowed;
    let said = given.shown(receipt)?.map(|given| Said::new(&frame, &given));
    let asked = own && said.is_none() && is_asked(view.closed_at, app.clock.now());
    let done = |what: &str| visitor.address.ends_with(&format!("?done={what}"));
    let sent = ["message", "files"].into_iter().find(|what| done(what));
    let left = if sent.is_some() { "case-draft-other" } else { "case-draft-left" };
    let page = CaseTemplate {
        notice: form.saved_at.map(|_| form.kept_words(language, &Text::new(language, left))),
        discarded: done("discarded"),
        said,
        opinion: asked.then_some(opinion),
        opinions: opinion::choices(&frame),
        related,
        employer: employer.unwrap_or_else(|| number.to_string()),
        question_files: question_files(&view, &address),
        answer_files: view
            .answer_files
            .iter()
            .map(|card| FileLink::new(&view.scans, &address, card))
            .collect(),
        messages: messages(&frame, &view, &address),
        entries: entries.shown(receipt)?.iter().map(|entry| timeline_entry(&frame, entry)).collect(),
        may_write,
        is_auditor: caller.actor.role.may(Duty::Replay),
        files_hint: files_hint(language, app),
        body_max: BODY_MAX as u64,
        infected: own && has_infected(&view),
        told: own && is_told(app, caller).await?,
        sent: sent.map(|what| Text::new(language, format!("case-done-{what}"))),
        target: reply_target::words(app, language, (view.area, written_last(&view))),
        frame,
        view,
        form,
    };
    render_with(status, &page)
}

fn has_infected(view: &CaseView) -> bool {
    let theirs = view.attachments.iter().filter(|attached| attached.from == Party::Customer);
    theirs.into_iter().any(|attached| view.scan(attached.card.attachment_id) == Some(Scan::Infected))
}

/// When the customer wrote last.
fn written_last(view: &CaseView) -> DateTime<Utc> {
    let last = view.messages.iter().rev().find(|message| message.from == Party::Customer);
    last.map_or(view.received_at, |message| message.at)
}

/// Whether a mail tells the caller of an answer and of what is asked for.
async fn is_told(app: &App, caller: &Caller) -> Result<bool, Failure> {
    let (email, unwanted) = settings::mails(app, caller).await?;
    let wanted = |mail| !unwanted.contains(&mail);
    Ok(email.is_some() && wanted(Mail::Closed) && wanted(Mail::InformationRequested))
}

/// The files that came with the question.
fn question_files(view: &CaseView, address: &str) -> Vec<FileLink> {
    let own = view.attachments.iter().filter(|attached| attached.version == 1);
    own.map(|attached| FileLink::new(&view.scans, address, &attached.card)).collect()
}

/// The files that came later by themselves: those of messages and answer stand there.
fn files_alone(view: &CaseView) -> Vec<&Attached> {
    let elsewhere = |id| {
        let of_messages = view.messages.iter().flat_map(|message| &message.files);
        of_messages.chain(&view.answer_files).any(|card| card.attachment_id == id)
    };
    let is_alone = |attached: &&Attached| attached.version > 1 && !elsewhere(attached.card.attachment_id);
    view.attachments.iter().filter(is_alone).collect()
}

/// What came after the question, oldest first: messages, and files without a word.
fn messages(frame: &Frame, view: &CaseView, address: &str) -> Vec<Message> {
    let message = |(version, at): (u64, &DateTime<Utc>), from, text, files: Vec<&FileCard>| {
        let files = files.into_iter().map(|card| FileLink::new(&view.scans, address, card)).collect();
        (version, Message { from_customer: from == Party::Customer, at: frame.moment(at), text, files })
    };
    let written = view.messages.iter().map(|written| {
        message(
            (written.version, &written.at),
            written.from,
            written.text.clone(),
            written.files.iter().collect(),
        )
    });
    let alone = files_alone(view);
    let added = alone.chunk_by(|one, other| one.version == other.version).filter_map(|files| {
        let first = files.first()?;
        let cards = files.iter().map(|attached| &attached.card).collect();
        Some(message((first.version, &first.at), first.from, Some(String::new()), cards))
    });
    let mut all: Vec<_> = written.chain(added).collect();
    all.sort_by_key(|(version, _)| *version);
    all.into_iter().map(|(_, message)| message).collect()
}

/// An event in words. Only official notes have their text here; everything else is read where it belongs.
fn timeline_entry(frame: &Frame, entry: &Entry) -> TimelineEntry {
    let personal = entry.personal.as_deref().filter(|_| entry.event_type == "NoteAdded");
    let personal: Option<serde_json::Value> = personal.and_then(|text| serde_json::from_str(text).ok());
    let text = personal.as_ref().and_then(|personal| personal["text"].as_str());
    let status = match entry.event_type.as_str() {
        "CaseReceived" => Some(Status::Received),
        "ProcessingStarted" => Some(Status::InProcess),
        "CaseClosed" => Some(Status::Closed),
        _ => None,
    };
    TimelineEntry {
        at: entry.at,
        heading: frame.word("event", &entry.event_type).to_string(),
        detail: status.map(|status| frame.word("status", status).to_string()).unwrap_or_default(),
        text: text.unwrap_or_default().to_owned(),
        files: Vec::new(),
        step: status.is_some(),
    }
}

impl CaseTemplate {
    fn by_phone(&self) -> bool {
        self.view.channel == Channel::Telefon
    }

    fn is_closed(&self) -> bool {
        self.view.status == Status::Closed
    }

    /// What happens next, where it is not a question to the reader.
    fn next(&self) -> Option<Text> {
        match self.view.status {
            Status::Received => Some(self.frame.t("case-next-received")),
            Status::InProcess if self.view.request.is_none() => Some(self.frame.t("case-next-in-process")),
            Status::InProcess | Status::Closed => None,
        }
    }

    /// How what was typed stands, where it cannot be sent any more.
    fn typed(&self) -> Text {
        self.frame.t(if self.form.saved_at.is_some() { "case-draft-left" } else { "officer-typed" })
    }

    /// Whether the reader is whose case it is.
    fn is_own(&self) -> bool {
        self.frame.may(Duty::OwnCases.code())
    }
}
