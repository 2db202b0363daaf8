//! The words that people read, in Swedish and English, from `locales/`. Pages, mails and API ask here by key.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use axum::http::{HeaderMap, header};
use domain::refusal::FieldError;
use domain::vocabulary::Language;
use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, Loader};
use unic_langid::langid;

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "sv",
        // Without this, invisible marks surround every value and enter the subjects of mails.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A text with the values that it names; shown by `Display`.
#[derive(Clone, Debug)]
pub struct Text {
    language: Language,
    key: Cow<'static, str>,
    arguments: HashMap<Cow<'static, str>, FluentValue<'static>>,
}

impl Text {
    /// The text of a key.
    pub fn new(language: Language, key: impl Into<Cow<'static, str>>) -> Self {
        Self { language, key: key.into(), arguments: HashMap::new() }
    }

    /// Gives the text a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.arguments.insert(Cow::Borrowed(name), FluentValue::from(value.to_string()));
        self
    }

    /// Gives the text a number that decides its grammar.
    #[must_use]
    pub fn number(mut self, name: &'static str, value: u64) -> Self {
        self.arguments.insert(Cow::Borrowed(name), FluentValue::from(value));
        self
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = LOCALES.try_lookup_complete(&identifier(self.language), &self.key, Some(&self.arguments));
        f.write_str(text.as_deref().unwrap_or(&self.key))
    }
}

/// The text of a key in a language, with the values that it names.
pub fn text(language: Language, key: &str, arguments: &[(&'static str, &str)]) -> String {
    let mut text = Text::new(language, key.to_owned());
    for (name, value) in arguments {
        text = text.with(name, value);
    }
    text.to_string()
}

/// What to do about a refused field: the same words on pages and in the API.
pub fn field_error(language: Language, error: &FieldError) -> String {
    let mut text = error_text(language, error.code.code());
    for (name, value) in &error.arguments {
        text = match *name {
            "area" => text.with(name, Text::new(language, format!("area-{value}"))),
            "mb" if language == Language::En => text.with(name, value.replace(',', ".")),
            name => text.with(name, value),
        };
    }
    // What is written in both languages is said to be wrong in one.
    let mut endings = [("Sv", Language::Sv), ("En", Language::En)].into_iter();
    match endings.find(|(ending, _)| error.pointer.ends_with(ending)) {
        Some((_, of)) => format!("{}: {text}", Text::new(language, format!("language-{of}"))),
        None => text.to_string(),
    }
}

/// The text of an error's code, for example `phase.wrong`, which may name values.
pub fn error_text(language: Language, code: &str) -> Text {
    Text::new(language, format!("error-{}", code.replace('.', "-")))
}

/// The language that a caller asks for by `Accept-Language` (RFC 9110 12.5.4); Swedish when in doubt.
pub fn accepted_language(headers: &HeaderMap) -> Language {
    let wanted =
        headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let weighed = wanted.split(',').filter_map(|range| {
        let (tag, weight) = range.split_once(';').unwrap_or((range, "q=1"));
        let primary = tag.trim().split('-').next().unwrap_or_default().to_lowercase();
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        Some((Language::parse(&primary)?, weight)).filter(|(_, weight)| *weight > 0.0)
    });
    // The first of the heaviest.
    weighed.fold((Language::Sv, 0.0), |best, next| if next.1 > best.1 { next } else { best }).0
}

fn identifier(language: Language) -> LanguageIdentifier {
    match language {
        Language::Sv => langid!("sv"),
        Language::En => langid!("en"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::files::Scan;
    use domain::refusal::Code;
    use domain::service_status::NoticeKind;
    use domain::vocabulary::{Area, Channel, NoteKind, Party, SubArea, System, Template};
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    const PROBLEMS: [&str; 29] = [
        "unauthorized",
        "scope.missing",
        "issuer.unavailable",
        "quota-exceeded",
        "syntax",
        "validation",
        "idempotency-key.missing",
        "idempotency-key.reused",
        "if-match.missing",
        "not-found",
        "permission",
        "case.changed",
        "case.closed",
        "phase.wrong",
        "taken-by-another",
        "busy",
        "unavailable",
        "outcome.unknown",
        "files.unavailable",
        "file.waiting",
        "file.infected",
        "file.locked",
        "file.too-complex",
        "read-log.unavailable",
        "read-after.timeout",
        "too-large",
        "unsupported-media-type",
        "method-not-allowed",
        "internal",
    ];

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
        }
        found
    }

    /// Every key of a language with the names of the values in its text.
    fn keys(language: &str) -> BTreeMap<String, BTreeSet<String>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language);
        let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in files(&root) {
            let mut current = String::new();
            for line in std::fs::read_to_string(&file).unwrap().lines() {
                let key = line.split(" =").next().unwrap();
                if line.starts_with(|first: char| first.is_ascii_alphabetic()) {
                    current = key.to_owned();
                    assert!(keys.insert(current.clone(), BTreeSet::new()).is_none(), "{key} twice");
                }
                for part in line.split('$').skip(1) {
                    let name = part.split(|c: char| !c.is_alphanumeric()).next().unwrap();
                    keys.get_mut(&current).unwrap().insert(name.to_owned());
                }
            }
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_values() {
        assert_eq!(keys("sv"), keys("en"));
    }

    #[test]
    fn every_code_of_the_domain_has_its_words() {
        let mut wanted: Vec<String> =
            Code::ALL.iter().map(|code| format!("error-{}", code.code().replace('.', "-"))).collect();
        for problem in PROBLEMS {
            wanted.push(format!("problem-title-{}", problem.replace('.', "-")));
            wanted.push(format!("error-{}", problem.replace('.', "-")));
        }
        wanted.extend(Area::ALL.iter().map(|value| format!("area-{value}")));
        wanted.extend(SubArea::ALL.iter().map(|value| format!("sub-area-{value}")));
        wanted.extend(System::ALL.iter().map(|value| format!("system-{value}")));
        wanted.extend(Channel::ALL.iter().map(|value| format!("channel-{value}")));
        wanted.extend(Language::ALL.iter().map(|value| format!("language-{value}")));
        wanted.extend(NoteKind::ALL.iter().map(|value| format!("note-kind-{value}")));
        wanted.extend(Party::ALL.iter().map(|value| format!("party-{value}")));
        wanted.extend(Template::ALL.iter().map(|value| format!("template-{value}")));
        wanted.extend(
            Scan::ALL.iter().filter(|scan| !scan.may_open()).map(|value| format!("file-closed-{value}")),
        );
        wanted.extend(NoticeKind::ALL.iter().map(|value| format!("notice-kind-{value}")));
        wanted.extend(domain::Status::ALL.iter().map(|value| format!("status-{value}")));
        let keys = keys("sv");
        let missing: Vec<_> = wanted.into_iter().filter(|key| !keys.contains_key(key)).collect();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn every_key_of_a_template_or_a_source_file_exists() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let keys = keys("sv");
        let mut missing = BTreeSet::new();
        for file in files(&root.join("templates")).iter().chain(&files(&root.join("src"))) {
            let content = std::fs::read_to_string(file).unwrap();
            for start in [".t(\"", "Text::new(language, \"", "text(language, \""] {
                for part in content.split(start).skip(1) {
                    let key = part.split('"').next().unwrap();
                    if !keys.contains_key(key) && !key.is_empty() && !key.contains(')') {
                        missing.insert(format!("{}: {key}", file.display()));
                    }
                }
            }
        }
        assert_eq!(missing, BTreeSet::new());
    }

    #[test]
    fn the_heaviest_language_wins_and_swedish_when_in_doubt() {
        for (wanted, language) in [
            ("en", Language::En),
            ("en-GB,en;q=0.9,sv;q=0.8", Language::En),
            ("de, sv;q=0.5, en;q=0.4", Language::Sv),
            ("sv;q=0.1,en;q=0.2", Language::En),
            ("en;q=0", Language::Sv),
            ("*", Language::Sv),
            ("", Language::Sv),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, wanted.parse().unwrap());
            assert_eq!(accepted_language(&headers), language, "{wanted}");
        }
    }

    #[test]
    fn values_are_put_in_without_marks_around_them() {
        let title = text(Language::Sv, "confirm-number", &[("number", "2026-000123-3")]);
        assert_eq!(title, "Ditt ärendenummer är 2026-000123-3");
    }

    #[test]
    fn a_refused_field_reads_in_the_reader_s_language() {
        let error = FieldError::new("/attachments", Code::FileTotal).with("mb", "50,1").with("max", 50);
        assert_eq!(
            field_error(Language::En, &error),
            "The files are 50.1\u{a0}MB in total. They can be at most 50\u{a0}MB."
        );
        let error =
            FieldError::new("/area", Code::AreaNotAvailable).with("area", "lon").with("employer", "X");
        assert!(field_error(Language::Sv, &error).contains("tjänsten Lön"));
        let error = FieldError::new("/titleEn", Code::TitleMissing);
        assert_eq!(field_error(Language::Sv, &error), "Engelska: Skriv en rubrik.");
    }
}
