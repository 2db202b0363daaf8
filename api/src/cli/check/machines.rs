//! Whether systems can call with tokens of authorization servers: the settings, and whether each server answers, by a clock
//! that agrees with ours.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use infrastructure::Clock;

use super::logins::agrees;
use crate::Config;
use crate::identity::machines::{Machines, Server};

/// What is said of the authorization servers, or what to do.
pub(super) async fn check(config: &Config) -> anyhow::Result<String> {
    let machines = Machines::new(config, &Clock::System)?;
    let mut answers = Vec::new();
    for server in machines.iter() {
        answers.push(asked(server).await?);
    }
    Ok(answers.join(", "))
}

async fn asked(server: &Arc<Server>) -> anyhow::Result<String> {
    let issuer = &server.settings.issuer;
    let published = server.published().await.with_context(|| {
        format!(
            "{issuer} cannot be asked; check issuer and ca_file, and that its description (RFC 8414, or \
             {}/.well-known/openid-configuration) can be reached from here",
            issuer.trim_end_matches('/')
        )
    })?;
    let keys = published.metadata.keys.len();
    anyhow::ensure!(keys > 0, "{issuer} publishes no key that can be read, so that no token of its holds");
    match server.time().await {
        Some(time) => {
            let skew = TimeDelta::seconds(i64::from(server.settings.skew_seconds));
            agrees(issuer, time, Clock::System.now(), skew)?;
        }
        None => bail!("{issuer} does not tell its time"),
    }
    Ok(format!(
        "{issuer} answers with {keys} keys, its clock agrees with ours, and its tokens must be for {}",
        server.audience
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_asked_is_said_in_words() {
        let server = "[[authorization_servers]]
            issuer = 'http://127.0.0.1:1'
            clients = [{ client_id = 'agresso', employers = ['4021000007'] }]";
        let config = Config::parse(server).unwrap();
        let said = check(&config).await.unwrap_err().to_string();
        assert!(said.contains("http://127.0.0.1:1/.well-known/openid-configuration"), "{said}");
    }
}
