//! What a person chooses: language, mails, address, and the systems whose notices come by mail.

use crate::event::{Contact, Event, Sealed};
use crate::refusal::FieldError;
use crate::service_status::OURSELVES;
use crate::text::Email;
use crate::vocabulary::{Language, System, Template};

/// The mails about cases that one may do without; the receipt always comes.
pub const OPTIONAL_MAILS: [Template; 3] =
    [Template::InformationRequested, Template::NewMessage, Template::Closed];

/// What stands in the form, as it was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenSettings<'a> {
    /// The code of a language; anything else is none.
    pub language: &'a str,
    /// The mails that are wanted.
    pub mails: Vec<Template>,
    /// The systems that are followed, by code; what is none is left out.
    pub notices: Vec<&'a str>,
    /// The address for mails; blank for that of the login.
    pub email: &'a str,
}

impl WrittenSettings<'_> {
    /// The event that keeps them.
    ///
    /// # Errors
    /// When the address is none.
    pub fn choose(&self) -> Result<Event, Vec<FieldError>> {
        let email = match self.email.trim() {
            "" => None,
            written => Some(Email::parse(written, "/email").map_err(|error| vec![error])?),
        };
        let unwanted = OPTIONAL_MAILS.into_iter().filter(|template| !self.mails.contains(template));
        let named = System::ALL.iter().filter(|system| **system != System::Annat).map(|system| system.code());
        let followed = std::iter::once(OURSELVES).chain(named).filter(|code| self.notices.contains(code));
        Ok(Event::SettingsChosen {
            language: Language::parse(self.language),
            without_mails: unwanted.collect(),
            notices: followed.map(str::to_owned).collect(),
            personal: Sealed::Open(Contact { email }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_wanted_is_kept_and_what_is_unknown_left_out() {
        let written = WrittenSettings {
            language: "en",
            mails: vec![Template::Closed],
            notices: vec!["primula", "kundwebben", "annat", "x"],
            email: " anna@exempelverket.example ",
        };
        let Event::SettingsChosen { language, without_mails, notices, personal } = written.choose().unwrap()
        else {
            unreachable!()
        };
        assert_eq!(language, Some(Language::En));
        assert_eq!(without_mails, [Template::InformationRequested, Template::NewMessage]);
        assert_eq!(notices, ["kundwebben", "primula"]);
        let email = personal.open().and_then(|contact| contact.email.as_ref());
        assert_eq!(email.map(Email::as_str), Some("anna@exempelverket.example"));
        let wrong = WrittenSettings { email: "anna", ..written }.choose().unwrap_err();
        assert_eq!((wrong[0].pointer.as_str(), wrong[0].code.code()), ("/email", "reporter.email"));
    }
}
