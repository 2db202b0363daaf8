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
use crate::{App, Config, demo, operations, server, tasks, telemetry};

/// How long requests under way may take when the program is told to stop. Together with what the mails and the log may
/// take after it, stopping takes less than ten seconds.
const STOPPING: Duration = Duration::from_secs(5);

pub(super) async fn run(mut config: Config) -> anyhow::Result<ExitCode> {
    start_logging();
    std::panic::set_hook(Box::new(|panic| tracing::error!("{}", words_of(panic.location()))));
    may_serve(&config)?;
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
        say(format_args!("Kundwebb is ready: {}", app.config.public_url()));
        if app.config.demo.enabled {
            say(format_args!("This is a demo. Mails are written to {}", app.data.join("mail").display()));
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
    ensure!(
        config.demo.enabled,
        "no identity provider is configured, so nobody could log in. Start with --demo to try Kundwebb with fictional data"
    );
    ensure!(
        config.listen.ip().is_loopback() || config.demo.allow_remote,
        "the demo lets anybody choose who to be, so it listens on loopback only; \
         set demo.allow_remote = true to open it to others all the same"
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
    fn without_an_identity_provider_only_a_demo_is_served_and_only_to_this_machine() {
        let mut config = Config::default();
        assert!(may_serve(&config).unwrap_err().to_string().contains("--demo"));
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
