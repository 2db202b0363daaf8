//! The servers of a database: one can be written at a time, and it is found again when another takes over. The address
//! names them as libpq has it, `postgres://USER@ONE:5432,OTHER:5432/DATABASE?target_session_attrs=read-write`; sqlx alone
//! knows but one.

use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection, Executor, Row, raw_sql};
use tokio::time::Instant;

use crate::log::LogError;

/// How long one of several servers may take to answer before the next is asked.
const ONE_OF_MANY: Duration = Duration::from_secs(2);
/// How long the only one may take.
const THE_ONE: Duration = Duration::from_secs(5);
/// For so long what was found out about the servers holds for those who read: no more than one asks anew.
const HOLDS: Duration = Duration::from_secs(1);

/// What was found out about the servers.
struct Looked {
    begun: Instant,
    /// Later than that by as long as a silent server was waited for.
    ended: Instant,
    /// What was in the way.
    found: Result<(), String>,
}

/// The servers.
pub(super) struct Hosts {
    each: Vec<PgConnectOptions>,
    /// Where the one that could be written last stands in the list.
    current: AtomicUsize,
    /// What was found out last.
    looked: Mutex<Option<Looked>>,
    /// Held by the one who looks for those who wait.
    looking: tokio::sync::Mutex<()>,
}

impl Hosts {
    /// Reads an address.
    pub(super) fn parse(url: &str) -> Result<Self, LogError> {
        let wrong = |reason: String| {
            LogError::Unavailable(format!(
                "the address of the database must be postgres://USER@HOST/DATABASE: {reason}"
            ))
        };
        let address = Address::parse(url).ok_or_else(|| wrong("it begins otherwise".to_owned()))?;
        let settings = address.settings().map_err(wrong)?;
        let one = |host: &str| {
            let at = if address.user.is_empty() { "" } else { "@" };
            let url = format!("postgres://{}{at}{host}{}{settings}", address.user, address.path);
            let options = PgConnectOptions::from_str(&url).map_err(|error| wrong(error.to_string()))?;
            Ok(options.application_name("kundwebb"))
        };
        let each = address.hosts.split(',').map(one).collect::<Result<_, LogError>>()?;
        Ok(Self {
            each,
            current: AtomicUsize::new(0),
            looked: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
        })
    }

    /// The server that could be written last.
    pub(super) fn current(&self) -> PgConnectOptions {
        self.each[self.current.load(Ordering::Acquire)].clone()
    }

    /// A connection to the server that can be written, looked for in turn from the one that could be last.
    pub(super) async fn connect(&self) -> Result<PgConnection, LogError> {
        let begun = Instant::now();
        let found = self.find().await;
        self.learn(begun, found.as_ref().map(drop).map_err(Clone::clone));
        found.map_err(LogError::Unavailable)
    }

    /// Keeps what was found out by whoever began then: also that a database answers.
    pub(super) fn learn(&self, begun: Instant, found: Result<(), String>) {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has begun later knows better.
        if looked.as_ref().is_none_or(|last| last.begun <= begun) {
            *looked = Some(Looked { begun, ended: Instant::now(), found });
        }
    }

    async fn find(&self) -> Result<PgConnection, String> {
        let start = self.current.load(Ordering::Acquire);
        let mut reasons = Vec::new();
        for place in (start..self.each.len()).chain(0..start) {
            match self.one(&self.each[place]).await {
                Ok(connection) => {
                    if self.current.swap(place, Ordering::AcqRel) != place {
                        tracing::warn!("the database is written at {} now", name(&self.each[place]));
                    }
                    return Ok(connection);
                }
                Err(reason) => reasons.push(format!("{}: {reason}", name(&self.each[place]))),
            }
        }
        Err(format!("no server of the database can be written: {}", reasons.join("; ")))
    }

    /// What was found out a moment ago.
    fn known(&self) -> Option<Result<(), String>> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.as_ref().filter(|last| last.ended.elapsed() < HOLDS).map(|last| last.found.clone())
    }

    /// Why there is no server that can be written, where that was found out a moment ago.
    pub(super) fn is_away(&self) -> Result<(), LogError> {
        self.known().unwrap_or(Ok(())).map_err(LogError::Unavailable)
    }

    /// Whether there is a server that can be written, for those who wait for one: looked up once a while, for all.
    pub(super) async fn look(&self) -> Result<(), LogError> {
        let _looking = self.looking.lock().await;
        match self.known() {
            Some(found) => found.map_err(LogError::Unavailable),
            None => self.connect().await.map(drop),
        }
    }

    async fn one(&self, options: &PgConnectOptions) -> Result<PgConnection, String> {
        let patience = if self.each.len() == 1 { THE_ONE } else { ONE_OF_MANY };
        let connecting = async {
            let mut connection = PgConnection::connect_with(options).await?;
            let only_read = only_read(&mut connection).await?;
            Ok((connection, only_read))
        };
        match tokio::time::timeout(patience, connecting).await {
            Ok(Ok((connection, false))) => Ok(connection),
            Ok(Ok(_)) => Err(ONLY_READ.to_owned()),
            Ok(Err(error)) => Err(sqlx::Error::to_string(&error)),
            Err(_) => Err("it does not answer".to_owned()),
        }
    }
}

/// What is said of a standby, or of a server that was told to take no writes.
pub(super) const ONLY_READ: &str = "the database can only be read there";

/// Whether a session can only read: its server is a standby, or was told to take no writes.
pub(super) async fn only_read(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Not prepared, so that it can be asked through a PgBouncer of any mode.
    let row = connection.fetch_one(raw_sql("SELECT current_setting('transaction_read_only')")).await?;
    Ok(row.try_get::<String, _>(0)? == "on")
}

fn name(options: &PgConnectOptions) -> String {
    format!("{}:{}", options.get_host(), options.get_port())
}

/// The parts of an address.
struct Address<'a> {
    /// Name and password, as they stand.
    user: &'a str,
    hosts: &'a str,
    /// From the slash on.
    path: &'a str,
    query: &'a str,
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Option<Self> {
        let schemes = ["postgres://", "postgresql://"];
        let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme))?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // A mark within a password, which would have to be written %3F.
        (!query.contains('@')).then_some(Self { user, hosts, path, query })
    }

    /// What follows the path, without what sqlx does not know.
    fn settings(&self) -> Result<String, String> {
        let (mut kept, mut mark) = (String::new(), '?');
        for setting in self.query.split('&').filter(|setting| !setting.is_empty()) {
            match setting.split_once('=') {
                Some(("target_session_attrs", "read-write" | "primary")) => {}
                Some(("target_session_attrs", other)) => {
                    return Err(format!("target_session_attrs must be read-write, not {other}"));
                }
                _ => {
                    kept.extend([mark]);
                    kept.push_str(setting);
                    mark = '&';
                }
            }
        }
        Ok(kept)
    }
}

/// An address as it may be shown: without name, password and settings.
pub(in crate::log) fn shown(url: &str) -> String {
    Address::parse(url).map_or_else(
        || "postgres://… (an address that cannot be read)".to_owned(),
        |address| format!("postgres://{}{}", address.hosts, address.path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_several_servers() {
        let read = |url: &str| Hosts::parse(url).map(|hosts| hosts.each.iter().map(name).collect::<Vec<_>>());
        let several =
            "postgres://u:p@one:5433,two,[::1]:5434/kundwebb?sslmode=disable&target_session_attrs=read-write";
        assert_eq!(read(several).unwrap(), ["one:5433", "two:5432", "[::1]:5434"]);
        assert_eq!(read("postgresql://one/kundwebb").unwrap(), ["one:5432"]);
        let hosts = Hosts::parse(several).unwrap();
        for options in &hosts.each {
            assert_eq!((options.get_username(), options.get_database()), ("u", Some("kundwebb")));
        }
        for (wrong, why) in [
            ("mysql://one/kundwebb", "begins otherwise"),
            ("postgres://one,two/kundwebb?target_session_attrs=any", "must be read-write"),
            ("postgres://one:x,two/kundwebb", "port"),
        ] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.contains("address of the database") && error.contains(why), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_was_asked_last_counts_whenever_its_answer_comes() {
        let hosts = Hosts::parse("postgres://one/kundwebb").unwrap();
        let (before, after) = (Instant::now(), Instant::now() + Duration::from_millis(1));
        hosts.learn(after, Ok(()));
        hosts.learn(before, Err("it does not answer".to_owned()));
        assert!(hosts.is_away().is_ok(), "it has answered to what was asked later");
        hosts.learn(after, Err("it does not answer".to_owned()));
        assert!(hosts.is_away().is_err());
    }
}
