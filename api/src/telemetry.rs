//! Traces (OpenTelemetry, OTLP over HTTP): where a setting names a collector, every request is told to it as a span of the
//! request's trace. A span says method, route and status, and never who or which case.

use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfig, BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};

use crate::trace::Trace;

/// How long a collector may take for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Gathers spans and sends them from a thread of its own; one for the process.
static SPANS: OnceLock<BatchSpanProcessor> = OnceLock::new();

/// A request that was answered.
#[derive(Debug)]
pub struct Answered<'a> {
    /// Its trace and its place in it.
    pub trace: Trace,
    /// Its method.
    pub method: &'a str,
    /// The pattern of its path.
    pub route: &'a str,
    /// The status of the answer.
    pub status: u16,
    /// When the answer was there.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub took: Duration,
}

/// Begins to tell a collector (`http://…:4318/v1/traces`). A collector that does not answer keeps nobody waiting.
///
/// # Errors
/// When the address cannot be used.
pub fn start(collector: &str) -> anyhow::Result<()> {
    let exporter =
        SpanExporter::builder().with_http().with_endpoint(collector).with_timeout(PATIENCE).build()?;
    let mut spans = BatchSpanProcessor::new(exporter, BatchConfig::default());
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    spans.set_resource(&Resource::builder().with_service_name("kundwebb").with_attribute(version).build());
    let _ = SPANS.set(spans);
    Ok(())
}

/// Sends what is left. Blocks until it is sent.
pub fn stop() {
    if let Some(Err(error)) = SPANS.get().map(SpanProcessor::shutdown) {
        tracing::warn!(%error, "the last traces were not sent");
    }
}

/// Tells of a request.
pub fn tell(answered: &Answered<'_>) {
    if let Some(spans) = SPANS.get() {
        spans.on_end(span(answered));
    }
}

fn span(answered: &Answered<'_>) -> SpanData {
    let Trace { id, span, parent, flags } = answered.trace;
    let (id, span) = (TraceId::from_bytes(id), SpanId::from_bytes(span));
    let failed = answered.status >= 500;
    SpanData {
        span_context: SpanContext::new(id, span, TraceFlags::new(flags), false, TraceState::NONE),
        parent_span_id: parent.map_or(SpanId::INVALID, SpanId::from_bytes),
        parent_span_is_remote: parent.is_some(),
        span_kind: SpanKind::Server,
        name: format!("{} {}", answered.method, answered.route).into(),
        start_time: (answered.at - answered.took).into(),
        end_time: answered.at.into(),
        attributes: vec![
            KeyValue::new("http.request.method", answered.method.to_owned()),
            KeyValue::new("http.route", answered.route.to_owned()),
            KeyValue::new("http.response.status_code", i64::from(answered.status)),
        ],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: InstrumentationScope::builder("kundwebb").build(),
    }
}
