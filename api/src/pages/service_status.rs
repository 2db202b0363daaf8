//! `/driftstatus`: what is disturbed or planned, system by system, visible to all (K5, K8).

mod edit;
mod feed;
mod notice;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, Utc};
use domain::access::Duty;
use domain::service_status::{NoticeKind, OURSELVES, Progress};
use domain::{Language, System};
use projections::service_status::{self, Notice};

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, format, markdown};

/// Most notices that are read; what is older is history that nobody looks for here.
const NOTICES: u32 = 100;
/// Most past notices that are shown.
const PAST: usize = 10;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/driftstatus", get(show))
        .merge(feed::routes())
        .merge(edit::routes())
        .merge(notice::routes())
}

/// A notice in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeInWords {
    /// Where it can be read alone.
    pub address: String,
    /// The system, by its code; `kundwebben` for ourselves.
    pub system: String,
    /// The name of the system.
    pub system_name: String,
    /// The core of it.
    pub title: String,
    /// What is affected, as HTML.
    pub body: String,
    /// What one can do meanwhile, as HTML; may be empty.
    pub advice: String,
    /// Disruption or planned maintenance.
    pub kind: NoticeKind,
    /// How far it has come.
    pub progress: Progress,
    /// From when, and until when where that is known.
    pub period: String,
    /// When it was last looked at.
    pub updated: String,
    /// When more is told.
    pub next: Option<String>,
    /// When it was over.
    pub resolved: Option<String>,
}

impl NoticeInWords {
    /// Whether it is about Kundwebb itself.
    pub fn is_ours(&self) -> bool {
        self.system == OURSELVES
    }
}

/// The notices of a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What is going on.
    pub now: Vec<NoticeInWords>,
    /// What will be.
    pub planned: Vec<NoticeInWords>,
    /// What was.
    pub past: Vec<NoticeInWords>,
}

impl Status {
    /// The status of this moment.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn read(app: &App, language: Language) -> Result<Self, Failure> {
        let now = app.clock.now();
        let mut status = Self::default();
        for notice in app.query(|tables| service_status::notices(tables, NOTICES)).await? {
            let words = in_words(language, &notice, now);
            match words.progress {
                Progress::Planned => status.planned.push(words),
                Progress::Ongoing => status.now.push(words),
                Progress::Resolved => status.past.push(words),
            }
        }
        status.planned.reverse();
        status.past.truncate(PAST);
        Ok(status)
    }

    /// What is going on with a system, by its code.
    pub fn of(&self, system: &str) -> Vec<&NoticeInWords> {
        self.now.iter().filter(|notice| notice.system == system).collect()
    }
}

/// What is written in a notice: its title, what is affected, and what one can do.
pub fn written(language: Language, notice: &Notice) -> (&str, &str, &str) {
    match language {
        Language::Sv => (&notice.title_sv, &notice.body_sv, &notice.advice_sv),
        Language::En => (&notice.title_en, &notice.body_en, &notice.advice_en),
    }
}

/// A notice at a moment, in words.
pub fn in_words(language: Language, notice: &Notice, now: DateTime<Utc>) -> NoticeInWords {
    let (title, body, advice) = written(language, notice);
    let progress = notice.progress(now);
    let moment = |at: DateTime<Utc>| format::moment(language, at);
    let updated = Text::new(language, "status-updated")
        .with("date", format::date(language, format::day_of(notice.updated_at)))
        .with("time", format::time(language, notice.updated_at));
    let from = Text::new(language, "status-from").with("moment", moment(notice.starts));
    let period = match notice.ends {
        Some(ends) if format::day_of(ends) == format::day_of(notice.starts) => {
            let day = Text::new(language, "status-within-a-day")
                .with("date", format::date(language, format::day_of(ends)))
                .with("from", format::time(language, notice.starts))
                .with("until", format::time(language, ends));
            day.to_string()
        }
        Some(ends) => format!("{from} {}", Text::new(language, "status-until").with("moment", moment(ends))),
        None => from.to_string(),
    };
    let next = |at: DateTime<Utc>| {
        let (key, at) = if format::day_of(at) == format::day_of(now) {
            ("status-next", format::time(language, at))
        } else {
            ("status-next-day", moment(at))
        };
        Text::new(language, key).with("time", at).to_string()
    };
    NoticeInWords {
        address: format!("/driftstatus/{}", notice.id),
        system: notice.system.map_or(OURSELVES, System::code).to_owned(),
        system_name: notice.system.map_or("Kundwebben", System::name).to_owned(),
        title: title.to_owned(),
        body: markdown::html(body, 3),
        advice: markdown::html(advice, 3),
        kind: notice.kind,
        progress,
        period,
        updated: updated.to_string(),
        next: notice.next_update.filter(|_| progress != Progress::Resolved).map(next),
        resolved: notice
            .resolved_at
            .map(|at| Text::new(language, "status-resolved").with("moment", moment(at)).to_string()),
    }
}

#[derive(Template)]
#[template(path = "pages/service_status.html")]
struct StatusPage {
    frame: Frame,
    status: Status,
    systems: Vec<(&'static str, &'static str)>,
    /// Whether the reader writes notices.
    edits: bool,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let status = Status::read(&app, visitor.language).await?;
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "menu-status")).await?;
    let edits = visitor.may(Duty::ServiceStatus);
    render(&StatusPage { frame, status, systems: systems().collect(), edits })
}

/// Kundwebb and the five systems, by code and name.
pub(super) fn systems() -> impl Iterator<Item = (&'static str, &'static str)> {
    let named = System::ALL.iter().filter(|system| **system != System::Annat);
    std::iter::once((OURSELVES, "Kundwebben")).chain(named.map(|system| (system.code(), system.name())))
}
