//! Where a mail goes: the address that its recipient has now, from the person's own stream.

use domain::text::Email;
use domain::{Event, OrganisationNumber, PersonId};
use infrastructure::{LogError, Reader};

/// The address of a person for mails about a case of an employer; of the login, where a caller turned out to have one.
/// `None` when there is none (any more). What others told of a person counts at the employer for which they told it.
pub(super) async fn address(
    reader: &Reader,
    person: PersonId,
    employer: OrganisationNumber,
) -> Result<Option<Email>, LogError> {
    let (address, login) = look(reader, person, employer).await?;
    match login {
        Some(login) => Ok(look(reader, login, employer).await?.0.or(address)),
        None => Ok(address),
    }
}

/// The address that a person told last, else others for this employer; and the login that the person is linked to.
async fn look(
    reader: &Reader,
    person: PersonId,
    employer: OrganisationNumber,
) -> Result<(Option<Email>, Option<PersonId>), LogError> {
    let (mut own, mut told, mut login) = (None, None, None);
    for recorded in reader.stream(person.into()).await? {
        match recorded.event {
            Event::PersonSeen { employer: told_for, personal, .. } => {
                let address = personal.open().and_then(|profile| profile.email.clone());
                match told_for {
                    None => own = address.or(own),
                    Some(told_for) if told_for == employer => told = address,
                    Some(_) => {}
                }
            }
            Event::PersonLinked { caller, person: linked } if caller == person => login = Some(linked),
            _ => {}
        }
    }
    Ok((own.or(told), login))
}
