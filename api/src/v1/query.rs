//! Query parameters, read one by one, so that everything that is wrong with them is told at once.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use domain::FieldError;
use domain::refusal::Code;

use crate::Failure;
use crate::failure::MOST_TOLD;

/// The parameters of a query that have not been read yet.
#[derive(Debug, Default)]
pub struct Parameters {
    left: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let left = Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).unwrap_or_default();
        Ok(Self { left, errors: Vec::new() })
    }
}

impl Parameters {
    /// A text; blank is absent.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.take(name);
        if values.len() > 1 {
            self.wrong(name);
        }
        values.pop()
    }

    /// A value that may be given once.
    pub fn one<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.wrong(name);
        }
        value
    }

    /// Values that may be given several times, or in one parameter with commas between.
    pub fn many<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let texts = self.take(name);
        let parts = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        let values: Option<Vec<T>> = parts.filter(|part| !part.is_empty()).map(parse).collect();
        values.unwrap_or_else(|| {
            self.wrong(name);
            Vec::new()
        })
    }

    /// A number within limits; `default` when absent.
    pub fn number(&mut self, name: &str, (least, most): (u64, u64), default: u64) -> u64 {
        let parse = |text: &str| text.parse().ok().filter(|number| (least..=most).contains(number));
        self.one(name, parse).unwrap_or(default)
    }

    /// Says that a parameter cannot be used.
    pub fn wrong(&mut self, name: &str) {
        self.errors.push(FieldError::new(format!("?{name}"), Code::FieldValue));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Failure::Fields`]: what was wrong, and the parameters that nobody asked for.
    pub fn finish(mut self) -> Result<(), Failure> {
        for (name, _) in self.left.iter().take(MOST_TOLD) {
            let error = FieldError::new(format!("?{name}"), Code::FieldUnknown).with("name", name);
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
        }
        if self.errors.is_empty() { Ok(()) } else { Err(Failure::Fields(self.errors)) }
    }

    fn take(&mut self, name: &str) -> Vec<String> {
        let (taken, left) = std::mem::take(&mut self.left).into_iter().partition(|(key, _)| key == name);
        self.left = left;
        let values: Vec<(String, String)> = taken;
        values
            .into_iter()
            .map(|(_, value)| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        let uri = format!("/x?{query}").parse().unwrap();
        Parameters { left: Query::try_from_uri(&uri).unwrap().0, errors: Vec::new() }
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut query = parameters("page=0&limit=5&limit=6&sida=2&status=a,b&status=c&q=+");
        assert_eq!(query.number("page", (1, 10), 1), 1);
        assert_eq!(query.number("limit", (1, 100), 20), 6);
        assert_eq!(query.many("status", |text| Some(text.to_owned())), ["a", "b", "c"]);
        assert_eq!(query.text("q"), None);
        let Err(Failure::Fields(errors)) = query.finish() else { panic!("nothing is wrong") };
        let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), error.code)).collect();
        assert_eq!(
            found,
            [("?page", Code::FieldValue), ("?limit", Code::FieldValue), ("?sida", Code::FieldUnknown)]
        );
    }
}
