//! What a provider has published, and the client of the library that is made of it.

use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType,
    CoreIdTokenVerifier, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreJwsSigningAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthType, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, LogoutProviderMetadata, ProviderMetadata,
};
use serde::{Deserialize, Serialize};

use crate::config::IdentityProvider;

/// The algorithms by which a provider may sign a token: with a key of its own, never with a secret that we share.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 8] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What we read of a provider's description beside what the library does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct More {
    /// Whether it says in every answer from whom it is (RFC 9207).
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

/// The description of a provider.
pub type Metadata = ProviderMetadata<
    LogoutProviderMetadata<More>,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The library's client of a provider.
pub type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What a provider has published, and when we asked.
pub type Published = super::kept::Published<Metadata>;

/// What is wrong with a description, if anything: all that a login needs must be there, and as safe as the issuer.
pub fn fault(metadata: &Metadata) -> Option<&'static str> {
    let Some(token) = metadata.token_endpoint() else {
        return Some("its description names no token endpoint");
    };
    let safe = metadata.issuer().url().scheme() == "https";
    let addresses = [metadata.authorization_endpoint().url(), token.url(), metadata.jwks_uri().url()];
    let unsafe_one = safe && addresses.iter().any(|address| address.scheme() != "https");
    unsafe_one.then_some("its description names an address without https")
}

impl Published {
    /// The client.
    pub fn client(&self, settings: &IdentityProvider) -> Client {
        let secret = settings.client_secret.as_ref().map(|secret| ClientSecret::new(secret.0.clone()));
        let client_id = ClientId::new(settings.client_id.clone());
        let client = CoreClient::from_provider_metadata(self.metadata.clone(), client_id, secret);
        let methods = self.metadata.token_endpoint_auth_methods_supported();
        let in_body = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        if in_body { client.set_auth_type(AuthType::RequestBody) } else { client }
    }
}

/// What checks a token: signed by a key of the provider, for us, from it, in time.
pub fn verifier(client: &Client, now: DateTime<Utc>) -> CoreIdTokenVerifier<'_> {
    use super::login::{LONGEST, SKEW};
    client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now - SKEW)
        .set_issue_time_verifier_fn(move |issued| {
            let apart = now - issued;
            let fits = -SKEW <= apart && apart <= LONGEST + SKEW;
            if fits { Ok(()) } else { Err(format!("it was issued at {issued}, and it is {now} here")) }
        })
}
