//! `kundwebb token`: a bearer token for the API, signed with the installation's key. Prints the token alone. Also tells what a
//! token says, and revokes one.

mod taken;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use clap::Args;
use domain::access::Role;
use domain::scope::Scope;
use domain::text::{Email, PersonName};
use domain::{Area, OrganisationNumber};
use infrastructure::tokens::{Identity, LONGEST, Tokens};
use infrastructure::{Clock, Keys};

use crate::Config;
use crate::cli::print;

/// What the token says.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// employee, requester, employer-administrator, officer, team-lead, registrar, archivist, auditor, status-editor,
    /// system-administrator or system
    #[arg(long = "as", value_name = "ROLE", required_unless_present_any = ["show", "revoke"])]
    role: Option<String>,
    /// The login, or the system's name
    #[arg(long, required_unless_present_any = ["show", "revoke"])]
    subject: Option<String>,
    /// The person's name
    #[arg(long)]
    name: Option<String>,
    /// The person's verified e-mail address
    #[arg(long)]
    email: Option<String>,
    /// Organisation number of an employer; may repeat. Narrows those at an employer, and systems
    #[arg(long, value_name = "ORGNR", num_args = 1..)]
    employer: Vec<String>,
    /// Areas of an officer or a team lead, comma-separated: lon, ekonomi, e-handel, it-tjanstestod
    #[arg(long, value_delimiter = ',')]
    areas: Vec<String>,
    /// What a system may use: case.read, case.write, event.read, webhook.manage; may repeat. All when absent
    #[arg(long, value_name = "SCOPE", num_args = 1..)]
    scope: Vec<String>,
    /// How long it lasts: 30s, 15m, 1h, 7d; at most 366d
    #[arg(long, default_value = "1h")]
    ttl: String,
    /// Tell what a token says, instead of making one: its id, whose it is, what it lets use, until when
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["role", "subject", "revoke"])]
    show: Option<String>,
    /// Revoke a token, or the one with an id, instead of making one; every node refuses it within seconds
    #[arg(long, value_name = "TOKEN|ID", conflicts_with_all = ["role", "subject"])]
    revoke: Option<String>,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    if let Some(token) = &arguments.show {
        return taken::show(config, token).await;
    }
    if let Some(token) = &arguments.revoke {
        return taken::revoke(config, token).await;
    }
    let ttl = duration(&arguments.ttl).with_context(|| {
        format!("--ttl {}: write a number and s, m, h or d, for example 1h; at most 366d", arguments.ttl)
    })?;
    let scopes = scopes(&arguments.scope)?;
    let identity = identity(arguments)?;
    anyhow::ensure!(
        scopes.is_none() || identity.role == Role::System,
        "--scope narrows systems, not the role {}",
        identity.role
    );
    let token = tokens(config)?.issue_for(&identity, scopes.as_deref(), Clock::System.now(), ttl)?;
    print(token);
    Ok(ExitCode::SUCCESS)
}

/// What signs and checks tokens, with the keys of the installation.
fn tokens(config: &Config) -> anyhow::Result<Tokens> {
    // Keys that are named are there already, wherever the log lies.
    let folder = config.keys.as_deref().unwrap_or(&config.data);
    anyhow::ensure!(
        folder.is_dir(),
        "there is no folder {}; start the server once, or name the folder of its data with --data",
        folder.display()
    );
    let new =
        config.keys.is_none() && !config.log_place()?.is_shared() && !config.data.join("log.db").exists();
    let keys = Keys::open(folder, new)
        .context("the keys of this installation are needed for tokens; name its folder with --data")?;
    Ok(Tokens::new(&keys)?)
}

fn scopes(words: &[String]) -> anyhow::Result<Option<Vec<Scope>>> {
    for word in words {
        anyhow::ensure!(
            Scope::parse(word).is_some(),
            "--scope {word}: write one or more of case.read, case.write, event.read, webhook.manage"
        );
    }
    Ok((!words.is_empty()).then(|| Scope::among(words.iter().map(String::as_str))))
}

fn identity(arguments: Arguments) -> anyhow::Result<Identity> {
    let role = arguments.role.unwrap_or_default();
    let Some(role) = Role::parse(&role) else {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.code()).collect();
        bail!("--as {role}: write one of {}", roles.join(", "));
    };
    let subject = arguments.subject.unwrap_or_default().trim().to_owned();
    anyhow::ensure!(!subject.is_empty() && subject.len() <= 200, "--subject: write 1 to 200 characters");
    if let Some(name) = &arguments.name {
        PersonName::parse(name, "").ok().with_context(|| format!("--name {name}: is not a name"))?;
    }
    if let Some(email) = &arguments.email {
        Email::parse(email, "").ok().with_context(|| format!("--email {email}: is not an address"))?;
    }
    let employers = arguments.employer.iter().map(|number| {
        OrganisationNumber::parse(number).with_context(|| {
            format!("--employer {number}: is not an organisation number, or its check digit is wrong")
        })
    });
    let employers: Vec<_> = employers.collect::<anyhow::Result<_>>()?;
    let areas = arguments.areas.iter().map(|code| {
        Area::parse(code.trim()).with_context(|| {
            format!("--areas {code}: write one or more of lon, ekonomi, e-handel, it-tjanstestod")
        })
    });
    let areas: Vec<_> = areas.collect::<anyhow::Result<_>>()?;
    let narrowed = role.has_employers();
    anyhow::ensure!(
        !narrowed || !employers.is_empty(),
        "--employer: name at least one; the role {role} belongs to employers"
    );
    anyhow::ensure!(
        narrowed || employers.is_empty(),
        "--employer narrows those at an employer and systems, not the role {role}"
    );
    anyhow::ensure!(
        role.has_areas() || areas.is_empty(),
        "--areas narrows officers and team leads, not the role {role}"
    );
    Ok(Identity {
        subject,
        role,
        name: arguments.name,
        email: arguments.email,
        employers: narrowed.then_some(employers),
        areas: (!areas.is_empty()).then_some(areas),
    })
}

/// A duration such as `90m`, of at most a year.
fn duration(text: &str) -> Option<TimeDelta> {
    let text = text.trim();
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok().filter(|number| *number > 0)?;
    let duration = match unit {
        's' => TimeDelta::try_seconds(number),
        'm' => TimeDelta::try_minutes(number),
        'h' => TimeDelta::try_hours(number),
        'd' => TimeDelta::try_days(number),
        _ => None,
    };
    duration.filter(|duration| *duration <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("90m"), TimeDelta::try_minutes(90));
        assert_eq!(duration("7d"), TimeDelta::try_days(7));
        for wrong in
            ["", "h", "1", "-1h", "1å", "99999999999999999999h", "9223372036854775807d", "367d", "8785h"]
        {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
