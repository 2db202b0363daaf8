//! Where a mail goes: the address that its recipient has now, from the person's own stream.

use domain::text::Email;
use domain::{Event, PersonId};
use infrastructure::{LogError, Reader};

/// The address of a person; of the login, where a caller turned out to have one. `None` when there is none (any more).
pub(super) async fn address(reader: &Reader, person: PersonId) -> Result<Option<Email>, LogError> {
    let (address, login) = look(reader, person).await?;
    match login {
        Some(login) => Ok(look(reader, login).await?.0.or(address)),
        None => Ok(address),
    }
}

/// The address that a person's stream gives last, and the login that it is linked to.
async fn look(reader: &Reader, person: PersonId) -> Result<(Option<Email>, Option<PersonId>), LogError> {
    let (mut address, mut login) = (None, None);
    for recorded in reader.stream(person.into()).await? {
        match recorded.event {
            Event::PersonSeen { personal, .. } => {
                address = personal.open().and_then(|profile| profile.email.clone());
            }
            Event::PersonLinked { caller, person: linked } if caller == person => login = Some(linked),
            _ => {}
        }
    }
    Ok((address, login))
}
