//! The style sheet and the script, embedded in the program and served under names that change with their
//! content, so that browsers may keep them for ever.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};

struct Asset {
    /// `kundwebb.<hash>.css`
    served_as: String,
    name: &'static str,
    media_type: &'static str,
    content: &'static [u8],
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    vec![
        asset(
            "kundwebb.css",
            "text/css; charset=utf-8",
            include_bytes!(concat!(env!("OUT_DIR"), "/kundwebb.css")),
        ),
        asset("kundwebb.js", "text/javascript; charset=utf-8", include_bytes!("../frontend/kundwebb.js")),
        asset("session.js", "text/javascript; charset=utf-8", include_bytes!("../frontend/session.js")),
        asset("kundwebb.svg", "image/svg+xml", include_bytes!("../frontend/kundwebb.svg")),
    ]
});

fn asset(name: &'static str, media_type: &'static str, content: &'static [u8]) -> Asset {
    let hash = hex::encode(&Sha256::digest(content)[..6]);
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    Asset { served_as: format!("{stem}.{hash}.{extension}"), name, media_type, content }
}

/// The address of an asset by its plain name; templates call this.
pub fn asset_url(name: &str) -> String {
    let served_as = ASSETS.iter().find(|asset| asset.name == name).map_or(name, |asset| &asset.served_as);
    format!("/assets/{served_as}")
}

/// Serves the assets.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{name}", get(serve))
}

async fn serve(Path(name): Path<String>) -> Response {
    const NO_SNIFF: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    let Some(asset) = ASSETS.iter().find(|asset| asset.served_as == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        NO_SNIFF,
    ];
    (headers, asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    async fn get_status(path: &str) -> (StatusCode, Option<String>) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes::<()>().oneshot(request).await.unwrap();
        let cache = response.headers().get(header::CACHE_CONTROL);
        (response.status(), cache.map(|value| value.to_str().unwrap().to_owned()))
    }

    #[tokio::test]
    async fn every_asset_is_served_under_its_hashed_name_for_ever() {
        for name in ["kundwebb.css", "kundwebb.js", "session.js", "kundwebb.svg"] {
            let (status, cache) = get_status(&asset_url(name)).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            assert!(cache.unwrap().contains("immutable"));
        }
        assert_eq!(get_status("/assets/kundwebb.css").await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_style_sheet_holds_designsystemet_and_ours_and_asks_nobody_else() {
        let css = std::str::from_utf8(ASSETS[0].content).unwrap();
        for part in [".ds-button", ".ds-table", "--ds-color-accent-base-default", ".kw-"] {
            assert!(css.contains(part), "{part}");
        }
        assert!(!css.contains("url(http") && !css.contains("url(\"http") && !css.contains("@import"));
    }
}
