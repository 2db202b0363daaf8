//! The stored format of events: a sample of every type ever released lies in `tests/golden/events/` and must be read
//! and written as it stands. A sample is never changed; what changes is that more of them come.

use std::collections::BTreeSet;
use std::path::PathBuf;

use domain::Event;
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/events")
}

/// The sample of a type: facts and personal part.
fn sample(type_name: &str) -> (Value, Option<Value>) {
    let path = folder().join(format!("{type_name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("every type of event has a sample; {}: {error}", path.display()));
    let sample: Value = serde_json::from_str(&text).unwrap();
    let personal = Some(sample["personal"].clone()).filter(|personal| !personal.is_null());
    (sample["facts"].clone(), personal)
}

fn read(type_name: &str, facts: &Value, personal: Option<&Value>) -> Event {
    let personal = personal.map(Value::to_string);
    Event::from_stored(type_name, &facts.to_string(), personal.as_deref().map(str::as_bytes))
        .unwrap_or_else(|error| panic!("the sample of {type_name} is not read: {error}"))
}

#[test]
fn every_type_has_a_sample_and_every_sample_a_type() {
    let types: BTreeSet<String> = Event::TYPES.iter().map(|name| format!("{name}.json")).collect();
    let samples: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(samples, types);
}

#[test]
fn every_sample_is_read_and_written_as_it_stands() {
    for type_name in Event::TYPES {
        let (facts, personal) = sample(type_name);
        let event = read(type_name, &facts, personal.as_ref());
        assert_eq!(event.type_name(), *type_name);
        assert_eq!(event.has_personal(), personal.is_some(), "{type_name}");
        assert_eq!(serde_json::from_str::<Value>(&event.facts_json()).unwrap(), facts, "{type_name}");
        let written = event.personal_json().map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(written, personal, "{type_name}");
    }
}

#[test]
fn every_sample_is_read_when_its_personal_part_is_gone() {
    for type_name in Event::TYPES {
        let (facts, personal) = sample(type_name);
        let event = read(type_name, &facts, None);
        assert_eq!(event, read(type_name, &facts, personal.as_ref()).gone());
        assert_eq!(event.is_gone(), personal.is_some(), "{type_name}");
        assert_eq!(event.personal_json(), None);
    }
}

/// What may be kept for ever holds no personal content: no text of a sample's personal part stands in its facts.
#[test]
fn facts_hold_nothing_personal() {
    for type_name in Event::TYPES {
        let (facts, Some(personal)) = sample(type_name) else { continue };
        let facts = facts.to_string();
        let mut texts = Vec::new();
        strings(&personal, &mut texts);
        // A file's id and size are facts.
        for text in texts.iter().filter(|text| !text.starts_with("01931b2c-")) {
            assert!(!facts.contains(text.as_str()), "{type_name} tells {text}");
        }
    }
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.chars().count() > 3 => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}
