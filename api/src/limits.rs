//! How often anybody may call: a person or a system by who it is, everybody else by the network from which they come. Counted
//! on each node by itself.

pub mod address;
mod headers;
mod quota;

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::PersonId;
use infrastructure::Clock;

use crate::v1::bearer::{self, Told};
use crate::{App, Config, Failure};
use quota::Quota;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A person or a system.
    Person(PersonId),
    /// Everybody of a network who is not known.
    Network(IpAddr),
}

/// The limits of a node.
#[derive(Debug)]
pub struct Limits {
    /// Of the API.
    requests: Quota,
    /// Of the forms of the pages.
    forms: Quota,
    /// Of the pages that people read.
    pages: Quota,
    /// Of the login.
    logins: Quota,
    enabled: bool,
}

impl Limits {
    /// As they are configured; in the demo there are none unless the settings say so.
    pub fn new(config: &Config, clock: &Clock) -> Self {
        let limits = &config.limits;
        Self {
            requests: Quota::new(limits.requests, clock),
            forms: Quota::new(limits.forms, clock),
            pages: Quota::new(limits.pages, clock),
            logins: Quota::new(limits.logins, clock),
            enabled: limits.enabled.unwrap_or(!config.demo.enabled),
        }
    }

    /// Counts a form that is sent.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub fn form(&self, who: Who) -> Result<(), Failure> {
        self.count(&self.forms, who)
    }

    /// Counts a page that is read.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub fn page(&self, who: Who) -> Result<(), Failure> {
        self.count(&self.pages, who)
    }

    /// Counts a step of a login.
    ///
    /// # Errors
    /// [`Failure::TooMany`].
    pub fn login(&self, from: IpAddr) -> Result<(), Failure> {
        self.count(&self.logins, Who::Network(from))
    }

    fn count(&self, quota: &Quota, who: Who) -> Result<(), Failure> {
        if !self.enabled {
            return Ok(());
        }
        quota.take(who).map(drop).map_err(|counted| Failure::TooMany(counted.seconds))
    }

    /// Forgets those who have not called for long.
    pub fn forget(&self) {
        [&self.requests, &self.forms, &self.pages, &self.logins].into_iter().for_each(Quota::forget);
    }
}

impl App {
    /// The network from which a request comes.
    pub fn network(&self, headers: &HeaderMap, extensions: &Extensions) -> IpAddr {
        address::network(address::of(headers, extensions, &self.config.limits.trusted_proxies))
    }
}

/// The layer of the API: tells who calls, once for all who ask, and counts.
pub async fn api(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if !app.limits.enabled {
        return next.run(request).await;
    }
    let told = bearer::known(request.headers(), &app).await;
    let who = match &told {
        Ok(known) => Who::Person(app.keys.pseudonym(known.identity.role, &known.identity.subject)),
        Err(_) => Who::Network(app.network(request.headers(), request.extensions())),
    };
    request.extensions_mut().insert(Told(told));
    let (counted, mut response) = match app.limits.requests.take(who) {
        Ok(counted) => (counted, next.run(request).await),
        Err(counted) => (counted, Failure::TooMany(counted.seconds).into_response()),
    };
    headers::write(response.headers_mut(), counted);
    response
}
