//! An event as the feed and the timeline show it.

use chrono::{DateTime, Utc};
use domain::CaseId;
use infrastructure::clock::from_micros;
use infrastructure::stored::StoredEvent;
use projections::timeline::Entry;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::protection::Hidden;

/// An event.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Event)]
pub struct EventBody {
    /// Its place in the whole log, dense from 1.
    pub position: u64,
    /// The case, person, employer, notice or delivery that it belongs to.
    pub stream_id: Uuid,
    /// Its place in the stream, dense from 1.
    pub version: u64,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// Who caused it, by pseudonym; null where that would tell where somebody with protected identity works.
    pub actor: Option<Uuid>,
    /// What may be kept for ever: numbers, codes, ids, sizes. The very text that is stored and hashed.
    #[schema(value_type = Object)]
    pub facts: Box<RawValue>,
    /// Texts and names; null where there are none, where they are disposed of, and where they are not asked for.
    #[schema(value_type = Option<Object>)]
    pub personal: Option<Value>,
    /// SHA-256 of the stored row, hexadecimal; in the feed only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub leaf_hash: Option<String>,
}

impl EventBody {
    /// An event of the feed, with its personal part where it is shown.
    pub fn of_stored(event: &StoredEvent, personal: Option<&str>) -> Self {
        Self {
            position: event.position,
            stream_id: event.stream.0,
            version: event.version,
            event_type: event.type_name.clone(),
            recorded_at: from_micros(event.recorded_at),
            actor: Some(event.actor.0),
            facts: raw(&event.facts),
            personal: personal.map(without_keys),
            leaf_hash: Some(hex::encode(event.leaf_hash)),
        }
    }

    /// The same without what must not be told, and then without the hash, which is of all of it.
    #[must_use]
    pub fn without(mut self, hidden: Hidden) -> Self {
        if hidden.any() {
            self.actor = self.actor.filter(|_| !hidden.actor);
            self.facts = raw(&hidden.without(self.facts.get()));
            self.leaf_hash = None;
        }
        self
    }

    /// An entry of a timeline.
    pub fn of_entry(case: CaseId, entry: Entry) -> Self {
        Self {
            position: entry.position,
            stream_id: case.0,
            version: entry.version,
            event_type: entry.event_type,
            recorded_at: entry.at,
            actor: Some(entry.actor.0),
            facts: raw(&entry.facts),
            personal: entry.personal.as_deref().map(without_keys),
            leaf_hash: None,
        }
    }
}

/// The stored text itself, so that whoever reads it can hash what was hashed.
fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_default()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// The personal part without the keys of its files.
fn without_keys(personal: &str) -> Value {
    let mut value = json(personal);
    if let Some(files) = value.get_mut("files").and_then(Value::as_array_mut) {
        for file in files.iter_mut().filter_map(Value::as_object_mut) {
            file.remove("key");
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_file_is_never_shown() {
        let personal = r#"{"text":"key","files":[{"fileName":"a.pdf","key":"c2VjcmV0"}]}"#;
        assert_eq!(without_keys(personal).to_string(), r#"{"files":[{"fileName":"a.pdf"}],"text":"key"}"#);
    }
}
