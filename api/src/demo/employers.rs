//! The fictional employers of the demo, each with the areas and services that it uses.

use std::sync::LazyLock;

use domain::{Area, OrganisationNumber};
use serde::Deserialize;

use crate::employers::Employer;

#[derive(Deserialize)]
struct Reference {
    fictional: Vec<Agency>,
}

#[derive(Deserialize)]
struct Agency {
    name_sv: String,
    name_en: String,
    org_number: OrganisationNumber,
}

/// All of them, from the reference data.
pub static EMPLOYERS: LazyLock<Vec<Employer>> = LazyLock::new(|| {
    let text = include_str!("../../reference/agencies-and-calendar.json");
    let agencies = serde_json::from_str::<Reference>(text).map(|reference| reference.fictional);
    agencies
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(place, agency)| employer(place, agency))
        .collect()
});

/// The fifth uses no payroll and the sixth only that, so that a choice of area can be refused.
fn employer(place: usize, agency: Agency) -> Employer {
    let areas = match place {
        4 => vec![Area::Ekonomi, Area::EHandel, Area::ItTjanstestod],
        5 => vec![Area::Lon, Area::ItTjanstestod],
        _ => Area::ALL.to_vec(),
    };
    Employer {
        number: agency.org_number,
        name_sv: agency.name_sv,
        name_en: agency.name_en,
        areas,
        services: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_six_fictional_employers_have_numbers_that_no_real_one_has() {
        assert_eq!(EMPLOYERS.len(), 6);
        assert!(EMPLOYERS.iter().all(|employer| employer.number.as_str().starts_with('4')));
    }
}
