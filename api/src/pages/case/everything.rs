//! `/arenden/{id}/allt`: everything in a case in one archive, its files and what was written as the API shows it. It is
//! put together while it goes out.

use std::collections::HashSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Europe::Stockholm;
use domain::reading::What;
use futures::stream::{self, StreamExt, TryStreamExt};
use projections::CaseView;
use serde::Serialize;
use tokio::sync::mpsc::{self, Sender};
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::readable;
use crate::app::scanning::OpenFile;
use crate::download;
use crate::pages::Visitor;
use crate::v1::case_body::CaseBody;
use crate::v1::cases::case::body;
use crate::v1::cases::timeline::events;
use crate::v1::event_body::EventBody;
use crate::{App, Failure};

/// What was written in the case.
const CASE_FILE: &str = "arende.json";
/// Longest name of a file in the archive, characters.
const NAME_MAX: usize = 120;

/// What was written in a case, and everything that has happened in it.
#[derive(Serialize)]
struct WholeCase {
    #[serde(flatten)]
    case: CaseBody,
    events: Vec<EventBody>,
}

/// What goes into the archive under a name.
type Part<'a> = (String, DateTime<Utc>, OpenFile<'a>);

pub(super) async fn fetch(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let found = readable(&app, &visitor, &id).await?;
    let caller = visitor.caller()?;
    let receipt = app.recorded(caller, What::Everything, found.cases()).await?;
    let view = found.shown(&receipt)?;
    let mut case = body(&app, caller, visitor.language, &view).await?;
    if !caller.actor.role.sees_all() {
        // The pages do not say either who it was at the centre.
        case.summary.officer = None;
    }
    let events = events(&app, caller, &view, &receipt).await?;
    let case = serde_json::to_vec_pretty(&WholeCase { case, events }).map_err(|_| Failure::Internal)?;
    let (sender, receiver) = mpsc::channel(1);
    let name = format!("{}.zip", view.number);
    tokio::spawn(async move {
        // Whoever gets half an archive is told so by the connection that breaks off.
        if let Err(error) = write(&app, &view, &case, &sender).await {
            tracing::warn!(%error, "an archive of a case broke off");
            let _ = sender.send(Err(error)).await;
        }
    });
    let content =
        stream::unfold(receiver, async |mut receiver| receiver.recv().await.map(|part| (part, receiver)));
    // Whoever compresses it asks once more after its end.
    let content = content.fuse();
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, download::disposition(&name)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(content)).into_response())
}

/// Writes the archive part by part; no more than a piece of a file is held.
async fn write(
    app: &App,
    view: &CaseView,
    case: &[u8],
    sender: &Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let folder = view.number;
    let written = Written::default();
    let mut archive: ZipWriter<StreamWriter<Written>> = ZipWriter::new_stream(written.clone());
    archive
        .start_file(format!("{folder}/{CASE_FILE}"), options(view.received_at))
        .map_err(io::Error::from)?;
    archive.write_all(case)?;
    for (name, at, file) in parts(view) {
        archive.start_file(format!("{folder}/{name}"), options(at)).map_err(io::Error::from)?;
        let content = app.content_of(file).await;
        let mut content = content.map_err(|failure| io::Error::other(failure.code()))?;
        while let Some(piece) = content.try_next().await.map_err(io::Error::other)? {
            archive.write_all(&piece)?;
            if sender.send(Ok(written.take())).await.is_err() {
                // Nobody takes it any more.
                return Ok(());
            }
        }
    }
    archive.finish().map_err(io::Error::from)?;
    let _ = sender.send(Ok(written.take())).await;
    Ok(())
}

/// Files are stored as they are: they are compressed already.
fn options(at: DateTime<Utc>) -> SimpleFileOptions {
    let at = at.with_timezone(&Stockholm);
    let part = |value: u32| u8::try_from(value).unwrap_or_default();
    let time = zip::DateTime::from_date_and_time(
        u16::try_from(at.year()).unwrap_or_default(),
        part(at.month()),
        part(at.day()),
        part(at.hour()),
        part(at.minute()),
        part(at.second()),
    );
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    options.last_modified_time(time.unwrap_or_default())
}

/// What the archive has written and nobody has taken yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of a case that may be opened, each under a name that no other has; what is written tells of the others.
fn parts(view: &CaseView) -> Vec<Part<'_>> {
    let mut taken = HashSet::from([CASE_FILE.to_owned()]);
    let opened = view.attachments.iter().filter_map(|attached| {
        let file = OpenFile::of(view, attached.card.attachment_id).ok()?;
        Some((unused(&mut taken, &attached.card.file_name), attached.at, file))
    });
    opened.collect()
}

/// A name that every system takes, and that is not taken; upper and lower case are the same to some.
fn unused(taken: &mut HashSet<String>, file_name: &str) -> String {
    let safe = safe(file_name);
    let (stem, extension) = safe.rsplit_once('.').map_or((safe.as_str(), ""), |(stem, rest)| (stem, rest));
    let numbered = |number: u32| match (number, extension) {
        (1, _) => safe.clone(),
        (_, "") => format!("{stem} ({number})"),
        (_, extension) => format!("{stem} ({number}).{extension}"),
    };
    (1..).map(numbered).find(|name| taken.insert(name.to_lowercase())).unwrap_or_default()
}

/// A name without what leads elsewhere or what some system does not take.
fn safe(file_name: &str) -> String {
    let odd = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    let name: String = file_name.chars().map(|c| if odd(c) { '_' } else { c }).collect();
    let name = name.trim_matches(['.', ' ']);
    let stem = name.split('.').next().unwrap_or_default().to_uppercase();
    let numbered = |device: &str| {
        let port = stem.strip_prefix(device).unwrap_or_default();
        port.len() == 1 && port.chars().all(|c| c.is_ascii_digit())
    };
    let reserved =
        ["", "CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT");
    let name = if reserved { format!("fil_{name}") } else { name.to_owned() };
    let surplus = name.chars().count().saturating_sub(NAME_MAX);
    // Of a long name its end stays, which says of what kind the file is.
    name.chars().skip(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_and_every_system_takes_them() {
        for (name, expected) in [
            ("lönebesked mars.pdf", "lönebesked mars.pdf"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("C:\\temp\\a.pdf", "C__temp_a.pdf"),
            ("a\0b\n.pdf", "a_b_.pdf"),
            ("nul.pdf", "fil_nul.pdf"),
            ("COM1", "fil_COM1"),
            ("COM10.pdf", "COM10.pdf"),
            ("rapport. ", "rapport"),
            ("..", "fil_"),
        ] {
            assert_eq!(safe(name), expected, "{name:?}");
        }
        let long = format!("{}.pdf", "å".repeat(300));
        assert!(safe(&long).chars().count() == NAME_MAX && safe(&long).ends_with("å.pdf"));
    }

    #[test]
    fn no_two_files_have_the_same_name() {
        let mut taken = HashSet::from([CASE_FILE.to_owned()]);
        let names = ["a.pdf", "A.PDF", "a.pdf", "a", "a", "a (2).pdf", "Arende.json"];
        assert_eq!(
            names.map(|name| unused(&mut taken, name)),
            ["a.pdf", "A (2).PDF", "a (3).pdf", "a", "a (2)", "a (2) (2).pdf", "Arende (2).json"]
        );
    }
}
