//! Reading a JSON body field by field, so that everything that is wrong with it is told at once.

use std::collections::HashSet;

use domain::FieldError;
use domain::refusal::Code;
use serde_json::{Map, Value};

use crate::Failure;
use crate::failure::MOST_TOLD;

/// The fields of a JSON object that have not been read yet. `null` and absent mean the same.
#[derive(Debug)]
pub struct Fields {
    pointer: String,
    left: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// The fields of a body.
    ///
    /// # Errors
    /// `field.type` at the root when it is no object.
    pub fn new(body: Value) -> Result<Self, Failure> {
        match body {
            Value::Object(left) => Ok(Self { pointer: String::new(), left, errors: Vec::new() }),
            _ => Err(Failure::Fields(vec![FieldError::new("", Code::FieldType)])),
        }
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong_type(name),
        }
    }

    /// A list of texts; empty when there is none.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let texts = match self.take(name) {
            Some(Value::Array(values)) => values.into_iter().map(|value| match value {
                Value::String(text) => Some(text),
                _ => None,
            }),
            Some(_) => return self.wrong_type(name).unwrap_or_default(),
            None => return Vec::new(),
        };
        let texts: Option<Vec<String>> = texts.collect();
        texts.or_else(|| self.wrong_type(name)).unwrap_or_default()
    }

    /// An object, read by `read`.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        match self.take(name)? {
            Value::Object(left) => {
                let pointer = self.pointer_to(name);
                let mut inner = Self { pointer, left, errors: Vec::new() };
                let value = read(&mut inner);
                self.errors.extend(inner.finish());
                Some(value)
            }
            _ => self.wrong_type(name),
        }
    }

    /// What was wrong, and the fields that nobody asked for.
    pub fn finish(mut self) -> Vec<FieldError> {
        let unknown = std::mem::take(&mut self.left);
        for name in unknown.keys().take(MOST_TOLD) {
            let error = FieldError::new(self.pointer_to(name), Code::FieldUnknown);
            self.errors.push(error.with("name", name));
        }
        self.errors
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.left.remove(name).filter(|value| !value.is_null())
    }

    fn wrong_type<T>(&mut self, name: &str) -> Option<T> {
        let error = FieldError::new(self.pointer_to(name), Code::FieldType);
        self.errors.push(error);
        None
    }

    fn pointer_to(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }
}

/// Errors in order, the first one only for each field: what has the wrong type is not also missing.
pub fn first_of_each(errors: impl IntoIterator<Item = FieldError>) -> Vec<FieldError> {
    let mut met = HashSet::new();
    errors.into_iter().filter(|error| met.insert(error.pointer.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(errors: &[FieldError]) -> Vec<(&str, Code)> {
        errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect()
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let body = json!({"subject": 7, "attachments": ["a", 1], "reporter": {"name": "Anna", "~x": 1}, "b/c": null});
        let mut fields = Fields::new(body).unwrap();
        assert_eq!(fields.text("subject"), None);
        assert_eq!(fields.texts("attachments"), Vec::<String>::new());
        assert_eq!(fields.object("reporter", |inner| inner.text("name")).flatten().as_deref(), Some("Anna"));
        assert_eq!(
            wrong(&fields.finish()),
            [
                ("/subject", Code::FieldType),
                ("/attachments", Code::FieldType),
                ("/reporter/~0x", Code::FieldUnknown),
                ("/b~1c", Code::FieldUnknown),
            ]
        );
    }

    #[test]
    fn null_is_absent_and_only_objects_have_fields() {
        let mut fields = Fields::new(json!({"subject": null})).unwrap();
        assert_eq!(fields.text("subject"), None);
        assert_eq!(fields.finish(), []);
        assert!(Fields::new(json!([])).is_err());
    }
}
