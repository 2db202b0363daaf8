//! What a case is about: area, sub-area and system, which are valid only together. Every way into a case or out
//! of one topic into another goes through [`Topic::new`].

use crate::refusal::{Code, FieldError};
use crate::vocabulary::{Area, SubArea, System};

/// A valid combination of area, sub-area (*delområde*) and system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Topic {
    area: Area,
    sub_area: Option<SubArea>,
    system: Option<System>,
}

impl Topic {
    /// Checks the combination: a sub-area is mandatory for payroll and refused elsewhere; a system is mandatory for
    /// IT support, optional for economy and e-procurement, and refused for payroll.
    ///
    /// # Errors
    /// `sub.missing`, `sub.refused`, `system.missing`, `system.refused`, all at once.
    pub fn new(
        area: Area,
        sub_area: Option<SubArea>,
        system: Option<System>,
    ) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        match (area, sub_area) {
            (Area::Lon, None) => errors.push(FieldError::new("/subArea", Code::SubMissing)),
            (Area::Ekonomi | Area::EHandel | Area::ItTjanstestod, Some(_)) => {
                errors.push(FieldError::new("/subArea", Code::SubRefused));
            }
            _ => {}
        }
        match (area, system) {
            (Area::ItTjanstestod, None) => errors.push(FieldError::new("/system", Code::SystemMissing)),
            (Area::Lon, Some(_)) => errors.push(FieldError::new("/system", Code::SystemRefused)),
            _ => {}
        }
        if errors.is_empty() { Ok(Self { area, sub_area, system }) } else { Err(errors) }
    }

    /// The area.
    pub const fn area(self) -> Area {
        self.area
    }

    /// The sub-area, for payroll.
    pub const fn sub_area(self) -> Option<SubArea> {
        self.sub_area
    }

    /// The system, where one is named.
    pub const fn system(self) -> Option<System> {
        self.system
    }

    /// Whether a case with this topic must have a file (K7).
    pub fn needs_file(self) -> bool {
        demands_file(self.area, self.sub_area)
    }
}

/// Whether area and sub-area demand a file (K7), whatever else may be wrong with the topic.
pub fn demands_file(area: Area, sub_area: Option<SubArea>) -> bool {
    (area, sub_area) == (Area::Lon, Some(SubArea::BeslutUnderlag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_area_sub_area_and_system() {
        for area in Area::ALL {
            for sub_area in std::iter::once(None).chain(SubArea::ALL.iter().copied().map(Some)) {
                for system in std::iter::once(None).chain(System::ALL.iter().copied().map(Some)) {
                    let valid = match area {
                        Area::Lon => sub_area.is_some() && system.is_none(),
                        Area::Ekonomi | Area::EHandel => sub_area.is_none(),
                        Area::ItTjanstestod => sub_area.is_none() && system.is_some(),
                    };
                    assert_eq!(
                        Topic::new(*area, sub_area, system).is_ok(),
                        valid,
                        "{area} {sub_area:?} {system:?}"
                    );
                    let Ok(topic) = Topic::new(*area, sub_area, system) else { continue };
                    let read = Topic::new(
                        Area::parse(topic.area().code()).unwrap(),
                        topic.sub_area().map(|sub_area| SubArea::parse(sub_area.code()).unwrap()),
                        topic.system().map(|system| System::parse(system.code()).unwrap()),
                    );
                    assert_eq!(read, Ok(topic), "stored codes read back");
                }
            }
        }
    }

    #[test]
    fn all_errors_at_once() {
        let errors = Topic::new(Area::Lon, None, Some(System::Primula)).unwrap_err();
        assert_eq!(
            errors.iter().map(|e| e.code).collect::<Vec<_>>(),
            [Code::SubMissing, Code::SystemRefused]
        );
    }
}
