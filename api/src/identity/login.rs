//! One login: begun with a challenge that only this browser can answer, finished with a code that is exchanged for a
//! token, which is checked before anything in it is believed.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::OrganisationNumber;
use domain::vocabulary::Language;
use infrastructure::random;
use infrastructure::tokens::Identity;
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreIdToken, CoreTokenResponse};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClaimsVerificationError, CsrfToken, LanguageTag, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RequestTokenError, Scope,
    SignatureVerificationError, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client::{Client, Published, verifier};
use super::provider::{Provider, away};
use super::{LoginError, claims, client_key};

/// How far our clock and a provider's may be apart.
pub const SKEW: TimeDelta = TimeDelta::seconds(60);
/// How long a login may take from beginning to end.
pub const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// A login on its way. The browser carries it, sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// With which provider.
    pub provider: String,
    /// What the answer must repeat.
    pub state: String,
    nonce: String,
    verifier: String,
    /// Where one goes on to.
    pub back: String,
    /// The employer that was chosen.
    pub employer: Option<OrganisationNumber>,
    /// Until when it may be finished, seconds since 1970 UTC.
    pub expires: i64,
}

/// What a provider answered with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Answer {
    /// What is exchanged for a token.
    pub code: Option<String>,
    /// To which login it answers.
    pub state: Option<String>,
    /// From whom it is (RFC 9207).
    pub iss: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// A login that succeeded.
#[derive(Debug)]
pub struct Finished {
    /// Who it is, in each role.
    pub identities: Vec<Identity>,
    /// Whether the provider says that the person has protected identity.
    pub protected: bool,
    /// The token, where the provider needs it to log out.
    pub id_token: Option<String>,
}

/// How a login is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Where one goes on to.
    pub back: &'a str,
    /// The employer that was chosen.
    pub employer: Option<OrganisationNumber>,
    /// The language of the pages.
    pub language: Language,
    /// Whether who is logged in at the provider must log in again.
    pub again: bool,
}

impl Provider {
    /// Begins a login: where the browser is sent, and what it must bring back.
    ///
    /// # Errors
    /// When the provider does not answer.
    pub async fn begin(&self, wish: &Wish<'_>) -> Result<(String, Pending), LoginError> {
        let client = self.reachable().await?.client(&self.settings);
        let secret = || URL_SAFE_NO_PAD.encode(random::bytes::<32>());
        let pending = Pending {
            provider: self.name(),
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            back: wish.back.to_owned(),
            employer: wish.employer,
            expires: (self.clock.now() + LONGEST).timestamp(),
        };
        let challenge = PkceCodeVerifier::new(pending.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&challenge);
        let (state, nonce) = (CsrfToken::new(pending.state.clone()), Nonce::new(pending.nonce.clone()));
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, || state, || nonce)
            .set_redirect_uri(Cow::Borrowed(&self.callback))
            .set_pkce_challenge(challenge)
            .add_ui_locale(LanguageTag::new(wish.language.code().to_owned()))
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new));
        if wish.again {
            request = request.add_prompt(CoreAuthPrompt::Login);
        }
        Ok((request.url().0.into(), pending))
    }

    /// Finishes a login with the answer to it.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn finish(&self, pending: &Pending, answer: &Answer) -> Result<Finished, LoginError> {
        let published = self.published().await?;
        let code = self.code(pending, answer, &published)?;
        let client = published.client(&self.settings);
        let response = self.exchange(&client, &pending.verifier, code).await?;
        let id_token =
            response.id_token().ok_or_else(|| LoginError::Token("there is none in the answer".to_owned()))?;
        let now = self.clock.now();
        match self.accept(&client, pending, &response, id_token, now) {
            Err(Rejected::Key) => {
                let client = self.rotated(&published).await?.client(&self.settings);
                self.accept(&client, pending, &response, id_token, now).map_err(Rejected::into_error)?;
            }
            accepted => accepted.map_err(Rejected::into_error)?,
        }
        let claims = content(id_token)?;
        if claims.get("azp").is_some_and(|azp| azp != self.settings.client_id.as_str()) {
            return Err(LoginError::Token("it was issued to another client".to_owned()));
        }
        let identities = claims::identity(&self.settings, &claims, |employer| self.serves(employer))?;
        let ends = published.metadata.additional_metadata().end_session_endpoint.is_some();
        let protected = claims::is_protected(&self.settings, &claims);
        Ok(Finished { identities, protected, id_token: ends.then(|| id_token.to_string()) })
    }

    /// Whether the provider knows us by our secret or key: it is asked for a token with a code that is none.
    ///
    /// # Errors
    /// [`LoginError::Away`].
    pub async fn knows_us(&self) -> Result<bool, LoginError> {
        let client = self.published().await?.client(&self.settings);
        let verifier = hex::encode(random::bytes::<32>());
        match self.exchange(&client, &verifier, "none".to_owned()).await {
            Err(LoginError::Denied(word)) => {
                Ok(!["invalid_client", "unauthorized_client"].contains(&word.as_str()))
            }
            Err(LoginError::Away(reason)) => Err(LoginError::Away(reason)),
            _ => Ok(true),
        }
    }

    /// The code of an answer that is one to this login.
    fn code(&self, pending: &Pending, answer: &Answer, published: &Published) -> Result<String, LoginError> {
        if answer.state.as_deref() != Some(pending.state.as_str()) {
            return Err(LoginError::Foreign("its state is another"));
        }
        if pending.expires <= self.clock.now().timestamp() {
            return Err(LoginError::Foreign("it took too long"));
        }
        let says_iss = published
            .metadata
            .additional_metadata()
            .additional_metadata
            .authorization_response_iss_parameter_supported;
        match answer.iss.as_deref() {
            Some(iss) if iss != self.settings.issuer => {
                return Err(LoginError::Foreign("it comes from another issuer"));
            }
            None if says_iss => return Err(LoginError::Foreign("it does not say from whom it comes")),
            _ => {}
        }
        match (&answer.error, &answer.code) {
            (None, Some(code)) => Ok(code.clone()),
            (Some(error), _) => Err(LoginError::Denied(word(error))),
            (None, None) => Err(LoginError::Foreign("it holds no code")),
        }
    }

    async fn exchange(
        &self,
        client: &Client,
        verifier: &str,
        code: String,
    ) -> Result<CoreTokenResponse, LoginError> {
        let endless = |error: &dyn std::fmt::Display| LoginError::Away(error.to_string());
        let mut request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| endless(&error))?
            .set_redirect_uri(Cow::Borrowed(&self.callback))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        if let Some(key) = &self.key {
            let address = client.token_uri().map(ToString::to_string).unwrap_or_default();
            let proof = key.proof(&self.settings.client_id, &address, self.clock.now());
            request = request
                .add_extra_param("client_assertion_type", client_key::ASSERTION_TYPE)
                .add_extra_param("client_assertion", proof.map_err(|error| endless(&error))?);
        }
        request.request_async(&self.fetching).await.map_err(|error| match error {
            RequestTokenError::ServerResponse(refusal) => LoginError::Denied(word(refusal.error().as_ref())),
            RequestTokenError::Request(error) => away(&error),
            // What it says may quote the token.
            RequestTokenError::Parse(..) => LoginError::Token("the answer cannot be read".to_owned()),
            RequestTokenError::Other(words) => LoginError::Away(words),
        })
    }

    /// Whether a token holds: its signature, issuer, audience, times, nonce, and that it belongs to the access token.
    fn accept(
        &self,
        client: &Client,
        pending: &Pending,
        response: &CoreTokenResponse,
        id_token: &CoreIdToken,
        now: DateTime<Utc>,
    ) -> Result<(), Rejected> {
        let verifier = verifier(client, now);
        let claims = id_token.claims(&verifier, &Nonce::new(pending.nonce.clone()))?;
        let Some(expected) = claims.access_token_hash() else { return Ok(()) };
        let algorithm = id_token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
        let key = id_token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
        let hash = AccessTokenHash::from_token(response.access_token(), algorithm, key)
            .map_err(|error| Rejected::Token(error.to_string()))?;
        if hash == *expected {
            Ok(())
        } else {
            Err(Rejected::Token("it belongs to another access token".to_owned()))
        }
    }
}

/// Why a token is not accepted.
enum Rejected {
    /// No key that we know fits; there may be newer ones.
    Key,
    Token(String),
}

impl Rejected {
    fn into_error(self) -> LoginError {
        LoginError::Token(match self {
            Self::Key => "no key of the provider fits its signature".to_owned(),
            Self::Token(words) => words,
        })
    }
}

impl From<ClaimsVerificationError> for Rejected {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
            ) => Self::Key,
            error => Self::Token(format!("{:#}", anyhow::Error::new(error))),
        }
    }
}

/// The claims of a token that was verified, as they stand in it.
fn content(id_token: &CoreIdToken) -> Result<Value, LoginError> {
    let token = id_token.to_string();
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    claims.ok_or_else(|| LoginError::Token("its claims cannot be read".to_owned()))
}

/// A code of an error as it may stand in the log: what is no such code is not repeated.
fn word(code: &str) -> String {
    let is_code = !code.is_empty() && code.len() <= 64;
    let is_code = is_code && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_code { code.to_owned() } else { "with a code that is none".to_owned() }
}
