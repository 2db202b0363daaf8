//! Sessions: a row in the log's database, sealed, found by the hash of the cookie. A cookie of a session that is over
//! still tells whose form it was, so that nothing is lost by it; it opens nothing. While the log does not answer, those hold
//! that this node has seen.

pub mod ends;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::PersonId;
use domain::access::Role;
use infrastructure::log::Kept;
use infrastructure::tokens::Identity;
use infrastructure::upkeep::Upkeep;
use infrastructure::{CommandError, LogError, random};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::app::commands::unavailable;
use crate::app::drafts::KEPT_DAYS;

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
    /// Puts a session in as the log has it, with the use that this node knows of and could not keep yet.
    fn put(&self, id: [u8; 32], session: Option<&mut Session>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SESSIONS {
            seen.clear();
        }
        let Some(session) = session else { return drop(seen.remove(&id)) };
        session.used = seen.get(&id).map_or(session.used, |before| before.used.max(session.used));
        seen.insert(id, session.clone());
    }

    /// Remembers that a session is used; whether nobody has said so since.
    fn used(&self, id: &[u8; 32], now: i64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = seen.get_mut(id).filter(|session| session.used < now) else { return false };
        session.used = now;
        true
    }

    /// Forgets whose they are.
    fn forget(&self, whose: impl Fn(&Session) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, session| !whose(session));
    }

    fn get(&self, id: &[u8; 32]) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

/// A session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Who logged in, in the role that the session is in now.
    pub identity: Identity,
    /// The same person in the other roles of the login.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Identity>,
    /// When it ends at the latest, seconds since 1970 UTC; 0 where it was ended.
    pub expires: i64,
    /// When it was used last, as far as that is known, seconds since 1970 UTC.
    #[serde(default)]
    pub used: i64,
    /// When it began, microseconds since 1970 UTC.
    #[serde(default)]
    pub begun: i64,
    /// Where the login was, if it can be ended there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<AtProvider>,
}

/// A login at an identity provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AtProvider {
    /// Its name.
    pub name: String,
    /// What it knows the login by.
    pub id_token: String,
}

impl App {
    /// Begins a session and gives the value of its cookie.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn begin_session(&self, identity: Identity) -> Result<String, CommandError> {
        self.begin_session_as(identity, Vec::new(), None).await
    }

    /// As [`App::begin_session`], of a login with other roles beside, or that can be ended where it was.
    ///
    /// # Errors
    /// As [`App::begin_session`].
    pub async fn begin_session_as(
        &self,
        identity: Identity,
        others: Vec<Identity>,
        provider: Option<AtProvider>,
    ) -> Result<String, CommandError> {
        let cookie = hex::encode(random::bytes::<32>());
        let now = self.clock.now();
        let (expires, used) = ((now + self.longest_session()).timestamp(), now.timestamp());
        let mut session =
            Session { identity, others, expires, used, begun: self.shared_now().await?, provider };
        let ended = self.opened::<i64>(self.mark_of(self.person_of(&session))).await;
        // What begins after the mark is not over by it.
        if let Some(ended) = ended.map_err(|error| unavailable(&error))? {
            session.begun = session.begun.max(ended + 1);
        }
        self.keep_session(&cookie, &mut session).await?;
        Ok(cookie)
    }

    async fn keep_session(&self, cookie: &str, session: &mut Session) -> Result<(), CommandError> {
        let id = id(cookie);
        let sealed = self.keys.purpose("session").seal(&serde_json::to_vec(session).unwrap_or_default(), &id);
        let (owner, expires_at) =
            (self.person_of(session), self.clock.now() + self.longest_session() + REMEMBERED);
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
        match self.kept_session(id).await {
            Ok(mut session) => {
                self.seen.put(id, session.as_mut());
                Ok(session)
            }
            Err(error) => {
                let out = |session: &Session| {
                    self.revoked.holds(&hex::encode(self.mark_of(self.person_of(session))))
                };
                self.seen
                    .get(&id)
                    .filter(|session| !out(session))
                    .map(Some)
                    .ok_or_else(|| unavailable(&error))
            }
        }
    }

    async fn kept_session(&self, id: [u8; 32]) -> Result<Option<Session>, LogError> {
        let (session, used) = tokio::join!(self.opened::<Session>(id), self.opened::<i64>(self.use_of(&id)));
        let Some(mut session) = session? else { return Ok(None) };
        session.used = session.used.max(used?.unwrap_or_default());
        if let Some(ended) = self.opened::<i64>(self.mark_of(self.person_of(&session))).await?
            && session.begun <= ended
        {
            session.expires = 0;
        }
        Ok(Some(session))
    }

    /// A sealed row beside the sessions, or a session.
    async fn opened<T: DeserializeOwned>(&self, id: [u8; 32]) -> Result<Option<T>, LogError> {
        let kept = tokio::time::timeout(PATIENCE, self.log.kept(Kept::Session(id))).await;
        let kept = kept.unwrap_or_else(|_| Err(LogError::Unavailable("the log does not answer".to_owned())));
        let opened = kept?.and_then(|(sealed, _)| self.keys.purpose("session").open(&sealed, &id).ok());
        Ok(opened.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }

    /// The time that all nodes agree on, microseconds since 1970 UTC.
    async fn shared_now(&self) -> Result<i64, CommandError> {
        Ok(self.log_time().await.map_err(|error| unavailable(&error))?.timestamp_micros())
    }

    /// Where it is kept when a person has logged out everywhere.
    fn mark_of(&self, person: PersonId) -> [u8; 32] {
        self.keys.derive("logged out everywhere", &[person.0.as_bytes()])
    }

    /// Ends every session of a person that has begun by now, in whatever browser.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn end_sessions(&self, person: PersonId) -> Result<(), CommandError> {
        let id = self.mark_of(person);
        let before = self.opened::<i64>(id).await.map_err(|error| unavailable(&error))?;
        // What began after the mark before is over by this one, though no time may have passed.
        let mark = before.map_or(i64::MIN, |before| before + 1).max(self.shared_now().await?);
        let plain = serde_json::to_vec(&mark).unwrap_or_default();
        let sealed = self.keys.purpose("session").seal(&plain, &id);
        let expires_at = self.clock.now() + self.longest_session() + REMEMBERED;
        let keep = Upkeep::Keep { which: Kept::Session(id), owner: person, sealed, expires_at };
        self.committer.upkeep(keep).await?;
        // Other nodes hear of it as of a revoked token, for when the log is away.
        let revoke = Upkeep::RevokeToken {
            id: hex::encode(id),
            expires_at: self.clock.now() + self.longest_session(),
            now: self.clock.now(),
        };
        self.committer.upkeep(revoke).await?;
        self.seen.forget(|session| self.person_of(session) == person);
        Ok(())
    }

    /// Goes on in another role of the login, in a session of its own that ends when this one would have.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub async fn change_role(&self, cookie: &str, role: Role) -> Result<Option<String>, CommandError> {
        let Some(mut session) = self.session(cookie).await?.filter(|session| !self.is_over(session)) else {
            return Ok(None);
        };
        let Some(place) = session.others.iter().position(|other| other.role == role) else { return Ok(None) };
        session.used = self.clock.now().timestamp();
        let identity = session.others.remove(place);
        session.others.insert(0, std::mem::replace(&mut session.identity, identity));
        let next = hex::encode(random::bytes::<32>());
        self.keep_session(&next, &mut session).await?;
        self.end_session(cookie).await?;
        Ok(Some(next))
    }

    /// Ends the session of a cookie. As when its time is over, it still tells whose form it was that another window
    /// sends.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub async fn end_session(&self, cookie: &str) -> Result<(), CommandError> {
        let Some(session) = self.session(cookie).await? else { return Ok(()) };
        self.keep_session(cookie, &mut Session { expires: 0, provider: None, ..session }).await
    }

    /// The pseudonym of whom a session belongs to.
    pub fn person_of(&self, session: &Session) -> PersonId {
        self.keys.pseudonym(session.identity.role, &session.identity.subject)
    }
}

fn id(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie).into()
}
