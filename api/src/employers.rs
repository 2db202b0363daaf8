//! The employers that the settings name. They are registered when the server starts, each where it is new or another than
//! what is known of it.

use domain::content::Service;
use domain::{Area, Event, OrganisationNumber, StreamId};
use infrastructure::committer::{Append, Expected};
use projections::{content, services as known_services};
use serde::Deserialize;

use crate::App;
use crate::app::callers::CallerError;
use crate::content::first_catalogue;

/// An employer: who may be chosen, and what it uses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Employer {
    /// Its organisation number.
    pub number: OrganisationNumber,
    /// Its name in Swedish.
    pub name_sv: String,
    /// Its name in English.
    pub name_en: String,
    /// The areas that it uses; all when absent.
    #[serde(default = "all_areas")]
    pub areas: Vec<Area>,
    /// The services of the catalogue that it uses, by their Swedish names; all of its areas when absent.
    #[serde(default)]
    pub services: Option<Vec<String>>,
}

fn all_areas() -> Vec<Area> {
    Area::ALL.to_vec()
}

impl Employer {
    /// The names of the services that it uses.
    fn services(&self, catalogue: &[Service]) -> Vec<String> {
        let of_areas = || {
            let of = |area| catalogue.iter().filter(move |service| service.area == area);
            self.areas.iter().copied().flat_map(of).map(|service| service.sv.clone()).collect()
        };
        self.services.clone().unwrap_or_else(of_areas)
    }

    /// The event that registers it, under a catalogue.
    pub fn registered(&self, catalogue: &[Service]) -> Event {
        Event::EmployerRegistered {
            employer: self.number,
            name_sv: self.name_sv.clone(),
            name_en: self.name_en.clone(),
            areas: self.areas.clone(),
            services: self.services(catalogue),
        }
    }

    fn is(&self, known: &known_services::Employer, catalogue: &[Service]) -> bool {
        (self.number, &self.name_sv, &self.name_en, &self.areas, self.services(catalogue))
            == (known.number, &known.name_sv, &known.name_en, &known.areas, known.services.clone())
    }

    /// What is appended to the log when it is registered by `by`.
    pub fn append(&self, app: &App, by: &str, expected: Expected, catalogue: &[Service]) -> Append {
        Append {
            stream: StreamId::of_employer(self.number),
            actor: app.keys.login(by),
            employer: Some(self.number),
            event: self.registered(catalogue),
            expected,
            upkeep: None,
        }
    }
}

/// Registers the employers of the settings.
///
/// # Errors
/// When the log cannot be written or the read models cannot be read.
pub async fn register(app: &App) -> Result<(), CallerError> {
    let known =
        app.query(|tables| Ok((known_services::employers(tables)?, content::catalogue(tables, None)?)));
    let (known, catalogue) = known.await?;
    let catalogue = catalogue.map_or_else(|| first_catalogue().to_vec(), |(_, services)| services);
    for employer in &app.config.employers {
        if !known.iter().any(|known| employer.is(known, &catalogue)) {
            tracing::info!(employer = employer.number.as_str(), "an employer of the settings is registered");
            let append = employer.append(app, "settings", Expected::Any, &catalogue);
            let position = app.committer.append(append).await?;
            // Where it does not show in time, it shows a moment later.
            let _ = app.shown_position(position).await;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_employer_uses_what_it_names_or_all_of_its_areas() {
        let read = |more: &str| -> Employer {
            let text = format!(
                "{{\"number\": \"4021000007\", \"name_sv\": \"A\", \"name_en\": \"B\", \"areas\": [\"e-handel\"]{more}}}"
            );
            serde_json::from_str(&text).unwrap()
        };
        let of = |area, name: &str| Service { area, sv: name.to_owned(), en: String::new() };
        let catalogue = [of(Area::Lon, "Lön"), of(Area::EHandel, "Fakturor"), of(Area::EHandel, "Varor")];
        assert_eq!(read("").services(&catalogue), ["Fakturor", "Varor"]);
        assert_eq!(read(", \"services\": [\"Varor\"]").services(&catalogue), ["Varor"]);
    }
}
