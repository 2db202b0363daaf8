//! Until when an answer is aimed at (LAW-02): so many working days after the customer wrote last, by the area that the case is
//! in now. While the customer is asked something, the centre waits, and so does the time.

use chrono::{DateTime, Utc};
use domain::{Area, Language, calendar};

use crate::App;
use crate::format;
use crate::texts::Text;

/// What is said of it; nothing where nothing is aimed at.
pub(in crate::pages) fn words(
    app: &App,
    language: Language,
    (area, since): (Area, DateTime<Utc>),
) -> Option<Text> {
    let days = app.config.reply_days(area)?;
    let until = calendar::after_working_days(calendar::day(since), days);
    let key = if calendar::day(app.clock.now()) <= until { "case-target" } else { "case-target-passed" };
    Some(Text::new(language, key).number("n", u64::from(days)).with("date", format::date(language, until)))
}
