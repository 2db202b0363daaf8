//! The closed lists of the domain: areas, sub-areas, systems, channels, languages, kinds of note.
//! The code of each value is the stored and public form; the words that people read live in the texts.

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $code)] $variant,)+
        }

        impl $name {
            /// Every value, in the order that people meet them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stored and public form.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The value of a code, if there is one.
            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// What a case is about (*område*).
    Area {
        /// Payroll.
        Lon = "lon",
        /// Economy.
        Ekonomi = "ekonomi",
        /// E-procurement.
        EHandel = "e-handel",
        /// IT service support.
        ItTjanstestod = "it-tjanstestod",
    }
}

vocabulary! {
    /// The two kinds of payroll case (*delområde*); exists for [`Area::Lon`] only.
    SubArea {
        /// A question to be answered.
        Supportarende = "supportarende",
        /// A decision or supporting document is sent in; needs a file.
        BeslutUnderlag = "beslut-underlag",
    }
}

vocabulary! {
    /// The systems that a case can be about.
    System {
        /// POL/MinTid, time reporting.
        PolMintid = "pol-mintid",
        /// Palasso, payroll.
        Palasso = "palasso",
        /// Primula, payroll.
        Primula = "primula",
        /// Agresso, economy.
        Agresso = "agresso",
        /// Visma Proceedo, e-procurement.
        VismaProceedo = "visma-proceedo",
        /// Another system.
        Annat = "annat",
    }
}

vocabulary! {
    /// How a case came in.
    Channel {
        /// Through the pages.
        Webb = "webb",
        /// By phone, registered by an officer.
        Telefon = "telefon",
        /// Through the command API.
        Api = "api",
    }
}

vocabulary! {
    /// The language that a person reads.
    Language {
        /// Swedish.
        Sv = "sv",
        /// English.
        En = "en",
    }
}

vocabulary! {
    /// The two legal kinds of note (LAW-07, LAW-13).
    NoteKind {
        /// *Arbetsanteckning*: not a public document, never shown to the customer.
        Working = "working",
        /// *Tjänsteanteckning*: documents oral facts, part of the case.
        Official = "official",
    }
}

vocabulary! {
    /// The two sides of a case.
    Party {
        /// The reporter.
        Customer = "customer",
        /// The centre.
        Officer = "officer",
    }
}

vocabulary! {
    /// The mails that Kundwebb sends.
    Template {
        /// The receipt with the case number (K10).
        Received = "received",
        /// More information is needed.
        InformationRequested = "information-requested",
        /// An officer wrote a message.
        NewMessage = "new-message",
        /// The case is closed; the answer is there to read.
        Closed = "closed",
        /// A notice of the service status, for those who follow a system.
        ServiceStatus = "service-status",
        /// A file that the reporter attached cannot be opened: malicious code, or a lock.
        FileStopped = "file-stopped",
    }
}

impl System {
    /// The name that people know; the same in both languages except for [`System::Annat`], which the texts name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PolMintid => "POL/MinTid",
            Self::Palasso => "Palasso",
            Self::Primula => "Primula",
            Self::Agresso => "Agresso",
            Self::VismaProceedo => "Visma Proceedo",
            Self::Annat => "Annat system",
        }
    }
}
