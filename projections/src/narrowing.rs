//! The one place where rights become SQL: the same [`Reach`] that decides on a single case narrows every list.

use domain::access::Reach;
use rusqlite::types::Value;

/// Conditions of a query with their values, joined by AND.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// The conditions of a reach over the columns `reporter`, `registered_by`, `channel`, `employer` and `area`.
    pub fn of(reach: &Reach) -> Self {
        let mut conditions = Self::default();
        // Whose cases they are narrows most: the plus keeps the indices of what narrows less from being chosen.
        let own = reach.reporters.is_some() || reach.sent_by.is_some();
        let [employer, area] = if own { ["+employer", "+area"] } else { ["employer", "area"] };
        let sender = reach.sent_by.map(|sender| blob(sender.0));
        match (&reach.reporters, sender) {
            (Some(reporters), sender) => {
                conditions.any_of("reporter", reporters.iter().map(|person| blob(person.0)));
                if let Some(sender) = sender {
                    conditions.or("registered_by = ? AND channel <> 'telefon'", sender);
                }
            }
            (None, Some(sender)) => {
                conditions.equal("registered_by", sender);
                conditions.is("channel <> 'telefon'");
            }
            (None, None) => {}
        }
        if let Some(employers) = &reach.employers {
            conditions.any_of(employer, employers.iter().map(text));
        }
        if let Some(areas) = &reach.areas {
            conditions.any_of(area, areas.iter().map(text));
        }
        conditions
    }

    /// `column = value`.
    pub fn equal(&mut self, column: &str, value: Value) {
        let place = self.value(value);
        self.sql.push(format!("{column} = {place}"));
    }

    /// The last condition, or one with one value, whose place is written `?`.
    pub fn or(&mut self, condition: &str, value: Value) {
        let place = self.value(value);
        let last = self.sql.pop().unwrap_or_else(|| "false".to_owned());
        self.sql.push(format!("({last} OR {})", condition.replace('?', &place)));
    }

    /// The place of a value that belongs to no condition.
    pub fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// A condition without a value.
    pub fn is(&mut self, condition: &str) {
        self.sql.push(condition.to_owned());
    }

    /// `column` is one of the values; none of them matches nothing.
    pub fn any_of(&mut self, column: &str, values: impl Iterator<Item = Value>) {
        let first = self.values.len() + 1;
        self.values.extend(values);
        let places: Vec<String> = (first..=self.values.len()).map(|place| format!("?{place}")).collect();
        self.sql.push(format!("{column} IN ({})", places.join(", ")));
    }

    /// A condition with one value, whose place is written `?`.
    pub fn with(&mut self, condition: &str, value: Value) {
        let place = self.value(value);
        self.sql.push(condition.replace('?', &place));
    }

    /// The conditions after WHERE; always true when there are none.
    pub fn sql(&self) -> String {
        if self.sql.is_empty() { "true".to_owned() } else { self.sql.join(" AND ") }
    }

    /// The values, in order.
    pub fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }
}

/// An id as it is stored.
pub fn blob(id: uuid::Uuid) -> Value {
    Value::Blob(id.as_bytes().to_vec())
}

/// A code as it is stored.
pub fn text(code: &impl ToString) -> Value {
    Value::Text(code.to_string())
}
