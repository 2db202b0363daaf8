//! `kundwebb token`: a bearer token for the API, signed with the installation's key. Prints the token alone.

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use chrono::TimeDelta;
use clap::Args;
use domain::access::Role;
use domain::text::{Email, PersonName};
use domain::{Area, OrganisationNumber};
use infrastructure::tokens::{Identity, Tokens};
use infrastructure::{Clock, Keys};

use crate::Config;
use crate::cli::print;

/// What the token says.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// employee, requester, employer-administrator, officer, team-lead, registrar, archivist, auditor, status-editor,
    /// system-administrator or system
    #[arg(long = "as", value_name = "ROLE")]
    role: String,
    /// The login, or the system's name
    #[arg(long)]
    subject: String,
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
    /// How long it lasts: 30s, 15m, 1h, 7d; at most 366d
    #[arg(long, default_value = "1h")]
    ttl: String,
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> anyhow::Result<ExitCode> {
    let ttl = duration(&arguments.ttl).with_context(|| {
        format!("--ttl {}: write a number and s, m, h or d, for example 1h; at most 366d", arguments.ttl)
    })?;
    let identity = identity(arguments)?;
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
        .context("the keys of this installation are needed to sign a token; name its folder with --data")?;
    print(Tokens::new(&keys)?.issue(&identity, Clock::System.now(), ttl)?);
    Ok(ExitCode::SUCCESS)
}

fn identity(arguments: Arguments) -> anyhow::Result<Identity> {
    let Some(role) = Role::parse(&arguments.role) else {
        let roles: Vec<&str> = Role::ALL.iter().map(|role| role.code()).collect();
        bail!("--as {}: write one of {}", arguments.role, roles.join(", "));
    };
    let subject = arguments.subject.trim().to_owned();
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
    duration.filter(|duration| duration.num_days() <= 366)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("90m"), TimeDelta::try_minutes(90));
        assert_eq!(duration("7d"), TimeDelta::try_days(7));
        for wrong in ["", "h", "1", "-1h", "1å", "99999999999999999999h", "9223372036854775807d", "367d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
