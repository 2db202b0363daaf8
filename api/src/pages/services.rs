//! `/tjanster`: the services that one's employer uses (K4). With payroll come its forms and its calendar.

mod payroll;
mod schedule;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::Area;
use projections::services::{self, Employer};

use crate::catalogue;
use crate::pages::{Frame, Visitor, employer, render};
use crate::texts::Text;
use crate::{App, Failure};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/tjanster", get(show)).merge(schedule::routes())
}

#[derive(Template)]
#[template(path = "pages/services.html")]
struct ServicesPage {
    frame: Frame,
    /// None as long as no employer is chosen.
    employer: Option<String>,
    areas: Vec<(Area, Vec<String>)>,
    forms: &'static [payroll::PayrollForm],
    calendar: Vec<payroll::Period>,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let frame = Frame::new(&app, &visitor, Text::new(visitor.language, "services-title")).await?;
    let chosen = match visitor.employer {
        Some(number) => app.query(move |tables| services::employer(tables, number)).await?,
        None => None,
    };
    let payroll = chosen.as_ref().is_some_and(|chosen| chosen.areas.contains(&Area::Lon));
    let today = domain::calendar::day(app.clock.now());
    let page = ServicesPage {
        frame,
        employer: chosen.as_ref().map(|chosen| employer::name_of(chosen, visitor.language)),
        areas: chosen.as_ref().map(by_area).unwrap_or_default(),
        forms: if payroll { payroll::FORMS } else { &[] },
        calendar: if payroll { payroll::coming(today) } else { Vec::new() },
    };
    render(&page)
}

/// The employer's services under their areas.
fn by_area(employer: &Employer) -> Vec<(Area, Vec<String>)> {
    let own = |area: Area| {
        let of_area = catalogue::services(area);
        employer.services.iter().filter(|own| of_area.contains(&own.as_str())).cloned().collect()
    };
    employer.areas.iter().map(|area| (*area, own(*area))).collect()
}
