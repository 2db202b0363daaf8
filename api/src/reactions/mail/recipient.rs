//! Where a mail goes and what is wanted: what its recipient says now, from the person's own stream.

use domain::text::Email;
use domain::vocabulary::Template;
use domain::{Event, Language, OrganisationNumber, PersonId};
use infrastructure::{Log, LogError, Reader};

use crate::reactions::mail::Fault;

/// The address of a person, and the language that the person has chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recipient {
    /// `None` where there is none (any more).
    pub(super) address: Option<Email>,
    pub(super) language: Option<Language>,
}

/// A person for mails, about a case of an employer where there is one; the login, where a caller turned out to have one.
/// What others told of a person counts at the employer for which they told it; what the person has chosen counts first.
pub(super) async fn recipient(
    reader: &Reader,
    person: PersonId,
    employer: Option<OrganisationNumber>,
) -> Result<Recipient, LogError> {
    let (found, login) = look(reader, person, employer).await?;
    let Some(login) = login else { return Ok(found) };
    let (own, _) = look(reader, login, employer).await?;
    Ok(Recipient { address: own.address.or(found.address), language: own.language })
}

/// What a person told last of itself, else others for this employer; and the login that the person is linked to.
async fn look(
    reader: &Reader,
    person: PersonId,
    employer: Option<OrganisationNumber>,
) -> Result<(Recipient, Option<PersonId>), LogError> {
    let (mut own, mut told, mut chosen, mut login) = (None, None, None, None);
    let mut language = None;
    for recorded in reader.stream(person.into()).await? {
        match recorded.event {
            Event::PersonSeen { employer: told_for, personal, .. } => {
                let address = personal.open().and_then(|profile| profile.email.clone());
                match told_for {
                    None => own = address.or(own),
                    Some(told_for) if Some(told_for) == employer => told = address,
                    Some(_) => {}
                }
            }
            Event::SettingsChosen { language: new, personal, .. } => {
                chosen = personal.open().and_then(|contact| contact.email.clone());
                language = new;
            }
            Event::PersonLinked { caller, person: linked } if caller == person => login = Some(linked),
            _ => {}
        }
    }
    Ok((Recipient { address: chosen.or(own).or(told), language }, login))
}

/// Whether a person wants such mails; the login decides, where a caller turned out to have one.
pub(super) async fn wants(log: &dyn Log, person: PersonId, template: Template) -> Result<bool, Fault> {
    let (unwanted, login) = unwanted(log, person).await?;
    let unwanted = match login {
        Some(login) => self::unwanted(log, login).await?.0,
        None => unwanted,
    };
    Ok(!unwanted.contains(&template))
}

async fn unwanted(log: &dyn Log, person: PersonId) -> Result<(Vec<Template>, Option<PersonId>), Fault> {
    let (mut unwanted, mut login) = (Vec::new(), None);
    for stored in log.stream(person.into()).await? {
        match stored.facts_only()? {
            Event::SettingsChosen { without_mails, .. } => unwanted = without_mails,
            Event::PersonLinked { caller, person: linked } if caller == person => login = Some(linked),
            _ => {}
        }
    }
    Ok((unwanted, login))
}
