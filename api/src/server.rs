//! The web server: every route, and what holds for every request.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::routing::any;
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{App, Failure, assets, download, failure, operations, pages, v1};

/// What a page may load and where it may send: its own host only, nothing inline, in no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every route of the program.
pub fn router(app: App) -> Router {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    let mut router = Router::new()
        .merge(pages::routes(&app))
        .nest("/api/v1", v1::routes())
        // Nesting leaves this one path to the pages.
        .route("/api/v1/", any(async || Failure::NotFound).layer(middleware::from_fn(failure::problems)))
        .merge(assets::routes())
        .merge(operations::routes());
    for (name, value) in headers {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    let all = ServiceBuilder::new()
        .layer(middleware::from_fn(log_line))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_no_file)));
    router.layer(all).with_state(app)
}

/// A file is sent as it is: its digest is that of its own bytes.
fn is_no_file(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(download::REPR_DIGEST)
}

/// Serves until `shutdown`; requests under way are answered first.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(app)).with_graceful_shutdown(shutdown).await
}

/// One line a request: method, route, status, time. Never the path itself, which names a case, nor anything personal.
async fn log_line(request: Request, next: Next) -> Response<axum::body::Body> {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let began = tokio::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed = began.elapsed();
    let route = route.unwrap_or_else(|| "-".to_owned());
    metrics::histogram!("kundwebb_request_seconds", "route" => route.clone()).record(elapsed.as_secs_f64());
    tracing::info!(%method, route, status, milliseconds = elapsed.as_millis(), "request");
    response
}
