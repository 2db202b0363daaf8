//! What is wrong with the settings, in the words of whoever writes them.

use config::ConfigError;

/// What cannot be used, and what to write.
pub fn in_words(error: &ConfigError) -> String {
    match error {
        ConfigError::NotFound(key) => format!("the setting {} is missing", whole(key)),
        ConfigError::Type { origin, unexpected, expected, key } => {
            let place = origin.as_ref().map_or_else(String::new, |origin| format!(" in {origin}"));
            let key = whole(key.as_deref().unwrap_or_default());
            format!(
                "the setting {key}{place} is {}; write {}",
                bare(&unexpected.to_string()),
                wanted(expected)
            )
        }
        ConfigError::At { error, key, .. } => {
            let key = whole(key.as_deref().unwrap_or_default());
            match &**error {
                ConfigError::Message(words) => unknown(&key, words)
                    .or_else(|| of_another_type(&key, words))
                    .unwrap_or_else(|| format!("the setting {key}: {words}")),
                error => format!("the setting {key}: {error}"),
            }
        }
        ConfigError::Message(words) => unknown("", words).unwrap_or_else(|| words.clone()),
        error => error.to_string(),
    }
}

/// A value of another type, as it is told of lists.
fn of_another_type(key: &str, words: &str) -> Option<String> {
    let (found, expected) = words.strip_prefix("invalid type: ")?.split_once(", expected ")?;
    Some(format!("the setting {key} is {}; write {}", bare(found), wanted(expected)))
}

/// A name that is no setting, and those that are.
fn unknown(key: &str, words: &str) -> Option<String> {
    let (name, known) = words.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    let known = known.strip_prefix("one of ").unwrap_or(known).replace('`', "");
    let place = if key.is_empty() { String::new() } else { format!("{key}.") };
    Some(format!("there is no setting {place}{name}; here there are {known}"))
}

/// A key of a list, which is told without the point after its number.
fn whole(key: &str) -> String {
    let parts: Vec<&str> = key.split(']').collect();
    let join = |after: &&str| if after.is_empty() || after.starts_with(['.', '[']) { "]" } else { "]." };
    let (first, rest) = parts.split_first().unwrap_or((&"", &[]));
    rest.iter().fold((*first).to_owned(), |key, after| format!("{key}{}{after}", join(after)))
}

/// A value without the name of its type.
fn bare(value: &str) -> &str {
    match value {
        "sequence" => "a list",
        "map" => "a table",
        "unit value" => "empty",
        _ => {
            let start = value.find(['`', '"']).unwrap_or_default();
            value[start..].trim_matches('`')
        }
    }
}

/// What is written in the place of a wrong value.
fn wanted(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a sequence" => "a list, [ … ]",
        "a map" => "a table",
        "a string" => "a text",
        number if number.contains("unsigned") => "a whole number, not below 0",
        number if number.contains("integer") => "a whole number",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn what_is_wrong_is_said_as_one_writes_it() {
        for (toml, words) in [
            ("lisen = 1", "there is no setting lisen; here there are listen, data, log, "),
            ("mail.transprot = 's'", "there is no setting mail.transprot; here there are transport, host, "),
            ("demo.enabled = 'ja'", "the setting demo.enabled is \"ja\"; write true or false"),
            (
                "sessions.idle_minutes = -1",
                "the setting sessions.idle_minutes is -1; write a whole number, not below 0",
            ),
            ("employers = 3", "employers is 3; write a list, [ … ]"),
            ("listen = 'x'", "the setting listen: invalid socket address syntax"),
            (
                "[[identity_providers]]\nissuer = 'a'",
                "the setting identity_providers[0].client_id is missing",
            ),
            (
                "[[employers]]\nnumber = '1'\nname_sv = 'a'\nname_en = 'b'",
                "the setting employers[0].number: not an organisation number",
            ),
        ] {
            let said = in_words(&Config::parse(toml).unwrap_err());
            assert!(said.contains(words), "{toml}: {said}");
        }
    }
}
