//! The way out for mails, as the settings describe it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use lettre::message::Mailbox;

use crate::config::Config;
use crate::mail::Message;
use crate::mail::folder::Folder;
use crate::mail::smtp::Smtp;

/// Most mails on their way out at a time.
pub const CONCURRENCY: usize = 8;

/// The way out.
#[derive(Debug)]
pub struct Post {
    /// The sender of all mails.
    pub from: Mailbox,
    transport: Transport,
}

#[derive(Debug)]
enum Transport {
    Folder(Folder),
    Smtp(Box<Smtp>),
}

/// What the other side says to a mail. Replies may repeat the address; see [`without_addresses`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took it: from now on the mail is its concern.
    Accepted(String),
    /// It will never take it.
    Refused(String),
    /// It may take it later.
    Trouble {
        /// What it said, or what went wrong.
        reply: String,
        /// Whether the mail may have been taken all the same, for its answer was lost.
        uncertain: bool,
    },
}

impl Post {
    /// The way that the settings describe.
    ///
    /// # Errors
    /// In words: which setting is wrong.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let settings = &config.mail;
        let from: Mailbox = settings
            .from
            .parse()
            .with_context(|| format!("the setting mail.from, `{}`, is no sender", settings.from))?;
        let transport = match settings.transport.as_str() {
            "files" => Transport::Folder(Folder::new(Path::new(&config.data))),
            "smtp" => Transport::Smtp(Box::new(Smtp::new(settings)?)),
            other => bail!("the setting mail.transport is `{other}`; it is `files` or `smtp`"),
        };
        Ok(Self { from, transport })
    }

    /// The domain of the sender.
    pub fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// Whether mail can leave now.
    ///
    /// # Errors
    /// What is in the way.
    pub async fn ready(&self) -> Result<(), String> {
        match &self.transport {
            Transport::Folder(_) => Ok(()),
            Transport::Smtp(smtp) => smtp.ready().await,
        }
    }

    /// Hands over a mail.
    pub async fn send(&self, message: &Message) -> Answer {
        match &self.transport {
            Transport::Folder(folder) => folder.send(message).await,
            Transport::Smtp(smtp) => smtp.send(message).await,
        }
    }

    /// After a run of mails: connections are closed.
    pub async fn rest(&self) {
        if let Transport::Smtp(smtp) = &self.transport {
            smtp.rest().await;
        }
    }

    /// How long handing over a mail may take at most.
    pub const fn patience(&self) -> Duration {
        match &self.transport {
            Transport::Folder(_) => Duration::from_secs(10),
            Transport::Smtp(_) => crate::mail::smtp::PATIENCE,
        }
    }

    /// Tries the way out without sending anything.
    ///
    /// # Errors
    /// In words.
    pub async fn check(&self) -> Result<String, String> {
        match &self.transport {
            Transport::Folder(folder) => folder.check(),
            Transport::Smtp(smtp) => smtp.check().await,
        }
    }
}

/// Tries the way out that the settings describe, without sending anything; for `kundwebb check`.
///
/// # Errors
/// In words.
pub async fn check(config: &Config) -> Result<String, String> {
    Post::new(config).map_err(|error| format!("{error:#}"))?.check().await
}

/// Most of a reply that is kept, characters.
const REPLY_MAX: usize = 300;

/// A reply as it may be kept for ever: on one line, with everything that looks like an address, and the recipient's
/// name before the `@`, taken out.
pub fn without_addresses(reply: &str, recipient: Option<&str>) -> String {
    let name = recipient.and_then(|address| address.split('@').next()).map(str::to_lowercase);
    let clean = |word: &str| {
        let bare = word.trim_matches(|character: char| !character.is_alphanumeric()).to_lowercase();
        if word.contains('@') || Some(bare) == name { "<…>".to_owned() } else { word.to_owned() }
    };
    let words: Vec<String> = reply.split_whitespace().map(clean).collect();
    words.join(" ").chars().take(REPLY_MAX).collect()
}
