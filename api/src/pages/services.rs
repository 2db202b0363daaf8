//! `/tjanster`: the services that one's employer uses (K4). With payroll come its forms and its calendar.

mod forms;
mod schedule;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::content::{ContentPage, Service};
use domain::{Area, Language};
use projections::services::{self, Employer};

use crate::content::{self, Told};
use crate::pages::payroll::{FormInWords, PeriodInWords};
use crate::pages::{Frame, Visitor, employer, render};
use crate::texts::Text;
use crate::{App, Failure, payroll};

/// How many coming periods are shown.
const PERIODS: usize = 12;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/tjanster", get(show)).merge(forms::routes()).merge(schedule::routes())
}

#[derive(Template)]
#[template(path = "pages/services.html")]
struct ServicesPage {
    frame: Frame,
    told: Told,
    /// None as long as no employer is chosen.
    employer: Option<String>,
    areas: Vec<(Area, Vec<String>)>,
    forms: Vec<FormInWords>,
    calendar: Vec<PeriodInWords>,
    /// Where programs fetch it.
    calendar_address: String,
}

impl ServicesPage {
    /// The same address as programs subscribe to it.
    fn subscription(&self) -> String {
        let place = self.calendar_address.split_once("://").map_or("", |(_, place)| place);
        format!("webcal://{place}")
    }
}

async fn show(State(app): State<App>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.shown(&app).await?;
    let language = visitor.language;
    let told = content::told(&app, language, ContentPage::Services).await?;
    let frame = Frame::new(&app, &visitor, told.title_or(&Text::new(language, "services-title"))).await?;
    let (_, catalogue) = content::catalogue(&app, None).await?;
    let chosen = match visitor.employer {
        Some(number) => app.query(move |tables| services::employer(tables, number)).await?,
        None => None,
    };
    let uses_payroll = chosen.as_ref().is_some_and(|chosen| chosen.areas.contains(&Area::Lon));
    let (mut forms, mut calendar) = (Vec::new(), Vec::new());
    if uses_payroll {
        let in_use = payroll::forms(&app).await?.into_iter().filter(|form| !form.withdrawn);
        forms = in_use.map(|form| FormInWords::of(visitor.language, &form)).collect();
        let coming = schedule::coming(&app).await?.into_iter().filter(|period| !period.withdrawn);
        calendar =
            coming.take(PERIODS).map(|period| PeriodInWords::of(visitor.language, &period.days)).collect();
    }
    let page = ServicesPage {
        frame,
        told,
        employer: chosen.as_ref().map(|chosen| employer::name_of(chosen, language)),
        areas: chosen.as_ref().map(|chosen| by_area(chosen, language, &catalogue)).unwrap_or_default(),
        forms,
        calendar,
        calendar_address: format!("{}/tjanster/tidplan.ics?kod={language}", app.config.public_url()),
    };
    render(&page)
}

/// The employer's services under their areas.
fn by_area(employer: &Employer, language: Language, catalogue: &[Service]) -> Vec<(Area, Vec<String>)> {
    let own = |name: &str| employer.services.iter().any(|own| own == name);
    let of = |area: &Area| (*area, content::names(catalogue, language, *area, own));
    employer.areas.iter().map(of).collect()
}
