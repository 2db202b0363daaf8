//! The demo's steps as real commands by real callers.

use anyhow::Context as _;
use bytes::Bytes;
use chrono::{Days, NaiveDate};
use domain::access::Role;
use domain::case::commands::StartProcessing;
use domain::files::UploadedFile;
use domain::{CaseCommand, Channel, NoteKind, calendar, reading};
use infrastructure::tokens::Identity;

use crate::App;
use crate::app::{Caller, Command};
use crate::demo::pdf;
use crate::demo::schedule::{Door, Plot, Step, What};
use crate::pages::case::mark;
use crate::requests::{
    AddMessageRequest, AddNoteRequest, ChangeRequest, CloseRequest, CreateRequest, ReporterRequest,
    RequestInformationRequest,
};

/// Working days that a customer has to answer.
const ANSWER_DAYS: usize = 10;

/// Does what a step says.
///
/// # Errors
/// When it is refused: then the demo's plan breaks the rules.
pub(super) async fn run(app: &App, step: &Step) -> anyhow::Result<()> {
    if step.what == What::Create {
        return create(app, step).await;
    }
    let by_customer = matches!(step.what, What::Reply | What::Open);
    let by = if by_customer { step.plot.customer } else { step.plot.officer };
    let caller = app.caller(by.identity()).await?;
    if step.what == What::Open {
        let version = app.log.stream(step.case.into()).await?.len() as u64;
        mark::tell(app, &caller, step.case, version).await?;
        return Ok(());
    }
    if !by_customer {
        // Whoever answers has read.
        let read = app.recorded(&caller, reading::What::Case, &[(step.case, None)]).await;
        read.map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    }
    let command = change(app, step).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    app.run(&caller, as_command(step, command)).await?;
    Ok(())
}

fn as_command(step: &Step, command: CaseCommand) -> Command {
    Command {
        key: None,
        request: Vec::new(),
        correlation: infrastructure::random::id(),
        case: Some(step.case),
        expected_version: None,
        command,
        see: Vec::new(),
        followed: None,
    }
}

fn change(app: &App, step: &Step) -> Result<CaseCommand, Vec<domain::FieldError>> {
    let entry = step.plot.entry;
    match step.what {
        What::Create | What::Open | What::StartProcessing => {
            Ok(CaseCommand::StartProcessing(StartProcessing {}))
        }
        What::RequestInformation => {
            let due_date = Some(working_days_on(calendar::day(app.clock.now())).to_string());
            RequestInformationRequest { text: Some(entry.ask().to_owned()), due_date }.parse(Vec::new())
        }
        What::Reply => {
            AddMessageRequest { text: Some(entry.reply().to_owned()), ..Default::default() }.parse(Vec::new())
        }
        What::AddNote(kind) => {
            let text = match kind {
                NoteKind::Official => "Ärendet togs emot per telefon. Frågan är återgiven som den ställdes.",
                NoteKind::Working => "Kollat tidigare ärenden om samma sak. Väntar på uppgift ur systemet.",
            };
            AddNoteRequest { kind: Some(kind.to_string()), text: Some(text.to_owned()) }.parse(Vec::new())
        }
        What::Close => {
            CloseRequest { answer: Some(entry.answer.clone()), ..Default::default() }.parse(Vec::new())
        }
    }
}

fn working_days_on(day: NaiveDate) -> NaiveDate {
    let days = std::iter::successors(Some(day), |day| day.checked_add_days(Days::new(1)));
    days.skip(1).filter(|day| !calendar::is_holiday(*day)).nth(ANSWER_DAYS - 1).unwrap_or(day)
}

async fn create(app: &App, step: &Step) -> anyhow::Result<()> {
    let Plot { customer, officer, entry, door } = step.plot;
    let caller = app.caller(match door {
        Door::Pages => customer.identity(),
        Door::Phone => officer.identity(),
        Door::System => system(&step.plot),
    });
    let caller = caller.await?;
    let reporter = ReporterRequest {
        // An officer on the phone knows no login; the first login joins the call.
        subject: (door == Door::System).then(|| customer.subject.to_owned()),
        name: Some(customer.name.to_owned()),
        email: Some(customer.email()),
    };
    let request = CreateRequest {
        employer: customer.employer().map(|employer| employer.to_string()),
        area: Some(entry.area.to_string()),
        sub_area: entry.sub_area.clone(),
        system: entry.system.clone(),
        subject: Some(entry.subject.clone()),
        message: Some(entry.message.clone()),
        channel: (door == Door::Phone).then(|| Channel::Telefon.to_string()),
        reporter: (door != Door::Pages).then_some(reporter),
        ..CreateRequest::default()
    };
    let files = match &entry.file {
        Some(name) => vec![file(app, &caller, name, &entry.subject).await?],
        None => Vec::new(),
    };
    let channel = if door == Door::System { Channel::Api } else { Channel::Webb };
    let created =
        request.parse(app, &caller, files, channel).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let command = as_command(step, CaseCommand::Create(created.command));
    app.run(&caller, Command { see: created.see.into_iter().collect(), ..command }).await?;
    Ok(())
}

/// The system that a case is about, as a caller.
fn system(plot: &Plot) -> Identity {
    Identity {
        subject: plot.entry.system.clone().unwrap_or_default(),
        role: Role::System,
        name: None,
        email: None,
        employers: plot.customer.employer().map(|employer| vec![employer]),
        areas: None,
    }
}

async fn file(app: &App, caller: &Caller, name: &str, title: &str) -> anyhow::Result<UploadedFile> {
    let page = pdf::page(&[title, "", "Detta dokument är påhittat och hör till Kundwebbens demo."]);
    let content = futures::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(page))]);
    app.stage(caller, name, content).await.context("a file of the demo")
}
