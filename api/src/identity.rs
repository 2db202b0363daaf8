//! Logins by OpenID Connect: the providers as they are configured, each with what it has published, and what a login
//! goes through. Nothing here knows pages or cookies.

pub mod claims;
pub mod client;
pub mod client_key;
pub mod fetching;
pub mod kept;
pub mod login;
pub mod machines;
pub mod provider;

use std::sync::Arc;

use domain::OrganisationNumber;
use infrastructure::Clock;

use crate::Config;
pub use claims::Refused;
pub use login::{Finished, Pending};
pub use provider::Provider;

/// Why a login did not succeed. What it says is for the log only: it holds nothing personal and no secret.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The provider does not answer as it should, or not in time.
    #[error("the identity provider does not answer: {0}")]
    Away(String),
    /// The provider refuses us or the person.
    #[error("the identity provider refuses: {0}")]
    Denied(String),
    /// What came back is not what was asked for.
    #[error("the answer is not one to this login: {0}")]
    Foreign(&'static str),
    /// The token is not accepted.
    #[error("the token is not accepted: {0}")]
    Token(String),
    /// The token is good, and is not for us to let in.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// All identity providers.
#[derive(Debug, Default)]
pub struct Providers(Vec<Arc<Provider>>);

impl Providers {
    /// As they are configured; nobody is asked yet.
    ///
    /// # Errors
    /// In words, when a setting or a file that it names cannot be used.
    pub fn new(config: &Config, clock: &Clock) -> anyhow::Result<Self> {
        crate::config::identity::check(&config.identity_providers)?;
        let all = &config.identity_providers;
        let provider = |settings| Provider::new(settings, all, &config.public_url(), clock).map(Arc::new);
        all.iter().map(provider).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.0.iter()
    }

    /// Whose login the people of an employer have; for none, that of the centre's own people.
    pub fn of(&self, employer: Option<OrganisationNumber>) -> Option<&Arc<Provider>> {
        let serves = |provider: &&Arc<Provider>| match employer {
            Some(employer) => provider.serves(employer),
            None => provider.settings.default,
        };
        self.0.iter().find(serves)
    }

    /// The provider that a login was begun with.
    pub fn named(&self, name: &str) -> Option<&Arc<Provider>> {
        self.0.iter().find(|provider| provider.name() == name)
    }
}
