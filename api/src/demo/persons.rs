//! The persons whom one can be in the demo. All invented; addresses under `.example`.

use domain::access::Role;
use domain::vocabulary::Language;
use domain::{Area, OrganisationNumber};
use infrastructure::tokens::Identity;

use crate::demo::employers::EMPLOYERS;

/// A person of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The login.
    pub subject: &'static str,
    /// The name.
    pub name: &'static str,
    /// The role.
    pub role: Role,
    /// The place of the employer in the list, for employees.
    employer: Option<usize>,
    /// Other roles beside.
    pub others: &'static [Role],
    /// The areas of an officer; empty means all.
    areas: &'static [Area],
}

const fn at_the_centre(subject: &'static str, name: &'static str, role: Role) -> Person {
    Person { subject, name, role, others: &[], employer: None, areas: &[] }
}

const fn employee(subject: &'static str, name: &'static str, employer: usize) -> Person {
    Person { employer: Some(employer), ..at_the_centre(subject, name, Role::Employee) }
}

const fn officer(subject: &'static str, name: &'static str, areas: &'static [Area]) -> Person {
    Person { areas, ..at_the_centre(subject, name, Role::Officer) }
}

/// Everybody, in the order in which they are offered.
pub const PERSONS: &[Person] = &[
    employee("anna.exempel", "Anna Exempelsson", 0),
    employee("bertil.exempel", "Bertil Exempel", 0),
    Person {
        role: Role::Requester,
        others: &[Role::EmployerAdministrator],
        ..employee("vera.exempel", "Vera Exempelin", 0)
    },
    employee("cecilia.prov", "Cecilia Provberg", 1),
    employee("david.prov", "David Provin", 1),
    employee("elin.pahitt", "Elin Påhittson", 2),
    employee("farid.pahitt", "Farid Påhitti", 2),
    employee("greta.demo", "Greta Demostrand", 3),
    employee("hassan.demo", "Hassan Demosson", 3),
    employee("ingrid.test", "Ingrid Testlund", 4),
    employee("johan.test", "Johan Testman", 4),
    employee("karin.saga", "Karin Sagolund", 5),
    employee("lars.saga", "Lars Sagström", 5),
    officer("olle.handlaggare", "Olle Handlund", &[]),
    officer("petra.lon", "Petra Lönnroth", &[Area::Lon]),
    officer("rashid.ekonomi", "Rashid Ekman", &[Area::Ekonomi, Area::EHandel]),
    officer("sara.it", "Sara Itberg", &[Area::ItTjanstestod]),
    at_the_centre("tora.revisor", "Tora Revisén", Role::Auditor),
    Person { others: &[Role::Officer], ..at_the_centre("sam.ordnare", "Sam Ordnarsson", Role::TeamLead) },
    Person {
        others: &[Role::Archivist],
        ..at_the_centre("rita.register", "Rita Registrén", Role::Registrar)
    },
    at_the_centre("siri.system", "Siri Systemsson", Role::SystemAdministrator),
    at_the_centre("dan.drift", "Dan Driftberg", Role::StatusEditor),
];

impl Person {
    /// The e-mail address.
    pub fn email(&self) -> String {
        let host = if self.employer.is_some() { "arbetsgivare.example" } else { "centret.example" };
        format!("{}@{host}", self.subject)
    }

    /// The employer, for employees.
    pub fn employer(&self) -> Option<OrganisationNumber> {
        self.employer.and_then(|place| EMPLOYERS.get(place)).map(|employer| employer.number)
    }

    /// The name of the employer, for employees.
    pub fn employer_name(&self, language: &Language) -> Option<&'static str> {
        let employer = EMPLOYERS.get(self.employer?)?;
        Some(match language {
            Language::Sv => &employer.name_sv,
            Language::En => &employer.name_en,
        })
    }

    /// The areas of an officer; empty means all.
    pub const fn areas(&self) -> &'static [Area] {
        self.areas
    }

    /// What the login says.
    pub fn identity(&self) -> Identity {
        self.identity_as(self.role)
    }

    /// What it says of the other roles.
    pub fn others(&self) -> Vec<Identity> {
        self.others.iter().map(|role| self.identity_as(*role)).collect()
    }

    fn identity_as(&self, role: Role) -> Identity {
        let narrowed = !self.areas.is_empty();
        Identity {
            subject: self.subject.to_owned(),
            role,
            name: Some(self.name.to_owned()),
            email: Some(self.email()),
            employers: self.employer().map(|employer| vec![employer]),
            areas: narrowed.then(|| self.areas.to_vec()),
        }
    }
}

/// The person of a login.
pub fn find(subject: &str) -> Option<&'static Person> {
    PERSONS.iter().find(|person| person.subject == subject)
}

/// Whom one may be: the employees of the chosen employer (of every one when none is chosen), and the centre's own.
pub fn offered(employer: Option<OrganisationNumber>) -> Vec<&'static Person> {
    let fits =
        |person: &&Person| person.employer.is_none() || employer.is_none() || person.employer() == employer;
    PERSONS.iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_meets_the_chosen_employer_s_people_and_the_centre_s() {
        let names: Vec<_> = offered(PERSONS[0].employer()).iter().map(|person| person.subject).collect();
        assert!(names.contains(&"anna.exempel") && names.contains(&"tora.revisor"));
        assert!(!names.contains(&"cecilia.prov"));
        assert_eq!(offered(None).len(), PERSONS.len());
    }
}
