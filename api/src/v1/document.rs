//! The description of the API (OpenAPI 3.1).

use axum::Router;
use utoipa::openapi::OpenApi;

use crate::App;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
}

/// Completes it.
pub fn complete(document: OpenApi) -> OpenApi {
    document
}
