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

/// The address that a person's stream gives last, and the login that it is linked to.
async fn look(
    reader: &Reader,
    person: PersonId,
    employer: OrganisationNumber,
) -> Result<(Option<Email>, Option<PersonId>), LogError> {
    let (mut address, mut login) = (None, None);
    for recorded in reader.stream(person.into()).await? {
        match recorded.event {
            Event::PersonSeen { employer: told_for, personal, .. } => {
                let counts = told_for.is_none_or(|told_for| told_for == employer);
                address = personal.open().filter(|_| counts).and_then(|profile| profile.email.clone());
            }
            Event::PersonLinked { caller, person: linked } if caller == person => login = Some(linked),
            _ => {}
        }
    }
    Ok((address, login))
}
