//! `/driftstatus/{id}`: one notice with everything that it has said.

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;
use domain::service_status::Progress;
use domain::{Language, StreamId};
use projections::service_status::{self, Notice, Update};

use super::{NoticeInWords, in_words};
use crate::pages::{Form, Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, markdown};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/driftstatus/{id}", get(show))
}

#[derive(Template)]
#[template(path = "pages/service_status_notice.html")]
struct NoticePage {
    frame: Frame,
    notice: NoticeInWords,
    /// When, and what was said then: the core, and the rest as HTML.
    updates: Vec<(String, String, String)>,
    /// For who writes notices: the form by which it is said to be over, where it is not.
    edits: bool,
    form: Option<Form>,
}

async fn show(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let notice = known(&app, &id).await?;
    let stream = notice.id;
    let updates = app.query(move |tables| service_status::updates(tables, stream)).await?;
    let language = visitor.language;
    let words = in_words(language, &notice, app.clock.now());
    let edits = visitor.may(Duty::ServiceStatus);
    let over = words.progress == Progress::Resolved;
    let form = (edits && !over).then(|| Form::new("resolve").on_version(notice.version));
    let frame = Frame::new(&app, &visitor, &words.title).await?;
    let updates = updates.into_iter().map(|update| said(&frame, update)).collect();
    render(&NoticePage { frame, notice: words, updates, edits, form })
}

/// The notice of an address.
///
/// # Errors
/// [`Failure::NotFound`] where there is none.
pub(super) async fn known(app: &App, id: &str) -> Result<Notice, Failure> {
    let id = StreamId::parse(id).ok_or(Failure::NotFound)?;
    app.query(move |tables| service_status::notice(tables, id)).await?.ok_or(Failure::NotFound)
}

fn said(frame: &Frame, update: Update) -> (String, String, String) {
    let (title, body) = match (update.text, frame.language) {
        (Some(text), Language::Sv) => (text.title_sv, markdown::html(&text.body_sv, 4)),
        (Some(text), Language::En) => (text.title_en, markdown::html(&text.body_en, 4)),
        (None, language) => (Text::new(language, "status-over").to_string(), String::new()),
    };
    (frame.moment(&update.at), title, body)
}
