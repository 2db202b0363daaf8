//! Names behind pseudonyms and numbers, and what a case is about, in the reader's words.

use std::collections::{HashMap, HashSet};

use domain::{Actor, Area, Language, OrganisationNumber, PersonId, SubArea, System};
use projections::directory::{self, Person};
use projections::{protection, services};

use crate::pages::components::Choice;
use crate::texts::Text;
use crate::{App, Failure};

/// Everybody whom a page names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    persons: HashMap<PersonId, Person>,
    /// Those with protected identity who are hidden from the reader.
    hidden: HashSet<PersonId>,
    /// What stands for such a person, and for the employer.
    instead: [String; 2],
    /// All employers, by name.
    pub employers: Vec<(OrganisationNumber, String)>,
}

impl Names {
    /// The names of these persons, as a case of `employer` shows them to a reader where there is one, and of all employers.
    /// Who has protected identity is named to few (LAW-12).
    ///
    /// # Errors
    /// When the read models cannot be read.
    pub async fn load(
        app: &App,
        language: Language,
        reader: &Actor,
        employer: Option<OrganisationNumber>,
        persons: impl IntoIterator<Item = PersonId>,
    ) -> Result<Self, Failure> {
        let mut wanted: Vec<PersonId> = persons.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let hides = reader.role.hides_protected();
        let names = app.query(move |tables| {
            let (mut persons, mut hidden) = (HashMap::new(), HashSet::new());
            for id in wanted {
                if hides && protection::is_protected(tables, id)? {
                    hidden.insert(id);
                    continue;
                }
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
            let instead = ["protected-person", "protected-employer"];
            let instead = instead.map(|key| Text::new(language, key).to_string());
            Ok(Self { persons, hidden, instead, employers: employers.collect() })
        });
        Ok(names.await?)
    }

    /// What is known of a person.
    pub fn of(&self, person: PersonId) -> Option<&Person> {
        self.persons.get(&person)
    }

    /// The name of a person; the login, and at last the pseudonym, where there is none.
    pub fn person(&self, person: PersonId) -> String {
        if self.hidden.contains(&person) {
            return self.hidden_person();
        }
        let known = self.of(person);
        let name = known.and_then(|known| known.name.clone().or_else(|| known.subject.clone()));
        name.unwrap_or_else(|| short(&person))
    }

    /// Hides who registered the case of a hidden person at that person's employer, for it would tell where that is.
    pub fn hide_registrar(&mut self, reporter: Option<PersonId>, registrar: PersonId) {
        let of_the_centre = self.of(registrar).is_some_and(Person::is_of_the_centre);
        if self.hides(reporter) && !of_the_centre {
            self.hidden.insert(registrar);
        }
    }

    /// What stands for a person who is hidden.
    pub fn hidden_person(&self) -> String {
        self.instead[0].clone()
    }

    /// Whether a person is hidden from the reader.
    pub fn hides(&self, person: Option<PersonId>) -> bool {
        person.is_some_and(|person| self.hidden.contains(&person))
    }

    /// The name of the employer of somebody's case, unless where that person works must not be known.
    pub fn employer_of(&self, number: OrganisationNumber, reporter: Option<PersonId>) -> String {
        if self.hides(reporter) {
            return self.instead[1].clone();
        }
        self.employer(number)
    }

    /// The employers that lists can be narrowed to: whoever is at an employer has no others.
    pub fn choices(&self, reader: &Actor) -> Vec<Choice> {
        let own = |number| reader.employers.as_ref().is_none_or(|employers| employers.contains(number));
        let shown = self.employers.iter().filter(|(number, _)| own(number));
        shown.map(|(number, name)| Choice::new(number, name)).collect()
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
