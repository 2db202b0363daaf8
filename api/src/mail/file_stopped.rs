//! A file that the reporter attached cannot be opened: the virus scanner found fault with it.

use askama::Template;

use crate::mail::{Letter, Occasion, letter};

#[derive(Template)]
#[template(path = "mail/file_stopped/subject.txt", whitespace = "preserve")]
struct Subject<'a> {
    mail: &'a Occasion,
}

#[derive(Template)]
#[template(path = "mail/file_stopped/body.txt", whitespace = "preserve")]
struct PlainText<'a> {
    mail: &'a Occasion,
}

#[derive(Template)]
#[template(path = "mail/file_stopped/body.html", whitespace = "preserve")]
struct Html<'a> {
    mail: &'a Occasion,
}

/// Writes it.
///
/// # Errors
/// When a template fails.
pub(super) fn write(mail: &Occasion) -> Result<Letter, askama::Error> {
    letter(&Subject { mail }, &PlainText { mail }, &Html { mail })
}
