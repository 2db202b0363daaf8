//! The message of a mail (RFC 5322): headers and both bodies. The same delivery always makes the same bytes, so that a
//! mail that is sent again is the same mail to everybody on the way.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use domain::{Language, PersonId};
use infrastructure::Keys;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use lettre::{Address, message};
use uuid::Uuid;

use crate::mail::Letter;

/// The longest subject line, characters.
pub const SUBJECT_MAX: usize = 78;

/// The identity of a mail: `<event id>.<keyed hash of the recipient>@<domain of the sender>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The identity of the mail that an event causes to a recipient.
    pub fn new(keys: &Keys, event_id: &str, recipient: PersonId, domain: &str) -> Self {
        let hash = keys.derive("recipient", &[recipient.0.as_bytes()]);
        Self(format!("{event_id}.{}@{domain}", hex::encode(&hash[..8])))
    }

    /// Without the angle brackets of its header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn header(&self) -> String {
        format!("<{}>", self.0)
    }
}

/// A mail, ready to leave.
#[derive(Clone, Debug)]
pub struct Message {
    /// The name of its file where mails are written to a folder: the same for the same mail.
    pub file_name: String,
    /// Who gets it. It has no return path: nobody reads what comes back.
    pub envelope: Envelope,
    /// The message.
    pub bytes: Vec<u8>,
}

/// What the headers say.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The sender.
    pub from: Mailbox,
    /// The recipient, by address alone.
    pub to: Address,
    /// The identity of the mail.
    pub id: MessageId,
    /// The identity of the first mail of the case, where this is another: so that mail programs keep them together.
    pub first: Option<MessageId>,
    /// When the mail became due.
    pub at: DateTime<Utc>,
    /// The language.
    pub language: Language,
    /// The delivery, which marks the parts off from each other.
    pub delivery: Uuid,
    /// The name of its file.
    pub file_name: String,
}

/// Puts a mail together.
///
/// # Errors
/// In words.
pub fn build(heading: Heading, letter: Letter) -> Result<Message, lettre::error::Error> {
    let envelope = Envelope::new(None, vec![heading.to.clone()])?;
    let mut builder = message::Message::builder()
        .envelope(envelope.clone())
        .from(heading.from)
        .to(Mailbox::new(None, heading.to))
        .subject(letter.subject)
        .date(SystemTime::from(heading.at))
        .message_id(Some(heading.id.header()));
    if let Some(first) = heading.first {
        builder = builder.in_reply_to(first.header()).references(first.header());
    }
    let language = heading.language.code();
    for (name, value) in [
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("Content-Language", language),
    ] {
        builder =
            builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
    }
    let parts = MultiPart::alternative()
        .boundary(format!("kundwebb-{}", heading.delivery.simple()))
        .singlepart(part(ContentType::TEXT_PLAIN, letter.text))
        .singlepart(part(ContentType::TEXT_HTML, letter.html));
    let bytes = builder.multipart(parts)?.formatted();
    Ok(Message { file_name: heading.file_name, envelope, bytes })
}

fn part(content_type: ContentType, text: String) -> SinglePart {
    // Quoted-printable takes any text.
    let body =
        Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable).unwrap_or_else(Body::new);
    SinglePart::builder().header(content_type).body(body)
}
