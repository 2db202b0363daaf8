//! Names behind pseudonyms and numbers, and what a case is about, in the reader's words.

use std::collections::HashMap;

use domain::{Area, Language, OrganisationNumber, PersonId, SubArea, System};
use projections::directory::{self, Person};
use projections::services;

use crate::texts::Text;
use crate::{App, Failure};

/// Everybody whom a page names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    persons: HashMap<PersonId, Person>,
    /// All employers, by name.
    pub employers: Vec<(OrganisationNumber, String)>,
}

impl Names {
    /// The names of these persons, as a case of `employer` shows them where there is one, and of all employers.
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn load(
        app: &App,
        language: Language,
        employer: Option<OrganisationNumber>,
        persons: impl IntoIterator<Item = PersonId>,
    ) -> Result<Self, Failure> {
        let mut wanted: Vec<PersonId> = persons.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let names = app.query(move |tables| {
            let mut persons = HashMap::new();
            for id in wanted {
                let person = match employer {
                    Some(employer) => directory::of_case(tables, id, employer)?,
                    None => directory::person(tables, id)?,
                };
                persons.extend(person.map(|person| (id, person)));
            }
            let employers = services::employers(tables)?.into_iter().map(|employer| {
                let name = match language {
                    Language::Sv => employer.name_sv,
                    Language::En => employer.name_en,
                };
                (employer.number, name)
            });
            Ok(Self { persons, employers: employers.collect() })
        });
        Ok(names.await?)
    }

    /// What is known of a person.
    pub fn of(&self, person: PersonId) -> Option<&Person> {
        self.persons.get(&person)
    }

    /// The name of a person; the login, and at last the pseudonym, where there is none.
    pub fn person(&self, person: PersonId) -> String {
        let known = self.of(person);
        let name = known.and_then(|known| known.name.clone().or_else(|| known.subject.clone()));
        name.unwrap_or_else(|| short(&person))
    }

    /// The name of an employer; its number where nothing is registered about it.
    pub fn employer(&self, number: OrganisationNumber) -> String {
        let known = self.employers.iter().find(|(own, _)| *own == number);
        known.map_or_else(|| number.to_string(), |(_, name)| name.clone())
    }
}

/// The beginning of a pseudonym, enough to tell persons apart on a page.
pub fn short(id: &impl ToString) -> String {
    id.to_string().chars().take(8).collect()
}

/// What a case is about: area, and sub-area or system where there is one.
pub fn topic(language: Language, area: Area, sub_area: Option<SubArea>, system: Option<System>) -> String {
    let word = |list: &str, code: &str| Text::new(language, format!("{list}-{code}")).to_string();
    let mut parts = vec![word("area", area.code())];
    parts.extend(sub_area.map(|sub_area| word("sub-area", sub_area.code())));
    parts.extend(system.map(|system| word("system", system.code())));
    parts.join(", ")
}
