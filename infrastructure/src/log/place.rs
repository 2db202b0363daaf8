//! Where a log lies, and opening it there.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::log::postgres::{self, Keeping, PostgresLog};
use crate::log::sqlite::{self, SqliteLog};
use crate::log::{Log, LogError};

/// Where a log lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In `log.db` of this folder.
    Sqlite(PathBuf),
    /// In the database of this address.
    Postgres(String),
}

/// An address of a log that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(
    "the log `{0}` is not known; write `sqlite`, or the address of a database: postgres://USER@HOST/DATABASE"
)]
pub struct UnknownPlace(String);

/// A log that is open for writing.
pub struct Opened {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Held for as long as this process owns the data folder.
    pub owned: Option<sqlite::Owned>,
}

impl Place {
    /// Reads `sqlite` (in the data folder), `sqlite:FOLDER` or `postgres://…`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn parse(text: &str, data: &Path) -> Result<Self, UnknownPlace> {
        match text.split_once(':') {
            None if text == "sqlite" => Ok(Self::Sqlite(data.to_path_buf())),
            Some(("sqlite", folder)) if !folder.is_empty() => Ok(Self::Sqlite(folder.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            _ => Err(UnknownPlace(text.to_owned())),
        }
    }

    /// Opens the log for writing, makes it where there is none, and takes ownership of the data folder. In a database the
    /// time is its own, unless `past` days are being made.
    ///
    /// # Errors
    /// When another process owns the folder, or the log cannot be used.
    pub async fn open(&self, data: &Path, past: bool) -> Result<Opened, LogError> {
        match self {
            Self::Sqlite(folder) => Ok(Opened { log: Arc::new(SqliteLog::open(folder)?), owned: None }),
            Self::Postgres(url) => {
                let owned = Some(sqlite::own(data)?);
                Ok(Opened { log: Arc::new(PostgresLog::open(url, !past).await?), owned })
            }
        }
    }

    /// Opens the log for writing without a node: a log in a folder takes that folder, one in a database is written beside
    /// its nodes. It is made where there is none.
    ///
    /// # Errors
    /// When another process owns the folder, or the log cannot be used.
    pub async fn open_without_node(&self) -> Result<Arc<dyn Log>, LogError> {
        Ok(match self {
            Self::Sqlite(folder) => Arc::new(SqliteLog::open(folder)?),
            Self::Postgres(url) => Arc::new(PostgresLog::open(url, true).await?),
        })
    }

    /// Opens the log for reading, beside those who write it.
    ///
    /// # Errors
    /// When there is no log, or it cannot be read.
    pub async fn open_read_only(&self) -> Result<Arc<dyn Log>, LogError> {
        Ok(match self {
            Self::Sqlite(folder) => Arc::new(SqliteLog::open_read_only(folder)?),
            Self::Postgres(url) => Arc::new(PostgresLog::open_read_only(url).await?),
        })
    }

    /// How a database keeps what is acknowledged; nothing is asked of a file.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn keeping(&self) -> Result<Option<Keeping>, LogError> {
        match self {
            Self::Sqlite(_) => Ok(None),
            Self::Postgres(url) => postgres::keeping(url).await.map(Some),
        }
    }

    /// Whether more than one process may write it.
    pub const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// Without a password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(folder) => write!(f, "{}", folder.join(sqlite::FILE).display()),
            Self::Postgres(url) => f.write_str(&postgres::shown(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_told_without_passwords() {
        let read = |text: &str| Place::parse(text, Path::new("data"));
        assert_eq!(read("sqlite").unwrap().to_string(), "data/log.db");
        assert_eq!(read("sqlite:other").unwrap().to_string(), "other/log.db");
        for (address, told) in [
            ("postgres://u:p@ss@host:5432/kundwebb?sslmode=require", "postgres://host:5432/kundwebb"),
            ("postgresql://host/kundwebb", "postgres://host/kundwebb"),
            (
                "postgres://u:p@one:5432,two:5433/kundwebb?target_session_attrs=read-write",
                "postgres://one:5432,two:5433/kundwebb",
            ),
            (
                "postgres://host/kundwebb?user=u&password=p@ss",
                "postgres://… (an address that cannot be read)",
            ),
            ("postgres://u:p?ss@host/kundwebb", "postgres://… (an address that cannot be read)"),
        ] {
            let place = read(address).unwrap();
            assert!(place.is_shared());
            assert_eq!(place.to_string(), told);
        }
        for wrong in ["", "mysql://x", "sqlite:", "SQLITE", "data/log.db"] {
            assert!(read(wrong).unwrap_err().to_string().contains("postgres://"), "{wrong}");
        }
    }
}
