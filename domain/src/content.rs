//! What the pages tell of the centre: the words of a page in both languages, and the service catalogue. Each has a small
//! stream of its own, an event a version.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::refusal::{Code, FieldError, FieldErrors};
use crate::text::published;
use crate::vocabulary::{Area, vocabulary};

/// Longest heading of a page, in characters.
pub const TITLE_MAX: usize = 120;
/// Longest text of a page, in characters.
pub const TEXT_MAX: usize = 10_000;
/// Longest name of a service, in characters.
pub const SERVICE_MAX: usize = 80;
/// Most services of the catalogue.
pub const SERVICES_MAX: usize = 60;
/// Most employers that an error names.
const NAMED: usize = 5;

vocabulary! {
    /// The pages whose words are edited in the web.
    ContentPage {
        /// What the centre does.
        Start = "start",
        /// How one gets help.
        Support = "support",
        /// What the services are about.
        Services = "services",
    }
}

/// What a page says in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The heading of the page, where it is not the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The text, in Markdown.
    pub body: String,
}

/// A service of the catalogue. Employers point at it by its Swedish name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The area that it belongs to.
    pub area: Area,
    /// Its name in Swedish.
    pub sv: String,
    /// Its name in English.
    pub en: String,
}

/// What stands in the form of a page, as it was typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WrittenContent<'a> {
    pub title_sv: &'a str,
    pub body_sv: &'a str,
    pub title_en: &'a str,
    pub body_en: &'a str,
}

impl WrittenContent<'_> {
    /// The event that publishes it on a page.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn publish(&self, page: ContentPage) -> Result<Event, Vec<FieldError>> {
        let mut errors = FieldErrors::default();
        let mut words = |title, body, [title_pointer, body_pointer]: [&'static str; 2]| {
            let title = errors.take(published(title, title_pointer, TITLE_MAX, None));
            let body = errors.take(published(body, body_pointer, TEXT_MAX, Some(Code::TextMissing)));
            Words { title: title.filter(|title| !title.is_empty()), body: body.unwrap_or_default() }
        };
        let sv = words(self.title_sv, self.body_sv, ["/titleSv", "/bodySv"]);
        let en = words(self.title_en, self.body_en, ["/titleEn", "/bodyEn"]);
        errors.finish()?;
        Ok(Event::ContentPublished { page, sv, en })
    }
}

/// A row of the catalogue's form, as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WrittenService<'a> {
    pub area: Area,
    /// Its place among the rows of its area.
    pub place: usize,
    pub sv: &'a str,
    pub en: &'a str,
}

impl WrittenService<'_> {
    /// The name of one of its fields.
    pub fn field(area: Area, place: usize, language: &str) -> String {
        format!("{area}-{place}-{language}")
    }

    fn pointer(&self, language: &str) -> String {
        format!("/{}", Self::field(self.area, self.place, language))
    }

    /// The service; nothing where the row is empty.
    fn read(&self, errors: &mut FieldErrors) -> Option<Service> {
        let mut name = |text: &str, language| {
            let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let name = published(&line, self.pointer(language), SERVICE_MAX, None);
            errors.take(name).unwrap_or(line)
        };
        let (sv, en) = (name(self.sv, "sv"), name(self.en, "en"));
        if sv.is_empty() && en.is_empty() {
            return None;
        }
        for (name, language) in [(&sv, "sv"), (&en, "en")] {
            if name.is_empty() {
                errors.push(FieldError::new(self.pointer(language), Code::ServiceMissing));
            }
        }
        Some(Service { area: self.area, sv, en })
    }
}

/// The event that publishes the catalogue as it was typed, in place of what it was before. `used` are the Swedish names
/// that employers point at, each with the name of such an employer: they stay.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn publish_catalogue(
    rows: &[WrittenService<'_>],
    before: &[Service],
    used: &[(String, String)],
) -> Result<Event, Vec<FieldError>> {
    let mut errors = FieldErrors::default();
    let (mut services, mut names) = (Vec::new(), HashSet::new());
    for row in rows {
        let Some(service) = row.read(&mut errors) else { continue };
        if !service.sv.is_empty() && !names.insert(service.sv.to_lowercase()) {
            let double = FieldError::new(row.pointer("sv"), Code::ServiceDouble);
            errors.push(double.with("service", &service.sv));
        }
        services.push(service);
    }
    if services.len() > SERVICES_MAX {
        errors.push(FieldError::new("", Code::ServiceMany).with("max", SERVICES_MAX));
    }
    for gone in before.iter().filter(|old| services.iter().all(|service| service.sv != old.sv)) {
        let employers: Vec<&str> =
            used.iter().filter(|(name, _)| *name == gone.sv).map(|(_, employer)| employer.as_str()).collect();
        if !employers.is_empty() {
            let more = if employers.len() > NAMED { " …" } else { "" };
            let employers = employers[..employers.len().min(NAMED)].join(", ");
            let kept = FieldError::new("", Code::ServiceUsed).with("service", &gone.sv);
            errors.push(kept.with("employers", employers + more));
        }
    }
    errors.finish()?;
    Ok(Event::CataloguePublished { services })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(errors: &[FieldError]) -> Vec<(&str, &'static str)> {
        errors.iter().map(|error| (error.pointer.as_str(), error.code.code())).collect()
    }

    #[test]
    fn what_is_written_is_published_in_both_languages() {
        let written = WrittenContent {
            title_sv: " ",
            body_sv: "## Hej\r\n\r\ndär \u{202e}",
            title_en: " Welcome ",
            body_en: "Hello",
        };
        let published = written.publish(ContentPage::Support).unwrap();
        let Event::ContentPublished { page, sv, en } = published else { panic!("{published:?}") };
        assert_eq!(page, ContentPage::Support);
        assert_eq!(sv, Words { title: None, body: "## Hej\n\ndär".to_owned() });
        assert_eq!(en, Words { title: Some("Welcome".to_owned()), body: "Hello".to_owned() });
    }

    #[test]
    fn everything_that_is_wrong_with_a_page_is_told_at_once() {
        let nothing = WrittenContent::default().publish(ContentPage::Start).unwrap_err();
        assert_eq!(codes(&nothing), [("/bodySv", "text.missing"), ("/bodyEn", "text.missing")]);
        let (title, body) = ("å".repeat(TITLE_MAX + 1), "ö".repeat(TEXT_MAX + 1));
        let long = WrittenContent { title_sv: &title, body_sv: &body, title_en: "", body_en: "x" };
        let long = long.publish(ContentPage::Start).unwrap_err();
        assert_eq!(codes(&long), [("/titleSv", "text.long"), ("/bodySv", "text.long")]);
    }

    fn row<'a>(area: Area, place: usize, sv: &'a str, en: &'a str) -> WrittenService<'a> {
        WrittenService { area, place, sv, en }
    }

    fn service(area: Area, sv: &str, en: &str) -> Service {
        Service { area, sv: sv.to_owned(), en: en.to_owned() }
    }

    #[test]
    fn rows_become_services_in_their_order_and_empty_ones_nothing() {
        let rows = [
            row(Area::Lon, 0, "  Lön   och\nresor ", "Payroll"),
            row(Area::Lon, 1, " ", ""),
            row(Area::Ekonomi, 0, "Bokslut", "Accounts"),
        ];
        let expected =
            [service(Area::Lon, "Lön och resor", "Payroll"), service(Area::Ekonomi, "Bokslut", "Accounts")];
        let published = publish_catalogue(&rows, &[], &[]).unwrap();
        assert_eq!(published, Event::CataloguePublished { services: expected.to_vec() });
    }

    #[test]
    fn a_name_in_one_language_twice_or_too_long_is_refused_and_so_are_too_many() {
        let long = "x".repeat(SERVICE_MAX + 1);
        let rows = [
            row(Area::Lon, 0, "Lön", ""),
            row(Area::Ekonomi, 0, "", "Accounts"),
            row(Area::EHandel, 4, "LÖN", "Pay"),
            row(Area::EHandel, 5, "E-handel", &long),
        ];
        let wrong = publish_catalogue(&rows, &[], &[]).unwrap_err();
        let expected = [
            ("/lon-0-en", "service.missing"),
            ("/ekonomi-0-sv", "service.missing"),
            ("/e-handel-4-sv", "service.double"),
            ("/e-handel-5-en", "text.long"),
        ];
        assert_eq!(codes(&wrong), expected);
        let names: Vec<String> = (0..=SERVICES_MAX).map(|number| format!("Tjänst {number}")).collect();
        let rows: Vec<_> =
            names.iter().enumerate().map(|(place, name)| row(Area::Lon, place, name, name)).collect();
        assert!(publish_catalogue(&rows[1..], &[], &[]).is_ok());
        let many = publish_catalogue(&rows, &[], &[]).unwrap_err();
        assert_eq!(codes(&many), [("", "service.many")]);
    }

    #[test]
    fn a_name_that_employers_use_stays_and_the_error_names_them() {
        let before = [service(Area::Lon, "Lön", "Payroll"), service(Area::Lon, "Resor", "Travel")];
        let used = |count: usize| -> Vec<(String, String)> {
            (1..=count).map(|number| ("Lön".to_owned(), format!("Verk {number}"))).collect()
        };
        let renamed = [row(Area::Lon, 0, "Löner", "Payroll")];
        for (count, named) in [(2, "Verk 1, Verk 2"), (6, "Verk 1, Verk 2, Verk 3, Verk 4, Verk 5 …")] {
            let wrong = publish_catalogue(&renamed, &before, &used(count)).unwrap_err();
            assert_eq!(codes(&wrong), [("", "service.used")]);
            assert_eq!(wrong[0].arguments, [("service", "Lön".to_owned()), ("employers", named.to_owned())]);
        }
        // Another English name, another place and what nobody uses are nobody's loss.
        let moved = [row(Area::Ekonomi, 3, "Lön", "Pay")];
        assert!(publish_catalogue(&moved, &before, &used(2)).is_ok());
        // What was never in the catalogue cannot be lost by it.
        assert!(publish_catalogue(&[], &before[1..], &used(2)).is_ok());
    }
}
