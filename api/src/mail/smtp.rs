//! Mails handed to a mail server by SMTP (RFC 5321), a few connections at a time, each for a run of mails.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use tokio::net::TcpStream;

use crate::config;
use crate::mail::Message;
use crate::mail::post::{Answer, CONCURRENCY};

/// Most connections that wait for the next mail.
const IDLE: usize = CONCURRENCY;
/// How long the server may take to be connected to, and to answer a command.
const COMMAND: Duration = Duration::from_secs(30);
/// How long the server may take to take a whole message: it may look for harmful content before it answers.
const CONTENT: Duration = Duration::from_secs(120);
/// How long the server may take to say goodbye.
const LEAVE: Duration = Duration::from_secs(5);
/// How long handing over a mail may take at most: connecting, the commands and the message.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A mail server.
pub struct Smtp {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

/// Whether the connection is encrypted by STARTTLS (RFC 3207).
#[derive(Clone)]
enum Encryption {
    /// Always, and the server proves who it is.
    Required(TlsParameters),
    /// Where the server offers it.
    Opportunistic(TlsParameters),
    /// Never.
    None,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Smtp {
    /// The server of the settings.
    ///
    /// # Errors
    /// In words: which setting is wrong.
    pub fn new(settings: &config::Mail) -> anyhow::Result<Self> {
        let credentials = match (&settings.user, &settings.password) {
            (Some(user), Some(password)) => Some(Credentials::new(user.clone(), password.0.clone())),
            (None, None) => None,
            _ => anyhow::bail!("the settings mail.user and mail.password belong together; one is missing"),
        };
        ensure!(
            credentials.is_none() || settings.starttls == "required",
            "mail.password is sent to a server that proves who it is only: set mail.starttls = \"required\""
        );
        Ok(Self {
            host: settings.host.clone(),
            port: settings.port,
            encryption: encryption(settings)?,
            credentials,
            idle: Mutex::default(),
        })
    }

    /// Connects, so that a run of mails begins only when somebody listens.
    ///
    /// # Errors
    /// What is in the way.
    pub(super) async fn ready(&self) -> Result<(), String> {
        if self.idle().is_empty() {
            let connection = self.connect().await?;
            self.keep(connection);
        }
        Ok(())
    }

    /// Hands over a mail.
    pub(super) async fn send(&self, message: &Message) -> Answer {
        let idle = self.idle().pop();
        if let Some(mut connection) = idle {
            // A server may end a connection between two mails; that says nothing about this one.
            if self.begin(&mut connection, message).await.is_ok() {
                return self.hand_over(connection, message).await;
            }
            end(connection).await;
        }
        let mut connection = match self.connect().await {
            Ok(connection) => connection,
            Err(reply) => return trouble(reply),
        };
        match self.begin(&mut connection, message).await {
            Ok(()) => self.hand_over(connection, message).await,
            // The server refuses the sender, or us: nothing that the recipient's address could help.
            Err(reply) => {
                end(connection).await;
                trouble(reply)
            }
        }
    }

    /// Closes the connections that wait.
    pub(super) async fn rest(&self) {
        let idle = std::mem::take(&mut *self.idle());
        for mut connection in idle {
            let _ = tokio::time::timeout(LEAVE, connection.quit()).await;
        }
    }

    /// Connects, greets, encrypts, logs in and takes leave.
    pub(super) async fn check(&self) -> Result<String, String> {
        let mut connection = self.connect().await?;
        let encrypted = if connection.is_encrypted() { "encrypted" } else { "not encrypted" };
        let listens = tokio::time::timeout(COMMAND, connection.test_connected()).await.unwrap_or(false);
        end(connection).await;
        if listens {
            Ok(format!("the mail server {}:{} answers, {encrypted}", self.host, self.port))
        } else {
            Err(format!("the mail server {}:{} greets but answers nothing more", self.host, self.port))
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let named = |reply: String| format!("{}:{}: {reply}", self.host, self.port);
        let whole = tokio::time::timeout(COMMAND, self.open());
        whole
            .await
            .map_or_else(|_| Err(named("no answer in time".to_owned())), |opened| opened.map_err(named))
    }

    async fn open(&self) -> Result<AsyncSmtpConnection, String> {
        let name = ClientId::default();
        let address = (self.host.as_str(), self.port);
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        // A message ends with a small packet of its own, which must not wait for what was sent before it.
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &name).await;
        let mut connection = greeted.map_err(|error| words(&error))?;
        let parameters = match &self.encryption {
            Encryption::Required(_) if !connection.can_starttls() => {
                end(connection).await;
                return Err("the server does not offer STARTTLS, which mail.starttls requires".to_owned());
            }
            Encryption::Required(parameters) => Some(parameters),
            Encryption::Opportunistic(parameters) if connection.can_starttls() => Some(parameters),
            Encryption::Opportunistic(_) | Encryption::None => None,
        };
        if let Some(parameters) = parameters {
            let encrypted = connection.starttls(parameters.clone(), &name).await;
            encrypted.map_err(|error| format!("STARTTLS failed: {}", words(&error)))?;
        }
        if let Some(credentials) = &self.credentials {
            let known = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            known.map_err(|error| format!("the server does not take mail.user: {}", words(&error)))?;
        }
        Ok(connection)
    }

    /// `MAIL FROM:<>`: nobody reads what comes back, so nothing may come back (RFC 5321 4.5.5).
    async fn begin(&self, connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), String> {
        let international = message.envelope.to().iter().any(|address| !address.to_string().is_ascii());
        let understood = connection.server_info().supports_feature(Extension::SmtpUtfEight);
        let parameters =
            if international && understood { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
        answered(COMMAND, connection.command(Mail::new(None, parameters)))
            .await
            .map(drop)
            .map_err(|no| no.reply)
    }

    /// The recipient, then the message. The connection is kept for the next mail unless it broke.
    async fn hand_over(&self, mut connection: AsyncSmtpConnection, message: &Message) -> Answer {
        for address in message.envelope.to() {
            let taken = connection.command(Rcpt::new(address.clone(), Vec::new()));
            if let Err(no) = answered(COMMAND, taken).await {
                return self.refused(connection, no, false).await;
            }
        }
        if let Err(no) = answered(COMMAND, connection.command(Data)).await {
            return self.refused(connection, no, false).await;
        }
        match answered(CONTENT, connection.message(&message.bytes)).await {
            Ok(response) => {
                self.keep(connection);
                Answer::Accepted(reply_of(&response))
            }
            Err(no) => {
                // Without an answer nobody knows whether the last full stop arrived.
                let uncertain = no.kind == Kind::Silence;
                self.refused(connection, no, uncertain).await
            }
        }
    }

    async fn refused(&self, mut connection: AsyncSmtpConnection, no: No, uncertain: bool) -> Answer {
        let answers = no.kind != Kind::Silence && answered(COMMAND, connection.command(Rset)).await.is_ok();
        if answers {
            self.keep(connection);
        } else {
            end(connection).await;
        }
        match no.kind {
            Kind::Never => Answer::Refused(no.reply),
            Kind::NotNow | Kind::Silence => Answer::Trouble { reply: no.reply, uncertain },
        }
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<AsyncSmtpConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encryption(settings: &config::Mail) -> anyhow::Result<Encryption> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let context = || format!("the setting mail.ca_file, {}, cannot be used", file.display());
        let pem = std::fs::read(file).with_context(context)?;
        let certificate = Certificate::from_pem(&pem).with_context(context)?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    Ok(match settings.starttls.as_str() {
        "required" => Encryption::Required(builder.build_rustls()?),
        // Who would take an open connection takes an encrypted one from anybody too (RFC 7435).
        "opportunistic" => Encryption::Opportunistic(
            builder
                .dangerous_accept_invalid_certs(settings.ca_file.is_none())
                .dangerous_accept_invalid_hostnames(settings.ca_file.is_none())
                .build_rustls()?,
        ),
        "none" => Encryption::None,
        other => anyhow::bail!(
            "the setting mail.starttls is `{other}`; it is `required`, `opportunistic` or `none`"
        ),
    })
}

/// Takes leave, but does not wait long for an answer.
async fn end(mut connection: AsyncSmtpConnection) {
    let _ = tokio::time::timeout(LEAVE, connection.abort()).await;
}

/// A command that was not done.
struct No {
    kind: Kind,
    reply: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// 5xx.
    Never,
    /// 4xx.
    NotNow,
    /// The connection broke, or no answer came in time.
    Silence,
}

async fn answered(
    time: Duration,
    command: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, No> {
    match tokio::time::timeout(time, command).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => {
            let kind = if error.is_permanent() {
                Kind::Never
            } else if error.is_transient() {
                Kind::NotNow
            } else {
                Kind::Silence
            };
            Err(No { kind, reply: words(&error) })
        }
        Err(_) => Err(No { kind: Kind::Silence, reply: "no answer in time".to_owned() }),
    }
}

const fn trouble(reply: String) -> Answer {
    Answer::Trouble { reply, uncertain: false }
}

fn reply_of(response: &Response) -> String {
    format!("{} {}", response.code(), response.message().collect::<Vec<_>>().join(" "))
}

/// What went wrong: the server's own words where there are some.
fn words(error: &Error) -> String {
    let source = std::error::Error::source(error).map(ToString::to_string);
    match (error.status(), source) {
        (Some(code), Some(source)) => format!("{code} {source}"),
        (Some(code), None) => code.to_string(),
        (None, _) => error.to_string(),
    }
}
