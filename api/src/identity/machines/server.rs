//! One authorization server: its settings, and the keys that it has published. They are known at once while they are not
//! older than a day; what is older than an hour is asked for again beside the work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use infrastructure::Clock;
use jsonwebtoken::jwk::Jwk;
use openidconnect::http::{Request, StatusCode, header};
use openidconnect::{HttpResponse, IssuerUrl};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::NotTaken;
use crate::config::AuthorizationServer;
use crate::identity::fetching::Fetching;
use crate::identity::kept::{Kept, Missing, Published};

/// Where OAuth (RFC 8414) and OpenID Connect have the description of a server: before the path of its issuer, and after it.
const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// What a server has published.
#[derive(Clone, Debug)]
pub struct Described {
    /// Where its keys are.
    keys_at: String,
    /// Its keys, those that can be read.
    pub keys: Vec<Jwk>,
}

/// A server.
#[derive(Debug)]
pub struct Server {
    /// Its settings.
    pub settings: AuthorizationServer,
    /// For whom its tokens must be.
    pub audience: String,
    fetching: Fetching,
    kept: Kept<Described>,
    /// Whether it is asked again beside the work.
    refreshing: AtomicBool,
}

impl Server {
    /// As it is configured; `audience` where the settings name none.
    ///
    /// # Errors
    /// In words, when a file that a setting names cannot be used.
    pub fn new(settings: &AuthorizationServer, audience: &str, clock: &Clock) -> anyhow::Result<Self> {
        Ok(Self {
            audience: settings.audience.clone().unwrap_or_else(|| audience.to_owned()),
            fetching: Fetching::new(settings.ca_file.as_deref())?,
            settings: settings.clone(),
            kept: Kept::new(clock),
            refreshing: AtomicBool::new(false),
        })
    }

    /// What it has published. Nobody waits while there is something that can be used.
    ///
    /// # Errors
    /// [`NotTaken::Away`] when it does not answer, and did not within the last day.
    pub async fn published(self: &Arc<Self>) -> Result<Arc<Published<Described>>, NotTaken> {
        if self.kept.fresh().is_none()
            && let Some(usable) = self.kept.usable()
        {
            if !self.refreshing.swap(true, Ordering::AcqRel) {
                let server = Arc::clone(self);
                tokio::spawn(async move {
                    drop(server.kept.current(server.discover()).await);
                    server.refreshing.store(false, Ordering::Release);
                });
            }
            return Ok(usable);
        }
        Ok(self.kept.current(self.discover()).await?)
    }

    /// What it has published, with keys that are newer than those in `known`, which do not fit a token.
    ///
    /// # Errors
    /// When there are none.
    pub async fn rotated(&self, known: &Published<Described>) -> Result<Arc<Published<Described>>, NotTaken> {
        Ok(self.kept.rotated(known, self.with_keys(known.metadata.keys_at.clone())).await?)
    }

    /// What time it is at the server, if it tells.
    pub async fn time(self: &Arc<Self>) -> Option<DateTime<Utc>> {
        let published = self.published().await.ok()?;
        let answer = self.get(&published.metadata.keys_at).await.ok()?;
        let date = answer.headers().get(header::DATE)?.to_str().ok()?;
        Some(DateTime::parse_from_rfc2822(date).ok()?.to_utc())
    }

    async fn discover(&self) -> Result<Described, String> {
        #[derive(Deserialize)]
        struct Description {
            issuer: String,
            jwks_uri: String,
        }
        let [oauth, openid] = addresses(&self.settings.issuer)?;
        let mut answer = self.get(&oauth).await?;
        if answer.status() != StatusCode::OK {
            answer = self.get(&openid).await?;
        }
        let described: Description = read(&answer, "its description")?;
        if described.issuer != self.settings.issuer {
            return Err("its description is that of another issuer".to_owned());
        }
        if self.settings.issuer.starts_with("https:") && !described.jwks_uri.starts_with("https:") {
            return Err("its description names an address without https".to_owned());
        }
        self.with_keys(described.jwks_uri).await
    }

    async fn with_keys(&self, keys_at: String) -> Result<Described, String> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = read(&self.get(&keys_at).await?, "the set of its keys")?;
        // One of a kind that we do not know keeps nobody from using the others.
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Described { keys_at, keys })
    }

    async fn get(&self, address: &str) -> Result<HttpResponse, String> {
        let request = Request::get(address).header(header::ACCEPT, "application/json").body(Vec::new());
        let request = request.map_err(|error| format!("{address}: {error}"))?;
        self.fetching.fetch(request).await.map_err(|error| format!("{address}: {error}"))
    }
}

impl From<Missing> for NotTaken {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Away(words) => Self::Away(words),
            Missing::JustFetched => Self::Refused(missing.to_string()),
        }
    }
}

/// Where the description of an issuer is.
fn addresses(issuer: &str) -> Result<[String; 2], String> {
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|error| error.to_string())?;
    let path = url.url().path().trim_end_matches('/').to_owned();
    let mut oauth = url.url().clone();
    oauth.set_path(&format!("{OAUTH}{path}"));
    Ok([oauth.into(), format!("{}{OPENID}", issuer.trim_end_matches('/'))])
}

fn read<T: DeserializeOwned>(answer: &HttpResponse, what: &str) -> Result<T, String> {
    if answer.status() != StatusCode::OK {
        return Err(format!("{what}: it answers {}", answer.status()));
    }
    serde_json::from_slice(answer.body()).map_err(|error| format!("{what} cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_looked_for_where_both_standards_have_it() {
        for (issuer, oauth, openid) in [
            (
                "https://a.example",
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration",
            ),
            (
                "https://a.example/realms/centre/",
                "https://a.example/.well-known/oauth-authorization-server/realms/centre",
                "https://a.example/realms/centre/.well-known/openid-configuration",
            ),
        ] {
            assert_eq!(addresses(issuer).unwrap(), [oauth, openid]);
        }
    }
}
