//! The form of the service catalogue: a row a service, with its name in both languages, area by area.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use domain::content::{SERVICES_MAX, Service, WrittenService, publish_catalogue};
use domain::{Area, Event, Language};
use projections::services;

use super::What;
use crate::content;
use crate::pages::{Form, Frame, Visitor, employer, render_with};
use crate::texts::Text;
use crate::{App, Failure};

/// How many empty rows an area has at its end.
const EMPTY: usize = 3;

#[derive(Template)]
#[template(path = "pages/editing_catalogue.html")]
struct CataloguePage {
    frame: Frame,
    form: Form,
    what: What,
    /// Whether an earlier version is in the form.
    taken: bool,
    /// How many rows each area has.
    areas: Vec<(Area, usize)>,
}

impl CataloguePage {
    /// The name of a field.
    fn field(&self, area: &Area, place: &usize, language: &str) -> String {
        WrittenService::field(*area, *place, language)
    }
}

/// What was typed, row by row.
fn rows(form: &Form) -> Vec<WrittenService<'_>> {
    let row = |area, place| {
        let [sv, en] = ["sv", "en"].map(|language| form.value(&WrittenService::field(area, place, language)));
        WrittenService { area, place, sv, en }
    };
    let places = |area| (0..SERVICES_MAX + EMPTY).map(move |place| (area, place));
    let rows = Area::ALL.iter().copied().flat_map(places).map(|(area, place)| row(area, place));
    rows.filter(|row| !row.sv.trim().is_empty() || !row.en.trim().is_empty()).collect()
}

/// The event that publishes what was typed.
///
/// # Errors
/// What is wrong with it; when the read models cannot be read.
pub(super) async fn read(app: &App, language: Language, form: &Form) -> Result<Event, Failure> {
    let (_, before) = content::catalogue(app, None).await?;
    let employers = app.query(services::employers).await?;
    let used: Vec<(String, String)> = employers
        .iter()
        .flat_map(|own| {
            own.services.iter().map(move |service| (service.clone(), employer::name_of(own, language)))
        })
        .collect();
    publish_catalogue(&rows(form), &before, &used).map_err(Failure::Fields)
}

/// A form with the services of a catalogue.
pub(super) fn written(id: &'static str, services: &[Service]) -> Form {
    let mut form = Form::new(id);
    for area in Area::ALL {
        for (place, service) in services.iter().filter(|service| service.area == *area).enumerate() {
            form.set(&WrittenService::field(*area, place, "sv"), &service.sv);
            form.set(&WrittenService::field(*area, place, "en"), &service.en);
        }
    }
    form
}

pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    form: Form,
    taken: bool,
    status: StatusCode,
) -> Result<Response, Failure> {
    let typed = rows(&form);
    // A form has no more fields than one that can be sent.
    let empty = if typed.len() < SERVICES_MAX { EMPTY } else { 0 };
    let filled = |area: Area| {
        let places = typed.iter().filter(|row| row.area == area).map(|row| row.place + 1);
        places.max().unwrap_or_default()
    };
    let areas = Area::ALL.iter().map(|area| (*area, filled(*area) + empty)).collect();
    let frame = Frame::new(app, visitor, Text::new(visitor.language, "editing-catalogue-title")).await?;
    let frame = frame.with_error(!form.errors.is_empty());
    render_with(status, &CataloguePage { frame, form, what: What::Catalogue, taken, areas })
}
