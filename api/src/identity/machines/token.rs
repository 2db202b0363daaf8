//! One access token as RFC 9068 has it: read, verified with the keys that its issuer has published, and held against the
//! settings. What it says of keys itself (`jku`, `jwk`, `x5u`, `x5c`) counts for nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use super::NotTaken;
use crate::config::AuthorizationServer;

/// Largest token, bytes.
pub const LARGEST: usize = 16 * 1024;
/// What a token says to be, in lower case.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// The head of a token. A member that stands twice is an error.
#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<Value>,
}

/// A token whose signature is not verified yet.
#[derive(Debug)]
pub struct Token<'a> {
    text: &'a str,
    algorithm: Algorithm,
    key: Option<String>,
}

/// What a token says. A member that stands twice is an error.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    iss: String,
    aud: Words,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    #[expect(dead_code, reason = "it must be there (RFC 9068, section 2.2)")]
    jti: String,
    /// Which client it was given to.
    pub client_id: String,
    /// Whom it is about; of a system, itself.
    pub sub: String,
    scope: Option<Words>,
    scp: Option<Words>,
}

/// One text or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::One(one) => (Some(one), None),
            Self::Many(many) => (None, Some(many)),
        };
        one.into_iter().chain(many.into_iter().flatten()).map(String::as_str)
    }
}

fn refused(words: &str) -> NotTaken {
    NotTaken::Refused(words.to_owned())
}

/// The issuer that a token says to be from, verified or not.
pub fn issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issued {
        iss: String,
    }
    let [_, claims, _] = parts(token)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    serde_json::from_slice::<Issued>(&claims).ok().map(|issued| issued.iss)
}

/// The three parts of a signed token.
fn parts(token: &str) -> Option<[&str; 3]> {
    let mut parts = token.split('.');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    (parts.next().is_none() && token.len() <= LARGEST).then_some(three)
}

impl<'a> Token<'a> {
    /// Reads the head of a token.
    ///
    /// # Errors
    /// When it is no access token that is signed by one of the algorithms.
    pub fn read(text: &'a str, algorithms: &[Algorithm]) -> Result<Self, NotTaken> {
        let [head, _, _] = parts(text).ok_or_else(|| refused("it is not of three parts, or too large"))?;
        let head = URL_SAFE_NO_PAD.decode(head).map_err(|_| refused("its head cannot be read"))?;
        let head: Head = serde_json::from_slice(&head).map_err(|_| refused("its head cannot be read"))?;
        if head.crit.is_some() {
            return Err(refused("it demands what we do not know (crit)"));
        }
        let of_type = head.typ.is_some_and(|typ| TYPES.iter().any(|own| typ.eq_ignore_ascii_case(own)));
        if !of_type {
            return Err(refused("it is no access token (typ)"));
        }
        let algorithm = head.alg.parse().ok().filter(|algorithm| algorithms.contains(algorithm));
        let algorithm = algorithm.ok_or_else(|| refused("its algorithm is not one of the settings"))?;
        Ok(Self { text, algorithm, key: head.kid })
    }

    /// What it says, if one of the keys has signed it; none where no key is the one that it names.
    ///
    /// # Errors
    /// When the key that it names has not signed it, or what it says cannot be read.
    pub fn verify(&self, keys: &[Jwk]) -> Result<Option<Claims>, NotTaken> {
        let mut tried = None;
        for key in keys.iter().filter(|key| self.may_be_of(key)) {
            match self.verify_with(key) {
                Ok(claims) => return Ok(Some(claims)),
                Err(error) => tried = Some(error),
            }
        }
        match (tried, &self.key) {
            (Some(error), Some(_)) => Err(refused(words(&error))),
            // It names no key: another may be its own.
            _ => Ok(None),
        }
    }

    fn verify_with(&self, key: &Jwk) -> Result<Claims, jsonwebtoken::errors::Error> {
        let mut validation = Validation::new(self.algorithm);
        // Who, for whom and when is held against the settings, by the clock that everything else follows.
        (validation.validate_exp, validation.validate_aud) = (false, false);
        validation.required_spec_claims.clear();
        let decoded = jsonwebtoken::decode(self.text, &DecodingKey::from_jwk(key)?, &validation)?;
        Ok(decoded.claims)
    }

    /// Whether a key may have signed this: it has the name, is meant for signing, and is of the kind.
    fn may_be_of(&self, key: &Jwk) -> bool {
        let common = &key.common;
        let named = self.key.is_none() || self.key == common.key_id;
        let signs = common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
        let verifies =
            common.key_operations.as_ref().is_none_or(|uses| uses.contains(&KeyOperations::Verify));
        let by = common.key_algorithm.is_none_or(|own| own.to_string().parse().ok() == Some(self.algorithm));
        named && signs && verifies && by && is_for(&key.algorithm, self.algorithm)
    }
}

/// Why a token is not verified, without what stands in it.
fn words(error: &jsonwebtoken::errors::Error) -> &'static str {
    match error.kind() {
        ErrorKind::InvalidSignature => "its signature does not hold",
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => "what it says cannot be read",
        _ => "it cannot be verified",
    }
}

/// Whether a key is of the kind that an algorithm takes.
fn is_for(key: &AlgorithmParameters, algorithm: Algorithm) -> bool {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match key {
        AlgorithmParameters::RSA(_) => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => algorithm == ES256,
            EllipticCurve::P384 => algorithm == ES384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => key.curve == EllipticCurve::Ed25519 && algorithm == EdDSA,
        _ => false,
    }
}

impl Claims {
    /// Checks from whom, for whom and when.
    ///
    /// # Errors
    /// When one does not hold.
    pub fn hold(
        &self,
        settings: &AuthorizationServer,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<(), NotTaken> {
        let (now, skew) = (now.timestamp(), i64::from(settings.skew_seconds));
        let checks = [
            (self.iss == settings.issuer, "it is from another issuer"),
            (self.aud.iter().any(|aud| aud == audience), "it is for another audience"),
            (now.saturating_sub(skew) < self.exp, "it has expired"),
            (self.iat <= now.saturating_add(skew), "it was issued in the future"),
            (self.nbf.is_none_or(|nbf| nbf <= now.saturating_add(skew)), "it does not hold yet"),
        ];
        checks.iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, words)| Err(refused(words)))
    }

    /// What it lets use, in its own words.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope
            .as_ref()
            .or(self.scp.as_ref())
            .into_iter()
            .flat_map(Words::iter)
            .flat_map(str::split_whitespace)
    }
}
