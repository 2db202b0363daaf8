//! What a system may use of the API, beside its rights to single cases.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// What a token lets a system use.
    Scope {
        /// Reading cases, files, counts and what belongs to them.
        CaseRead = "case.read",
        /// Creating and changing cases.
        CaseWrite = "case.write",
        /// Following what happens.
        EventRead = "event.read",
        /// Being told of what happens.
        WebhookManage = "webhook.manage",
    }
}

impl Scope {
    /// The known ones among words, each once, in the order that people meet them.
    pub fn among<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        let mut scopes: Vec<Self> = words.into_iter().filter_map(Self::parse).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_no_scopes() {
        let words = ["openid", "event.read", "case.read", "case.read", "CASE.WRITE", ""];
        assert_eq!(Scope::among(words), [Scope::CaseRead, Scope::EventRead]);
    }
}
