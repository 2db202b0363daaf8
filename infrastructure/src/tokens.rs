//! Bearer tokens signed with the installation's key: JWT access tokens in the style of RFC 9068, EdDSA (RFC 8037).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::access::Role;
use domain::scope::Scope;
use domain::{Area, OrganisationNumber};
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::keys::Keys;
use crate::random;

/// Who issues and who accepts.
pub const ISSUER: &str = "kundwebb";
/// Most tokens remembered as verified; more forgets them all, which costs only the verifying.
const REMEMBERED: usize = 20_000;

/// Who somebody says to be, and what narrows what they may see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The login's or the system's name.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The role.
    pub role: Role,
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The verified e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Narrows employees and systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employers: Option<Vec<OrganisationNumber>>,
    /// Narrows officers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub areas: Option<Vec<Area>>,
}

/// What a token says that was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whose it is.
    pub identity: Identity,
    /// What it lets use; all where it does not say.
    pub scopes: Option<Vec<Scope>>,
    /// Its own id.
    pub id: String,
    /// When it expires, seconds since 1970 UTC.
    pub expires: i64,
}

/// The longest that a token may last.
pub const LONGEST: TimeDelta = TimeDelta::days(366);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(flatten)]
    identity: Identity,
}

/// A token that is not accepted; says nothing about why, which is for the log only.
#[derive(Debug, thiserror::Error)]
#[error("the token is not accepted: {0}")]
pub struct TokenError(String);

/// Signs and checks tokens.
pub struct Tokens {
    signing: EncodingKey,
    /// The key that signs, and those that did; each with the time at which it ends to count.
    checking: Vec<(DecodingKey, Option<DateTime<Utc>>)>,
    /// What verified tokens say, by the SHA-256 of the token: a signature takes as long to check as everything else that a
    /// request costs.
    verified: Mutex<HashMap<[u8; 32], Verified>>,
}

impl Tokens {
    /// With the installation's key.
    ///
    /// # Errors
    /// When the key cannot be used.
    pub fn new(keys: &Keys) -> Result<Self, TokenError> {
        let fault = |error: &dyn std::fmt::Display| TokenError(error.to_string());
        let private = keys.token().to_pkcs8_der().map_err(|error| fault(&error))?;
        let own = (keys.token().verifying_key(), None);
        let former = keys.former().iter().map(|former| (former.key, Some(former.until)));
        let checking = std::iter::once(own).chain(former).map(|(key, until)| {
            let public = key.to_public_key_der().map_err(|error| fault(&error))?;
            // The public key is the last 32 bytes of its SubjectPublicKeyInfo (RFC 8410).
            let raw = public.as_bytes().len().saturating_sub(32);
            Ok((DecodingKey::from_ed_der(&public.as_bytes()[raw..]), until))
        });
        Ok(Self {
            signing: EncodingKey::from_ed_der(private.as_bytes()),
            checking: checking.collect::<Result<_, TokenError>>()?,
            verified: Mutex::default(),
        })
    }

    /// Signs a token that lasts `ttl` from `now`.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<String, TokenError> {
        self.issue_for(identity, None, now, ttl)
    }

    /// As [`Tokens::issue`], for nothing but some scopes.
    ///
    /// # Errors
    /// As [`Tokens::issue`].
    pub fn issue_for(
        &self,
        identity: &Identity,
        scopes: Option<&[Scope]>,
        now: DateTime<Utc>,
        ttl: TimeDelta,
    ) -> Result<String, TokenError> {
        let words = |scopes: &[Scope]| scopes.iter().map(|scope| scope.code()).collect::<Vec<_>>().join(" ");
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: ISSUER.to_owned(),
            iat: now.timestamp(),
            exp: now.checked_add_signed(ttl).unwrap_or(now).timestamp(),
            jti: random::id().to_string(),
            client_id: identity.subject.clone(),
            scope: scopes.map(words),
            identity: identity.clone(),
        };
        let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|error| TokenError(error.to_string()))
    }

    /// Checks signature, algorithm, type, issuer, audience and time.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, TokenError> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self.verified().get(&digest).cloned();
        let remembered = known.is_some();
        let verified = known.map_or_else(|| self.verify(token, now), Ok)?;
        if verified.expires <= now.timestamp() {
            return Err(TokenError("it has expired".to_owned()));
        }
        if !remembered {
            self.remember(digest, verified.clone());
        }
        Ok(verified)
    }

    fn remember(&self, digest: [u8; 32], verified: Verified) {
        let mut all = self.verified();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(digest, verified);
    }

    fn verified(&self) -> MutexGuard<'_, HashMap<[u8; 32], Verified>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a token says, if it is ours.
    fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Verified, TokenError> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        // The time is ours to check, against the clock that everything else follows.
        validation.validate_exp = false;
        let mut refused = TokenError("there is no key".to_owned());
        for (key, until) in &self.checking {
            if until.is_some_and(|until| until <= now) {
                continue;
            }
            match jsonwebtoken::decode::<Claims>(token, key, &validation) {
                Ok(decoded) if decoded.header.typ.as_deref() == Some("at+jwt") => {
                    return Ok(verified(decoded.claims));
                }
                Ok(_) => return Err(TokenError("it is not an access token".to_owned())),
                Err(error) => refused = TokenError(error.to_string()),
            }
        }
        Err(refused)
    }
}

fn verified(claims: Claims) -> Verified {
    let scopes = claims.scope.map(|scope| Scope::among(scope.split_whitespace()));
    Verified { identity: claims.identity, scopes, id: claims.jti, expires: claims.exp }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn keys() -> Keys {
        Keys::open(tempfile::tempdir().unwrap().path(), true).unwrap()
    }

    fn anna() -> Identity {
        Identity {
            subject: "anna".to_owned(),
            role: Role::Employee,
            name: Some("Anna Öberg".to_owned()),
            email: None,
            employers: OrganisationNumber::parse("4021000007").map(|employer| vec![employer]),
            areas: None,
        }
    }

    fn noon() -> DateTime<Utc> {
        "2026-11-23T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_token_says_who_it_was_issued_to_until_it_expires() {
        let tokens = Tokens::new(&keys()).unwrap();
        let token = tokens.issue(&anna(), noon(), TimeDelta::hours(1)).unwrap();
        assert_eq!(tokens.check(&token, noon()).unwrap().identity, anna());
        assert!(tokens.check(&token, noon() + TimeDelta::seconds(3599)).is_ok());
        assert!(tokens.check(&token, noon() + TimeDelta::hours(1)).is_err());
        assert_ne!(token, tokens.issue(&anna(), noon(), TimeDelta::hours(1)).unwrap(), "each its own id");
    }

    #[test]
    fn a_token_lets_use_what_it_says_and_all_where_it_does_not_say() {
        let tokens = Tokens::new(&keys()).unwrap();
        let scopes = |scopes: Option<&[Scope]>| {
            let token = tokens.issue_for(&anna(), scopes, noon(), TimeDelta::hours(1)).unwrap();
            tokens.check(&token, noon()).unwrap().scopes
        };
        assert_eq!(scopes(None), None);
        let some = [Scope::CaseRead, Scope::EventRead];
        assert_eq!(scopes(Some(&some)), Some(some.to_vec()));
        assert_eq!(scopes(Some(&[])), Some(Vec::new()));
    }

    #[test]
    fn what_another_key_signed_or_nobody_or_what_was_changed_is_refused() {
        let (own, other) = (Tokens::new(&keys()).unwrap(), Tokens::new(&keys()).unwrap());
        let token = other.issue(&anna(), noon(), TimeDelta::hours(1)).unwrap();
        assert!(own.check(&token, noon()).is_err());
        let token = own.issue(&anna(), noon(), TimeDelta::hours(1)).unwrap();
        let parts: Vec<&str> = token.split('.').collect();
        let stranger = other.issue(&anna(), noon(), TimeDelta::hours(2)).unwrap();
        let claims = stranger.split('.').nth(1).unwrap();
        // {"alg":"none","typ":"at+jwt"}
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0";
        for forged in [
            format!("{}.{claims}.{}", parts[0], parts[2]),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.", parts[0], parts[1]),
            String::new(),
            "..".to_owned(),
        ] {
            assert!(own.check(&forged, noon()).is_err(), "{forged}");
        }
    }

    #[test]
    fn only_access_tokens_of_this_issuer_for_this_audience() {
        let tokens = Tokens::new(&keys()).unwrap();
        let good = json!({
            "iss": ISSUER, "aud": ISSUER, "iat": noon().timestamp(), "exp": noon().timestamp() + 60,
            "jti": "1", "client_id": "anna", "sub": "anna", "role": "employee",
        });
        let signed = |typ: &str, change: serde_json::Value| {
            let mut claims = good.clone();
            claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let header = Header { typ: Some(typ.to_owned()), ..Header::new(Algorithm::EdDSA) };
            jsonwebtoken::encode(&header, &claims, &tokens.signing).unwrap()
        };
        assert!(tokens.check(&signed("at+jwt", json!({})), noon()).is_ok());
        for (typ, change) in [
            ("JWT", json!({})),
            ("at+jwt", json!({"iss": "somebody"})),
            ("at+jwt", json!({"aud": "another service"})),
            ("at+jwt", json!({"role": "emperor"})),
            ("at+jwt", json!({"exp": noon().timestamp()})),
            ("at+jwt", json!({"employers": ["1234567890"]})),
        ] {
            assert!(tokens.check(&signed(typ, change.clone()), noon()).is_err(), "{typ} {change}");
        }
    }
}
