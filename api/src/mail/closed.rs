//! The case is closed and its answer is there to read.

use askama::Template;

use crate::mail::{Letter, Occasion, letter};

#[derive(Template)]
#[template(path = "mail/closed/subject.txt", whitespace = "preserve")]
struct Subject<'a> {
    mail: &'a Occasion,
}

#[derive(Template)]
#[template(path = "mail/closed/body.txt", whitespace = "preserve")]
struct PlainText<'a> {
    mail: &'a Occasion,
}

#[derive(Template)]
#[template(path = "mail/closed/body.html", whitespace = "preserve")]
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
