//! What is measured, for Prometheus: each measure with its unit and what it is for. `deploy/observability/` has the
//! dashboard and the alerts that are made of them.

use std::sync::LazyLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Bounds of how long requests take, seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Bounds of how many commands a batch has.
const COMMANDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Collects what the whole program measures; one for the process.
static MEASURES: LazyLock<Option<PrometheusHandle>> = LazyLock::new(|| match install() {
    Ok(handle) => Some(handle),
    Err(error) => {
        tracing::warn!(%error, "nothing can be measured");
        None
    }
});

fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_commands".to_owned()), &COMMANDS)?
        .install_recorder()?;
    describe();
    // What seldom happens is there from the start: from nothing to one is no increase that an alert could see.
    metrics::counter!("kundwebb_mail_uncertain_total").increment(0);
    metrics::gauge!("kundwebb_log_trouble").set(0.0);
    metrics::gauge!("kundwebb_scan_waiting").set(0.0);
    Ok(handle)
}

fn describe() {
    describe_histogram!("kundwebb_request_seconds", Unit::Seconds, "How long requests took, by route.");
    describe_histogram!("kundwebb_batch_commands", "How many commands a commit of the log had.");
    describe_gauge!("kundwebb_queue_commands", "Commands that wait for the committer.");
    describe_gauge!("kundwebb_log_position", "Position of the last event in the log.");
    describe_gauge!("kundwebb_read_position", "Position that the read models of this node show.");
    describe_gauge!("kundwebb_log_trouble", "1 while the log cannot be written.");
    describe_gauge!("kundwebb_lease_held", "1 while this node runs the reaction.");
    describe_gauge!("kundwebb_mail_due", "Mails that wait, as the node that sends them has counted last.");
    describe_gauge!(
        "kundwebb_mail_oldest_due_seconds",
        Unit::Seconds,
        "How long the oldest of them has waited."
    );
    describe_gauge!("kundwebb_mail_retrying", "Of the mails that wait, those that were tried in vain.");
    describe_gauge!("kundwebb_mail_stopped", "1 while something keeps this node from sending mails.");
    describe_gauge!("kundwebb_mail_held", "1 while mails are held since the log was put back.");
    describe_gauge!("kundwebb_scan_waiting", "Attached files that wait for the virus scanner.");
    describe_gauge!("kundwebb_scan_trouble", "1 while this node cannot scan what waits.");
    describe_counter!("kundwebb_scanned_total", "Files that the virus scanner has looked at, by outcome.");
    describe_counter!("kundwebb_mail_sent_total", "Mails that the mail server has taken.");
    describe_counter!("kundwebb_mail_failed_total", "Mails that were given up.");
    describe_counter!(
        "kundwebb_mail_uncertain_total",
        "Mails sent again because the answer to the first was lost."
    );
}

/// Begins to measure, and lets go of what nobody has fetched; what is measured before is lost.
pub fn measure() {
    if let Some(handle) = MEASURES.as_ref() {
        handle.run_upkeep();
    }
}

/// Everything as Prometheus reads it.
pub(super) fn text() -> String {
    MEASURES.as_ref().map(PrometheusHandle::render).unwrap_or_default()
}
