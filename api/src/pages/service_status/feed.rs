//! `/driftstatus/atom`: the notices as a feed (Atom, RFC 4287), for programs that tell people of news.

use askama::Template;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::Language;
use projections::service_status;
use serde::Deserialize;

use super::{NOTICES, NoticeInWords, in_words};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/driftstatus/atom", get(show))
}

#[derive(Deserialize)]
struct Wanted {
    /// The code of a language; Swedish where there is none.
    #[serde(default)]
    kod: String,
}

#[derive(Template)]
#[template(path = "pages/service_status_feed.xml")]
struct Feed {
    language: Language,
    /// The address of the web, without a slash at its end.
    web: String,
    title: Text,
    /// When anything changed last.
    updated: String,
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    updated: String,
    words: NoticeInWords,
}

async fn show(State(app): State<App>, Query(wanted): Query<Wanted>) -> Result<Response, Failure> {
    let language = Language::parse(&wanted.kod).unwrap_or(Language::Sv);
    let notices = app.query(|tables| service_status::notices(tables, NOTICES)).await?;
    let now = app.clock.now();
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let newest = notices.iter().map(|notice| notice.updated_at).max().unwrap_or_default();
    let entry = |notice: service_status::Notice| Entry {
        id: notice.id.to_string(),
        updated: written(notice.updated_at),
        words: in_words(language, &notice, now),
    };
    let feed = Feed {
        language,
        web: app.config.public_url().trim_end_matches('/').to_owned(),
        title: Text::new(language, "status-feed-title"),
        updated: written(newest),
        entries: notices.into_iter().map(entry).collect(),
    };
    let text = feed.render().map_err(|error| {
        tracing::error!(%error, "the feed could not be rendered");
        Failure::Internal
    })?;
    let headers =
        [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}
