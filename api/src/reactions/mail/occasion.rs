//! From a delivery to its message: what the facts of the case, up to the event that caused it, let a mail say.

use chrono::{DateTime, Utc};
use domain::vocabulary::Template;
use domain::{Area, Event, Language, OrganisationNumber, StreamId};
use infrastructure::LogError;
use infrastructure::clock::from_micros;
use infrastructure::log::Delivery;
use infrastructure::stored::StoredEvent;

use crate::App;
use crate::mail::message::{Heading, build};
use crate::mail::{Letter, Message, MessageId, Occasion};
use crate::reactions::mail::news;
use crate::reactions::mail::recipient::{Recipient, recipient};

/// A mail that can be handed over.
pub(super) struct Prepared {
    pub(super) message: Message,
    /// The recipient's address, so that it can be taken out of replies.
    pub(super) address: String,
    /// The employer that it concerns; none where it is for all.
    pub(super) employer: Option<OrganisationNumber>,
}

/// Why a mail cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unprepared {
    /// It will never be.
    #[error("{0}")]
    Never(&'static str),
    /// Perhaps later.
    #[error("{0}")]
    NotNow(String),
}

impl From<LogError> for Unprepared {
    fn from(error: LogError) -> Self {
        Self::NotNow(error.to_string())
    }
}

/// What the facts of a case tell.
struct Facts {
    occasion: Occasion,
    employer: OrganisationNumber,
    /// When the cause happened.
    at: DateTime<Utc>,
    /// What tells the cause from others: its version, or its position where it stands in another stream than its case.
    mark: u64,
}

/// The identity of a delivery's mail.
pub(super) fn message_id(app: &App, delivery: &Delivery) -> MessageId {
    MessageId::new(&app.keys, &delivery.cause, delivery.recipient, app.mail.domain())
}

/// The employer that a delivery concerns, where its case is found.
pub(super) async fn employer(app: &App, delivery: &Delivery) -> Option<OrganisationNumber> {
    facts(app, delivery).await.ok().map(|facts| facts.employer)
}

/// Puts the mail of a delivery together.
pub(super) async fn prepare(app: &App, delivery: &Delivery) -> Result<Prepared, Unprepared> {
    if delivery.template == Template::ServiceStatus {
        return news::prepare(app, delivery).await;
    }
    let mut facts = facts(app, delivery).await?;
    let employer = Some(facts.employer);
    let to = recipient(&app.reader, delivery.recipient, employer).await?;
    if let Some(chosen) = to.language {
        facts.occasion.language = chosen;
    }
    let letter = facts.occasion.write(delivery.template).map_err(|error| not_now(&error))?;
    let name = format!("{}-{}-{}", facts.occasion.number, facts.mark, delivery.template);
    let about = About { at: facts.at, language: facts.occasion.language, name };
    address(app, delivery, (to, employer), &about, letter)
}

/// What a mail's headers tell of it.
pub(super) struct About {
    /// When its cause happened.
    pub(super) at: DateTime<Utc>,
    pub(super) language: Language,
    /// What its file is called.
    pub(super) name: String,
}

/// Puts a letter into its envelope.
pub(super) fn address(
    app: &App,
    delivery: &Delivery,
    (to, employer): (Recipient, Option<OrganisationNumber>),
    about: &About,
    letter: Letter,
) -> Result<Prepared, Unprepared> {
    let address = to.address.ok_or(Unprepared::Never("no address"))?;
    let to =
        address.as_str().parse().map_err(|_| Unprepared::Never("the address cannot be used for mail"))?;
    let (id, first) = (message_id(app, delivery), first_id(app, delivery));
    let heading = Heading {
        from: app.mail.from.clone(),
        to,
        first: (first != id).then_some(first),
        id,
        at: about.at,
        language: about.language,
        delivery: delivery.id,
        file_name: format!("{}.eml", about.name),
    };
    let message = build(heading, letter).map_err(|error| not_now(&error))?;
    Ok(Prepared { message, address: address.as_str().to_owned(), employer })
}

/// What may be otherwise later.
pub(super) fn not_now(error: &dyn std::fmt::Display) -> Unprepared {
    Unprepared::NotNow(error.to_string())
}

/// The identity of the first mail of a case, its receipt; or of a notice.
fn first_id(app: &App, delivery: &Delivery) -> MessageId {
    MessageId::new(&app.keys, &format!("{}-1", delivery.case), delivery.recipient, app.mail.domain())
}

async fn facts(app: &App, delivery: &Delivery) -> Result<Facts, Unprepared> {
    let missing = Unprepared::Never("the case is not in the log");
    let Some((stream, version)) = delivery.cause.rsplit_once('-') else { return Err(missing) };
    let Ok(version) = version.parse::<u64>() else { return Err(missing) };
    let mut events = app.log.stream(delivery.case.into()).await?;
    let elsewhere = stream != delivery.case.to_string();
    if elsewhere {
        let Ok(stream) = stream.parse() else { return Err(missing) };
        let cause =
            app.log.stream(StreamId(stream)).await?.into_iter().find(|event| event.version == version);
        events.retain(|event| cause.as_ref().is_some_and(|cause| event.position < cause.position));
        events.extend(cause);
    } else {
        events.retain(|event| event.version <= version);
    }
    match events.last() {
        Some(last) if last.version == version => {
            let mark = if elsewhere { last.position } else { version };
            read(app, delivery, &events, mark)
        }
        _ => Err(missing),
    }
}

/// Reads what the events of a case tell, from the first to the cause.
fn read(app: &App, delivery: &Delivery, until: &[StoredEvent], mark: u64) -> Result<Facts, Unprepared> {
    let missing = Unprepared::Never("the case is not in the log");
    let mut events = Vec::with_capacity(until.len());
    for stored in until {
        events.push(stored.facts_only().map_err(|error| not_now(&error))?);
    }
    let Some(Event::CaseReceived { case_number, employer, area, language, .. }) = events.first() else {
        return Err(missing);
    };
    let moved = |area: Area, event: &Event| match event {
        Event::CaseReclassified { area, .. } => *area,
        _ => area,
    };
    let due = events.last().and_then(|event| match event {
        Event::InformationRequested { due_date, .. } => Some(*due_date),
        _ => None,
    });
    let (Some(first), Some(cause)) = (until.first(), until.last()) else { return Err(missing) };
    Ok(Facts {
        occasion: Occasion {
            language: *language,
            number: *case_number,
            area: events.iter().fold(*area, moved),
            received_at: from_micros(first.recorded_at),
            due,
            link: format!("{}/arenden/{}", app.config.public_url(), delivery.case),
            phone: app.config.phone.clone(),
        },
        employer: *employer,
        at: from_micros(cause.recorded_at),
        mark,
    })
}
