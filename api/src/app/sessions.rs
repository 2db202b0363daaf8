//! Sessions: a row in the log's database, sealed, found by the hash of the cookie. A cookie of a session that is over
//! still tells whose form it was, so that nothing is lost by it; it opens nothing. While the log does not answer, those hold
//! that this node has seen.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::PersonId;
use infrastructure::log::Kept;
use infrastructure::tokens::Identity;
use infrastructure::upkeep::Upkeep;
use infrastructure::{CommandError, LogError, random};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::app::commands::unavailable;
use crate::app::drafts::KEPT_DAYS;

/// How long a session lasts.
pub const LASTS: Duration = Duration::from_secs(8 * 60 * 60);
/// How long a session that is over is still known: as long as what was typed in it is kept.
const REMEMBERED: Duration = Duration::from_secs(KEPT_DAYS * 24 * 60 * 60);

/// How long the log may take to tell a session.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most sessions remembered for when the log is away; more forgets them all, which then costs a login.
const SESSIONS: usize = 20_000;

/// The sessions that this node has seen, as they were then, by the hash of their cookie.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<HashMap<[u8; 32], Session>>);

impl Seen {
    fn put(&self, id: [u8; 32], session: Option<&Session>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SESSIONS {
            seen.clear();
        }
        match session {
            Some(session) => drop(seen.insert(id, session.clone())),
            None => drop(seen.remove(&id)),
        }
    }

    fn get(&self, id: &[u8; 32]) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

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
        self.committer.upkeep(keep).await?;
        self.seen.put(id, Some(session));
        Ok(())
    }

    /// The session of a cookie, expired or not. While the log is away, as this node has seen it last.
    ///
    /// # Errors
    /// When the log cannot be read, and this node has not seen the session.
    pub async fn session(&self, cookie: &str) -> Result<Option<Session>, CommandError> {
        let id = id(cookie);
        let kept = tokio::time::timeout(PATIENCE, self.log.kept(Kept::Session(id))).await;
        let kept = kept.unwrap_or_else(|_| Err(LogError::Unavailable("the log does not answer".to_owned())));
        let (sealed, _) = match kept {
            Ok(Some(kept)) => kept,
            Ok(None) => {
                self.seen.put(id, None);
                return Ok(None);
            }
            Err(error) => return self.seen.get(&id).map(Some).ok_or_else(|| unavailable(&error)),
        };
        let opened = self.keys.purpose("session").open(&sealed, &id).ok();
        let session = opened.and_then(|session| serde_json::from_slice(&session).ok());
        self.seen.put(id, session.as_ref());
        Ok(session)
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
