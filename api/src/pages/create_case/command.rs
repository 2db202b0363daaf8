//! From the form to the command.

use std::time::Duration;

use domain::access::Reach;
use domain::case::commands::create::Create;
use domain::reading::What;
use domain::refusal::{Code, FieldError};
use domain::{Area, CaseCommand, CaseNumber, Channel, SubArea};
use infrastructure::Outcome;
use projections::{Filter, Sort, case_page, my_cases, services};

use crate::app::{Caller, Command};
use crate::pages::{Form, Visitor, employer};
use crate::requests::{CreateRequest, ReporterRequest};
use crate::texts::{Text, error_text};
use crate::{App, Failure};

/// The field that says that its sender knows of a case with the same words.
const AGAIN: &str = "again";
/// For how long the same words are taken for the same case.
const SAME_CASE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many of a person's newest cases are compared.
const COMPARED: u64 = 10;

/// Creates the case that a form on the page of `address` asks for. The same form sent again gives the same outcome.
pub(in crate::pages) async fn create(
    app: &App,
    visitor: &Visitor,
    caller: &Caller,
    form: &mut Form,
    (address, request): (&str, CreateRequest),
) -> Result<Outcome, Failure> {
    let parsed = request.parse(app, caller, form.uploaded(), Channel::Webb)?;
    form.ready()?;
    if form.value(AGAIN).is_empty()
        && let Some(number) = twin(app, visitor, &parsed.command).await.unwrap_or_default()
        && !form.was_sent(app, caller).await?
    {
        form.set(AGAIN, "yes");
        add_sent(visitor, form, number);
        form.refuse_attached(app, visitor.language).await?;
        return Err(Failure::Fields(Vec::new()));
    }
    let followed = match parsed.command.follows_up {
        Some(number) => app.case_of_number(number).await?,
        None => None,
    };
    let command = Command {
        key: Some(form.key.to_string()),
        request: form.fingerprint(address),
        correlation: visitor.trace.correlation(),
        case: None,
        expected_version: None,
        command: CaseCommand::Create(parsed.command),
        see: parsed.see.into_iter().collect(),
        followed,
    };
    match app.run(caller, command).await.map_err(Failure::from) {
        Err(Failure::Fields(errors)) => Err(Failure::Fields(named(app, visitor, errors).await?)),
        Err(Failure::IdempotencyKeyReused) => Err(already_sent(app, visitor, caller, (form, address)).await?),
        result => result,
    }
}

/// What the employee's form asks for.
pub(super) fn request(visitor: &Visitor, caller: &Caller, form: &Form) -> CreateRequest {
    let only_employer = match caller.actor.employers.as_deref() {
        Some([employer]) => Some(employer.as_str().to_owned()),
        _ => None,
    };
    let language = Some(visitor.language.to_string());
    let filled = filled(form);
    let (name, email) = (form.filled("reporter-name"), form.filled("reporter-email"));
    let reporter = for_another(form).then_some(ReporterRequest { subject: None, name, email });
    CreateRequest { reporter, employer: filled.employer.or(only_employer), language, ..filled }
}

/// Whether a decision or document for a colleague stands in a form, which a requester alone may send.
pub(super) fn for_another(form: &Form) -> bool {
    let document = filled(form).sub_area.is_some_and(|code| code.trim() == SubArea::BeslutUnderlag.code());
    document && names_another(form)
}

/// Whether a colleague stands in a form.
pub(super) fn names_another(form: &Form) -> bool {
    form.filled("reporter-name").is_some() || form.filled("reporter-email").is_some()
}

/// What stands in a form. A sub-area or a system that was chosen before the area was changed is left out.
pub(in crate::pages) fn filled(form: &Form) -> CreateRequest {
    let is_payroll = form.value("area") == Area::Lon.code();
    CreateRequest {
        employer: form.filled("employer"),
        area: form.filled("area"),
        sub_area: form.filled("subArea").filter(|_| is_payroll),
        system: form.filled("system").filter(|_| !is_payroll),
        subject: form.filled("subject"),
        message: form.filled("message"),
        attachments: Vec::new(),
        language: form.filled("language"),
        follows_up: form.filled("followsUp"),
        channel: None,
        reporter: None,
    }
}

/// Errors that name the employer by name instead of number.
pub(in crate::pages) async fn named(
    app: &App,
    visitor: &Visitor,
    mut errors: Vec<FieldError>,
) -> Result<Vec<FieldError>, Failure> {
    for error in errors.iter_mut().filter(|error| error.code == Code::AreaNotAvailable) {
        for (_, value) in error.arguments.iter_mut().filter(|(name, _)| *name == "employer") {
            let Some(number) = domain::OrganisationNumber::parse(value) else { continue };
            if let Some(known) = app.query(move |tables| services::employer(tables, number)).await? {
                *value = employer::name_of(&known, visitor.language);
            }
        }
    }
    Ok(errors)
}

/// The form was sent before and has been changed since: its sender is told the number of the case. Sending what it
/// says now is then another case.
pub(super) async fn already_sent(
    app: &App,
    visitor: &Visitor,
    caller: &Caller,
    (form, address): (&mut Form, &str),
) -> Result<Failure, Failure> {
    let id = app.command_id(caller.actor.person, Some(&form.key.to_string()));
    let number: Option<CaseNumber> = app.log.outcome(id).await?.map(|kept| kept.outcome.case_number);
    // The files that went along are that case's.
    form.begin_anew(app, caller.actor.person, (visitor.language, address)).await?;
    let Some(number) = number else { return Ok(Failure::IdempotencyKeyReused) };
    form.set(AGAIN, "yes");
    add_sent(visitor, form, number);
    Ok(Failure::Fields(Vec::new()))
}

fn add_sent(visitor: &Visitor, form: &mut Form, number: CaseNumber) {
    let sent = error_text(visitor.language, "duplicate").with("number", number);
    form.add_error("", format!("{sent} {}", Text::new(visitor.language, "create-again")));
}

/// The number of a case that the caller sent a short while ago with the same words: from another window, which had a form
/// of its own.
async fn twin(app: &App, visitor: &Visitor, create: &Create) -> Result<Option<CaseNumber>, Failure> {
    if create.channel != Channel::Webb || create.on_behalf_of.is_some() {
        return Ok(None);
    }
    visitor.shown(app).await?;
    let caller = visitor.caller()?;
    let reach = Reach { reporters: Some(caller.actor.identities.clone()), ..Reach::default() };
    let since = app.clock.now() - SAME_CASE;
    let newest = app
        .query(move |tables| my_cases::find(tables, &reach, &Filter::default(), (Sort::Newest, 1, COMPARED)))
        .await?;
    let newest = app.shown_to(caller, What::Case, newest).await?;
    for row in newest.rows.into_iter().filter(|row| row.received_at > since) {
        let is_like = row.subject.as_deref() == Some(create.subject.as_str())
            && (row.employer, row.area) == (create.employer, create.topic.area());
        if !is_like {
            continue;
        }
        let Some(found) = app.query(move |tables| case_page::by_id(tables, row.id)).await? else { continue };
        let view = app.shown_to(caller, What::Case, found).await?;
        if view.message.as_deref() == Some(create.message.as_str()) {
            return Ok(Some(row.number));
        }
    }
    Ok(None)
}
