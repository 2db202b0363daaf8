//! A token that was issued: what it says, and taking it back. Works beside running servers; the one whose data folder holds
//! the log is asked by a file in it.

use std::io::ErrorKind;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, SecondsFormat};
use domain::OrganisationNumber;
use domain::scope::Scope;
use infrastructure::log::sqlite;
use infrastructure::tokens::{LONGEST, Verified};
use infrastructure::upkeep::Upkeep;
use infrastructure::{Clock, Log};

use super::tokens;
use crate::Config;
use crate::app::revoked::{self, REVOKE, Request};
use crate::cli::{print, read_only};

/// How long a running server may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_millis(200);

/// Tells what a token says.
pub(super) async fn show(config: &Config, token: &str) -> anyhow::Result<ExitCode> {
    let verified = verified(config, token)?;
    let Verified { identity, scopes, id, expires } = &verified;
    let list = |words: Vec<String>| if words.is_empty() { "all".to_owned() } else { words.join(" ") };
    let employers = identity.employers.iter().flatten().map(OrganisationNumber::display).collect();
    let areas = identity.areas.iter().flatten().map(ToString::to_string).collect();
    let may_use = match scopes {
        None => "all".to_owned(),
        Some(scopes) => scopes.iter().map(|scope: &Scope| scope.code()).collect::<Vec<_>>().join(" "),
    };
    print(format_args!(
        "id: {id}\nsubject: {}\nrole: {}\nemployers: {}\nareas: {}\nscopes: {may_use}\nexpires: {}",
        identity.subject,
        identity.role,
        list(employers),
        list(areas),
        time(*expires),
    ));
    let log = read_only(config).await;
    let revoked = match &log {
        Ok(log) => revoked::tokens(log.as_ref()).await.map(|tokens| tokens.contains_key(id)),
        Err(error) => Err(anyhow::anyhow!("{error:#}")),
    };
    match revoked {
        Ok(revoked) => print(format_args!("revoked: {}", if revoked { "yes" } else { "no" })),
        Err(error) => print(format_args!("revoked: not known, for the log cannot be read: {error:#}")),
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes a token back.
pub(super) async fn revoke(config: &Config, token: &str) -> anyhow::Result<ExitCode> {
    let request = request(config, token)?;
    let id = request.id.to_string();
    let log = read_only(config).await?;
    if revoked::tokens(log.as_ref()).await?.contains_key(&id) {
        print(format_args!("the token {id} was revoked before"));
        return Ok(ExitCode::SUCCESS);
    }
    let place = config.log_place()?;
    if place.is_shared() || sqlite::own(&config.data).is_ok() {
        let log = place.open_without_node().await?;
        let mut writer = log.writer().await?;
        writer.begin().await?;
        let (expires_at, now) = (request.expires_at, Clock::System.now());
        writer.upkeep(&Upkeep::RevokeToken { id: id.clone(), expires_at, now }).await?;
        writer.commit().await?;
    } else {
        ask(config, request, log.as_ref()).await?;
    }
    if token == id {
        print(format_args!(
            "every node refuses a token with the id {id} within seconds; whether there is one is not known, for no list of \
             tokens is kept"
        ));
    } else {
        print(format_args!("the token {id} is revoked; every node refuses it within seconds"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Asks the running server, and waits until it has.
async fn ask(config: &Config, request: Request, log: &dyn Log) -> anyhow::Result<()> {
    let file = config.data.join(REVOKE);
    let id = request.id.to_string();
    let part = config.data.join(format!("{REVOKE}.{id}"));
    let asked = async {
        std::fs::write(&part, request.line())?;
        // Another may be asked for at the same time.
        while let Err(error) = std::fs::hard_link(&part, &file) {
            ensure!(error.kind() == ErrorKind::AlreadyExists, error);
            tokio::time::sleep(LOOK).await;
        }
        while !revoked::tokens(log).await?.contains_key(&id) {
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    };
    let asked = tokio::time::timeout(PATIENCE, asked).await;
    drop(std::fs::remove_file(&part));
    asked.unwrap_or_else(|_| {
        Err(anyhow::anyhow!("the server has not revoked it; look at its log and try again"))
    })
}

/// The token that is meant: by itself, or by its id.
fn request(config: &Config, token: &str) -> anyhow::Result<Request> {
    if let Ok(id) = token.parse() {
        // When it expires is not known.
        return Ok(Request { id, expires_at: Clock::System.now() + LONGEST });
    }
    let verified = verified(config, token)?;
    let id = verified.id.parse().context("the id of the token is no UUID")?;
    let expires_at = DateTime::from_timestamp(verified.expires, 0).context("the token expires never")?;
    Ok(Request { id, expires_at })
}

fn verified(config: &Config, token: &str) -> anyhow::Result<Verified> {
    tokens(config)?.check(token.trim(), Clock::System.now()).context(
        "write a token of this installation that has not expired (one of another authorization server is revoked there), \
         and name the installation's folder with --data",
    )
}

fn time(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}
