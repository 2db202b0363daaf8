//! Mails: what they can say, how they are put together and how they leave. A mail about a case knows an [`Occasion`] and
//! nothing else, which holds no text that anybody has written: so none can ever stand in a mail (MAIL-01). Notices of the
//! service status, which everybody may read, come in words ([`service_status::News`]).

pub mod closed;
pub mod file_stopped;
pub mod folder;
pub mod information_requested;
pub mod message;
pub mod new_message;
pub mod post;
pub mod received;
pub mod service_status;
pub mod smtp;

use chrono::{DateTime, NaiveDate, Utc};
use domain::vocabulary::Template;
use domain::{Area, CaseNumber, Language};

use crate::format;
use crate::texts::Text;

pub use message::{Message, MessageId};
pub use post::Post;

/// All that a mail can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// The language of the case.
    pub language: Language,
    /// The number of the case.
    pub number: CaseNumber,
    /// The area of the case when the mail became due.
    pub area: Area,
    /// When the case came in.
    pub received_at: DateTime<Utc>,
    /// The day to answer by, where the mail asks for something.
    pub due: Option<NaiveDate>,
    /// The address of the case.
    pub link: String,
    /// The centre's phone number.
    pub phone: String,
}

/// A mail's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The subject line.
    pub subject: String,
    /// The whole mail as plain text.
    pub text: String,
    /// The same as HTML, without anything that is fetched from elsewhere.
    pub html: String,
}

impl Occasion {
    /// A text with all values that mails name.
    pub fn t(&self, key: &'static str) -> Text {
        let (language, received) = (self.language, self.received_at);
        let due = self.due.map(|day| format::date(language, day)).unwrap_or_default();
        Text::new(language, key)
            .with("number", self.number)
            .with("area", Text::new(language, format!("area-{}", self.area)))
            .with("date", format::date(language, format::day_of(received)))
            .with("time", format::time(language, received))
            .with("due", due)
            .with("phone", &self.phone)
    }

    /// Writes a mail about a case.
    ///
    /// # Errors
    /// When a template fails, or the mail is about no case.
    pub fn write(&self, template: Template) -> Result<Letter, askama::Error> {
        match template {
            Template::Received => received::write(self),
            Template::InformationRequested => information_requested::write(self),
            Template::NewMessage => new_message::write(self),
            Template::Closed => closed::write(self),
            Template::ServiceStatus => {
                Err(askama::Error::Custom("a notice is about no case; its mail is that of its news".into()))
            }
            Template::FileStopped => file_stopped::write(self),
        }
    }
}

/// Renders the three templates of a mail.
fn letter(
    subject: &impl askama::Template,
    text: &impl askama::Template,
    html: &impl askama::Template,
) -> Result<Letter, askama::Error> {
    Ok(Letter { subject: subject.render()?, text: text.render()? + "\n", html: html.render()? + "\n" })
}

#[cfg(test)]
mod tests;
