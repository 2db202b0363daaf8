//! The log in PostgreSQL 15 or newer: many nodes, and a primary that may be lost.

mod hosts;
mod keeping;
mod read;
mod reads;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, Postgres, SqlStr, query_scalar, raw_sql};

use crate::log::{Heard, Log, LogError};
use hosts::{Hosts, ONLY_READ, only_read};

pub(super) use hosts::shown;
use keeping::demand_sessions;
pub use keeping::{Keeping, keeping};
pub use write::PostgresWriter;

/// Every step of the schema, with its number and what it is about; one that landed is never changed.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "log", include_str!("../../migrations/postgres/0001_log.sql")),
    (3, "reads", include_str!("../../migrations/postgres/0003_reads.sql")),
];

/// Most connections for reading; with the committer's and the one that listens a node has seven.
const READERS: u32 = 5;
/// How long a reader may take to get a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// When a reader has waited so long for one, it is found out whether the server is there.
const SOON: Duration = Duration::from_millis(300);
/// How long it waits before it listens anew; what is missed meanwhile is found by asking.
const ANEW: Duration = Duration::from_secs(1);
/// How often it asks, while it hears nothing, whether the server is still there and the one that is written.
const QUIET: Duration = Duration::from_secs(3);
/// Under this name followers are told of what was added.
const CHANNEL: &str = "kundwebb_log";
/// What every connection is before it is used: the role that may only read and append, and limits for a node that is
/// paused or cut off while it holds the log's lock. No time limit for statements: one that ended while a commit waits for the
/// standby would have the server call it done.
const SESSION: &str = "SET ROLE kundwebb_log; SET search_path = kundwebb; SET lock_timeout = '10s'; \
                       SET idle_in_transaction_session_timeout = '5s'; SET tcp_user_timeout = '10s'; \
                       SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3; \
                       SET statement_timeout = 0;";

/// What is said when a session does not last as long as its connection.
pub const NO_SESSION: &str = "a PgBouncer in transaction mode stands before the database: set pool_mode = session for it, or \
                              name the database itself";

/// For those who only read.
const READING: &str = "SET default_transaction_read_only = on";
/// For one who reads everything as it is at one moment, and may be slow to go on.
const MOMENT: &str =
    "SET idle_in_transaction_session_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";

/// What is said when another connection would see another moment.
const MOMENT_LOST: &str = "the connection that saw the log at one moment is lost";

/// The log in a database.
pub struct PostgresLog {
    hosts: Hosts,
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
        let hosts = Hosts::parse(url)?;
        demand_sessions(&hosts).await?;
        let mut connection = hosts.connect().await?;
        migrate(&mut connection).await?;
        let _ = connection.close().await;
        Ok(Self { readers: readers(hosts.current(), false), hosts, tells_time })
    }

    /// Opens the log of a database for reading.
    ///
    /// # Errors
    /// When the database cannot be reached, or holds no log.
    pub async fn open_read_only(url: &str) -> Result<Self, LogError> {
        let hosts = Hosts::parse(url)?;
        demand_sessions(&hosts).await?;
        let there = "SELECT to_regclass('kundwebb.event') IS NOT NULL";
        let mut connection = hosts.connect().await?;
        let there: bool =
            query_scalar(there).fetch_one(&mut connection).await.map_err(|error| fault(&error))?;
        let _ = connection.close().await;
        let log = Self { readers: readers(hosts.current(), true), hosts, tells_time: true };
        if there { Ok(log) } else { Err(LogError::Damaged("the database holds no log".to_owned())) }
    }

    /// Opens the log of a database for reading all of it as it is at this moment, whatever nodes add meanwhile. It is read
    /// over one connection; when that is lost, so is the moment, and nothing more can be read.
    ///
    /// # Errors
    /// As [`PostgresLog::open_read_only`].
    pub async fn open_at_this_moment(url: &str) -> Result<Self, LogError> {
        let log = Self::open_read_only(url).await?;
        let log = Self { readers: moment(log.hosts.current()), ..log };
        // The first read chooses the moment.
        log.head().await?;
        Ok(log)
    }

    /// A connection of its own to the server that can be written, ready to be used.
    async fn connection(&self) -> Result<PgConnection, LogError> {
        let mut connection = self.hosts.connect().await?;
        self.follow();
        session(&mut connection).await.map_err(|error| fault(&error))?;
        Ok(connection)
    }

    /// A connection for reading. When none comes soon, another server may have taken over; or none is there, and then
    /// nobody waits.
    async fn reader(&self) -> Result<PoolConnection<Postgres>, LogError> {
        self.hosts.is_away()?;
        if let Ok(Ok(reader)) = tokio::time::timeout(SOON, self.readers.acquire()).await {
            return Ok(reader);
        }
        self.hosts.look().await?;
        self.follow();
        self.readers.acquire().await.map_err(|error| fault(&error))
    }

    /// Readers go where the log is written; those that are elsewhere find out before they are used again.
    fn follow(&self) {
        self.readers.set_connect_options(self.hosts.current());
    }

    /// Hears what is added and tells it, until there is any trouble.
    async fn hear(&self, heard: &Heard) -> Result<(), LogError> {
        let _ = self.hosts.connect().await?.close().await;
        self.follow();
        hear(self.hosts.current(), heard).await.map_err(|error| fault(&error))
    }
}

/// Hears what is added at a server, for as long as that can be written.
async fn hear(options: PgConnectOptions, heard: &Heard) -> Result<(), sqlx::Error> {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    loop {
        match tokio::time::timeout(QUIET, listener.try_recv()).await {
            Ok(told) => match told? {
                Some(told) => heard(told.payload().parse().unwrap_or_default()),
                None => return Ok(()),
            },
            // A server that is cut off says nothing either.
            Err(_) => {
                let asking = query_scalar("SELECT current_setting('transaction_read_only') = 'on'")
                    .fetch_one(&mut listener);
                let only_read: bool = tokio::time::timeout(PATIENCE, asking)
                    .await
                    .unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut))?;
                if only_read {
                    return Ok(());
                }
            }
        }
    }
}

/// Connections for reading. Before one is used again it is asked, in place of sqlx's own ping, whether its server is
/// still the one that is written.
fn readers(options: PgConnectOptions, only_reads: bool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(move |connection, _| {
            Box::pin(async move {
                if only_reads {
                    let standby: bool =
                        query_scalar("SELECT pg_is_in_recovery()").fetch_one(connection).await?;
                    return Ok(!standby);
                }
                only_read(connection).await.map(|only_read| !only_read)
            })
        })
        .after_connect(move |connection, _| {
            Box::pin(async move {
                if only_read(connection).await? {
                    return Err(sqlx::Error::Protocol(ONLY_READ.to_owned()));
                }
                session(connection).await?;
                if only_reads {
                    connection.execute(raw_sql(READING)).await?;
                }
                Ok(())
            })
        })
        .connect_lazy_with(options)
}

/// The one connection that sees a moment: it is kept for as long as it is needed, and never replaced.
fn moment(options: PgConnectOptions) -> PgPool {
    let chosen = Arc::new(AtomicBool::new(false));
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let again = chosen.swap(true, Ordering::AcqRel);
            Box::pin(async move {
                if again {
                    return Err(sqlx::Error::Protocol(MOMENT_LOST.to_owned()));
                }
                session(connection).await?;
                connection.execute(raw_sql(MOMENT)).await.map(drop)
            })
        })
        .connect_lazy_with(options)
}

async fn session(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(raw_sql(SESSION)).await.map(drop)
}

/// Brings the database to the newest schema, which only the login that owns it may; any other uses what is there.
async fn migrate(connection: &mut PgConnection) -> Result<(), LogError> {
    let failed = |error: sqlx::migrate::MigrateError| {
        LogError::Unavailable(format!(
            "the schema of the log cannot be made or brought up to date: {error}. Run `kundwebb log create` with the \
             login that owns the database"
        ))
    };
    let migrations = MIGRATIONS.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    let made = "SELECT max(version) FROM kundwebb._sqlx_migrations WHERE success";
    let made: Option<i64> = query_scalar(made).fetch_one(&mut *connection).await.unwrap_or_default();
    if made >= migrator.iter().map(|migration| migration.version).max() {
        return Ok(());
    }
    // Several nodes may come to a new database at once; IF NOT EXISTS alone lets them collide.
    let sql = "SELECT pg_advisory_xact_lock(7726582210894); CREATE SCHEMA IF NOT EXISTS kundwebb; \
               SET search_path = kundwebb;";
    connection.execute(raw_sql(sql)).await.map_err(|error| failed(error.into()))?;
    migrator.run_direct(None, connection, false).await.map_err(failed)
}

/// Sorts the engine's errors into ours.
fn fault(error: &sqlx::Error) -> LogError {
    let words = error.to_string();
    let Some(refused) = error.as_database_error() else { return LogError::Unavailable(words) };
    // What one connection has prepared, another has met: they share a session.
    if matches!(refused.code().as_deref(), Some("42P05" | "26000")) {
        return LogError::Unavailable(format!("{words}; {NO_SESSION}"));
    }
    match refused.code().as_deref().and_then(|code| code.get(..2)) {
        // Data exceptions, broken constraints, what a trigger refuses.
        Some("22" | "23" | "P0") => LogError::Data(words),
        Some("XX") => LogError::Damaged(words),
        _ => LogError::Unavailable(words),
    }
}
