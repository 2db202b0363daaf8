//! `/arenden/{id}/lasningar`: who has read my case. For its reporter alone, who sees roles, as everywhere on the case's
//! page, and no names.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::{Language, Reading};
use projections::CaseView;
use serde::Deserialize;

use super::own;
use crate::app::reading::OpenedRead;
use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

/// Rows on a page.
const LIMIT: usize = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    before: String,
}

#[derive(Template)]
#[template(path = "pages/case_readings.html")]
struct ReadingsPage {
    frame: Frame,
    address: String,
    number: String,
    months: u32,
    rows: Vec<Row>,
    older: Option<String>,
    is_older: bool,
}

/// A reading, in words.
struct Row {
    at: String,
    who: String,
    what: String,
    file: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Failure> {
    let (view, _) = own(&app, &visitor, &id).await?;
    let before = asked.before.parse().unwrap_or(u64::MAX);
    let mut readings = app.readings(Some(view.id), before, LIMIT).await?;
    let more = readings.len() > LIMIT;
    readings.truncate(LIMIT);
    let address = super::address(view.id);
    let title = Text::new(visitor.language, "readings-title");
    let last = readings.last().filter(|_| more).map(|reading| reading.position);
    let page = ReadingsPage {
        frame: Frame::new(&app, &visitor, title).await?,
        number: view.number.to_string(),
        months: app.config.read_log.retention_months,
        rows: readings.iter().filter_map(|read| row(visitor.language, &view, read)).collect(),
        older: last.map(|last| format!("{address}/lasningar?before={last}")),
        is_older: !asked.before.is_empty(),
        address,
    };
    render(&page)
}

fn row(language: Language, view: &CaseView, read: &OpenedRead) -> Option<Row> {
    let reading = read.reading.as_ref()?;
    let mut cards = view.attachments.iter().map(|attached| &attached.card);
    let card = reading.attachment.and_then(|id| cards.find(|card| card.attachment_id == id));
    Some(Row {
        at: crate::format::moment(language, read.at),
        who: role(language, reading),
        what: what(language, reading),
        file: card
            .map(|card| Text::new(language, "reading-file").with("file", card.file_name.clone()).to_string()),
    })
}

/// In which role somebody has read.
pub fn role(language: Language, reading: &Reading) -> String {
    Text::new(language, format!("role-{}", reading.role)).to_string()
}

/// What somebody has read.
pub fn what(language: Language, reading: &Reading) -> String {
    Text::new(language, format!("reading-what-{}", reading.what)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::PersonId;
    use domain::access::Role;
    use domain::reading::{OPERATOR, What};
    use uuid::Uuid;

    #[test]
    fn every_reading_has_its_words_in_both_languages() {
        for language in Language::ALL {
            for kind in What::ALL {
                for code in Role::ALL.iter().map(|role| role.code()).chain([OPERATOR]) {
                    let reading = Reading {
                        who: PersonId(Uuid::nil()),
                        role: code.to_owned(),
                        what: *kind,
                        cases: Vec::new(),
                        attachment: None,
                        positions: None,
                        reason: None,
                    };
                    let words = [role(*language, &reading), what(*language, &reading)];
                    assert!(
                        words.iter().all(|words| !words.contains('-') || words.contains(' ')),
                        "{words:?}"
                    );
                    assert!(
                        !words[0].starts_with("role-") && !words[1].starts_with("reading-what-"),
                        "{words:?}"
                    );
                }
            }
        }
    }
}
