//! `kundwebb serve`: the web server, until it is told to stop.

use std::io::IsTerminal;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use infrastructure::Clock;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::cli::say;
use crate::config::{identity, limits};
use crate::{App, Config, demo, employers, operations, server, tasks, telemetry};

/// How long requests under way may take when the program is told to stop. Together with what the mails and the log may
/// take after it, stopping takes less than ten seconds.
const STOPPING: Duration = Duration::from_secs(5);

pub(super) async fn run(mut config: Config) -> anyhow::Result<ExitCode> {
    start_logging();
    std::panic::set_hook(Box::new(|panic| tracing::error!("{}", words_of(panic.location()))));
    may_serve(&config)?;
    if let Some(words) = limits::unknown_proxy(&config) {
        tracing::warn!("{words}");
    }
    operations::measure();
    if let Some(collector) = &config.otlp {
        telemetry::start(collector).with_context(|| format!("traces cannot be sent to {collector}"))?;
    }
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; choose another address with --listen", config.listen)
    })?;
    // Port 0 means any that is free.
    config.listen = listener.local_addr()?;
    if config.demo.enabled {
        demo::fill(&config, &Clock::System, |words| say(words)).await?;
    }
    let listener = listener.into_std()?;
    let mut asked = pin!(asked_to_stop()?);
    let shared = config.log_place()?.is_shared();
    loop {
        let listening = TcpListener::from_std(listener.try_clone()?)?;
        let app = App::start(config.clone(), Clock::System).await?;
        employers::register(&app).await.context("the employers of the settings cannot be registered")?;
        say(format_args!("Kundwebb is ready: {}", app.config.public_url()));
        if app.config.demo.enabled {
            let way = match app.config.mail.transport.as_str() {
                "smtp" => format!("sent by {}", app.config.mail.host),
                _ => format!("written to {}", app.data.join("mail").display()),
            };
            say(format_args!("This is a demo. Mails are {way}"));
        }
        if serve(app, listening, &mut asked, shared).await? {
            tokio::task::spawn_blocking(telemetry::stop).await?;
            return Ok(ExitCode::SUCCESS);
        }
        tracing::error!(
            "a server took over without the end of the log; the node begins anew on what it holds"
        );
    }
}

/// Serves until it is told to stop (true), or the log no longer holds what this node has shown (false).
async fn serve(
    app: App,
    listener: TcpListener,
    asked: &mut (impl Future<Output = ()> + Unpin),
    shared: bool,
) -> anyhow::Result<bool> {
    let stop = CancellationToken::new();
    let tasks = tasks::start(&app, &stop);
    let mut serving = tokio::spawn(server::serve(app.clone(), listener, stop.clone().cancelled_owned()));
    let was_asked = tokio::select! {
        served = &mut serving => { served??; bail!("the server ended by itself") }
        () = asked => true,
        () = app.went_back(), if shared => false,
    };
    stop.cancel();
    match tokio::time::timeout(STOPPING, &mut serving).await {
        Ok(served) => served??,
        Err(_) => {
            serving.abort();
            say("some requests took too long and were cut off");
        }
    }
    tasks.wait().await;
    app.close().await;
    Ok(was_asked)
}

/// Without an identity provider only the demo can say who anybody is, and only to this machine.
fn may_serve(config: &Config) -> anyhow::Result<()> {
    if !config.identity_providers.is_empty() {
        return may_serve_people(config);
    }
    ensure!(
        config.demo.enabled,
        "no identity provider is configured, so nobody could log in. Name one in the settings ([[identity_providers]] with \
         issuer, client_id and client_secret), or start with --demo to try Kundwebb with fictional data"
    );
    ensure!(
        config.listen.ip().is_loopback() || config.demo.allow_remote,
        "the demo lets anybody choose who to be, so it listens on loopback only; \
         set demo.allow_remote = true to open it to others all the same"
    );
    Ok(())
}

/// With one, people come by HTTPS, and nobody chooses who to be.
fn may_serve_people(config: &Config) -> anyhow::Result<()> {
    ensure!(
        !config.demo.enabled,
        "the demo lets anybody choose who to be, and identity providers are configured; leave out --demo or the providers"
    );
    identity::check(&config.identity_providers)?;
    ensure!(
        config.public_url().starts_with("https://") || config.listen.ip().is_loopback(),
        "people would log in without HTTPS; set public_url to the https:// address under which they reach the web"
    );
    Ok(())
}

/// One line an event, on standard error; `RUST_LOG` chooses what.
fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,api=info"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
}

/// A panic as it is logged: where it was, never what it says, for that may be what somebody has written.
fn words_of(place: Option<&std::panic::Location<'_>>) -> String {
    place
        .map_or_else(|| "a panic".to_owned(), |place| format!("a panic at {}:{}", place.file(), place.line()))
}

/// Begins to listen for being told to stop; the answer ends when that happens.
fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;

    #[test]
    fn with_an_identity_provider_people_come_by_https_and_nobody_chooses_who_to_be() {
        let provider = "[[identity_providers]]
            issuer = 'https://login.example'
            client_id = 'kundwebb'
            client_secret = 'hemligt'
            default = true";
        let mut config = Config::parse(provider).unwrap();
        assert!(may_serve(&config).is_ok());
        config.listen = "0.0.0.0:80".parse().unwrap();
        assert!(may_serve(&config).unwrap_err().to_string().contains("public_url"));
        config.public_url = Some("http://kundwebb.example".to_owned());
        assert!(may_serve(&config).is_err());
        config.public_url = Some("https://kundwebb.example".to_owned());
        assert!(may_serve(&config).is_ok());
        config.demo.enabled = true;
        assert!(may_serve(&config).unwrap_err().to_string().contains("leave out"));
        config.demo.enabled = false;
        config.identity_providers[0].client_secret = None;
        assert!(may_serve(&config).unwrap_err().to_string().contains("https://login.example"));
    }

    #[test]
    fn without_an_identity_provider_only_a_demo_is_served_and_only_to_this_machine() {
        let mut config = Config::default();
        let said = may_serve(&config).unwrap_err().to_string();
        assert!(said.contains("--demo") && said.contains("identity_providers"), "{said}");
        config.demo.enabled = true;
        for (address, allowed) in [
            ("127.0.0.1:80", true),
            ("[::1]:80", true),
            ("0.0.0.0:80", false),
            ("[::]:80", false),
            ("10.0.0.1:80", false),
        ] {
            config.listen = address.parse().unwrap();
            config.demo.allow_remote = false;
            assert_eq!(may_serve(&config).is_ok(), allowed, "{address}");
            config.demo.allow_remote = true;
            assert!(may_serve(&config).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_panic_is_told_by_its_place_alone() {
        let said = words_of(Some(Location::caller()));
        assert!(said.starts_with("a panic at ") && said.contains("serve.rs:"), "{said}");
        assert_eq!(words_of(None), "a panic");
    }
}
