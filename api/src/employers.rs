//! The employers that the settings name. They are registered when the server starts, each where it is new or another than
//! what is known of it.

use domain::{Area, Event, OrganisationNumber, StreamId};
use infrastructure::committer::{Append, Expected};
use projections::services as known_services;
use serde::Deserialize;

use crate::App;
use crate::app::callers::CallerError;
use crate::catalogue::services;

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
}

fn all_areas() -> Vec<Area> {
    Area::ALL.to_vec()
}

impl Employer {
    /// The names of the services that it uses.
    fn services(&self) -> Vec<String> {
        self.areas.iter().flat_map(|area| services(*area)).map(ToString::to_string).collect()
    }

    /// The event that registers it.
    pub fn registered(&self) -> Event {
        Event::EmployerRegistered {
            employer: self.number,
            name_sv: self.name_sv.clone(),
            name_en: self.name_en.clone(),
            areas: self.areas.clone(),
            services: self.services(),
        }
    }

    fn is(&self, known: &known_services::Employer) -> bool {
        (self.number, &self.name_sv, &self.name_en, &self.areas, self.services())
            == (known.number, &known.name_sv, &known.name_en, &known.areas, known.services.clone())
    }

    /// What is appended to the log when it is registered by `by`.
    pub fn append(&self, app: &App, by: &str, expected: Expected) -> Append {
        Append {
            stream: StreamId::of_employer(self.number),
            actor: app.keys.login(by),
            employer: Some(self.number),
            event: self.registered(),
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
    let known = app.query(known_services::employers).await?;
    for employer in &app.config.employers {
        if !known.iter().any(|known| employer.is(known)) {
            tracing::info!(employer = employer.number.as_str(), "an employer of the settings is registered");
            let position = app.committer.append(employer.append(app, "settings", Expected::Any)).await?;
            // Where it does not show in time, it shows a moment later.
            let _ = app.shown_position(position).await;
        }
    }
    Ok(())
}
