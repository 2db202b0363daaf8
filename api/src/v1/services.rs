//! `/services`: the catalogue's areas, and the services that employers use.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::vocabulary::Language;
use domain::{Area, SubArea};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::texts::Text;
use crate::v1::bearer::Reader;
use crate::v1::employers::known_to;
use crate::v1::query::Parameters;
use crate::v1::{InBoth, personal};
use crate::{App, Failure};

/// The route.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The catalogue and who uses what.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceList {
    /// The four areas.
    pub areas: Vec<AreaBody>,
    /// The caller's employers, for officers and auditors all.
    pub employers: Vec<EmployerServices>,
}

/// An area of services.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Area)]
pub struct AreaBody {
    /// Its code.
    pub area: String,
    /// Its name.
    pub name: InBoth,
    /// The codes of its sub-areas.
    pub sub_areas: Vec<String>,
}

/// The services that an employer uses.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmployerServices {
    /// Organisation number of the employer.
    pub employer: String,
    /// The areas.
    pub areas: Vec<String>,
    /// The services, by name.
    pub services: Vec<String>,
}

/// List services.
///
/// The areas of the catalogue, and which services the caller's employers use.
#[utoipa::path(
    get,
    path = "/services",
    tag = "information",
    responses((status = 200, description = "The services.", body = ServiceList))
)]
async fn list(State(app): State<App>, reader: Reader, query: Parameters) -> Result<Response, Failure> {
    query.finish()?;
    let employers = known_to(&app, &reader.caller.actor).await?;
    let employers = employers.into_iter().map(|employer| EmployerServices {
        employer: employer.number.to_string(),
        areas: employer.areas.iter().map(ToString::to_string).collect(),
        services: employer.services,
    });
    let areas = Area::ALL.iter().map(|area| area_body(*area)).collect();
    Ok((personal(), Json(ServiceList { areas, employers: employers.collect() })).into_response())
}

fn area_body(area: Area) -> AreaBody {
    let name = |language| Text::new(language, format!("area-{area}")).to_string();
    let sub_areas = SubArea::ALL.iter().filter(|_| area == Area::Lon).map(ToString::to_string).collect();
    AreaBody {
        area: area.to_string(),
        name: InBoth { sv: name(Language::Sv), en: name(Language::En) },
        sub_areas,
    }
}
