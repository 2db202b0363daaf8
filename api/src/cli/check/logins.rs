//! Whether people can log in: the settings of the identity providers, the cookies, and whether each provider answers, by a
//! clock that agrees with ours.

use anyhow::{Context as _, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use infrastructure::Clock;

use crate::Config;
use crate::identity::login::SKEW;
use crate::identity::provider::CALLBACK;
use crate::identity::{Provider, Providers};

/// What is said of the logins, or what to do.
pub(super) async fn check(config: &Config) -> anyhow::Result<String> {
    let providers = Providers::new(config, &Clock::System)?;
    if providers.is_empty() {
        return Ok("no identity provider is configured, so only a demo can be served, in which anybody chooses who to be. To \
                   serve people, name one in the settings ([[identity_providers]] with issuer, client_id and client_secret)"
            .to_owned());
    }
    ensure!(
        !config.demo.enabled,
        "demo.enabled is true though identity providers are named: the server starts with one or the other; take the demo away"
    );
    unserved(config)?;
    let public_url = config.public_url();
    ensure!(
        public_url.starts_with("https://") || config.listen.ip().is_loopback(),
        "public_url is {public_url}: without https:// cookies can be read on the way; set it to the address under which \
         people reach the web"
    );
    let mut answers = Vec::new();
    for provider in providers.iter() {
        answers.push(asked(provider).await?);
    }
    let elsewhere = if providers.of(None).is_some() {
        String::new()
    } else {
        "; none is the default, so that nobody who works at the centre can log in".to_owned()
    };
    Ok(format!("{}; they send people back to {public_url}{CALLBACK}{elsewhere}", answers.join(", ")))
}

async fn asked(provider: &Provider) -> anyhow::Result<String> {
    let issuer = &provider.settings.issuer;
    provider.published().await.with_context(|| {
        format!(
            "{issuer} cannot be asked; check issuer and ca_file, and that {}/.well-known/openid-configuration can be reached \
             from here",
            issuer.trim_end_matches('/')
        )
    })?;
    match provider.time().await {
        Some(time) => agrees(issuer, time, Clock::System.now(), SKEW)?,
        None => bail!("{issuer} does not tell its time"),
    }
    ensure!(
        provider.knows_us().await.with_context(|| format!("{issuer} gives no answer to a code"))?,
        "{issuer} does not know us: check client_id, and client_secret, or key_file and key_id, as they are registered there"
    );
    Ok(format!("{issuer} answers and knows us, and its clock agrees with ours"))
}

/// Whether everybody who can be chosen can log in, and everybody who has a login can be chosen.
fn unserved(config: &Config) -> anyhow::Result<()> {
    let providers = &config.identity_providers;
    for employer in providers.iter().flat_map(|provider| &provider.employers) {
        ensure!(
            config.employers.iter().any(|known| known.number == *employer),
            "the employer {} has an identity provider, but cannot be chosen: name it under [[employers]]",
            employer.display()
        );
    }
    let own = |employer| providers.iter().any(|provider| provider.employers.contains(employer));
    let tells =
        providers.iter().any(|provider| provider.default && provider.claims.organisation_number.is_some());
    for employer in config.employers.iter().map(|employer| &employer.number).filter(|employer| !own(employer))
    {
        ensure!(
            tells,
            "nobody of the employer {} can log in: no identity provider names it, and the default one does not tell whose \
             employee somebody is; set its claims.organisation_number",
            employer.display()
        );
    }
    Ok(())
}

/// Whether a provider's clock is near enough for its tokens to hold here.
pub(super) fn agrees(
    issuer: &str,
    theirs: DateTime<Utc>,
    ours: DateTime<Utc>,
    skew: TimeDelta,
) -> anyhow::Result<()> {
    let apart = (theirs - ours).abs();
    // It is told in whole seconds.
    ensure!(
        apart <= (skew - TimeDelta::seconds(2)).max(TimeDelta::seconds(2)),
        "the clock of {issuer} and ours are {} seconds apart, so that its tokens do not hold here; set ours by NTP",
        apart.num_seconds()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_be_a_minute_apart_and_no_more() {
        let ours = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        for (apart, well) in [(0, true), (57, true), (-57, true), (61, false), (-61, false)] {
            let said = agrees("https://login.example", ours + TimeDelta::seconds(apart), ours, SKEW);
            assert_eq!(said.is_ok(), well, "{apart}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_asked_or_is_not_safe_is_said_in_words() {
        assert!(check(&Config::default()).await.unwrap().contains("only a demo"));
        let provider = "[[identity_providers]]
            issuer = 'http://127.0.0.1:1'
            client_id = 'kundwebb'
            client_secret = 'hemligt'
            default = true";
        let mut config = Config::parse(provider).unwrap();
        let said = check(&config).await.unwrap_err().to_string();
        assert!(said.contains("http://127.0.0.1:1/.well-known/openid-configuration"), "{said}");
        config.listen = "0.0.0.0:80".parse().unwrap();
        assert!(check(&config).await.unwrap_err().to_string().contains("without https://"));
    }
}
