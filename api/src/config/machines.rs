//! Authorization servers: whose tokens systems call the API with, and which system is what here.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use domain::OrganisationNumber;
use domain::scope::Scope;
use jsonwebtoken::Algorithm;
use openidconnect::IssuerUrl;
use serde::Deserialize;

use super::identity::is_safe;

/// Most seconds by which a server's clock may differ from ours.
const MOST_SKEW: u32 = 300;
/// Longest name of a system, bytes: its issuer and its client.
const LONGEST_NAME: usize = 255;

/// An authorization server (RFC 8414) whose access tokens (RFC 9068) the API takes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationServer {
    /// Its issuer, exactly as it stands in its tokens; `https`, or `http` on this machine.
    pub issuer: String,
    /// For whom its tokens are; `public_url` and `/api/v1` when absent.
    #[serde(default)]
    pub audience: Option<String>,
    /// By which algorithms it may sign: with a key of its own, never with a secret that is shared.
    #[serde(default = "algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// How far its clock may be from ours, seconds; at most 300.
    #[serde(default = "skew")]
    pub skew_seconds: u32,
    /// The certificates (PEM) that prove who it is, in place of the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The systems that may call; one that is not named may not.
    pub clients: Vec<Client>,
}

/// A system.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name at the server (`client_id`).
    pub client_id: String,
    /// What the server calls it in `sub`, where that is not its name.
    #[serde(default)]
    pub subject: Option<String>,
    /// The employers for which it acts.
    pub employers: Vec<OrganisationNumber>,
    /// What it may use at most; all when absent.
    #[serde(default)]
    pub scopes: Option<Vec<Scope>>,
}

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA]
}

const fn skew() -> u32 {
    60
}

impl Client {
    /// What the server calls it in `sub`.
    pub fn subject(&self) -> &str {
        self.subject.as_deref().unwrap_or(&self.client_id)
    }
}

impl AuthorizationServer {
    /// What is wrong with the settings of this server, in words.
    fn check(&self) -> anyhow::Result<()> {
        let issuer = IssuerUrl::new(self.issuer.clone()).context("its issuer is no address")?;
        is_safe(&issuer)?;
        let secret = |algorithm: &&Algorithm| {
            matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
        };
        if let Some(secret) = self.algorithms.iter().find(secret) {
            anyhow::bail!(
                "its algorithm {secret:?} signs with a secret that is shared; name one with a key of its own"
            );
        }
        ensure!(!self.algorithms.is_empty(), "it has no algorithms; leave them out, or name one");
        ensure!(self.skew_seconds <= MOST_SKEW, "its skew_seconds is more than {MOST_SKEW}; set its clock");
        ensure!(self.audience.as_deref() != Some(""), "its audience is empty; leave it out, or name one");
        ensure!(!self.clients.is_empty(), "it has no clients; name the systems that may call");
        let (mut names, mut subjects) = (BTreeSet::new(), BTreeSet::new());
        for client in &self.clients {
            let name = &client.client_id;
            ensure!(!name.is_empty(), "the client_id of one of its clients is empty");
            ensure!(
                self.issuer.len() + 1 + name.len() <= LONGEST_NAME,
                "the client_id {name} is too long with its issuer: at most {LONGEST_NAME} bytes together"
            );
            ensure!(names.insert(name), "the client {name} stands twice; leave one out");
            ensure!(subjects.insert(client.subject()), "two clients have the subject {}", client.subject());
            ensure!(!client.employers.is_empty(), "the client {name} acts for nobody; name its employers");
        }
        Ok(())
    }
}

/// What is wrong with the authorization servers, in words.
///
/// # Errors
/// The first that is wrong, by its issuer, and what to do.
pub fn check(servers: &[AuthorizationServer]) -> anyhow::Result<()> {
    let mut known = BTreeSet::new();
    for server in servers {
        let issuer = &server.issuer;
        server.check().with_context(|| format!("the authorization server {issuer} cannot be used"))?;
        ensure!(known.insert(issuer), "the authorization server {issuer} stands twice; leave one out");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    const GOOD: &str = "
        [[authorization_servers]]
        issuer = 'https://tokens.example'
        clients = [
            { client_id = 'agresso', employers = ['4021000007', '402101-0006'] },
            { client_id = 'primula', employers = ['4021000007'], scopes = ['case.read'] },
        ]
        [[authorization_servers]]
        issuer = 'http://127.0.0.1:9000/realm'
        audience = 'kundwebb'
        algorithms = ['ES256']
        skew_seconds = 10
        clients = [{ client_id = 'agresso', subject = 'service-account', employers = ['4021000007'] }]
    ";

    fn said(toml: &str) -> String {
        match Config::parse(toml) {
            Ok(config) => check(&config.authorization_servers)
                .map_or_else(|error| format!("{error:#}"), |()| String::new()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn servers_are_read_with_defaults() {
        let config = Config::parse(GOOD).unwrap();
        check(&config.authorization_servers).unwrap();
        let [first, second] = &config.authorization_servers[..] else { panic!("two") };
        assert_eq!((first.algorithms.len(), first.skew_seconds, &first.audience), (4, 60, &None));
        assert_eq!((first.clients[0].employers.len(), first.clients[0].subject()), (2, "agresso"));
        assert_eq!(second.clients[0].subject(), "service-account");
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        for (from, to, words) in [
            ("https://tokens.example", "http://tokens.example", "https://"),
            ("https://tokens.example", "tokens.example", "no address"),
            ("https://tokens.example", "http://127.0.0.1:9000/realm", "stands twice"),
            ("['ES256']", "['HS256']", "a secret that is shared"),
            ("['ES256']", "['none']", "none"),
            ("['ES256']", "[]", "no algorithms"),
            ("skew_seconds = 10", "skew_seconds = 301", "set its clock"),
            ("'kundwebb'", "''", "audience is empty"),
            ("client_id = 'primula'", "client_id = 'agresso'", "stands twice"),
            ("client_id = 'primula'", "client_id = 'x', subject = 'agresso'", "two clients have the subject"),
            ("client_id = 'primula'", "client_id = ''", "is empty"),
            ("'402101-0006'", "'4021010007'", "employers"),
            ("employers = ['4021000007'], scopes", "employers = [], scopes", "acts for nobody"),
            ("['case.read']", "['case.delete']", "case.delete"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let said = said(&GOOD.replacen(from, to, 1));
            assert!(said.contains(words), "{to}: {said}");
        }
    }
}
