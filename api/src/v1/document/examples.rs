//! Examples of every body, by the name of its schema. A test compares them with the schemas.

use serde_json::{Value, json};

const CASE: &str = "0193a5d2-7c1e-7b4e-9f00-5a3f1c2d4e5f";
const FILE: &str = "0193a5d2-8d2f-7a10-8c11-6b4f2d3e5f60";
const EMPLOYER: &str = "4021000007";

/// The example of a schema.
pub fn of(schema: &str) -> Option<Value> {
    Some(match schema {
        "CreateRequest" => create(),
        "AttachRequest" => json!({"uploadId": FILE}),
        "AddMessageRequest" => json!({"text": "Fakturanumret är 4711.", "attachments": [FILE]}),
        "AddNoteRequest" => json!({"kind": "official", "text": "Kunden ringde och bekräftade beloppet."}),
        "AssignRequest" => json!({"officer": "olle"}),
        "StartProcessingRequest" => json!({}),
        "ReclassifyRequest" => {
            json!({"area": "it-tjanstestod", "system": "agresso", "reason": "Frågan gäller inloggningen."})
        }
        "RequestInformationRequest" => {
            json!({"text": "Vilket fakturanummer gäller det?", "dueDate": "2026-12-01"})
        }
        "CloseRequest" => json!({"answer": "Fakturan är betald den 23 november.", "attachments": []}),
        "UploadForm" => json!({"file": "(binary)"}),
        "Outcome" => json!({
            "id": CASE, "caseNumber": "2026-000123-3", "version": 1, "status": "received", "position": 4711,
        }),
        "Upload" => file("uploadId"),
        "AttachmentList" => json!({"attachments": [file("attachmentId")]}),
        "Case" => case(),
        "CaseList" => list(),
        "Timeline" => json!({"events": [event(true)]}),
        "EventList" => json!({
            "events": [event(false)], "_meta": {"offset": 4710, "limit": 100, "count": 1, "nextOffset": 4711},
        }),
        "Statistics" => statistics(),
        "ServiceStatus" => service_status(),
        "ServiceList" => json!({
            "areas": [{"area": "lon", "name": {"sv": "Lön", "en": "Payroll"}, "subAreas": ["supportarende", "beslut-underlag"]}],
            "employers": [{"employer": EMPLOYER, "areas": ["lon"], "services": ["Löneadministration"]}],
        }),
        "EmployerList" => json!({"employers": [
            {"number": EMPLOYER, "name": {"sv": "Exempelverket", "en": "The Example Agency"}, "areas": ["lon", "ekonomi"]},
        ]}),
        "ApiInfo" => json!({
            "apiName": "kundwebb", "apiVersion": "1.0.0", "apiReleased": "2026-11-23",
            "apiDocumentation": "https://kundwebb.example/api/v1/docs", "apiStatus": "active",
        }),
        _ => return None,
    })
}

fn create() -> Value {
    json!({
        "employer": EMPLOYER, "area": "lon", "subArea": "beslut-underlag", "system": null,
        "subject": "Beslut om anställning", "message": "Beslutet bifogas.", "attachments": [FILE], "language": "sv",
    })
}

fn file(id: &str) -> Value {
    let mut file = json!({
        "fileName": "beslut.pdf", "mediaType": "application/pdf", "size": 48_213,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "scan": "clean",
    });
    file[id] = json!(FILE);
    file
}

fn summary() -> Value {
    json!({
        "id": CASE, "caseNumber": "2026-000123-3", "version": 4, "position": 4731, "status": "closed",
        "statusLabel": "Avslutat", "channel": "webb", "employer": EMPLOYER, "area": "lon",
        "subArea": "beslut-underlag", "system": null, "subject": "Beslut om anställning",
        "receivedAt": "2026-11-23T08:36:08Z", "receivedDate": "2026-11-23", "startedAt": "2026-11-23T09:02:11Z",
        "closedAt": "2026-11-24T13:40:55Z", "dueDate": null, "followsUp": null, "officer": "olle",
        "reporter": {"name": "Anna Provsson", "email": "anna@exempelverket.example"},
    })
}

fn case() -> Value {
    let mut case = summary();
    case["message"] = json!("Beslutet bifogas.");
    case["answer"] = json!("Beslutet är registrerat.");
    case["attachments"] = json!([file("attachmentId")]);
    case["messages"] = json!([
        {"at": "2026-11-23T10:15:00Z", "from": "customer", "text": "Anställningen börjar den 1 januari.", "attachments": []},
    ]);
    case
}

fn list() -> Value {
    json!({"cases": [summary()], "_meta": {
        "page": 1, "limit": 20, "count": 1, "totalRecords": 1, "totalPages": 1, "totalRecordsIsExact": true,
    }})
}

fn event(in_timeline: bool) -> Value {
    let mut event = json!({
        "position": 4711, "streamId": CASE, "version": 1, "type": "CaseReceived",
        "recordedAt": "2026-11-23T08:36:08Z", "actor": "5f2b8c1e-3d4a-8b6c-9d7e-0f1a2b3c4d5e",
        "facts": {
            "caseNumber": "2026-000123-3", "employer": EMPLOYER, "area": "lon", "subArea": "beslut-underlag",
            "system": null, "channel": "webb", "followsUp": null, "attachmentIds": [FILE],
        },
        "personal": null,
    });
    if in_timeline {
        event["personal"] = json!({"subject": "Beslut om anställning", "message": "Beslutet bifogas."});
    } else {
        event["leafHash"] = json!("2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae");
    }
    event
}

fn statistics() -> Value {
    json!({
        "asOfDate": "2026-11-23", "fromDate": "2026-10-25", "toDate": "2026-11-23",
        "standing": [{"status": "in-process", "area": "lon", "employer": EMPLOYER, "count": 12}],
        "perDay": [{"day": "2026-11-23", "received": 31, "closed": 27}],
        "times": [{"area": "lon", "closed": 412, "meanSeconds": 93_600}],
    })
}

fn service_status() -> Value {
    json!({
        "systems": [{"system": "primula", "name": "Primula", "state": "disruption"}],
        "notices": [{
            "id": "64656d6f-2d6e-8f74-a963-650000000002", "kind": "disruption", "system": "primula",
            "title": {"sv": "Primula går inte att nå", "en": "Primula cannot be reached"},
            "body": {"sv": "Det påverkar inloggning.", "en": "This affects logging in."},
            "advice": {"sv": "Vänta med din rapport.", "en": "Wait with your report."}, "progress": "ongoing",
            "startsAt": "2026-11-23T06:36:08Z", "endsAt": null, "nextUpdateAt": "2026-11-23T10:36:08Z",
            "updatedAt": "2026-11-23T06:36:08Z", "resolvedAt": null,
        }],
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// What is wrong with a value of a schema: unknown or missing members, wrong types, values outside a closed list.
    fn faults(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            return faults(document, document.pointer(&reference[1..]).unwrap(), value, place);
        }
        if let Some(options) = schema["oneOf"].as_array() {
            let fits = options.iter().any(|option| faults(document, option, value, place).is_empty());
            return if fits { Vec::new() } else { vec![format!("{place}: none of its schemas")] };
        }
        let mut found = Vec::new();
        if let Some(values) = schema["enum"].as_array()
            && !values.contains(value)
        {
            found.push(format!("{place}: {value} is not in its list"));
        }
        if !type_fits(&schema["type"], value) {
            found.push(format!("{place}: {value} is not {}", schema["type"]));
        }
        if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
            for value in values {
                found.extend(faults(document, items, value, place));
            }
        }
        found.extend(members(document, schema, value, place));
        found
    }

    fn type_fits(types: &Value, value: &Value) -> bool {
        let fits = |name: &Value| match name.as_str().unwrap() {
            "string" => value.is_string(),
            "integer" => value.is_u64(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            other => panic!("{other}"),
        };
        match types {
            Value::Null => true,
            Value::Array(types) => types.iter().any(fits),
            name => fits(name),
        }
    }

    fn members(document: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let (properties, required) = flat(document, schema);
        let Some(object) = value.as_object().filter(|_| !properties.is_empty()) else { return Vec::new() };
        let mut found = Vec::new();
        for name in required.iter().filter(|name| !object.contains_key(*name)) {
            found.push(format!("{place}: {name} is missing"));
        }
        for (name, value) in object {
            match properties.iter().find(|(property, _)| property == name) {
                Some((_, schema)) => {
                    found.extend(faults(document, schema, value, &format!("{place}/{name}")));
                }
                None => found.push(format!("{place}: {name} is unknown")),
            }
        }
        found
    }

    /// The properties of a schema, also of those that it is made of.
    fn flat(document: &Value, schema: &Value) -> (Vec<(String, Value)>, Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            return flat(document, document.pointer(&reference[1..]).unwrap());
        }
        let (mut properties, mut required) = (Vec::new(), Vec::new());
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (more, also) = flat(document, part);
            properties.extend(more);
            required.extend(also);
        }
        let own = schema["properties"].as_object().into_iter().flatten();
        properties.extend(own.map(|(name, schema)| (name.clone(), schema.clone())));
        let names = schema["required"].as_array().into_iter().flatten();
        required.extend(names.map(|name| name.as_str().unwrap().to_owned()));
        (properties, required)
    }

    #[test]
    fn every_example_fits_its_schema() {
        let document = serde_json::to_value(crate::v1::openapi()).unwrap();
        let mut count = 0;
        let mut found = Vec::new();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            if let Some(example) = super::of(name) {
                count += 1;
                found.extend(faults(&document, schema, &example, name));
            }
        }
        assert_eq!(found, Vec::<String>::new());
        assert!(count >= 22, "{count}");
    }
}
