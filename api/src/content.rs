//! What the pages say and the service catalogue: what was published last, or until then what ships with the program.

use std::sync::LazyLock;

use domain::content::{ContentPage, Service, Words};
use domain::{Area, Language};
use projections::content::{self, PageWords};

use crate::markdown::{self, Prose};
use crate::texts::Text;
use crate::{App, Failure};

/// The catalogue that ships with the program.
static FIRST_CATALOGUE: LazyLock<Vec<Service>> =
    LazyLock::new(|| serde_json::from_str(include_str!("../content/catalogue.json")).unwrap_or_default());

/// What a page says to a reader.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Its heading, where it is not the usual one.
    pub title: Option<String>,
    /// Its text.
    pub prose: Prose,
}

impl Told {
    /// The heading: its own, or the usual one.
    pub fn title_or(&self, usual: &Text) -> String {
        self.title.clone().unwrap_or_else(|| usual.to_string())
    }
}

/// What ships with the program for a page.
pub fn first(page: ContentPage) -> PageWords {
    let (sv, en) = match page {
        ContentPage::Start => {
            (include_str!("../content/sv/start.md"), include_str!("../content/en/start.md"))
        }
        ContentPage::Support => {
            (include_str!("../content/sv/support.md"), include_str!("../content/en/support.md"))
        }
        ContentPage::Services => {
            (include_str!("../content/sv/services.md"), include_str!("../content/en/services.md"))
        }
    };
    let words = |text: &str| Words { title: None, body: text.trim_end().to_owned() };
    PageWords { sv: words(sv), en: words(en) }
}

/// The catalogue that ships with the program.
pub fn first_catalogue() -> &'static [Service] {
    &FIRST_CATALOGUE
}

/// What a page says in a version, where there is one; in the newest for none. The first, 0, ships with the program.
///
/// # Errors
/// [`Failure::NotFound`] where there is no such version; when the read models cannot be read.
pub async fn words(app: &App, page: ContentPage, version: Option<u64>) -> Result<(u64, PageWords), Failure> {
    let found = match version {
        Some(0) => None,
        version => app.query(move |tables| content::page(tables, page.code(), version)).await?,
    };
    known(version, found).map(|found| found.unwrap_or_else(|| (0, first(page))))
}

/// The services of the catalogue, as [`words`] for a page.
///
/// # Errors
/// As [`words`].
pub async fn catalogue(app: &App, version: Option<u64>) -> Result<(u64, Vec<Service>), Failure> {
    let found = match version {
        Some(0) => None,
        version => app.query(move |tables| content::catalogue(tables, version)).await?,
    };
    known(version, found).map(|found| found.unwrap_or_else(|| (0, first_catalogue().to_vec())))
}

/// A version that was found by its number; nothing where there is none yet.
fn known<T>(version: Option<u64>, found: Option<(content::Version, T)>) -> Result<Option<(u64, T)>, Failure> {
    match (version, found) {
        (_, Some((version, content))) => Ok(Some((version.number, content))),
        (None | Some(0), None) => Ok(None),
        (Some(_), None) => Err(Failure::NotFound),
    }
}

/// What a page says now, in a language.
///
/// # Errors
/// When the read models cannot be read.
pub async fn told(app: &App, language: Language, page: ContentPage) -> Result<Told, Failure> {
    let (_, words) = words(app, page, None).await?;
    Ok(in_language(&words, language, 2))
}

/// What a page says in a language, with its headings from a level on.
pub fn in_language(words: &PageWords, language: Language, top: usize) -> Told {
    let words = match language {
        Language::Sv => &words.sv,
        Language::En => &words.en,
    };
    Told { title: words.title.clone(), prose: markdown::render(&words.body, top) }
}

/// The names of an area's services in a language, of those that `wanted` wants by their Swedish name.
pub fn names(
    services: &[Service],
    language: Language,
    area: Area,
    wanted: impl Fn(&str) -> bool,
) -> Vec<String> {
    let of_area = services.iter().filter(|service| service.area == area && wanted(&service.sv));
    let name = |service: &Service| match language {
        Language::Sv => service.sv.clone(),
        Language::En => service.en.clone(),
    };
    of_area.map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Event;
    use domain::content::{WrittenContent, WrittenService, publish_catalogue};

    #[test]
    fn what_ships_with_the_program_could_have_been_published() {
        for page in ContentPage::ALL {
            let PageWords { sv, en } = first(*page);
            let written =
                WrittenContent { body_sv: &sv.body, body_en: &en.body, ..WrittenContent::default() };
            assert_eq!(written.publish(*page), Ok(Event::ContentPublished { page: *page, sv, en }));
        }
        let services = first_catalogue();
        assert!(Area::ALL.iter().all(|area| services.iter().any(|service| service.area == *area)));
        let row = |(place, service): (usize, &'static Service)| WrittenService {
            area: service.area,
            place,
            sv: &service.sv,
            en: &service.en,
        };
        let rows: Vec<_> = services.iter().enumerate().map(row).collect();
        let expected = Event::CataloguePublished { services: services.to_vec() };
        assert_eq!(publish_catalogue(&rows, &[], &[]), Ok(expected));
    }
}
