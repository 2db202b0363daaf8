//! Sessions: a row in the log's database, sealed, found by the hash of the cookie. A cookie of a session that is over
//! still tells whose form it was, so that nothing is lost by it; it opens nothing.

use std::time::Duration;

use domain::PersonId;
use infrastructure::log::Kept;
use infrastructure::tokens::Identity;
use infrastructure::upkeep::Upkeep;
use infrastructure::{CommandError, random};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::app::commands::unavailable;
use crate::app::drafts::KEPT_DAYS;

/// How long a session lasts.
pub const LASTS: Duration = Duration::from_secs(8 * 60 * 60);
/// How long a session that is over is still known: as long as what was typed in it is kept.
const REMEMBERED: Duration = Duration::from_secs(KEPT_DAYS * 24 * 60 * 60);

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Who logged in.
    pub identity: Identity,
    /// When it ends, seconds since 1970 UTC.
    pub expires: i64,
}

impl App {
    /// Begins a session and gives the value of its cookie.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn begin_session(&self, identity: Identity) -> Result<String, CommandError> {
        let cookie = hex::encode(random::bytes::<32>());
        let now = self.clock.now();
        self.keep_session(&cookie, &Session { identity, expires: (now + LASTS).timestamp() }).await?;
        Ok(cookie)
    }

    async fn keep_session(&self, cookie: &str, session: &Session) -> Result<(), CommandError> {
        let id = id(cookie);
        let sealed = self.keys.purpose("session").seal(&serde_json::to_vec(session).unwrap_or_default(), &id);
        let (owner, expires_at) = (self.person_of(session), self.clock.now() + LASTS + REMEMBERED);
        let keep = Upkeep::Keep { which: Kept::Session(id), owner, sealed, expires_at };
        self.committer.upkeep(keep).await.map(drop)
    }

    /// The session of a cookie, expired or not.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn session(&self, cookie: &str) -> Result<Option<Session>, CommandError> {
        let id = id(cookie);
        let kept = self.log.kept(Kept::Session(id)).await.map_err(|error| unavailable(&error))?;
        let opened = kept.and_then(|(sealed, _)| self.keys.purpose("session").open(&sealed, &id).ok());
        Ok(opened.and_then(|session| serde_json::from_slice(&session).ok()))
    }

    /// Whether a session is over.
    pub fn is_over(&self, session: &Session) -> bool {
        session.expires <= self.clock.now().timestamp()
    }

    /// Ends the session of a cookie. As when its time is over, it still tells whose form it was that another window
    /// sends.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub async fn end_session(&self, cookie: &str) -> Result<(), CommandError> {
        let Some(session) = self.session(cookie).await? else { return Ok(()) };
        let expires = session.expires.min(self.clock.now().timestamp());
        self.keep_session(cookie, &Session { expires, ..session }).await
    }

    /// The pseudonym of whom a session belongs to.
    pub fn person_of(&self, session: &Session) -> PersonId {
        self.keys.pseudonym(session.identity.role, &session.identity.subject)
    }
}

fn id(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}
