//! A page that leads on to another host by itself. The answer to a form cannot be a redirect there: browsers hold what
//! follows a form to the hosts that forms may be sent to, and those are none but this.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure};

#[derive(Template)]
#[template(path = "pages/onward.html")]
struct OnwardPage {
    frame: Frame,
    words: Text,
    link: Text,
    address: String,
}

/// The answer to a form after which one must log in, at an address of ours.
///
/// # Errors
/// When the page cannot be made.
pub async fn to_login(app: &App, visitor: &Visitor, address: &str) -> Result<Response, Failure> {
    let leaves = !app.providers.is_empty() && address.starts_with("/logga-in");
    if leaves {
        page(app, visitor, "login", address).await
    } else {
        Ok(Redirect::to(address).into_response())
    }
}

/// The page that leads on to an address; `way` is `login` or `logout`, in whose words it speaks.
///
/// # Errors
/// When the page cannot be made.
pub async fn page(app: &App, visitor: &Visitor, way: &str, address: &str) -> Result<Response, Failure> {
    let text = |key: String| Text::new(visitor.language, key);
    let frame = Frame::new(app, visitor, text(format!("{way}-title"))).await?;
    let (words, link) = (text(format!("{way}-onward")), text(format!("{way}-onward-link")));
    let mut response = render(&OnwardPage { frame, words, link, address: address.to_owned() })?;
    if let Ok(refresh) = HeaderValue::from_str(&format!("0; url={address}")) {
        response.headers_mut().insert(header::REFRESH, refresh);
    }
    Ok(response)
}
