//! Identifiers. All are UUIDs; each kind is its own type so that they cannot be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Reads the hyphenated form.
            pub fn parse(text: &str) -> Option<Self> {
                Uuid::try_parse(text).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

id! {
    /// A stream of events: a case, a person, an employer, a service-status notice or a delivery.
    StreamId
}
id! {
    /// A case (*ärende*); also its stream.
    CaseId
}
id! {
    /// A person by pseudonym; also the person's stream. Never derived from a name in a way that can be undone.
    PersonId
}
id! {
    /// A file attached to a case; also the name of the stored, encrypted object.
    AttachmentId
}

impl From<CaseId> for StreamId {
    fn from(id: CaseId) -> Self {
        Self(id.0)
    }
}

impl From<PersonId> for StreamId {
    fn from(id: PersonId) -> Self {
        Self(id.0)
    }
}

impl StreamId {
    /// The stream of an employer: a UUIDv8 that spells the organisation number, so that no table is needed.
    pub fn of_employer(employer: crate::OrganisationNumber) -> Self {
        let mut bytes = *b"employer\0\0\0\0\0\0\0\0";
        for (place, digit) in bytes[11..].iter_mut().zip(employer.as_str().as_bytes().chunks(2)) {
            *place = digit.iter().fold(0, |sum, digit| sum * 10 + (digit - b'0'));
        }
        Self(Uuid::new_v8(bytes))
    }

    /// The stream of what a page says: a UUIDv8 that spells its code.
    pub fn of_content(page: crate::content::ContentPage) -> Self {
        let mut bytes = *b"content\0\0\0\0\0\0\0\0\0";
        for (place, letter) in bytes[8..].iter_mut().zip(page.code().bytes()) {
            *place = letter;
        }
        Self(Uuid::new_v8(bytes))
    }

    /// The stream of the service catalogue.
    pub fn of_catalogue() -> Self {
        Self(Uuid::new_v8(*b"catalogue\0\0\0\0\0\0\0"))
    }

    /// The stream that binds the read log to the log.
    pub fn of_read_log() -> Self {
        Self(Uuid::new_v8(*b"read log\0\0\0\0\0\0\0\0"))
    }
}
