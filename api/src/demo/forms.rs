//! The demo's payroll forms: small invented PDFs, published by whoever writes content.

use std::io;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use domain::access::Duty;
use domain::payroll_form::WrittenForm;
use infrastructure::committer::Expected;

use crate::demo::pdf;
use crate::demo::persons::PERSONS;
use crate::{App, payroll};

/// Publishes a file for every form that ships with the program.
///
/// # Errors
/// When a file is refused, or the log cannot be written.
pub(super) async fn publish(app: &App) -> anyhow::Result<()> {
    let editor = PERSONS.iter().find(|person| person.role.may(Duty::Content));
    let editor = app.caller(editor.context("nobody in the demo writes content")?.identity()).await?;
    for form in payroll::forms(app).await? {
        let (code, name_sv, name_en) = (&form.code, &form.name_sv, &form.name_en);
        let title = format!("{code} {name_sv}");
        let page = pdf::page(&[&title, "Påhittad blankett", "", "Namn:", "Anställningsnummer:", "Datum:"]);
        let content = futures::stream::iter([Ok::<_, io::Error>(Bytes::from(page))]);
        let file = app.stage(&editor, &format!("{code}.pdf"), content).await.context("a form of the demo")?;
        let written = WrittenForm { code, name_sv, name_en, file: Some(&file) };
        let event = written.publish().map_err(|errors| anyhow!("{errors:?}"))?;
        let stream = payroll::form_stream(app, code);
        app.append(editor.actor.person, stream, event, Expected::New).await?;
    }
    Ok(())
}
