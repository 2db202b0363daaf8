//! A notice of the service status, for those who follow its system.

use askama::Template;
use domain::Language;

use crate::mail::{Letter, letter};
use crate::markdown;
use crate::texts::Text;

/// All that the mail can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The language of the reader.
    pub language: Language,
    /// The name of the system.
    pub system: String,
    /// Planned, ongoing or resolved, in words.
    pub progress: String,
    /// What the notice says in short.
    pub title: String,
    /// From when, until when, and when it was over, as far as that is known.
    pub period: String,
    /// What is affected, in Markdown.
    pub body: String,
    /// What one can do meanwhile, in Markdown; may be empty.
    pub advice: String,
    /// When more is told; may be empty.
    pub next: String,
    /// The address of the notice.
    pub link: String,
    /// The address where one chooses what to follow.
    pub settings: String,
    /// The centre's phone number.
    pub phone: String,
}

#[derive(Template)]
#[template(path = "mail/service_status/subject.txt", whitespace = "preserve")]
struct Subject<'a> {
    mail: &'a News,
}

#[derive(Template)]
#[template(path = "mail/service_status/body.txt", whitespace = "preserve")]
struct PlainText<'a> {
    mail: &'a News,
}

#[derive(Template)]
#[template(path = "mail/service_status/body.html", whitespace = "preserve")]
struct Html<'a> {
    mail: &'a News,
}

impl News {
    /// A text with the values that it names.
    pub fn t(&self, key: &'static str) -> Text {
        Text::new(self.language, key)
            .with("system", &self.system)
            .with("progress", &self.progress)
            .with("phone", &self.phone)
    }

    /// What is written in Markdown, as HTML.
    pub fn html(&self, written: &str) -> String {
        markdown::html(written, 2)
    }

    /// Writes the mail.
    ///
    /// # Errors
    /// When a template fails.
    pub fn write(&self) -> Result<Letter, askama::Error> {
        letter(&Subject { mail: self }, &PlainText { mail: self }, &Html { mail: self })
    }
}
