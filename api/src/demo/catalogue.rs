//! What the demo's cases are about: subjects, questions and answers, all invented.

use std::sync::LazyLock;

use domain::Area;
use serde::Deserialize;

/// A kind of case.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are those of the case in the API")]
pub struct Entry {
    pub area: Area,
    pub sub_area: Option<String>,
    pub system: Option<String>,
    pub subject: String,
    pub message: String,
    pub answer: String,
    /// The name of the file that comes with it.
    pub file: Option<String>,
    ask: Option<String>,
    reply: Option<String>,
}

impl Entry {
    /// Whether there is something that the officer usually needs to know.
    pub const fn is_unclear(&self) -> bool {
        self.ask.is_some()
    }

    /// What the officer asks.
    pub fn ask(&self) -> &str {
        self.ask.as_deref().unwrap_or("Hej! Vilken period gäller det, och när upptäckte du det?")
    }

    /// What the customer then says.
    pub fn reply(&self) -> &str {
        self.reply.as_deref().unwrap_or("Hej! Det gäller oktober. Jag såg det i måndags.")
    }
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../reference/demo-cases.json")).unwrap_or_default()
});

/// The kinds of case in an area.
pub fn entries(area: Area) -> Vec<&'static Entry> {
    ENTRIES.iter().filter(|entry| entry.area == area).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{SubArea, System, Topic};

    #[test]
    fn every_entry_is_a_valid_case() {
        for area in Area::ALL {
            assert!(entries(*area).len() >= 5, "{area}");
            for entry in entries(*area) {
                let sub_area = entry.sub_area.as_deref().map(|code| SubArea::parse(code).unwrap());
                let system = entry.system.as_deref().map(|code| System::parse(code).unwrap());
                let topic = Topic::new(*area, sub_area, system).unwrap();
                assert!(!topic.needs_file() || entry.file.is_some(), "{}", entry.subject);
            }
        }
    }
}
