//! One identity provider: what it has published is fetched once, kept, and asked for again when it is old or when a token
//! is signed with a key that we do not know. Who waits for one that is slow waits for it alone, and not for long.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::OrganisationNumber;
use infrastructure::Clock;
use openidconnect::{
    ClientId, IssuerUrl, JsonWebKeySet, LogoutRequest, PostLogoutRedirectUrl, RedirectUrl, http,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::LoginError;
use super::client::{Metadata, Published};
use super::client_key::ClientKey;
use super::fetching::Fetching;
use crate::config::IdentityProvider;

/// Where a provider sends people back to.
pub const CALLBACK: &str = "/logga-in/svar";
/// How old a description may be before it is fetched again.
const FRESH: TimeDelta = TimeDelta::hours(1);
/// How old it may be when it cannot be fetched again.
const USABLE: TimeDelta = TimeDelta::hours(24);
/// How old keys must be to be fetched again for a token that they do not fit.
const KEYS_FRESH: TimeDelta = TimeDelta::seconds(10);
/// How long anybody waits for a description.
const WAITING: Duration = Duration::from_secs(8);
/// How long a provider that failed is not asked again.
const RESTING: Duration = Duration::from_secs(2);

/// A provider.
#[derive(Debug)]
pub struct Provider {
    /// Its settings.
    pub settings: IdentityProvider,
    /// Our key at it.
    pub key: Option<ClientKey>,
    /// Where it sends people back to.
    pub callback: RedirectUrl,
    /// Where people come when they have logged out.
    home: PostLogoutRedirectUrl,
    /// The employers whose login is another's.
    of_others: BTreeSet<OrganisationNumber>,
    pub(super) fetching: Fetching,
    pub(super) clock: Clock,
    known: RwLock<Option<Arc<Published>>>,
    /// Held by who asks the provider; since when it is known not to answer, and why.
    asking: Mutex<Option<(Instant, String)>>,
}

impl Provider {
    /// As it is configured, beside all the others.
    ///
    /// # Errors
    /// In words, when a setting or a file that it names cannot be used.
    pub fn new(
        settings: &IdentityProvider,
        all: &[IdentityProvider],
        public_url: &str,
        clock: &Clock,
    ) -> anyhow::Result<Self> {
        let named = all.iter().flat_map(|provider| provider.employers.iter().copied());
        let key = settings.key_file.as_deref().map(|file| ClientKey::read(file, settings.key_id.as_deref()));
        Ok(Self {
            key: key.transpose()?,
            callback: RedirectUrl::new(format!("{public_url}{CALLBACK}"))?,
            home: PostLogoutRedirectUrl::new(format!("{public_url}/"))?,
            of_others: named.filter(|employer| !settings.employers.contains(employer)).collect(),
            fetching: Fetching::new(settings.ca_file.as_deref())?,
            settings: settings.clone(),
            clock: clock.clone(),
            known: RwLock::default(),
            asking: Mutex::default(),
        })
    }

    /// What tells it from the others, over restarts and on every node.
    pub fn name(&self) -> String {
        format!("{} {}", self.settings.issuer, self.settings.client_id)
    }

    /// Whether this is the login of an employer's people.
    pub fn serves(&self, employer: OrganisationNumber) -> bool {
        self.settings.employers.contains(&employer)
            || (self.settings.default && !self.of_others.contains(&employer))
    }

    /// What it has published.
    ///
    /// # Errors
    /// [`LoginError::Away`] when it does not answer, and did not within the last day.
    pub async fn published(&self) -> Result<Arc<Published>, LoginError> {
        let known = self.known();
        if let Some(known) = known.as_ref().filter(|known| self.is_younger(known.at, FRESH)) {
            return Ok(Arc::clone(known));
        }
        let asked = timeout(WAITING, self.ask()).await;
        let asked = asked.unwrap_or_else(|_| Err(LoginError::Away("it took too long".to_owned())));
        match (asked, known.filter(|known| self.is_younger(known.at, USABLE))) {
            (Err(error), Some(known)) => {
                tracing::warn!(%error, issuer = self.settings.issuer, "an older description is used");
                Ok(known)
            }
            (asked, _) => asked,
        }
    }

    /// What it has published, with keys that are newer than those in `known`, which do not fit a token.
    ///
    /// # Errors
    /// [`LoginError`] when there are none.
    pub async fn rotated(&self, known: &Published) -> Result<Arc<Published>, LoginError> {
        let _asking = timeout(WAITING, self.asking.lock()).await;
        if let Some(newer) = self.known().filter(|newer| newer.keys_at > known.keys_at) {
            return Ok(newer);
        }
        if self.is_younger(known.keys_at, KEYS_FRESH) {
            return Err(LoginError::Token(
                "no key of the provider fits, and they were just fetched".to_owned(),
            ));
        }
        let keys = JsonWebKeySet::fetch_async(known.metadata.jwks_uri(), &self.fetching).await;
        let keys = keys.map_err(|error| away(&error))?;
        let metadata = known.metadata.clone().set_jwks(keys);
        let newer = Arc::new(Published { metadata, at: known.at, keys_at: self.clock.now() });
        self.keep(&newer);
        Ok(newer)
    }

    /// Where one logs out at the provider, if it offers that.
    pub async fn end_of_session(&self, id_token: &str) -> Option<String> {
        let published = self.published().await.ok()?;
        let end = published.metadata.additional_metadata().end_session_endpoint.clone()?;
        let request = LogoutRequest::from(end)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(self.home.clone());
        let mut address = request.http_get_url();
        address.query_pairs_mut().append_pair("id_token_hint", id_token);
        Some(address.into())
    }

    /// What time it is at the provider, if it tells.
    pub async fn time(&self) -> Option<DateTime<Utc>> {
        let published = self.published().await.ok()?;
        let request = http::Request::get(published.metadata.jwks_uri().as_str()).body(Vec::new()).ok()?;
        let answer = self.fetching.fetch(request).await.ok()?;
        let date = answer.headers().get(http::header::DATE)?.to_str().ok()?;
        Some(DateTime::parse_from_rfc2822(date).ok()?.to_utc())
    }

    /// Asks the provider, once for all who wait.
    async fn ask(&self) -> Result<Arc<Published>, LoginError> {
        let mut trouble = self.asking.lock().await;
        if let Some(known) = self.known().filter(|known| self.is_younger(known.at, FRESH)) {
            return Ok(known);
        }
        if let Some((since, words)) = trouble.as_ref().filter(|(since, _)| since.elapsed() < RESTING) {
            tracing::debug!(
                seconds = since.elapsed().as_secs(),
                "a provider that failed is not asked again yet"
            );
            return Err(LoginError::Away(words.clone()));
        }
        match self.discover().await {
            Ok(published) => {
                *trouble = None;
                self.keep(&published);
                Ok(published)
            }
            Err(words) => {
                *trouble = Some((Instant::now(), words.clone()));
                Err(LoginError::Away(words))
            }
        }
    }

    async fn discover(&self) -> Result<Arc<Published>, String> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| error.to_string())?;
        let metadata = Metadata::discover_async(issuer, &self.fetching).await;
        let metadata = metadata.map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
        let now = self.clock.now();
        let published = Published { metadata, at: now, keys_at: now };
        match published.fault() {
            Some(fault) => Err(fault.to_owned()),
            None => Ok(Arc::new(published)),
        }
    }

    fn known(&self) -> Option<Arc<Published>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, published: &Arc<Published>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(published));
    }

    fn is_younger(&self, at: DateTime<Utc>, age: TimeDelta) -> bool {
        let passed = self.clock.now() - at;
        // A clock that was set back tells nothing.
        TimeDelta::zero() <= passed && passed < age
    }
}

/// That the provider does not answer as it should.
pub(super) fn away(error: &(dyn std::error::Error + 'static)) -> LoginError {
    let causes = std::iter::successors(error.source(), |error| error.source());
    LoginError::Away(causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}")))
}
