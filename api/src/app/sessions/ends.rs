//! When a session ends: when it has not been used for a while, and at the latest a while after the login. Its use lies in a
//! row beside it, written once a minute, so that it never brings back a session that has been ended meanwhile.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use infrastructure::CommandError;
use infrastructure::log::Kept;
use infrastructure::upkeep::Upkeep;

use super::{REMEMBERED, Session, id};
use crate::app::App;

/// How often the use of a session is kept, seconds.
const KEPT_EVERY: i64 = 60;

/// When a session ends, seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// If it is not used.
    pub unused: i64,
    /// However much it is used.
    pub anyway: i64,
}

impl Ends {
    /// Whichever comes first.
    pub fn first(self) -> i64 {
        self.unused.min(self.anyway)
    }
}

impl App {
    /// How long a session lasts from its login.
    pub(super) fn longest_session(&self) -> Duration {
        Duration::from_secs(self.config.sessions.absolute_hours * 60 * 60)
    }

    /// When a session ends.
    pub fn ends(&self, session: &Session) -> Ends {
        let idle = i64::try_from(self.config.sessions.idle_minutes.saturating_mul(60)).unwrap_or(i64::MAX);
        Ends { unused: session.used.saturating_add(idle), anyway: session.expires }
    }

    /// Whether a session is over.
    pub fn is_over(&self, session: &Session) -> bool {
        self.ends(session).first() <= self.clock.now().timestamp()
    }

    /// Tells that the session of a cookie is used. It is kept beside the answer, which does not wait for it; a node that
    /// cannot write goes on with what it knows.
    pub fn use_session(&self, cookie: &str, session: &mut Session) {
        let id = id(cookie);
        if !self.is_used(id, session) {
            return;
        }
        let (app, session) = (self.clone(), session.clone());
        tokio::spawn(async move {
            if let Err(error) = app.keep_use(id, &session).await {
                tracing::warn!(%error, "the use of a session could not be kept");
            }
        });
    }

    /// As [`App::use_session`], for who has asked for it: it is kept when this returns, or told in the log.
    pub async fn renew_session(&self, cookie: &str, session: &mut Session) {
        let id = id(cookie);
        if self.is_used(id, session)
            && let Err(error) = self.keep_use(id, session).await
        {
            tracing::warn!(%error, "the use of a session could not be kept");
        }
    }

    /// Whether a use of now shall be kept: one a minute, by whichever request comes first.
    fn is_used(&self, id: [u8; 32], session: &mut Session) -> bool {
        let now = self.clock.now().timestamp();
        if self.is_over(session) || now - session.used < KEPT_EVERY {
            return false;
        }
        session.used = now;
        self.seen.used(&id, now)
    }

    async fn keep_use(&self, id: [u8; 32], session: &Session) -> Result<(), CommandError> {
        let which = self.use_of(&id);
        let plain = serde_json::to_vec(&session.used).unwrap_or_default();
        let sealed = self.keys.purpose("session").seal(&plain, &which);
        let end = DateTime::from_timestamp(session.expires, 0).unwrap_or_else(|| self.clock.now());
        let remembered = TimeDelta::from_std(REMEMBERED).unwrap_or_default();
        let owner = self.person_of(session);
        let keep = Upkeep::Keep { which: Kept::Session(which), owner, sealed, expires_at: end + remembered };
        self.committer.upkeep(keep).await.map(drop)
    }

    /// Where it is kept when a session was used last.
    pub(super) fn use_of(&self, id: &[u8; 32]) -> [u8; 32] {
        self.keys.derive("use of a session", &[id])
    }
}
