//! For those who run the program: `/livez`, `/readyz` and `/metrics`.

mod measures;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use infrastructure::startup;

use crate::App;

pub use measures::measure;

/// How long the log may take to say where it stands: a network that is cut says nothing at all.
const PATIENCE: Duration = Duration::from_secs(2);
/// How far the read models may be behind the log, events, before the node is not ready.
const BEHIND: u64 = 10_000;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
}

/// Why this node is not ready; nothing when it is.
///
/// # Errors
/// The reasons, a line each.
pub async fn readiness(app: &App) -> Result<(), Vec<String>> {
    let mut reasons = Vec::new();
    if let Some(stopped) = app.stopped() {
        reasons.push(format!("the read models have stopped: {}", stopped.reason));
    }
    if app.read_models.is_damaged() {
        reasons.push("the read models are damaged; start the program again to build them anew".to_owned());
    }
    if let Some(reason) = app.committer.trouble() {
        reasons.push(format!("the log cannot be written: {reason}"));
    }
    match tokio::time::timeout(PATIENCE, log_trouble(app)).await {
        Ok(trouble) => reasons.extend(trouble),
        Err(_) => reasons.push("the log does not answer".to_owned()),
    }
    if reasons.is_empty() { Ok(()) } else { Err(reasons) }
}

/// What the log says of itself.
async fn log_trouble(app: &App) -> Vec<String> {
    let mut reasons = Vec::new();
    // A log that cannot be read is told below.
    if let Ok(now) = app.log.now().await {
        reasons.extend(startup::apart(now, app.clock.now()));
    }
    match app.log.head().await {
        Ok(head) => {
            let behind = head.position.saturating_sub(app.read_models.position());
            if behind > BEHIND {
                reasons.push(format!("the read models are {behind} events behind the log"));
            }
        }
        Err(error) => reasons.push(error.to_string()),
    }
    reasons
}

async fn ready(State(app): State<App>) -> Response {
    match readiness(&app).await {
        Ok(()) => "ready\n".into_response(),
        Err(reasons) => (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "positions are far below 2^52")]
async fn measured(State(app): State<App>) -> Response {
    metrics::gauge!("kundwebb_read_position").set(app.read_models.position() as f64);
    metrics::gauge!("kundwebb_queue_commands").set(app.committer.waiting() as f64);
    if let Ok(head) = app.log.head().await {
        metrics::gauge!("kundwebb_log_position").set(head.position as f64);
    }
    let oldest = app.reactions.mail().borrow().counts.oldest_due;
    let waited = oldest.map_or(0.0, |oldest| (app.clock.now() - oldest).as_seconds_f64());
    metrics::gauge!("kundwebb_mail_oldest_due_seconds").set(waited);
    let text = measures::text();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
