//! Free text that people write, parsed once at the door.

use serde::{Deserialize, Serialize};

use crate::refusal::{Code, FieldError};

/// Longest subject, in characters.
pub const SUBJECT_MAX: usize = 200;
/// Longest message, answer, note or reason, in characters.
pub const BODY_MAX: usize = 10_000;
/// Longest personal name, in characters.
pub const NAME_MAX: usize = 200;
/// Longest e-mail address, in octets (RFC 5321 4.5.3.1.3 less the brackets).
pub const EMAIL_MAX: usize = 254;

macro_rules! text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text as it was written, without surrounding blanks.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

text! {
    /// The subject of a case: one line of at most [`SUBJECT_MAX`] characters, without a personal identity number.
    Subject
}
text! {
    /// A message, an answer, a note or a reason: at most [`BODY_MAX`] characters.
    Body
}
text! {
    /// The name of a person.
    PersonName
}
text! {
    /// An e-mail address, kept as written; compared through [`Email::key`].
    Email
}

impl Subject {
    /// Reads a subject.
    ///
    /// # Errors
    /// `subject.missing`, `subject.long` or `subject.pnr`, pointing at `pointer`.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, FieldError> {
        let shown = text.chars().filter(|character| !turns_text(*character));
        let one_line: String =
            shown.map(|character| if character.is_control() { ' ' } else { character }).collect();
        let one_line = one_line.trim().to_owned();
        if is_blank(&one_line) {
            return Err(FieldError::new(pointer, Code::SubjectMissing));
        }
        let length = one_line.chars().count();
        if length > SUBJECT_MAX {
            return Err(FieldError::too_long(pointer, Code::SubjectLong, SUBJECT_MAX, length));
        }
        if contains_personal_identity_number(&one_line) {
            return Err(FieldError::new(pointer, Code::SubjectPnr));
        }
        Ok(Self(one_line))
    }
}

impl Body {
    /// Reads a text; `missing` is the code when there is none.
    ///
    /// # Errors
    /// `missing` or `message.long`, pointing at `pointer`.
    pub fn parse(text: &str, pointer: &'static str, missing: Code) -> Result<Self, FieldError> {
        let text = cleaned(text);
        if is_blank(&text) {
            return Err(FieldError::new(pointer, missing));
        }
        let length = text.chars().count();
        if length > BODY_MAX {
            return Err(FieldError::too_long(pointer, Code::MessageLong, BODY_MAX, length));
        }
        Ok(Self(text))
    }
}

/// A text without what cannot be seen and without blanks around it.
fn cleaned(text: &str) -> String {
    let hidden = |c: char| turns_text(c) || (c.is_control() && c != '\n' && c != '\t');
    text.replace("\r\n", "\n").replace(hidden, "").trim().to_owned()
}

/// Reads a text that everybody may read: at most `max` characters, and not blank where it has a code for that.
///
/// # Errors
/// `missing` or `text.long`, pointing at `pointer`.
pub fn published(
    text: &str,
    pointer: impl Into<String>,
    max: usize,
    missing: Option<Code>,
) -> Result<String, FieldError> {
    let text = cleaned(text);
    if let Some(missing) = missing.filter(|_| is_blank(&text)) {
        return Err(FieldError::new(pointer, missing));
    }
    let length = text.chars().count();
    if length > max { Err(FieldError::too_long(pointer, Code::TextLong, max, length)) } else { Ok(text) }
}

impl PersonName {
    /// Reads a name: one line, not empty.
    ///
    /// # Errors
    /// `reporter.name`, pointing at `pointer`.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, FieldError> {
        let text = text.trim();
        let hidden = |c: char| turns_text(c) || c.is_control();
        let wrong = is_blank(text) || text.chars().count() > NAME_MAX || text.contains(hidden);
        if wrong { Err(FieldError::new(pointer, Code::ReporterName)) } else { Ok(Self(text.to_owned())) }
    }
}

impl Email {
    /// Reads an address: one `@`, something on both sides, a dot or `localhost` after it, no blanks.
    ///
    /// # Errors
    /// `reporter.email`, pointing at `pointer`.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, FieldError> {
        let text = text.trim();
        let allowed = |character: char| {
            !character.is_whitespace() && !character.is_control() && !"<>(),;:\\\"[]".contains(character)
        };
        let valid = text.len() <= EMAIL_MAX
            && text.chars().all(allowed)
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && local.len() <= 64
                    && domain.split('.').count() > 1
                    && domain.split('.').all(|label| {
                        !label.is_empty()
                            && !label.starts_with('-')
                            && !label.ends_with('-')
                            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                    })
                    && !local.starts_with('.')
                    && !local.ends_with('.')
                    && !local.contains("..")
            });
        if valid { Ok(Self(text.to_owned())) } else { Err(FieldError::new(pointer, Code::ReporterEmail)) }
    }

    /// The form in which two addresses are the same mailbox for us: lower case.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

/// Whether nothing of a text can be seen: blanks, and characters that are drawn as nothing (Unicode's property
/// `Default_Ignorable_Code_Point`, and the blank letters of Hangul and Braille).
fn is_blank(text: &str) -> bool {
    text.chars().all(|character| {
        character.is_whitespace()
            || character.is_control()
            || matches!(character,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}')
    })
}

/// Characters that turn the direction of the text around them (Unicode TR 9, 2.1 and 2.2): with them one can show
/// another text than the one that is stored.
const fn turns_text(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text holds something in the form of a Swedish personal identity number (or coordination number)
/// with a right check digit: `ÅÅMMDD-NNNN`, with or without century and hyphen.
fn contains_personal_identity_number(text: &str) -> bool {
    let bytes: Vec<char> = text.chars().collect();
    (0..bytes.len()).any(|start| {
        let fresh = start == 0 || !bytes[start - 1].is_ascii_digit();
        fresh && [12, 10].into_iter().any(|length| personal_identity_number_at(&bytes[start..], length))
    })
}

fn personal_identity_number_at(text: &[char], length: usize) -> bool {
    let mut digits: Vec<u8> = Vec::with_capacity(length);
    for character in text {
        match character.to_digit(10) {
            Some(_) if digits.len() == length => return false,
            Some(digit) => digits.push(u8::try_from(digit).unwrap_or_default()),
            None if matches!(character, '-' | '+' | '\u{2013}') && digits.len() == length - 4 => {}
            None => break,
        }
    }
    if digits.len() != length {
        return false;
    }
    let ten = &digits[length - 10..];
    let (month, day) = (ten[2] * 10 + ten[3], ten[4] * 10 + ten[5]);
    let day = if day > 60 { day - 60 } else { day };
    (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && crate::luhn::check_digit(ten[..9].iter().copied()) == ten[9]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_subject_has_a_length_in_characters_not_bytes() {
        assert!(Subject::parse(&"å".repeat(200), "/subject").is_ok());
        let error = Subject::parse(&"å".repeat(201), "/subject").unwrap_err();
        assert_eq!(error.code, Code::SubjectLong);
    }

    #[test]
    fn control_characters_alone_are_no_text() {
        let unseen = ["\u{200b}", "\u{ad}", "\u{2060}\u{feff}", "\u{3164}", " \u{2800} ", "\u{200d}\u{fe0f}"];
        for text in ["", " ", "\0", "\u{7} \r\n", "\0\0 \0"].into_iter().chain(unseen) {
            assert_eq!(Subject::parse(text, "/subject").unwrap_err().code, Code::SubjectMissing, "{text:?}");
        }
        for text in ["\0 \0\r\n"].into_iter().chain(unseen) {
            let missing = Body::parse(text, "/message", Code::MessageMissing).unwrap_err();
            assert_eq!(missing.code, Code::MessageMissing, "{text:?}");
        }
        assert_eq!(Subject::parse("\0 Lön\r\nmars \0", "/subject").unwrap().as_str(), "Lön  mars");
        let body = Body::parse("\0 Hej\r\ndär \0", "/message", Code::MessageMissing).unwrap();
        assert_eq!(body.as_str(), "Hej\ndär");
    }

    #[test]
    fn nothing_turns_the_text_around_it() {
        assert_eq!(Subject::parse("fdp.\u{202e}exe", "/subject").unwrap().as_str(), "fdp.exe");
        let body = Body::parse("Hej\u{2066}\u{1b}[31m\tdär", "/message", Code::MessageMissing).unwrap();
        assert_eq!(body.as_str(), "Hej[31m\tdär");
        assert!(PersonName::parse("Anna\u{202e}", "/reporter/name").is_err());
        // What belongs to a script or joins one sign to another stays.
        assert_eq!(
            Subject::parse("👩\u{200d}💻 \u{200f}שלום", "/subject").unwrap().as_str(),
            "👩\u{200d}💻 \u{200f}שלום"
        );
    }

    #[test]
    fn a_body_has_a_length_in_characters_not_bytes() {
        assert!(Body::parse(&"ö".repeat(BODY_MAX), "/message", Code::MessageMissing).is_ok());
        // A line break counts once, whether a browser sent it as one character or two.
        assert!(Body::parse(&"ö\r\n".repeat(BODY_MAX / 2), "/message", Code::MessageMissing).is_ok());
        let error = Body::parse(&"ö".repeat(BODY_MAX + 1), "/message", Code::MessageMissing).unwrap_err();
        assert_eq!(error.code, Code::MessageLong);
        assert_eq!(error.arguments, [("max", "10000".to_owned()), ("n", "10001".to_owned())]);
    }

    #[test]
    fn a_personal_identity_number_in_the_subject_is_refused() {
        // 191212121212 is Skatteverket's published test number.
        for text in ["Lön för 121212-1212", "19121212-1212", "gäller 191212121212.", "121212+1212 igen"] {
            assert_eq!(Subject::parse(text, "/subject").unwrap_err().code, Code::SubjectPnr, "{text}");
        }
        for text in ["Faktura 1212121213", "Konto 1234567890123", "2026-000123-3", "Tel 0771-456 000"] {
            assert!(Subject::parse(text, "/subject").is_ok(), "{text}");
        }
    }

    #[test]
    fn addresses() {
        for text in ["anna@exempelverket.example", "a.b+c@sub.example", "åsa@exempel.example"] {
            assert!(Email::parse(text, "/email").is_ok(), "{text}");
        }
        for text in [
            "",
            "anna",
            "@x.example",
            "a@",
            "a@b",
            "a b@c.example",
            "a@b..example",
            "a@b.example\r\nBcc: x@y.example",
            "<a@b.example>",
        ] {
            assert!(Email::parse(text, "/email").is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in ".*") {
            let _ = Email::parse(&text, "/email");
            let _ = PersonName::parse(&text, "/name");
            if let Ok(subject) = Subject::parse(&text, "/subject") {
                prop_assert!(!subject.as_str().trim().is_empty());
                prop_assert_eq!(Subject::parse(subject.as_str(), "/subject"), Ok(subject.clone()));
            }
            if let Ok(body) = Body::parse(&text, "/message", Code::MessageMissing) {
                prop_assert!(!body.as_str().trim().is_empty());
                prop_assert_eq!(Body::parse(body.as_str(), "/message", Code::MessageMissing), Ok(body.clone()));
            }
        }
    }
}
