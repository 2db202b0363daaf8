//! One identity provider: its settings, our key at it, and what it has published.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::OrganisationNumber;
use infrastructure::Clock;
use openidconnect::{
    ClientId, IssuerUrl, JsonWebKeySet, LogoutRequest, PostLogoutRedirectUrl, RedirectUrl, http,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::LoginError;
use super::client::{Metadata, Published, fault};
use super::client_key::ClientKey;
use super::fetching::{FetchError, Fetching};
use super::kept::{Kept, Missing, words};
use crate::config::IdentityProvider;

/// Where a provider sends people back to.
pub const CALLBACK: &str = "/logga-in/svar";
/// Where a provider describes itself, under its issuer.
const DESCRIPTION: &str = ".well-known/openid-configuration";
/// How long it may take a provider to show that it is there.
const SHOWING: Duration = Duration::from_secs(3);
/// How long it counts as there, or as away, without being asked again.
const SEEN: TimeDelta = TimeDelta::seconds(5);

/// When a provider was asked whether it is there, and why it is not.
type Seen = (DateTime<Utc>, Result<(), String>);

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
    kept: Kept<Metadata>,
    /// What was last found out; held by who asks.
    seen: Mutex<Option<Seen>>,
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
            kept: Kept::new(clock),
            seen: Mutex::default(),
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
        Ok(self.kept.current(self.discover()).await?)
    }

    /// What it has published, with keys that are newer than those in `known`, which do not fit a token.
    ///
    /// # Errors
    /// [`LoginError`] when there are none.
    pub async fn rotated(&self, known: &Published) -> Result<Arc<Published>, LoginError> {
        let fetched = async {
            let keys = JsonWebKeySet::fetch_async(known.metadata.jwks_uri(), &self.fetching).await;
            Ok(known.metadata.clone().set_jwks(keys.map_err(|error| words(&error))?))
        };
        Ok(self.kept.rotated(known, fetched).await?)
    }

    /// What it has published, for leading somebody to it: a description of one that is away now leads nowhere.
    ///
    /// # Errors
    /// As [`Provider::published`]; [`LoginError::Away`] when it does not answer now.
    pub async fn reachable(&self) -> Result<Arc<Published>, LoginError> {
        let now = self.clock.now();
        let is_new = |at: DateTime<Utc>| TimeDelta::zero() <= now - at && now - at < SEEN;
        // One of which nothing is known is asked for its description in any case, and answered when that is new.
        if self.kept.usable().is_some_and(|known| !is_new(known.at)) {
            let mut seen = self.seen.lock().await;
            let found = match seen.take().filter(|(at, _)| is_new(*at)) {
                Some(found) => found,
                None => (now, self.answers().await),
            };
            seen.insert(found).1.clone().map_err(LoginError::Away)?;
        }
        self.published().await
    }

    /// Whether it answers, whatever it says.
    async fn answers(&self) -> Result<(), String> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| error.to_string())?;
        let address = issuer.join(DESCRIPTION).map_err(|error| error.to_string())?;
        let request =
            http::Request::get(address.as_str()).body(Vec::new()).map_err(|error| error.to_string())?;
        match timeout(SHOWING, self.fetching.fetch(request)).await {
            Ok(Ok(_) | Err(FetchError::Large)) => Ok(()),
            Ok(Err(error)) => Err(words(&error)),
            Err(_) => Err("it took too long".to_owned()),
        }
    }

    /// Where one logs out at the provider, if it offers that.
    ///
    /// # Errors
    /// As [`Provider::reachable`].
    pub async fn end_of_session(&self, id_token: &str) -> Result<Option<String>, LoginError> {
        let published = self.reachable().await?;
        let end = published.metadata.additional_metadata().end_session_endpoint.clone();
        let Some(end) = end else { return Ok(None) };
        let request = LogoutRequest::from(end)
            .set_client_id(ClientId::new(self.settings.client_id.clone()))
            .set_post_logout_redirect_uri(self.home.clone());
        let mut address = request.http_get_url();
        address.query_pairs_mut().append_pair("id_token_hint", id_token);
        Ok(Some(address.into()))
    }

    /// What time it is at the provider, if it tells.
    pub async fn time(&self) -> Option<DateTime<Utc>> {
        let published = self.published().await.ok()?;
        let request = http::Request::get(published.metadata.jwks_uri().as_str()).body(Vec::new()).ok()?;
        let answer = self.fetching.fetch(request).await.ok()?;
        let date = answer.headers().get(http::header::DATE)?.to_str().ok()?;
        Some(DateTime::parse_from_rfc2822(date).ok()?.to_utc())
    }

    async fn discover(&self) -> Result<Metadata, String> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|error| error.to_string())?;
        let metadata = Metadata::discover_async(issuer, &self.fetching).await;
        let metadata = metadata.map_err(|error| words(&error))?;
        fault(&metadata).map_or(Ok(metadata), |fault| Err(fault.to_owned()))
    }
}

impl From<Missing> for LoginError {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Away(words) => Self::Away(words),
            Missing::JustFetched => Self::Token(missing.to_string()),
        }
    }
}

/// That the provider does not answer as it should.
pub(super) fn away(error: &(dyn std::error::Error + 'static)) -> LoginError {
    LoginError::Away(words(error))
}
