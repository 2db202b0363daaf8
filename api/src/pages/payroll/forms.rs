//! `/redaktion/blanketter`: every payroll form, for who publishes them.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::access::Duty;

use super::{Done, FormInWords, told};
use crate::pages::{Frame, Visitor, render};
use crate::texts::Text;
use crate::{App, Failure, payroll};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/redaktion/blanketter", get(show))
}

#[derive(Template)]
#[template(path = "pages/payroll_forms.html")]
struct FormsPage {
    frame: Frame,
    forms: Vec<(Done, FormInWords)>,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    let caller = visitor.caller_for(Duty::Content)?;
    visitor.shown(&app).await?;
    let language = visitor.language;
    let forms = payroll::forms(&app).await?;
    let forms = forms.iter().map(|form| (form.by, FormInWords::of(language, form))).collect();
    let forms = told(&app, (caller, language), forms).await?;
    let frame = Frame::new(&app, &visitor, Text::new(language, "services-forms")).await?;
    render(&FormsPage { frame, forms })
}
