//! The settings: flags over environment variables (`KUNDWEBB_…`, `__` between levels) over a TOML file over defaults.

pub mod identity;
pub mod limits;
pub mod machines;
pub mod scan;
pub mod words;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use config::{Environment, File, FileFormat};
use domain::Area;
use domain::files::{FileLimits, MEGABYTE};
use infrastructure::files;
use infrastructure::log::place::{Place, UnknownPlace};
use openidconnect::url::Url;
use serde::Deserialize;

use crate::employers::Employer;
pub use identity::IdentityProvider;
pub use limits::Limits;
pub use machines::AuthorizationServer;
pub use scan::Scan;

/// In how many working days an answer is aimed at in the demo.
const DEMO_REPLY_DAYS: u16 = 3;

/// All settings. Every field has a default, so that an empty file is a good file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the web listens.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// Where the log lies: `sqlite` (in the data folder), or the address of a database.
    pub log: String,
    /// The folder with `master.key` and `token.key`, the same for every node; the data folder when absent. Only where the
    /// log lies in a database: a log in the data folder has its keys beside it.
    pub keys: Option<PathBuf>,
    /// Whether one database server alone is meant, whose loss loses what was acknowledged; else `kundwebb check` demands a
    /// standby.
    pub single_database: bool,
    /// The address under which people reach the web, without a slash at the end.
    pub public_url: Option<String>,
    /// The centre's phone number.
    pub phone: String,
    /// In how many working days an answer is aimed at, by the code of the area; nothing is said of an area that is not here.
    pub reply_days: BTreeMap<Area, u16>,
    /// What a connection may take.
    pub web: Web,
    /// How often anybody may call.
    pub limits: Limits,
    /// How long a login lasts.
    pub sessions: Sessions,
    /// Whether anybody may choose who to be.
    pub demo: Demo,
    /// The employers whose people may log in; in the demo there are fictional ones.
    pub employers: Vec<Employer>,
    /// Who says who somebody is; none in the demo.
    pub identity_providers: Vec<IdentityProvider>,
    /// Whose tokens systems call the API with, beside those of `kundwebb token`.
    pub authorization_servers: Vec<AuthorizationServer>,
    /// How mail leaves.
    pub mail: Mail,
    /// Where attached files lie, and how much may be attached.
    pub files: Files,
    /// The virus scanner that looks at them.
    pub scan: Scan,
    /// How long it is kept who has read what.
    pub read_log: ReadLog,
    /// The file that they were read from, if one was named.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Where traces are sent (OTLP over HTTP): `http://COLLECTOR:4318/v1/traces`; nowhere when absent.
    pub otlp: Option<String>,
}

/// What a connection may take, so that nobody keeps others from being served.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Web {
    /// How long the head of a request may take to come, how long a connection may rest between two, and how long it may
    /// take nothing of what is sent to it, seconds.
    pub head_seconds: u64,
    /// How long a request may take to come in and be answered, seconds; a large file over a slow line needs most of it.
    pub request_seconds: u64,
    /// How much memory bodies that are kept whole (all but files) may take together while they come in, MiB; beyond that
    /// callers are asked to come again.
    pub body_mb: usize,
    /// How many may be connected at once; none: as many as the operating system has files for.
    pub connections: Option<usize>,
}

/// How long a login lasts. The pages warn two minutes before either end.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// How long it lasts without being used, minutes: 5 or more, for it is known to the minute when it was used.
    pub idle_minutes: u64,
    /// How long it lasts however much it is used, hours: from 1 to 168.
    pub absolute_hours: u64,
}

/// The demo.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demo {
    /// Whether this is one.
    pub enabled: bool,
    /// How many cases an empty folder is filled with.
    pub cases: Option<u32>,
    /// From what the cases are drawn: the same seed gives the same cases.
    pub seed: u64,
    /// Whether others than this machine may use it.
    pub allow_remote: bool,
}

/// How mail leaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// `files` (into `mail/*.eml` of the data folder) or `smtp`.
    pub transport: String,
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `required` (the server proves who it is), `opportunistic` (encrypted where the server offers it, without a
    /// proof unless `ca_file` is set) or `none`.
    pub starttls: String,
    /// The certificates (PEM) that prove who the server is, in place of the public ones.
    pub ca_file: Option<PathBuf>,
    /// Where the server asks who we are.
    pub user: Option<String>,
    /// The password of the user.
    pub password: Option<Secret>,
    /// The sender.
    pub from: String,
}

/// A setting that is never shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where attached files lie, and how much may be attached.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Files {
    /// Where they lie: `local` (`files/` of the data folder), `local:FOLDER` (one that all nodes see) or
    /// `s3://BUCKET/PREFIX`. How a bucket is reached is told by the usual environment variables: `AWS_ENDPOINT_URL`,
    /// `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, without TLS, `AWS_ALLOW_HTTP=true`.
    pub store: String,
    /// Largest file, MB.
    pub file_mb: u64,
    /// Most files at once.
    pub at_once: usize,
    /// Largest sum of the files of a case, MB.
    pub case_mb: u64,
}

/// The read log: who was shown content of cases that are not their own.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadLog {
    /// For how many months it can be told who has read what. Then the key of the month is destroyed.
    pub retention_months: u32,
}

impl Default for ReadLog {
    fn default() -> Self {
        Self { retention_months: 24 }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("data"),
            log: "sqlite".to_owned(),
            keys: None,
            single_database: false,
            public_url: None,
            phone: "0771-456 000".to_owned(),
            reply_days: BTreeMap::new(),
            web: Web::default(),
            limits: Limits::default(),
            sessions: Sessions::default(),
            demo: Demo::default(),
            employers: Vec::new(),
            identity_providers: Vec::new(),
            authorization_servers: Vec::new(),
            mail: Mail::default(),
            files: Files::default(),
            scan: Scan::default(),
            read_log: ReadLog::default(),
            file: None,
            otlp: None,
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self { head_seconds: 30, request_seconds: 300, body_mb: 256, connections: None }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { idle_minutes: 60, absolute_hours: 8 }
    }
}

impl Sessions {
    /// Whether sessions can last so long.
    ///
    /// # Errors
    /// In words.
    pub fn check(&self) -> Result<(), String> {
        let Self { idle_minutes, absolute_hours } = self;
        if *idle_minutes < 5 || !(1..=168).contains(absolute_hours) {
            return Err(format!(
                "sessions.idle_minutes is {idle_minutes} and sessions.absolute_hours {absolute_hours}; set them to 5 or more \
                 minutes, and to 1 to 168 hours"
            ));
        }
        if *idle_minutes > absolute_hours * 60 {
            return Err(format!(
                "sessions.idle_minutes is {idle_minutes}, which is longer than sessions.absolute_hours {absolute_hours}, so that it \
                 would end no session; set it to {} at most",
                absolute_hours * 60
            ));
        }
        Ok(())
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            transport: "files".to_owned(),
            host: "localhost".to_owned(),
            port: 25,
            starttls: "opportunistic".to_owned(),
            ca_file: None,
            user: None,
            password: None,
            from: "Kundwebben <kundwebb@kundwebb.example>".to_owned(),
        }
    }
}

impl Default for Files {
    fn default() -> Self {
        Self { store: "local".to_owned(), file_mb: 25, at_once: 10, case_mb: 50 }
    }
}

impl Config {
    /// In how many working days an answer is aimed at in an area; the demo says the same of all.
    pub fn reply_days(&self, area: Area) -> Option<u16> {
        let demo = (self.demo.enabled && self.reply_days.is_empty()).then_some(DEMO_REPLY_DAYS);
        self.reply_days.get(&area).copied().or(demo)
    }

    /// Where the log lies.
    ///
    /// # Errors
    /// When the setting cannot be understood.
    pub fn log_place(&self) -> Result<Place, UnknownPlace> {
        Place::parse(&self.log, &self.data)
    }

    /// The folder with the keys.
    pub fn keys_folder(&self) -> &Path {
        let shared = self.log_place().is_ok_and(|place| place.is_shared());
        self.keys.as_deref().filter(|_| shared).unwrap_or(&self.data)
    }

    /// Where attached files lie.
    ///
    /// # Errors
    /// When the setting cannot be understood.
    pub fn files_place(&self) -> Result<files::place::Place, files::place::UnknownPlace> {
        files::place::Place::parse(&self.files.store, &self.data)
    }

    /// Reads a file, if one is named, and the environment.
    ///
    /// # Errors
    /// In words: what cannot be read, or which setting is unknown or wrong.
    pub fn read(file: Option<&Path>) -> Result<Self, config::ConfigError> {
        let mut builder = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file));
        }
        Ok(Self { file: file.map(Path::to_owned), ..Self::with_environment(builder)? })
    }

    /// Whether the file holds something that nobody else may know.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn file_holds_secrets(&self) -> Result<bool, config::ConfigError> {
        let Some(file) = &self.file else { return Ok(false) };
        let alone = config::Config::builder().add_source(File::from(file.as_path()));
        let alone: Self = alone.build()?.try_deserialize()?;
        let database = Url::parse(&alone.log).is_ok_and(|log| log.password().is_some());
        let client = alone.identity_providers.iter().any(|provider| provider.client_secret.is_some());
        Ok(database || client || alone.mail.password.is_some())
    }

    /// Reads settings from TOML text alone.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(toml: &str) -> Result<Self, config::ConfigError> {
        config::Config::builder()
            .add_source(File::from_str(toml, FileFormat::Toml))
            .build()?
            .try_deserialize()
    }

    fn with_environment(
        builder: config::ConfigBuilder<config::builder::DefaultState>,
    ) -> Result<Self, config::ConfigError> {
        let environment =
            Environment::with_prefix("KUNDWEBB").prefix_separator("_").separator("__").try_parsing(true);
        builder.add_source(environment).build()?.try_deserialize()
    }

    /// The address under which people reach the web.
    pub fn public_url(&self) -> String {
        self.public_url
            .as_deref()
            .map_or_else(|| format!("http://{}", self.listen), |url| url.trim_end_matches('/').to_owned())
    }

    /// The limits on files.
    pub const fn limits(&self) -> FileLimits {
        FileLimits {
            file_bytes: self.files.file_mb * MEGABYTE,
            files_at_once: self.files.at_once,
            case_bytes: self.files.case_mb * MEGABYTE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_share_a_folder_of_keys_and_a_log_in_its_folder_has_its_own_beside_it() {
        let folder = |log: &str| {
            let config =
                Config::parse(&format!("log = '{log}'\nkeys = '/run/keys'\ndata = '/data'")).unwrap();
            config.keys_folder().to_owned()
        };
        assert_eq!(folder("postgres://host/kundwebb"), Path::new("/run/keys"));
        assert_eq!(folder("sqlite"), Path::new("/data"));
        assert_eq!(Config::default().keys_folder(), Path::new("data"));
    }

    #[test]
    fn an_unknown_setting_is_named_and_it_is_known_whether_the_file_holds_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kundwebb.toml");
        std::fs::write(&file, "[mail]\ntransprot = \"smtp\"\n").unwrap();
        assert!(Config::read(Some(&file)).unwrap_err().to_string().contains("transprot"));
        for (toml, secret) in
            [("", false), ("mail.password = 'x'", true), ("log = 'postgres://a:b@host/c'", true)]
        {
            std::fs::write(&file, toml).unwrap();
            assert_eq!(Config::read(Some(&file)).unwrap().file_holds_secrets().unwrap(), secret, "{toml}");
        }
    }
}
