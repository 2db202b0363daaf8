//! Everything that has happened in a case, in words: also what only the centre sees.

use domain::vocabulary::Party;
use domain::{Event, Language, PersonId};
use projections::case_page::Scans;
use projections::timeline::Entry;

use crate::format;
use crate::pages::components::{FileLink, TimelineEntry};
use crate::pages::officers::names::{Names, topic};
use crate::texts::Text;

/// The event of an entry; none where this version of the program does not understand it.
fn event(entry: &Entry) -> Option<Event> {
    Event::from_stored(&entry.event_type, &entry.facts, entry.personal.as_deref().map(str::as_bytes)).ok()
}

/// Everybody who is named in entries.
pub(super) fn persons(entries: &[Entry]) -> impl Iterator<Item = PersonId> {
    entries.iter().flat_map(|entry| {
        let to = match event(entry) {
            Some(Event::CaseAssigned { officer }) => Some(officer),
            _ => None,
        };
        std::iter::once(entry.actor).chain(to)
    })
}

/// The files of an entry.
pub(super) fn files(scans: &Scans, address: &str, entry: &Entry) -> Vec<FileLink> {
    event(entry).iter().flat_map(Event::files).map(|card| FileLink::new(scans, address, card)).collect()
}

/// An entry of a case whose page has an address, in words.
pub(super) fn in_words(
    language: Language,
    (scans, address): (&Scans, &str),
    entry: &Entry,
    names: &Names,
) -> TimelineEntry {
    let event = event(entry);
    let (heading, more) = event.as_ref().map_or_else(
        || (Text::new(language, format!("event-{}", entry.event_type)).to_string(), None),
        |event| (heading(language, event), more(language, event, names)),
    );
    let step = matches!(
        event,
        Some(Event::CaseReceived { .. } | Event::ProcessingStarted { .. } | Event::CaseClosed { .. })
    );
    // That it was somebody hidden would tell as well where that person works.
    let actor = (!names.hides(Some(entry.actor))).then(|| names.person(entry.actor));
    let detail = actor.into_iter().chain(more).collect::<Vec<_>>().join(" · ");
    let shown_above = matches!(event, Some(Event::CaseReceived { .. } | Event::CaseClosed { .. }));
    TimelineEntry {
        at: entry.at,
        heading,
        detail,
        text: event.as_ref().filter(|_| !shown_above).map(|event| text(language, event)).unwrap_or_default(),
        files: if shown_above { Vec::new() } else { files(scans, address, entry) },
        step,
    }
}

fn heading(language: Language, event: &Event) -> String {
    let key = match event {
        Event::NoteAdded { kind, .. } => format!("note-kind-{kind}"),
        Event::MessageAdded { from: Party::Customer, .. } => "officer-message-from-customer".to_owned(),
        Event::MessageAdded { from: Party::Officer, .. } => "officer-message-to-customer".to_owned(),
        _ => format!("event-{}", event.type_name()),
    };
    Text::new(language, key).to_string()
}

/// What more the facts say.
fn more(language: Language, event: &Event, names: &Names) -> Option<String> {
    match event {
        Event::CaseAssigned { officer } => {
            Some(Text::new(language, "officer-assigned-to").with("name", names.person(*officer)).to_string())
        }
        Event::CaseReclassified { area, sub_area, system, .. } => {
            let topic = topic(language, *area, *sub_area, *system);
            Some(Text::new(language, "officer-reclassified-to").with("topic", topic).to_string())
        }
        Event::InformationRequested { due_date, .. } => {
            let date = format::date(language, *due_date);
            Some(Text::new(language, "officer-request-by").with("date", date).to_string())
        }
        _ => None,
    }
}

/// What was written; that it is gone, where it is.
fn text(language: Language, event: &Event) -> String {
    let (Event::InformationRequested { personal, .. }
    | Event::MessageAdded { personal, .. }
    | Event::NoteAdded { personal, .. }
    | Event::CaseReclassified { personal, .. }) = event
    else {
        return String::new();
    };
    personal.open().map_or_else(
        || Text::new(language, "officer-disposed").to_string(),
        |letter| letter.text.as_str().to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn entry(event_type: &str, facts: &str, personal: Option<&str>) -> Entry {
        Entry {
            position: 1,
            version: 1,
            at: "2026-11-23T07:36:00Z".parse().unwrap(),
            actor: PersonId(Uuid::nil()),
            event_type: event_type.to_owned(),
            facts: facts.to_owned(),
            personal: personal.map(str::to_owned),
        }
    }

    #[test]
    fn the_two_kinds_of_note_are_told_apart() {
        let words = |kind: &str| {
            let facts = format!(r#"{{"kind":"{kind}"}}"#);
            in_words(
                Language::Sv,
                (&Scans::new(), "/arenden/1"),
                &entry("NoteAdded", &facts, Some(r#"{"text":"Ringde"}"#)),
                &Names::default(),
            )
        };
        assert_eq!(
            (words("working").heading.as_str(), words("working").text.as_str()),
            ("Arbetsanteckning", "Ringde")
        );
        assert_eq!(words("official").heading, "Tjänsteanteckning");
    }

    #[test]
    fn what_is_disposed_of_says_so() {
        let gone = entry("NoteAdded", r#"{"kind":"working"}"#, None);
        assert!(
            in_words(Language::En, (&Scans::new(), "/arenden/1"), &gone, &Names::default())
                .text
                .contains("disposed")
        );
    }
}
