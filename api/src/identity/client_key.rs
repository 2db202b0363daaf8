//! `private_key_jwt`: the proof, signed with our key, that we are the client (RFC 7523, OpenID Connect Core 9).

use std::path::Path;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use infrastructure::random;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

/// What kind of proof it is.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long a proof holds.
const HOLDS: TimeDelta = TimeDelta::seconds(60);

/// Our key at a provider.
pub struct ClientKey {
    key: EncodingKey,
    header: Header,
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientKey(…)")
    }
}

impl ClientKey {
    /// Reads an RSA, P-256 or Ed25519 key (PEM, PKCS#8).
    ///
    /// # Errors
    /// When the file cannot be read or holds no such key.
    pub fn read(file: &Path, key_id: Option<&str>) -> anyhow::Result<Self> {
        let pem =
            std::fs::read(file).with_context(|| format!("the key {} cannot be read", file.display()))?;
        let kinds = [
            (Algorithm::PS256, EncodingKey::from_rsa_pem(&pem)),
            (Algorithm::ES256, EncodingKey::from_ec_pem(&pem)),
            (Algorithm::EdDSA, EncodingKey::from_ed_pem(&pem)),
        ];
        for (algorithm, key) in kinds {
            let Ok(key) = key else { continue };
            let own =
                Self { key, header: Header { kid: key_id.map(str::to_owned), ..Header::new(algorithm) } };
            // A key is first known to fit when something is signed with it.
            if own.proof("kundwebb", "kundwebb", DateTime::UNIX_EPOCH).is_ok() {
                return Ok(own);
            }
        }
        bail!(
            "{} holds no private key that can be used; make one with `openssl genpkey -algorithm EC -pkeyopt \
             ec_paramgen_curve:P-256` and give the provider its public half",
            file.display()
        )
    }

    /// A proof for one request to an address.
    ///
    /// # Errors
    /// When signing fails.
    pub fn proof(&self, client: &str, address: &str, now: DateTime<Utc>) -> anyhow::Result<String> {
        let claims = json!({
            "iss": client, "sub": client, "aud": address, "jti": random::id().to_string(),
            "iat": now.timestamp(), "exp": (now + HOLDS).timestamp(),
        });
        Ok(jsonwebtoken::encode(&self.header, &claims, &self.key)?)
    }
}
