//! The JSON API under `/api/v1`, after the national REST API profile.

use axum::Router;

use crate::App;

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
}
