//! Identity providers: who says who somebody is. One for each employer, or for several, and one for everybody else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context as _, bail, ensure};
use domain::access::Role;
use domain::{Area, OrganisationNumber};
use openidconnect::IssuerUrl;
use serde::Deserialize;

use super::Secret;

/// An OpenID provider (OpenID Connect Core 1.0) and what we are to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityProvider {
    /// Its issuer, exactly as the provider writes it in its tokens; `https`, or `http` on this machine.
    pub issuer: String,
    /// Our name at the provider.
    pub client_id: String,
    /// What proves that we are that client; or `key_file`.
    #[serde(default)]
    pub client_secret: Option<Secret>,
    /// Our private key (PEM, PKCS#8), with which we sign a proof that we are that client (`private_key_jwt`).
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// The name under which the provider knows the key.
    #[serde(default)]
    pub key_id: Option<String>,
    /// What we ask for beside `openid`.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The employers whose login this is.
    #[serde(default)]
    pub employers: Vec<OrganisationNumber>,
    /// Whether this is also the login of the centre's own people and of every employer that no other provider names.
    #[serde(default)]
    pub default: bool,
    /// In which claims it says what.
    #[serde(default)]
    pub claims: ClaimNames,
    /// Whether its addresses are verified though it does not say so in `email_verified`.
    #[serde(default)]
    pub email_is_verified: bool,
    /// Who is more than an employee: the first that holds counts.
    #[serde(default)]
    pub roles: Vec<RoleRule>,
    /// The certificates (PEM) that prove who the provider is, in place of the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn scopes() -> Vec<String> {
    ["profile", "email"].map(str::to_owned).to_vec()
}

/// In which claims a provider says what. A path into an object is written with points: `realm_access.roles`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimNames {
    /// Who it is: never given to anybody else.
    pub subject: String,
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// Whether the address is verified.
    pub email_verified: String,
    /// The organisation number of the employer, or a list of them; none where the provider does not tell.
    pub organisation_number: Option<String>,
    /// The role, or a list of them.
    pub roles: String,
    /// Whether the person has protected identity; none where the provider does not tell.
    pub protected: Option<String>,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            subject: "sub".to_owned(),
            name: "name".to_owned(),
            email: "email".to_owned(),
            email_verified: "email_verified".to_owned(),
            organisation_number: None,
            roles: "roles".to_owned(),
            protected: None,
        }
    }
}

/// What a value of the provider's roles makes somebody here.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRule {
    /// The provider's word.
    pub value: String,
    /// Our role.
    pub role: Role,
    /// The areas of an officer; all when absent.
    #[serde(default)]
    pub areas: Option<Vec<Area>>,
}

impl IdentityProvider {
    /// What is wrong with the settings of this provider, in words.
    fn check(&self) -> anyhow::Result<()> {
        let issuer = IssuerUrl::new(self.issuer.clone()).context("its issuer is no address")?;
        is_safe(&issuer)?;
        ensure!(!self.client_id.is_empty(), "its client_id is empty; the provider has given us one");
        match (&self.client_secret, &self.key_file) {
            (Some(secret), None) => ensure!(!secret.0.is_empty(), "its client_secret is empty"),
            (None, Some(_)) => {}
            (None, None) => {
                bail!("it has neither client_secret nor key_file; set the one that it knows us by")
            }
            (Some(_), Some(_)) => bail!("it has both client_secret and key_file; leave one out"),
        }
        ensure!(
            self.default || !self.employers.is_empty(),
            "it serves nobody; name its employers, or set default = true"
        );
        ensure!(
            self.claims.organisation_number.is_some() || self.employers.len() < 2,
            "it serves several employers, and nothing tells whose employee somebody is; set claims.organisation_number"
        );
        for rule in &self.roles {
            let what = format!("its role {:?}", rule.value);
            ensure!(rule.role != Role::System, "{what} makes a system of a person");
            ensure!(
                rule.areas.is_none() || rule.role.has_areas(),
                "{what} has areas, which only officers and team leads have"
            );
        }
        Ok(())
    }
}

/// Whether an issuer can be trusted to be itself.
///
/// # Errors
/// In words, when it cannot.
pub(super) fn is_safe(issuer: &IssuerUrl) -> anyhow::Result<()> {
    let issuer = issuer.url();
    let local = matches!(issuer.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    ensure!(
        issuer.scheme() == "https" || (local && issuer.scheme() == "http"),
        "its issuer does not begin with https://; without it anybody on the way could be anybody"
    );
    ensure!(issuer.query().is_none() && issuer.fragment().is_none(), "its issuer may hold neither ? nor #");
    Ok(())
}

/// What is wrong with the providers, in words.
///
/// # Errors
/// The first that is wrong, by its issuer, and what to do.
pub fn check(providers: &[IdentityProvider]) -> anyhow::Result<()> {
    let (mut served, mut known) = (BTreeSet::new(), BTreeSet::new());
    for provider in providers {
        let what = || format!("the identity provider {} cannot be used", provider.issuer);
        provider.check().with_context(what)?;
        for employer in &provider.employers {
            ensure!(
                served.insert(employer),
                "the employer {} has two identity providers; let one of them serve it",
                employer.display()
            );
        }
        ensure!(
            known.insert((&provider.issuer, &provider.client_id)),
            "the identity provider {} stands twice with the same client_id; leave one out",
            provider.issuer
        );
    }
    let defaults = providers.iter().filter(|provider| provider.default).count();
    ensure!(defaults < 2, "{defaults} identity providers have default = true; leave it with one");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    const GOOD: &str = "
        [[identity_providers]]
        issuer = 'https://login.example'
        client_id = 'kundwebb'
        client_secret = 'hemligt'
        employers = ['4021000007', '402101-0006']
        claims = { organisation_number = 'org' }
        roles = [{ value = 'kw-lon', role = 'officer', areas = ['lon'] }, { value = 'kw-rev', role = 'auditor' }]
        [[identity_providers]]
        issuer = 'http://127.0.0.1:9000/realm'
        client_id = 'kundwebb'
        key_file = 'key.pem'
        default = true
    ";

    fn said(toml: &str) -> String {
        match Config::parse(toml) {
            Ok(config) => check(&config.identity_providers)
                .map_or_else(|error| format!("{error:#}"), |()| String::new()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn providers_are_read_with_defaults_and_their_secret_is_never_shown() {
        let config = Config::parse(GOOD).unwrap();
        check(&config.identity_providers).unwrap();
        let [first, second] = &config.identity_providers[..] else { panic!("two") };
        assert_eq!((first.scopes.len(), first.employers.len(), first.roles.len()), (2, 2, 2));
        assert_eq!((second.claims.subject.as_str(), second.default), ("sub", true));
        assert!(!format!("{config:?}").contains("hemligt"));
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        for (from, to, words) in [
            ("https://login.example", "http://login.example", "https://"),
            ("https://login.example", "login.example", "no address"),
            ("https://login.example", "https://login.example/?a=b", "neither ? nor #"),
            ("client_secret = 'hemligt'", "", "neither client_secret nor key_file"),
            ("client_secret = 'hemligt'", "client_secret = 's'\nkey_file = 'k'", "leave one out"),
            ("client_secret = 'hemligt'", "client_secret = ''", "client_secret is empty"),
            ("default = true", "", "it serves nobody"),
            ("claims = { organisation_number = 'org' }", "default = true", "organisation_number"),
            ("default = true", "employers = ['4021000007']", "two identity providers"),
            ("role = 'auditor'", "role = 'auditor', areas = ['lon']", "only officers"),
            ("role = 'auditor'", "role = 'system'", "makes a system of a person"),
            ("role = 'auditor'", "role = 'emperor'", "emperor"),
            ("'402101-0006'", "'4021010007'", "employers"),
            ("issuer = 'http://127.0.0.1:9000/realm'", "issuer = 'https://login.example'", "stands twice"),
            ("claims = {", "default = true\nclaims = {", "default = true; leave it with one"),
            ("client_id = 'kundwebb'", "client = 'kundwebb'", "client"),
        ] {
            assert!(GOOD.contains(from));
            let said = said(&GOOD.replacen(from, to, 1));
            assert!(said.contains(words), "{to}: {said}");
        }
    }
}
