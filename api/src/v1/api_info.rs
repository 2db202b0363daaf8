//! `/api-info`: what this API is (VER.06 of the national profile).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::v1::query::Parameters;
use crate::v1::unkept;
use crate::{App, Failure};

/// The version of the contract.
pub const API_VERSION: &str = "1.0.0";
/// The day on which this version of the contract was released.
const RELEASED: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 11, 23);

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// What this API is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiInfo {
    /// Its name.
    pub api_name: String,
    /// Its version.
    pub api_version: String,
    /// The day on which that version was released.
    #[schema(format = Date)]
    pub api_released: NaiveDate,
    /// Where it is described.
    #[schema(format = "uri")]
    pub api_documentation: String,
    /// `active`, `beta` or `deprecated`.
    pub api_status: String,
}

/// Read what this API is.
///
/// Name, version, release, documentation and status. Needs no token.
#[utoipa::path(
    get,
    path = "/api-info",
    tag = "information",
    security(()),
    responses((status = 200, description = "What this API is.", body = ApiInfo))
)]
async fn read(State(app): State<App>, query: Parameters) -> Result<Response, Failure> {
    query.finish()?;
    let info = ApiInfo {
        api_name: "kundwebb".to_owned(),
        api_version: API_VERSION.to_owned(),
        api_released: RELEASED.unwrap_or_default(),
        api_documentation: format!("{}/api/v1/docs", app.config.public_url()),
        api_status: "active".to_owned(),
    };
    Ok((unkept(), Json(info)).into_response())
}
