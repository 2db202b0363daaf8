//! Tokens that are revoked, as this node knows them: read when it starts and every second after. While the log is away those
//! hold that were read last.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use infrastructure::Log;
use infrastructure::revocation::{REVOKED, Tokens, read};
use infrastructure::upkeep::Upkeep;
use uuid::Uuid;

use crate::app::App;

/// The file in the data folder by which a running server is asked to revoke a token.
pub const REVOKE: &str = "revoke-token";

/// What is asked of a running server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The id of the token.
    pub id: Uuid,
    /// When it would have expired.
    pub expires_at: DateTime<Utc>,
}

impl Request {
    /// As it stands in the file.
    pub fn line(&self) -> String {
        format!("{} {}\n", self.id, self.expires_at.timestamp())
    }

    fn parse(line: &str) -> Option<Self> {
        let (id, expires) = line.trim_end().split_once(' ')?;
        let expires_at = DateTime::from_timestamp(expires.parse().ok()?, 0)?;
        Some(Self { id: id.parse().ok()?, expires_at })
    }

    /// What is asked for by the file of a folder, if it is there.
    fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        match std::fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => Self::parse(&read?).map(Some).context("it holds no token"),
        }
    }
}

/// The tokens that are revoked.
#[derive(Debug, Default)]
pub struct Revoked(RwLock<Tokens>);

impl Revoked {
    /// As the log has them.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn read(log: &dyn Log) -> anyhow::Result<Self> {
        Ok(Self(RwLock::new(tokens(log).await?)))
    }

    /// Whether a token is revoked.
    pub fn holds(&self, id: &str) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }
}

/// The tokens that a log says are revoked.
///
/// # Errors
/// When they cannot be read.
pub async fn tokens(log: &dyn Log) -> anyhow::Result<Tokens> {
    read(log.meta(REVOKED).await?.as_deref()).context("which tokens are revoked cannot be read")
}

impl App {
    /// Revokes what is asked for by a file in the data folder, and reads what any node has revoked.
    ///
    /// # Errors
    /// When the log or the file cannot be used.
    pub async fn look_revoked(&self) -> anyhow::Result<()> {
        let file = self.data.join(REVOKE);
        match Request::read(&file) {
            Ok(None) => {}
            Ok(Some(Request { id, expires_at })) => {
                let now = self.clock.now();
                let revoke = Upkeep::RevokeToken { id: id.to_string(), expires_at, now };
                self.committer.upkeep(revoke).await?;
                std::fs::remove_file(&file)?;
            }
            Err(error) => {
                tracing::warn!(%error, file = %file.display(), "a request to revoke a token is thrown away");
                std::fs::remove_file(&file)?;
            }
        }
        let tokens = tokens(self.log.as_ref()).await?;
        *self.revoked.0.write().unwrap_or_else(PoisonError::into_inner) = tokens;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(REVOKE);
        assert_eq!(Request::read(&file).unwrap(), None);
        let request = Request {
            id: Uuid::from_u128(7),
            expires_at: DateTime::from_timestamp(1_764_150_000, 0).unwrap(),
        };
        std::fs::write(&file, request.line()).unwrap();
        assert_eq!(Request::read(&file).unwrap(), Some(request));
        std::fs::write(&file, "nonsense").unwrap();
        assert!(Request::read(&file).is_err());
    }
}
