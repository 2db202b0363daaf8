//! The read log in PostgreSQL: a schema of its own, in which the program reads and appends.

use async_trait::async_trait;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Executor, Row, query, raw_sql};

use crate::clock::from_micros;
use crate::log::LogError;
use crate::log::postgres::hosts::ONLY_READ;
use crate::log::postgres::read::{hash, most};
use crate::log::postgres::write::patiently;
use crate::log::postgres::{PostgresLog, fault};
use crate::read_log::{ReadBatch, ReadHead, ReadStore, ReadWriter, ReadsBegun, StoredRead, Token};

/// Begins a transaction, takes the lock of the read log, and reads its end in the statement after, which sees what the
/// last holder added.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock(7726582210895); \
    SELECT position, recorded_at, month, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now, \
      current_setting('transaction_read_only') = 'on' AS only_read FROM (SELECT) one \
      LEFT JOIN LATERAL (SELECT position, recorded_at, month FROM kundwebb_reads.read_log \
                         ORDER BY position DESC LIMIT 1) head ON true";

type Result<T> = std::result::Result<T, LogError>;

fn head(row: &PgRow) -> std::result::Result<ReadHead, sqlx::Error> {
    let Some(position) = row.try_get::<Option<i64>, _>("position")? else { return Ok(ReadHead::default()) };
    Ok(ReadHead {
        position: position.unsigned_abs(),
        recorded_at: row.try_get("recorded_at")?,
        month: row.try_get("month")?,
    })
}

fn stored(row: &PgRow) -> std::result::Result<StoredRead, sqlx::Error> {
    Ok(StoredRead {
        position: row.try_get::<i64, _>("position")?.unsigned_abs(),
        recorded_at: row.try_get("recorded_at")?,
        month: row.try_get("month")?,
        sealed: row.try_get("sealed")?,
        leaf_hash: hash(row, "leaf_hash")?,
    })
}

fn token(row: &PgRow) -> std::result::Result<(u64, Token), sqlx::Error> {
    let bytes: Vec<u8> = row.try_get(1)?;
    let token = Token::try_from(bytes.as_slice()).map_err(|error| sqlx::Error::Decode(error.into()))?;
    Ok((row.try_get::<i64, _>(0)?.unsigned_abs(), token))
}

fn all<T>(rows: &[PgRow], read: impl Fn(&PgRow) -> std::result::Result<T, sqlx::Error>) -> Result<Vec<T>> {
    rows.iter().map(read).collect::<std::result::Result<_, _>>().map_err(|error| fault(&error))
}

#[async_trait]
impl ReadStore for PostgresLog {
    async fn read_writer(&self) -> Result<Box<dyn ReadWriter>> {
        let connection = self.connection().await?;
        Ok(Box::new(PostgresReadWriter { connection, tells_time: self.tells_time }))
    }

    async fn reads_head(&self) -> Result<ReadHead> {
        let sql =
            "SELECT position, recorded_at, month FROM kundwebb_reads.read_log ORDER BY position DESC LIMIT 1";
        Ok(all(&self.ask(query(sql)).await?, head)?.pop().unwrap_or_default())
    }

    async fn reads_after(&self, position: u64, limit: usize) -> Result<Vec<StoredRead>> {
        let sql = "SELECT * FROM kundwebb_reads.read_log WHERE position > $1 ORDER BY position LIMIT $2";
        let rows = self.ask(query(sql).bind(position.cast_signed()).bind(most(limit))).await?;
        all(&rows, stored)
    }

    async fn reads_before(
        &self,
        before: u64,
        tokens: Option<&[Token]>,
        limit: usize,
    ) -> Result<Vec<StoredRead>> {
        let sql = "SELECT * FROM kundwebb_reads.read_log WHERE position < $1 AND ($2::bytea[] IS NULL OR position IN \
                   (SELECT position FROM kundwebb_reads.read_case WHERE token = ANY ($2))) \
                   ORDER BY position DESC LIMIT $3";
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let tokens: Option<Vec<&[u8]>> =
            tokens.map(|tokens| tokens.iter().map(<[u8; 16]>::as_slice).collect());
        all(&self.ask(query(sql).bind(before).bind(tokens).bind(most(limit))).await?, stored)
    }

    async fn read_tokens(&self, after: u64, to: u64) -> Result<Vec<(u64, Token)>> {
        let sql = "SELECT position, token FROM kundwebb_reads.read_case WHERE position > $1 AND position <= $2 \
                   ORDER BY position, token";
        let to = i64::try_from(to).unwrap_or(i64::MAX);
        all(&self.ask(query(sql).bind(after.cast_signed()).bind(to)).await?, token)
    }

    async fn read_keys(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let sql = "SELECT month, wrapped FROM kundwebb_keys.read_keys() ORDER BY month COLLATE \"C\"";
        all(&self.ask(query(sql)).await?, |row| Ok((row.try_get(0)?, row.try_get(1)?)))
    }
}

/// The connection on which is written.
struct PostgresReadWriter {
    connection: PgConnection,
    tells_time: bool,
}

#[async_trait]
impl ReadWriter for PostgresReadWriter {
    async fn begin(&mut self) -> Result<ReadsBegun> {
        let rows = patiently(self.connection.fetch_all(raw_sql(BEGIN))).await?;
        let row = rows
            .last()
            .ok_or_else(|| LogError::Damaged("the database told no end of the read log".to_owned()))?;
        let begun = || {
            let now = from_micros(row.try_get("now")?);
            let begun = ReadsBegun { head: head(row)?, now: self.tells_time.then_some(now) };
            Ok((begun, row.try_get("only_read")?))
        };
        let (begun, only_read): (_, bool) = begun().map_err(|error: sqlx::Error| fault(&error))?;
        if only_read { Err(LogError::Unavailable(ONLY_READ.to_owned())) } else { Ok(begun) }
    }

    async fn key(&mut self, month: &str) -> Result<Option<Vec<u8>>> {
        let key = query("SELECT wrapped FROM kundwebb_keys.read_keys() WHERE month = $1").bind(month);
        let rows = patiently(key.fetch_all(&mut self.connection)).await?;
        Ok(all(&rows, |row| row.try_get(0))?.pop())
    }

    async fn write(&mut self, batch: &ReadBatch) -> Result<()> {
        patiently(add(&mut self.connection, batch)).await
    }

    async fn destroy(&mut self, month: &str) -> Result<()> {
        let sql = query("SELECT kundwebb_keys.destroy_read_key($1)").bind(month);
        patiently(sql.execute(&mut self.connection)).await.map(drop)
    }

    async fn commit(&mut self) -> Result<()> {
        match patiently(self.connection.execute(raw_sql("COMMIT"))).await {
            Ok(_) => Ok(()),
            // It may have been done: then a reading stands there that nobody was shown.
            Err(error) => Err(LogError::Unknown(error.to_string())),
        }
    }

    async fn rollback(&mut self) {
        if let Err(error) = patiently(self.connection.execute(raw_sql("ROLLBACK"))).await {
            tracing::warn!(%error, "rollback failed; the connection to the read log will be replaced");
        }
    }
}

/// Adds to the read log, in the transaction that a connection is in.
pub(super) async fn add(
    connection: &mut PgConnection,
    batch: &ReadBatch,
) -> std::result::Result<(), sqlx::Error> {
    let ReadBatch { keys, rows, tokens } = batch;
    if !keys.is_empty() {
        let (months, keys): (Vec<&str>, Vec<&[u8]>) =
            keys.iter().map(|(month, wrapped)| (month.as_str(), wrapped.as_slice())).unzip();
        let sql = query("SELECT kundwebb_keys.add_read_keys($1, $2)").bind(months).bind(keys);
        sql.execute(&mut *connection).await?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    let sql = "WITH token AS (INSERT INTO kundwebb_reads.read_case SELECT * FROM unnest($6::bigint[], $7::bytea[])) \
        INSERT INTO kundwebb_reads.read_log SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[], \
        $5::bytea[])";
    query(sql)
        .bind(rows.iter().map(|row| row.position.cast_signed()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.recorded_at).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.month.as_str()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.sealed.as_slice()).collect::<Vec<_>>())
        .bind(rows.iter().map(|row| row.leaf_hash.as_slice()).collect::<Vec<_>>())
        .bind(tokens.iter().map(|(position, _)| position.cast_signed()).collect::<Vec<_>>())
        .bind(tokens.iter().map(|(_, token)| token.as_slice()).collect::<Vec<_>>())
        .execute(connection)
        .await
        .map(drop)
}
