//! `/service-status`: operational status (*driftstatus*), visible to all (K5).

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::System;
use domain::service_status::{NoticeKind, Progress};
use projections::service_status::{self, Notice};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::v1::headers::read_after;
use crate::v1::query::Parameters;
use crate::v1::{InBoth, unkept};
use crate::{App, Failure};

/// Most notices shown.
const NOTICES: u32 = 100;
/// The systems that have a row of their own (K8).
const SYSTEMS: [System; 5] =
    [System::PolMintid, System::Palasso, System::Primula, System::Agresso, System::VismaProceedo];

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Operational status.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ServiceStatus)]
pub struct ServiceStatusBody {
    /// Kundwebben itself and the five systems.
    pub systems: Vec<SystemBody>,
    /// Notices: those that are not over, then history, newest first.
    pub notices: Vec<NoticeBody>,
}

/// How a system is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SystemStatus)]
pub struct SystemBody {
    /// The system; null is Kundwebben itself.
    pub system: Option<String>,
    /// Its name.
    pub name: String,
    /// `normal`, `disruption` or `maintenance`.
    pub state: String,
}

/// A notice of a disruption or of planned maintenance.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Notice)]
pub struct NoticeBody {
    /// Its id.
    pub id: Uuid,
    /// `disruption` or `maintenance`.
    pub kind: String,
    /// The system; null is Kundwebben itself.
    pub system: Option<String>,
    /// What it says in short.
    pub title: InBoth,
    /// What is affected.
    pub body: InBoth,
    /// What one can do meanwhile; may be empty.
    pub advice: InBoth,
    /// `planned`, `ongoing` or `resolved`.
    pub progress: String,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when, where that is known.
    pub ends_at: Option<DateTime<Utc>>,
    /// When the next update comes at the latest.
    pub next_update_at: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was over.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// Read the operational status.
///
/// Kundwebben and the five systems, each with its state, and the notices. Needs no token.
#[utoipa::path(
    get,
    path = "/service-status",
    tag = "information",
    security(()),
    responses((status = 200, description = "The status.", body = ServiceStatusBody))
)]
async fn read(State(app): State<App>, query: Parameters, headers: HeaderMap) -> Result<Response, Failure> {
    query.finish()?;
    app.shown_position(read_after(&headers)?.unwrap_or_default()).await?;
    let notices = app.query(|tables| service_status::notices(tables, NOTICES)).await?;
    let now = app.clock.now();
    let rows = std::iter::once(None).chain(SYSTEMS.map(Some));
    let systems = rows.map(|system| row(system, &notices, now)).collect();
    let notices = notices.into_iter().map(|own| notice(own, now)).collect();
    let body = ServiceStatusBody { systems, notices };
    Ok((unkept(), Json(body)).into_response())
}

fn row(system: Option<System>, notices: &[Notice], now: DateTime<Utc>) -> SystemBody {
    let current = |notice: &&Notice| notice.system == system && notice.progress(now) == Progress::Ongoing;
    let mut kinds: Vec<NoticeKind> = notices.iter().filter(current).map(|notice| notice.kind).collect();
    kinds.sort_unstable();
    SystemBody {
        system: system.map(|system| system.to_string()),
        name: system.map_or("Kundwebben", System::name).to_owned(),
        state: kinds.first().map_or("normal", |kind| kind.code()).to_owned(),
    }
}

fn notice(notice: Notice, now: DateTime<Utc>) -> NoticeBody {
    NoticeBody {
        progress: notice.progress(now).to_string(),
        id: notice.id.0,
        kind: notice.kind.to_string(),
        system: notice.system.map(|system| system.to_string()),
        title: InBoth { sv: notice.title_sv, en: notice.title_en },
        body: InBoth { sv: notice.body_sv, en: notice.body_en },
        advice: InBoth { sv: notice.advice_sv, en: notice.advice_en },
        starts_at: notice.starts,
        ends_at: notice.ends,
        next_update_at: notice.next_update,
        updated_at: notice.updated_at,
        resolved_at: notice.resolved_at,
    }
}
