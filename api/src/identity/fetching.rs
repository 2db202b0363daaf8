//! How a provider is spoken to: with a limit on time and size, and without following it elsewhere.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use futures::future::BoxFuture;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::{Certificate, Client, redirect};

/// How long a provider may take to let us connect.
const CONNECTING: Duration = Duration::from_secs(3);
/// How long a provider may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer, bytes.
const LARGEST: usize = 512 * 1024;

/// Why an answer did not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The connection.
    #[error("{0}")]
    Connection(String),
    /// The answer is too large.
    #[error("the answer is larger than {LARGEST} bytes")]
    Large,
    /// The answer cannot be passed on.
    #[error("{0}")]
    Http(#[from] http::Error),
}

/// The way to one provider.
#[derive(Clone, Debug)]
pub struct Fetching(Client);

impl Fetching {
    /// With the certificates of a file in place of the public ones.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificates.
    pub fn new(ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECTING)
            .timeout(PATIENCE)
            .user_agent(concat!("kundwebb/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = ca_file {
            let what = || format!("the certificates in {} cannot be used", file.display());
            let pem = std::fs::read(file).with_context(what)?;
            let certificates = Certificate::from_pem_bundle(&pem).with_context(what)?;
            anyhow::ensure!(!certificates.is_empty(), what());
            client = client.tls_certs_only(certificates);
        }
        Ok(Self(client.build().context("the way to identity providers cannot be opened")?))
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let (head, body) = request.into_parts();
        let asking = self.0.request(head.method, head.uri.to_string()).headers(head.headers).body(body);
        let mut answer = asking.send().await.map_err(|error| FetchError::Connection(words(error)))?;
        let mut built = http::Response::builder().status(answer.status());
        for name in [http::header::CONTENT_TYPE, http::header::DATE] {
            if let Some(value) = answer.headers().get(&name) {
                built = built.header(name, value);
            }
        }
        let mut content = Vec::new();
        while let Some(more) = answer.chunk().await.map_err(|error| FetchError::Connection(words(error)))? {
            content.extend_from_slice(&more);
            if content.len() > LARGEST {
                return Err(FetchError::Large);
            }
        }
        Ok(built.body(content)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Fetching {
    type Error = FetchError;
    type Future = BoxFuture<'c, Result<HttpResponse, FetchError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}

/// An error with its causes, without the address: it may hold a code.
fn words(error: reqwest::Error) -> String {
    format!("{:#}", anyhow::Error::new(error.without_url()))
}
