//! Systems that call with an access token of an authorization server (RFC 9068): which server, which key, which system, and
//! what it may use.

pub mod server;
pub mod token;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::access::Role;
use domain::scope::Scope;
use infrastructure::Clock;
use infrastructure::tokens::Identity;

use crate::Config;
use crate::config::AuthorizationServer;
use crate::config::machines::Client;
pub use server::Server;
use token::{Claims, Token};

/// Why a token is not taken. What it says is for the log only: it holds nothing personal and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is not good.
    #[error("{0}")]
    Refused(String),
    /// Whether it is good cannot be told now.
    #[error("the authorization server does not answer: {0}")]
    Away(String),
}

/// A system whose token is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Which, and for whom it acts.
    pub identity: Identity,
    /// What it may use.
    pub scopes: Vec<Scope>,
}

/// All authorization servers.
#[derive(Debug, Default)]
pub struct Machines(Vec<Arc<Server>>);

impl Machines {
    /// As they are configured; nobody is asked yet.
    ///
    /// # Errors
    /// In words, when a setting or a file that it names cannot be used.
    pub fn new(config: &Config, clock: &Clock) -> anyhow::Result<Self> {
        let all = &config.authorization_servers;
        crate::config::machines::check(all)?;
        let audience = format!("{}/api/v1", config.public_url());
        let server = |settings| Server::new(settings, &audience, clock).map(Arc::new);
        all.iter().map(server).collect::<anyhow::Result<_>>().map(Self)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Server>> {
        self.0.iter()
    }

    /// The server that a token says to be from; none where it is not from any of them.
    pub fn of(&self, token: &str) -> Option<&Arc<Server>> {
        if self.0.is_empty() {
            return None;
        }
        let issuer = token::issuer(token)?;
        self.0.iter().find(|server| server.settings.issuer == issuer)
    }
}

impl Server {
    /// The system that a token of this server names.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn check(self: &Arc<Self>, text: &str, now: DateTime<Utc>) -> Result<Machine, NotTaken> {
        let token = Token::read(text, &self.settings.algorithms)?;
        let claims = self.verified(&token).await?;
        claims.hold(&self.settings, &self.audience, now)?;
        machine(&self.settings, &claims)
    }

    /// What a token says, if the server has signed it.
    async fn verified(self: &Arc<Self>, token: &Token<'_>) -> Result<Claims, NotTaken> {
        let known = self.published().await?;
        match token.verify(&known.metadata.keys) {
            // It may be signed with a key that is newer than those we know.
            Ok(None) => {}
            Ok(Some(claims)) => return Ok(claims),
            Err(refused) => return Err(refused),
        }
        let newer = self.rotated(&known).await?;
        let verified = token.verify(&newer.metadata.keys)?;
        verified.ok_or_else(|| NotTaken::Refused("no key of the server fits".to_owned()))
    }
}

/// The system of the settings that a token names.
fn machine(settings: &AuthorizationServer, claims: &Claims) -> Result<Machine, NotTaken> {
    let refused = |words: &str| Err(NotTaken::Refused(words.to_owned()));
    let Some(client) = settings.clients.iter().find(|client| client.client_id == claims.client_id) else {
        return refused("its client is not one of the settings");
    };
    // Whoever got it for a person is not the system itself.
    if claims.sub != client.subject() {
        return refused("its subject is not the client");
    }
    let mut scopes = Scope::among(claims.scopes());
    scopes.retain(|scope| client.scopes.as_ref().is_none_or(|most| most.contains(scope)));
    Ok(Machine { identity: identity(settings, client), scopes })
}

fn identity(settings: &AuthorizationServer, client: &Client) -> Identity {
    Identity {
        // An issuer holds no `#`, so that no two servers can say the same.
        subject: format!("{}#{}", settings.issuer, client.client_id),
        role: Role::System,
        name: None,
        email: None,
        employers: Some(client.employers.clone()),
        areas: None,
    }
}
