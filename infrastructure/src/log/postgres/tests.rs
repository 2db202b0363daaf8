//! The log on PostgreSQL: the contract, and what is PostgreSQL's own.

use std::sync::Arc;

use async_trait::async_trait;
use cluster::Cluster;
use sqlx::AssertSqlSafe;

use super::*;
use crate::log::Log;
use crate::log::contract::{Engine, contract};

/// A log in a database of its own.
struct Postgres {
    log: Arc<PostgresLog>,
    url: String,
    _cluster: Arc<Cluster>,
}

#[async_trait]
impl Engine for Postgres {
    async fn new() -> Self {
        let (cluster, url) = tokio::task::spawn_blocking(|| {
            let cluster = Cluster::shared().unwrap();
            let url = cluster.database().unwrap();
            (cluster, url)
        })
        .await
        .unwrap();
        let log = PostgresLog::open(&url).await.unwrap();
        Self { log: Arc::new(PostgresLog { tells_time: false, ..log }), url, _cluster: cluster }
    }

    fn log(&self) -> Arc<dyn Log> {
        Arc::<PostgresLog>::clone(&self.log)
    }

    async fn intrude(&self, sql: &str) -> Result<(), String> {
        let mut owner = connect(&options(&self.url).unwrap()).await.unwrap();
        owner.execute(raw_sql("SET search_path = kundwebb, kundwebb_keys")).await.unwrap();
        owner.execute(raw_sql(AssertSqlSafe(sql))).await.map(drop).map_err(|error| error.to_string())
    }
}

contract!(Postgres);
