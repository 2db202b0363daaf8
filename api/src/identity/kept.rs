//! What another server has published about itself: fetched once, kept, and asked for again when it is old or when a token is
//! signed with a key that we do not know. Who waits for one that is slow waits for it alone, and not for long.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use infrastructure::Clock;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

/// How old a description may be before it is fetched again.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How old it may be when it cannot be fetched again.
const USABLE: TimeDelta = TimeDelta::hours(24);
/// How old keys must be to be fetched again for a token that they do not fit.
const KEYS_FRESH: TimeDelta = TimeDelta::seconds(10);
/// How long anybody waits for a description.
const WAITING: Duration = Duration::from_secs(8);
/// How long a server that failed is not asked again.
const RESTING: Duration = Duration::from_secs(2);

/// What a server has published, and when we asked.
#[derive(Clone, Debug)]
pub struct Published<M> {
    /// Its description, with its keys.
    pub metadata: M,
    /// When the description was fetched.
    pub at: DateTime<Utc>,
    /// When its keys were.
    pub keys_at: DateTime<Utc>,
}

/// Why there is nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// The server does not answer as it should.
    #[error("{0}")]
    Away(String),
    /// Its keys were just fetched.
    #[error("no key of the provider fits, and they were just fetched")]
    JustFetched,
}

/// What one server has published.
#[derive(Debug)]
pub struct Kept<M> {
    clock: Clock,
    known: RwLock<Option<Arc<Published<M>>>>,
    /// Held by who asks the server; since when it is known not to answer, and why.
    asking: Mutex<Option<(Instant, String)>>,
}

impl<M> Kept<M> {
    /// Nothing yet.
    pub fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), known: RwLock::default(), asking: Mutex::default() }
    }

    /// What was fetched within the hour.
    pub fn fresh(&self) -> Option<Arc<Published<M>>> {
        self.known().filter(|known| self.is_younger(known.at, FRESH))
    }

    /// What was fetched within the day.
    pub fn usable(&self) -> Option<Arc<Published<M>>> {
        self.known().filter(|known| self.is_younger(known.at, USABLE))
    }

    /// What is published, fetched where it is not fresh; an older one while the server is away.
    ///
    /// # Errors
    /// [`Missing::Away`] when the server does not answer, and did not within the last day.
    pub async fn current(
        &self,
        discover: impl Future<Output = Result<M, String>>,
    ) -> Result<Arc<Published<M>>, Missing> {
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        let usable = self.usable();
        let asked = timeout(WAITING, self.ask(discover)).await;
        let asked = asked.unwrap_or_else(|_| Err(Missing::Away("it took too long".to_owned())));
        match (asked, usable) {
            (Err(error), Some(known)) => {
                tracing::warn!(%error, "an older description of a provider is used");
                Ok(known)
            }
            (asked, _) => asked,
        }
    }

    /// What is published, with keys that are newer than those in `known`, which do not fit a token.
    ///
    /// # Errors
    /// When there are none.
    pub async fn rotated(
        &self,
        known: &Published<M>,
        fetch: impl Future<Output = Result<M, String>>,
    ) -> Result<Arc<Published<M>>, Missing> {
        let trouble = timeout(WAITING, self.asking.lock()).await;
        let mut trouble = trouble.map_err(|_| Missing::Away("it took too long".to_owned()))?;
        if let Some(newer) = self.known().filter(|newer| newer.keys_at > known.keys_at) {
            return Ok(newer);
        }
        if self.is_younger(known.keys_at, KEYS_FRESH) {
            return Err(Missing::JustFetched);
        }
        rests(&trouble)?;
        let metadata = fetch.await;
        self.settle(&mut trouble, metadata, Some(known.at))
    }

    /// Asks the server, once for all who wait.
    async fn ask(
        &self,
        discover: impl Future<Output = Result<M, String>>,
    ) -> Result<Arc<Published<M>>, Missing> {
        let mut trouble = self.asking.lock().await;
        if let Some(known) = self.fresh() {
            return Ok(known);
        }
        rests(&trouble)?;
        let metadata = discover.await;
        self.settle(&mut trouble, metadata, None)
    }

    /// Keeps what was fetched, or why nothing was. The description is as old as it says, or new.
    fn settle(
        &self,
        trouble: &mut MutexGuard<'_, Option<(Instant, String)>>,
        fetched: Result<M, String>,
        at: Option<DateTime<Utc>>,
    ) -> Result<Arc<Published<M>>, Missing> {
        match fetched {
            Ok(metadata) => {
                let now = self.clock.now();
                let published = Arc::new(Published { metadata, at: at.unwrap_or(now), keys_at: now });
                **trouble = None;
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&published));
                Ok(published)
            }
            Err(words) => {
                **trouble = Some((Instant::now(), words.clone()));
                Err(Missing::Away(words))
            }
        }
    }

    fn known(&self) -> Option<Arc<Published<M>>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn is_younger(&self, at: DateTime<Utc>, age: TimeDelta) -> bool {
        let passed = self.clock.now() - at;
        // A clock that was set back tells nothing.
        TimeDelta::zero() <= passed && passed < age
    }
}

/// That a server which failed is not asked again yet.
fn rests(trouble: &Option<(Instant, String)>) -> Result<(), Missing> {
    match trouble.as_ref().filter(|(since, _)| since.elapsed() < RESTING) {
        Some((since, words)) => {
            let seconds = since.elapsed().as_secs();
            tracing::debug!(seconds, "a provider that failed is not asked again yet");
            Err(Missing::Away(words.clone()))
        }
        None => Ok(()),
    }
}

/// An error with its causes, in one line.
pub fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}
