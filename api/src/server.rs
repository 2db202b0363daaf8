//! The web server: every route, and what holds for every request.

mod resting;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use axum::middleware::{self, Next};
use axum::routing::any;
use futures::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use infrastructure::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::RequestBodyDeadlineLayer;

use self::resting::{Answer, Resting};
use crate::limits::address::Peer;
use crate::telemetry::{self, Answered};
use crate::trace::{self, Trace};
use crate::{App, Failure, assets, download, failure, operations, pages, v1};

/// Largest head, and most of a body that is read ahead, bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// How many files the program asks to hold open at once; it makes do with what it gets.
const FILES: u64 = 32_768;
/// How many of them are for the log, the read models, attachments and mails.
const OWN_FILES: u64 = 256;
/// A request that takes longer is told of.
const SLOW: Duration = Duration::from_secs(1);
/// How much longer than its request a body may come in.
const AFTER_THE_END: Duration = Duration::from_secs(1);
/// How long nobody is accepted when accepting fails.
const AGAIN: Duration = Duration::from_millis(100);
/// How long it is read, once nobody is let in any more, what those who are in have sent.
const LAST_READ: Duration = Duration::from_millis(100);

/// What a page may load and where it may send: its own host only, nothing inline, in no frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What no page asks the browser for.
const PERMISSIONS_POLICY: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), \
                                  midi=(), display-capture=(), browsing-topics=()";
/// For how long a browser asks by HTTPS alone: two years.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubDomains";

/// Every route of the program.
pub fn router(app: App) -> Router {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        // What may be kept says so itself.
        (header::CACHE_CONTROL, "no-store"),
    ];
    let strict = app.config.public_url().starts_with("https://");
    let strict = strict.then_some((header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY));
    let mut router = Router::new()
        .merge(pages::routes(&app))
        .nest("/api/v1", v1::routes(&app))
        // Nesting leaves this one path to the pages.
        .route("/api/v1/", any(async || Failure::NotFound).layer(middleware::from_fn(failure::problems)))
        .merge(assets::routes())
        .merge(operations::routes());
    for (name, value) in headers.into_iter().chain(strict) {
        router = router.layer(SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value)));
    }
    // Who reads a body is told of the request's end first; then what goes on without the request ends too.
    let last = Duration::from_secs(app.config.web.request_seconds) + AFTER_THE_END;
    let all = ServiceBuilder::new()
        .layer(middleware::from_fn(trace::trace))
        .layer(middleware::from_fn(log_line))
        .layer(RequestBodyDeadlineLayer::new(last))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(is_no_file)));
    router.layer(all).with_state(app)
}

/// A file is sent as it is: its digest is that of its own bytes.
fn is_no_file(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key(download::REPR_DIGEST)
}

/// Serves until `shutdown`; requests under way are answered first. Nobody holds more than a connection and a little
/// memory: heads must come in time and be small, answers must be taken, and when too many are connected whoever has
/// rested longest is let go.
///
/// # Errors
/// When a setting cannot be used.
pub async fn serve(
    app: App,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let most = room_for_connections()?;
    let room = Arc::new(Semaphore::new(app.config.web.connections.unwrap_or(most).min(most)));
    let server = Server::new(app);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let place = place(&room, &server.resting).await;
            (place, listener.accept().await)
        };
        let (place, stream) = tokio::select! {
            () = &mut shutdown => break,
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => (place, stream),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            },
        };
        server.connect(stream, place);
    }
    // Who has connected by now may have sent a request, and cannot know that it was not begun.
    while let Some(Ok((stream, _))) = listener.accept().now_or_never() {
        server.connect(stream, None);
    }
    drop(listener);
    // Of whom nothing is read yet, hyper lets go at once.
    tokio::time::sleep(LAST_READ).await;
    server.open.shutdown().await;
    Ok(())
}

/// A place for the next connection; where there is none, whoever rests makes room.
async fn place(room: &Arc<Semaphore>, resting: &Resting) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(room).try_acquire_owned() {
        return Some(place);
    }
    let mut place = pin!(Arc::clone(room).acquire_owned());
    tokio::select! {
        place = &mut place => return place.ok(),
        () = resting.let_one_go() => {}
    }
    place.await.ok()
}

/// What serves one connection after the other.
struct Server {
    http: http1::Builder,
    service: TowerToHyperService<Router>,
    open: GracefulShutdown,
    resting: Resting,
    patience: Duration,
}

impl Server {
    fn new(app: App) -> Self {
        let patience = Duration::from_secs(app.config.web.head_seconds);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEAD_BYTES);
        Self {
            http,
            service: TowerToHyperService::new(router(app)),
            open: GracefulShutdown::new(),
            resting: Resting::default(),
            patience,
        }
    }

    /// Serves a connection until either side ends it; then its place is free.
    fn connect(&self, stream: TcpStream, place: Option<OwnedSemaphorePermit>) {
        // A small answer must not wait for the next.
        let _ = stream.set_nodelay(true);
        let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
        // Who does not take what is sent is no longer there.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.patience));
        let guest = self.resting.enter();
        let requests = {
            let (guest, service) = (Arc::clone(&guest), self.service.clone());
            service_fn(move |mut request: hyper::Request<Incoming>| {
                if let Some(peer) = peer {
                    request.extensions_mut().insert(peer);
                }
                let (busy, answer) = (guest.begin(), hyper::service::Service::call(&service, request));
                async move { Ok::<_, Infallible>(answer.await?.map(|body| Answer { body, _busy: busy })) }
            })
        };
        let connection = self.http.serve_connection(TokioIo::new(Box::pin(stream)), requests);
        let connection = self.open.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = guest.let_go() => tracing::debug!("a connection made room for another"),
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended");
                },
            }
            guest.leave();
            drop(place);
        });
    }
}

/// How many connections there is room for: every one takes a file, and the rest of the program needs some.
fn room_for_connections() -> std::io::Result<usize> {
    let files = rlimit::increase_nofile_limit(FILES)?;
    Ok(usize::try_from(files.saturating_sub(OWN_FILES)).unwrap_or(usize::MAX).max(1))
}

/// One line a request, where it failed or was slow, or at `RUST_LOG=api=debug`: method, route, status, time. Never the path itself, which names a case, nor anything personal.
async fn log_line(trace: Trace, request: Request, next: Next) -> Response<axum::body::Body> {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let began = tokio::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let elapsed = began.elapsed();
    let route = route.unwrap_or_else(|| "-".to_owned());
    metrics::histogram!("kundwebb_request_seconds", "route" => route.clone()).record(elapsed.as_secs_f64());
    let (at, method_name) = (Clock::System.now(), method.as_str());
    telemetry::tell(&Answered { trace, method: method_name, route: &route, status, at, took: elapsed });
    let milliseconds = elapsed.as_millis();
    if status >= 500 || elapsed > SLOW {
        tracing::warn!(%method, route, status, milliseconds, "request");
    } else {
        tracing::debug!(%method, route, status, milliseconds, "request");
    }
    response
}
