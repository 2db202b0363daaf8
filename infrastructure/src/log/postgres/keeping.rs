//! How a database keeps what is acknowledged, and whether what stands before it keeps a session: what `kundwebb check` asks.

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, Row, raw_sql};

use crate::log::LogError;
use crate::log::postgres::hosts::Hosts;
use crate::log::postgres::{NO_SESSION, fault};

/// How often two connections are compared.
const TRIES: usize = 3;

/// How a database keeps what is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// The setting `synchronous_commit`, as it holds for this login.
    pub synchronous_commit: String,
    /// The setting `synchronous_standby_names`.
    pub standby_names: String,
    /// The standbys that commits wait for, and that follow.
    pub standbys: Vec<String>,
    /// How many standbys there are of which this login may not know more.
    pub hidden: usize,
    /// Whether each connection has a session of its own for as long as it lasts.
    pub sessions: bool,
}

/// Asks a database.
///
/// # Errors
/// When it cannot be reached.
pub async fn keeping(url: &str) -> Result<Keeping, LogError> {
    let hosts = Hosts::parse(url)?;
    let [mut one, mut other] = [hosts.connect().await?, hosts.connect().await?];
    let found = async {
        let sessions = sessions(&mut one, &mut other).await?;
        let sql = "SELECT current_setting('synchronous_commit') AS commit, \
                   current_setting('synchronous_standby_names') AS names, \
                   ARRAY(SELECT application_name::text FROM pg_stat_replication \
                   WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum') ORDER BY 1)::text AS standbys, \
                   (SELECT count(*) FROM pg_stat_replication WHERE sync_state IS NULL)::text AS hidden";
        let row = one.fetch_one(raw_sql(sql)).await?;
        let (standbys, hidden): (String, String) = (row.try_get("standbys")?, row.try_get("hidden")?);
        let standbys = standbys.trim_matches(['{', '}']).split(',').filter(|name| !name.is_empty());
        Ok(Keeping {
            synchronous_commit: row.try_get("commit")?,
            standby_names: row.try_get("names")?,
            standbys: standbys.map(str::to_owned).collect(),
            hidden: hidden.parse().unwrap_or_default(),
            sessions,
        })
    };
    let found = found.await.map_err(|error| fault(&error));
    let _ = (one.close().await, other.close().await);
    found
}

/// Refuses a database before which stands what gives no sessions: what a connection sets there, others would meet.
pub(super) async fn demand_sessions(hosts: &Hosts) -> Result<(), LogError> {
    let [mut one, mut other] = [hosts.connect().await?, hosts.connect().await?];
    let kept = sessions(&mut one, &mut other).await.map_err(|error| fault(&error))?;
    let _ = (one.close().await, other.close().await);
    if kept { Ok(()) } else { Err(LogError::Unavailable(NO_SESSION.to_owned())) }
}

/// Whether two open connections never have the same process of the server. A PgBouncer in transaction mode gives both the
/// same, one after the other; by statements that are not prepared, for those fail there by chance.
async fn sessions(one: &mut PgConnection, other: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut seen = Vec::new();
    for _ in 0..TRIES {
        let (first, second) = (process(one).await?, process(other).await?);
        seen.push(first.clone());
        if first == second || first != seen[0] {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn process(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    connection.fetch_one(raw_sql("SELECT pg_backend_pid()::text")).await?.try_get(0)
}
