//! `/docs`: the description of the API as a page.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use crate::App;

/// The page.
pub async fn page(State(_app): State<App>) -> Response {
    "docs".into_response()
}
