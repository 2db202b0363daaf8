//! The forms of an officer's case page, one for each action, filled in with what is most likely.

use chrono::NaiveDate;
use domain::{PersonId, calendar};
use projections::CaseView;

use crate::pages::{Form, Visitor};
use crate::{App, Failure};

/// How many working days the reporter is given to answer, unless the officer says otherwise.
const ANSWER_DAYS: u16 = 10;

/// Take the case.
pub(super) const START: &str = "start";
/// Ask the reporter for more.
pub(super) const REQUEST: &str = "request";
/// Write a message.
pub(super) const MESSAGE: &str = "message";
/// Write a note.
pub(super) const NOTE: &str = "note";
/// Give the case to an officer.
pub(super) const ASSIGN: &str = "assign";
/// Move the case to another area.
pub(super) const RECLASSIFY: &str = "reclassify";
/// Answer and close.
pub(super) const CLOSE: &str = "close";

/// The forms.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are those of the actions")]
pub struct Forms {
    pub start: Form,
    pub request: Form,
    pub message: Form,
    pub note: Form,
    pub assign: Form,
    pub reclassify: Form,
    pub close: Form,
    /// The form that somebody is at work with.
    shown: Option<&'static str>,
}

impl Forms {
    /// The ids of the forms.
    pub const IDS: [&'static str; 7] = [START, REQUEST, MESSAGE, NOTE, ASSIGN, RECLASSIFY, CLOSE];

    /// Fresh forms for a case.
    pub fn new(today: NaiveDate, me: PersonId, view: &CaseView) -> Self {
        let form = |id| Form::new(id).on_version(view.version);
        let other = if view.officer == Some(me) { String::new() } else { me.to_string() };
        Self {
            start: form(START),
            request: form(REQUEST)
                .with("dueDate", calendar::after_working_days(today, ANSWER_DAYS).to_string()),
            message: form(MESSAGE),
            note: form(NOTE),
            assign: form(ASSIGN).with("officer", other),
            reclassify: form(RECLASSIFY)
                .with("area", view.area.code())
                .with("subArea", view.sub_area.map_or("", |sub_area| sub_area.code()))
                .with("system", view.system.map_or("", |system| system.code())),
            close: form(CLOSE),
            shown: None,
        }
    }

    /// Puts a form as it was filled in into its place. It decides on the version that is shown with it.
    pub fn put(&mut self, mut form: Form, version: u64) {
        form.version = Some(version);
        self.shown = Some(form.id);
        let place = match form.id {
            START => &mut self.start,
            REQUEST => &mut self.request,
            MESSAGE => &mut self.message,
            NOTE => &mut self.note,
            ASSIGN => &mut self.assign,
            RECLASSIFY => &mut self.reclassify,
            _ => &mut self.close,
        };
        *place = form;
    }

    /// Puts back what was typed when a session ended; the address says in which form.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn restore(&mut self, app: &App, visitor: &Visitor, owner: PersonId) -> Result<(), Failure> {
        // What was typed on the customer's page of the case comes back without its name.
        let id = asked(&visitor.address, "form").unwrap_or_else(|| MESSAGE.to_owned());
        let Some(id) = Self::IDS.into_iter().find(|own| *own == id) else { return Ok(()) };
        let version = self.close.version.unwrap_or_default();
        if let Some(left) = Form::left(app, owner, id, &visitor.address).await? {
            self.put(left, version);
        }
        Ok(())
    }

    /// The form that somebody is at work with.
    pub fn at_work(&self) -> Option<&Form> {
        let all = [
            &self.start,
            &self.request,
            &self.message,
            &self.note,
            &self.assign,
            &self.reclassify,
            &self.close,
        ];
        all.into_iter().find(|form| Some(form.id) == self.shown)
    }

    /// Whether a form was refused.
    pub fn failed(&self) -> bool {
        self.at_work().is_some_and(|form| !form.errors.is_empty())
    }

    /// Whether a form is shown unfolded.
    pub fn is_open(&self, form: &Form) -> bool {
        Some(form.id) == self.shown
    }

    /// The text that was typed in the form that somebody is at work with.
    pub fn typed(&self) -> Option<String> {
        self.at_work().and_then(typed)
    }
}

/// The text that was typed in a form.
pub(super) fn typed(form: &Form) -> Option<String> {
    ["answer", "text", "reason"].into_iter().find_map(|name| form.filled(name))
}

/// A value of the query of an address; only codes are looked for, which need no decoding.
pub(super) fn asked(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_an_address() {
        assert_eq!(asked("/arenden/1?done=close&x=1", "done").as_deref(), Some("close"));
        assert_eq!(asked("/arenden/1?xdone=close", "done"), None);
        assert_eq!(asked("/arenden/1", "done"), None);
    }
}
