//! `/driftstatus`: what is disturbed or planned, system by system, visible to all (K5, K8).

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use chrono::{DateTime, Utc};
use domain::service_status::NoticeKind;
use domain::{Language, System};
use projections::service_status::{self, Notice};

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, format};

/// Most notices that are read; what is older is history that nobody looks for here.
const NOTICES: u32 = 100;
/// Most past notices that are shown.
const PAST: usize = 10;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/driftstatus", get(show))
}

/// A notice in the reader's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeInWords {
    /// The system, by its code; `kundwebben` for ourselves.
    pub system: String,
    /// The name of the system.
    pub system_name: String,
    /// The core of it.
    pub title: String,
    /// What is affected and what one can do.
    pub body: String,
    /// Disruption or planned maintenance.
    pub kind: NoticeKind,
    /// From when, and until when where that is known.
    pub period: String,
    /// When it was last looked at.
    pub updated: String,
    /// When more is told.
    pub next: Option<String>,
    /// When it was over.
    pub resolved: Option<String>,
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
            let over = notice.resolved_at.or(notice.ends.filter(|_| notice.kind == NoticeKind::Maintenance));
            let place = match over {
                Some(over) if over <= now => &mut status.past,
                _ if notice.starts > now => &mut status.planned,
                _ => &mut status.now,
            };
            place.push(in_words(language, &notice));
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

fn in_words(language: Language, notice: &Notice) -> NoticeInWords {
    let (title, body) = match language {
        Language::Sv => (&notice.title_sv, &notice.body_sv),
        Language::En => (&notice.title_en, &notice.body_en),
    };
    let moment = |at: DateTime<Utc>| format::moment(language, at);
    let updated = Text::new(language, "status-updated")
        .with("date", format::date(language, format::day_of(notice.updated_at)))
        .with("time", format::time(language, notice.updated_at));
    let from = Text::new(language, "status-from").with("moment", moment(notice.starts));
    let period = match notice.ends {
        Some(ends) => format!("{from} {}", Text::new(language, "status-until").with("moment", moment(ends))),
        None => from.to_string(),
    };
    let next = |at: DateTime<Utc>| {
        Text::new(language, "status-next").with("time", format::time(language, at)).to_string()
    };
    NoticeInWords {
        system: notice.system.map_or("kundwebben", System::code).to_owned(),
        system_name: notice.system.map_or("Kundwebben", System::name).to_owned(),
        title: title.clone(),
        body: body.clone(),
        kind: notice.kind,
        period,
        updated: updated.to_string(),
        next: notice.next_update.filter(|_| notice.resolved_at.is_none()).map(next),
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
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let status = Status::read(&app, visitor.language).await?;
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "menu-status")).await?;
    let named = System::ALL.iter().filter(|system| **system != System::Annat);
    let systems = std::iter::once(("kundwebben", "Kundwebben"));
    let systems = systems.chain(named.map(|system| (system.code(), system.name()))).collect();
    render(&StatusPage { frame, status, systems })
}
