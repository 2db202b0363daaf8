//! The log in PostgreSQL 15 or newer: many nodes, and a primary that may be lost.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, query_scalar, raw_sql};

use crate::log::{Heard, LogError};

pub use write::PostgresWriter;

/// Most connections for reading; with the committer's and the one that listens a node has seven.
const READERS: u32 = 5;
/// How long a connection may take to be made, and a reader to get one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits before it listens anew; what is missed meanwhile is found by asking.
const ANEW: Duration = Duration::from_secs(1);
/// Under this name followers are told of what was added.
const CHANNEL: &str = "kundwebb_log";
/// What every connection is before it is used: the role that may only read and append, and limits for a node that is
/// paused or cut off while it holds the log's lock.
const SESSION: &str = "SET ROLE kundwebb_log; SET search_path = kundwebb; SET lock_timeout = '10s'; \
                       SET idle_in_transaction_session_timeout = '5s'; SET tcp_user_timeout = '10s'; \
                       SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;";

/// The log in a database.
pub struct PostgresLog {
    options: PgConnectOptions,
    readers: PgPool,
    /// Whether the database tells the time, for all nodes; else the node does, as in a demo of past days.
    tells_time: bool,
}

impl PostgresLog {
    /// Opens the log of a database; makes it, or brings it to the newest schema, where the login's role may. With
    /// `tells_time` the database's clock counts, not that of its nodes.
    ///
    /// # Errors
    /// When the database cannot be reached, or its schema is another and may not be changed by this role.
    pub async fn open(url: &str, tells_time: bool) -> Result<Self, LogError> {
        let options = options(url)?;
        let mut connection = connect(&options).await?;
        migrate(&mut connection).await?;
        let _ = connection.close().await;
        Ok(Self { readers: readers(&options), options, tells_time })
    }

    /// Opens the log of a database for reading.
    ///
    /// # Errors
    /// When the database cannot be reached, or holds no log.
    pub async fn open_read_only(url: &str) -> Result<Self, LogError> {
        let options = options(url)?.options([("default_transaction_read_only", "on")]);
        let log = Self { readers: readers(&options), options, tells_time: true };
        let there = "SELECT to_regclass('kundwebb.event') IS NOT NULL";
        let there: bool = query_scalar(there)
            .fetch_one(&mut connect(&log.options).await?)
            .await
            .map_err(|error| fault(&error))?;
        if there { Ok(log) } else { Err(LogError::Damaged("the database holds no log".to_owned())) }
    }

    /// A connection of its own, ready to be used.
    async fn connection(&self) -> Result<PgConnection, LogError> {
        let mut connection = connect(&self.options).await?;
        session(&mut connection).await.map_err(|error| fault(&error))?;
        Ok(connection)
    }
}

/// Hears what is added and tells it; on any trouble it begins anew.
async fn listen(options: &PgConnectOptions, heard: &Heard) -> Result<(), sqlx::Error> {
    let pool =
        PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    while let Some(told) = listener.try_recv().await? {
        heard(told.payload().parse().unwrap_or_default());
    }
    Ok(())
}

fn options(url: &str) -> Result<PgConnectOptions, LogError> {
    let wrong = |reason: String| {
        LogError::Unavailable(format!(
            "the address of the database must be postgres://USER@HOST/DATABASE: {reason}"
        ))
    };
    if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
        return Err(wrong("it begins otherwise".to_owned()));
    }
    let options = PgConnectOptions::from_str(url).map_err(|error| wrong(error.to_string()))?;
    Ok(options.application_name("kundwebb"))
}

fn readers(options: &PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| Box::pin(async move { session(connection).await }))
        .connect_lazy_with(options.clone())
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, LogError> {
    match tokio::time::timeout(PATIENCE, PgConnection::connect_with(options)).await {
        Ok(connection) => connection.map_err(|error| fault(&error)),
        Err(_) => Err(LogError::Unavailable("the database does not answer".to_owned())),
    }
}

async fn session(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(raw_sql(SESSION)).await.map(drop)
}

/// Brings the database to the newest schema.
async fn migrate(connection: &mut PgConnection) -> Result<(), LogError> {
    let failed = |error: sqlx::migrate::MigrateError| {
        LogError::Unavailable(format!("the schema of the log cannot be brought up to date: {error}"))
    };
    let migrator = sqlx::migrate!("migrations/postgres");
    let sql = "CREATE SCHEMA IF NOT EXISTS kundwebb; SET search_path = kundwebb;";
    connection.execute(raw_sql(sql)).await.map_err(|error| fault(&error))?;
    migrator.run_direct(None, connection, false).await.map_err(failed)
}

/// Sorts the engine's errors into ours.
fn fault(error: &sqlx::Error) -> LogError {
    let words = error.to_string();
    let Some(refused) = error.as_database_error() else { return LogError::Unavailable(words) };
    match refused.code().as_deref().and_then(|code| code.get(..2)) {
        // Data exceptions, broken constraints, what a trigger refuses.
        Some("22" | "23" | "P0") => LogError::Data(words),
        Some("XX") => LogError::Damaged(words),
        _ => LogError::Unavailable(words),
    }
}
