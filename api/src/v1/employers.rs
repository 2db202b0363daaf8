//! `/employers`: the employers that cases can be created for.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::access::Actor;
use projections::services::{self, Employer};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::v1::bearer::Reader;
use crate::v1::query::Parameters;
use crate::v1::{InBoth, personal};
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Employers.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmployerList {
    /// By Swedish name.
    pub employers: Vec<EmployerBody>,
}

/// An employer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Employer)]
pub struct EmployerBody {
    /// Its organisation number.
    pub number: String,
    /// Its name.
    pub name: InBoth,
    /// The areas that it uses.
    pub areas: Vec<String>,
}

/// List employers.
///
/// Those that the caller can create cases for: an employee's or a system's own, for officers and auditors all.
#[utoipa::path(
    get,
    path = "/employers",
    tag = "information",
    responses((status = 200, description = "The employers.", body = EmployerList))
)]
async fn list(State(app): State<App>, reader: Reader, query: Parameters) -> Result<Response, Failure> {
    query.finish()?;
    let employers = known_to(&app, &reader.caller.actor).await?;
    let employers = employers.into_iter().map(|employer| EmployerBody {
        number: employer.number.to_string(),
        name: InBoth { sv: employer.name_sv, en: employer.name_en },
        areas: employer.areas.iter().map(ToString::to_string).collect(),
    });
    Ok((personal(), Json(EmployerList { employers: employers.collect() })).into_response())
}

/// The employers within a caller's rights.
///
/// # Errors
/// When the read models cannot be read.
pub async fn known_to(app: &App, actor: &Actor) -> Result<Vec<Employer>, Failure> {
    let mut employers = app.query(services::employers).await?;
    if let Some(own) = &actor.employers {
        employers.retain(|employer| own.contains(&employer.number));
    }
    Ok(employers)
}
